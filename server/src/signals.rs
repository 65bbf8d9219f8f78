//! SIGTERM and SIGINT: the first asks for a graceful end, the second insists.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that was told twice: 128 + SIGINT, as shells say it.
const INSISTED: i32 = 130;

/// A token that the first signal cancels. The second one ends the process at once: what was acknowledged is durable
/// already, so nothing is lost but the drain.
pub(crate) fn stop_token() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        any(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal ends the process at once");
        stop.cancel();
        any(&mut terminate, &mut interrupt).await;
        tracing::warn!("told twice: ending without drain");
        std::process::exit(INSISTED);
    });
    Ok(token)
}

async fn any(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Cancels the token when stdin ends. A thread of its own, because a read of stdin cannot be cancelled.
pub(crate) fn stop_with_stdin(stop: CancellationToken) {
    std::thread::spawn(move || {
        // Whatever is written there means nothing; an error ends it like an end.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        stop.cancel();
    });
}
