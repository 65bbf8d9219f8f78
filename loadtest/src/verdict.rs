//! Whether what buyers were told is what the server has.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use goose::prelude::GooseUser;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::client::{Answer, Call};
use crate::events::Event;
use crate::ledger::Sale;
use crate::staff::{settled, succeed};

/// Most orders that are read back; spread over the whole run.
const READ_BACK_MAX: usize = 2_000;
/// Orders that cannot be read before the rest is not asked for: each takes a while, and fails the run already.
const UNREAD_MAX: u64 = 10;
/// Longest wait for the tables to be level with the journal.
const LEVEL_WITHIN: Duration = Duration::from_mins(1);

/// What the API says after the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Books {
    /// Tickets that there are to sell, in all events of the run.
    pub(crate) capacity: u64,
    /// Tickets sold, by the server's count.
    pub(crate) sold: u64,
    /// Tickets beyond a quota's capacity.
    pub(crate) oversold: u64,
    /// Orders that were acknowledged a second time.
    pub(crate) duplicate_orders: u64,
    /// Tickets that were given a second time.
    pub(crate) duplicate_tickets: u64,
    /// Acknowledged orders that were asked for again, and told.
    pub(crate) read_back: u64,
    /// Of those: missing, or not as they were told. With them, tickets that the server does not count as sold.
    pub(crate) lost_acknowledgements: u64,
    /// Acknowledged orders that were asked for again, and of which nothing is known: refused, or no answer.
    pub(crate) not_read_back: u64,
    /// Events whose counts could not be read, so that nothing is known of what was sold of them.
    pub(crate) not_counted: u64,
}

/// What became of an order that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    AsTold,
    /// Not there, or not as it was told.
    Lost,
    /// The server did not say.
    Unread,
}

