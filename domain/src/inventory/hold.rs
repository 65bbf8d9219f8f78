//! Decisions about holds: placing, extending, releasing, and ending those that are due.

use super::line::{HeldLine, HeldLines};
use super::state::{HoldEnd, Inventory};
use super::status::check_selling;
use crate::command::{PackageLeg, PlaceHold};
use crate::definition::EventDefinition;
use crate::limits::{
    EXPIRED_HOLDS_PER_RECORD_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_QUANTITY_MAX, PAYMENT_WINDOW_MS,
    UNIT_PRICE_MINOR_MAX,
};
use crate::price::{Tax, totals};
use crate::record::{ExpiredHold, HoldPlaced, HoldReleased, KeyBinding, Line, Lines, ReleaseReason};
use crate::{BuyerId, EventStatus, HoldId, OrderId, Record, Refusal, UnixMillis};

impl Inventory {
    pub(super) fn place_hold(
        &self,
        command: &PlaceHold,
        due: Option<EventStatus>,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        check_selling(
            due.unwrap_or(definition.status),
            definition.details.sales_window.opens_at,
        )?;
        if self.has_seen(command.hold_id) {
            return Err(Refusal::HoldExists);
        }
        let lines = priced_lines(definition, command)?;
        let quantity: u32 = lines.iter().map(|line| line.quantity).sum();
        self.check_buyer_limit(definition, command.buyer_id, quantity)?;
        self.check_capacity(definition, &lines)?;
        let costs = totals(&lines).is_some_and(|totals| totals.total_minor > 0);
        let payment = command.payment.filter(|_| costs);
        // A leg waits for the payment of its package, also where it costs nothing itself.
        let waits = payment.is_some() || (command.package.is_some() && command.payment.is_some());
        let duration_ms = if waits {
            definition.details.hold_duration_ms.max(PAYMENT_WINDOW_MS)
        } else {
            definition.details.hold_duration_ms
        };
        Ok(Record::HoldPlaced(HoldPlaced {
            at: now,
            hold_id: command.hold_id,
            buyer_id: command.buyer_id,
            lines,
            currency: definition.details.currency,
            expires_at: now.plus_ms(duration_ms),
            payment,
            package_order_id: command.package.as_ref().map(|leg| leg.package_order_id),
            key: command.key,
        }))
    }

    /// Only this call moves a hold's end, never past the longest life counted from its placing.
    pub(super) fn extend_hold(
        &self,
        hold_id: HoldId,
        buyer_id: BuyerId,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let hold = self.live_hold_of(hold_id, buyer_id)?;
        hold.check_not_overdue(now)?;
        self.check_not_a_leg(hold_id)?;
        let details = &self.definition.as_ref().ok_or(Refusal::EventNotFound)?.details;
        let latest = hold.placed_at.plus_ms(details.hold_lifetime_ms_max);
        let expires_at = now.plus_ms(details.hold_duration_ms).min(latest);
        if expires_at <= hold.expires_at {
            return Err(Refusal::ExtensionLimitReached);
        }
        Ok(Record::HoldExtended {
            at: now,
            hold_id,
            expires_at,
        })
    }

