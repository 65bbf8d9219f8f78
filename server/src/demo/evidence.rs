//! Gathers the verdict's evidence from Postgres, after the serving process has stopped.

use anyhow::Context as _;
use onsale_domain::EventId;
use onsale_persistence::audit::{self, Rows};
use onsale_persistence::{Database, DatabaseConfig};
use uuid::Uuid;

use super::verdict::{Evidence, TicketEvidence};

/// Reads everything about the event over a connection of its own.
pub(crate) async fn gather(url: &str, event_id: Uuid) -> anyhow::Result<Evidence> {
    let config = DatabaseConfig {
        connections_max: 1,
        ..DatabaseConfig::new(url)
    };
    let database = Database::connect(&config)
        .await
        .context("cannot reach Postgres for the verdict")?;
    let rows = audit::load(&database, EventId(event_id)).await;
    // The embedded Postgres has no second connection.
    database.close().await;
    Ok(of_rows(rows.context("cannot read the tables")?))
}

fn of_rows(rows: Rows) -> Evidence {
    let payments = rows.payments.values();
    let captured = payments.clone().filter(|payment| payment.status == "captured");
    let pending = |status: &str| matches!(status, "authorized" | "voiding" | "refunding");
    Evidence {
        captured_minor: captured.map(|payment| payment.amount_minor).sum(),
        payments_pending: payments.filter(|payment| pending(&payment.status)).count(),
        quotas: rows
            .quotas
            .iter()
            .map(|(quota_id, counters)| (*quota_id, counters.capacity.unsigned_abs()))
            .collect(),
        tickets: rows
            .tickets
            .into_iter()
            .filter(|(_, ticket)| matches!(ticket.status.as_str(), "valid" | "used"))
            .map(|(ticket_id, ticket)| TicketEvidence {
                ticket_id,
                order_id: ticket.order_id,
                // A type without a quota counts as oversold.
                quota_id: rows
                    .quota_ids
                    .get(&ticket.ticket_type_id)
                    .copied()
                    .unwrap_or_default(),
                code: ticket.code,
            })
            .collect(),
        holds: rows
            .holds
            .into_iter()
            .map(|(hold_id, hold)| (hold_id, hold.total_minor))
            .collect(),
        orders: rows
            .orders
            .into_iter()
            .filter(|(_, order)| order.status == "confirmed")
            .map(|(order_id, order)| (order_id, order.total_minor))
            .collect(),
    }
}
