//! Where the workspace is and which files belong to it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What tools wrote, not people. In a worktree `.git` is a file.
const GENERATED: [&str; 6] = [".git", "target", "node_modules", ".sqlx", ".venv", ".terraform"];

/// The root of the workspace.
///
/// Asked at run time, because worktrees may share one target directory and so one `xtask` binary.
pub fn root() -> Result<PathBuf> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_dir().context("the current directory is gone")?,
    };
    start
        .ancestors()
        .find(|dir| dir.join("Cargo.lock").is_file() && dir.join("xtask/Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("{} is not inside the workspace", start.display()))
}

/// A text file of the workspace.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path from the root, with `/` between its parts.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// Whether the file name ends in `.extension`.
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }
}

/// Every text file under `root`, sorted by path. Files that are not UTF-8 are left out.
pub fn text_files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(dir) = pending.pop() {
        let entries = fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            if GENERATED.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                files.push(SourceFile {
                    path: relative(root, &path),
                    text,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_directories_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("target/debug")).unwrap();
        fs::create_dir_all(dir.path().join("domain/src")).unwrap();
        fs::write(dir.path().join("target/debug/a.rs"), "").unwrap();
        fs::write(dir.path().join("domain/src/lib.rs"), "").unwrap();
        fs::write(dir.path().join("logo.png"), [0xff, 0xfe]).unwrap();

        let paths: Vec<_> = text_files(dir.path())
            .unwrap()
            .into_iter()
            .map(|file| file.path)
            .collect();
        assert_eq!(paths, ["domain/src/lib.rs"]);
    }
}