    /// Releasing is idempotent: a hold that has ended without an order needs nothing.
    pub(super) fn release_hold(
        &self,
        hold_id: HoldId,
        buyer_id: BuyerId,
        reason: ReleaseReason,
        key: Option<KeyBinding>,
        now: UnixMillis,
    ) -> Result<Option<Record>, Refusal> {
        match self.live_hold_of(hold_id, buyer_id) {
            Ok(hold) => {
                if reason != ReleaseReason::Package {
                    self.check_not_a_leg(hold_id)?;
                }
                let payment = self.pending_payment(hold_id);
                let key = payment.and_then(|payment| payment.key).or(key);
                let lines = self.spell_out(&hold.lines);
                Ok(Some(Record::HoldReleased(HoldReleased {
                    at: now,
                    hold_id,
                    buyer_id,
                    lines,
                    reason,
                    payment: payment.map(|payment| payment.gateway),
                    key,
                })))
            }
            Err(Refusal::HoldReleased | Refusal::HoldExpired) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// One record's worth of the holds whose end has come. The first of payment and expiry in the journal wins.
    pub(super) fn expire_due_holds(&self, now: UnixMillis) -> Option<Record> {
        let holds: Vec<ExpiredHold> = self
            .deadlines
            .iter()
            .take_while(|(expires_at, _)| *expires_at <= now)
            .take(EXPIRED_HOLDS_PER_RECORD_MAX)
            .filter_map(|(_, hold_id)| {
                let hold = self.holds.get(hold_id)?;
                let lines = self.spell_out(&hold.lines);
                Some(ExpiredHold {
                    hold_id: *hold_id,
                    buyer_id: hold.buyer_id,
                    lines,
                    payment: self.pending_payment(*hold_id).map(|payment| payment.gateway),
                })
            })
            .collect();
        (!holds.is_empty()).then_some(Record::HoldsExpired { at: now, holds })
    }

    /// The live hold, or what became of it. Somebody else's hold is as good as none.
    ///
    /// Errors: how the hold ended, or that there is none.
    pub fn live_hold_of(&self, hold_id: HoldId, buyer_id: BuyerId) -> Result<&super::Hold, Refusal> {
        if let Some(hold) = self.holds.get(&hold_id) {
            return if hold.buyer_id == buyer_id {
                Ok(hold)
            } else {
                Err(Refusal::HoldNotFound)
            };
        }
        if self
            .orders
            .get(&OrderId::from(hold_id))
            .is_some_and(|order| order.buyer_id == buyer_id)
        {
            return Err(Refusal::HoldConfirmed {
                order_id: hold_id.into(),
            });
        }
        let ended = self
            .ended_holds
            .get(&hold_id)
            .filter(|ended| ended.buyer_id == buyer_id);
        match ended.map(|ended| ended.end) {
            Some(HoldEnd::Released) => Err(Refusal::HoldReleased),
            Some(HoldEnd::Expired) => Err(Refusal::HoldExpired),
            None => Err(Refusal::HoldNotFound),
        }
    }

    fn has_seen(&self, hold_id: HoldId) -> bool {
        self.holds.contains_key(&hold_id)
            || self.ended_holds.contains_key(&hold_id)
            || self.orders.contains_key(&OrderId::from(hold_id))
    }

    /// A leg is extended, released, paid and cancelled only with its package.
    pub(super) fn check_not_a_leg(&self, hold_id: HoldId) -> Result<(), Refusal> {
        match self.package_of(hold_id) {
            Some(_) => Err(Refusal::PartOfPackage),
            None => Ok(()),
        }
    }

    pub(super) fn check_buyer_limit(
        &self,
        definition: &EventDefinition,
        buyer_id: BuyerId,
        quantity: u32,
    ) -> Result<(), Refusal> {
        let Some(limit) = definition.details.buyer_limit else {
            return Ok(());
        };
        let live = self.buyers.get(&buyer_id).copied().unwrap_or(0);
        if live.saturating_add(quantity) > limit {
            return Err(Refusal::BuyerLimitExceeded { limit, live });
        }
        Ok(())
    }

    /// Lines may share a quota, so each line is checked against what the lines before it leave.
    pub(super) fn check_capacity(&self, definition: &EventDefinition, lines: &[Line]) -> Result<(), Refusal> {
        for (index, line) in lines.iter().enumerate() {
            let unknown = Refusal::UnknownTicketType { line: index };
            let (_, ticket_type) = definition.ticket_type(line.ticket_type_id).ok_or(unknown)?;
            let position = definition
                .quota_position(ticket_type.quota_id)
                .ok_or(Refusal::UnknownQuota)?;
            let taken_before: u32 = lines[..index]
                .iter()
                .filter(|earlier| {
                    definition
                        .ticket_type(earlier.ticket_type_id)
                        .is_some_and(|(_, other)| other.quota_id == ticket_type.quota_id)
                })
                .map(|earlier| earlier.quantity)
                .sum();
            let counts = self.quota_counts(position);
            let available = counts.available().saturating_sub(taken_before);
            if line.quantity > available {
                return Err(counts.refusal(available, self.next_expiry_at()));
            }
        }
        Ok(())
    }

    /// Lines of the state for lines of a record.
    pub(super) fn held_lines(&self, lines: &[Line]) -> Option<HeldLines> {
        let definition = self.definition.as_ref()?;
        lines
            .iter()
            .map(|line| {
                let (position, _) = definition.ticket_type(line.ticket_type_id)?;
                HeldLine::of(line, position)
            })
            .collect()
    }
}

fn priced_lines(definition: &EventDefinition, command: &PlaceHold) -> Result<Lines, Refusal> {
    let requested = &command.lines;
    if requested.is_empty() {
        return Err(Refusal::BadLines {
            reason: "at least one line is needed",
        });
    }
    if requested.len() > LINES_MAX {
        return Err(Refusal::BadLines {
            reason: "too many lines",
        });
    }
    let mut lines = Lines::new();
    let mut quantity_sum = 0_u32;
    for (index, request) in requested.iter().enumerate() {
        let quantity = u32::try_from(request.quantity)
            .ok()
            .filter(|quantity| (1..=LINE_QUANTITY_MAX).contains(quantity))
            .ok_or(Refusal::QuantityOutOfRange { line: index })?;
        let (_, ticket_type) = definition
            .ticket_type(request.ticket_type_id)
            .ok_or(Refusal::UnknownTicketType { line: index })?;
        if lines
            .iter()
            .any(|line: &Line| line.ticket_type_id == ticket_type.id)
        {
            return Err(Refusal::BadLines {
                reason: "two lines have the same ticket type",
            });
        }
        quantity_sum = quantity_sum.saturating_add(quantity);
        let line = Line {
            ticket_type_id: ticket_type.id,
            quantity,
            unit_price_minor: ticket_type.unit_price_minor,
            unit_fee_minor: ticket_type.unit_fee_minor,
            tax: ticket_type.tax,
        };
        lines.push(match &command.package {
            None => line,
            Some(leg) => package_line(line, leg, index)?,
        });
    }
    if quantity_sum > ORDER_QUANTITY_MAX {
        return Err(Refusal::BadLines {
            reason: "too many tickets",
        });
    }
    if totals(&lines).is_none() {
        return Err(Refusal::BadLines {
            reason: "the total is too large",
        });
    }
    Ok(lines)
}

/// A package has one price: what each ticket contributes to it contains the ticket's fee and tax.
fn package_line(line: Line, leg: &PackageLeg, index: usize) -> Result<Line, Refusal> {
    let unit_price_minor = *leg.unit_prices_minor.get(index).ok_or(Refusal::BadLines {
        reason: "a line of the package has no price",
    })?;
    if !(0..=UNIT_PRICE_MINOR_MAX).contains(&unit_price_minor) {
        return Err(Refusal::InvalidField { field: "price" });
    }
    Ok(Line {
        unit_price_minor,
        unit_fee_minor: 0,
        tax: Tax {
            inclusive: true,
            ..line.tax
        },
        ..line
    })
}
