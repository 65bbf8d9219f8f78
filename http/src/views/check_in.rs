//! The door.

use jiff::Timestamp;
use onsale_domain::inventory::DoorCounts;
use onsale_domain::{Direction, EventId, Refusal, UnixMillis};
use onsale_services::{
    CheckIn, CheckInRequest, DoorBundle, OFFLINE_SCANS_MAX, OfflineScan, ScanRefusal, SyncedScan,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::Code;
use crate::error::refusal_code;
use crate::problem::Problem;

/// Bytes of a report's body: as many scans as it may have, of the longest signed codes.
pub(crate) const SYNC_BYTES_MAX: usize = 256 * 1_024;
/// Bytes of a scan's nonce.
const NONCE_BYTES_MAX: usize = 64;

const _: () = assert!(
    OFFLINE_SCANS_MAX * 500 <= SYNC_BYTES_MAX,
    "a full report must fit its body"
);

/// Which way through a gate.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Direction)]
pub(crate) enum DirectionView {
    /// Into the event.
    #[default]
    In,
    /// Out of it, to come back: only where the event allows re-entry.
    Out,
}

/// A scan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckInInput)]
pub(crate) struct CheckInBody {
    event_id: Uuid,
    /// The code printed on the ticket, in any case and with or without dashes, or the text of its QR symbol.
    code: String,
    /// The gate's name, 1 to 200 bytes.
    gate: String,
    /// The gate's name for this scan, 1 to 64 visible ASCII characters; never used for another.
    nonce: String,
    /// `in` where nothing is said.
    #[serde(default)]
    #[schema(inline)]
    direction: DirectionView,
}

/// A scan that was made without a connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OfflineScanInput)]
pub(crate) struct OfflineScanBody {
    /// The code printed on the ticket, or the text of its QR symbol.
    code: String,
    /// The gate's name for this scan, 1 to 64 visible ASCII characters.
    nonce: String,
    /// By the gate's clock. What lies in the future counts as now.
    scanned_at: Timestamp,
    /// `in` where nothing is said.
    #[serde(default)]
    #[schema(inline)]
    direction: DirectionView,
}

/// What a gate scanned without a connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncInput)]
pub(crate) struct SyncBody {
    event_id: Uuid,
    /// The gate's name, 1 to 200 bytes.
    gate: String,
    /// In the order in which they were made, 1 to 500.
    scans: Vec<OfflineScanBody>,
}

/// A ticket's type.
#[derive(Serialize, ToSchema)]
#[schema(as = ScannedTicketType)]
pub(crate) struct ScannedTypeView {
    id: Uuid,
    name: String,
}

/// A scan that let somebody through.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckIn)]
pub(crate) struct CheckInView {
    ticket_id: Uuid,
    ticket_type: ScannedTypeView,
    gate: String,
    #[schema(inline)]
    direction: DirectionView,
    scanned_at: Timestamp,
    /// Position in the event's journal.
    seq: u64,
}

/// What came of a reported scan.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncedScan)]
pub(crate) struct SyncedScanView {
    nonce: String,
    /// `admitted`, `duplicate` or `refused`.
    result: &'static str,
    /// Of what is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_id: Option<Uuid>,
    /// Position in the event's journal of what is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// Why nothing is recorded: an error code of this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// Of a duplicate: when the scan was made that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// Of a duplicate: where.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<String>,
}

/// What came of a report, scan by scan.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncedScans)]
pub(crate) struct SyncedView {
    data: Vec<SyncedScanView>,
}

/// How many a gate has let through.
#[derive(Serialize, ToSchema)]
#[schema(as = GateCounts)]
pub(crate) struct GateView {
    gate: String,
    entries: u32,
    exits: u32,
}

/// How many the gates have let through.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorCounts)]
pub(crate) struct GatesView {
    /// In the order of their first scans.
    gates: Vec<GateView>,
    /// Entries less exits.
    inside: u64,
    /// Tickets that are neither cancelled nor refunded.
    tickets: u64,
    /// Tickets that have let somebody in.
    tickets_used: u64,
}

/// A part of the list of an event's tickets.
#[derive(Serialize, ToSchema)]
#[schema(as = DoorBundle)]
pub(crate) struct BundleView {
    /// The signed list: a compact JWS.
    bundle: String,
    /// When it must not be used any more.
    expires_at: Timestamp,
    has_more: bool,
    /// Fetches the next part.
    next_cursor: Option<String>,
}

impl CheckInBody {
    /// Errors: a nonce that is none.
    pub(crate) fn into_request(self) -> Result<CheckInRequest, Problem> {
        check_nonce(&self.nonce, || "/nonce".to_owned())?;
        Ok(CheckInRequest {
            event_id: EventId(self.event_id),
            code: self.code,
            gate: self.gate,
            nonce: self.nonce,
            direction: self.direction.into(),
        })
    }
}

impl SyncBody {
    /// Errors: too many scans or none, or a nonce that is none.
    pub(crate) fn into_parts(self) -> Result<(EventId, String, Vec<OfflineScan>), Problem> {
        if !(1..=OFFLINE_SCANS_MAX).contains(&self.scans.len()) {
            return Err(Problem::invalid("/scans", "must have 1 to 500 scans"));
        }
        for (index, scan) in self.scans.iter().enumerate() {
            check_nonce(&scan.nonce, || format!("/scans/{index}/nonce"))?;
        }
        let scans = self.scans.into_iter().map(|scan| OfflineScan {
            code: scan.code,
            nonce: scan.nonce,
            scanned_at: UnixMillis(scan.scanned_at.as_millisecond()),
            direction: scan.direction.into(),
        });
        Ok((EventId(self.event_id), self.gate, scans.collect()))
    }
}

fn check_nonce(nonce: &str, pointer: impl FnOnce() -> String) -> Result<(), Problem> {
    if (1..=NONCE_BYTES_MAX).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Problem::invalid(
        pointer(),
        "must be 1 to 64 visible ASCII characters",
    ))
}

