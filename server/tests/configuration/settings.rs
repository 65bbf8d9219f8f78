//! A wrong value of each setting, by each way to give it: the message names the setting, where the value came from, and
//! the mend that is documented. A new setting has to get a row here.

use crate::document::{self, Documented};
use crate::program::Given;

/// What stands in every wrong secret, and in no message.
const CANARY: &str = "canary";
/// Longer than any name may be.
const LONG: &str =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// How wrong a setting can be.
enum Wrong {
    /// Whatever command reads it.
    Always(&'static str),
    /// Only with other settings, as pairs of variable and value.
    With(&'static str, &'static [(&'static str, &'static str)]),
    /// When it is put to use, by `onsale serve`.
    Serving(&'static str, &'static [(&'static str, &'static str)]),
    /// Not by itself, for this reason.
    Never(&'static str),
}

use Wrong::{Always, Never, Serving, With};

const LOCAL: &[(&str, &str)] = &[("ONSALE_JOURNAL", "local")];
const FOLDER: &[(&str, &str)] = &[("ONSALE_MAILER", "folder")];
const SMTP: &[(&str, &str)] = &[
    ("ONSALE_MAILER", "smtp"),
    ("ONSALE_MAIL_FROM", "Onsale <tickets@onsale.example>"),
];

const WRONG: &[(&str, Wrong)] = &[
    ("listen", Always("8080")),
    ("internal_listen", Always("localhost")),
    ("database_url", Always("mysql://u:canary@localhost/x")),
    ("database_connections_max", Always("0")),
    ("redis_url", Always("http://:canary@localhost")),
    ("redis_prefix", Always(LONG)),
    ("journal", Always("paper")),
    ("journal_directory", Serving("/dev/null/journal", LOCAL)),
    ("token_secret", Always("canary")),
    ("token_keys", Always("main EdDSA canary")),
    ("token_issuer", Never("any text is an issuer")),
    ("token_audience", Never("any text is an audience")),
    ("payment_gateway", Always("barter")),
    (
        "stripe_secret_key",
        Never("only Stripe knows its keys; `onsale doctor` asks"),
    ),
    ("stripe_webhook_secrets", Always("canary1,canary2,canary3")),
    ("stripe_url", Always("http://api.stripe.com")),
    (
        "midtrans_server_key",
        Never("only Midtrans knows its keys; `onsale doctor` asks"),
    ),
    ("midtrans_url", Always("midtrans")),
    ("ticket_keys", Always("tickets HS256 canary")),
    ("files_folder", Serving("/dev/null/files", &[])),
    ("s3_bucket", Always("my bucket")),
    ("s3_endpoint", Always("s3.example")),
    ("s3_region", Never("who speaks S3 names regions as they like")),
    ("s3_path_style", Always("maybe")),
    (
        "s3_access_key_id",
        Never("half a key is an error of the other half"),
    ),
    (
        "s3_secret_access_key",
        Never("half a key is an error of the other half"),
    ),
    ("mailer", Always("pigeon")),
    ("mail_from", With("nobody", FOLDER)),
    ("mail_folder", Serving("/dev/null/mail", FOLDER)),
    ("smtp_url", With("smtp://u:canary@mail.example", SMTP)),
    ("breached_passwords", Serving("/dev/null/list", &[])),
    ("connections_max", Always("many")),
    ("rate_limit_per_second", Always("-1")),
    ("rate_limit_burst", Always("0")),
    ("auth_rate_limit_account_per_minute", Always("few")),
    ("auth_rate_limit_address_per_minute", Always("1000001")),
    ("cors_origins", Always("https://shop.example/path")),
    ("trusted_proxies", Always("10.0.0.1,proxy.example")),
    ("idle_timeout_seconds", Always("0")),
    ("shutdown_grace_seconds", Always("601")),
    ("node_name", Always(LONG)),
    ("peer_secret", Always("canary")),
    ("peer_address", Always("https://onsale.example")),
    ("otlp_endpoint", Always("collector:4318")),
    ("trace_sample_ratio", Always("2")),
    ("log_level", Always("info,=bogus=")),
    ("log_format", Always("xml")),
    ("drills", Always("perhaps")),
];

/// A wrong value, and what has to be there for it to be wrong.
fn case(wrong: &Wrong) -> Option<(&'static str, Given, &'static str)> {
    let (value, given, others, command) = match *wrong {
        Always(value) => (value, Given::nothing(), &[][..], "check"),
        With(value, others) => (value, Given::nothing(), others, "check"),
        Serving(value, others) => (value, Given::enough(), others, "serve"),
        Never(_) => return None,
    };
    let given = others
        .iter()
        .fold(given, |given, (name, value)| given.env(name, value));
    Some((value, given, command))
}

fn arguments(command: &str) -> &'static [&'static str] {
    if command == "serve" {
        &["serve"]
    } else {
        &["config", "check"]
    }
}

#[track_caller]
fn names(told: &str, setting: &Documented, source: &str) {
    let Documented { key, variable, .. } = setting;
    let from = format!("configuration: {key} ({variable}) from {source}: ");
    assert!(told.contains(&from), "`{from}` is not in: {told}");
    assert!(!told.contains(CANARY), "a secret is in: {told}");
    // The message ends with the mend, and so does the documented text.
    let shared = told
        .chars()
        .rev()
        .zip(setting.text.trim_end_matches('.').chars().rev())
        .take_while(|(told, documented)| told == documented)
        .count();
    assert!(
        shared >= 20,
        "{key}: {told}\nis not documented by: {}",
        setting.text
    );
}

fn each(check: impl Fn(&Documented, &Wrong)) {
    for setting in document::settings() {
        let row = WRONG.iter().find(|(key, _)| *key == setting.key);
        let (_, wrong) = row.unwrap_or_else(|| panic!("{} has no wrong value here", setting.key));
        check(&setting, wrong);
    }
}

#[test]
fn every_setting_is_here_once_and_no_other() {
    each(|_, wrong| {
        if let Never(reason) = wrong {
            assert!(!reason.is_empty());
        }
    });
    assert_eq!(WRONG.len(), document::settings().len());
}

#[test]
fn a_wrong_variable_is_named_with_its_mend() {
    each(|setting, wrong| {
        let Some((value, given, command)) = case(wrong) else {
            return;
        };
        let told = given.without(&setting.variable).env(&setting.variable, value);
        let told = told.refused(arguments(command));
        names(&told, setting, &format!("environment {}", setting.variable));
    });
}

#[test]
fn a_wrong_line_of_the_file_is_named_with_its_mend() {
    each(|setting, wrong| {
        let Some((value, given, command)) = case(wrong) else {
            return;
        };
        let given = given
            .without(&setting.variable)
            .file("onsale.toml", format!("{} = {value:?}\n", setting.key));
        let config = given.path("onsale.toml");
        let told = given.refused(&[arguments(command), &["--config", &config]].concat());
        names(&told, setting, &format!("file {config}"));
    });
}

#[test]
fn a_wrong_secret_in_a_file_is_named_with_its_mend() {
    each(|setting, wrong| {
        let (true, Some((value, given, command))) = (setting.is_secret, case(wrong)) else {
            return;
        };
        let given = given
            .without(&setting.variable)
            .file("secret", format!("{value}\n"));
        let path = given.path("secret");
        let told = given
            .env(&format!("{}_FILE", setting.variable), &path)
            .refused(arguments(command));
        names(&told, setting, &format!("secret file {path}"));
    });
}

#[test]
fn a_wrong_flag_is_named_with_its_mend() {
    each(|setting, wrong| {
        let takes =
            |command: &str| setting.flag_of.contains(command) || setting.flag_of.contains("any command");
        let Some((value, given, command)) = case(wrong) else {
            return;
        };
        let command = match command {
            "check" if takes("config check") => &["config", "check"][..],
            _ if takes("serve") => &["serve"],
            _ => return assert_eq!(setting.flag_of, "", "{}: no command is tried", setting.key),
        };
        let flag = format!("--{}", setting.key.replace('_', "-"));
        let told = given.refused(&[command, &[&flag, value]].concat());
        names(&told, setting, &format!("flag {flag}"));
    });
    let settings = document::settings();
    let with_flags = settings.iter().filter(|setting| !setting.flag_of.is_empty());
    assert!(with_flags.count() >= 8);
}
