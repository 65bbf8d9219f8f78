//! Files that can be read in one sitting.
//!
//! The length of functions is clippy's (`too-many-lines-threshold` in clippy.toml).

use super::{Workspace, rust};
use crate::workspace::SourceFile;

/// Production code, without the unit tests at the end of the file.
const PRODUCTION_LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 600;
/// An entry point only says where things are.
const MAIN_LINES_MAX: usize = 49;

/// Every Rust file that is too long.
pub fn check(workspace: &Workspace) -> Vec<String> {
    workspace
        .files
        .iter()
        .filter(|file| file.has_extension("rs"))
        .filter_map(too_long)
        .collect()
}

fn too_long(file: &SourceFile) -> Option<String> {
    let (lines, max, instead) = if rust::is_test(&file.path) {
        (
            file.text.lines().count(),
            TEST_LINES_MAX,
            "split it by what it tests",
        )
    } else {
        let lines = rust::production_part(&file.text).lines().count();
        if file.path.ends_with("src/main.rs") {
            (lines, MAIN_LINES_MAX, "move the code into modules")
        } else {
            (lines, PRODUCTION_LINES_MAX, "split it by noun")
        }
    };
    (lines > max).then(|| format!("{} has {lines} lines, more than {max}: {instead}", file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, production: usize, tests: usize, fits: bool) {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "a\n".repeat(production),
            "b\n".repeat(tests)
        );
        let file = SourceFile {
            path: path.to_owned(),
            text,
        };
        assert_eq!(too_long(&file).is_none(), fits, "{:?}", too_long(&file));
    }

    #[test]
    fn unit_tests_do_not_count() {
        check("engine/src/lib.rs", 400, 500, true);
        check("engine/src/lib.rs", 401, 0, false);
    }

    #[test]
    fn entry_points_are_short_and_tests_may_be_longer() {
        check("server/src/main.rs", 49, 0, true);
        check("server/src/main.rs", 50, 0, false);
        check("http/tests/holds.rs", 590, 0, true);
        check("http/tests/holds.rs", 600, 0, false);
    }
}
