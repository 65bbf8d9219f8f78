//! Paying as a saga: whatever the provider answers, whatever answer is lost, and wherever the process dies, the buyer
//! ends with tickets or with the money, and never with neither or both.
//!
//! The provider here remembers across crashes, as a real one does; the journal and Postgres do too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "support/provider.rs"]
mod provider;
#[path = "support/shop.rs"]
mod shop;
#[path = "../../engine/tests/support/mod.rs"]
mod support;

use onsale_domain::Refusal;
use onsale_domain::limits::PAYMENT_WINDOW_MS;
use onsale_services::{JobOutcome, OrderStatus, PaymentStatus, ServiceError};
use provider::{Answer, State};
use shop::{PRICE, Shop, TOTAL};

/// After this the order has no tickets set aside any more.
const TOO_LONG_MS: i64 = PAYMENT_WINDOW_MS + 60_000;

/// What the provider does when it is asked, what it decides later, and whether the order is sold in the end.
const COURSES: &[(&str, Answer, Option<State>, bool)] = &[
    ("authorized", Answer::Says(State::Authorized), None, true),
    ("captured at once", Answer::Says(State::Captured), None, true),
    (
        "authorized, and the answer is lost",
        Answer::Loses(State::Authorized),
        None,
        true,
    ),
    (
        "undecided, then authorized",
        Answer::Says(State::Pending),
        Some(State::Authorized),
        true,
    ),
    (
        "undecided, then declined",
        Answer::Says(State::Pending),
        Some(State::Declined),
        false,
    ),
    ("declined", Answer::Says(State::Declined), None, false),
    (
        "declined, and the answer is lost",
        Answer::Loses(State::Declined),
        None,
        false,
    ),
    ("never heard of it", Answer::Loses(State::Absent), None, false),
    ("not reached", Answer::Away, None, false),
];

#[tokio::test]
async fn every_course_ends_with_tickets_or_with_the_money() {
    for (course, answer, later, sells) in COURSES {
        for answers_lost in 0..3 {
            let mut shop = Shop::open(10).await;
            shop.provider.on_start(*answer);
            let _ = shop.buy("k").await;
            let order_id = shop.last_order().await;
            // The process dies with what it knew.
            shop.restart().await;
            if let Some(state) = later {
                shop.provider.becomes(order_id, *state);
            }
            shop.provider.lose_answers(answers_lost);
            shop.come_to_rest(order_id).await;

            let case = format!("{course}, {answers_lost} answers lost");
            let order = shop.order(order_id).await;
            let money = if *sells { TOTAL } else { 0 };
            assert_eq!(shop.provider.kept(order_id), money, "{case}");
            let (status, payment) = if *sells {
                (OrderStatus::Confirmed, PaymentStatus::Captured)
            } else {
                (OrderStatus::Cancelled, shop.payment(order_id).await)
            };
            assert_eq!(order.status, status, "{case}");
            assert_eq!(shop.payment(order_id).await, payment, "{case}");
            assert_eq!(order.tickets.len(), if *sells { 2 } else { 0 }, "{case}");
            let sold = if *sells { 2 } else { 0 };
            assert_eq!(shop.counts().await, (0, sold), "{case}");
        }
    }
}

