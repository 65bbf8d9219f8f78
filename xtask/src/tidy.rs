//! `cargo xtask tidy`: the rules of the repository, as code.
//!
//! Each rule looks at the workspace and returns one message per violation, which names the place and what to
//! do instead. The same rules run as tests (`xtask/tests/tidy.rs`), so nobody has to remember this command.
//! To add a rule: one file in `tidy/`, one line in [`RULES`], one test in `xtask/tests/tidy.rs`.

pub mod banned;
pub mod edges;
pub mod links;
pub mod manifests;
pub mod ownership;
pub mod paths;
pub mod rust;
pub mod sizes;
pub mod tls;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::{self, SourceFile};
use manifests::Package;

/// What the rules look at, read once.
#[derive(Debug)]
pub struct Workspace {
    /// The root directory.
    pub root: PathBuf,
    /// Every text file.
    pub files: Vec<SourceFile>,
    /// Our packages and what they depend on.
    pub packages: Vec<Package>,
    /// `name vX.Y.Z` for every package that a default build contains.
    pub tree: Vec<String>,
}

impl Workspace {
    /// Reads the workspace around us.
    pub fn read() -> Result<Self> {
        let root = workspace::root()?;
        Ok(Self {
            files: workspace::text_files(&root)?,
            packages: manifests::read(&root)?,
            tree: tls::tree(&root)?,
            root,
        })
    }
}

/// A rule: its name and its check, which returns a message per violation.
pub type Rule = (&'static str, fn(&Workspace) -> Vec<String>);

/// All rules.
pub const RULES: &[Rule] = &[
    ("crate edges", edges::check),
    ("third-party ownership", ownership::check),
    ("one TLS and one HTTP stack", tls::check),
    ("file sizes", sizes::check),
    ("banned calls", banned::check),
    ("machine paths", paths::check),
    ("links", links::check),
];

/// Checks every rule and prints the violations.
pub fn run() -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let mut violations = 0;
    for (name, check) in RULES {
        for message in check(&workspace) {
            println!("{name}: {message}");
            violations += 1;
        }
    }
    println!("{violations} violations of {} rules", RULES.len());
    Ok(if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
