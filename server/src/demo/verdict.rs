//! The verdict: a pure function of what Postgres holds and what the clients were told. The actor is not asked.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use super::ledger::{AcknowledgedHold, Acknowledgement, Summary};

/// A ticket as Postgres has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketEvidence {
    /// Identity.
    pub(crate) ticket_id: Uuid,
    /// Its order.
    pub(crate) order_id: Uuid,
    /// The pool that its type draws from.
    pub(crate) quota_id: Uuid,
    /// What is printed on it.
    pub(crate) code: String,
}

/// What Postgres holds of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Capacity of each quota.
    pub(crate) quotas: HashMap<Uuid, u64>,
    /// Tickets that are valid or used.
    pub(crate) tickets: Vec<TicketEvidence>,
    /// Holds, however they ended, and their totals.
    pub(crate) holds: HashMap<Uuid, i64>,
    /// Confirmed orders and their totals.
    pub(crate) orders: HashMap<Uuid, i64>,
    /// Sum of the captured payments.
    pub(crate) captured_minor: i64,
    /// Payments that are still to be captured, voided or refunded.
    pub(crate) payments_pending: usize,
}

/// Pass or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Everything holds.
    Pass,
    /// Something does not.
    Fail,
}

/// What `--json` prints: exactly these fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the contract names the field")]
pub(crate) struct Verdict {
    pub(crate) capacity: u64,
    pub(crate) sold: u64,
    pub(crate) oversold: u64,
    pub(crate) duplicate_seats: u64,
    pub(crate) lost_acknowledgements: u64,
    pub(crate) captured_minor: i64,
    pub(crate) orders_minor: i64,
    pub(crate) offered_per_second: f64,
    pub(crate) acknowledged_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) recovery_ms: Option<f64>,
    pub(crate) verdict: Outcome,
}

/// What the storm was meant to do, and whether the auditor was content.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Context {
    /// Arrivals per second.
    pub(crate) offered_per_second: f64,
    /// Whether something was crashed: then the sale must have gone on after it.
    pub(crate) crashed: bool,
    /// Whether `onsale audit` found nothing.
    pub(crate) audit_clean: bool,
}

/// Judges.
pub(crate) fn judge(evidence: &Evidence, clients: &Summary, context: Context) -> Verdict {
    let oversold = oversold(evidence);
    let duplicate_seats = duplicate_seats(evidence, &clients.acknowledgements);
    let lost_acknowledgements =
        lost_orders(evidence, &clients.acknowledgements) + lost_holds(evidence, &clients.holds);
    let orders_minor = evidence
        .orders
        .values()
        .fold(0_i64, |sum, total| sum.saturating_add(*total));
    let pass = oversold == 0
        && duplicate_seats == 0
        && lost_acknowledgements == 0
        && evidence.captured_minor == orders_minor
        && evidence.payments_pending == 0
        && context.audit_clean
        // A storm in which nobody was served shows nothing.
        && !clients.acknowledgements.is_empty()
        && (!context.crashed || clients.recovery_ms.is_some());
    Verdict {
        capacity: evidence.quotas.values().sum(),
        sold: size(evidence.tickets.len()),
        oversold,
        duplicate_seats,
        lost_acknowledgements,
        captured_minor: evidence.captured_minor,
        orders_minor,
        offered_per_second: tenths(context.offered_per_second),
        acknowledged_per_second: tenths(clients.acknowledged_per_second),
        p50_ms: tenths(clients.p50_ms),
        p99_ms: tenths(clients.p99_ms),
        p999_ms: tenths(clients.p999_ms),
        recovery_ms: clients.recovery_ms.map(tenths),
        verdict: if pass { Outcome::Pass } else { Outcome::Fail },
    }
}

/// Tickets beyond the capacity of their quota; all tickets of a quota that does not exist.
fn oversold(evidence: &Evidence) -> u64 {
    let mut sold: HashMap<Uuid, u64> = HashMap::new();
    for ticket in &evidence.tickets {
        *sold.entry(ticket.quota_id).or_default() += 1;
    }
    sold.iter()
        .map(|(quota_id, sold)| sold.saturating_sub(evidence.quotas.get(quota_id).copied().unwrap_or(0)))
        .sum()
}

/// Tickets that exist twice: an id or a code that Postgres has twice, or an id that clients were given for two
/// orders.
fn duplicate_seats(evidence: &Evidence, acknowledged: &[Acknowledgement]) -> u64 {
    let mut ids = HashSet::new();
    let mut codes = HashSet::new();
    let stored = evidence
        .tickets
        .iter()
        .filter(|ticket| {
            let new_id = ids.insert(ticket.ticket_id);
            let new_code = codes.insert(ticket.code.as_str());
            !(new_id && new_code)
        })
        .count();
    let mut holders: HashMap<Uuid, Uuid> = HashMap::new();
    let given_twice = acknowledged
        .iter()
        .flat_map(|order| {
            order
                .ticket_ids
                .iter()
                .map(|ticket_id| (*ticket_id, order.order_id))
        })
        .filter(|(ticket_id, order_id)| *holders.entry(*ticket_id).or_insert(*order_id) != *order_id)
        .count();
    size(stored + given_twice)
}

/// Acknowledged orders that Postgres does not have as they were told: missing, at another total, or without one of
/// their tickets.
fn lost_orders(evidence: &Evidence, acknowledged: &[Acknowledgement]) -> u64 {
    let stored: HashSet<_> = evidence
        .tickets
        .iter()
        .map(|ticket| (ticket.order_id, ticket.ticket_id))
        .collect();
    let lost = acknowledged
        .iter()
        .filter(|told| {
            evidence.orders.get(&told.order_id) != Some(&told.total_minor)
                || told.ticket_ids.is_empty()
                || told
                    .ticket_ids
                    .iter()
                    .any(|ticket_id| !stored.contains(&(told.order_id, *ticket_id)))
        })
        .count();
    size(lost)
}

/// Acknowledged holds that Postgres does not have as they were told. A hold may end, but it was there.
fn lost_holds(evidence: &Evidence, acknowledged: &[AcknowledgedHold]) -> u64 {
    let lost = acknowledged
        .iter()
        .filter(|told| evidence.holds.get(&told.hold_id) != Some(&told.total_minor))
        .count();
    size(lost)
}

fn size(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
