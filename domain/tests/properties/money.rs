//! Money that goes back by ticket adds up to what was paid, however it is split.

use onsale_domain::price::totals;
use onsale_domain::{Inventory, Record, Tax, TicketType, UnixMillis};
use proptest::prelude::*;

use super::common::*;

/// Price, fee and tax of a ticket type, and how many tickets of it are bought.
fn priced() -> impl Strategy<Value = (TicketType, i64)> {
    (0..20_000_i64, 0..500_i64, 0..=10_000_u16, any::<bool>(), 1..5_i64).prop_map(
        |(price, unit_fee_minor, basis_points, inclusive, quantity)| {
            let tax = Tax {
                basis_points,
                inclusive,
            };
            let ticket_type = TicketType {
                unit_fee_minor,
                tax,
                ..ticket_type(1, 1, price)
            };
            (ticket_type, quantity)
        },
    )
}

fn record(inventory: &mut Inventory, command: &onsale_domain::Command, at: i64) -> Record {
    match inventory.apply(command, UnixMillis(at)) {
        Ok(onsale_domain::Decision::Recorded(mut records)) => records.pop().unwrap(),
        other => panic!("{command:?} was answered {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn refunds_of_any_split_add_up_to_the_order(
        types in prop::collection::vec(priced(), 1..5),
        order in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(1..5_usize, 20),
    ) {
        let mut inventory = Inventory::default();
        let unlimited = onsale_domain::EventDetails { buyer_limit: None, ..details() };
        record(&mut inventory, &create(unlimited), START);
        record(&mut inventory, &set_quota(quota(1, 100), 1), START);
        let mut lines = Vec::new();
        for (number, (ticket_type, quantity)) in (1..).zip(types) {
            let ticket_type = TicketType { id: ticket_type_id(number), ..ticket_type };
            record(&mut inventory, &set_ticket_type(ticket_type, u64::from(number) + 1), START);
            lines.push((number, quantity));
        }
        record(&mut inventory, &change_status(onsale_domain::EventStatus::Published), START);
        let Record::HoldPlaced(placed) = record(&mut inventory, &place(1, 1, &lines), OPENS) else {
            panic!("a hold was expected")
        };
        let total = placed.total().unwrap();
        let parts = totals(&placed.lines).unwrap();
        let asked: i64 = placed
            .lines
            .iter()
            .map(|line| i64::from(line.quantity) * (line.unit_price_minor + line.unit_fee_minor))
            .sum();
        prop_assert!(asked <= total.amount_minor && total.amount_minor <= asked + parts.tax_minor);
        let count: u32 = placed.lines.iter().map(|line| line.quantity).sum();
        record(&mut inventory, &confirm(1, 1, total.amount_minor, count), OPENS);

        let mut tickets: Vec<u32> = (1_000..1_000 + count).collect();
        let turn = order.index(tickets.len());
        tickets.rotate_left(turn);
        let (mut back, mut cuts, mut number) = (0, cuts.into_iter(), 0);
        while !tickets.is_empty() {
            let rest = tickets.split_off(cuts.next().unwrap().min(tickets.len()));
            number += 1;
            let Record::TicketsRefunded(refunded) = record(&mut inventory, &refund(number, 1, &tickets), OPENS) else {
                panic!("a refund was expected")
            };
            prop_assert_eq!(refunded.is_last, rest.is_empty());
            prop_assert_eq!(Some(refunded.amount.amount_minor), totals(&refunded.lines).map(|totals| totals.total_minor));
            back += refunded.amount.amount_minor;
            tickets = rest;
            inventory.check_invariants().unwrap();
        }
        prop_assert_eq!(back, total.amount_minor);
    }
}
