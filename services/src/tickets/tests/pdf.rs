//! The PDF as a viewer and a scanner see it: `pdftoppm` and `pdftotext` of Poppler, and a reader of QR symbols.

use std::path::{Path, PathBuf};
use std::process::Command;

use onsale_domain::TicketId;
use rxing::BarcodeFormat;
use rxing::helpers::detect_in_luma;
use uuid::Uuid;

use super::{face, keys};
use crate::tickets::{TicketFace, TicketPass, pdf_file};

fn pass_of(face: &TicketFace) -> String {
    let pass = TicketPass {
        event_id: face.event_id,
        ticket_id: face.ticket_id,
        version: face.version,
    };
    pass.encode(&keys())
}

/// A file of these bytes, and the directory that it goes with.
fn kept(pdf: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ticket.pdf");
    std::fs::write(&path, pdf).unwrap();
    (directory, path)
}

fn poppler(program: &str, arguments: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .arg("-")
        .output()
        .unwrap_or_else(|error| panic!("{program} of poppler-utils (cargo xtask test installs it): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program}: {said}");
    output.stdout
}

fn text_of(pdf: &[u8]) -> String {
    let (_directory, file) = kept(pdf);
    String::from_utf8(poppler("pdftotext", &["-layout"], &file)).unwrap()
}

/// A page as `pdftoppm` draws it in grey: width, height, one byte for each dot.
fn drawn(pdf: &[u8], dots_per_inch: u32) -> (u32, u32, Vec<u8>) {
    let (directory, file) = kept(pdf);
    let prefix = directory.path().join("page");
    let resolution = dots_per_inch.to_string();
    let drawn = Command::new("pdftoppm")
        .args(["-gray", "-singlefile", "-r", &resolution])
        .args([&file, &prefix])
        .status()
        .unwrap();
    assert!(drawn.success());
    let image = std::fs::read(prefix.with_extension("pgm")).unwrap();
    // `P5 width height 255`, then the dots.
    let mut head = image.splitn(4, u8::is_ascii_whitespace);
    let mut number = || -> u32 {
        std::str::from_utf8(head.next().unwrap())
            .unwrap()
            .parse()
            .unwrap_or(5)
    };
    let (_format, width, height) = (number(), number(), number());
    let dots = usize::try_from(width * height).unwrap();
    (width, height, image[image.len() - dots..].to_vec())
}

#[test]
fn a_scanner_reads_the_signed_code_from_the_page() {
    let face = face();
    let pass = pass_of(&face);
    let pdf = pdf_file(&face, &pass).unwrap();
    // As on paper, and as coarse as on a small display.
    for dots_per_inch in [150, 72] {
        let (width, height, dots) = drawn(&pdf, dots_per_inch);
        let read = detect_in_luma(dots, width, height, Some(BarcodeFormat::QR_CODE)).unwrap();
        assert_eq!(read.getText(), pass, "{dots_per_inch} dpi");
    }
}

#[test]
fn a_page_says_what_people_need_and_has_no_address() {
    let face = face();
    let text = text_of(&pdf_file(&face, &pass_of(&face)).unwrap());
    for said in [
        "Nachtmusik im Hafen",
        "Große Halle, Kai 7, Hamburg",
        "Saturday, 5 December 2026, 20:00 (Europe/Berlin, UTC+01:00)",
        "Parkett",
        "Ada Lovelace",
        "48.30 EUR (includes fee 3.30 EUR, tax 7% 3.16 EUR)",
        &face.order_id.to_string(),
        &face.code,
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(!text.contains('@'));
}

#[test]
fn the_same_ticket_gives_the_same_bytes() {
    let face = face();
    let pass = pass_of(&face);
    assert_eq!(pdf_file(&face, &pass).unwrap(), pdf_file(&face, &pass).unwrap());
    let other = TicketFace {
        ticket_id: TicketId(Uuid::now_v7()),
        ..face.clone()
    };
    assert_ne!(pdf_file(&face, &pass).unwrap(), pdf_file(&other, &pass).unwrap());
}

#[test]
fn a_document_has_a_title_a_language_and_tags() {
    let face = face();
    let (_directory, file) = kept(&pdf_file(&face, &pass_of(&face)).unwrap());
    let output = Command::new("pdfinfo").arg(&file).output().unwrap();
    let info = String::from_utf8(output.stdout).unwrap();
    for line in [
        "Nachtmusik im Hafen – Parkett",
        "Tagged:          yes",
        "Pages:           1",
    ] {
        assert!(info.contains(line), "{line} in {info}");
    }
    let output = Command::new("pdfinfo")
        .arg("-struct-text")
        .arg(&file)
        .output()
        .unwrap();
    let structure = String::from_utf8(output.stdout).unwrap();
    for line in ["H1", "Figure", "\"Nachtmusik im Hafen\""] {
        assert!(structure.contains(line), "{line} in {structure}");
    }
}

#[test]
fn any_name_makes_a_page_that_a_scanner_reads() {
    let long = "Ein außerordentlich langer Name ".repeat(40);
    let names = [
        "Пиковая дама — Ωδείο Ηρώδου",
        "حفلة موسيقية في القاهرة",
        "קונצרט",
        "夜の音楽 🎉 한국",
        "\u{202e}gnp.txt\u{0007}\u{0000}\n\r",
        "W\u{0301}\u{0302}\u{0303}\u{0304}",
        "ffi ffl ﬁ",
        "",
        &long,
        &"W".repeat(900),
        "(unbalanced \\ ( PDF /Name <hex> %comment",
    ];
    for name in names {
        let face = TicketFace {
            event_name: name.to_owned(),
            venue: name.to_owned(),
            ticket_type: name.to_owned(),
            holder: Some(name.to_owned()),
            ..face()
        };
        let pass = pass_of(&face);
        let (width, height, dots) = drawn(&pdf_file(&face, &pass).unwrap(), 100);
        let read = detect_in_luma(dots, width, height, Some(BarcodeFormat::QR_CODE)).unwrap();
        assert_eq!(read.getText(), pass, "{name}");
    }
}

#[test]
fn a_long_name_is_cut_off_and_other_alphabets_stay_text() {
    let with_name = |name: &str| {
        let face = TicketFace {
            event_name: name.to_owned(),
            ..face()
        };
        text_of(&pdf_file(&face, &pass_of(&face)).unwrap())
    };
    let long = with_name(&"Ein außerordentlich langer Name ".repeat(40));
    assert!(long.contains("außerordentlich") && long.contains('…'), "{long}");
    assert!(with_name("Пиковая дама").contains("Пиковая дама"));
    assert!(with_name("Ωδείο Ηρώδου").contains("Ωδείο Ηρώδου"));
}

#[test]
fn a_free_ticket_and_an_unknown_zone_are_said_plainly() {
    let mut face = face();
    face.price.amount_minor = 0;
    face.holder = None;
    face.time_zone = "Mars/Olympus".to_owned();
    let text = text_of(&pdf_file(&face, &pass_of(&face)).unwrap());
    assert!(
        text.contains("free") && text.contains("5 December 2026, 19:00 UTC"),
        "{text}"
    );
    assert!(!text.contains("Name"), "{text}");
}
