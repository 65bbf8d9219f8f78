//! The door over an engine in memory: who is let in, who is not and why, and gates without a connection. Postgres is
//! away throughout: nobody listens where it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "support/door.rs"]
mod door;
#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use door::*;
use futures::FutureExt as _;
use onsale_domain::command::{CancelledBy, ConfirmHold, RefundTickets, ScanTicket, TransferTicket};
use onsale_domain::id::TicketCode;
use onsale_domain::{
    BuyerId, Command, Direction, EventDetails, EventId, EventStatus, HoldId, OrderId, RefundId, Refusal,
    ScanDigest, SessionId, TicketId, UnixMillis, UserId,
};
use onsale_persistence::{Database, DatabaseConfig, FolderStore, LinkSecrets};
use onsale_services::{
    ACCESS_TOKEN_LIFETIME_MS, AuditWriter, BundleCursor, CheckIn, CheckInRequest, Dependencies, EngineError,
    Gateways, Grant, OfflineScan, Origin, ScanRefusal, ServiceError, Services, ServicesConfig,
    SimulatedGateway, StaffMember, StaffScope, SyncedScan, TicketKeys, TicketPass, TokenKeys, Tokens,
};
use support::{BUYER, Fixture, at_once};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test]
async fn a_ticket_lets_in_once_by_its_printed_code_or_its_signed_text() {
    let door = Door::open().await;
    let [printed, signed] = door.buy(2).await[..] else {
        panic!("two tickets")
    };
    let typed = printed.code.to_string().to_lowercase();
    let typed = format!("{}-{} {}", &typed[..4], &typed[4..10], &typed[10..]);
    let first = door.scan(&typed, "North", "1").await.unwrap();
    assert_eq!(
        (first.ticket_id, first.ticket_type.as_str()),
        (printed.id, "Free")
    );
    let now = door.services.now();
    assert_eq!((first.scanned_at, first.replayed), (now, false));
    assert_eq!(refusal(door.scan(&typed, "South", "1").await), used_at_north(now));

    let pass = door.pass(signed.id, door.fixture.event_id, 1);
    let second = door.scan(&pass, "North", "2").await.unwrap();
    assert_eq!(second.ticket_id, signed.id);
    let printed = door.scan(&signed.code.to_string(), "North", "3").await;
    assert_eq!(refusal(printed), used_at_north(now));
}

#[tokio::test]
async fn a_hundred_gates_at_once_let_one_in() {
    let door = Door::open().await;
    let ticket = door.ticket().await;
    let scans = (0..100).map(|gate| {
        let (services, staff) = (door.services.clone(), door.staff.clone());
        let request = door.request(&ticket.code.to_string(), &format!("Gate {gate}"), "1");
        async move { services.check_in(&staff, request).await }.boxed()
    });
    let answers = at_once(scans.collect()).await;
    let admitted: Vec<_> = answers.iter().flatten().map(|scan| scan.gate.clone()).collect();
    assert_eq!(admitted.len(), 1);
    for answer in answers {
        if let Err(error) = answer {
            let Refusal::AlreadyUsed { gate, .. } = refusal(Err(error)) else {
                panic!("another reason")
            };
            assert_eq!(gate, admitted[0], "everybody is told where");
        }
    }
    let counts = door
        .services
        .door_counts(&door.staff, door.fixture.event_id)
        .await
        .unwrap();
    assert_eq!((counts.inside(), counts.tickets, counts.tickets_used), (1, 1, 1));
    assert_eq!(counts.gates.len(), 1);
}

#[tokio::test]
async fn a_repeat_with_its_nonce_gets_the_first_answer_also_from_another_process() {
    let door = Door::open().await;
    let ticket = door.ticket().await;
    let code = ticket.code.to_string();
    let first = door.scan(&code, "North", "1").await.unwrap();
    door.fixture.clock.advance_ms(60_000);
    let repeated = CheckIn {
        replayed: true,
        ..first
    };
    assert_eq!(door.scan(&code, "North", "1").await.unwrap(), repeated);
    let signed = door.pass(ticket.id, door.fixture.event_id, 1);
    assert_eq!(door.scan(&signed, "North", "1").await.unwrap(), repeated);
    let door = door.restarted().await;
    assert_eq!(door.scan(&code, "North", "1").await.unwrap(), repeated);
    assert!(matches!(
        refusal(door.scan(&code, "North", "2").await),
        Refusal::AlreadyUsed { .. }
    ));
}

