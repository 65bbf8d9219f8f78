//! The state of one event's inventory, laid out for memory: an open hold with its key costs under 300 bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::line::{HeldLine, HeldLines};
use crate::definition::EventDefinition;
use crate::id::{BodyDigest, BuyerId, HoldId, KeyDigest, OrderId, PackageOrderId, TicketCode, TicketId};
use crate::limits::{HOLD_OVERDUE_MS, KEY_RETENTION_MS};
use crate::record::{KeyBinding, Lines};
use crate::{Command, Direction, Gateway, Refusal, ScanDigest, Sequence, TicketStatus, UnixMillis};

/// A map with its entries in one array: a third of a hash map's memory right after growing, and growing moves no
/// entry. The hashing is the same in every run; keys are `UUIDv7` made by us, or digests.
pub(super) type Map<K, V> = IndexMap<K, V, foldhash::fast::FixedState>;

/// Counts of one quota. Its capacity stands in the definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Units {
    pub(super) held: u32,
    pub(super) sold: u32,
}

/// A live hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Whose.
    pub buyer_id: BuyerId,
    /// What.
    pub(super) lines: HeldLines,
    /// When placed: extensions count from here.
    pub placed_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
}

/// A confirmed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whose.
    pub buyer_id: BuyerId,
    /// What is left of it: refunds take from the quantities.
    pub(super) lines: HeldLines,
    /// Whether its units have been given back.
    pub cancelled: bool,
    /// Position of its first ticket; the others follow.
    pub(super) first_ticket: u32,
    /// Tickets that were issued.
    pub(super) ticket_count: u32,
}

/// A payment of a live hold that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingPayment {
    /// With whom.
    pub gateway: Gateway,
    /// Since when the order is pending.
    pub started_at: UnixMillis,
    /// The key that the outcome answers.
    pub key: Option<KeyBinding>,
}

/// A ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Of which order.
    pub order_id: OrderId,
    /// Whose it is.
    pub owner: BuyerId,
    /// The code that lets in.
    pub code: TicketCode,
    /// Raised by each transfer; from 1.
    pub version: u32,
    /// Position of its type in the definition.
    pub(super) type_position: u16,
    /// Where it stands.
    pub status: TicketStatus,
}

/// The last scan that let a ticket's holder through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastScan {
    pub(super) scan: ScanDigest,
    pub(super) scanned_at: UnixMillis,
    pub(super) seq: Sequence,
    /// Position of the gate.
    pub(super) gate: u16,
    pub(super) direction: Direction,
}

/// How many a gate has let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateCounts {
    /// In.
    pub entries: u32,
    /// Out.
    pub exits: u32,
}

/// How a hold ended, where no order came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldEnd {
    /// Given back.
    Released,
    /// Ended by itself.
    Expired,
}

/// A hold that ended without an order. Remembered for at least [`KEY_RETENTION_MS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedHold {
    /// Whose it was.
    pub buyer_id: BuyerId,
    /// How it ended.
    pub end: HoldEnd,
}

/// How far the answer of a key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStage {
    /// A hold was placed or its payment began. To a purchase or checkout, which confirms or releases it under the same
    /// key, that is no answer yet.
    Placed,
    /// The hold was confirmed or released under the key.
    Settled,
}

/// What an idempotency key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// The request's body.
    pub body: BodyDigest,
    /// The hold that the request placed or confirmed.
    pub hold_id: HoldId,
    /// The record that is the answer so far.
    pub seq: Sequence,
    /// What that record did.
    pub stage: KeyStage,
    /// When that record was made.
    pub at: UnixMillis,
}

