//! Just enough of Rust's grammar to look at code without its comments, strings and tests.

/// Whether a file holds only tests, benches or examples.
pub fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs"))
}

/// The text before the unit tests at its end.
pub fn production_part(text: &str) -> &str {
    let is_start = |at: usize| {
        let rest = text[at..].trim_start_matches("#[cfg(test)]").trim_start();
        let rest = rest.strip_prefix("pub").map_or(rest, |rest| {
            rest.trim_start_matches(|c: char| c != ' ' && c != '\n')
                .trim_start()
        });
        rest.starts_with("mod tests")
    };
    let tests = text
        .match_indices("#[cfg(test)]")
        .map(|(at, _)| at)
        .find(|&at| is_start(at));
    tests.map_or(text, |at| &text[..at])
}

/// What [`mask`] blanks out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hide {
    /// Comments: what remains is code and the SQL in its strings.
    Comments,
    /// Comments and the contents of strings: what remains is code alone.
    CommentsAndStrings,
}

/// The same text with some parts blanked out; every line keeps its number.
pub fn mask(text: &str, hide: Hide) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = masked.chars().next_back();
        let (length, hidden) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with("/*") {
            (block_comment(rest), true)
        } else if let Some(length) = raw_string(rest, before) {
            (length, hide == Hide::CommentsAndStrings)
        } else if first == '"' {
            (quoted(rest, '"'), hide == Hide::CommentsAndStrings)
        } else if let Some(length) = character(rest) {
            (length, hide == Hide::CommentsAndStrings)
        } else {
            (first.len_utf8(), false)
        };
        let (part, after) = rest.split_at(length);
        if hidden {
            masked.extend(part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            masked.push_str(part);
        }
        rest = after;
    }
    masked
}

/// Length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Length of `r"..."`, `r#"..."#` and so on, when one starts here and not inside a name.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    let after_r = text.strip_prefix('r')?;
    // `br` and `cr` start a raw string too; any other letter before makes this the end of a name.
    if before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && !matches!(c, 'b' | 'c')) {
        return None;
    }
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    let body = after_r[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let open = 1 + hashes + 1;
    Some(body.find(&close).map_or(text.len(), |at| open + at + close.len()))
}

/// Length of a literal between `quote`s, escapes considered.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Length of a character literal; `None` where the quote starts a lifetime.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let mut chars = inside.chars();
    match (chars.next()?, chars.next()?) {
        ('\\', _) => Some(quoted(text, '\'')),
        (c, '\'') => Some(c.len_utf8() + 2),
        _lifetime => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let squeezed = mask(text, Hide::CommentsAndStrings)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(squeezed, expected, "{text}");
    }

    #[test]
    fn comments_and_strings_are_blanked() {
        check("a // todo!()\nb", "a b");
        check("a /* x /* y */ z */ b", "a b");
        check(r#"f("// not a \" comment", b)"#, "f( , b)");
        check(r##"f(r#"a "quoted" word"#, b)"##, "f( , b)");
        check(r#"for"x" y"#, "for y");
    }

    #[test]
    fn characters_are_not_lifetimes() {
        check(
            "fn f<'a>(x: &'a str) { g('\"', '\\'', 'é') }",
            "fn f<'a>(x: &'a str) { g( , , ) }",
        );
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "/* a\nb */\n\"c\nd\"\ne";
        assert_eq!(
            mask(text, Hide::CommentsAndStrings).lines().count(),
            text.lines().count()
        );
        assert!(mask(text, Hide::Comments).contains("\"c\nd\""));
    }

    #[test]
    fn the_production_part_ends_where_the_unit_tests_start() {
        assert_eq!(production_part("a\n#[cfg(test)]\nmod tests {}\n"), "a\n");
        assert_eq!(
            production_part("a\n#[cfg(test)]\npub(crate) mod tests {}\n"),
            "a\n"
        );
        let helper = "#[cfg(test)]\nfn helper() {}\nfn production() {}\n";
        assert_eq!(production_part(helper), helper);
    }

    #[test]
    fn test_files_are_known_by_their_directory() {
        assert!(is_test("http/tests/holds.rs") && is_test("engine/src/lane/tests.rs"));
        assert!(!is_test("xtask/src/test.rs"));
    }
}
