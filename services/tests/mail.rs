//! Mailers against a real SMTP server and a real folder, read again by another program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod mail_sink;

use mail_sink::{MailSink, Received};
use onsale_domain::{MailId, UnixMillis};
use onsale_services::{
    FolderMailer, Mail, MailAttachment, MailError, MailSender, Mailer as _, SmtpMailer, SmtpServer,
};
use secrecy::SecretString;
use uuid::Uuid;

/// 2026-11-21T19:00:00Z
const AT: UnixMillis = UnixMillis(1_795_287_600_000);
const MAIL_ID: MailId = MailId(Uuid::from_u128(7));

fn sender() -> MailSender {
    "Onsale <tickets@onsale.example>".parse().unwrap()
}

fn mailer(url: &str) -> SmtpMailer {
    let server = SmtpServer::parse(&SecretString::from(url)).unwrap();
    SmtpMailer::new(&server, sender()).unwrap()
}

/// Every byte, so that nothing on the way may take it for text.
fn pdf() -> Vec<u8> {
    (0..=255).cycle().take(100_000).collect()
}

fn mail() -> Mail {
    Mail {
        mail_id: MAIL_ID,
        at: AT,
        to: "ada@example.org".to_owned().into(),
        subject: "Your tickets for Ünïcode".to_owned(),
        text: "Hello Ada,\n\n.\n.Your tickets: ünïcode\n".to_owned().into(),
        html: format!("<p>Hello <b>Ada</b>, ünïcode {}</p>\n", "x".repeat(2_000)).into(),
        attachments: vec![
            MailAttachment {
                file_name: "tickets.pdf".to_owned(),
                content_type: "application/pdf",
                bytes: pdf(),
            },
            MailAttachment {
                file_name: "Ünïcode \"1\"\r\nX-Evil: 1.ics".to_owned(),
                content_type: "text/calendar",
                bytes: b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_vec(),
            },
        ],
    }
}

/// Lines end as they may on the way.
fn text(content: &[u8]) -> String {
    String::from_utf8(content.to_vec()).unwrap().replace("\r\n", "\n")
}

fn is_whole(received: &Received) {
    assert_eq!(received.headers("subject"), ["Your tickets for Ünïcode"]);
    assert_eq!(received.headers("from"), ["Onsale <tickets@onsale.example>"]);
    assert_eq!(received.headers("to"), ["ada@example.org"]);
    assert_eq!(received.headers("date"), ["Sat, 21 Nov 2026 19:00:00 +0000"]);
    assert_eq!(
        received.headers("message-id"),
        [format!("<{MAIL_ID}@onsale.example>")]
    );
    assert_eq!(received.headers("auto-submitted"), ["auto-generated"]);
    assert_eq!(received.headers("x-evil"), [""; 0]);
    assert_eq!(received.0["type"], "multipart/mixed");
    assert_eq!(
        received.0["defects"].as_array().map(Vec::len),
        Some(0),
        "{:?}",
        received.0
    );
    let parts = received.parts();
    let types: Vec<_> = parts.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert_eq!(
        types,
        ["text/plain", "text/html", "application/pdf", "text/calendar"]
    );
    assert_eq!(text(&parts[0].2), "Hello Ada,\n\n.\n.Your tickets: ünïcode\n");
    assert!(text(&parts[1].2).starts_with("<p>Hello <b>Ada</b>, ünïcode xxxx"));
    assert_eq!(
        text(&parts[1].2).len(),
        2_000 + "<p>Hello <b>Ada</b>, ünïcode </p>\n".len()
    );
    assert_eq!(parts[2].1.as_deref(), Some("tickets.pdf"));
    assert_eq!(parts[2].2, pdf());
    assert!(
        parts[3]
            .1
            .as_deref()
            .is_some_and(|name| name.starts_with("Ünïcode"))
    );
    assert_eq!(text(&parts[3].2), "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
}

#[tokio::test]
async fn a_message_arrives_whole_and_a_repeat_bears_the_same_name() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = MailSink::prepare(directory.path().to_owned(), &[]);
    sink.start();
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", sink.port));
    for _ in 0..2 {
        mailer.send(mail()).await.unwrap();
    }
    let received = sink.messages();
    assert_eq!(received.len(), 2);
    received.iter().for_each(is_whole);
    assert_eq!(received[0].headers("x-mailfrom"), ["tickets@onsale.example"]);
    assert_eq!(received[0].headers("x-rcptto"), ["ada@example.org"]);
}

