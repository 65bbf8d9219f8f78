//! Tickets and the door.

use std::collections::BTreeMap;

use onsale_domain::Sequence;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{CheckInRow, TicketRow};
use crate::convert::seq_in;

pub(super) async fn tickets(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, TicketRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT ticket_id, order_id, ticket_type_id, code, status, version, owner_id, refund_id
         FROM tickets WHERE event_id = $1",
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = TicketRow {
                order_id: row.order_id,
                ticket_type_id: row.ticket_type_id,
                code: row.code,
                status: row.status,
                version: row.version,
                owner_id: row.owner_id,
                refund_id: row.refund_id,
            };
            (row.ticket_id, stored)
        })
        .collect())
}

pub(super) async fn check_ins(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Sequence, CheckInRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT seq, ticket_id, gate, direction,
               (extract(epoch FROM scanned_at) * 1000)::bigint AS "scanned_at_ms!",
               (extract(epoch FROM recorded_at) * 1000)::bigint AS "recorded_at_ms!"
           FROM check_ins WHERE event_id = $1"#,
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = CheckInRow {
                ticket_id: row.ticket_id,
                gate: row.gate,
                direction: row.direction,
                scanned_at_ms: row.scanned_at_ms,
                recorded_at_ms: row.recorded_at_ms,
            };
            (seq_in(row.seq), stored)
        })
        .collect())
}
