//! Events, quotas and ticket types, with their counters.

use onsale_domain::{EventId, EventStatus, Quota, TicketType};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_out, timestamp};
use crate::projection::changes::{EventChange, RowChanges, UnitChange};

/// Ticket types come before the counters of quotas, which are found through them.
pub(in crate::projection) async fn definitions(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    if !changes.events.is_empty() {
        put_details(connection, changes).await?;
        change_events(connection, changes).await?;
    }
    if !changes.quotas.is_empty() {
        insert_quotas(connection, &changes.quotas).await?;
    }
    if !changes.ticket_types.is_empty() {
        put_ticket_types(connection, &changes.ticket_types).await?;
    }
    let units = Units::new(changes);
    if !units.event_ids.is_empty() {
        count_ticket_types(connection, &units).await?;
    }
    if !units.event_ids.is_empty() || !changes.quotas.is_empty() {
        change_quotas(connection, &changes.quotas, &units).await?;
    }
    Ok(())
}

/// Events change rarely and have many columns: one JSON parameter carries the rows.
async fn put_details(connection: &mut PgConnection, changes: &RowChanges) -> Result<(), DatabaseError> {
    let rows: Vec<Value> = changes
        .events
        .iter()
        .filter_map(|(event_id, change)| details_row(*event_id, change))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"INSERT INTO events AS event (event_id, route, organization_id, name, description, venue, starts_at,
               time_zone, sales_open_at, sales_close_at, currency, hold_duration_ms, hold_lifetime_ms_max,
               buyer_limit, check_in_opens_at, re_entry, status, definition_version)
           SELECT event_id, route, organization_id, name, description, venue, starts_at,
               time_zone, sales_open_at, sales_close_at, currency, hold_duration_ms, hold_lifetime_ms_max,
               buyer_limit, check_in_opens_at, re_entry, status, definition_version
           FROM jsonb_to_recordset($1) AS detail (event_id uuid, route bigint, organization_id uuid, name text,
               description text, venue text, starts_at timestamptz, time_zone text, sales_open_at timestamptz,
               sales_close_at timestamptz, currency text, hold_duration_ms bigint, hold_lifetime_ms_max bigint,
               buyer_limit bigint, check_in_opens_at timestamptz, re_entry boolean, status text, definition_version bigint)
           ON CONFLICT ON CONSTRAINT events_pkey DO UPDATE SET
               organization_id = excluded.organization_id, name = excluded.name,
               description = excluded.description, venue = excluded.venue, starts_at = excluded.starts_at,
               time_zone = excluded.time_zone, sales_open_at = excluded.sales_open_at,
               sales_close_at = excluded.sales_close_at, currency = excluded.currency,
               hold_duration_ms = excluded.hold_duration_ms,
               hold_lifetime_ms_max = excluded.hold_lifetime_ms_max, buyer_limit = excluded.buyer_limit,
               check_in_opens_at = excluded.check_in_opens_at, re_entry = excluded.re_entry"#,
        Value::Array(rows)
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn details_row(event_id: EventId, change: &EventChange) -> Option<Value> {
    let details = change.details.as_ref()?;
    let instant = |at| timestamp(at).to_jiff().to_string();
    Some(json!({
        "event_id": event_id.0,
        "route": event_id.route().0,
        "organization_id": details.organization_id.0,
        "name": details.name,
        "description": details.description,
        "venue": details.venue,
        "starts_at": instant(details.starts_at),
        "time_zone": details.time_zone,
        "sales_open_at": instant(details.sales_window.opens_at),
        "sales_close_at": instant(details.sales_window.closes_at),
        "currency": details.currency.code(),
        "hold_duration_ms": details.hold_duration_ms,
        "hold_lifetime_ms_max": details.hold_lifetime_ms_max,
        "buyer_limit": details.buyer_limit,
        "check_in_opens_at": details.check_in_opens_at.map(instant),
        "re_entry": details.re_entry,
        // Only a new row takes it. An event that is edited without being created keeps its own.
        "status": change.status.unwrap_or(EventStatus::Draft).as_str(),
        "definition_version": change.version,
    }))
}

