//! Tables for a terminal.

use comfy_table::{CellAlignment, Table, TableComponent, presets};

/// A table whose first column is text and whose others are figures.
pub fn table<const COLUMNS: usize>(header: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(header);
    table.add_rows(rows);
    for inner in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
    ] {
        table.remove_style(inner);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_on_the_right() {
        let rows = [
            ["echo".to_owned(), "9".to_owned()],
            ["onsale".to_owned(), "10".to_owned()],
        ];
        let table = table(["contender", "per second"], &rows);
        assert!(
            table
                .lines()
                .any(|line| line.starts_with(" echo") && line.trim_end().ends_with(" 9")),
            "{table}"
        );
    }
}
