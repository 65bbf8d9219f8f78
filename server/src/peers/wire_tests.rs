//! What is said between processes comes out as it went in, and in the bytes that this version promises.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::command::{
    CancelledBy, ConfirmHold, PackageLeg, PlaceHold, ReclaimHold, RefundTickets, RequestedLine, ScanTicket,
    StartPayment, TransferTicket,
};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::inventory::{
    Availability, DoorCounts, GateCounts, ListedTicket, PendingPayment, QuotaCounts, TicketTypeCounts,
    Violation,
};
use onsale_domain::money::Currency;
use onsale_domain::record::{HoldPlaced, KeyBinding, Line, PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Direction, EventDefinition, EventDetails, EventId, EventStatus, Gateway, HoldId, Money,
    OrderId, OrganizationId, PackageOrderId, Presented, Quota, QuotaId, Record, RefundId, Refusal,
    SalesWindow, ScanDigest, Tax, TicketId, TicketStatus, TicketType, TicketTypeId, UnixMillis,
};
use onsale_engine::port::{Owner, PeerAnswer, PeerQuestion};
use onsale_engine::{Answer, EngineError, Found, HoldView, Look, Receipt, TicketPage};
use uuid::Uuid;

use super::{VERSION, decode_answer, decode_question, encode_answer, encode_question};

/// Digests of all samples' bytes at this version. Where one is another now, a process of the last release would take
/// what we say for something else: raise `VERSION` and put the new digests here.
const PROMISED: (u32, &str, &str) = (
    1,
    "6c770b3bfa8714d050dce4a9c46358174e201a62b9fb9713ede579e6505fbd55",
    "c26d3c0fea0a2aa4016020a1e3243b49381349b2e952d8f1c89d06c636ed5960",
);

const AT: UnixMillis = UnixMillis(1_800_000_000_000);
const HOLD: HoldId = HoldId(Uuid::from_u128(1));
const BUYER: BuyerId = BuyerId(Uuid::from_u128(2));
const EVENT: EventId = EventId(Uuid::from_u128(3));
const TICKET: TicketId = TicketId(Uuid::from_u128(4));
const TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(5));
const ORDER: OrderId = OrderId(Uuid::from_u128(6));
const PACKAGE: PackageOrderId = PackageOrderId(Uuid::from_u128(7));
const CODE: TicketCode = TicketCode([8; 10]);
const KEY: Option<KeyBinding> = Some(KeyBinding {
    key: KeyDigest([9; 16]),
    body: BodyDigest([10; 8]),
});

fn details() -> EventDetails {
    EventDetails {
        organization_id: OrganizationId(Uuid::from_u128(11)),
        name: "A night".to_owned(),
        description: "Loud".to_owned(),
        venue: "The hall".to_owned(),
        starts_at: AT,
        time_zone: "Europe/Berlin".to_owned(),
        sales_window: SalesWindow {
            opens_at: AT,
            closes_at: AT.plus_ms(1),
        },
        currency: Currency::EUR,
        hold_duration_ms: 60_000,
        hold_lifetime_ms_max: 120_000,
        buyer_limit: Some(4),
        check_in_opens_at: Some(AT),
        re_entry: true,
    }
}

fn quota() -> Quota {
    Quota {
        id: QuotaId(Uuid::from_u128(12)),
        name: "All".to_owned(),
        capacity: 100,
    }
}

fn ticket_type() -> TicketType {
    TicketType {
        id: TYPE,
        name: "Standing".to_owned(),
        quota_id: quota().id,
        unit_price_minor: 1_000,
        unit_fee_minor: 100,
        tax: Tax {
            basis_points: 1_900,
            inclusive: true,
        },
    }
}

fn definition() -> EventDefinition {
    EventDefinition {
        event_id: EVENT,
        version: 4,
        status: EventStatus::OnSale,
        details: details(),
        ticket_types: vec![ticket_type()],
        quotas: vec![quota()],
    }
}

fn line() -> Line {
    Line {
        ticket_type_id: TYPE,
        quantity: 2,
        unit_price_minor: 1_000,
        unit_fee_minor: 100,
        tax: ticket_type().tax,
    }
}

fn confirm() -> ConfirmHold {
    ConfirmHold {
        hold_id: HOLD,
        buyer_id: BUYER,
        payment: Some(PaymentAuthorization {
            gateway: Gateway::Stripe,
            reference: "pi_1".to_owned(),
            amount: Money {
                amount_minor: 2_200,
                currency: Currency::EUR,
            },
        }),
        tickets: vec![(TICKET, CODE)],
        package_order_id: Some(PACKAGE),
        key: KEY,
    }
}

