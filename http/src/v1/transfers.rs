//! `/v1/tickets/{ticket_id}/transfer`: giving a ticket away.

use axum::extract::State;
use onsale_domain::TicketId;
use onsale_services::{KeyedRoute, Services, TransferRequest, key_binding};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok_or_replayed};
use crate::auth::Buyer;
use crate::extract::{Id, JsonBody, OptionalKey};
use crate::gate::Gate;
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::views::{TransferBody, TransferredTicketView};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(transfer))
}

/// Give a ticket to another account
///
/// The recipient needs an account (`recipient_unknown` otherwise). The ticket gets a new code, which only the new owner
/// sees, and the former one lets nobody in from then on. A sold-out event's tickets are given away as any others. A
/// ticket that was used, cancelled or refunded is not. With a key, a repeat gets the first answer; without one it finds
/// that the ticket is no longer theirs. Because the answer tells who has an account, an account may ask as seldom as
/// somebody may try a password.
#[utoipa::path(
    post, path = "/v1/tickets/{ticket_id}/transfer", tag = "tickets", operation_id = "transferTicket",
    params(("ticket_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = TransferBody, security(("token" = [])),
    responses(
        (status = 200, body = TransferredTicketView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn transfer(
    State(services): State<Services>,
    State(gate): State<Gate>,
    owner: Buyer,
    Id(ticket_id): Id<TicketId>,
    OptionalKey(key): OptionalKey,
    body: JsonBody<TransferBody>,
) -> Answer {
    gate.admit_auth_account(owner.id.0.as_bytes()).await?;
    // The ticket is in the path: the same body about another ticket is another request.
    let asked = [ticket_id.0.as_bytes(), &body.raw[..]].concat();
    let transferred = services
        .transfer_ticket(TransferRequest {
            ticket_id,
            from: owner.id,
            to_email: body.value.into_email(),
            key: key.map(|key| key_binding(owner.id, KeyedRoute::Transfer, &key, &asked)),
        })
        .await?;
    let replayed = transferred.replayed;
    ok_or_replayed(&TransferredTicketView::from(transferred), replayed)
}