#[tokio::test]
async fn the_key_tells_of_what_the_worker_decided() {
    for (state, sells) in [(State::Authorized, true), (State::Declined, false)] {
        let shop = Shop::open(10).await;
        shop.provider.on_start(Answer::Loses(state));
        shop.pending("k").await;
        let order_id = shop.last_order().await;
        shop.come_to_rest(order_id).await;
        let again = shop.buy("k").await;
        if sells {
            assert_eq!(again.unwrap().order.hold_id.0, order_id.0);
        } else {
            assert!(
                matches!(again, Err(ServiceError::PaymentDeclined { replayed: true })),
                "{again:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_late_success_gets_its_tickets_where_they_are_free_and_the_money_goes_back_where_they_are_not() {
    for (capacity, decision) in [(2, "reclaimed"), (2, "sold_out")] {
        let shop = Shop::open(capacity).await;
        shop.provider.on_start(Answer::Says(State::Pending));
        shop.pending("k").await;
        let order_id = shop.last_order().await;
        shop.clock.advance_ms(TOO_LONG_MS);
        shop.tick().await;
        if decision == "sold_out" {
            shop.provider.on_start(Answer::Says(State::Authorized));
            shop.buy("other").await.unwrap();
        }
        assert_eq!(shop.order(order_id).await.status, OrderStatus::Expired);
        shop.provider.becomes(order_id, State::Authorized);
        shop.come_to_rest(order_id).await;
        let order = shop.order(order_id).await;
        let reclaimed = decision == "reclaimed";
        assert_eq!(order.payment.unwrap().decision.as_deref(), Some(decision));
        assert_eq!(
            order.status,
            if reclaimed {
                OrderStatus::Confirmed
            } else {
                OrderStatus::Expired
            }
        );
        assert_eq!(shop.provider.kept(order_id), if reclaimed { TOTAL } else { 0 });
        assert_eq!(shop.counts().await, (0, 2));
    }
}

#[tokio::test]
async fn an_order_that_nobody_decides_is_let_go_when_its_time_is_over() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Says(State::Pending));
    shop.pending("k").await;
    let order_id = shop.last_order().await;
    assert!(matches!(shop.work(order_id).await.unwrap(), JobOutcome::Later(_)));
    shop.clock.advance_ms(TOO_LONG_MS);
    shop.tick().await;
    shop.come_to_rest(order_id).await;
    assert_eq!(shop.payment(order_id).await, PaymentStatus::Voided);
    let decision = shop.order(order_id).await.payment.unwrap().decision;
    assert_eq!(decision.as_deref(), Some("undecided_in_time"));
    // What comes now finds nothing to pay.
    shop.provider.becomes(order_id, State::Authorized);
    assert_eq!(shop.provider.kept(order_id), 0);
}

#[tokio::test]
async fn a_provider_that_is_away_decides_nothing() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Loses(State::Authorized));
    shop.pending("k").await;
    let order_id = shop.last_order().await;
    shop.provider.lose_answers(u32::MAX);
    shop.clock.advance_ms(TOO_LONG_MS);
    shop.tick().await;
    for _ in 0..3 {
        assert!(shop.work(order_id).await.is_err());
    }
    assert_eq!(shop.payment(order_id).await, PaymentStatus::Pending);
    shop.provider.lose_answers(0);
    shop.come_to_rest(order_id).await;
    assert_eq!(shop.provider.kept(order_id), TOTAL);
    assert_eq!(shop.order(order_id).await.tickets.len(), 2);
}

#[tokio::test]
async fn another_amount_is_put_aside_and_never_sold() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Says(State::Other));
    shop.pending("k").await;
    let order_id = shop.last_order().await;
    shop.come_to_rest(order_id).await;
    assert_eq!(shop.payment(order_id).await, PaymentStatus::Quarantined);
    shop.clock.advance_ms(TOO_LONG_MS);
    shop.tick().await;
    shop.come_to_rest(order_id).await;
    let order = shop.order(order_id).await;
    assert_eq!((order.status, order.tickets.len()), (OrderStatus::Expired, 0));
    assert_eq!(
        shop.payment(order_id).await,
        PaymentStatus::Quarantined,
        "staff decide"
    );
    let expired = shop.buy("k").await;
    assert!(Shop::is_refused(&expired, &Refusal::HoldExpired), "{expired:?}");
}

#[tokio::test]
async fn a_buyer_who_gives_up_a_pending_order_pays_nothing_even_if_it_was_paid_meanwhile() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Says(State::Pending));
    shop.pending("k").await;
    let order_id = shop.last_order().await;
    shop.provider.becomes(order_id, State::Captured);
    shop.cancel(order_id).await;
    shop.come_to_rest(order_id).await;
    assert_eq!(shop.payment(order_id).await, PaymentStatus::Voided);
    assert_eq!(shop.provider.kept(order_id), 0);
    assert_eq!(shop.counts().await, (0, 0));
}

#[tokio::test]
async fn a_cancelled_order_is_paid_back_before_and_after_its_capture_and_all_but_once() {
    for captured in [false, true] {
        for answers_lost in 0..2 {
            let mut shop = Shop::open(2).await;
            shop.provider.on_start(Answer::Says(State::Authorized));
            let order_id = shop.buy("k").await.unwrap().order.hold_id.into();
            if captured {
                shop.come_to_rest(order_id).await;
            }
            shop.cancel(order_id).await;
            shop.provider.lose_answers(answers_lost);
            shop.restart().await;
            shop.come_to_rest(order_id).await;
            let wanted = if captured {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::Voided
            };
            assert_eq!(shop.payment(order_id).await, wanted);
            assert_eq!(shop.provider.kept(order_id), 0);
            shop.come_to_rest(order_id).await;
            assert_eq!(shop.provider.kept(order_id), 0);
        }
    }
}

