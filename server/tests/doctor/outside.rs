//! Files, mail and payments: what others keep, send and take.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::patient::Patient;
use crate::support::free_address;

#[test]
fn files_that_cannot_be_kept_are_told() {
    let patient = Patient::without_database().without("ONSALE_FILES_FOLDER");
    let report = patient.with("ONSALE_FILES_FOLDER", "/dev/null/files").examined();
    report.fails("files", "files_folder (ONSALE_FILES_FOLDER)", "may write to");
}

/// Greets, then answers every line as told, until the test ends.
fn pretend(answers: &'static [(&'static str, &'static str)]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || speak(stream, answers));
        }
    });
    address
}

fn speak(mut stream: TcpStream, answers: &[(&str, &str)]) -> Option<()> {
    stream.write_all(b"220 mail.example\r\n").ok()?;
    for line in BufReader::new(stream.try_clone().ok()?)
        .lines()
        .map_while(Result::ok)
    {
        let known = answers.iter().find(|(command, _)| line.starts_with(command));
        let answer = known.map_or("250 OK", |(_, answer)| answer);
        stream.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
    }
    None
}

fn smtp(url: &str) -> crate::patient::Report {
    Patient::without_database()
        .with("ONSALE_MAILER", "smtp")
        .with("ONSALE_MAIL_FROM", "Onsale <tickets@onsale.example>")
        .with("ONSALE_SMTP_URL", url)
        .examined()
}

#[test]
fn an_smtp_server_is_greeted() {
    smtp(&format!("smtp://{}", pretend(&[]))).passes("mail");
    let nobody = format!("smtp://{}", free_address());
    smtp(&nobody).fails("mail", "cannot be reached", "ONSALE_SMTP_URL");
    let strict = pretend(&[
        ("EHLO", "250-mail.example\r\n250 AUTH PLAIN LOGIN"),
        ("AUTH", "535 no"),
    ]);
    let report = smtp(&format!("smtp://name:canary@{strict}"));
    report.fails("mail", "535", "name, password");
}

#[test]
fn mail_that_reaches_nobody_is_a_warning() {
    let patient = Patient::without_database();
    patient
        .examined()
        .warns("mail", "nobody sends it", "ONSALE_MAILER");
    let folder = patient.path("mail");
    let patient = patient
        .with("ONSALE_MAILER", "folder")
        .with("ONSALE_MAIL_FOLDER", &folder);
    patient.examined().warns("mail", "development", "ONSALE_MAILER");
    let patient = patient.with("ONSALE_MAIL_FOLDER", "/dev/null/mail");
    patient.examined().fails("mail", "mail_folder", "may write");
    let patient = patient.with("ONSALE_MAILER", "log");
    patient.examined().warns("mail", "log", "ONSALE_MAILER");
}

#[test]
fn a_payment_provider_that_does_not_answer_is_told() {
    let report = Patient::without_database()
        .with("ONSALE_STRIPE_SECRET_KEY", "sk_test_x")
        .with("ONSALE_STRIPE_URL", &format!("http://{}", free_address()))
        .with("ONSALE_MIDTRANS_SERVER_KEY", "x")
        .with("ONSALE_MIDTRANS_URL", &format!("http://{}", free_address()))
        .examined();
    report.fails("stripe", "", "Check its key");
    report.fails("midtrans", "", "Check its key");
    report.passes("payments");
}

#[cfg(feature = "otlp")]
#[test]
fn a_collector_that_is_not_there_is_a_warning() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let examined = |address: SocketAddr| {
        let patient = Patient::without_database();
        let endpoint = format!("http://{address}");
        patient.with("ONSALE_OTLP_ENDPOINT", &endpoint).examined()
    };
    examined(collector.local_addr().unwrap()).passes("traces");
    examined(free_address()).warns("traces", "no collector", "ONSALE_OTLP_ENDPOINT");
}
