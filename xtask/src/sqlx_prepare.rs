//! `cargo xtask sqlx-prepare`: the query data that lets everybody build without a database.
//!
//! With `DATABASE_URL` and no `SQLX_OFFLINE`, sqlx's query macros ask the database, and where
//! `SQLX_OFFLINE_DIR` names a directory that exists they also write `query-<hash>.json` into it (see
//! `expand_input` and `save_in` in `sqlx-macros-core`). cargo does not notice the changed environment, so
//! the crate is touched to have the macros run. The migrations are applied with psql and not by our server,
//! because the server does not compile while a query lacks its data.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};

use crate::postgres::Postgres;
use crate::private::Servers;
use crate::process::{self, Console};
use crate::workspace;

/// The only crate with queries; touching it also rebuilds its tests.
const QUERIES: &str = "persistence/src/lib.rs";
const CHECK: [&str; 4] = ["check", "--package", "onsale-persistence", "--all-targets"];

/// Replaces the contents of `.sqlx`; leaves them alone when a query does not compile.
pub fn run() -> Result<ExitCode> {
    let root = workspace::root()?;
    let servers = Servers::start_postgres()?;
    for migration in migrations(&root.join("migrations"))? {
        apply(servers.postgres(), &migration)?;
    }

    let fresh = tempfile::Builder::new().prefix("onsale-sqlx-").tempdir()?;
    touch(&root.join(QUERIES))?;
    let mut check = servers.cargo(&root);
    check
        .args(CHECK)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", fresh.path());
    let finished = process::run(&mut check, Console::Shared, &servers.pids())?;
    if !finished.status.success() {
        bail!("a query does not fit migrations/, so .sqlx stays as it was");
    }
    let count = replace(&root.join(".sqlx"), fresh.path())?;
    // The next build must read the new data and not reuse what was compiled with the live database.
    touch(&root.join(QUERIES))?;
    println!("{count} queries in .sqlx");
    Ok(ExitCode::SUCCESS)
}

/// The `.sql` files in the order of their timestamps. Down-migrations are not part of the schema.
fn migrations(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = with_extension(dir, "sql")?;
    files.retain(|path| !path.to_string_lossy().ends_with(".down.sql"));
    files.sort();
    ensure!(!files.is_empty(), "{} holds no migration", dir.display());
    Ok(files)
}

fn apply(postgres: &Postgres, migration: &Path) -> Result<()> {
    let sql = fs::read_to_string(migration)?;
    let mut psql = Command::new(postgres.bin_dir().join("psql"));
    psql.arg(postgres.url())
        .args(["-X", "--quiet", "-v", "ON_ERROR_STOP=1"]);
    // As sqlx: one transaction, unless the file asks for none on its first line.
    if !sql.starts_with("-- no-transaction") {
        psql.arg("--single-transaction");
    }
    let status = psql
        .arg("-f")
        .arg(migration)
        .status()
        .context("cannot run psql")?;
    ensure!(status.success(), "{} fails: {status}", migration.display());
    Ok(())
}

fn touch(path: &Path) -> Result<()> {
    let touched = File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(SystemTime::now()));
    touched.with_context(|| format!("cannot touch {}", path.display()))
}

/// Moves the query data over, so that data of queries that are gone does not stay. Returns their number.
fn replace(old: &Path, fresh: &Path) -> Result<usize> {
    fs::create_dir_all(old)?;
    for stale in with_extension(old, "json")? {
        fs::remove_file(stale)?;
    }
    let files = with_extension(fresh, "json")?;
    for file in &files {
        let name = file.file_name().context("a file without a name")?;
        // Not renamed: the two may be on different file systems.
        fs::copy(file, old.join(name))?;
    }
    Ok(files.len())
}

fn with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_queries_that_are_gone_does_not_stay() {
        let (old, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(old.path().join("query-gone.json"), "{}").unwrap();
        fs::write(fresh.path().join("query-new.json"), "{}").unwrap();
        assert_eq!(replace(old.path(), fresh.path()).unwrap(), 1);
        assert_eq!(
            with_extension(old.path(), "json").unwrap(),
            [old.path().join("query-new.json")]
        );
    }

    #[test]
    fn migrations_come_in_order_and_only_forwards() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["2_b.sql", "1_a.sql", "1_a.down.sql", "README.md"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let expected = ["1_a.sql", "2_b.sql"].map(|name| dir.path().join(name));
        assert_eq!(migrations(dir.path()).unwrap(), expected);
    }
}