/// Everything there is to know about one event's sale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    pub(super) seq: Sequence,
    pub(super) definition: Option<Arc<EventDefinition>>,
    /// By the quota's position in the definition.
    pub(super) quota_units: Vec<Units>,
    /// By the ticket type's position in the definition.
    pub(super) ticket_type_units: Vec<Units>,
    pub(super) holds: Map<HoldId, Hold>,
    pub(super) ended_holds: Map<HoldId, EndedHold>,
    pub(super) orders: Map<OrderId, Order>,
    /// Payments of live holds that are under way.
    pub(super) payments: Map<HoldId, PendingPayment>,
    /// The package orders of the holds and orders that are legs of one, and of the holds that were while their end is
    /// remembered: a leg is not reclaimed by itself either.
    pub(super) package_legs: Map<HoldId, PackageOrderId>,
    /// Never removed, so positions stay.
    pub(super) tickets: Map<TicketId, Ticket>,
    /// Codes that transfers killed, with the position of their ticket.
    pub(super) dead_codes: Map<TicketCode, u32>,
    pub(super) last_scans: Map<TicketId, LastScan>,
    /// The scans before these, with their records: a late repeat of one must not be taken for another scan. Empty
    /// where nobody comes in twice.
    pub(super) former_scans: Map<(TicketId, ScanDigest, Direction), Sequence>,
    pub(super) gates: Map<String, GateCounts>,
    /// Live tickets (held and sold) of each buyer that has any.
    pub(super) buyers: Map<BuyerId, u32>,
    pub(super) keys: Map<KeyDigest, KeyEntry>,
    /// Size of `keys` and `ended_holds` at which the outdated ones are swept out next.
    pub(super) sweep_at: usize,
    /// Index of `holds` by when they end.
    #[serde(skip)]
    pub(super) deadlines: BTreeSet<(UnixMillis, HoldId)>,
    /// Index of `tickets` by the codes that let in: their positions.
    #[serde(skip)]
    pub(super) codes: Map<TicketCode, u32>,
}

impl Inventory {
    /// Sequence of the last record folded.
    pub const fn seq(&self) -> Sequence {
        self.seq
    }

    /// The event's definition; `None` before it was created.
    pub const fn definition(&self) -> Option<&Arc<EventDefinition>> {
        self.definition.as_ref()
    }

    /// A live hold.
    pub fn hold(&self, hold_id: HoldId) -> Option<&Hold> {
        self.holds.get(&hold_id)
    }

    /// A hold that ended without an order, while that is remembered.
    pub fn ended_hold(&self, hold_id: HoldId) -> Option<EndedHold> {
        self.ended_holds.get(&hold_id).copied()
    }

    /// A confirmed or cancelled order.
    pub fn order(&self, order_id: OrderId) -> Option<&Order> {
        self.orders.get(&order_id)
    }

    /// The payment of a live hold that is under way.
    pub fn pending_payment(&self, hold_id: HoldId) -> Option<PendingPayment> {
        self.payments.get(&hold_id).copied()
    }

    /// The package order that a hold or order is a leg of.
    pub fn package_of(&self, hold_id: HoldId) -> Option<PackageOrderId> {
        self.package_legs.get(&hold_id).copied()
    }

    /// A ticket.
    pub fn ticket(&self, ticket_id: TicketId) -> Option<&Ticket> {
        self.tickets.get(&ticket_id)
    }

    /// The tickets of an order, in the order they were issued.
    pub fn tickets_of(&self, order_id: OrderId) -> impl Iterator<Item = (TicketId, &Ticket)> {
        self.orders
            .get(&order_id)
            .into_iter()
            .flat_map(|order| (order.first_ticket..).take(order.ticket_count as usize))
            .filter_map(|position| self.tickets.get_index(position as usize))
            .map(|(ticket_id, ticket)| (*ticket_id, ticket))
    }

    /// How many each gate has let through.
    pub fn gates(&self) -> impl Iterator<Item = (&str, GateCounts)> {
        self.gates.iter().map(|(gate, counts)| (gate.as_str(), *counts))
    }

    /// When the next hold ends.
    pub fn next_expiry_at(&self) -> Option<UnixMillis> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Number of live holds.
    pub fn live_holds(&self) -> usize {
        self.holds.len()
    }

