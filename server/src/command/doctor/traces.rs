//! Whether the collector of traces is there.

use std::time::Duration;

use hyper::Uri;
use tokio::net::TcpStream;

use super::Check;
use crate::configuration::Settings;

const NAME: &str = "traces";
const LONGEST: Duration = Duration::from_secs(3);
const MEND: &str =
    "Check ONSALE_OTLP_ENDPOINT and the way there; until it answers, traces are lost and nothing else";

/// One check where somebody is to be told of traces.
pub(super) async fn traces(settings: &Settings) -> Option<Check> {
    let traces = settings.traces.as_ref()?;
    let knocked = tokio::time::timeout(LONGEST, knock(&traces.endpoint)).await;
    Some(match knocked {
        Ok(Ok(())) => Check::ok(NAME, "the collector takes connections"),
        Ok(Err(problem)) => Check::warning(NAME, format!("no collector: {problem}"), MEND),
        Err(_) => Check::warning(NAME, format!("no collector within {} s", LONGEST.as_secs()), MEND),
    })
}

async fn knock(endpoint: &str) -> Result<(), String> {
    let uri: Uri = endpoint
        .parse()
        .map_err(|_| "the address cannot be read".to_owned())?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("https")) => 443,
        (None, _) => 80,
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    TcpStream::connect((host, port))
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}
