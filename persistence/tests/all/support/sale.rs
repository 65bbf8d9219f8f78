//! An event that sells, and the records that come of it.

use onsale_domain::command::{CancelledBy, ConfirmHold, PlaceHold, RequestedLine};
use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::price::totals;
use onsale_domain::record::{PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Decision, EventDetails, EventId, EventStatus, Gateway, HoldId, Inventory, Money,
    OrderId, OrganizationId, Quota, QuotaId, Record, Refusal, SalesWindow, Tax, TicketId, TicketType,
    TicketTypeId, UnixMillis, codec,
};
use onsale_engine::port::{Chain, Epoch, JournalEntry};
use uuid::Uuid;

/// Random numbers that a seed repeats.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).expect("48 bits") % bound
    }
}

/// One event with two quotas and three ticket types: 10.00, 25.00 and free.
pub(crate) struct Sale {
    pub(crate) inventory: Inventory,
    pub(crate) event_id: EventId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) quotas: [QuotaId; 2],
    pub(crate) ticket_types: [TicketTypeId; 3],
    pub(crate) now: UnixMillis,
    /// Records that are in no entry yet.
    pub(crate) records: Vec<Record>,
    epoch: Epoch,
    head: (u64, Chain),
}

impl Sale {
    pub(crate) fn new() -> Self {
        Self::with_capacity(100)
    }

    /// On sale; its records are not in an entry yet.
    pub(crate) fn with_capacity(capacity: u32) -> Self {
        let mut sale = Self {
            inventory: Inventory::default(),
            event_id: super::event_id(),
            organization_id: OrganizationId(Uuid::now_v7()),
            quotas: std::array::from_fn(|_| QuotaId(Uuid::now_v7())),
            ticket_types: std::array::from_fn(|_| TicketTypeId(Uuid::now_v7())),
            now: UnixMillis(1_800_000_000_000),
            records: Vec::new(),
            epoch: Epoch(1),
            head: (0, Chain::default()),
        };
        let details = Box::new(sale.details("Night of the Proms"));
        sale.apply(&Command::CreateEvent {
            event_id: sale.event_id,
            details,
        });
        for quota in 0..2 {
            sale.set_quota(quota, capacity);
        }
        for (index, (quota, unit_price_minor)) in [(0, 1_000), (1, 2_500), (0, 0)].into_iter().enumerate() {
            let ticket_type = Box::new(TicketType {
                id: sale.ticket_types[index],
                name: format!("Type {index}"),
                quota_id: sale.quotas[quota],
                unit_price_minor,
                unit_fee_minor: 0,
                tax: Tax::NONE,
            });
            sale.apply(&Command::SetTicketType {
                ticket_type,
                expected_version: sale.version(),
            });
        }
        sale.apply(&Command::ChangeStatus {
            to: EventStatus::Published,
            expected_version: None,
        });
        sale.now = sale.now.plus_ms(10_000);
        sale.apply(&Command::Advance);
        sale
    }