    /// Digests of the keys that are remembered.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = KeyDigest> {
        self.keys.keys().copied()
    }

    /// Lines of the state, spelled out with ids.
    pub fn spell_out(&self, lines: &[HeldLine]) -> Lines {
        let ticket_types = self
            .definition
            .as_ref()
            .map_or(&[][..], |definition| &definition.ticket_types);
        lines
            .iter()
            .filter_map(|line| Some(line.spell_out(ticket_types.get(usize::from(line.ticket_type))?.id)))
            .collect()
    }

    /// The record that answered this command's key before, if any.
    pub(super) fn answered(&self, command: &Command, now: UnixMillis) -> Result<Option<Sequence>, Refusal> {
        match command {
            Command::PlaceHold(command) => self.answered_at_once(command.key, now),
            Command::RefundTickets(command) => self.answered_at_once(command.key, now),
            Command::TransferTicket(command) => self.answered_at_once(command.key, now),
            Command::StartPayment(command) => match self.key_entry(command.key, now)? {
                Some(entry) if entry.hold_id != command.hold_id => Err(Refusal::KeyReused),
                entry => Ok(entry.map(|entry| entry.seq)),
            },
            Command::ScanTicket(command) => Ok(self.repeated_scan(command)),
            Command::ConfirmHold(command) => self.answered_for_hold(command.key, command.hold_id, now),
            Command::ReleaseHold { hold_id, key, .. } => self.answered_for_hold(*key, *hold_id, now),
            Command::CreateEvent { .. }
            | Command::EditEvent { .. }
            | Command::SetQuota { .. }
            | Command::SetTicketType { .. }
            | Command::ChangeStatus { .. }
            | Command::ExtendHold { .. }
            | Command::CancelOrder { .. }
            | Command::ReclaimHold(_)
            | Command::Advance => Ok(None),
        }
    }

    fn answered_at_once(
        &self,
        key: Option<KeyBinding>,
        now: UnixMillis,
    ) -> Result<Option<Sequence>, Refusal> {
        Ok(self.key_entry(key, now)?.map(|entry| entry.seq))
    }

    /// A one-call purchase places its hold and confirms or releases it under one key: before that, the key has no
    /// answer to a confirmation or release, whatever else has become of the hold.
    fn answered_for_hold(
        &self,
        key: Option<KeyBinding>,
        hold_id: HoldId,
        now: UnixMillis,
    ) -> Result<Option<Sequence>, Refusal> {
        match self.key_entry(key, now)? {
            Some(entry) if entry.hold_id != hold_id => Err(Refusal::KeyReused),
            Some(KeyEntry {
                stage: KeyStage::Settled,
                seq,
                ..
            }) => Ok(Some(seq)),
            Some(KeyEntry {
                stage: KeyStage::Placed,
                ..
            })
            | None => Ok(None),
        }
    }

    /// What a key led to, unless that is forgotten.
    ///
    /// Errors: [`Refusal::KeyReused`] when it came with another body.
    pub fn key_entry(&self, key: Option<KeyBinding>, now: UnixMillis) -> Result<Option<KeyEntry>, Refusal> {
        let Some(KeyBinding { key, body }) = key else {
            return Ok(None);
        };
        match self.keys.get(&key) {
            Some(entry) if now.ms_since(entry.at) >= KEY_RETENTION_MS => Ok(None),
            Some(entry) if entry.body != body => Err(Refusal::KeyReused),
            Some(entry) => Ok(Some(*entry)),
            None => Ok(None),
        }
    }

    /// Builds what a snapshot leaves out.
    pub(crate) fn rebuild_indexes(&mut self) {
        self.codes = (0..)
            .zip(self.tickets.values())
            .map(|(position, ticket)| (ticket.code, position))
            .collect();
        self.deadlines = self
            .holds
            .iter()
            .map(|(hold_id, hold)| (hold.expires_at, *hold_id))
            .collect();
    }
}

impl Hold {
    /// Until its expiry is recorded a hold may still be paid, but not for longer than a record may take.
    pub(super) const fn check_not_overdue(&self, now: UnixMillis) -> Result<(), Refusal> {
        if now.ms_since(self.expires_at) > HOLD_OVERDUE_MS {
            return Err(Refusal::HoldExpired);
        }
        Ok(())
    }

    /// Lines by ticket type position; [`Inventory::spell_out`] names them.
    pub fn lines(&self) -> &[HeldLine] {
        &self.lines
    }

    /// Tickets held. Placing the hold has checked that the sum fits.
    pub fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

impl Order {
    /// Lines by ticket type position; [`Inventory::spell_out`] names them.
    pub fn lines(&self) -> &[HeldLine] {
        &self.lines
    }
}
