//! The door: letting ticket holders in, counting them, and gates without a connection.
//!
//! Everything here is decided and read by the event's actor. So with a local journal the door works on while Postgres
//! is away, for every gate whose account this process has looked up within the last quarter of an hour (see
//! `access/`). After that, a gate works from its list.
//!
//! A scan is not written to the audit log: it is a record of the event's journal, with its gate, and there are as many
//! as tickets. That somebody asks for the tickets of an event to carry away is.

mod bundle;
mod presented;
mod sync;

use onsale_domain::command::ScanTicket;
use onsale_domain::inventory::DoorCounts;
use onsale_domain::{
    Availability, Command, Direction, EventId, Record, Sequence, TicketId, TicketTypeId, UnixMillis,
};
use onsale_engine::{Answer, EngineError};

pub use bundle::{BundleCursor, DoorBundle};
pub use sync::{OFFLINE_SCANS_MAX, OfflineScan, ScanRefusal, SyncedScan};

use crate::digest::scan_digest;
use crate::{ServiceError, Services, StaffMember, metrics};

/// Asks to let somebody through a gate.
#[derive(Clone, Debug)]
pub struct CheckInRequest {
    /// Of which event.
    pub event_id: EventId,
    /// What was shown: the printed code, or the text of the QR symbol.
    pub code: String,
    /// Which gate.
    pub gate: String,
    /// The gate's name for this scan; a repeat under it gets the first answer.
    pub nonce: String,
    /// Which way.
    pub direction: Direction,
}

/// A scan that let somebody through, now or by an earlier request with the same nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// The type's name, as it is now.
    pub ticket_type: String,
    /// Where.
    pub gate: String,
    /// Which way.
    pub direction: Direction,
    /// When it was scanned.
    pub scanned_at: UnixMillis,
    /// Sequence of its record.
    pub seq: Sequence,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

/// One scan, with a connection or without.
#[derive(Clone, Copy)]
struct Scan<'a> {
    code: &'a str,
    gate: &'a str,
    nonce: &'a str,
    direction: Direction,
    /// `None`: now.
    scanned_at: Option<UnixMillis>,
}

impl Services {
    /// Lets somebody through a gate.
    pub async fn check_in(
        &self,
        staff: &StaffMember,
        request: CheckInRequest,
    ) -> Result<CheckIn, ServiceError> {
        let event = self.staff_event(staff, request.event_id).await?;
        let scan = Scan {
            code: &request.code,
            gate: &request.gate,
            nonce: &request.nonce,
            direction: request.direction,
            scanned_at: None,
        };
        self.scan(&event, scan).await
    }

    /// How many went through an event's gates.
    pub async fn door_counts(
        &self,
        staff: &StaffMember,
        event_id: EventId,
    ) -> Result<DoorCounts, ServiceError> {
        self.staff_event(staff, event_id).await?;
        Ok(self.engine().door_counts(event_id).await?)
    }

    async fn scan(&self, event: &Availability, scan: Scan<'_>) -> Result<CheckIn, ServiceError> {
        let outcome = self.decide_scan(event, scan).await;
        metrics::check_in(match &outcome {
            Ok(CheckIn { replayed: true, .. }) => "repeated",
            Ok(_) => "admitted",
            Err(ServiceError::WrongEvent) => "wrong_event",
            Err(ServiceError::Engine(EngineError::Refused(refusal))) => refusal.code(),
            Err(_) => "failed",
        });
        outcome
    }

    async fn decide_scan(&self, event: &Availability, scan: Scan<'_>) -> Result<CheckIn, ServiceError> {
        let event_id = event.definition.event_id;
        let command = Command::ScanTicket(Box::new(ScanTicket {
            presented: self.presented(event_id, scan.code)?,
            gate: scan.gate.to_owned(),
            direction: scan.direction,
            scan: scan_digest(scan.gate, scan.nonce, scan.scanned_at),
            scanned_at: scan.scanned_at,
        }));
        let receipt = self.engine().execute(event_id, command).await?;
        let (record, replayed) = match receipt.answer {
            Answer::Recorded(record) => (*record, false),
            Answer::Replayed(record) => (*record, true),
            Answer::Unchanged => return Err(ServiceError::Internal("a scan without a record")),
        };
        let Record::TicketScanned(scanned) = record else {
            return Err(ServiceError::Internal("a scan answered by another record"));
        };
        let ticket_type = event.definition.ticket_type(scanned.ticket_type_id);
        Ok(CheckIn {
            ticket_id: scanned.ticket_id,
            ticket_type_id: scanned.ticket_type_id,
            ticket_type: ticket_type.map_or_else(String::new, |(_, ticket_type)| ticket_type.name.clone()),
            gate: scanned.gate,
            direction: scanned.direction,
            scanned_at: scanned.scanned_at,
            seq: receipt.seq,
            replayed,
        })
    }
}
