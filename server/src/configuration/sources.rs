//! Gathers each setting's text from the highest source that gives it, and remembers where it came from.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use super::ConfigurationError;
use super::setting::{ALL, Setting};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment(String),
    /// A file that an environment variable names.
    SecretFile(PathBuf),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::SecretFile(path) => write!(f, "secret file {}", path.display()),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting's text and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// What was written.
    pub(crate) text: String,
    /// By whom.
    pub(crate) source: Source,
}

/// The three places that people configure in. Tests hand in their own environment.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    flags: HashMap<&'static str, String>,
    environment: HashMap<String, String>,
    file: Option<PathBuf>,
}

impl Sources {
    /// This process's environment and the file that `--config` or `ONSALE_CONFIG` names.
    pub(crate) fn of_process(file: Option<PathBuf>) -> Self {
        Self::with_environment(std::env::vars().collect(), file)
    }

    /// An environment of one's own.
    pub(crate) fn with_environment(environment: HashMap<String, String>, file: Option<PathBuf>) -> Self {
        let named = || environment.get("ONSALE_CONFIG").filter(|path| !path.is_empty());
        let file = file.or_else(|| named().map(PathBuf::from));
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
        let file = match &self.file {
            Some(path) => read_file(path)?,
            None => HashMap::new(),
        };
        let mut values = BTreeMap::new();
        for setting in ALL {
            let value = self
                .flagged(setting)
                .map_or_else(|| self.in_environment(setting), |value| Ok(Some(value)))?
                .or_else(|| self.in_file(setting, &file))
                .or_else(|| defaulted(setting));
            if let Some(value) = value {
                values.insert(setting.key, value);
            }
        }
        Ok(values)
    }

    /// Whether anybody said something about a setting.
    pub(crate) fn gives(&self, key: &str) -> Result<bool, ConfigurationError> {
        let values = self.resolve()?;
        Ok(values
            .get(key)
            .is_some_and(|value| value.source != Source::Default))
    }

    fn flagged(&self, setting: &Setting) -> Option<Value> {
        self.flags.get(setting.key).map(|text| Value {
            text: text.clone(),
            source: Source::Flag,
        })
    }

    /// An empty variable counts as unset: compose files pass those on for variables that nobody set.
    fn in_environment(&self, setting: &Setting) -> Result<Option<Value>, ConfigurationError> {
        let variable = |name: &str| self.environment.get(name).filter(|text| !text.is_empty());
        let direct = variable(setting.env);
        let file_variable = format!("{}_FILE", setting.env);
        let named = variable(&file_variable).filter(|_| setting.secret);
        match (direct, named) {
            (Some(_), Some(_)) => Err(ConfigurationError {
                setting: setting.spelling(),
                problem: format!("{} and {file_variable} are both given", setting.env),
                mend: "Keep one of them".to_owned(),
            }),
            (Some(text), None) => Ok(Some(Value {
                text: text.clone(),
                source: Source::Environment(setting.env.to_owned()),
            })),
            (None, Some(path)) => {
                let path = PathBuf::from(path);
                let text = std::fs::read_to_string(&path).map_err(|error| ConfigurationError {
                    setting: file_variable,
                    problem: format!("cannot read {}: {error}", path.display()),
                    mend: "Name a file that this user may read".to_owned(),
                })?;
                Ok(Some(Value {
                    text: text.trim_end_matches(['\r', '\n']).to_owned(),
                    source: Source::SecretFile(path),
                }))
            }
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

fn defaulted(setting: &Setting) -> Option<Value> {
    setting.default.map(|text| Value {
        text: text.to_owned(),
        source: Source::Default,
    })
}

fn read_file(path: &Path) -> Result<HashMap<String, String>, ConfigurationError> {
    let refuse = |problem: String, mend: &str| ConfigurationError {
        setting: format!("config (ONSALE_CONFIG, {})", path.display()),
        problem,
        mend: mend.to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        refuse(
            format!("cannot read the file: {error}"),
            "Name a TOML file that this user may read",
        )
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            1 + text[..span.start.min(text.len())].matches('\n').count()
        });
        refuse(
            format!("line {line}: {}", error.message()),
            "Write `key = value` lines in TOML",
        )
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
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(refuse(
                    format!("`{key}` is neither text, a number nor true/false"),
                    "Write `key = value` lines in TOML",
                ));
            }
        };
        values.insert(key, text);
    }
    Ok(values)
}
