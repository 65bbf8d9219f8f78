//! Reads one setting's text as a typed value; every refusal names the setting and the mend.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use secrecy::SecretString;

use super::{ConfigurationError, Setting, Value};

/// The resolved texts, to be read one by one.
pub(super) struct Reader<'a>(pub(super) &'a BTreeMap<&'static str, Value>);

impl Reader<'_> {
    pub(super) fn text(&self, setting: &Setting) -> Result<&str, ConfigurationError> {
        self.optional(setting)
            .ok_or_else(|| ConfigurationError::of(setting, "is not set"))
    }

    pub(super) fn optional(&self, setting: &Setting) -> Option<&str> {
        self.0
            .get(setting.key)
            .map(|value| value.text.trim())
            .filter(|text| !text.is_empty())
    }

    pub(super) fn parsed<T: FromStr>(&self, setting: &Setting) -> Result<T, ConfigurationError> {
        let text = self.text(setting)?;
        text.parse()
            .map_err(|_| ConfigurationError::of(setting, format!("`{text}` is not usable")))
    }

    pub(super) fn number(
        &self,
        setting: &Setting,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ConfigurationError> {
        let number = self.parsed(setting)?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(ConfigurationError::of(
                setting,
                format!("{number} is not from {} to {}", range.start(), range.end()),
            ))
        }
    }

    /// Values separated by commas; none where nobody said anything.
    pub(super) fn list<T: FromStr>(&self, setting: &Setting) -> Result<Vec<T>, ConfigurationError> {
        let Some(text) = self.optional(setting) else {
            return Ok(vec![]);
        };
        text.split(',')
            .map(str::trim)
            .map(|part| {
                part.parse()
                    .map_err(|_| ConfigurationError::of(setting, format!("`{part}` is not usable")))
            })
            .collect()
    }

    /// A Postgres or Redis URL. The text itself stays out of every message: it holds a password.
    pub(super) fn url(
        &self,
        setting: &Setting,
        schemes: &[&str],
    ) -> Result<Option<SecretString>, ConfigurationError> {
        let Some(text) = self.optional(setting) else {
            return Ok(None);
        };
        let known = text
            .split_once("://")
            .is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
        if known {
            Ok(Some(text.into()))
        } else {
            let schemes = schemes.join(":// or ");
            Err(ConfigurationError::of(
                setting,
                format!("does not start with {schemes}://"),
            ))
        }
    }
}
