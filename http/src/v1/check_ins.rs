//! `/v1/check-ins`: the door.

use axum::extract::State;
use onsale_domain::EventId;
use onsale_services::{BundleCursor, Services};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::answer::{Answer, created_or_replayed, ok};
use crate::auth::{Staff, right};
use crate::extract::{JsonBody, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::state::Api;
use crate::views::{BundleView, CheckInBody, CheckInView, GatesView, SYNC_BYTES_MAX, SyncBody, SyncedView};

/// Bytes of a gate's name; the domain has the same bound.
const GATE_BYTES_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(check_in))
        .routes(routes!(sync))
        .routes(routes!(gates))
        .routes(routes!(bundle))
}

/// Which event.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct GatesQuery {
    /// Of this event.
    event_id: Uuid,
}

/// Which list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BundleQuery {
    /// Of this event.
    event_id: Uuid,
    /// For this gate.
    gate: String,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

impl BundleQuery {
    /// Errors: a name that no gate can have, or a cursor that we did not make.
    fn read(&self) -> Result<Option<BundleCursor>, Problem> {
        if self.gate.trim().is_empty() || self.gate.len() > GATE_BYTES_MAX || self.gate.contains('\0') {
            return Err(Problem::invalid("", "gate must be 1 to 200 bytes"));
        }
        let read = |cursor: &str| {
            BundleCursor::parse(cursor).ok_or_else(|| Problem::invalid("", "cursor is not ours"))
        };
        self.cursor.as_deref().map(read).transpose()
    }
}

/// Let a ticket holder in
///
/// The first scan of a ticket wins, whichever gate it comes from; where the event allows re-entry, scans in and out
/// alternate. The nonce is the gate's name for this scan: a repeat with it gets the first answer, so a gate repeats
/// what was not answered. Refusals say why: `already_used` (with `used_at` and `gate`), `unknown_ticket`,
/// `wrong_event`, `ticket_transferred`, `ticket_cancelled`, `ticket_refunded`, `check_in_too_early` (with `opens_at`),
/// `event_cancelled`, `not_leaving`.
#[utoipa::path(
    post, path = "/v1/check-ins", tag = "door", operation_id = "checkIn",
    request_body = CheckInBody, security(("token" = [])),
    responses(
        (status = 201, body = CheckInView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn check_in(
    State(services): State<Services>,
    staff: Staff<right::CheckInsCreate>,
    body: JsonBody<CheckInBody>,
) -> Answer {
    let check_in = services.check_in(&staff, body.value.into_request()?).await?;
    let replayed = check_in.replayed;
    created_or_replayed(&CheckInView::from(check_in), replayed)
}

/// Report what a gate scanned without a connection
///
/// In the order in which it was scanned. Each scan is `admitted` (it is recorded), `duplicate` (another scan of the
/// ticket is recorded; with `used_at` and `gate`) or `refused` (with the `code` of the reason). Repeating a report
/// changes nothing. A body may have 256 KiB.
#[utoipa::path(
    post, path = "/v1/check-ins/sync", tag = "door", operation_id = "syncCheckIns",
    request_body = SyncBody, security(("token" = [])),
    responses(
        (status = 200, body = SyncedView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn sync(
    State(services): State<Services>,
    staff: Staff<right::CheckInsInBulk>,
    body: JsonBody<SyncBody, SYNC_BYTES_MAX>,
) -> Answer {
    let (event_id, gate, scans) = body.value.into_parts()?;
    let synced = services.sync_check_ins(&staff, (event_id, &gate), scans).await?;
    ok(&SyncedView::from(synced))
}

/// Count who went through the gates
///
/// From memory: right while Postgres is away, too.
#[utoipa::path(
    get, path = "/v1/check-ins/gates", tag = "door", operation_id = "countCheckIns",
    params(GatesQuery), security(("token" = [])),
    responses((status = 200, body = GatesView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn gates(
    State(services): State<Services>,
    staff: Staff<right::CheckInsInBulk>,
    Search(query): Search<GatesQuery>,
) -> Answer {
    let counts = services.door_counts(&staff, EventId(query.event_id)).await?;
    ok(&GatesView::from(counts))
}

/// List an event's tickets for a gate without a connection
///
/// A signed token (compact JWS, `EdDSA`, keys at `/.well-known/ticket-keys.json`) that must not be used after
/// `expires_at`. Codes are in it as salted digests. A large event's list comes in parts of 5,000 tickets: fetch with
/// `next_cursor` until `has_more` is false. What is in it and what a device does with it is in `docs/OFFLINE-GATES.md`.
#[utoipa::path(
    get, path = "/v1/check-ins/bundle", tag = "door", operation_id = "getDoorBundle",
    params(BundleQuery), security(("token" = [])),
    responses((status = 200, body = BundleView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn bundle(
    State(services): State<Services>,
    staff: Staff<right::CheckInsInBulk>,
    Search(query): Search<BundleQuery>,
) -> Answer {
    let cursor = query.read()?;
    let list = (EventId(query.event_id), query.gate.as_str());
    let bundle = services.door_bundle(&staff, list, cursor).await?;
    ok(&BundleView::from(bundle))
}
