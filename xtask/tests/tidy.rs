//! The rules of the repository, run with every other test: one test per rule, so that a failure names it.

use xtask::tidy::{self, Workspace};

fn check(rule: fn(&Workspace) -> Vec<String>) {
    let messages = Workspace::read().map(|workspace| rule(&workspace));
    assert!(matches!(&messages, Ok(none) if none.is_empty()), "{messages:#?}");
}

#[test]
fn crates_depend_only_inwards() {
    check(tidy::edges::check);
}

#[test]
fn libraries_have_one_owner() {
    check(tidy::ownership::check);
}

#[test]
fn one_tls_and_one_http_stack_is_built() {
    check(tidy::tls::check);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    check(tidy::sizes::check);
}

#[test]
fn production_code_makes_no_banned_call() {
    check(tidy::banned::check);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    check(tidy::paths::check);
}

#[test]
fn links_lead_somewhere() {
    check(tidy::links::check);
}

#[test]
fn every_rule_is_tested_here() {
    assert_eq!(tidy::RULES.len(), 7, "add a test for the new rule");
}
