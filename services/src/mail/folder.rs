//! Mail into a folder, for development and for whoever picks it up there: its readers can take over accounts.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::mime::{Letter, MailSender};
use super::{Mail, MailError, Mailer};

/// Writes each message to a file of its own, `<mail id>.eml`.
#[derive(Clone, Debug)]
pub struct FolderMailer {
    folder: Arc<Path>,
    from: MailSender,
}

impl FolderMailer {
    /// Makes the folder where it is not there yet; nobody else may look into it then.
    pub fn open(folder: PathBuf, from: MailSender) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        Ok(Self {
            folder: folder.into(),
            from,
        })
    }
}

impl Mailer for FolderMailer {
    fn send(&self, mail: Mail) -> BoxFuture<'_, Result<(), MailError>> {
        async move {
            let mail_id = mail.mail_id;
            let letter = Letter::of(mail, &self.from)?;
            let folder = Arc::clone(&self.folder);
            let writing =
                tokio::task::spawn_blocking(move || write(&folder, &mail_id.to_string(), &letter.bytes));
            match writing.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(MailError::Failed(format!("the mail folder: {error}"))),
                Err(_) => Err(MailError::Failed("writing was cut off".to_owned())),
            }
        }
        .boxed()
    }
}

/// A file is there with all of its content or not at all; a repeat writes it again.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}.part"));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(format!("{name}.eml")))
}