#[tokio::test]
async fn what_does_not_let_in_is_refused_with_its_reason() {
    let door = Door::open().await;
    let [transferred, refunded, cancelled] = [door.ticket().await, door.buy(2).await[0], door.ticket().await];
    let new_code = TicketCode([9; 10]);
    door.transfer(transferred, new_code).await;
    door.execute(Command::RefundTickets(Box::new(RefundTickets {
        refund_id: RefundId(Uuid::now_v7()),
        order_id: refunded.order_id,
        tickets: vec![refunded.id],
        key: None,
    })))
    .await;
    door.execute(Command::CancelOrder {
        order_id: cancelled.order_id,
        by: CancelledBy::Staff,
    })
    .await;
    let event_id = door.fixture.event_id;
    let mut forged = door.pass(transferred.id, event_id, 2);
    forged.replace_range(100..101, if &forged[100..101] == "A" { "B" } else { "A" });
    for (shown, wanted) in [
        (transferred.code.to_string(), Refusal::CodeTransferred),
        (door.pass(transferred.id, event_id, 1), Refusal::CodeTransferred),
        (refunded.code.to_string(), Refusal::TicketRefunded),
        (cancelled.code.to_string(), Refusal::TicketCancelled),
        (TicketCode([1; 10]).to_string(), Refusal::UnknownCode),
        (
            door.pass(TicketId(Uuid::now_v7()), event_id, 1),
            Refusal::UnknownCode,
        ),
        (door.pass(transferred.id, event_id, 3), Refusal::UnknownCode),
        (forged, Refusal::UnknownCode),
        ("not a code".to_owned(), Refusal::UnknownCode),
        (String::new(), Refusal::UnknownCode),
    ] {
        assert_eq!(refusal(door.scan(&shown, "North", "1").await), wanted, "{shown}");
    }
    let elsewhere = door.pass(transferred.id, EventId(Uuid::now_v7()), 2);
    let answer = door.scan(&elsewhere, "North", "1").await;
    assert!(matches!(answer, Err(ServiceError::WrongEvent)), "{answer:?}");
    for gate in ["", "  ", "a\0b", &"g".repeat(201)] {
        let answer = refusal(door.scan(&new_code.to_string(), gate, "1").await);
        assert_eq!(answer, Refusal::InvalidField { field: "gate" }, "{gate:?}");
    }
    let out = door.scan_out(&new_code.to_string(), "1").await;
    assert!(matches!(refusal(out), Refusal::NotLeaving { .. }));
    assert!(door.scan(&new_code.to_string(), "North", "1").await.is_ok());
}

#[tokio::test]
async fn nobody_is_let_in_before_the_doors_open_nor_to_a_cancelled_event() {
    let door = Door::open().await;
    let ticket = door.ticket().await;
    let opens_at = door.services.now().plus_ms(60_000);
    door.edit(|details| details.check_in_opens_at = Some(opens_at))
        .await;
    let code = ticket.code.to_string();
    let early = refusal(door.scan(&code, "North", "1").await);
    assert_eq!(early, Refusal::CheckInTooEarly { opens_at });
    door.fixture.clock.advance_ms(60_000);
    let inside = door.scan(&code, "North", "1").await.unwrap();
    door.execute(Command::ChangeStatus {
        to: EventStatus::Cancelled,
        expected_version: None,
    })
    .await;
    assert_eq!(
        refusal(door.scan(&code, "North", "2").await),
        Refusal::EventCancelled
    );
    assert_eq!(door.scan(&code, "North", "1").await.unwrap().seq, inside.seq);
}

