//! Records as version 1 of the format wrote them: prices without fee and tax, no payments under way.

use serde::Deserialize;
use smallvec::SmallVec;

use super::{CodecError, damaged};
use crate::definition::{EventDetails, EventStatus, Quota, SalesWindow, TicketType};
use crate::id::{BuyerId, EventId, HoldId, OrderId, OrganizationId, QuotaId, TicketTypeId};
use crate::money::{Currency, Money};
use crate::payment::Gateway;
use crate::record::{self, IssuedTicket, KeyBinding, ReleaseReason};
use crate::{Record, Tax, UnixMillis};

#[derive(Deserialize)]
struct Details {
    organization_id: OrganizationId,
    name: String,
    description: String,
    venue: String,
    starts_at: UnixMillis,
    time_zone: String,
    sales_window: SalesWindow,
    currency: Currency,
    hold_duration_ms: i64,
    hold_lifetime_ms_max: i64,
    buyer_limit: Option<u32>,
}

impl From<Details> for EventDetails {
    fn from(v1: Details) -> Self {
        Self {
            organization_id: v1.organization_id,
            name: v1.name,
            description: v1.description,
            venue: v1.venue,
            starts_at: v1.starts_at,
            time_zone: v1.time_zone,
            sales_window: v1.sales_window,
            currency: v1.currency,
            hold_duration_ms: v1.hold_duration_ms,
            hold_lifetime_ms_max: v1.hold_lifetime_ms_max,
            buyer_limit: v1.buyer_limit,
            check_in_opens_at: None,
            re_entry: false,
        }
    }
}

#[derive(Deserialize)]
struct Type {
    id: TicketTypeId,
    name: String,
    quota_id: QuotaId,
    unit_price_minor: i64,
}

#[derive(Deserialize)]
struct Line {
    ticket_type_id: TicketTypeId,
    quantity: u32,
    unit_price_minor: i64,
}

#[derive(Deserialize)]
struct Lines(SmallVec<[Line; 1]>);

impl From<Lines> for record::Lines {
    fn from(v1: Lines) -> Self {
        v1.0.into_iter()
            .map(|line| record::Line {
                ticket_type_id: line.ticket_type_id,
                quantity: line.quantity,
                unit_price_minor: line.unit_price_minor,
                unit_fee_minor: 0,
                tax: Tax::NONE,
            })
            .collect()
    }
}

#[derive(Deserialize)]
struct Payment {
    gateway: String,
    reference: String,
    amount: Money,
}

#[derive(Deserialize)]
struct Placed {
    at: UnixMillis,
    hold_id: HoldId,
    buyer_id: BuyerId,
    lines: Lines,
    currency: Currency,
    expires_at: UnixMillis,
    key: Option<KeyBinding>,
}

#[derive(Deserialize)]
struct Confirmed {
    at: UnixMillis,
    hold_id: HoldId,
    buyer_id: BuyerId,
    lines: Lines,
    total: Money,
    payment: Option<Payment>,
    tickets: Vec<IssuedTicket>,
    key: Option<KeyBinding>,
}

#[derive(Deserialize)]
struct Released {
    at: UnixMillis,
    hold_id: HoldId,
    buyer_id: BuyerId,
    lines: Lines,
    reason: ReleaseReason,
    key: Option<KeyBinding>,
}

#[derive(Deserialize)]
struct Expired {
    hold_id: HoldId,
    buyer_id: BuyerId,
    lines: Lines,
}

#[derive(Deserialize)]
enum V1 {
    EventCreated {
        at: UnixMillis,
        event_id: EventId,
        details: Details,
    },
    EventEdited {
        at: UnixMillis,
        details: Details,
    },
    QuotaSet {
        at: UnixMillis,
        quota: Quota,
    },
    TicketTypeSet {
        at: UnixMillis,
        ticket_type: Type,
    },
    StatusChanged {
        at: UnixMillis,
        to: EventStatus,
    },
    HoldPlaced(Placed),
    HoldExtended {
        at: UnixMillis,
        hold_id: HoldId,
        expires_at: UnixMillis,
    },
    HoldReleased(Released),
    HoldsExpired {
        at: UnixMillis,
        holds: Vec<Expired>,
    },
    HoldConfirmed(Confirmed),
    OrderCancelled {
        at: UnixMillis,
        order_id: OrderId,
        buyer_id: BuyerId,
        lines: Lines,
    },
}