impl Books {
    /// Adds an event's availability; `told` are the tickets of it that buyers were told of.
    fn add(&mut self, availability: &Value, told: u64) {
        let types = availability["ticket_types"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let count = |ticket_type: &Value, name: &str| ticket_type[name].as_u64().unwrap_or_default();
        let mut sold_here = 0;
        // Types of one quota show the same capacity and what is left of it, so each quota is counted once by what is
        // left: capacity = available + held + sold, over its types.
        let mut quotas: HashMap<&str, (u64, u64)> = HashMap::new();
        for ticket_type in types {
            let sold = count(ticket_type, "sold");
            sold_here += sold;
            let quota = ticket_type["quota_id"].as_str().unwrap_or_default();
            let entry = quotas.entry(quota).or_insert((count(ticket_type, "capacity"), 0));
            entry.1 += sold;
        }
        for (capacity, sold) in quotas.values() {
            self.capacity += capacity;
            self.oversold += sold.saturating_sub(*capacity);
        }
        self.sold += sold_here;
        self.lost_acknowledgements += told.saturating_sub(sold_here);
    }
}

/// Asks the API about each event and about orders that were acknowledged.
pub(crate) async fn read_back(
    user: &mut GooseUser,
    events: &[&Event],
    sales: &[&Sale],
    buyers: &[String],
) -> Books {
    let (duplicate_orders, duplicate_tickets) = duplicates(sales);
    let mut books = Books {
        duplicate_orders,
        duplicate_tickets,
        ..Books::default()
    };
    for event in events {
        let told = sales.iter().filter(|sale| sale.event_id == event.id);
        let told: usize = told.map(|sale| sale.ticket_ids.len()).sum();
        let call = Call::get(format!("{}/availability", event.path()));
        match succeed(user, &call).await {
            Ok(answer) => books.add(
                &with_quotas(answer.body, event),
                u64::try_from(told).unwrap_or(u64::MAX),
            ),
            Err(_) => books.not_counted += 1,
        }
    }
    let stride = sales.len().div_ceil(READ_BACK_MAX).max(1);
    for sale in sales.iter().step_by(stride) {
        if books.not_read_back >= UNREAD_MAX {
            books.not_read_back += 1;
            continue;
        }
        let token = buyers.get(sale.buyer).map_or("", String::as_str);
        let call = Call::get(format!("/v1/orders/{}", sale.order_id)).by(token);
        let answer = settled(user, &call).await.ok();
        match found(answer.as_ref(), sale) {
            Found::AsTold => books.read_back += 1,
            Found::Lost => {
                books.read_back += 1;
                books.lost_acknowledgements += 1;
            }
            Found::Unread => books.not_read_back += 1,
        }
    }
    books
}

/// Names the quota of each ticket type, which only staff see, as the run made it.
fn with_quotas(mut availability: Value, event: &Event) -> Value {
    if let Some(types) = availability["ticket_types"].as_array_mut() {
        for ticket_type in types {
            let id = ticket_type["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
            let made = event.types.iter().find(|made| Some(made.id) == id);
            ticket_type["quota_id"] = made.map(|made| made.quota_id.to_string()).into();
        }
    }
    availability
}

fn is_as_told(order: &Value, sale: &Sale) -> bool {
    let tickets = order["tickets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids: HashSet<_> = tickets
        .iter()
        .filter_map(|ticket| Uuid::parse_str(ticket["id"].as_str()?).ok())
        .collect();
    order["status"] == "confirmed"
        && order["total"]["amount"].as_i64() == Some(sale.total_minor)
        && ids.len() == sale.ticket_ids.len()
        && sale.ticket_ids.iter().all(|id| ids.contains(id))
}

fn found(answer: Option<&Answer>, sale: &Sale) -> Found {
    match answer {
        Some(answer) if answer.is_success() && is_as_told(&answer.body, sale) => Found::AsTold,
        Some(answer) if answer.is_success() || answer.status == 404 => Found::Lost,
        _ => Found::Unread,
    }
}

/// Orders and tickets that buyers were told of before.
fn duplicates(sales: &[&Sale]) -> (u64, u64) {
    let (mut orders, mut tickets) = (HashSet::new(), HashSet::new());
    let (mut orders_twice, mut tickets_twice) = (0, 0);
    for sale in sales {
        orders_twice += u64::from(!orders.insert(sale.order_id));
        for ticket in &sale.ticket_ids {
            tickets_twice += u64::from(!tickets.insert(*ticket));
        }
    }
    (orders_twice, tickets_twice)
}

/// Waits until the internal port says that the tables are level with the journal.
pub(crate) async fn settle(user: &mut GooseUser, internal: &str) {
    let level = async {
        loop {
            let answer = Call::get(format!("{internal}readyz?verbose"))
                .send(user, "settle")
                .await;
            if answer.is_ok_and(|answer| answer.body["write_behind_lag_records"] == 0) {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    // The auditor copes with tables that are behind.
    let _ = timeout(LEVEL_WITHIN, level).await;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sale(order: u128, tickets: &[u128]) -> Sale {
        Sale {
            order_id: Uuid::from_u128(order),
            event_id: Uuid::from_u128(9),
            ticket_ids: tickets.iter().copied().map(Uuid::from_u128).collect(),
            total_minor: 100,
            buyer: 0,
            at_ms: 0,
        }
    }

    fn order(tickets: &[u128]) -> Value {
        let tickets = tickets.iter().map(|id| json!({"id": Uuid::from_u128(*id)}));
        json!({"status": "confirmed", "total": {"amount": 100}, "tickets": tickets.collect::<Vec<_>>()})
    }

    #[test]
    fn a_quota_is_counted_once_however_many_types_it_has() {
        let kind =
            |quota: &str, capacity, sold| json!({"quota_id": quota, "capacity": capacity, "sold": sold});
        let availability = json!({"ticket_types": [kind("a", 10, 6), kind("a", 10, 5), kind("b", 3, 3)]});
        let mut books = Books::default();
        books.add(&availability, 14);
        let found = (
            books.capacity,
            books.sold,
            books.oversold,
            books.lost_acknowledgements,
        );
        assert_eq!(found, (13, 14, 1, 0));
    }

    #[test]
    fn a_ticket_that_was_told_and_not_sold_is_lost() {
        let mut books = Books::default();
        let types = json!({"ticket_types": [{"quota_id": "a", "capacity": 10, "sold": 4}]});
        books.add(&types, 6);
        assert_eq!((books.oversold, books.lost_acknowledgements), (0, 2));
    }

    #[test]
    fn what_was_told_twice_is_a_duplicate() {
        for (sales, found) in [
            (vec![sale(1, &[1]), sale(2, &[2, 3])], (0, 0)),
            (vec![sale(1, &[1]), sale(2, &[1, 2])], (0, 1)),
            (vec![sale(1, &[1]), sale(1, &[1])], (1, 1)),
            (vec![sale(1, &[1]), sale(1, &[2])], (1, 0)),
            (vec![sale(1, &[1, 1])], (0, 1)),
        ] {
            assert_eq!(duplicates(&sales.iter().collect::<Vec<_>>()), found);
        }
    }

    #[test]
    fn an_order_is_as_told_only_in_every_part() {
        let told = sale(1, &[1, 2]);
        assert!(is_as_told(&order(&[2, 1]), &told));
        for other in [order(&[1]), order(&[1, 3]), order(&[1, 2, 3]), Value::Null] {
            assert!(!is_as_told(&other, &told), "{other}");
        }
        for (field, value) in [("status", json!("pending")), ("total", json!({"amount": 99}))] {
            let mut other = order(&[1, 2]);
            other[field] = value;
            assert!(!is_as_told(&other, &told), "{other}");
        }
    }

    #[test]
    fn only_what_the_server_says_is_lost() {
        let told = sale(1, &[1]);
        for (status, body, found_as) in [
            (200, order(&[1]), Found::AsTold),
            (200, order(&[2]), Found::Lost),
            (404, Value::Null, Found::Lost),
            (401, Value::Null, Found::Unread),
            (500, Value::Null, Found::Unread),
        ] {
            let answer = Answer {
                status,
                body,
                ..Answer::default()
            };
            assert_eq!(found(Some(&answer), &told), found_as, "{status}");
        }
        assert_eq!(found(None, &told), Found::Unread);
    }
}
