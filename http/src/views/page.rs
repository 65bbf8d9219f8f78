//! Pages of listings, and their cursors. Clients must not look into a cursor.

use onsale_domain::{EventId, UnixMillis};
use onsale_services::{EventCursor, Page};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One page of a listing.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageView<T: ToSchema> {
    /// The rows.
    data: Vec<T>,
    /// Whether more follow.
    has_more: bool,
    /// The `cursor` of the next page, where there is one.
    next_cursor: Option<String>,
}

impl<T: ToSchema> PageView<T> {
    /// The view of a page whose rows have these cursors.
    pub(crate) fn of<Row>(page: Page<Row>, cursor: fn(&Row) -> String, view: fn(Row) -> T) -> Self {
        let next_cursor = page.rows.last().filter(|_| page.has_more).map(cursor);
        Self {
            data: page.rows.into_iter().map(view).collect(),
            has_more: page.has_more,
            next_cursor,
        }
    }
}

/// The cursor after an event.
pub(crate) fn event_cursor(starts_at: UnixMillis, event_id: EventId) -> String {
    format!("{:016x}{}", starts_at.0, event_id.0.simple())
}

/// Reads [`event_cursor`].
pub(crate) fn parse_event_cursor(cursor: &str) -> Option<EventCursor> {
    let (millis, id) = cursor.split_at_checked(16)?;
    let millis = u64::from_str_radix(millis, 16).ok()?;
    Some(EventCursor {
        starts_at: UnixMillis(millis.cast_signed()),
        event_id: EventId(Uuid::try_parse(id).ok()?),
    })
}

/// Reads the cursor of a listing that is ordered by id.
pub(crate) fn parse_id_cursor<Id>(make: fn(Uuid) -> Id) -> impl FnOnce(&str) -> Option<Id> {
    move |cursor| Uuid::try_parse(cursor).ok().map(make)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_cursors_come_back() {
        for millis in [0, 1_795_000_000_000, -86_400_000] {
            let (starts_at, event_id) = (UnixMillis(millis), EventId(Uuid::from_u128(9)));
            let cursor = parse_event_cursor(&event_cursor(starts_at, event_id)).unwrap();
            assert_eq!((cursor.starts_at, cursor.event_id), (starts_at, event_id));
        }
        for bad in ["", "x", "0000000000000000", "é000000000000000é"] {
            assert!(parse_event_cursor(bad).is_none(), "{bad}");
        }
    }
}
