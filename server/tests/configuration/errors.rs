//! Each row of "What can be wrong" in `docs/CONFIGURATION.md`, done.

use std::net::TcpListener;

use crate::document;
use crate::program::{Given, TICKET_KEYS};

const CHECK: &[&str] = &["config", "check"];
const SERVE: &[&str] = &["serve"];

/// Does what a row says; the message.
fn done(what: &str) -> String {
    let nothing = Given::nothing;
    let file_of = |given: Given, name: &str, text: String| {
        let given = given.file("secret", text);
        let path = given.path("secret");
        given.env(name, &path).refused(CHECK)
    };
    let toml = |text: String| {
        let given = nothing().file("onsale.toml", text);
        let path = given.path("onsale.toml");
        given.env("ONSALE_CONFIG", &path).refused(CHECK)
    };
    match what {
        "a variable and its `_FILE` both given" => nothing()
            .env("ONSALE_TOKEN_SECRET", "x")
            .env("ONSALE_TOKEN_SECRET_FILE", "/none")
            .refused(CHECK),
        "a secret's file that cannot be read" => nothing().env("REDIS_URL_FILE", "/none").refused(CHECK),
        "a secret's file that is empty" => file_of(nothing(), "DATABASE_URL_FILE", "\n".to_owned()),
        "a secret's file of more than 64 KiB" => {
            file_of(nothing(), "ONSALE_SMTP_URL_FILE", "x".repeat(64 * 1024 + 1))
        }
        "a variable that is not UTF-8" => nothing().garbage("ONSALE_NODE_NAME").refused(CHECK),
        "a configuration file that cannot be read" => nothing().env("ONSALE_CONFIG", "/none").refused(CHECK),
        "a configuration file of more than 1 MiB" => toml("#".repeat(1024 * 1024 + 1)),
        "a configuration file that is no TOML" => toml("drills = false\nlisten = \n".to_owned()),
        "a key that is no setting" => toml("jurnal = \"local\"\n".to_owned()),
        "a list or a table as a value" => toml("cors_origins = [\"https://shop.example\"]\n".to_owned()),
        "no database" => Given::enough().without("DATABASE_URL").refused(SERVE),
        "no key of access tokens" => Given::enough().without("ONSALE_TOKEN_SECRET").refused(SERVE),
        "no key of tickets" => Given::enough().without("ONSALE_TICKET_KEYS").refused(SERVE),
        "two keys of one id" => nothing()
            .env("ONSALE_TICKET_KEYS", &format!("{TICKET_KEYS}\n{TICKET_KEYS}"))
            .refused(CHECK),
        "a key for both access tokens and tickets" => nothing()
            .env("ONSALE_TICKET_KEYS", TICKET_KEYS)
            .env("ONSALE_TOKEN_KEYS", &TICKET_KEYS.replacen("test", "main", 1))
            .refused(CHECK),
        "Stripe takes payments, without a key" => {
            nothing().env("ONSALE_PAYMENT_GATEWAY", "stripe").refused(CHECK)
        }
        "Midtrans takes payments, without a key" => {
            nothing().env("ONSALE_PAYMENT_GATEWAY", "midtrans").refused(CHECK)
        }
        "mail by SMTP, without a server" => nothing().env("ONSALE_MAILER", "smtp").refused(CHECK),
        "mail by SMTP, without a sender" => nothing()
            .env("ONSALE_MAILER", "smtp")
            .env("ONSALE_SMTP_URL", "smtps://mail.example")
            .refused(CHECK),
        "an id of an S3 key, without its secret" => {
            nothing().env("ONSALE_S3_ACCESS_KEY_ID", "id").refused(CHECK)
        }
        "the secret of an S3 key, without its id" => {
            nothing().env("ONSALE_S3_SECRET_ACCESS_KEY", "x").refused(CHECK)
        }
        "one address for both ports" => nothing()
            .env("ONSALE_LISTEN", "127.0.0.1:8080")
            .env("ONSALE_INTERNAL_LISTEN", "127.0.0.1:8080")
            .refused(CHECK),
        "an address that is taken" => {
            let taken = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = taken.local_addr().unwrap().to_string();
            Given::enough().env("ONSALE_LISTEN", &address).refused(SERVE)
        }
        other => panic!("`{other}` is documented and not tried here"),
    }
}

#[test]
fn every_documented_error_names_its_setting_and_its_mend() {
    let rows = document::errors();
    assert!(rows.len() > 20, "{}", rows.len());
    for [what, setting, mend] in rows {
        let told = done(&what);
        let setting = setting.trim_matches('`');
        assert!(told.contains(setting), "{what}: `{setting}` is not in: {told}");
        assert!(
            told.contains(mend.trim_end_matches('.')),
            "{what}: `{mend}` is not in: {told}"
        );
    }
}

#[test]
fn a_mistake_in_the_file_is_named_by_its_line() {
    assert!(done("a configuration file that is no TOML").contains("line 2: "));
}

/// What a program can do depends on how it was built.
#[test]
fn a_bucket_needs_a_program_that_knows_buckets() {
    let given = Given::nothing().env("ONSALE_S3_BUCKET", "tickets");
    if cfg!(feature = "s3") {
        let answer = given.run(CHECK);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    } else {
        let told = given.refused(CHECK);
        assert!(told.contains("without the feature `s3`"), "{told}");
    }
}

#[test]
fn the_doctor_lists_a_wrong_setting_as_what_is_wrong() {
    let answer = Given::nothing()
        .env("ONSALE_JOURNAL", "paper")
        .run(&["doctor", "--json"]);
    assert_eq!(answer.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["name"] == "configuration")
        .unwrap();
    assert_eq!(check["outcome"], "failed");
    let (detail, mend) = (check["detail"].as_str().unwrap(), check["mend"].as_str().unwrap());
    assert!(
        detail.contains("environment ONSALE_JOURNAL") && mend.contains("Choose"),
        "{check}"
    );
}
