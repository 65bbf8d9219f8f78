//! The admin: logs in, and sends what staff send.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use goose::prelude::GooseUser;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::arguments::StaffArguments;
use crate::client::{Answer, Call};

/// A token is renewed before its fifteen minutes are over.
const RENEWED_AFTER: Duration = Duration::from_mins(10);
/// Times that a request of the setup is sent before the run is given up.
const TRIES: u32 = 20;

/// What `onsale admin create --json` prints, as far as it is needed.
#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: Option<String>,
}

/// Somebody who may do everything but buy.
pub(crate) struct Staff {
    credentials: Option<Credentials>,
    token: Mutex<(String, Instant)>,
}

impl Staff {
    /// Logs in, or takes the token that was given.
    pub(crate) async fn enter(arguments: &StaffArguments, user: &mut GooseUser) -> anyhow::Result<Self> {
        let credentials = match &arguments.admin_file {
            None => None,
            Some(path) => {
                let text =
                    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                let read = serde_json::from_str(&text);
                Some(read.with_context(|| {
                    format!(
                        "{} is not what `onsale admin create --json` prints",
                        path.display()
                    )
                })?)
            }
        };
        let token = match (&credentials, &arguments.admin_token) {
            (Some(credentials), _) => log_in(credentials, user).await?,
            (None, Some(token)) => token.clone(),
            (None, None) => bail!("nobody to set the event up: give --admin-file or --admin-token"),
        };
        Ok(Self {
            credentials,
            token: Mutex::new((token, Instant::now())),
        })
    }

    /// An access token that is still good for a while.
    pub(crate) async fn token(&self, user: &mut GooseUser) -> anyhow::Result<String> {
        let mut token = self.token.lock().await;
        if let Some(credentials) = &self.credentials
            && token.1.elapsed() > RENEWED_AFTER
        {
            *token = (log_in(credentials, user).await?, Instant::now());
        }
        Ok(token.0.clone())
    }

    /// Sends what must succeed, again while the outcome is open.
    pub(crate) async fn send(&self, user: &mut GooseUser, call: Call) -> anyhow::Result<Answer> {
        let call = call.by(&self.token(user).await?);
        succeed(user, &call).await
    }

    /// An event and its version, as staff see it.
    pub(crate) async fn event(&self, user: &mut GooseUser, path: &str) -> anyhow::Result<(Value, String)> {
        let answer = self.send(user, Call::get(path)).await?;
        let tag = answer.etag.with_context(|| format!("{path} has no ETag"))?;
        Ok((answer.body, tag))
    }
}

/// Sends what must succeed, again while the outcome is open. Errors: a refusal, by its code.
pub(crate) async fn succeed(user: &mut GooseUser, call: &Call) -> anyhow::Result<Answer> {
    let answer = settled(user, call).await?;
    if !answer.is_success() {
        bail!("{}: {}: {}", call.line(), answer.code(), answer.text("detail"));
    }
    Ok(answer)
}

/// Sends it until the outcome is told: yes or no. Errors: it stays open.
pub(crate) async fn settled(user: &mut GooseUser, call: &Call) -> anyhow::Result<Answer> {
    let mut told = String::new();
    for _ in 0..TRIES {
        match call.send(user, "setup").await {
            Ok(answer) if answer.is_open() => {
                told = answer.code();
                sleep(answer.retry_after.unwrap_or(Duration::from_millis(100))).await;
            }
            Ok(answer) => return Ok(answer),
            Err(error) => {
                told = error;
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    bail!("{}: no answer after {TRIES} tries: {told}", call.line())
}

async fn log_in(credentials: &Credentials, user: &mut GooseUser) -> anyhow::Result<String> {
    let Some(password) = &credentials.password else {
        bail!("the admin's file holds no password");
    };
    let body = json!({"email": credentials.email, "password": password});
    let session = succeed(user, &Call::post("/v1/auth/login").json(&body)).await?;
    Ok(session.text("access_token").to_owned())
}
