//! What a gate has scanned without a connection.

use onsale_domain::{Direction, EventId, Refusal, UnixMillis};
use onsale_engine::EngineError;

use super::{CheckIn, Scan};
use crate::{ServiceError, Services, StaffMember};

/// Scans that one call may report.
pub const OFFLINE_SCANS_MAX: usize = 500;

/// A scan that a gate made without a connection.
#[derive(Clone, Debug)]
pub struct OfflineScan {
    /// What was shown.
    pub code: String,
    /// The gate's name for this scan.
    pub nonce: String,
    /// When, by the gate's clock.
    pub scanned_at: UnixMillis,
    /// Which way.
    pub direction: Direction,
}

/// What came of a scan that was reported.
#[derive(Debug)]
pub struct SyncedScan {
    /// The gate's name for the scan.
    pub nonce: String,
    /// What is recorded of it, or why nothing is.
    pub outcome: Result<CheckIn, ScanRefusal>,
}

/// Why a reported scan is not recorded. Whoever was let in by it should not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanRefusal {
    /// A ticket to another event.
    WrongEvent,
    /// A rule of the door.
    Rule(Refusal),
}

impl Services {
    /// Records what a gate has scanned, in the order in which it did. Repeating it changes nothing: each scan gets the
    /// outcome that it had, except that what was refused is tried again.
    ///
    /// Errors: what concerns the whole call, such as a gate's name that is none. Scans before that point are recorded.
    pub async fn sync_check_ins(
        &self,
        staff: &StaffMember,
        (event_id, gate): (EventId, &str),
        scans: Vec<OfflineScan>,
    ) -> Result<Vec<SyncedScan>, ServiceError> {
        let event = self.staff_event(staff, event_id).await?;
        let mut synced = Vec::with_capacity(scans.len());
        for scan in scans {
            let one = Scan {
                code: &scan.code,
                gate,
                nonce: &scan.nonce,
                direction: scan.direction,
                scanned_at: Some(scan.scanned_at),
            };
            let outcome = match self.scan(&event, one).await {
                Ok(check_in) => Ok(check_in),
                Err(error) => Err(refusal_of(error)?),
            };
            let nonce = scan.nonce;
            synced.push(SyncedScan { nonce, outcome });
        }
        Ok(synced)
    }
}

/// The refusal of one scan. Errors: what stops the whole call.
fn refusal_of(error: ServiceError) -> Result<ScanRefusal, ServiceError> {
    match error {
        ServiceError::WrongEvent => Ok(ScanRefusal::WrongEvent),
        ServiceError::Engine(EngineError::Refused(
            refusal @ (Refusal::AlreadyUsed { .. }
            | Refusal::UnknownCode
            | Refusal::TicketCancelled
            | Refusal::TicketRefunded
            | Refusal::CodeTransferred
            | Refusal::CheckInTooEarly { .. }
            | Refusal::NotLeaving { .. }
            | Refusal::EventCancelled
            | Refusal::InvalidField { field: "scanned_at" }),
        )) => Ok(ScanRefusal::Rule(refusal)),
        error => Err(error),
    }
}
