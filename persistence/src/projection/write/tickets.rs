//! Tickets, refunds and scans.

use jiff_sqlx::Timestamp;
use onsale_domain::Direction;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_out, timestamp};
use crate::projection::changes::RowChanges;
use crate::projection::tickets::{NewRefund, NewScan, NewTicket, TicketChange, TicketStep};
use crate::read::TicketStatus;

pub(in crate::projection) async fn tickets(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    if !changes.new_tickets.is_empty() {
        insert_tickets(connection, &changes.new_tickets).await?;
    }
    if !changes.changed_tickets.is_empty() {
        change_tickets(connection, &changes.changed_tickets).await?;
    }
    if !changes.refunds.is_empty() {
        insert_refunds(connection, &changes.refunds).await?;
    }
    if !changes.scans.is_empty() {
        insert_scans(connection, &changes.scans).await?;
    }
    Ok(())
}

async fn insert_tickets(connection: &mut PgConnection, tickets: &[NewTicket]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = tickets.iter().map(|ticket| ticket.event_id.0).collect();
    let ticket_ids: Vec<Uuid> = tickets.iter().map(|ticket| ticket.ticket_id.0).collect();
    let order_ids: Vec<Uuid> = tickets.iter().map(|ticket| ticket.order_id.0).collect();
    let ticket_type_ids: Vec<Uuid> = tickets.iter().map(|ticket| ticket.ticket_type_id.0).collect();
    let codes: Vec<String> = tickets.iter().map(|ticket| ticket.code.to_string()).collect();
    let statuses: Vec<&str> = tickets.iter().map(|ticket| ticket.status.as_str()).collect();
    let versions: Vec<i32> = tickets.iter().map(|ticket| version_out(ticket.version)).collect();
    let owners: Vec<Uuid> = tickets.iter().map(|ticket| ticket.owner.0).collect();
    let refunds: Vec<Option<Uuid>> = tickets
        .iter()
        .map(|ticket| ticket.refund_id.map(|id| id.0))
        .collect();
    sqlx::query!(
        r#"INSERT INTO tickets (event_id, ticket_id, order_id, ticket_type_id, code, status, version, owner_id,
               refund_id)
           SELECT event_id, ticket_id, order_id, ticket_type_id, code, status, version, owner_id, refund_id
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int[],
               $8::uuid[], $9::uuid[])
               AS ticket (event_id, ticket_id, order_id, ticket_type_id, code, status, version, owner_id,
                   refund_id)"#,
        &event_ids,
        &ticket_ids,
        &order_ids,
        &ticket_type_ids,
        &codes,
        &statuses as _,
        &versions,
        &owners,
        &refunds as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a batch leaves of an earlier batch's ticket.
#[derive(Default)]
struct Left {
    status: Option<&'static str>,
    refund_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    code: Option<String>,
    version: Option<i32>,
}

impl Left {
    fn take(&mut self, step: TicketStep) {
        match step {
            TicketStep::Used => self.status = Some(TicketStatus::Used.as_str()),
            TicketStep::Refunded(refund_id) => {
                self.status = Some(TicketStatus::Refunded.as_str());
                self.refund_id = Some(refund_id.0);
            }
            TicketStep::Transferred { owner, code, version } => {
                self.owner_id = Some(owner.0);
                self.code = Some(code.to_string());
                self.version = Some(version_out(version));
            }
        }
    }
}