#[tokio::test]
async fn where_re_entry_is_allowed_scans_in_and_out_alternate_and_each_repeat_is_known() {
    let door = Door::open().await;
    door.edit(|details| details.re_entry = true).await;
    let ticket = door.ticket().await;
    let code = ticket.code.to_string();
    assert!(matches!(
        refusal(door.scan_out(&code, "0").await),
        Refusal::NotLeaving { .. }
    ));
    let first = door.scan(&code, "North", "1").await.unwrap();
    assert_eq!(
        refusal(door.scan(&code, "South", "1").await),
        used_at_north(first.scanned_at)
    );
    let left = door.scan_out(&code, "2").await.unwrap();
    // The answer to the first scan was lost, and its repeat comes late: nobody is let in by it.
    let late = door.scan(&code, "North", "1").await.unwrap();
    assert_eq!((late.seq, late.replayed), (first.seq, true));
    let back = door.scan(&code, "South", "3").await.unwrap();
    assert_eq!(door.scan_out(&code, "2").await.unwrap().seq, left.seq);
    assert_eq!(door.scan(&code, "South", "3").await.unwrap().seq, back.seq);
    let counts = door
        .services
        .door_counts(&door.staff, door.fixture.event_id)
        .await
        .unwrap();
    assert_eq!(counts.inside(), 1);
    let of_gates: Vec<_> = counts
        .gates
        .iter()
        .map(|(gate, counts)| (gate.as_str(), counts.entries, counts.exits))
        .collect();
    assert_eq!(of_gates, [("North", 1, 1), ("South", 1, 0)]);
}