#[tokio::test]
async fn a_folder_holds_a_whole_message_that_nobody_else_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("mailbox/new");
    let mailer = FolderMailer::open(folder.clone(), sender()).unwrap();
    for _ in 0..2 {
        mailer.send(mail()).await.unwrap();
    }
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = folder.join(format!("{MAIL_ID}.eml"));
    assert_eq!((mode(folder.clone()), mode(file)), (0o700, 0o600));
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        1,
        "a repeat replaces it"
    );
    let sink = MailSink::prepare(directory.path().to_owned(), &[]);
    is_whole(&sink.messages()[0]);
}

#[tokio::test]
async fn nothing_from_an_event_or_an_account_becomes_a_header_or_a_command() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = MailSink::prepare(directory.path().to_owned(), &[]);
    sink.start();
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", sink.port));
    // Such a subject is held to one line before it comes here; it does no harm either.
    let subject = "Tickets\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>\r\n";
    let odd = Mail {
        subject: subject.to_owned(),
        text: "\r\n.\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<eve@example.org>\r\n"
            .to_owned()
            .into(),
        ..mail()
    };
    mailer.send(odd).await.unwrap();
    let odd = Mail {
        to: "ada@example.org>\r\nRCPT TO:<eve@example.org".to_owned().into(),
        ..mail()
    };
    let refused = mailer.send(odd).await.unwrap_err();
    assert!(matches!(refused, MailError::Refused(_)), "{refused}");
    let received = sink.messages();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].headers("bcc"), [""; 0]);
    assert_eq!(received[0].headers("x-rcptto"), ["ada@example.org"]);
    assert_eq!(received[0].parts().len(), 4);
}

#[tokio::test]
async fn without_the_tls_that_is_required_or_without_a_server_nothing_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = MailSink::prepare(directory.path().to_owned(), &[]);
    let plain = mailer(&format!("smtp://127.0.0.1:{}", sink.port));
    let away = plain.send(mail()).await.unwrap_err();
    assert!(matches!(&away, MailError::Failed(_)), "{away}");
    sink.start();
    for url in ["smtp://127.0.0.1:PORT?tls=required", "smtps://127.0.0.1:PORT"] {
        let mailer = mailer(&url.replace("PORT", &sink.port.to_string()));
        let refused = mailer.send(mail()).await.unwrap_err();
        assert!(matches!(&refused, MailError::Failed(_)), "{url}: {refused}");
        assert!(!refused.to_string().contains("example.org"), "{refused}");
    }
    assert_eq!(sink.messages().len(), 0);
    // The mailer that met nobody finds the server now.
    plain.send(mail()).await.unwrap();
    assert_eq!(sink.messages().len(), 1);
}

#[tokio::test]
async fn an_unknown_recipient_is_not_tried_again_and_the_answer_that_names_them_is_not_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = MailSink::prepare(directory.path().to_owned(), &["--size", "10000"]);
    sink.start();
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", sink.port));
    let unknown = Mail {
        to: "nobody@example.org".to_owned().into(),
        attachments: vec![],
        ..mail()
    };
    let refused = mailer.send(unknown).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "mail was refused: the SMTP server answered 550"
    );
    // Larger than this server takes; an operator may change that.
    let too_large = mailer.send(mail()).await.unwrap_err();
    assert_eq!(
        too_large.to_string(),
        "mail could not be sent: the SMTP server answered 552"
    );
    assert_eq!(sink.messages().len(), 0);
}
