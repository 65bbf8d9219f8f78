//! Whether mail gets away.

use std::time::Duration;

use onsale_services::SmtpMailer;

use super::Check;
use crate::configuration::{MailSettings, Settings, unusable_smtp_server};
use crate::wiring;

const NAME: &str = "mail";
/// Longer than one answer may take.
const LONGEST: Duration = Duration::from_secs(12);
const TO_PEOPLE: &str = "Set ONSALE_MAILER to smtp, with ONSALE_SMTP_URL and ONSALE_MAIL_FROM";

pub(super) async fn mail(settings: &Settings) -> Check {
    match &settings.mail {
        MailSettings::None => {
            Check::warning(NAME, "nobody sends it: tickets and new passwords wait", TO_PEOPLE)
        }
        MailSettings::Log => Check::warning(NAME, "goes to the log: for development only", TO_PEOPLE),
        MailSettings::Folder { folder, .. } => match wiring::mailer(&settings.mail) {
            Ok(_) => {
                let detail = format!("goes to {}: for development only", folder.display());
                Check::warning(NAME, detail, TO_PEOPLE)
            }
            Err(error) => Check::refused(NAME, &settings.located(error)),
        },
        MailSettings::Smtp { server, from } => match SmtpMailer::new(server, from.clone()) {
            Ok(mailer) => {
                let mend = "Check ONSALE_SMTP_URL and the way there";
                Check::within(NAME, LONGEST, mend, probed(&mailer)).await
            }
            Err(error) => Check::refused(NAME, &settings.located(unusable_smtp_server(error))),
        },
    }
}

async fn probed(mailer: &SmtpMailer) -> Check {
    match mailer.probe().await {
        Ok(()) => Check::ok(NAME, "the SMTP server lets us in"),
        Err(error) => Check::failed(
            NAME,
            error.to_string(),
            "Check ONSALE_SMTP_URL: host, port, name, password, and that this machine trusts its certificate",
        ),
    }
}
