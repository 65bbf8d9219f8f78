//! A row of the register of settings.

/// One setting: its names, its default and what to tell a person who got it wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Key in the TOML file, and the flag when dashes stand for underscores.
    pub(crate) key: &'static str,
    /// Environment variable.
    pub(crate) env: &'static str,
    /// Never printed, and readable from a file named by `<env>_FILE`.
    pub(crate) secret: bool,
    /// What is in force when nobody says anything.
    pub(crate) default: Option<&'static str>,
    /// What it is for; a full sentence, for `docs/CONFIGURATION.md`.
    pub(crate) meaning: &'static str,
    /// What to do about a missing or wrong value; a full sentence.
    pub(crate) mend: &'static str,
}

impl Setting {
    /// Both names that a person may have used.
    pub(crate) fn spelling(&self) -> String {
        format!("{} ({})", self.key, self.env)
    }
}

pub(super) const fn plain(
    (key, env): (&'static str, &'static str),
    default: &'static str,
    meaning: &'static str,
    mend: &'static str,
) -> Setting {
    Setting {
        key,
        env,
        secret: false,
        default: Some(default),
        meaning,
        mend,
    }
}

/// Neither a default nor a secret.
pub(super) const fn optional(
    (key, env): (&'static str, &'static str),
    meaning: &'static str,
    mend: &'static str,
) -> Setting {
    Setting {
        key,
        env,
        secret: false,
        default: None,
        meaning,
        mend,
    }
}

pub(super) const fn secret(
    (key, env): (&'static str, &'static str),
    meaning: &'static str,
    mend: &'static str,
) -> Setting {
    Setting {
        key,
        env,
        secret: true,
        default: None,
        meaning,
        mend,
    }
}