async fn change_events(connection: &mut PgConnection, changes: &RowChanges) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = changes.events.keys().map(|event_id| event_id.0).collect();
    let statuses: Vec<Option<&str>> = changes
        .events
        .values()
        .map(|change| change.status.map(EventStatus::as_str))
        .collect();
    let versions: Vec<i64> = changes
        .events
        .values()
        .map(|change| seq_out(change.version))
        .collect();
    let updated = sqlx::query!(
        r#"UPDATE events AS event
           SET status = COALESCE(change.status, event.status), definition_version = change.version
           FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS change (event_id, status, version)
           WHERE event.event_id = change.event_id"#,
        &event_ids,
        &statuses as _,
        &versions
    )
    .execute(connection)
    .await?;
    super::all_rows("events", updated.rows_affected(), event_ids.len())
}

/// New quotas only; what is set in earlier ones changes together with their counters, because a smaller capacity may
/// be allowed only by units that the same batch gives back.
async fn insert_quotas(
    connection: &mut PgConnection,
    quotas: &[(EventId, Quota)],
) -> Result<(), DatabaseError> {
    let columns = QuotaColumns::new(quotas);
    sqlx::query!(
        r#"INSERT INTO quotas (event_id, quota_id, position, name, capacity)
           SELECT setting.event_id, setting.quota_id,
               (SELECT count(*) FROM quotas AS own WHERE own.event_id = setting.event_id)
                   + row_number() OVER (PARTITION BY setting.event_id ORDER BY setting.ordinal) - 1,
               setting.name, setting.capacity
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY
               AS setting (event_id, quota_id, name, capacity, ordinal)
           WHERE NOT EXISTS (
               SELECT 1 FROM quotas AS present
               WHERE present.event_id = setting.event_id AND present.quota_id = setting.quota_id)"#,
        &columns.event_ids,
        &columns.quota_ids,
        &columns.names,
        &columns.capacities
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_ticket_types(
    connection: &mut PgConnection,
    ticket_types: &[(EventId, TicketType)],
) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = ticket_types.iter().map(|(id, _)| id.0).collect();
    let ids: Vec<Uuid> = ticket_types.iter().map(|(_, t)| t.id.0).collect();
    let quota_ids: Vec<Uuid> = ticket_types.iter().map(|(_, t)| t.quota_id.0).collect();
    let names: Vec<String> = ticket_types.iter().map(|(_, t)| t.name.clone()).collect();
    let prices: Vec<i64> = ticket_types.iter().map(|(_, t)| t.unit_price_minor).collect();
    let fees: Vec<i64> = ticket_types.iter().map(|(_, t)| t.unit_fee_minor).collect();
    let taxes: Vec<i32> = ticket_types
        .iter()
        .map(|(_, t)| i32::from(t.tax.basis_points))
        .collect();
    let inclusive: Vec<bool> = ticket_types.iter().map(|(_, t)| t.tax.inclusive).collect();
    sqlx::query!(
        r#"WITH setting AS (
               SELECT event_id, ticket_type_id, quota_id, name, unit_price_minor, unit_fee_minor,
                   tax_basis_points, tax_inclusive, ordinal
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::int[],
                   $8::boolean[]) WITH ORDINALITY
                   AS setting (event_id, ticket_type_id, quota_id, name, unit_price_minor, unit_fee_minor,
                       tax_basis_points, tax_inclusive, ordinal)
           ), changed AS (
               UPDATE ticket_types AS ticket_type
               SET quota_id = setting.quota_id, name = setting.name,
                   unit_price_minor = setting.unit_price_minor, unit_fee_minor = setting.unit_fee_minor,
                   tax_basis_points = setting.tax_basis_points, tax_inclusive = setting.tax_inclusive
               FROM setting
               WHERE ticket_type.event_id = setting.event_id
                 AND ticket_type.ticket_type_id = setting.ticket_type_id
           )
           INSERT INTO ticket_types (event_id, ticket_type_id, position, quota_id, name, unit_price_minor,
               unit_fee_minor, tax_basis_points, tax_inclusive)
           SELECT setting.event_id, setting.ticket_type_id,
               (SELECT count(*) FROM ticket_types AS own WHERE own.event_id = setting.event_id)
                   + row_number() OVER (PARTITION BY setting.event_id ORDER BY setting.ordinal) - 1,
               setting.quota_id, setting.name, setting.unit_price_minor, setting.unit_fee_minor,
               setting.tax_basis_points, setting.tax_inclusive
           FROM setting
           WHERE NOT EXISTS (
               SELECT 1 FROM ticket_types AS present
               WHERE present.event_id = setting.event_id
                 AND present.ticket_type_id = setting.ticket_type_id)"#,
        &event_ids,
        &ids,
        &quota_ids,
        &names,
        &prices,
        &fees,
        &taxes,
        &inclusive
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn count_ticket_types(connection: &mut PgConnection, units: &Units) -> Result<(), DatabaseError> {
    let updated = sqlx::query!(
        r#"UPDATE ticket_types AS ticket_type
           SET held = ticket_type.held + change.held, sold = ticket_type.sold + change.sold
           FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
               AS change (event_id, ticket_type_id, held, sold)
           WHERE ticket_type.event_id = change.event_id
             AND ticket_type.ticket_type_id = change.ticket_type_id"#,
        &units.event_ids,
        &units.ticket_type_ids,
        &units.held,
        &units.sold
    )
    .execute(connection)
    .await?;
    super::all_rows("ticket_types", updated.rows_affected(), units.event_ids.len())
}

async fn change_quotas(
    connection: &mut PgConnection,
    quotas: &[(EventId, Quota)],
    units: &Units,
) -> Result<(), DatabaseError> {
    let columns = QuotaColumns::new(quotas);
    sqlx::query!(
        r#"WITH setting AS (
               SELECT event_id, quota_id, name, capacity
               FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
                   AS setting (event_id, quota_id, name, capacity)
           ), counted AS (
               SELECT ticket_type.event_id, ticket_type.quota_id,
                   sum(change.held)::bigint AS held, sum(change.sold)::bigint AS sold
               FROM unnest($5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[])
                   AS change (event_id, ticket_type_id, held, sold)
               JOIN ticket_types AS ticket_type
                 ON ticket_type.event_id = change.event_id
                AND ticket_type.ticket_type_id = change.ticket_type_id
               GROUP BY ticket_type.event_id, ticket_type.quota_id
           ), change AS (
               SELECT COALESCE(setting.event_id, counted.event_id) AS event_id,
                   COALESCE(setting.quota_id, counted.quota_id) AS quota_id,
                   setting.name, setting.capacity, counted.held, counted.sold
               FROM setting FULL JOIN counted
                 ON counted.event_id = setting.event_id AND counted.quota_id = setting.quota_id
           )
           UPDATE quotas AS quota
           SET name = COALESCE(change.name, quota.name),
               capacity = COALESCE(change.capacity, quota.capacity),
               held = quota.held + COALESCE(change.held, 0),
               sold = quota.sold + COALESCE(change.sold, 0)
           FROM change
           WHERE quota.event_id = change.event_id AND quota.quota_id = change.quota_id"#,
        &columns.event_ids,
        &columns.quota_ids,
        &columns.names,
        &columns.capacities,
        &units.event_ids,
        &units.ticket_type_ids,
        &units.held,
        &units.sold
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The quotas that were set, column by column.
struct QuotaColumns {
    event_ids: Vec<Uuid>,
    quota_ids: Vec<Uuid>,
    names: Vec<String>,
    capacities: Vec<i64>,
}

impl QuotaColumns {
    fn new(quotas: &[(EventId, Quota)]) -> Self {
        Self {
            event_ids: quotas.iter().map(|(event_id, _)| event_id.0).collect(),
            quota_ids: quotas.iter().map(|(_, quota)| quota.id.0).collect(),
            names: quotas.iter().map(|(_, quota)| quota.name.clone()).collect(),
            capacities: quotas
                .iter()
                .map(|(_, quota)| i64::from(quota.capacity))
                .collect(),
        }
    }
}

/// The counters that changed, column by column.
struct Units {
    event_ids: Vec<Uuid>,
    ticket_type_ids: Vec<Uuid>,
    held: Vec<i64>,
    sold: Vec<i64>,
}

impl Units {
    fn new(changes: &RowChanges) -> Self {
        let counted = || {
            changes
                .units
                .iter()
                .filter(|(_, change)| **change != UnitChange::default())
        };
        Self {
            event_ids: counted().map(|((event_id, _), _)| event_id.0).collect(),
            ticket_type_ids: counted().map(|((_, id), _)| id.0).collect(),
            held: counted().map(|(_, change)| change.held).collect(),
            sold: counted().map(|(_, change)| change.sold).collect(),
        }
    }
}
