//! What buyers may do, and what time does to their holds.

use onsale_domain::command::PlaceHold;
use onsale_domain::record::{ExpiredHold, HoldPlaced, Line};
use onsale_domain::{BuyerId, EventStatus, HoldId, Record, Refusal, Tax, UnixMillis};

use super::{Holding, Reference, State, Wanted};

impl Reference {
    pub(super) fn place(&self, place: &PlaceHold, now: i64) -> Wanted {
        let status = self.due(now).unwrap_or(self.event().status);
        self.selling(status)?;
        if self.holding(place.hold_id).is_some() {
            return Err(Refusal::HoldExists);
        }
        let lines = self.priced(place)?;
        self.within_limit(place.buyer_id, &lines)?;
        self.enough(&lines)?;
        let details = &self.event().details;
        let payment = place.payment.filter(|_| self.total(&lines).amount_minor > 0);
        let mut ends = now + details.hold_duration_ms;
        if payment.is_some() || (place.package.is_some() && place.payment.is_some()) {
            ends = ends.max(now + 15 * 60_000);
        }
        Ok(Some(Record::HoldPlaced(HoldPlaced {
            at: UnixMillis(now),
            hold_id: place.hold_id,
            buyer_id: place.buyer_id,
            lines: lines.into(),
            currency: details.currency,
            expires_at: UnixMillis(ends),
            payment,
            package_order_id: place.package.as_ref().map(|leg| leg.package_order_id),
            key: place.key,
        })))
    }

    fn selling(&self, status: EventStatus) -> Result<(), Refusal> {
        match status {
            EventStatus::OnSale => Ok(()),
            EventStatus::Draft => Err(Refusal::SaleNotStarted { opens_at: None }),
            EventStatus::Published => {
                let opens_at = Some(self.event().details.sales_window.opens_at);
                Err(Refusal::SaleNotStarted { opens_at })
            }
            EventStatus::Paused => Err(Refusal::SalePaused),
            EventStatus::Closed => Err(Refusal::SaleEnded),
            EventStatus::Cancelled => Err(Refusal::EventCancelled),
            EventStatus::Deleted => Err(Refusal::EventNotFound),
        }
    }

    fn priced(&self, place: &PlaceHold) -> Result<Vec<Line>, Refusal> {
        let requested = &place.lines;
        if requested.is_empty() {
            return Err(Refusal::BadLines {
                reason: "at least one line is needed",
            });
        }
        if requested.len() > 16 {
            return Err(Refusal::BadLines {
                reason: "too many lines",
            });
        }
        let mut lines: Vec<Line> = Vec::new();
        for (index, request) in requested.iter().enumerate() {
            if request.quantity < 1 || request.quantity > 100 {
                return Err(Refusal::QuantityOutOfRange { line: index });
            }
            let Some(ticket_type) = self.type_of(request.ticket_type_id) else {
                return Err(Refusal::UnknownTicketType { line: index });
            };
            if requested[..index]
                .iter()
                .any(|earlier| earlier.ticket_type_id == request.ticket_type_id)
            {
                return Err(Refusal::BadLines {
                    reason: "two lines have the same ticket type",
                });
            }
            let mut line = Line {
                ticket_type_id: ticket_type.id,
                quantity: u32::try_from(request.quantity).unwrap(),
                unit_price_minor: ticket_type.unit_price_minor,
                unit_fee_minor: ticket_type.unit_fee_minor,
                tax: ticket_type.tax,
            };
            if let Some(leg) = &place.package {
                line.unit_price_minor = *leg.unit_prices_minor.get(index).ok_or(Refusal::BadLines {
                    reason: "a line of the package has no price",
                })?;
                line.unit_fee_minor = 0;
                line.tax = Tax {
                    inclusive: true,
                    ..line.tax
                };
                if line.unit_price_minor < 0 {
                    return Err(Refusal::InvalidField { field: "price" });
                }
            }
            lines.push(line);
        }
        Ok(lines)
    }

