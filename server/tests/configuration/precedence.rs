//! Flag over environment over file over default, for every setting; secrets from files.

use serde_json::Value;

use crate::document;
use crate::program::{Given, TICKET_KEYS, TOKEN_SECRET};

/// Good values of settings without a default.
const GOOD: &[(&str, &str)] = &[
    ("database_url", "postgres://u:canary@localhost/x"),
    ("redis_url", "redis://:canary@localhost"),
    ("token_secret", TOKEN_SECRET),
    (
        "token_keys",
        "main HS256 YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE",
    ),
    ("stripe_secret_key", "sk_canary"),
    ("stripe_webhook_secrets", "whsec_canary"),
    ("midtrans_server_key", "canary"),
    ("ticket_keys", TICKET_KEYS),
    ("s3_bucket", "tickets"),
    ("s3_endpoint", "https://s3.example"),
    ("s3_access_key_id", "id"),
    ("s3_secret_access_key", "canary"),
    ("mail_from", "Onsale <tickets@onsale.example>"),
    ("smtp_url", "smtps://u:canary@mail.example"),
    ("breached_passwords", "list.txt"),
    ("cors_origins", "https://shop.example"),
    ("trusted_proxies", "10.0.0.1"),
    ("node_name", "one"),
    ("peer_secret", TOKEN_SECRET),
    ("otlp_endpoint", "http://127.0.0.1:4318"),
    ("peer_address", "http://10.0.0.1:9464"),
];

/// The other half of an S3 key, which cannot stand alone: key, variable and value.
fn partner(key: &str) -> Option<[&'static str; 3]> {
    match key {
        "s3_access_key_id" => Some(["s3_secret_access_key", "ONSALE_S3_SECRET_ACCESS_KEY", "canary"]),
        "s3_secret_access_key" => Some(["s3_access_key_id", "ONSALE_S3_ACCESS_KEY_ID", "id"]),
        _ => None,
    }
}

/// Value and source of a setting in force.
#[track_caller]
fn in_force(given: &Given, key: &str, arguments: &[&str]) -> (Value, String) {
    let answer = given.run(&[&["config", "check", "--json"], arguments].concat());
    assert_eq!(answer.code, Some(0), "{key}: {}", answer.stderr);
    assert!(!answer.stdout.contains("canary"), "a secret is shown");
    let settings: Value = serde_json::from_str(&answer.stdout).unwrap();
    let source = settings[key]["source"].as_str().unwrap_or_default();
    (settings[key]["value"].clone(), source.to_owned())
}

#[test]
fn flags_beat_the_environment_beats_the_file_beats_the_default() {
    for setting in document::settings() {
        let (key, variable) = (setting.key.as_str(), setting.variable.as_str());
        // A bucket and a collector need a program that knows them.
        let is_unknown = match key {
            "s3_bucket" => !cfg!(feature = "s3"),
            "otlp_endpoint" => !cfg!(feature = "otlp"),
            _ => false,
        };
        if is_unknown {
            continue;
        }
        let good = GOOD
            .iter()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| *value);
        let good = good.or(setting.default.as_deref());
        let good = good.unwrap_or_else(|| panic!("{key} has no good value here"));
        let other = partner(key).map(|[key, _, value]| format!("{key} = {value:?}\n"));
        let lines = format!("{key} = {good:?}\n{}", other.unwrap_or_default());
        let given = Given::nothing().file("onsale.toml", lines);
        let config = given.path("onsale.toml");
        let file = ["--config", config.as_str()];

        let (value, source) = in_force(&given, key, &[]);
        let expected = setting.default.as_ref().map_or("", |_| "default");
        assert_eq!(
            (source.as_str(), value.is_null()),
            (expected, expected.is_empty()),
            "{key}"
        );
        assert_eq!(in_force(&given, key, &file).1, format!("file {config}"), "{key}");
        let given = given.env(variable, "");
        assert_eq!(
            in_force(&given, key, &file).1,
            format!("file {config}"),
            "an empty variable is unset"
        );
        let given = given.env(variable, good);
        let (value, source) = in_force(&given, key, &file);
        assert_eq!(source, format!("environment {variable}"), "{key}");
        assert_eq!(value == "(hidden)", setting.is_secret, "{key}: {value}");
        if setting.flag_of.contains("config check") || setting.flag_of.contains("any command") {
            let flag = format!("--{}", key.replace('_', "-"));
            let (_, source) = in_force(&given, key, &[&file[..], &[&flag, good]].concat());
            assert_eq!(source, format!("flag {flag}"), "{key}");
        }
    }
}

#[test]
fn every_secret_and_nothing_else_comes_from_a_file() {
    for setting in document::settings() {
        let (key, variable) = (setting.key.as_str(), format!("{}_FILE", setting.variable));
        let good = GOOD.iter().find(|(found, _)| *found == key);
        let good = good.map_or("8", |(_, value)| *value);
        for end in ["", "\n", "\r\n"] {
            let mut given = Given::nothing().file("secret", format!("{good}{end}"));
            if let Some([_, variable, value]) = partner(key).filter(|_| setting.is_secret) {
                given = given.env(variable, value);
            }
            let path = given.path("secret");
            let given = given.env(&variable, &path);
            let (_, source) = in_force(&given, key, &[]);
            let expected = format!("secret file {path}");
            assert_eq!(source == expected, setting.is_secret, "{key}: {source}");
        }
    }
}

#[test]
fn the_file_is_named_by_the_flag_before_the_variable() {
    let given = Given::nothing()
        .file("one.toml", "log_format = \"json\"\n")
        .file("two.toml", "log_format = \"text\"\n");
    let (one, two) = (given.path("one.toml"), given.path("two.toml"));
    let given = given.env("ONSALE_CONFIG", &one);
    assert_eq!(in_force(&given, "log_format", &[]).1, format!("file {one}"));
    let (_, source) = in_force(&given, "log_format", &["--config", &two]);
    assert_eq!(source, format!("file {two}"));
}