fn buyers_commands() -> Vec<Command> {
    vec![
        Command::PlaceHold(PlaceHold {
            hold_id: HOLD,
            buyer_id: BUYER,
            lines: [RequestedLine {
                ticket_type_id: TYPE,
                quantity: -1,
            }]
            .into_iter()
            .collect(),
            payment: Some(Gateway::Simulated),
            package: Some(PackageLeg {
                package_order_id: PACKAGE,
                unit_prices_minor: [900].into_iter().collect(),
            }),
            key: KEY,
        }),
        Command::ExtendHold {
            hold_id: HOLD,
            buyer_id: BUYER,
        },
        Command::ReleaseHold {
            hold_id: HOLD,
            buyer_id: BUYER,
            reason: ReleaseReason::PaymentDeclined,
            key: KEY,
        },
        Command::ConfirmHold(Box::new(confirm())),
        Command::CancelOrder {
            order_id: ORDER,
            by: CancelledBy::Package(PACKAGE),
        },
        Command::StartPayment(StartPayment {
            hold_id: HOLD,
            buyer_id: BUYER,
            gateway: Gateway::Midtrans,
            key: KEY,
        }),
        Command::ReclaimHold(Box::new(ReclaimHold {
            confirm: confirm(),
            lines: [line()].into_iter().collect(),
            pending_since: AT,
        })),
        Command::TransferTicket(TransferTicket {
            ticket_id: TICKET,
            from: BUYER,
            to: BuyerId(Uuid::from_u128(13)),
            code: CODE,
            key: KEY,
        }),
    ]
}

fn staffs_commands() -> Vec<Command> {
    vec![
        Command::CreateEvent {
            event_id: EVENT,
            details: Box::new(details()),
        },
        Command::EditEvent {
            details: Box::new(details()),
            expected_version: 4,
        },
        Command::SetQuota {
            quota: Box::new(quota()),
            expected_version: 4,
        },
        Command::SetTicketType {
            ticket_type: Box::new(ticket_type()),
            expected_version: 4,
        },
        Command::ChangeStatus {
            to: EventStatus::Paused,
            expected_version: Some(4),
        },
        Command::RefundTickets(Box::new(RefundTickets {
            refund_id: RefundId(Uuid::from_u128(14)),
            order_id: ORDER,
            tickets: vec![TICKET],
            key: KEY,
        })),
        Command::ScanTicket(Box::new(ScanTicket {
            presented: Presented::Pass {
                ticket_id: TICKET,
                version: 2,
            },
            gate: "North".to_owned(),
            direction: Direction::Out,
            scan: ScanDigest([15; 16]),
            scanned_at: Some(AT),
        })),
        Command::ScanTicket(Box::new(ScanTicket {
            presented: Presented::Code(CODE),
            gate: "North".to_owned(),
            direction: Direction::In,
            scan: ScanDigest([16; 16]),
            scanned_at: None,
        })),
        Command::Advance,
    ]
}

fn questions() -> Vec<PeerQuestion> {
    let looks = [
        Look::Hold {
            hold_id: HOLD,
            buyer_id: BUYER,
        },
        Look::Owner {
            ticket_id: TICKET,
            owner: BUYER,
        },
        Look::Door,
        Look::Tickets { from: 5_000 },
    ];
    let commands = buyers_commands().into_iter().chain(staffs_commands());
    commands
        .map(PeerQuestion::Execute)
        .chain(looks.map(PeerQuestion::Look))
        .chain([PeerQuestion::Availability, PeerQuestion::WaitProjected])
        .collect()
}

fn found() -> [Found; 4] {
    [
        Found::Hold(HoldView {
            hold_id: HOLD,
            event_id: EVENT,
            buyer_id: BUYER,
            lines: [line()].into_iter().collect(),
            currency: Currency::EUR,
            placed_at: AT,
            expires_at: AT.plus_ms(1),
            payment: Some(PendingPayment {
                gateway: Gateway::Stripe,
                started_at: AT,
                key: KEY,
            }),
            package_order_id: Some(PACKAGE),
            seq: 9,
        }),
        Found::Owner,
        Found::Door(DoorCounts {
            gates: vec![("North".to_owned(), GateCounts { entries: 2, exits: 1 })],
            tickets: 9,
            tickets_used: 2,
        }),
        Found::Tickets(TicketPage {
            tickets: vec![ListedTicket {
                ticket_id: TICKET,
                code: CODE,
                version: 2,
                type_position: 0,
                status: TicketStatus::Used,
                last: Some(Direction::In),
            }],
            next: Some(5_000),
            definition: Some(Arc::new(definition())),
            seq: 9,
        }),
    ]
}

fn answers() -> Vec<PeerAnswer> {
    let record = Box::new(Record::HoldPlaced(HoldPlaced {
        at: AT,
        hold_id: HOLD,
        buyer_id: BUYER,
        lines: [line()].into_iter().collect(),
        currency: Currency::EUR,
        expires_at: AT.plus_ms(1),
        payment: Some(Gateway::Stripe),
        package_order_id: Some(PACKAGE),
        key: KEY,
    }));
    let receipts = [
        Answer::Recorded(record.clone()),
        Answer::Replayed(record),
        Answer::Unchanged,
    ];
    let availability = Availability {
        seq: 9,
        definition: Arc::new(definition()),
        quotas: [QuotaCounts {
            capacity: 100,
            held: 2,
            sold: 3,
        }]
        .into_iter()
        .collect(),
        ticket_types: [TicketTypeCounts { held: 2, sold: 3 }].into_iter().collect(),
        next_expiry_at: Some(AT),
    };
    let receipts = receipts.map(|answer| PeerAnswer::Receipt(Receipt { seq: 9, answer }));
    let found = found().map(|found| PeerAnswer::Found(Box::new(found)));
    receipts
        .into_iter()
        .chain(found)
        .chain([
            PeerAnswer::Availability(Arc::new(availability)),
            PeerAnswer::Projected,
        ])
        .collect()
}

