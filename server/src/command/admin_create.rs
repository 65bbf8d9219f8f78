//! `onsale admin create`: the first member of staff.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Args;
use onsale_domain::{EmailAddress, UnixMillis};
use onsale_services::{Registration, ServiceError, create_admin};
use secrecy::{ExposeSecret as _, SecretString};

use super::{print, print_json};
use crate::cli::{Common, DataArguments};
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::wiring;

/// Longest password that is read.
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// Arguments of `onsale admin create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale admin create --email ada@example.org                       makes a password and prints it once
  onsale admin create --email ada@example.org --password-stdin < password-file

The account may do everything but buy: make organizations, and give roles to other accounts.")]
pub(crate) struct Arguments {
    /// Mail address to log in with
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Name shown to other staff
    #[arg(long, value_name = "NAME", default_value = "Admin")]
    name: String,
    /// Read the password from the first line of stdin, instead of making one
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    data: DataArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Makes the account.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(&arguments.data.onto(common.sources()))?;
    settings.required_database_url()?;
    let email =
        EmailAddress::parse(&arguments.email).map_err(|error| Failure::Usage(format!("--email: {error}")))?;
    let password = if arguments.password_stdin {
        password_of_stdin()?
    } else {
        made_password()?
    };
    let database = wiring::connect_database(&settings).await?;
    if !database.is_migrated().await.context("cannot read the schema")? {
        return Err(wiring::StartError::NotMigrated.into());
    }
    let registration = Registration {
        email: email.clone(),
        password: password.clone(),
        name: arguments.name,
    };
    let now = UnixMillis::from(jiff::Timestamp::now());
    let created = create_admin(&database, registration, now).await;
    database.close().await;
    let user_id = created.map_err(refused)?;
    let made = (!arguments.password_stdin).then(|| password.expose_secret());
    if arguments.json {
        print_json(&serde_json::json!({ "id": user_id.0, "email": email.as_str(), "password": made }))
    } else {
        print(&format!("account   {user_id}\nemail     {}", email.as_str()))?;
        match made {
            Some(password) => print(&format!("password  {password}\n\nIt is shown this once.")),
            None => Ok(()),
        }
    }
}

fn refused(error: ServiceError) -> Failure {
    match error {
        ServiceError::EmailTaken => {
            Failure::CheckFailed("this mail address has an account already".to_owned())
        }
        ServiceError::WeakPassword(error) => Failure::Usage(format!("the password is refused: {error}")),
        error => anyhow::Error::new(error)
            .context("cannot make the account")
            .into(),
    }
}

fn password_of_stdin() -> Result<SecretString, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(PASSWORD_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the password from stdin")?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(Failure::Usage(
            "--password-stdin: stdin holds no password".to_owned(),
        ));
    }
    Ok(password.to_owned().into())
}

/// 120 random bits in letters that are hard to confuse, in groups.
fn made_password() -> Result<SecretString, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).context("no random numbers")?;
    let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(6).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-").into())
}