impl From<DirectionView> for Direction {
    fn from(direction: DirectionView) -> Self {
        match direction {
            DirectionView::In => Self::In,
            DirectionView::Out => Self::Out,
        }
    }
}

impl From<Direction> for DirectionView {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::In => Self::In,
            Direction::Out => Self::Out,
        }
    }
}

impl From<CheckIn> for CheckInView {
    fn from(check_in: CheckIn) -> Self {
        Self {
            ticket_id: check_in.ticket_id.0,
            ticket_type: ScannedTypeView {
                id: check_in.ticket_type_id.0,
                name: check_in.ticket_type,
            },
            gate: check_in.gate,
            direction: check_in.direction.into(),
            scanned_at: check_in.scanned_at.to_timestamp(),
            seq: check_in.seq,
        }
    }
}

impl From<Vec<SyncedScan>> for SyncedView {
    fn from(synced: Vec<SyncedScan>) -> Self {
        Self {
            data: synced.into_iter().map(SyncedScanView::from).collect(),
        }
    }
}

impl From<SyncedScan> for SyncedScanView {
    fn from(synced: SyncedScan) -> Self {
        let view = Self {
            nonce: synced.nonce,
            result: "refused",
            ticket_id: None,
            seq: None,
            code: None,
            used_at: None,
            gate: None,
        };
        match synced.outcome {
            Ok(check_in) => Self {
                result: "admitted",
                ticket_id: Some(check_in.ticket_id.0),
                seq: Some(check_in.seq),
                ..view
            },
            Err(ScanRefusal::Rule(Refusal::AlreadyUsed { at, gate })) => Self {
                result: "duplicate",
                code: Some(Code::AlreadyUsed.as_str()),
                used_at: Some(at.to_timestamp()),
                gate: Some(gate),
                ..view
            },
            Err(ScanRefusal::Rule(refusal)) => Self {
                code: Some(refusal_code(&refusal).as_str()),
                ..view
            },
            Err(ScanRefusal::WrongEvent) => Self {
                code: Some(Code::WrongEvent.as_str()),
                ..view
            },
        }
    }
}

impl From<DoorCounts> for GatesView {
    fn from(counts: DoorCounts) -> Self {
        Self {
            inside: counts.inside(),
            tickets: counts.tickets,
            tickets_used: counts.tickets_used,
            gates: counts
                .gates
                .into_iter()
                .map(|(gate, counts)| GateView {
                    gate,
                    entries: counts.entries,
                    exits: counts.exits,
                })
                .collect(),
        }
    }
}

impl From<DoorBundle> for BundleView {
    fn from(bundle: DoorBundle) -> Self {
        Self {
            bundle: bundle.token,
            expires_at: bundle.expires_at.to_timestamp(),
            has_more: bundle.next.is_some(),
            next_cursor: bundle.next.map(onsale_services::BundleCursor::to_text),
        }
    }
}