    pub(super) fn within_limit(&self, buyer: BuyerId, lines: &[Line]) -> Result<(), Refusal> {
        let live = self.live_tickets(buyer);
        let wanted: u32 = lines.iter().map(|line| line.quantity).sum();
        match self.event().details.buyer_limit {
            Some(limit) if live + wanted > limit => Err(Refusal::BuyerLimitExceeded { limit, live }),
            _ => Ok(()),
        }
    }

    pub(super) fn enough(&self, lines: &[Line]) -> Result<(), Refusal> {
        for (index, line) in lines.iter().enumerate() {
            let quota_id = self.type_of(line.ticket_type_id).unwrap().quota_id;
            let quota = self
                .event()
                .quotas
                .iter()
                .find(|quota| quota.id == quota_id)
                .unwrap();
            let (held, sold) = (
                self.units(quota_id, State::Live),
                self.units(quota_id, State::Sold),
            );
            let free = quota.capacity - held - sold;
            let earlier = lines[..index].iter();
            let same_quota = |line: &&Line| self.type_of(line.ticket_type_id).unwrap().quota_id == quota_id;
            let left = free - earlier.filter(same_quota).map(|line| line.quantity).sum::<u32>();
            if line.quantity > left {
                return Err(match (free, held) {
                    (0, 0) => Refusal::SoldOut,
                    (0, _) => Refusal::AllHeld {
                        next_expiry_at: self.next_end(),
                    },
                    _ => Refusal::InsufficientAvailability { available: left },
                });
            }
        }
        Ok(())
    }

    pub(super) fn live(&self, id: HoldId, buyer: BuyerId) -> Result<&Holding, Refusal> {
        let holding = self
            .holding(id)
            .filter(|holding| holding.buyer == buyer)
            .ok_or(Refusal::HoldNotFound)?;
        match holding.state {
            State::Live => Ok(holding),
            State::Released => Err(Refusal::HoldReleased),
            State::Expired => Err(Refusal::HoldExpired),
            State::Sold | State::Cancelled => Err(Refusal::HoldConfirmed { order_id: id.into() }),
        }
    }

    pub(super) fn extend(&self, id: HoldId, buyer: BuyerId, now: i64) -> Wanted {
        let holding = self.live(id, buyer)?;
        not_overdue(holding, now)?;
        not_a_leg(holding)?;
        let details = &self.event().details;
        let cap = holding.placed + details.hold_lifetime_ms_max;
        let ends = cap.min(now + details.hold_duration_ms);
        if ends <= holding.ends {
            return Err(Refusal::ExtensionLimitReached);
        }
        Ok(Some(Record::HoldExtended {
            at: UnixMillis(now),
            hold_id: id,
            expires_at: UnixMillis(ends),
        }))
    }

    pub(super) fn expiry(&self, now: i64) -> Option<Record> {
        let is_due = |holding: &&Holding| holding.state == State::Live && holding.ends <= now;
        let mut due: Vec<&Holding> = self.holdings.iter().filter(is_due).collect();
        due.sort_by_key(|holding| (holding.ends, holding.id));
        let holds: Vec<ExpiredHold> = due
            .into_iter()
            .map(|holding| ExpiredHold {
                hold_id: holding.id,
                buyer_id: holding.buyer,
                lines: holding.lines.clone().into(),
                payment: holding.payment.map(|payment| payment.gateway),
            })
            .collect();
        (!holds.is_empty()).then_some(Record::HoldsExpired {
            at: UnixMillis(now),
            holds,
        })
    }
}

/// A hold whose end nobody has recorded may be used for one more second.
pub(super) fn not_overdue(holding: &Holding, now: i64) -> Result<(), Refusal> {
    if now > holding.ends + 1_000 {
        Err(Refusal::HoldExpired)
    } else {
        Ok(())
    }
}

pub(super) fn not_a_leg(holding: &Holding) -> Result<(), Refusal> {
    match holding.package {
        Some(_) => Err(Refusal::PartOfPackage),
        None => Ok(()),
    }
}
