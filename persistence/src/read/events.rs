//! Events.

use jiff_sqlx::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::{EventId, EventStatus, OrganizationId, Sequence, UnixMillis};
use uuid::Uuid;

use super::status::{currency, event_status};
use crate::convert::{count_in, limit_out, millis, seq_in, timestamp, uuids};
use crate::{Database, DatabaseError};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Identity.
    pub event_id: EventId,
    /// Owner.
    pub organization_id: OrganizationId,
    /// Title.
    pub name: String,
    /// Longer text; may be empty.
    pub description: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone.
    pub time_zone: String,
    /// First instant of the sale.
    pub sales_open_at: UnixMillis,
    /// First instant after the sale.
    pub sales_close_at: UnixMillis,
    /// Currency of every price.
    pub currency: Currency,
    /// How long a new hold lives.
    pub hold_duration_ms: i64,
    /// Longest life of a hold with its extensions.
    pub hold_lifetime_ms_max: i64,
    /// Most live tickets of one buyer.
    pub buyer_limit: Option<u64>,
    /// Nobody is let in before.
    pub check_in_opens_at: Option<UnixMillis>,
    /// Whether who went out may come in again.
    pub re_entry: bool,
    /// Where it stands.
    pub status: EventStatus,
    /// Version of the definition, for `If-Match`.
    pub definition_version: Sequence,
}

/// Which events to list. An empty one lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Part of the name or the venue, in any case.
    pub q: Option<String>,
    /// Starts at this instant or later.
    pub from: Option<UnixMillis>,
    /// Starts before this instant.
    pub to: Option<UnixMillis>,
    /// Stands in one of these states; empty: any.
    pub statuses: Vec<EventStatus>,
    /// Belongs to one of these organizations; `None`: to any.
    pub organizations: Option<Vec<OrganizationId>>,
}

/// The last event of a page; the next page starts after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCursor {
    /// When it starts.
    pub starts_at: UnixMillis,
    /// Its id.
    pub event_id: EventId,
}

/// As the columns come.
struct RawEvent {
    event_id: Uuid,
    organization_id: Uuid,
    name: String,
    description: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
    sales_open_at: Timestamp,
    sales_close_at: Timestamp,
    currency: String,
    hold_duration_ms: i64,
    hold_lifetime_ms_max: i64,
    buyer_limit: Option<i64>,
    check_in_opens_at: Option<Timestamp>,
    re_entry: bool,
    status: String,
    definition_version: i64,
}

impl TryFrom<RawEvent> for EventRow {
    type Error = DatabaseError;

    fn try_from(raw: RawEvent) -> Result<Self, DatabaseError> {
        Ok(Self {
            event_id: EventId(raw.event_id),
            organization_id: OrganizationId(raw.organization_id),
            name: raw.name,
            description: raw.description,
            venue: raw.venue,
            starts_at: millis(raw.starts_at),
            time_zone: raw.time_zone,
            sales_open_at: millis(raw.sales_open_at),
            sales_close_at: millis(raw.sales_close_at),
            currency: currency(&raw.currency)?,
            hold_duration_ms: raw.hold_duration_ms,
            hold_lifetime_ms_max: raw.hold_lifetime_ms_max,
            buyer_limit: raw.buyer_limit.map(count_in),
            check_in_opens_at: raw.check_in_opens_at.map(millis),
            re_entry: raw.re_entry,
            status: event_status(&raw.status)?,
            definition_version: seq_in(raw.definition_version),
        })
    }
}

impl Database {
    /// Events in the order in which they start, from the one after `after`.
    pub async fn events(
        &self,
        filter: &EventFilter,
        after: Option<EventCursor>,
        limit: usize,
    ) -> Result<Vec<EventRow>, DatabaseError> {
        let statuses: Vec<&str> = filter.statuses.iter().map(|s| s.as_str()).collect();
        sqlx::query_as!(
            RawEvent,
            r#"SELECT event_id, organization_id, name, description, venue,
                   starts_at AS "starts_at: Timestamp", time_zone,
                   sales_open_at AS "sales_open_at: Timestamp", sales_close_at AS "sales_close_at: Timestamp",
                   currency, hold_duration_ms, hold_lifetime_ms_max, buyer_limit,
                   check_in_opens_at AS "check_in_opens_at: Timestamp", re_entry, status, definition_version
               FROM events
               WHERE ($1::text IS NULL OR name ILIKE $1 OR venue ILIKE $1)
                 AND ($2::timestamptz IS NULL OR starts_at >= $2)
                 AND ($3::timestamptz IS NULL OR starts_at < $3)
                 AND (cardinality($4::text[]) = 0 OR status = ANY($4))
                 AND ($5::uuid[] IS NULL OR organization_id = ANY($5))
                 AND ($6::timestamptz IS NULL OR (starts_at, event_id) > ($6, $7::uuid))
               ORDER BY starts_at, event_id LIMIT $8"#,
            filter.q.as_deref().map(containing),
            filter.from.map(timestamp) as _,
            filter.to.map(timestamp) as _,
            &statuses as _,
            uuids(filter.organizations.as_deref()) as _,
            after.map(|after| timestamp(after.starts_at)) as _,
            after.map(|after| after.event_id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(EventRow::try_from)
        .collect()
    }
}

/// A pattern for names that contain the text; the text's own wildcards stand for themselves.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.replace('\0', "").chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_of_a_search_stand_for_themselves() {
        assert_eq!(super::containing(r"50%_\"), r"%50\%\_\\%");
    }
}
