//! Holds: inserts for those of this batch, updates for earlier ones.

use jiff_sqlx::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_out, timestamp};
use crate::projection::changes::{ChangedHold, HoldStatus, NewHold, RowChanges};
use crate::read::LineRow;

pub(in crate::projection) async fn holds(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    if !changes.new_holds.is_empty() {
        insert(connection, &changes.new_holds).await?;
    }
    if !changes.changed_holds.is_empty() {
        update(connection, &changes.changed_holds).await?;
    }
    Ok(())
}

async fn insert(connection: &mut PgConnection, holds: &[NewHold]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = holds.iter().map(|hold| hold.event_id.0).collect();
    let hold_ids: Vec<Uuid> = holds.iter().map(|hold| hold.hold_id.0).collect();
    let buyer_ids: Vec<Uuid> = holds.iter().map(|hold| hold.buyer_id.0).collect();
    let statuses: Vec<&str> = holds.iter().map(|hold| hold.status.as_str()).collect();
    let lines: Vec<String> = holds
        .iter()
        .map(|hold| LineRow::list_to_json(&hold.lines))
        .collect();
    let currencies: Vec<&str> = holds.iter().map(|h| h.total.currency.code()).collect();
    let totals: Vec<i64> = holds.iter().map(|hold| hold.total.amount_minor).collect();
    let placed_at: Vec<Timestamp> = holds.iter().map(|h| timestamp(h.placed_at)).collect();
    let expires_at: Vec<Timestamp> = holds.iter().map(|h| timestamp(h.expires_at)).collect();
    let seqs: Vec<i64> = holds.iter().map(|hold| seq_out(hold.seq)).collect();
    sqlx::query!(
        r#"INSERT INTO holds (event_id, hold_id, buyer_id, status, lines, currency, total_minor,
               placed_at, expires_at, seq)
           SELECT event_id, hold_id, buyer_id, status, lines::jsonb, currency, total_minor,
               placed_at, expires_at, seq
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
               $8::timestamptz[], $9::timestamptz[], $10::bigint[])
               AS hold (event_id, hold_id, buyer_id, status, lines, currency, total_minor,
                   placed_at, expires_at, seq)"#,
        &event_ids,
        &hold_ids,
        &buyer_ids,
        &statuses as _,
        &lines,
        &currencies as _,
        &totals,
        &placed_at as _,
        &expires_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn update(connection: &mut PgConnection, holds: &[ChangedHold]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = holds.iter().map(|hold| hold.event_id.0).collect();
    let hold_ids: Vec<Uuid> = holds.iter().map(|hold| hold.hold_id.0).collect();
    let statuses: Vec<Option<&str>> = holds
        .iter()
        .map(|hold| hold.status.map(HoldStatus::as_str))
        .collect();
    let expires_at: Vec<Option<Timestamp>> =
        holds.iter().map(|hold| hold.expires_at.map(timestamp)).collect();
    let seqs: Vec<i64> = holds.iter().map(|hold| seq_out(hold.seq)).collect();
    let updated = sqlx::query!(
        r#"UPDATE holds AS hold
           SET status = COALESCE(change.status, hold.status),
               expires_at = COALESCE(change.expires_at, hold.expires_at),
               seq = change.seq
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[])
               AS change (event_id, hold_id, status, expires_at, seq)
           WHERE hold.event_id = change.event_id AND hold.hold_id = change.hold_id"#,
        &event_ids,
        &hold_ids,
        &statuses as _,
        &expires_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    super::all_rows("holds", updated.rows_affected(), holds.len())
}
