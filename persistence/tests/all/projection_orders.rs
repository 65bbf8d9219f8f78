//! What becomes of an order, its payment, its tickets and its jobs, however the records are cut into batches.

use std::collections::BTreeSet;

use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, Direction, OrderId, PackageOrderId};
use onsale_engine::port::ProjectionSink;
use onsale_persistence::audit::Rows;
use onsale_persistence::{JobKind, PaymentStatus, PostgresProjection};
use uuid::Uuid;

use crate::support::{Sale, TestDatabase};

/// What an order's rows must be in the end.
#[derive(Debug, PartialEq, Eq)]
struct End {
    order: &'static str,
    ended: bool,
    /// Its payment; `None` without one.
    payment: Option<&'static str>,
    refunded_minor: i64,
    /// The states of its tickets, in the order they were issued.
    tickets: &'static [&'static str],
}

fn end_of(rows: &Rows, sale: &Sale, order_id: OrderId) -> (String, bool, Option<String>, i64, Vec<String>) {
    let order = &rows.orders[&order_id.0];
    let tickets = sale.tickets_of(order_id);
    let status = |id: &onsale_domain::TicketId| rows.tickets[&id.0].status.clone();
    (
        order.status.clone(),
        order.ended_at_ms.is_some(),
        rows.payments
            .get(&order_id.0)
            .map(|payment| payment.status.clone()),
        order.refunded_minor,
        tickets.iter().map(status).collect(),
    )
}

/// Tells the story anew for each place where its records can be cut in two batches, and once as one batch.
async fn check(story: impl Fn(&mut Sale) -> OrderId, end: End) {
    let test = TestDatabase::new().await;
    let sink = PostgresProjection::new(test.database.clone());
    let mut cut = 0;
    loop {
        let mut sale = Sale::new();
        sink.project(&[sale.entry()]).await.expect("project");
        let order_id = story(&mut sale);
        let records = std::mem::take(&mut sale.records);
        if cut == records.len() {
            break;
        }
        for batch in [&records[..cut], &records[cut..]] {
            if !batch.is_empty() {
                let entry = sale.entry_of(batch);
                sink.project(&[entry]).await.expect("project");
            }
        }
        let rows = test.rows(sale.event_id).await;
        let expected = (
            end.order.to_owned(),
            end.ended,
            end.payment.map(str::to_owned),
            end.refunded_minor,
            end.tickets.iter().map(|status| (*status).to_owned()).collect(),
        );
        assert_eq!(
            end_of(&rows, &sale, order_id),
            expected,
            "cut before record {cut}"
        );
        cut += 1;
    }
    assert!(cut > 0);
}

#[tokio::test]
async fn a_purchase_in_one_call_is_confirmed() {
    check(
        |sale| {
            let hold = sale.place_paying(&[(3, 2)]);
            sale.confirm(hold)
        },
        End {
            order: "confirmed",
            ended: false,
            payment: Some("authorized"),
            refunded_minor: 0,
            tickets: &["valid", "valid"],
        },
    )
    .await;
}

#[tokio::test]
async fn a_cancelled_order_has_only_cancelled_tickets_also_where_they_were_scanned_or_transferred() {
    check(
        |sale| {
            let hold = sale.place(&[(0, 3)]);
            sale.try_start_payment(hold).expect("begins");
            let order_id = sale.confirm(hold);
            let tickets = sale.tickets_of(order_id);
            sale.scan(tickets[0], Direction::In);
            sale.transfer(tickets[1]);
            sale.refund(order_id, &tickets[2..]);
            sale.cancel(order_id).expect("cancelled");
            order_id
        },
        End {
            order: "cancelled",
            ended: false,
            payment: Some("voiding"),
            refunded_minor: 1_000,
            tickets: &["cancelled", "cancelled", "refunded"],
        },
    )
    .await;
}

#[tokio::test]
async fn a_reclaimed_order_has_not_ended() {
    check(
        |sale| {
            let hold = sale.place_paying(&[(1, 1)]);
            sale.now = sale.now.plus_ms(1_000_000);
            sale.apply(&Command::Advance);
            let order_id = sale.try_reclaim(hold).expect("free still");
            let tickets = sale.tickets_of(order_id);
            sale.transfer(tickets[0]);
            sale.scan(tickets[0], Direction::In);
            order_id
        },
        End {
            order: "confirmed",
            ended: false,
            payment: Some("authorized"),
            refunded_minor: 0,
            tickets: &["used"],
        },
    )
    .await;
}

#[tokio::test]
async fn refunds_ticket_by_ticket_end_in_a_refunded_order() {
    check(
        |sale| {
            let hold = sale.place_paying(&[(3, 2), (0, 1)]);
            let order_id = sale.confirm(hold);
            let tickets = sale.tickets_of(order_id);
            sale.scan(tickets[2], Direction::In);
            sale.refund(order_id, &tickets[..1]);
            sale.refund(order_id, &tickets[1..]);
            order_id
        },
        End {
            order: "refunded",
            ended: false,
            // 19.99 and 1.50 with 19 % on top, twice, and 10.00.
            payment: Some("authorized"),
            refunded_minor: 2 * (1_999 + 150 + 408) + 1_000,
            tickets: &["refunded", "refunded", "refunded"],
        },
    )
    .await;
}

