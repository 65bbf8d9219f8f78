//! Journal, limits, secrets and environment of the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::patient::Patient;
use crate::support::SECRET;

#[test]
fn a_journal_that_would_not_be_kept_is_refused() {
    let local = || Patient::without_database().with("ONSALE_JOURNAL", "local");
    let patient = local();
    let on_disk = patient.path("journal");
    let report = patient.with("ONSALE_JOURNAL_DIRECTORY", &on_disk).examined();
    report.says("journal room", "ok", "MiB", "");
    let report = local()
        .with("ONSALE_JOURNAL_DIRECTORY", "/dev/null/journal")
        .examined();
    report.fails("journal directory", "cannot write", "ONSALE_JOURNAL_DIRECTORY");
    // In memory on every Linux.
    let in_memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let directory = in_memory.path().display().to_string();
    let report = local().with("ONSALE_JOURNAL_DIRECTORY", &directory).examined();
    report.fails("journal directory", "tmpfs", "real disk");
}

#[test]
fn limits_below_what_is_configured_are_a_warning() {
    let patient = Patient::without_database().after("ulimit -n 300;");
    patient
        .examined()
        .warns("file descriptors", "the limit is 300", "ulimit -n");
    let patient = Patient::without_database()
        .with("ONSALE_CONNECTIONS_MAX", "1000000")
        .after("ulimit -v 16777216;");
    patient
        .examined()
        .warns("memory", "16384 MiB", "lower connections_max");
    let one = r#"taskset --cpu-list "$(taskset --cpu-list --pid $$ | sed 's/.*: \([0-9]*\).*/\1/')""#;
    let patient = Patient::without_database().after(one);
    patient.examined().warns("cores", "one", "two or more");
}

#[test]
fn a_secret_that_everybody_may_read_is_a_warning() {
    let patient = Patient::without_database().without("ONSALE_TOKEN_SECRET");
    let path = patient.path("token");
    fs::write(&path, SECRET).unwrap();
    let patient = patient.with("ONSALE_TOKEN_SECRET_FILE", &path);
    for (mode, is_open) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let report = patient.examined();
        if is_open {
            report.warns("secret files", &path, "chmod o-rwx");
        } else {
            report.passes("secret files");
        }
    }
}

#[test]
fn a_variable_that_is_no_setting_is_a_warning() {
    let patient = Patient::without_database();
    patient.examined().passes("environment");
    let report = patient.with("ONSALE_LISTN", "0.0.0.0:80").examined();
    report.warns("environment", "ONSALE_LISTEN is one", "Spell");
}

#[test]
fn what_serving_cannot_do_without_is_told() {
    let report = Patient::without_database().examined();
    report.fails(
        "configuration",
        "database_url (DATABASE_URL): is not set",
        "Give a Postgres URL",
    );
    let report = Patient::without_database()
        .with("ONSALE_JOURNAL", "paper")
        .examined();
    report.fails(
        "configuration",
        "from environment ONSALE_JOURNAL",
        "Choose postgres",
    );
}
