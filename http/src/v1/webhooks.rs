//! `/v1/webhooks`: what others tell us.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use onsale_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, heard};
use crate::extract::RawBody;
use crate::problem::ProblemSchema;
use crate::state::Api;

/// Bytes of a message: providers send whole objects, larger than what our own clients have to say.
const MESSAGE_BYTES_MAX: usize = 64 * 1_024;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// Take a payment provider's message
///
/// Needs no token: the message is signed in the provider's own way. It is only a hint to ask the provider, so one that
/// is late, repeated or about nothing of ours is answered with 200 too; 503 has the provider send it again. There is no
/// rate limit: providers send in bursts from few addresses, and a forged message costs one digest of its 64 KiB at most.
#[utoipa::path(
    post, path = "/v1/webhooks/payments/{provider}", tag = "webhooks", operation_id = "receivePaymentWebhook",
    params(("provider" = String, Path, description = "`stripe` or `midtrans`, where it is configured")),
    request_body(content = String, description = "As the provider sends it", content_type = "application/json"),
    responses(
        (status = 200, description = "Heard"),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json", description = "Not kept; send it again"),
    )
)]
async fn receive(
    State(services): State<Services>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody<MESSAGE_BYTES_MAX>,
) -> Answer {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    services.payment_notice(&provider, &header, &body).await?;
    Ok(heard())
}
