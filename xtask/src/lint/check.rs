//! How a lint looks at its files.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::program::{Found, Program};
use crate::workspace::SourceFile;

/// How a lint looks at its files.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// One call of a program, its files behind these arguments.
    Files(Program, &'static [&'static str]),
    /// A call for each file.
    EachFile(Program, &'static [&'static str]),
    /// One call without files: the arguments or a configuration name what it looks at.
    Once(Program, &'static [&'static str]),
    /// A look at the text of each file; what is wrong with it.
    Text(fn(&SourceFile) -> Result<(), String>),
    /// Whatever else.
    Own(fn(&Path, &[&SourceFile]) -> Result<Outcome>),
}

/// How it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong.
    Passed,
    /// Something is; what was said about it.
    Failed(String),
    /// It could not look; why.
    Skipped(String),
}

impl Check {
    /// Looks at the files, from the root of the workspace.
    pub fn run(self, root: &Path, files: &[&SourceFile]) -> Result<Outcome> {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        match self {
            Self::Files(program, arguments) => called(root, program, &[&[arguments, &paths].concat()]),
            Self::EachFile(program, arguments) => {
                let calls: Vec<Vec<&str>> = paths.iter().map(|path| [arguments, &[path]].concat()).collect();
                called(
                    root,
                    program,
                    &calls.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                )
            }
            Self::Once(program, arguments) => called(root, program, &[arguments]),
            Self::Text(look) => Ok(said(files.iter().filter_map(|file| {
                let problem = look(file).err()?;
                Some(format!("{}: {problem}", file.path))
            }))),
            Self::Own(check) => check(root, files),
        }
    }
}

/// Calls a program with each list of arguments.
fn called(root: &Path, program: Program, calls: &[&[&str]]) -> Result<Outcome> {
    let (path, part) = match program.find()? {
        Found::Here(path, part) => (path, part),
        Found::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let mut problems = Vec::new();
    for arguments in calls {
        let mut command = Command::new(&path);
        command.current_dir(root).args(part).args(*arguments);
        problems.extend(failure(&mut command)?);
    }
    Ok(said(problems.into_iter()))
}

/// Runs a command; what it said where it failed.
pub(super) fn failure(command: &mut Command) -> Result<Option<String>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if output.status.success() {
        return Ok(None);
    }
    Ok(Some(format!(
        "{}{}({program}: {})",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status
    )))
}

/// Failed with all of these, or passed without any.
pub(super) fn said(problems: impl Iterator<Item = String>) -> Outcome {
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Failed(problems.join("\n"))
    }
}

/// JSON that Grafana and others read.
pub(super) fn parses_as_json(file: &SourceFile) -> Result<(), String> {
    match serde_json::from_str::<serde_json::Value>(&file.text) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn run(check: Check, files: &[SourceFile]) -> Outcome {
        let files: Vec<&SourceFile> = files.iter().collect();
        check.run(Path::new("."), &files).unwrap()
    }

    #[test]
    fn a_program_that_fails_fails_the_lint_with_what_it_said() {
        let complaint = Check::Once(Program::System("sh", None), &["-c", "echo line 7; exit 3"]);
        let Outcome::Failed(told) = run(complaint, &[file("a", "")]) else {
            panic!("it passed")
        };
        assert!(told.contains("line 7") && told.contains('3'), "{told}");
        let content = Check::Once(Program::System("sh", None), &["-c", "echo fine"]);
        assert_eq!(run(content, &[file("a", "")]), Outcome::Passed);
    }

    #[test]
    fn each_file_is_handed_over_alone_or_all_at_once() {
        let files = [file("a", ""), file("b", "")];
        let count = &["-c", "test $# = 2", "sh"];
        let sh = Program::System("sh", None);
        assert_eq!(run(Check::Files(sh, count), &files), Outcome::Passed);
        assert!(matches!(
            run(Check::EachFile(sh, count), &files),
            Outcome::Failed(_)
        ));
    }

    #[test]
    fn a_missing_program_skips_and_says_so() {
        let check = Check::Once(Program::System("no-such-program-anywhere", None), &[]);
        assert!(matches!(run(check, &[file("a", "")]), Outcome::Skipped(_)));
    }

    #[test]
    fn broken_json_names_its_file() {
        let files = [file("good.json", "{}"), file("bad.json", "{")];
        let Outcome::Failed(told) = run(Check::Text(parses_as_json), &files) else {
            panic!("it passed")
        };
        assert!(
            told.starts_with("bad.json: ") && !told.contains("good.json"),
            "{told}"
        );
    }
}