fn errors() -> Vec<EngineError> {
    vec![
        EngineError::NotFound,
        EngineError::OwnedElsewhere {
            owner: Arc::new(Owner {
                name: "node b".to_owned(),
                address: Some("http://10.0.1.7:9464".to_owned()),
            }),
        },
        EngineError::Overloaded { reason: "deadline" },
        EngineError::Unavailable {
            reason: "away".to_owned(),
        },
        EngineError::OutcomeUnknown,
        EngineError::Quarantined {
            seq: 9,
            reason: "again and again".to_owned(),
        },
        EngineError::ShuttingDown,
    ]
}

/// Every one, so that a new one between them is seen.
fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::EventNotFound,
        Refusal::EventExists,
        Refusal::SaleNotStarted { opens_at: Some(AT) },
        Refusal::SaleEnded,
        Refusal::SalePaused,
        Refusal::EventCancelled,
        Refusal::SoldOut,
        Refusal::AllHeld {
            next_expiry_at: Some(AT),
        },
        Refusal::InsufficientAvailability { available: 1 },
        Refusal::BuyerLimitExceeded { limit: 4, live: 3 },
        Refusal::UnknownTicketType { line: 1 },
        Refusal::QuantityOutOfRange { line: 1 },
        Refusal::BadLines { reason: "no lines" },
        Refusal::HoldNotFound,
        Refusal::HoldExpired,
        Refusal::HoldReleased,
        Refusal::HoldConfirmed { order_id: ORDER },
        Refusal::HoldExists,
        Refusal::ExtensionLimitReached,
        Refusal::PaymentMismatch,
        Refusal::TicketCountMismatch,
        Refusal::OrderNotFound,
        Refusal::OrderCancelled,
        Refusal::PaymentInProgress,
        Refusal::NothingToPay,
        Refusal::PartOfPackage,
        Refusal::NotReclaimable,
        Refusal::TicketNotFound,
        Refusal::TicketExists,
        Refusal::TicketUsed,
        Refusal::TicketTransferredAway,
        Refusal::TransferToSelf,
        Refusal::AlreadyUsed {
            at: AT,
            gate: "North".to_owned(),
        },
        Refusal::UnknownCode,
        Refusal::TicketCancelled,
        Refusal::TicketRefunded,
        Refusal::CodeTransferred,
        Refusal::CheckInTooEarly { opens_at: AT },
        Refusal::NotLeaving { reason: "outside" },
        Refusal::KeyReused,
        Refusal::VersionMismatch { version: 3 },
        Refusal::InvalidTransition {
            from: EventStatus::Closed,
            to: EventStatus::OnSale,
        },
        Refusal::CapacityBelowCommitted { committed: 9 },
        Refusal::UnknownQuota,
        Refusal::TooMany { what: "quotas" },
        Refusal::Frozen { field: "currency" },
        Refusal::NotDraft,
        Refusal::NothingToSell,
        Refusal::InvalidField { field: "name" },
        Refusal::Violation(Violation {
            invariant: "I2",
            detail: "more than there is",
        }),
    ]
}

fn replies() -> Vec<Result<PeerAnswer, EngineError>> {
    let refused = refusals().into_iter().map(EngineError::Refused);
    let errors = errors().into_iter().chain(refused);
    answers().into_iter().map(Ok).chain(errors.map(Err)).collect()
}

#[test]
fn questions_and_answers_come_out_as_they_went_in() {
    let patience = Duration::from_secs(10);
    for question in questions() {
        let bytes = encode_question(&question, patience).unwrap();
        assert_eq!(decode_question(&bytes), Ok((question, patience)));
    }
    for reply in replies() {
        let bytes = encode_answer(&reply).unwrap();
        assert_eq!(decode_answer(&bytes), Ok(reply));
    }
}

#[test]
fn the_bytes_are_those_that_this_version_promises() {
    let mut questions = blake3::Hasher::new();
    for question in self::questions() {
        questions.update(&encode_question(&question, Duration::from_secs(10)).unwrap());
    }
    let mut answers = blake3::Hasher::new();
    for reply in replies() {
        answers.update(&encode_answer(&reply).unwrap());
    }
    let (questions, answers) = (questions.finalize().to_hex(), answers.finalize().to_hex());
    assert_eq!((VERSION, questions.as_str(), answers.as_str()), PROMISED);
}

#[test]
fn what_is_no_message_is_an_error_and_no_more() {
    let good = encode_question(&questions()[0], Duration::ZERO).unwrap();
    for length in 0..good.len() {
        assert!(decode_question(&good[..length]).is_err(), "{length}");
    }
    assert!(decode_answer(&[0xff; 64]).is_err());
}