    pub(crate) fn details(&self, name: &str) -> EventDetails {
        EventDetails {
            organization_id: self.organization_id,
            name: name.to_owned(),
            description: String::new(),
            venue: "Arena".to_owned(),
            starts_at: UnixMillis(1_900_000_000_000),
            time_zone: "Europe/Berlin".to_owned(),
            sales_window: SalesWindow {
                opens_at: UnixMillis(1_800_000_005_000),
                closes_at: UnixMillis(1_890_000_000_000),
            },
            currency: Currency::EUR,
            hold_duration_ms: 600_000,
            hold_lifetime_ms_max: 1_200_000,
            buyer_limit: None,
            check_in_opens_at: None,
            re_entry: false,
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.inventory
            .definition()
            .map_or(0, |definition| definition.version)
    }

    pub(crate) fn try_apply(&mut self, command: &Command) -> Result<(), Refusal> {
        if let Decision::Recorded(records) = self.inventory.apply(command, self.now)? {
            self.records.extend(records);
        }
        Ok(())
    }

    pub(crate) fn apply(&mut self, command: &Command) {
        self.try_apply(command)
            .unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
    }

    pub(crate) fn try_set_quota(&mut self, quota: usize, capacity: u32) -> Result<(), Refusal> {
        let quota = Box::new(Quota {
            id: self.quotas[quota],
            name: format!("Quota {quota}"),
            capacity,
        });
        let expected_version = self.version();
        self.try_apply(&Command::SetQuota {
            quota,
            expected_version,
        })
    }

    pub(crate) fn set_quota(&mut self, quota: usize, capacity: u32) {
        self.try_set_quota(quota, capacity).expect("a valid quota");
    }

    pub(crate) fn try_place(&mut self, lines: &[(usize, i64)]) -> Result<(HoldId, BuyerId), Refusal> {
        let (hold_id, buyer_id) = (HoldId(self.routed_uuid()), BuyerId(Uuid::now_v7()));
        let lines = lines
            .iter()
            .map(|(ticket_type, quantity)| RequestedLine {
                ticket_type_id: self.ticket_types[*ticket_type],
                quantity: *quantity,
            })
            .collect();
        self.try_apply(&Command::PlaceHold(PlaceHold {
            hold_id,
            buyer_id,
            lines,
            payment: None,
            package: None,
            key: None,
        }))?;
        Ok((hold_id, buyer_id))
    }

    pub(crate) fn place(&mut self, lines: &[(usize, i64)]) -> (HoldId, BuyerId) {
        self.try_place(lines).expect("a valid hold")
    }

    pub(crate) fn try_confirm(&mut self, (hold_id, buyer_id): (HoldId, BuyerId)) -> Result<OrderId, Refusal> {
        let hold = self.inventory.hold(hold_id).ok_or(Refusal::HoldNotFound)?;
        let quantity = hold.quantity();
        let lines = self.inventory.spell_out(hold.lines());
        let amount_minor = totals(&lines).expect("a total").total_minor;
        let payment = (amount_minor > 0).then(|| PaymentAuthorization {
            gateway: Gateway::Simulated,
            reference: format!("auth-{hold_id}"),
            amount: Money {
                amount_minor,
                currency: Currency::EUR,
            },
        });
        let tickets = (0..quantity)
            .map(|_| {
                let id = self.routed_uuid();
                let mut code = [0; 10];
                code.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
                (TicketId(id), TicketCode(code))
            })
            .collect();
        self.try_apply(&Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id,
            buyer_id,
            payment,
            tickets,
            package_order_id: None,
            key: None,
        })))?;
        Ok(hold_id.into())
    }

    pub(crate) fn confirm(&mut self, hold: (HoldId, BuyerId)) -> OrderId {
        self.try_confirm(hold).expect("a valid confirmation")
    }

    pub(crate) fn release(&mut self, (hold_id, buyer_id): (HoldId, BuyerId)) -> Result<(), Refusal> {
        self.try_apply(&Command::ReleaseHold {
            hold_id,
            buyer_id,
            reason: ReleaseReason::Buyer,
            key: None,
        })
    }

    pub(crate) fn cancel(&mut self, order_id: OrderId) -> Result<(), Refusal> {
        self.try_apply(&Command::CancelOrder {
            order_id,
            by: CancelledBy::Staff,
        })
    }

    /// The records so far as the next entry.
    pub(crate) fn entry(&mut self) -> JournalEntry {
        let records = std::mem::take(&mut self.records);
        self.entry_of(&records)
    }

    pub(crate) fn entry_of(&mut self, records: &[Record]) -> JournalEntry {
        let (seq, chain) = self.head;
        let mut entry = JournalEntry {
            event_id: self.event_id,
            epoch: self.epoch,
            first_seq: seq + 1,
            last_seq: seq + u64::try_from(records.len()).expect("a length"),
            chain: Chain::default(),
            payload: codec::encode_records(records.iter()).expect("encodes").into(),
        };
        entry.chain = entry.chain_after(chain);
        self.head = (entry.last_seq, entry.chain);
        entry
    }

    /// A random command of a buyer or of staff; refusals are part of the game.
    pub(crate) fn step(
        &mut self,
        rng: &mut Rng,
        holds: &mut Vec<(HoldId, BuyerId)>,
        orders: &mut Vec<OrderId>,
    ) {
        let _ = match rng.below(12) {
            0..5 => {
                let quantity = i64::try_from(1 + rng.below(3)).expect("small");
                let lines = match rng.below(4) {
                    0 => vec![(0, quantity), (1, 1)],
                    other => vec![(other - 1, quantity)],
                };
                self.try_place(&lines).map(|hold| holds.push(hold))
            }
            5..8 if !holds.is_empty() => {
                let hold = holds[rng.below(holds.len())];
                self.try_confirm(hold).map(|order_id| orders.push(order_id))
            }
            8 if !holds.is_empty() => self.release(holds[rng.below(holds.len())]),
            9 if !orders.is_empty() => self.cancel(orders[rng.below(orders.len())]),
            10 if !holds.is_empty() => {
                self.now = self.now.plus_ms(60_000);
                let (hold_id, buyer_id) = holds[rng.below(holds.len())];
                self.try_apply(&Command::ExtendHold { hold_id, buyer_id })
            }
            11 => {
                self.now = self.now.plus_ms(200_000);
                self.try_set_quota(rng.below(2), u32::try_from(20 + rng.below(80)).expect("small"))
                    .and_then(|()| self.try_apply(&Command::Advance))
            }
            _ => Ok(()),
        };
    }

    /// An id that carries the event's route.
    fn routed_uuid(&self) -> Uuid {
        let mut bytes = *Uuid::now_v7().as_bytes();
        bytes[12..].copy_from_slice(&self.event_id.0.as_bytes()[12..]);
        Uuid::from_bytes(bytes)
    }
}
