//! What happens to whoever configures something wrong, told by the program itself: each error of
//! `docs/CONFIGURATION.md`, and a wrong value of each setting by each way to give it. `ONSALE_BINARY` names another
//! program to ask, such as the release build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod document;
mod errors;
mod precedence;
mod program;
mod settings;
mod strangers;