/// Decodes one batch of records. Every byte must be used.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Record>, CodecError> {
    let (records, rest): (Vec<V1>, _) = postcard::take_from_bytes(body).map_err(damaged)?;
    if !rest.is_empty() {
        return Err(CodecError::Damaged(format!("{} bytes too many", rest.len())));
    }
    records.into_iter().map(Record::try_from).collect()
}

impl TryFrom<V1> for Record {
    type Error = CodecError;

    fn try_from(v1: V1) -> Result<Self, CodecError> {
        Ok(match v1 {
            V1::EventCreated {
                at,
                event_id,
                details,
            } => Self::EventCreated {
                at,
                event_id,
                details: details.into(),
            },
            V1::EventEdited { at, details } => Self::EventEdited {
                at,
                details: details.into(),
            },
            V1::QuotaSet { at, quota } => Self::QuotaSet { at, quota },
            V1::TicketTypeSet { at, ticket_type } => Self::TicketTypeSet {
                at,
                ticket_type: TicketType {
                    id: ticket_type.id,
                    name: ticket_type.name,
                    quota_id: ticket_type.quota_id,
                    unit_price_minor: ticket_type.unit_price_minor,
                    unit_fee_minor: 0,
                    tax: Tax::NONE,
                },
            },
            V1::StatusChanged { at, to } => Self::StatusChanged { at, to },
            V1::HoldPlaced(placed) => Self::HoldPlaced(placed.into()),
            V1::HoldExtended {
                at,
                hold_id,
                expires_at,
            } => Self::HoldExtended {
                at,
                hold_id,
                expires_at,
            },
            V1::HoldReleased(released) => Self::HoldReleased(released.into()),
            V1::HoldsExpired { at, holds } => Self::HoldsExpired {
                at,
                holds: holds.into_iter().map(Into::into).collect(),
            },
            V1::HoldConfirmed(confirmed) => Self::HoldConfirmed(confirmed.try_into()?),
            V1::OrderCancelled {
                at,
                order_id,
                buyer_id,
                lines,
            } => Self::OrderCancelled {
                at,
                order_id,
                buyer_id,
                lines: lines.into(),
            },
        })
    }
}

impl From<Placed> for record::HoldPlaced {
    fn from(v1: Placed) -> Self {
        Self {
            at: v1.at,
            hold_id: v1.hold_id,
            buyer_id: v1.buyer_id,
            lines: v1.lines.into(),
            currency: v1.currency,
            expires_at: v1.expires_at,
            payment: None,
            package_order_id: None,
            key: v1.key,
        }
    }
}

impl From<Released> for record::HoldReleased {
    fn from(v1: Released) -> Self {
        Self {
            at: v1.at,
            hold_id: v1.hold_id,
            buyer_id: v1.buyer_id,
            lines: v1.lines.into(),
            reason: v1.reason,
            payment: None,
            key: v1.key,
        }
    }
}

impl From<Expired> for record::ExpiredHold {
    fn from(v1: Expired) -> Self {
        Self {
            hold_id: v1.hold_id,
            buyer_id: v1.buyer_id,
            lines: v1.lines.into(),
            payment: None,
        }
    }
}

impl TryFrom<Confirmed> for record::HoldConfirmed {
    type Error = CodecError;

    fn try_from(v1: Confirmed) -> Result<Self, CodecError> {
        let payment = v1.payment.map(|payment| {
            let gateway = Gateway::of_name(&payment.gateway)
                .ok_or_else(|| CodecError::Damaged("an unknown payment gateway".to_owned()))?;
            Ok(record::PaymentAuthorization {
                gateway,
                reference: payment.reference,
                amount: payment.amount,
            })
        });
        Ok(Self {
            at: v1.at,
            hold_id: v1.hold_id,
            buyer_id: v1.buyer_id,
            lines: v1.lines.into(),
            total: v1.total,
            payment: payment.transpose()?,
            pending_since: None,
            package_order_id: None,
            tickets: v1.tickets,
            key: v1.key,
        })
    }
}