#[tokio::test]
async fn refunds_by_ticket_and_the_cancellation_of_the_rest_add_up() {
    for answers_lost in 0..3 {
        let mut shop = Shop::open(2).await;
        shop.provider.on_start(Answer::Says(State::Authorized));
        let bought = shop.buy("k").await.unwrap().order;
        let order_id = bought.hold_id.into();
        shop.come_to_rest(order_id).await;
        shop.refund(order_id, &[bought.tickets[0].id]).await;
        shop.provider.lose_answers(answers_lost);
        shop.restart().await;
        shop.come_to_rest(order_id).await;
        let order = shop.order(order_id).await;
        assert_eq!(
            (order.status, order.refunded_minor),
            (OrderStatus::PartiallyRefunded, PRICE)
        );
        assert_eq!(
            (order.refunds.len(), order.refunds[0].status.as_str()),
            (1, "succeeded")
        );
        assert_eq!(order.refunds[0].tickets, [bought.tickets[0].id]);
        assert_eq!(shop.provider.kept(order_id), TOTAL - PRICE);

        shop.cancel(order_id).await;
        shop.provider.lose_answers(answers_lost);
        shop.come_to_rest(order_id).await;
        assert_eq!(shop.payment(order_id).await, PaymentStatus::Refunded);
        assert_eq!(shop.provider.kept(order_id), 0);
        assert_eq!(shop.counts().await, (0, 0));
    }
}

#[tokio::test]
async fn a_refund_of_every_ticket_refunds_the_payment() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Says(State::Authorized));
    let bought = shop.buy("k").await.unwrap().order;
    let order_id = bought.hold_id.into();
    // Before it is captured, and in two parts.
    for ticket in &bought.tickets {
        shop.refund(order_id, &[ticket.id]).await;
    }
    shop.come_to_rest(order_id).await;
    let order = shop.order(order_id).await;
    assert_eq!((order.status, order.refunds.len()), (OrderStatus::Refunded, 2));
    assert_eq!(shop.payment(order_id).await, PaymentStatus::Refunded);
    assert_eq!(shop.provider.kept(order_id), 0);
}

#[tokio::test]
async fn a_hundred_hints_at_once_are_one_job_and_a_hundred_runs_one_order() {
    let shop = Shop::open(2).await;
    shop.provider.on_start(Answer::Loses(State::Authorized));
    shop.pending("k").await;
    let order_id = shop.last_order().await;
    let hints = (0..100).map(|_| shop.hint(order_id));
    assert!(futures::future::join_all(hints).await.iter().all(Result::is_ok));
    assert_eq!(shop.jobs(order_id).await, 1);
    let runs = (0..100).map(|_| shop.work(order_id));
    assert!(futures::future::join_all(runs).await.iter().any(Result::is_ok));
    shop.come_to_rest(order_id).await;
    assert_eq!(shop.provider.kept(order_id), TOTAL);
    assert_eq!(shop.order(order_id).await.tickets.len(), 2);
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn news_in_any_order_leads_to_the_same_order() {
    let news = [State::Absent, State::Pending, State::Authorized];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let shop = Shop::open(2).await;
        shop.provider.on_start(Answer::Loses(State::Absent));
        shop.pending("k").await;
        let order_id = shop.last_order().await;
        for state in order.map(|place| news[place]) {
            // Each is told by a hint, and seen when the worker looks.
            shop.provider.tells(order_id, state);
            shop.hint(order_id).await.unwrap();
            let _ = shop.work(order_id).await;
        }
        shop.provider.tells(order_id, State::Authorized);
        shop.come_to_rest(order_id).await;
        let sold = shop.order(order_id).await;
        assert_eq!(
            (sold.status, sold.tickets.len()),
            (OrderStatus::Confirmed, 2),
            "{order:?}"
        );
        assert_eq!(shop.provider.kept(order_id), TOTAL, "{order:?}");
    }
}
