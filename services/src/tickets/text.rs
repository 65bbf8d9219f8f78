//! Setting text: shaping with the one embedded family, breaking into lines, shrinking.
//!
//! The family covers Latin, Greek, Cyrillic, Armenian and Georgian, and has the letters of Arabic and Hebrew. One line
//! is set in one direction, that of its first letter: lines that mix directions come out in the wrong order. What the
//! family has no glyph for (Chinese, Japanese, Korean, most emoji) shows as an empty box; the text itself stays in the
//! file for those who search, copy or have it read aloud.

use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Face, UnicodeBuffer};

static REGULAR: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-Bold.ttf");

/// Longest text that is set; names are far shorter.
const TEXT_CHARS_MAX: usize = 1_000;

/// One weight of the family.
pub(super) struct Typeface {
    pub(super) font: Font,
    face: Face<'static>,
}

/// The family; parsed once.
pub(super) struct Family {
    pub(super) regular: Typeface,
    pub(super) bold: Typeface,
}

static FAMILY: LazyLock<Option<Family>> = LazyLock::new(|| {
    Some(Family {
        regular: Typeface::read(REGULAR)?,
        bold: Typeface::read(BOLD)?,
    })
});

/// A line of glyphs, for any size.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Width at size 1.
    pub(super) width: f32,
}

/// Lines and the size at which they fit.
pub(super) struct Block {
    pub(super) lines: Vec<Line>,
    pub(super) size: f32,
}

impl Family {
    /// The embedded family; `None` when the files in the program are damaged.
    pub(super) fn embedded() -> Option<&'static Self> {
        FAMILY.as_ref()
    }
}

impl Typeface {
    fn read(data: &'static [u8]) -> Option<Self> {
        Some(Self {
            font: Font::new(data.into(), 0)?,
            face: Face::from_slice(data, 0)?,
        })
    }

    /// One line, in the direction of its first letter.
    #[allow(
        clippy::cast_precision_loss,
        reason = "glyph measures have at most 16 bits of a font unit"
    )]
    pub(super) fn line(&self, text: &str) -> Line {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let mut starts: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        starts.sort_unstable();
        starts.dedup();
        // Where the text of a glyph ends: where that of the next one begins, in the order of the text.
        let end_of = |start: usize| {
            let next = starts.partition_point(|other| *other <= start);
            starts.get(next).copied().unwrap_or(text.len())
        };
        let em = self.font.units_per_em();
        let glyphs: Vec<KrillaGlyph> = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .map(|(info, position)| {
                let start = info.cluster as usize;
                KrillaGlyph::new(
                    GlyphId::new(info.glyph_id),
                    position.x_advance as f32 / em,
                    position.x_offset as f32 / em,
                    position.y_offset as f32 / em,
                    position.y_advance as f32 / em,
                    start..end_of(start),
                    None,
                )
            })
            .collect();
        Line {
            text: text.to_owned(),
            width: glyphs.iter().map(|glyph| glyph.x_advance).sum(),
            glyphs,
        }
    }

    /// Text in at most so many lines of a width: at the first of these sizes that holds it, else at the last one, cut
    /// off with an ellipsis.
    pub(super) fn block(&self, text: &str, sizes: &[f32], width: f32, lines_max: usize) -> Block {
        let text = printable(text);
        let last = sizes.last().copied().unwrap_or(1.0);
        for size in sizes {
            let lines = self.broken(&text, width / size);
            if lines.len() <= lines_max {
                return Block {
                    lines: lines.iter().map(|line| self.line(line)).collect(),
                    size: *size,
                };
            }
        }
        let mut lines = self.broken(&text, width / last);
        lines.truncate(lines_max);
        if let Some(end) = lines.last_mut() {
            self.shorten(end, width / last);
        }
        Block {
            lines: lines.iter().map(|line| self.line(line)).collect(),
            size: last,
        }
    }

    /// Breaks between words, and within a word that is longer than a line.
    fn broken(&self, text: &str, width: f32) -> Vec<String> {
        let space = self.line(" ").width;
        let mut lines: Vec<(String, f32)> = Vec::new();
        for word in text.split_ascii_whitespace() {
            for piece in self.pieces(word, width) {
                let piece_width = self.line(&piece).width;
                match lines.last_mut() {
                    Some((line, taken)) if *taken + space + piece_width <= width => {
                        line.push(' ');
                        line.push_str(&piece);
                        *taken += space + piece_width;
                    }
                    _ => lines.push((piece, piece_width)),
                }
            }
        }
        lines.into_iter().map(|(line, _)| line).collect()
    }

    /// A word in pieces of at most a width. Letter by letter, where it does not fit in whole: joined letters come apart
    /// there.
    fn pieces(&self, word: &str, width: f32) -> Vec<String> {
        if self.line(word).width <= width {
            return vec![word.to_owned()];
        }
        let mut pieces = vec![String::new()];
        let mut taken = 0.0;
        for letter in word.chars() {
            let letter_width = self.line(letter.encode_utf8(&mut [0; 4])).width;
            if taken > 0.0 && taken + letter_width > width {
                pieces.push(String::new());
                taken = 0.0;
            }
            taken += letter_width;
            if let Some(piece) = pieces.last_mut() {
                piece.push(letter);
            }
        }
        pieces
    }

    /// Ends a line in an ellipsis, within a width.
    fn shorten(&self, line: &mut String, width: f32) {
        let mark = "…";
        let mark_width = self.line(mark).width;
        while self.line(line).width + mark_width > width && line.pop().is_some() {}
        line.truncate(line.trim_end().len());
        line.push_str(mark);
    }
}

/// What can be set: no control characters, nothing that turns the direction, one space between words.
fn printable(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = text
        .chars()
        .take(TEXT_CHARS_MAX)
        .filter(|letter| !turns(*letter))
        .map(|letter| {
            if letter.is_control() || letter.is_whitespace() {
                ' '
            } else {
                letter
            }
        })
        .collect();
    kept.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
