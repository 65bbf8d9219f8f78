//! `/v1/tickets`: the owner's own.

use axum::extract::State;
use onsale_domain::TicketId;
use onsale_services::{ObjectKind, OwnedTicketRow, Services};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok};
use crate::auth::Buyer;
use crate::extract::{Id, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::views::{FileLinkView, OwnedTicketView, PageView, parse_id_cursor};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(file))
}

/// Which file.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FileFormat {
    /// A page to print or to show.
    Pdf,
    /// For a calendar.
    Ics,
}

impl From<FileFormat> for ObjectKind {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Pdf => Self::Pdf,
            FileFormat::Ics => Self::Calendar,
        }
    }
}

/// Which file of a ticket.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FileQuery {
    /// `pdf` or `ics`.
    #[param(inline)]
    format: FileFormat,
}

/// List the owner's tickets
///
/// Latest first, also those that let nobody in any more. What was acknowledged before is in it. The signed code is only
/// in the ticket itself.
#[utoipa::path(
    get, path = "/v1/tickets", tag = "tickets", operation_id = "listTickets",
    params(PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<OwnedTicketView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn list(State(services): State<Services>, owner: Buyer, Search(page): Search<PageQuery>) -> Answer {
    let before = page.cursor(parse_id_cursor(TicketId))?;
    let tickets = services.list_tickets(owner.id, before, page.limit()?).await?;
    ok(&PageView::of(tickets, cursor, OwnedTicketView::from))
}

/// Read a ticket
///
/// With the signed code that its QR symbol shows, for as long as it lets somebody in.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_id}", tag = "tickets", operation_id = "getTicket",
    params(("ticket_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = OwnedTicketView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn get(State(services): State<Services>, owner: Buyer, Id(ticket_id): Id<TicketId>) -> Answer {
    let ticket = services.ticket(ticket_id, owner.id).await?;
    ok(&OwnedTicketView::from(ticket))
}

/// Get a link to a ticket's file
///
/// Good for five minutes, for whoever has it. `file_not_ready` for the moments in which the file is being made, after the
/// purchase and after a transfer; `not_found` when the ticket lets nobody in any more.
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_id}/file", tag = "tickets", operation_id = "getTicketFile",
    params(("ticket_id" = Uuid, Path), FileQuery), security(("token" = [])),
    responses((status = 200, body = FileLinkView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn file(
    State(services): State<Services>,
    owner: Buyer,
    Id(ticket_id): Id<TicketId>,
    Search(query): Search<FileQuery>,
) -> Answer {
    let link = services
        .ticket_file_link(ticket_id, owner.id, query.format.into())
        .await?;
    ok(&FileLinkView::from(link))
}

fn cursor(row: &OwnedTicketRow) -> String {
    row.ticket.ticket_id.0.simple().to_string()
}
