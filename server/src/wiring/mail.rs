//! Who sends mail.

use std::sync::Arc;

use onsale_services::{FolderMailer, LogMailer, Mailer, SmtpMailer};

use crate::configuration::{ConfigurationError, MailSettings, unusable_mail_folder, unusable_smtp_server};

/// The mailer of the settings; `None`: mail waits until it is too late.
pub(crate) fn mailer(settings: &MailSettings) -> Result<Option<Arc<dyn Mailer>>, ConfigurationError> {
    Ok(match settings {
        MailSettings::None => None,
        MailSettings::Log => {
            tracing::warn!("mail goes to the log, with tokens and addresses: for development only");
            Some(Arc::new(LogMailer))
        }
        MailSettings::Folder { folder, from } => {
            let mailer = FolderMailer::open(folder.clone(), from.clone())
                .map_err(|error| unusable_mail_folder(&error))?;
            Some(Arc::new(mailer))
        }
        MailSettings::Smtp { server, from } => {
            let mailer = SmtpMailer::new(server, from.clone()).map_err(unusable_smtp_server)?;
            Some(Arc::new(mailer))
        }
    })
}
