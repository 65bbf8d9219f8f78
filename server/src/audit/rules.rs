//! Rules that the stored rows must keep among themselves, whatever the records say: money (I12) and tickets (I15).
//!
//! Counted from the rows and with arithmetic of its own, so that a mistake that journal and tables share shows too.

mod money;
mod tickets;

use onsale_persistence::audit::{OrderRow, Rows};

use super::compare::Difference;

/// The first rule that the rows break.
pub(super) fn check(rows: &Rows) -> Result<(), Difference> {
    money::check(rows)?;
    tickets::check(rows)
}

/// Whether an order has tickets that its buyer may use, or had, until all of its money went back.
fn is_live(order: &OrderRow) -> bool {
    matches!(
        order.status.as_str(),
        "confirmed" | "partially_refunded" | "refunded"
    )
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
