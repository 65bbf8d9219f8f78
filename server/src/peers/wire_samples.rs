//! Samples of what is said between processes.

use std::sync::Arc;

use onsale_domain::command::{
    CancelledBy, ConfirmHold, PackageLeg, PlaceHold, ReclaimHold, RefundTickets, RequestedLine, ScanTicket,
    StartPayment, TransferTicket,
};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::inventory::{
    Availability, DoorCounts, GateCounts, ListedTicket, PendingPayment, QuotaCounts, TicketTypeCounts,
};
use onsale_domain::money::Currency;
use onsale_domain::record::{KeyBinding, Line, PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Direction, EventDefinition, EventDetails, EventId, EventStatus, Gateway, HoldId, Money,
    OrderId, OrganizationId, PackageOrderId, Presented, Quota, QuotaId, RefundId, SalesWindow, ScanDigest,
    Tax, TicketId, TicketStatus, TicketType, TicketTypeId, UnixMillis,
};
use onsale_engine::port::{PeerAnswer, PeerQuestion};
use onsale_engine::{Answer, Found, HoldView, Look, Receipt, TicketPage};
use uuid::Uuid;

use super::records::records;

pub(super) const AT: UnixMillis = UnixMillis(1_800_000_000_000);
pub(super) const HOLD: HoldId = HoldId(Uuid::from_u128(1));
pub(super) const BUYER: BuyerId = BuyerId(Uuid::from_u128(2));
pub(super) const EVENT: EventId = EventId(Uuid::from_u128(3));
pub(super) const TICKET: TicketId = TicketId(Uuid::from_u128(4));
pub(super) const TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(5));
pub(super) const ORDER: OrderId = OrderId(Uuid::from_u128(6));
pub(super) const PACKAGE: PackageOrderId = PackageOrderId(Uuid::from_u128(7));
pub(super) const CODE: TicketCode = TicketCode([8; 10]);
pub(super) const KEY: Option<KeyBinding> = Some(KeyBinding {
    key: KeyDigest([9; 16]),
    body: BodyDigest([10; 8]),
});

pub(super) const EVENT_STATUSES: [EventStatus; 7] = [
    EventStatus::Draft,
    EventStatus::Published,
    EventStatus::OnSale,
    EventStatus::Paused,
    EventStatus::Closed,
    EventStatus::Cancelled,
    EventStatus::Deleted,
];
pub(super) const GATEWAYS: [Gateway; 3] = [Gateway::Simulated, Gateway::Stripe, Gateway::Midtrans];
pub(super) const RELEASE_REASONS: [ReleaseReason; 4] = [
    ReleaseReason::Buyer,
    ReleaseReason::PaymentDeclined,
    ReleaseReason::PaymentUnavailable,
    ReleaseReason::Package,
];
pub(super) const CANCELLERS: [CancelledBy; 3] = [
    CancelledBy::Buyer(BUYER),
    CancelledBy::Staff,
    CancelledBy::Package(PACKAGE),
];
pub(super) const TICKET_STATUSES: [TicketStatus; 4] = [
    TicketStatus::Valid,
    TicketStatus::Used,
    TicketStatus::Cancelled,
    TicketStatus::Refunded,
];

pub(super) fn details() -> EventDetails {
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

pub(super) fn quota() -> Quota {
    Quota {
        id: QuotaId(Uuid::from_u128(12)),
        name: "All".to_owned(),
        capacity: 100,
    }
}

pub(super) fn ticket_type() -> TicketType {
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

pub(super) fn line() -> Line {
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

/// Commands that differ in one small choice each.
fn choices() -> Vec<Command> {
    let statuses = EVENT_STATUSES.map(|to| Command::ChangeStatus {
        to,
        expected_version: None,
    });
    let gateways = GATEWAYS.map(|gateway| {
        Command::StartPayment(StartPayment {
            hold_id: HOLD,
            buyer_id: BUYER,
            gateway,
            key: None,
        })
    });
    let reasons = RELEASE_REASONS.map(|reason| Command::ReleaseHold {
        hold_id: HOLD,
        buyer_id: BUYER,
        reason,
        key: None,
    });
    let cancellers = CANCELLERS.map(|by| Command::CancelOrder { order_id: ORDER, by });
    let choices = statuses.into_iter().chain(gateways).chain(reasons);
    choices.chain(cancellers).collect()
}

pub(super) fn commands() -> Vec<Command> {
    let mut commands = buyers_commands();
    commands.extend(staffs_commands());
    commands.extend(choices());
    commands
}

pub(super) fn looks() -> [Look; 4] {
    [
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
    ]
}

pub(super) fn questions() -> Vec<PeerQuestion> {
    commands()
        .into_iter()
        .map(PeerQuestion::Execute)
        .chain(looks().map(PeerQuestion::Look))
        .chain([PeerQuestion::Availability, PeerQuestion::WaitProjected])
        .collect()
}

fn listed(status: TicketStatus) -> ListedTicket {
    ListedTicket {
        ticket_id: TICKET,
        code: CODE,
        version: 2,
        type_position: 0,
        status,
        last: Some(Direction::In),
    }
}

pub(super) fn found() -> [Found; 4] {
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
            tickets: TICKET_STATUSES.map(listed).to_vec(),
            next: Some(5_000),
            definition: Some(Arc::new(definition())),
            seq: 9,
        }),
    ]
}

pub(super) fn answers() -> Vec<PeerAnswer> {
    let records = records().into_iter().map(Box::new);
    let receipts = records.flat_map(|record| {
        [
            Answer::Recorded(record.clone()),
            Answer::Replayed(record),
            Answer::Unchanged,
        ]
    });
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
        .chain(found)
        .chain([
            PeerAnswer::Availability(Arc::new(availability)),
            PeerAnswer::Projected,
        ])
        .collect()
}
