//! A ticket as a PDF of one page: what it is for, a symbol for the scanner, a code for people.
//!
//! The page has a title, a language and tags, so that it can be read aloud. The same ticket gives the same bytes: there
//! is no date of making in it.

use std::num::NonZeroU16;

use krilla::Document;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::tagging::{Tag, TagTree};
use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

use super::draw::{BLACK, GREY, Sheet};
use super::face::TicketFace;
use super::text::Family;

/// A4, in points.
const PAGE: (f32, f32) = (595.28, 841.89);
const MARGIN: f32 = 56.0;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// Side of the symbol with its quiet zone: 7.7 cm, which a telephone reads at arm's length.
const SYMBOL: f32 = 218.0;
/// Empty modules around a symbol (ISO/IEC 18004).
const QUIET_MODULES: u16 = 4;
/// Width of what names a field.
const LABEL_WIDTH: f32 = 90.0;

/// Why there is no file.
#[derive(Debug, Error)]
pub enum PdfError {
    /// The fonts in the program are damaged.
    #[error("the embedded fonts cannot be read")]
    Fonts,
    /// The code does not fit a symbol.
    #[error("no QR symbol: {0}")]
    Symbol(#[from] qrcode::types::QrError),
    /// The document could not be written.
    #[error("no PDF: {0}")]
    Document(String),
}

/// The PDF of a ticket. `pass` is what the scanner reads.
pub fn pdf_file(face: &TicketFace, pass: &str) -> Result<Vec<u8>, PdfError> {
    let family = Family::embedded().ok_or(PdfError::Fonts)?;
    let settings = PageSettings::from_wh(PAGE.0, PAGE.1)
        .ok_or_else(|| PdfError::Document("the page has no size".to_owned()))?;
    let mut document = Document::new();
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let mut sheet = Sheet::new(&mut surface);
    let below = heading(&mut sheet, family, face);
    sheet.rule((MARGIN, below + 10.0), WIDTH);
    let below = fields(&mut sheet, family, face, below + 24.0);
    symbol(&mut sheet, family, face, pass, below + 24.0)?;
    let mut tree = TagTree::new();
    for node in std::mem::take(&mut sheet.read) {
        tree.push(node);
    }
    surface.finish();
    page.finish();
    document.set_tag_tree(tree);
    document.set_metadata(
        Metadata::new()
            .title(format!("{} – {}", face.event_name, face.ticket_type))
            .language("en".to_owned())
            .document_id(format!("{}/{}", face.ticket_id, face.version))
            .creator("Onsale".to_owned()),
    );
    document
        .finish()
        .map_err(|error| PdfError::Document(format!("{error:?}")))
}

/// The event: what, where and when. Where it ends.
fn heading(sheet: &mut Sheet<'_, '_>, family: &Family, face: &TicketFace) -> f32 {
    let title = Tag::Hn(NonZeroU16::MIN, Some(face.event_name.clone()));
    let name = family.bold.block(&face.event_name, &[28.0, 22.0, 17.0], WIDTH, 3);
    let mut y = sheet.text((MARGIN, MARGIN), &family.bold, &name, BLACK, title);
    y += 6.0;
    for (text, lines_max) in [(face.venue.as_str(), 2), (&face.start_in_words(), 2)] {
        let block = family.regular.block(text, &[13.0, 11.0], WIDTH, lines_max);
        y = sheet.text((MARGIN, y), &family.regular, &block, BLACK, Tag::P);
    }
    y
}

/// What is sold to whom at which price. Where it ends.
fn fields(sheet: &mut Sheet<'_, '_>, family: &Family, face: &TicketFace, mut y: f32) -> f32 {
    let order = face.order_id.to_string();
    let ticket = face.ticket_id.to_string();
    let price = face.price_in_words();
    let rows = [
        ("Ticket", Some(face.ticket_type.as_str())),
        ("Name", face.holder.as_deref()),
        ("Price", Some(price.as_str())),
        ("Order", Some(order.as_str())),
        ("Ticket no.", Some(ticket.as_str())),
    ];
    for (label, value) in rows {
        let Some(value) = value else { continue };
        let name = family.regular.block(label, &[10.0], LABEL_WIDTH, 1);
        sheet.text((MARGIN, y + 1.0), &family.regular, &name, GREY, Tag::P);
        let value = family.regular.block(value, &[11.0, 9.5], WIDTH - LABEL_WIDTH, 2);
        y = sheet.text((MARGIN + LABEL_WIDTH, y), &family.regular, &value, BLACK, Tag::P) + 3.0;
    }
    y
}

/// The symbol, and the code below it.
fn symbol(
    sheet: &mut Sheet<'_, '_>,
    family: &Family,
    face: &TicketFace,
    pass: &str,
    y: f32,
) -> Result<(), PdfError> {
    let qr = QrCode::with_error_correction_level(pass, EcLevel::M)?;
    let alternative = format!("QR code of ticket {}", face.code);
    let x = (PAGE.0 - SYMBOL) / 2.0;
    sheet.figure(&dark_rectangles(&qr, (x, y)), Tag::Figure(Some(alternative)));
    let code = family.bold.block(&face.code, &[16.0, 10.0], WIDTH, 1);
    let width: f32 = code.lines.iter().map(|line| line.width * code.size).sum();
    let middle = (PAGE.0 - width) / 2.0;
    let y = sheet.text((middle, y + SYMBOL), &family.bold, &code, BLACK, Tag::P);
    let note = "Good for one person. Whoever shows this code first is let in: do not pass pictures of it on.";
    let note = family.regular.block(note, &[9.0, 7.0], WIDTH, 2);
    sheet.text((MARGIN, y + 12.0), &family.regular, &note, GREY, Tag::P);
    Ok(())
}

/// The dark modules of a symbol, neighbours in a row as one rectangle.
fn dark_rectangles(qr: &QrCode, (x, y): (f32, f32)) -> Vec<(f32, f32, f32, f32)> {
    // A symbol has at most 177 modules a side.
    let side = u16::try_from(qr.width()).unwrap_or(u16::MAX);
    let module = SYMBOL / f32::from(side + 2 * QUIET_MODULES);
    let colours = qr.to_colors();
    let mut rectangles = Vec::new();
    for (row, modules) in (0_u16..).zip(colours.chunks(qr.width())) {
        let mut column = 0_u16;
        for run in modules.chunk_by(|left, right| left == right) {
            let length = u16::try_from(run.len()).unwrap_or_default();
            if run.first() == Some(&Color::Dark) {
                rectangles.push((
                    x + module * f32::from(QUIET_MODULES + column),
                    y + module * f32::from(QUIET_MODULES + row),
                    module * f32::from(length),
                    module,
                ));
            }
            column += length;
        }
    }
    rectangles
}
