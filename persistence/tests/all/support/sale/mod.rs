//! An event that sells, and the records that come of it.

use std::collections::HashMap;

use onsale_domain::command::{CancelledBy, PackageLeg, PlaceHold, RequestedLine, StartPayment};
use onsale_domain::money::Currency;
use onsale_domain::record::{Lines, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Decision, EventDetails, EventId, EventStatus, Gateway, HoldId, Inventory, OrderId,
    OrganizationId, PackageOrderId, Quota, QuotaId, Record, Refusal, SalesWindow, Tax, TicketType,
    TicketTypeId, UnixMillis, codec,
};
use onsale_engine::port::{Chain, Epoch, JournalEntry};
use uuid::Uuid;

mod after;
mod steps;

pub(crate) use steps::Made;

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

/// A hold or order, and whose it is.
pub(crate) type Held = (HoldId, BuyerId);

/// One event with two quotas and four ticket types: 10.00, 25.00, free, and 19.99 with a fee of 1.50 and tax on top.
/// Who went out may come in again.
pub(crate) struct Sale {
    pub(crate) inventory: Inventory,
    pub(crate) event_id: EventId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) quotas: [QuotaId; 2],
    pub(crate) ticket_types: [TicketTypeId; 4],
    pub(crate) now: UnixMillis,
    /// Records that are in no entry yet.
    pub(crate) records: Vec<Record>,
    /// What orders under payment are for and since when they are pending, as a payment worker reads it from the rows.
    pending: HashMap<HoldId, (Lines, UnixMillis)>,
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
            event_id: EventId(Uuid::now_v7()),
            organization_id: OrganizationId(Uuid::now_v7()),
            quotas: std::array::from_fn(|_| QuotaId(Uuid::now_v7())),
            ticket_types: std::array::from_fn(|_| TicketTypeId(Uuid::now_v7())),
            now: UnixMillis(1_800_000_000_000),
            records: Vec::new(),
            pending: HashMap::new(),
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
        let on_top = Tax {
            basis_points: 1_900,
            inclusive: false,
        };
        for (index, (quota, unit_price_minor, unit_fee_minor, tax)) in [
            (0, 1_000, 0, Tax::NONE),
            (1, 2_500, 0, Tax::NONE),
            (0, 0, 0, Tax::NONE),
            (1, 1_999, 150, on_top),
        ]
        .into_iter()
        .enumerate()
        {
            let ticket_type = Box::new(TicketType {
                id: sale.ticket_types[index],
                name: format!("Type {index}"),
                quota_id: sale.quotas[quota],
                unit_price_minor,
                unit_fee_minor,
                tax,
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
            re_entry: true,
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

    pub(crate) fn try_place(&mut self, lines: &[(usize, i64)]) -> Result<Held, Refusal> {
        self.try_place_with(lines, None, None)
    }

    /// With its payment begun at once, or as a leg of a package.
    pub(crate) fn try_place_with(
        &mut self,
        lines: &[(usize, i64)],
        payment: Option<Gateway>,
        package: Option<PackageLeg>,
    ) -> Result<Held, Refusal> {
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
            payment,
            package,
            key: None,
        }))?;
        self.note_pending(hold_id);
        Ok((hold_id, buyer_id))
    }

    pub(crate) fn place(&mut self, lines: &[(usize, i64)]) -> Held {
        self.try_place(lines).expect("a valid hold")
    }

    /// What a purchase in one call records first: a hold whose payment has begun.
    pub(crate) fn place_paying(&mut self, lines: &[(usize, i64)]) -> Held {
        self.try_place_with(lines, Some(Gateway::Simulated), None)
            .expect("a valid hold")
    }

    /// A leg of a package, at 7.00 for each ticket of its one line.
    pub(crate) fn try_place_leg(
        &mut self,
        line: (usize, i64),
        package_order_id: PackageOrderId,
    ) -> Result<Held, Refusal> {
        let leg = PackageLeg {
            package_order_id,
            unit_prices_minor: [700].into_iter().collect(),
        };
        self.try_place_with(&[line], Some(Gateway::Simulated), Some(leg))
    }

    pub(crate) fn try_start_payment(&mut self, (hold_id, buyer_id): Held) -> Result<(), Refusal> {
        self.try_apply(&Command::StartPayment(StartPayment {
            hold_id,
            buyer_id,
            gateway: Gateway::Stripe,
            key: None,
        }))?;
        self.note_pending(hold_id);
        Ok(())
    }

    fn note_pending(&mut self, hold_id: HoldId) {
        let lines = self
            .inventory
            .hold(hold_id)
            .map(onsale_domain::inventory::Hold::lines);
        if let Some(payment) = self.inventory.pending_payment(hold_id) {
            let lines = self.inventory.spell_out(lines.unwrap_or_default());
            self.pending.insert(hold_id, (lines, payment.started_at));
        }
    }

    pub(crate) fn try_confirm(&mut self, hold: Held) -> Result<OrderId, Refusal> {
        let live = self.inventory.hold(hold.0).ok_or(Refusal::HoldNotFound)?;
        let lines = self.inventory.spell_out(live.lines());
        let confirm = self.confirmation(hold, &lines);
        self.try_apply(&Command::ConfirmHold(Box::new(confirm)))?;
        Ok(hold.0.into())
    }

    pub(crate) fn confirm(&mut self, hold: Held) -> OrderId {
        self.try_confirm(hold).expect("a valid confirmation")
    }

    pub(crate) fn release(&mut self, hold: Held) -> Result<(), Refusal> {
        self.release_for(hold, ReleaseReason::Buyer)
    }

    pub(crate) fn release_for(
        &mut self,
        (hold_id, buyer_id): Held,
        reason: ReleaseReason,
    ) -> Result<(), Refusal> {
        self.try_apply(&Command::ReleaseHold {
            hold_id,
            buyer_id,
            reason,
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

    /// All records of the event from its first one on, each as an entry of its own.
    pub(crate) fn singles(&self, records: &[Record]) -> Vec<JournalEntry> {
        let mut journal = Self {
            event_id: self.event_id,
            ..Self::new()
        };
        journal.head = (0, Chain::default());
        records
            .iter()
            .map(|record| journal.entry_of(std::slice::from_ref(record)))
            .collect()
    }

    /// An id that carries the event's route.
    pub(crate) fn routed_uuid(&self) -> Uuid {
        let mut bytes = *Uuid::now_v7().as_bytes();
        bytes[12..].copy_from_slice(&self.event_id.0.as_bytes()[12..]);
        Uuid::from_bytes(bytes)
    }
}
