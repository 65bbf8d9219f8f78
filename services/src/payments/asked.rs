//! Asking a provider while a buyer waits: no longer than the use case may, and visible in the request's trace.

use onsale_domain::Gateway;
use onsale_engine::trace;
use tokio::time::timeout;

use super::{GatewayError, ProviderState};
use crate::Services;

impl Services {
    /// What a provider says, as far as it says it in time. It learns nothing of the trace: whose requests we trace is
    /// not its business.
    pub(crate) async fn asked_in_time(
        &self,
        gateway: Gateway,
        asking: impl Future<Output = Result<ProviderState, GatewayError>>,
    ) -> Result<ProviderState, GatewayError> {
        let span = trace::begin("ask_provider").map(trace::OpenSpan::asking);
        let answer = timeout(self.gateway_timeout(), asking)
            .await
            .unwrap_or(Err(GatewayError::Unknown));
        if let Some(mut span) = span {
            span.set("onsale.gateway", gateway.as_str());
            span.set("onsale.outcome", outcome(&answer));
            if answer.is_err() {
                span.fail();
            }
        }
        answer
    }
}

const fn outcome(answer: &Result<ProviderState, GatewayError>) -> &'static str {
    match answer {
        Ok(ProviderState::Absent) => "absent",
        Ok(ProviderState::Pending { .. }) => "pending",
        Ok(ProviderState::Authorized { .. }) => "authorized",
        Ok(ProviderState::Captured { .. }) => "captured",
        Ok(ProviderState::Declined { .. }) => "declined",
        Ok(ProviderState::Voided) => "voided",
        Err(GatewayError::Unavailable(_)) => "unavailable",
        Err(GatewayError::Unknown) => "unknown",
        Err(GatewayError::Rejected(_)) => "rejected",
    }
}
