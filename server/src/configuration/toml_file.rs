//! The configuration file: `key = value` lines in TOML.

use std::collections::HashMap;
use std::path::Path;

use super::ConfigurationError;
use super::bounded::read_text;
use super::setting::ALL;

/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const LINES_MEND: &str = "Write `key = value` lines in TOML";

/// The texts of the file by their keys.
///
/// Errors: a file that cannot be read or is no TOML, a key that is no setting, a value that is a list or a table.
pub(super) fn read(path: &Path) -> Result<HashMap<String, String>, ConfigurationError> {
    let refuse = |problem: String, mend: &str| ConfigurationError {
        setting: format!("config (ONSALE_CONFIG, {})", path.display()),
        origin: None,
        problem,
        mend: mend.to_owned(),
    };
    let text = read_text(path, FILE_BYTES_MAX).map_err(|problem| {
        refuse(
            format!("cannot read the file: {problem}"),
            "Name a TOML file that this user may read",
        )
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            1 + text[..span.start.min(text.len())].matches('\n').count()
        });
        refuse(format!("line {line}: {}", error.message()), LINES_MEND)
    })?;
    let mut values = HashMap::new();
    for (key, value) in table {
        if !ALL.iter().any(|setting| setting.key == key) {
            let known: Vec<_> = ALL.iter().map(|setting| setting.key).collect();
            return Err(refuse(
                format!("unknown key `{key}`"),
                &format!("Known keys are {}", known.join(", ")),
            ));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            // Such as the share of traces that are kept.
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(refuse(
                    format!("`{key}` is neither text, a number nor true/false"),
                    LINES_MEND,
                ));
            }
        };
        values.insert(key, text);
    }
    Ok(values)
}
