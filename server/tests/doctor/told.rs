//! How it is told, and that it is told soon.

use std::net::TcpListener;

use crate::patient::Patient;

#[test]
fn the_table_is_aligned_and_holds_the_mends() {
    let patient = Patient::without_database().with("ONSALE_LISTN", "x");
    let output = patient.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    let column = |line: &str, text: &str| line.find(text).unwrap_or_else(|| panic!("{text}: {line}"));
    let mut lines = table.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("warning  environment"), "{first}");
    let mend = lines.next().unwrap();
    assert_eq!(column(mend, "mend: "), column(first, "ONSALE_LISTN"), "{table}");
    assert!(table.contains("\nFAILED   configuration"), "{table}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("check"),
        "the reason is on stderr"
    );
}

#[test]
fn nobody_who_hangs_keeps_the_doctor() {
    // The kernel takes connections; nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let report = Patient::on(&format!("postgres://postgres@{address}/none"))
        .with("REDIS_URL", &format!("redis://{address}"))
        .with("ONSALE_MAILER", "smtp")
        .with("ONSALE_MAIL_FROM", "Onsale <tickets@onsale.example>")
        .with("ONSALE_SMTP_URL", &format!("smtp://{address}"))
        .with("ONSALE_STRIPE_SECRET_KEY", "sk_test_x")
        .with("ONSALE_STRIPE_URL", &format!("http://{address}"))
        .with("ONSALE_INTERNAL_LISTEN", &address.to_string())
        .examined();
    for name in ["database", "redis", "mail", "stripe", "internal port"] {
        report.says(name, "failed", "", "");
    }
}
