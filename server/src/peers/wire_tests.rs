//! What is said between processes comes out as it went in, and in the bytes that this version promises.

#[path = "wire_records.rs"]
mod records;
#[path = "wire_samples.rs"]
mod samples;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onsale_domain::command::CancelledBy;
use onsale_domain::inventory::Violation;
use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, EventStatus, Gateway, Record, Refusal, TicketStatus};
use onsale_engine::port::{Owner, PeerAnswer, PeerQuestion};
use onsale_engine::{EngineError, Found, Look};

use self::records::records;
use self::samples::{
    AT, CANCELLERS, EVENT_STATUSES, GATEWAYS, ORDER, RELEASE_REASONS, TICKET_STATUSES, answers, commands,
    found, looks, questions,
};
use super::{VERSION, decode_answer, decode_question, encode_answer, encode_question};

/// The version, and the digests of all samples' bytes at it: of questions, and of answers. Where one is another now, a
/// process of the last release would take what we say for something else: raise `VERSION`. Only where samples were
/// added, or the version was raised, is the file written anew: with `ONSALE_WRITE_WIRE=1`.
const PROMISED: &str = "src/peers/wire_promised.txt";

/// There is a sample of each of these variants, and there are no others: a new one does not compile until it is named.
macro_rules! assert_all {
    ($samples:expr; $($variant:pat_param),+ $(,)?) => {{
        let samples = $samples;
        for sample in &samples {
            match sample {
                $($variant)|+ => {}
            }
        }
        $(
            let is_there = samples.iter().any(|sample| matches!(sample, $variant));
            assert!(is_there, "no sample of {}", stringify!($variant));
        )+
    }};
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
    let said = format!("{VERSION} {questions} {answers}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROMISED);
    if std::env::var_os("ONSALE_WRITE_WIRE").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let promised = std::fs::read_to_string(&path).unwrap();
    assert_eq!(said, promised, "see PROMISED");
}

#[test]
fn there_is_a_sample_of_everything_that_can_be_said() {
    assert_all!(questions();
        PeerQuestion::Execute(_),
        PeerQuestion::Look(_),
        PeerQuestion::Availability,
        PeerQuestion::WaitProjected,
    );
    assert_all!(looks(); Look::Hold { .. }, Look::Owner { .. }, Look::Door, Look::Tickets { .. });
    assert_all!(found(); Found::Hold(_), Found::Owner, Found::Door(_), Found::Tickets(_));
    assert_all!(answers();
        PeerAnswer::Receipt(_),
        PeerAnswer::Found(_),
        PeerAnswer::Availability(_),
        PeerAnswer::Projected,
    );
    let refused = EngineError::Refused(Refusal::SoldOut);
    assert_all!(errors().into_iter().chain([refused]).collect::<Vec<_>>();
        EngineError::Refused(_),
        EngineError::NotFound,
        EngineError::OwnedElsewhere { .. },
        EngineError::Overloaded { .. },
        EngineError::Unavailable { .. },
        EngineError::OutcomeUnknown,
        EngineError::Quarantined { .. },
        EngineError::ShuttingDown,
    );
}

#[test]
fn there_is_a_sample_of_every_command_and_of_what_it_chooses() {
    assert_all!(commands();
        Command::CreateEvent { .. },
        Command::EditEvent { .. },
        Command::SetQuota { .. },
        Command::SetTicketType { .. },
        Command::ChangeStatus { .. },
        Command::PlaceHold(_),
        Command::ExtendHold { .. },
        Command::ReleaseHold { .. },
        Command::ConfirmHold(_),
        Command::CancelOrder { .. },
        Command::StartPayment(_),
        Command::ReclaimHold(_),
        Command::RefundTickets(_),
        Command::TransferTicket(_),
        Command::ScanTicket(_),
        Command::Advance,
    );
    assert_all!(EVENT_STATUSES;
        EventStatus::Draft,
        EventStatus::Published,
        EventStatus::OnSale,
        EventStatus::Paused,
        EventStatus::Closed,
        EventStatus::Cancelled,
        EventStatus::Deleted,
    );
    assert_all!(GATEWAYS; Gateway::Simulated, Gateway::Stripe, Gateway::Midtrans);
    assert_all!(RELEASE_REASONS;
        ReleaseReason::Buyer,
        ReleaseReason::PaymentDeclined,
        ReleaseReason::PaymentUnavailable,
        ReleaseReason::Package,
    );
    assert_all!(CANCELLERS; CancelledBy::Buyer(_), CancelledBy::Staff, CancelledBy::Package(_));
    assert_all!(TICKET_STATUSES;
        TicketStatus::Valid,
        TicketStatus::Used,
        TicketStatus::Cancelled,
        TicketStatus::Refunded,
    );
}

#[test]
fn there_is_a_sample_of_every_record() {
    assert_all!(records();
        Record::EventCreated { .. },
        Record::EventEdited { .. },
        Record::QuotaSet { .. },
        Record::TicketTypeSet { .. },
        Record::StatusChanged { .. },
        Record::HoldPlaced(_),
        Record::HoldExtended { .. },
        Record::HoldReleased(_),
        Record::HoldsExpired { .. },
        Record::HoldConfirmed(_),
        Record::OrderCancelled { .. },
        Record::PaymentStarted(_),
        Record::HoldReclaimed(_),
        Record::TicketsRefunded(_),
        Record::TicketTransferred(_),
        Record::TicketScanned(_),
    );
}

#[test]
fn what_is_no_message_is_an_error_and_no_more() {
    let good = encode_question(&questions()[0], Duration::ZERO).unwrap();
    for length in 0..good.len() {
        assert!(decode_question(&good[..length]).is_err(), "{length}");
    }
    assert!(decode_answer(&[0xff; 64]).is_err());
}
