//! Who sends mail, and how.

use std::path::PathBuf;

use onsale_services::{MailSender, SmtpServer, SmtpUrlError};
use secrecy::SecretString;

use super::ConfigurationError;
use super::parse::Reader;
use super::setting::{MAIL_FOLDER, MAIL_FROM, MAILER, SMTP_URL};

/// From whom mail in a folder comes, where nobody said: it goes nowhere.
const FROM_HERE: &str = "Onsale <onsale@localhost>";

/// Who sends mail.
#[derive(Clone, Debug)]
pub(crate) enum MailSettings {
    /// Nobody.
    None,
    /// The log, for development.
    Log,
    /// Nobody yet: it is put into a folder.
    Folder { folder: PathBuf, from: MailSender },
    /// An SMTP server.
    Smtp { server: SmtpServer, from: MailSender },
}

impl MailSettings {
    /// Errors: a mailer that there is not, or one that lacks what it needs.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, ConfigurationError> {
        match reader.text(&MAILER)? {
            "none" => Ok(Self::None),
            "log" => Ok(Self::Log),
            "folder" => Ok(Self::Folder {
                folder: reader.text(&MAIL_FOLDER)?.into(),
                from: sender(reader.optional(&MAIL_FROM).unwrap_or(FROM_HERE))?,
            }),
            "smtp" => {
                let url: SecretString = reader.text(&SMTP_URL)?.into();
                Ok(Self::Smtp {
                    server: SmtpServer::parse(&url)
                        .map_err(|error| ConfigurationError::of(&SMTP_URL, error.to_string()))?,
                    from: sender(reader.text(&MAIL_FROM)?)?,
                })
            }
            other => Err(ConfigurationError::of(&MAILER, format!("`{other}` is no mailer"))),
        }
    }
}

fn sender(text: &str) -> Result<MailSender, ConfigurationError> {
    text.parse()
        .map_err(|_| ConfigurationError::of(&MAIL_FROM, format!("`{text}` names no sender")))
}

/// Refuses a folder for mail that cannot be written.
pub(crate) fn unusable_mail_folder(error: &std::io::Error) -> ConfigurationError {
    ConfigurationError::of(&MAIL_FOLDER, format!("cannot be made: {error}"))
}

/// Refuses an SMTP server that TLS cannot be set up for.
pub(crate) fn unusable_smtp_server(error: SmtpUrlError) -> ConfigurationError {
    ConfigurationError::of(&SMTP_URL, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Setting, Source, Value};
    use super::*;

    fn read(texts: &[(&Setting, &str)]) -> Result<MailSettings, ConfigurationError> {
        let value = |text: &str| Value {
            text: text.to_owned(),
            source: Source::Default,
        };
        let defaults = [(MAILER.key, value("none")), (MAIL_FOLDER.key, value("mail"))];
        let given = texts.iter().map(|(setting, text)| (setting.key, value(text)));
        let values: BTreeMap<_, _> = defaults.into_iter().chain(given).collect();
        MailSettings::read(&Reader(&values))
    }

    #[test]
    fn each_mailer_has_what_it_needs_or_says_what_is_missing() {
        assert!(matches!(read(&[]), Ok(MailSettings::None)));
        assert!(matches!(read(&[(&MAILER, "log")]), Ok(MailSettings::Log)));
        assert!(matches!(
            read(&[(&MAILER, "folder")]),
            Ok(MailSettings::Folder { .. })
        ));
        let smtp = [
            (&MAILER, "smtp"),
            (&MAIL_FROM, "Onsale <tickets@onsale.example>"),
            (&SMTP_URL, "smtps://name:canary@mail.example"),
        ];
        assert!(matches!(read(&smtp), Ok(MailSettings::Smtp { .. })));
        for (without, setting) in [(1, &MAIL_FROM), (2, &SMTP_URL)] {
            let mut lacking = smtp.to_vec();
            lacking.remove(without);
            let refused = read(&lacking).expect_err("something is missing");
            assert_eq!(refused.setting, setting.spelling());
        }
        for (setting, text) in [
            (&SMTP_URL, "smtp://a:canary@mail.example"),
            (&MAIL_FROM, "me\r\nBcc: you"),
        ] {
            let refused = read(&[&smtp[..], &[(setting, text)]].concat()).expect_err("wrong");
            assert_eq!(refused.setting, setting.spelling());
            assert!(!refused.to_string().contains("canary"), "{refused}");
        }
        assert!(read(&[(&MAILER, "pigeon")]).is_err());
    }
}