async fn change_tickets(
    connection: &mut PgConnection,
    changes: &[TicketChange],
) -> Result<(), DatabaseError> {
    let mut left: std::collections::BTreeMap<(Uuid, Uuid), Left> = std::collections::BTreeMap::new();
    for change in changes {
        left.entry((change.event_id.0, change.ticket_id.0))
            .or_default()
            .take(change.step);
    }
    let event_ids: Vec<Uuid> = left.keys().map(|(event_id, _)| *event_id).collect();
    let ticket_ids: Vec<Uuid> = left.keys().map(|(_, ticket_id)| *ticket_id).collect();
    let statuses: Vec<Option<&str>> = left.values().map(|left| left.status).collect();
    let refunds: Vec<Option<Uuid>> = left.values().map(|left| left.refund_id).collect();
    let owners: Vec<Option<Uuid>> = left.values().map(|left| left.owner_id).collect();
    let codes: Vec<Option<String>> = left.values().map(|left| left.code.clone()).collect();
    let versions: Vec<Option<i32>> = left.values().map(|left| left.version).collect();
    let updated = sqlx::query!(
        r#"UPDATE tickets AS ticket
           -- Orders come before: a ticket that was scanned and then cancelled in one batch is cancelled already.
           SET status = CASE WHEN ticket.status = 'cancelled' AND change.status = 'used' THEN ticket.status
                   ELSE coalesce(change.status, ticket.status) END,
               refund_id = coalesce(change.refund_id, ticket.refund_id),
               owner_id = coalesce(change.owner_id, ticket.owner_id),
               code = coalesce(change.code, ticket.code),
               version = coalesce(change.version, ticket.version)
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::int[])
               AS change (event_id, ticket_id, status, refund_id, owner_id, code, version)
           WHERE ticket.event_id = change.event_id AND ticket.ticket_id = change.ticket_id"#,
        &event_ids,
        &ticket_ids,
        &statuses as _,
        &refunds as _,
        &owners as _,
        &codes as _,
        &versions as _
    )
    .execute(connection)
    .await?;
    super::all_rows("tickets", updated.rows_affected(), left.len())
}

async fn insert_refunds(connection: &mut PgConnection, refunds: &[NewRefund]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = refunds.iter().map(|refund| refund.event_id.0).collect();
    let refund_ids: Vec<Uuid> = refunds.iter().map(|refund| refund.record.refund_id.0).collect();
    let order_ids: Vec<Uuid> = refunds.iter().map(|refund| refund.record.order_id.0).collect();
    let buyer_ids: Vec<Uuid> = refunds.iter().map(|refund| refund.record.buyer_id.0).collect();
    let amounts: Vec<i64> = refunds
        .iter()
        .map(|refund| refund.record.amount.amount_minor)
        .collect();
    let currencies: Vec<&str> = refunds
        .iter()
        .map(|refund| refund.record.amount.currency.code())
        .collect();
    let requested_at: Vec<Timestamp> = refunds.iter().map(|r| timestamp(r.record.at)).collect();
    sqlx::query!(
        r#"INSERT INTO refunds (event_id, refund_id, order_id, buyer_id, amount_minor, currency, status,
               requested_at, settled_at)
           SELECT event_id, refund_id, order_id, buyer_id, amount_minor, currency,
               CASE amount_minor WHEN 0 THEN 'succeeded' ELSE 'pending' END,
               requested_at, CASE amount_minor WHEN 0 THEN requested_at END
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[],
               $7::timestamptz[])
               AS refund (event_id, refund_id, order_id, buyer_id, amount_minor, currency, requested_at)"#,
        &event_ids,
        &refund_ids,
        &order_ids,
        &buyer_ids,
        &amounts,
        &currencies as _,
        &requested_at as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_scans(connection: &mut PgConnection, scans: &[NewScan]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = scans.iter().map(|scan| scan.event_id.0).collect();
    let seqs: Vec<i64> = scans.iter().map(|scan| seq_out(scan.seq)).collect();
    let ticket_ids: Vec<Uuid> = scans.iter().map(|scan| scan.record.ticket_id.0).collect();
    let gates: Vec<&str> = scans.iter().map(|scan| scan.record.gate.as_str()).collect();
    let directions: Vec<&str> = scans
        .iter()
        .map(|scan| Direction::as_str(scan.record.direction))
        .collect();
    let scanned_at: Vec<Timestamp> = scans.iter().map(|s| timestamp(s.record.scanned_at)).collect();
    let recorded_at: Vec<Timestamp> = scans.iter().map(|scan| timestamp(scan.record.at)).collect();
    sqlx::query!(
        r#"INSERT INTO check_ins (event_id, seq, ticket_id, gate, direction, scanned_at, recorded_at)
           SELECT event_id, seq, ticket_id, gate, direction, scanned_at, recorded_at
           FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[],
               $7::timestamptz[])
               AS scan (event_id, seq, ticket_id, gate, direction, scanned_at, recorded_at)"#,
        &event_ids,
        &seqs,
        &ticket_ids,
        &gates as _,
        &directions as _,
        &scanned_at as _,
        &recorded_at as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// No ticket is transferred as often as the bound.
fn version_out(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}
