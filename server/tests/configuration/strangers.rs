//! Variables that look like settings and are none.

use crate::program::Given;

#[test]
fn a_misspelt_variable_is_told_with_what_was_meant() {
    for (name, told) in [
        ("ONSALE_LISTN", "ONSALE_LISTEN is one"),
        ("ONSALE_JOURNAL_DIRECTOY", "ONSALE_JOURNAL_DIRECTORY is one"),
        ("ONSALE_LISTEN_FILE", "only secrets come from files"),
        ("ONSALE_SOMETHING_ELSE_ENTIRELY", "onsale config check"),
    ] {
        let given = Given::nothing().env(name, "x");
        let answer = given.run(&["config", "check"]);
        assert_eq!(answer.code, Some(0), "a warning ends nothing: {}", answer.stderr);
        assert!(answer.stderr.contains("warning"), "{}", answer.stderr);
        assert!(
            answer.stderr.contains(name) && answer.stderr.contains(told),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn what_others_set_is_no_reason_to_warn() {
    let given = Given::nothing()
        .env("ONSALE_SERVICE_HOST", "10.0.0.1")
        .env("ONSALE_PORT_8080_TCP_PORT", "8080")
        .env("ONSALE_LISTN", "")
        .env("LISTEN", "x");
    let answer = given.run(&["config", "check"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
}