#[tokio::test]
async fn orders_that_got_no_tickets_have_ended() {
    let release = |reason| {
        move |sale: &mut Sale| {
            let hold = sale.place(&[(0, 1)]);
            sale.try_start_payment(hold).expect("begins");
            sale.release_for(hold, reason).expect("released");
            hold.0.into()
        }
    };
    let end = |order, payment| End {
        order,
        ended: true,
        payment,
        refunded_minor: 0,
        tickets: &[],
    };
    let declined = release(ReleaseReason::PaymentDeclined);
    check(declined, end("cancelled", Some("declined"))).await;
    check(release(ReleaseReason::Buyer), end("cancelled", Some("voiding"))).await;
    let unavailable = release(ReleaseReason::PaymentUnavailable);
    check(unavailable, end("cancelled", Some("voiding"))).await;
    let expired = |sale: &mut Sale| {
        let hold = sale.place_paying(&[(0, 1)]);
        sale.now = sale.now.plus_ms(1_000_000);
        sale.apply(&Command::Advance);
        hold.0.into()
    };
    check(expired, end("expired", Some("pending"))).await;
}

#[tokio::test]
async fn a_leg_of_a_package_has_no_payment_of_its_own() {
    let leg = |sale: &mut Sale| {
        sale.try_place_leg((0, 2), PackageOrderId(Uuid::now_v7()))
            .expect("a valid leg")
    };
    check(
        |sale| {
            let hold = leg(sale);
            sale.confirm(hold)
        },
        End {
            order: "confirmed",
            ended: false,
            payment: None,
            refunded_minor: 0,
            tickets: &["valid", "valid"],
        },
    )
    .await;
    check(
        |sale| {
            let hold = leg(sale);
            sale.release_for(hold, ReleaseReason::Package).expect("released");
            hold.0.into()
        },
        End {
            order: "cancelled",
            ended: true,
            payment: None,
            refunded_minor: 0,
            tickets: &[],
        },
    )
    .await;
}

/// What happens to a hold.
type Step = fn(&mut Sale, crate::support::Held);

/// Where the payment worker has brought a payment, what the record is, and where it stands then.
#[tokio::test]
async fn records_do_not_undo_what_the_payment_worker_did() {
    use PaymentStatus::{
        Authorized, Captured, Declined, Pending, Quarantined, Refunded, Refunding, Voided, Voiding,
    };
    let test = TestDatabase::new().await;
    let sink = PostgresProjection::new(test.database.clone());
    let release = |sale: &mut Sale, hold| sale.release(hold).expect("released");
    let decline = |sale: &mut Sale, hold| {
        sale.release_for(hold, ReleaseReason::PaymentDeclined)
            .expect("released");
    };
    let confirm = |sale: &mut Sale, hold| {
        sale.confirm(hold);
    };
    let cases: [(PaymentStatus, Step, PaymentStatus); 12] = [
        (Pending, release, Voiding),
        (Voided, release, Voided),
        (Refunding, release, Refunding),
        (Refunded, release, Refunded),
        (Declined, release, Declined),
        (Quarantined, release, Quarantined),
        (Captured, release, Refunding),
        (Pending, decline, Declined),
        (Quarantined, decline, Quarantined),
        (Voided, decline, Voided),
        (Pending, confirm, Authorized),
        (Captured, confirm, Captured),
    ];
    for (from, step, to) in cases {
        let mut sale = Sale::new();
        let hold = sale.place_paying(&[(0, 1)]);
        sink.project(&[sale.entry()]).await.expect("project");
        let order_id = OrderId::from(hold.0);
        let marked = test
            .database
            .mark_payment(sale.event_id, order_id, Pending, from)
            .await
            .expect("mark");
        assert!(marked);
        step(&mut sale, hold);
        sink.project(&[sale.entry()]).await.expect("project");
        let rows = test.rows(sale.event_id).await;
        assert_eq!(rows.payments[&order_id.0].status, to.as_str(), "from {from:?}");
    }
}

#[tokio::test]
async fn jobs_are_asked_for_in_the_transaction_of_their_rows() {
    let test = TestDatabase::new().await;
    let sink = PostgresProjection::new(test.database.clone());
    let mut sale = Sale::new();
    let started = sale.now;
    let paying = sale.place_paying(&[(0, 1)]);
    let declined = sale.place_paying(&[(0, 1)]);
    sale.release_for(declined, ReleaseReason::PaymentDeclined)
        .expect("released");
    let plain = sale.place(&[(0, 1)]);
    let free = sale.place(&[(2, 1)]);
    let free = sale.confirm(free);
    sink.project(&[sale.entry()]).await.expect("project");
    // Pending payments are looked at only after the request that began them should have ended.
    let due = async |kind, at| {
        let claimed = test.database.claim_jobs(kind, at, 1_000, 100).await;
        let subjects = claimed.expect("claim").into_iter().map(|job| job.subject_id);
        subjects.collect::<BTreeSet<Uuid>>()
    };
    let none = BTreeSet::new();
    assert_eq!(due(JobKind::Payment, started.plus_ms(14_999)).await, none);
    assert_eq!(due(JobKind::TicketFiles, started).await, [free.0].into());
    let later = started.plus_ms(15_000);
    assert_eq!(due(JobKind::Payment, later).await, [paying.0.0].into());
    sale.now = started.plus_ms(1_000);
    let plain = sale.confirm(plain);
    sale.transfer(sale.tickets_of(free)[0]);
    sink.project(&[sale.entry()]).await.expect("project");
    let at = started.plus_ms(20_000);
    assert_eq!(due(JobKind::Payment, at).await, [paying.0.0, plain.0].into());
    assert_eq!(due(JobKind::TicketFiles, at).await, [free.0, plain.0].into());
}
