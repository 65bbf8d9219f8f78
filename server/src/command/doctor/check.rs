//! One check and how it came out.

use std::time::Duration;

use serde::Serialize;

use crate::configuration::ConfigurationError;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    Warning,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    /// What was found.
    pub(super) detail: String,
    /// What to do about it; nothing where all is well.
    pub(super) mend: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Ok,
            detail: detail.into(),
            mend: None,
        }
    }

    pub(super) fn warning(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Warning,
            detail: detail.into(),
            mend: Some(mend.into()),
        }
    }

    pub(super) fn failed(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            ..Self::warning(name, detail, mend)
        }
    }

    /// A setting that cannot work.
    pub(super) fn refused(name: &'static str, error: &ConfigurationError) -> Self {
        Self::failed(name, error.what(), &*error.mend)
    }

    /// The check as it comes out, or as one that took too long.
    pub(super) async fn within(
        name: &'static str,
        longest: Duration,
        mend: &str,
        check: impl Future<Output = Self>,
    ) -> Self {
        match tokio::time::timeout(longest, check).await {
            Ok(check) => check,
            Err(_) => Self::failed(name, format!("no answer within {} s", longest.as_secs()), mend),
        }
    }
}