#[tokio::test]
async fn two_offline_gates_with_the_same_ticket_reconcile_to_one_admission_in_either_order() {
    for order in [["North", "South"], ["South", "North"]] {
        let door = Door::open().await;
        let ticket = door.ticket().await;
        let scans = [
            ("North", door.offline(ticket, "n", Direction::In, 1_000)),
            ("South", door.offline(ticket, "s", Direction::In, 2_000)),
        ];
        door.fixture.clock.advance_ms(10_000);
        for round in 0..2 {
            for (turn, gate) in order.into_iter().enumerate() {
                let (_, scan) = scans.iter().find(|(name, _)| *name == gate).unwrap();
                let synced = door.sync(gate, std::slice::from_ref(scan)).await;
                match (turn, &synced[0].outcome) {
                    (0, Ok(admitted)) => {
                        assert_eq!(admitted.scanned_at, scan.scanned_at);
                        assert_eq!(admitted.replayed, round == 1);
                    }
                    (1, Err(ScanRefusal::Rule(Refusal::AlreadyUsed { gate, .. }))) => {
                        assert_eq!(gate, order[0], "the duplicate says where");
                    }
                    (_, outcome) => panic!("{order:?} {turn}: {outcome:?}"),
                }
            }
        }
        let counts = door
            .services
            .door_counts(&door.staff, door.fixture.event_id)
            .await
            .unwrap();
        assert_eq!((counts.inside(), counts.gates.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_repeated_report_of_a_whole_evening_changes_nothing() {
    let door = Door::open().await;
    door.edit(|details| details.re_entry = true).await;
    let [first, second] = door.buy(2).await[..] else {
        panic!("two tickets")
    };
    let evening = [
        door.offline(first, "1", Direction::In, 1_000),
        door.offline(second, "2", Direction::In, 2_000),
        door.offline(first, "3", Direction::Out, 3_000),
        door.offline(first, "4", Direction::In, 4_000),
        door.offline(second, "5", Direction::In, 5_000),
        door.offline(second, "6", Direction::Out, 6_000),
    ];
    door.fixture.clock.advance_ms(10_000);
    let outcomes = |synced: Vec<SyncedScan>| -> Vec<_> {
        let seq = |scan: SyncedScan| scan.outcome.map(|check_in| check_in.seq);
        synced.into_iter().map(seq).collect()
    };
    let told = outcomes(door.sync("North", &evening).await);
    let admitted: Vec<_> = told.iter().map(Result::is_ok).collect();
    assert_eq!(admitted, [true, true, true, true, false, true]);
    let last = door.fixture.journal.last_seq(door.fixture.event_id);
    let again = outcomes(door.sync("North", &evening).await);
    assert_eq!(again[..4], told[..4]);
    assert!(again[4].is_err());
    assert_eq!(again[5], told[5]);
    assert_eq!(door.fixture.journal.last_seq(door.fixture.event_id), last);
}

#[tokio::test]
async fn a_scan_that_is_reported_after_a_later_one_has_lost_against_it() {
    let door = Door::open().await;
    door.edit(|details| details.re_entry = true).await;
    let ticket = door.ticket().await;
    let copied = door.offline(ticket, "c", Direction::In, -5_000);
    let code = ticket.code.to_string();
    door.scan(&code, "North", "1").await.unwrap();
    door.scan_out(&code, "2").await.unwrap();
    let synced = door.sync("South", &[copied]).await;
    assert!(matches!(
        synced[0].outcome,
        Err(ScanRefusal::Rule(Refusal::AlreadyUsed { .. }))
    ));
}

#[tokio::test]
async fn a_scan_and_a_transfer_at_once_leave_one_winner() {
    for round in 0..50_u8 {
        let door = Door::open().await;
        let ticket = door.ticket().await;
        let new_code = TicketCode([round; 10]);
        let transfer = Command::TransferTicket(TransferTicket {
            ticket_id: ticket.id,
            from: BUYER,
            to: FRIEND,
            code: new_code,
            key: None,
        });
        let event_id = door.fixture.event_id;
        let code = ticket.code.to_string();
        let scanning = door.scan(&code, "North", "1");
        let transferring = door.fixture.engine.execute(event_id, transfer);
        let (scanned, transferred) = if round % 2 == 0 {
            tokio::join!(scanning, transferring)
        } else {
            let (transferred, scanned) = tokio::join!(transferring, scanning);
            (scanned, transferred)
        };
        match (scanned, transferred) {
            (Ok(_), Err(EngineError::Refused(Refusal::TicketUsed))) => {}
            (Err(error), Ok(_)) => {
                assert_eq!(refusal(Err(error)), Refusal::CodeTransferred);
                let friend = door.scan(&new_code.to_string(), "North", "2").await;
                assert_eq!(friend.unwrap().ticket_id, ticket.id);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_transferred_tickets_old_code_is_dead_before_the_transfer_is_answered() {
    let door = Door::open().await;
    let ticket = door.ticket().await;
    door.transfer(ticket, TicketCode([9; 10])).await;
    let scan = ScanTicket {
        presented: onsale_domain::Presented::Code(ticket.code),
        gate: "North".to_owned(),
        direction: Direction::In,
        scan: ScanDigest([1; 16]),
        scanned_at: None,
    };
    let answer = door
        .fixture
        .engine
        .execute(door.fixture.event_id, Command::ScanTicket(Box::new(scan)))
        .await;
    assert_eq!(
        answer.unwrap_err(),
        EngineError::Refused(Refusal::CodeTransferred)
    );
}

#[tokio::test]
async fn a_large_list_comes_in_signed_parts_that_fit_together() {
    let door = Door::with_audit_log(Fixture::on_sale(6_000).await).await;
    for _ in 0..51 {
        door.buy(100).await;
    }
    // A cursor is whatever a device sends; each part is noted in the audit log.
    let beginning = URL_SAFE_NO_PAD.encode([[7_u8; 16].as_slice(), &[0; 4]].concat());
    let mut cursor = BundleCursor::parse(&beginning);
    let (mut listed, mut parts) = (HashSet::new(), 0);
    while cursor.is_some() {
        let list = (door.fixture.event_id, "North");
        let part = door
            .services
            .door_bundle(&door.staff, list, cursor)
            .await
            .unwrap();
        let payload = part.token.split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["salt"], URL_SAFE_NO_PAD.encode([7_u8; 16]));
        assert_eq!(payload["from"], listed.len());
        assert_eq!(payload["has_more"], part.next.is_some());
        let entries = payload["entries"].as_array().unwrap();
        listed.extend(
            entries
                .iter()
                .map(|entry| entry["code"].as_str().unwrap().to_owned()),
        );
        (cursor, parts) = (part.next, parts + 1);
    }
    assert_eq!((listed.len(), parts), (5_100, 2));
}
