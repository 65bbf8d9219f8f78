//! Reads how many tests passed and failed from what a test runner printed.

use std::fmt;
use std::ops::AddAssign;

/// Passed and failed tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that ran and passed.
    pub passed: u64,
    /// Tests that failed, timed out or could not be started.
    pub failed: u64,
}

impl Counts {
    /// Green means: something ran, and all of it passed.
    pub fn is_green(self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Which runner printed the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One `Summary [...] N tests run: ...` line at the end.
    Nextest,
    /// One `test result: ...` line per test binary (`cargo test`, doc tests).
    Libtest,
}

/// The counts in a runner's output; zero where it holds no summary.
pub fn parse(format: Format, output: &str) -> Counts {
    let lines = output.lines().map(without_colours);
    match format {
        Format::Nextest => lines
            .filter_map(|line| nextest_summary(&line))
            .next_back()
            .unwrap_or_default(),
        Format::Libtest => {
            let mut sum = Counts::default();
            lines
                .filter_map(|line| libtest_result(&line))
                .for_each(|counts| sum += counts);
            sum
        }
    }
}

/// `Summary [ 0.1s] 3/5 tests run: 1 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
fn nextest_summary(line: &str) -> Option<Counts> {
    let (_, results) = line
        .trim_start()
        .strip_prefix("Summary [")?
        .split_once(" run: ")?;
    Some(count_labels(&without_parentheses(results), ','))
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn libtest_result(line: &str) -> Option<Counts> {
    let (_, results) = line
        .trim_start()
        .strip_prefix("test result: ")?
        .split_once(". ")?;
    Some(count_labels(results, ';'))
}

fn count_labels(results: &str, separator: char) -> Counts {
    let mut counts = Counts::default();
    for part in results.split(separator) {
        let Some((number, label)) = part.trim().split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match label.trim() {
            "passed" => counts.passed += number,
            "failed" | "timed out" | "exec failed" => counts.failed += number,
            _not_run => {}
        }
    }
    counts
}

/// Drops remarks such as `(1 slow, 1 flaky)`, whose commas would split a result in two.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Drops terminal colours (`ESC [ ... m`), which runners print where they write to a terminal.
fn without_colours(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once('\u{1b}') {
        kept.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, output: &str, passed: u64, failed: u64) {
        assert_eq!(parse(format, output), Counts { passed, failed }, "{output}");
    }

    #[test]
    fn nextest_summaries_are_read() {
        check(
            Format::Nextest,
            "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped",
            1,
            0,
        );
        check(
            Format::Nextest,
            "Summary [ 9.1s] 9 tests run: 9 passed (1 slow, 2 leaky), 3 skipped",
            9,
            0,
        );
        check(
            Format::Nextest,
            "Summary [1.0s] 7/9 tests run: 2 passed (1 flaky), 3 failed (1 leaky), 1 exec failed, 1 timed out, 0 skipped",
            2,
            5,
        );
    }

    #[test]
    fn colours_do_not_matter() {
        check(
            Format::Nextest,
            "\u{1b}[31;1m     Summary\u{1b}[0m [   0.0s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m1\u{1b}[0m \u{1b}[31;1mfailed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped",
            1,
            1,
        );
    }

    #[test]
    fn only_the_last_nextest_summary_counts() {
        let output =
            "Summary [1s] 5 tests run: 5 passed, 0 skipped\nSummary [2s] 2 tests run: 2 passed, 0 skipped";
        check(Format::Nextest, output, 2, 0);
    }

    #[test]
    fn libtest_results_are_summed() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        check(Format::Libtest, output, 4, 2);
    }

    #[test]
    fn no_summary_means_nothing_ran() {
        check(Format::Nextest, "error: could not compile", 0, 0);
        assert!(!Counts::default().is_green());
    }

    #[test]
    fn the_last_line_has_its_agreed_form() {
        assert_eq!(
            Counts {
                passed: 12,
                failed: 1
            }
            .to_string(),
            "12 passed, 1 failed"
        );
    }
}
