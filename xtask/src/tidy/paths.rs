//! No paths of somebody's machine: what works only there breaks silently everywhere else.

use super::Workspace;

/// Directories of the machines we develop on. Split, so that this file passes.
const MACHINE: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Every line that names such a path.
pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut messages = Vec::new();
    for file in &workspace.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(path) = MACHINE.iter().find(|path| names(line, path)) {
                let line = index + 1;
                messages.push(format!(
                    "{}:{line}: {path} exists on one machine: use a relative path",
                    file.path
                ));
            }
        }
    }
    messages
}

/// `http://host/work/` and `/home/work/` are other paths: ours start where no path goes before.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_from_the_root_count() {
        let path = MACHINE[0];
        assert!(names(&format!("cd {path}main"), path));
        assert!(names(&format!("file://{path}main"), path));
        assert!(!names(&format!("https://example.org{path}1"), path));
    }
}
