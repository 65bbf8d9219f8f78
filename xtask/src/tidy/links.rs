//! Relative links in Markdown lead to files that exist.

use std::path::Path;

use super::Workspace;
use crate::workspace::SourceFile;

/// Every broken link.
pub fn check(workspace: &Workspace) -> Vec<String> {
    let pages = workspace.files.iter().filter(|file| file.has_extension("md"));
    pages.flat_map(|page| broken(&workspace.root, page)).collect()
}

fn broken(root: &Path, page: &SourceFile) -> Vec<String> {
    targets(&page.text)
        .into_iter()
        .filter(|(_, target)| !resolves(root, &page.path, target))
        .map(|(line, target)| {
            format!(
                "{}:{line}: {target} leads nowhere: correct the path or drop the link",
                page.path
            )
        })
        .collect()
}

fn resolves(root: &Path, page: &str, target: &str) -> bool {
    // A host or mail address, or a place in the same page.
    if target.starts_with('#') || target.starts_with("//") || has_scheme(target) {
        return true;
    }
    let path = target
        .split(['#', '?'])
        .next()
        .unwrap_or_default()
        .replace("%20", " ");
    match path.strip_prefix('/') {
        Some(from_root) => root.join(from_root).exists(),
        None => root
            .join(page)
            .parent()
            .is_some_and(|dir| dir.join(path).exists()),
    }
}

/// `https:`, `mailto:` and the like.
fn has_scheme(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The targets of `[text](target)` and `[name]: target` with their lines, code left out.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let marker = ["```", "~~~"]
            .into_iter()
            .find(|marker| trimmed.starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => fence = marker,
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                let line = without_code(trimmed);
                found.extend(line_targets(&line).into_iter().map(|target| (index + 1, target)));
            }
        }
    }
    found
}

fn line_targets(line: &str) -> Vec<String> {
    let definition = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .map(|(_, target)| target);
    // What stands before the first `](` is no target.
    let inline = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    // `<a b.md>` and `a.md "title"`
    let bare = |target: &str| match target.trim().strip_prefix('<') {
        Some(rest) => rest.split('>').next().unwrap_or_default().to_owned(),
        None => target.split_whitespace().next().unwrap_or_default().to_owned(),
    };
    definition
        .into_iter()
        .chain(inline)
        .map(bare)
        .filter(|target| !target.is_empty())
        .collect()
}

/// Drops what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = targets(text).into_iter().map(|(_, target)| target).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn links_are_found_and_code_is_not() {
        check("see [a](b.md#c) and ![d](e.png \"title\")", &["b.md#c", "e.png"]);
        check("[a]: <b c.md>", &["b c.md"]);
        check("`[a](b.md)`\n```\n[a](b.md)\n```\n[c](d.md)", &["d.md"]);
    }

    #[test]
    fn targets_are_looked_up_beside_the_page() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("docs")).unwrap();
        std::fs::write(dir.path().join("docs/a.md"), "").unwrap();
        let text =
            "[1](a.md) [2](../docs/a.md#x) [3](/docs/a.md) [4](https://example.org) [5](#x)\n[6](b.md)";
        let page = SourceFile {
            path: "docs/page.md".to_owned(),
            text: text.to_owned(),
        };
        let messages = broken(dir.path(), &page);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("docs/page.md:2: b.md"));
    }
}
