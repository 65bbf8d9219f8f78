//! Gathers each setting's text from the highest source that gives it, and remembers where it came from.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;

use super::bounded::read_text;
use super::environment::Environment;
use super::setting::{ALL, Setting};
use super::source::{Source, Value};
use super::{ConfigurationError, toml_file};

/// Longest secret that is read from a file: many keys, and far from what a wrong name may lead to.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The three places that people configure in. Tests hand in their own environment.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    flags: HashMap<&'static str, String>,
    environment: Environment,
    file: Option<PathBuf>,
}

impl Sources {
    /// This process's environment and the file that `--config` or `ONSALE_CONFIG` names.
    pub(crate) fn of_process(file: Option<PathBuf>) -> Self {
        Self::with_environment(std::env::vars_os(), file)
    }

    /// An environment of one's own.
    pub(crate) fn with_environment(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<PathBuf>,
    ) -> Self {
        let environment = Environment::new(environment.into_iter());
        let file = file.or_else(|| environment.config().map(PathBuf::from));
        Self {
            flags: HashMap::new(),
            environment,
            file,
        }
    }

    /// Adds what a flag said, if it was given.
    #[must_use]
    pub(crate) fn flag(mut self, key: &'static str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.flags.insert(key, value.to_string());
        }
        self
    }

    /// The value of each setting that has one.
    ///
    /// Errors: an unreadable file, an unknown key in it, a variable and its `_FILE` twin both given.
    pub(crate) fn resolve(&self) -> Result<BTreeMap<&'static str, Value>, ConfigurationError> {
        let file = self.read_file()?;
        let mut values = BTreeMap::new();
        for setting in ALL {
            if let Some(value) = self.value(setting, &file)? {
                values.insert(setting.key, value);
            }
        }
        Ok(values)
    }

    /// The value of one setting, whatever is wrong with the others.
    pub(super) fn resolve_one(&self, setting: &Setting) -> Result<Option<Value>, ConfigurationError> {
        self.value(setting, &self.read_file()?)
    }

    /// Whether anybody said something about a setting.
    pub(crate) fn gives(&self, key: &str) -> Result<bool, ConfigurationError> {
        let values = self.resolve()?;
        Ok(values
            .get(key)
            .is_some_and(|value| value.source != Source::Default))
    }

    /// Variables that look like settings and are none, each with what is wrong with it. A warning and no error:
    /// environments also hold what other programs are told.
    pub(crate) fn strangers(&self) -> Vec<String> {
        self.environment.strangers()
    }

    fn read_file(&self) -> Result<HashMap<String, String>, ConfigurationError> {
        self.file
            .as_deref()
            .map_or_else(|| Ok(HashMap::new()), toml_file::read)
    }

    fn value(
        &self,
        setting: &Setting,
        file: &HashMap<String, String>,
    ) -> Result<Option<Value>, ConfigurationError> {
        let given = match self.flagged(setting) {
            Some(value) => Some(value),
            None => self.in_environment(setting)?,
        };
        Ok(given
            .or_else(|| self.in_file(setting, file))
            .or_else(|| defaulted(setting)))
    }

    fn flagged(&self, setting: &Setting) -> Option<Value> {
        self.flags.get(setting.key).map(|text| Value {
            text: text.clone(),
            source: Source::Flag(setting.key),
        })
    }

    fn in_environment(&self, setting: &Setting) -> Result<Option<Value>, ConfigurationError> {
        let direct = self.environment.get(setting, setting.env)?;
        let file_variable = format!("{}_FILE", setting.env);
        let named = if setting.secret {
            self.environment.get(setting, &file_variable)?
        } else {
            None
        };
        match (direct, named) {
            (Some(_), Some(_)) => Err(ConfigurationError {
                setting: setting.spelling(),
                origin: None,
                problem: format!("{} and {file_variable} are both given", setting.env),
                mend: "Keep one of them".to_owned(),
            }),
            (Some(text), None) => Ok(Some(Value {
                text: text.to_owned(),
                source: Source::Environment(setting.env.to_owned()),
            })),
            (None, Some(path)) => secret_of_file(setting, &file_variable, path.into()).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn in_file(&self, setting: &Setting, file: &HashMap<String, String>) -> Option<Value> {
        let path = self.file.as_ref()?;
        file.get(setting.key).map(|text| Value {
            text: text.clone(),
            source: Source::File(path.clone()),
        })
    }
}

/// What a file holds, without the line's end that editors and `echo` add. An empty one is an error: somebody meant to
/// give a secret, and going on without it is not what they meant.
fn secret_of_file(setting: &Setting, variable: &str, path: PathBuf) -> Result<Value, ConfigurationError> {
    let refuse = |problem: String, mend: &str| ConfigurationError {
        setting: setting.spelling(),
        origin: Some(Source::Environment(variable.to_owned())),
        problem,
        mend: mend.to_owned(),
    };
    let text = read_text(&path, SECRET_BYTES_MAX).map_err(|problem| {
        refuse(
            format!("cannot read {}: {problem}", path.display()),
            "Name a file that this user may read, with the secret alone",
        )
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        let problem = format!("{} is empty", path.display());
        return Err(refuse(problem, "Write the secret into it, or name no file"));
    }
    Ok(Value {
        text: text.to_owned(),
        source: Source::SecretFile(path),
    })
}

fn defaulted(setting: &Setting) -> Option<Value> {
    setting.default.map(|text| Value {
        text: text.to_owned(),
        source: Source::Default,
    })
}
