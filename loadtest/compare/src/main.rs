//! `onsale-compare`: see `onsale-compare --help`.

use std::process::ExitCode;

/// The same as the server's, so that no contender allocates differently.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match onsale_compare::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("onsale-compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}
