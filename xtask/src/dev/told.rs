//! What the developer is told: where everything is, and what to type next.

use std::fmt::Write as _;

use super::Stack;
use super::place::Place;
use super::s3::BUCKET;
use super::server::{ADMIN, PREFIXES};

/// The variables of the walk-through in README.md, for a shell.
const HELPERS: &str = r#"JSON='content-type: application/json'
id() { python3 -c 'import json,sys; v=json.load(sys.stdin)
for k in sys.argv[1:]: v=v[int(k) if k.isdigit() else k]
print(v)' "$@"; }
ADMIN="authorization: Bearer $(curl -s "$API/auth/login" -H "$JSON" \
  -d '{"email":"'"$ADMIN_EMAIL"'","password":"'"$ADMIN_PASSWORD"'"}' | id access_token)"
"#;

/// The table, and the next commands.
pub(super) fn table(stack: &Stack, place: &Place) -> String {
    let server = &stack.server;
    let prometheus = stack.prometheus.as_ref();
    let rows = [
        ("API", format!("http://{}/v1", server.api())),
        ("reference", format!("http://{}/docs", server.api())),
        (
            "metrics, health",
            format!("http://{}/metrics, /readyz", server.internal()),
        ),
        ("admin", format!("{ADMIN}  {}", server.password())),
        ("Postgres", stack.postgres.url()),
        ("Redis", stack.redis.url()),
        ("S3", format!("{}/{BUCKET}", stack.s3.url())),
        (
            "Prometheus",
            prometheus.map_or_else(|| "not installed".to_owned(), super::Prometheus::url),
        ),
        ("mail", place.text("mail")),
        ("log", place.text("server.log")),
    ];
    let mut text = String::from("\n");
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<16} {value}");
    }
    let _ = write!(
        text,
        "\nIn another terminal, for `onsale`, $API, $JSON, id and $ADMIN as README.md uses them:\n\n  \
         . {}\n  curl -s $API/events\n  onsale doctor\n\nThen go on in README.md where it makes an organization. \
         Links to ticket files are whole here: curl -s \"$FILE\" -o ticket.pdf\n\
         Ctrl-C stops everything. The next run finds what this one stored; --fresh begins anew.\n",
        quoted(&place.text("env"))
    );
    text
}

/// What to read into a shell: the server's settings, and the walk-through's variables.
pub(super) fn environment(stack: &Stack, place: &Place) -> String {
    let mut text = String::from("# Written by `cargo xtask dev`; good while it runs.\n");
    text.push_str(&without_others());
    for (name, value) in stack.server.settings() {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    let programs = quoted(&place.programs().display().to_string());
    let _ = writeln!(text, "export PATH={programs}:\"$PATH\"");
    let _ = writeln!(text, "API=http://{}/v1", stack.server.api());
    let _ = writeln!(text, "ADMIN_EMAIL={}", quoted(ADMIN));
    let _ = writeln!(text, "ADMIN_PASSWORD={}", quoted(stack.server.password()));
    text.push_str(HELPERS);
    text
}

/// Takes away what the shell has set for another deployment, as the server was started without it.
fn without_others() -> String {
    let prefixes = PREFIXES.join("|");
    format!(
        "for name in $(env | sed -nE 's/^(({prefixes})[A-Za-z0-9_]*)=.*/\\1/p'); do unset \"$name\"; done; unset name\n"
    )
}

/// One word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_is_left_with_the_settings_of_this_deployment_alone() {
        let script = format!(
            "{}echo \"$HOME ${{ONSALE_LISTEN-unset}} ${{DATABASE_URL_FILE-unset}}\"",
            without_others()
        );
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("HOME", "/home/ben")
            .env("ONSALE_LISTEN", "127.0.0.1:1")
            .env("DATABASE_URL_FILE", "/run/secrets/url of another")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "/home/ben unset unset\n");
        assert!(output.stderr.is_empty() && output.status.success());
    }

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("a b$c"), "'a b$c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
