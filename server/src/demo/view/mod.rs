//! What a person sees while the storm lasts: a live view in a terminal, plain lines elsewhere. Both go to stderr.

mod live;
mod plain;

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::journey::Shop;
use super::lag::{self, Lag};
use super::plan::Plan;

/// Time between two looks.
const TICK: Duration = Duration::from_millis(250);

/// What the demo is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Buyers buy.
    Selling,
    /// The drill.
    KillingActor,
    /// kill -9.
    KillingProcess,
    /// Waiting for the first sale after the crash.
    Recovering,
    /// Selling again.
    Recovered {
        /// From the crash to the first sale after it.
        after_ms: u128,
    },
}

impl Phase {
    fn line(self) -> Cow<'static, str> {
        match self {
            Self::Selling => "selling".into(),
            Self::KillingActor => "killing the event's actor…".into(),
            Self::KillingProcess => "kill -9 on the serving process…".into(),
            Self::Recovering => "recovering from the journal…".into(),
            Self::Recovered { after_ms } => format!("selling again, {after_ms} ms after the crash").into(),
        }
    }
}

/// One look at the sale.
#[derive(Clone, Debug)]
struct Frame {
    phase: Phase,
    elapsed: Duration,
    duration: Duration,
    capacity: u64,
    tickets: u64,
    offered: u64,
    buyers: u64,
    retries: u64,
    offered_per_second: f64,
    acknowledged_per_second: f64,
    /// p50 and p99 since the last look.
    latency_ms: Option<(f64, f64)>,
    /// `None` while the serving process is away.
    lag: Option<Lag>,
}

impl Frame {
    const fn seats_left(&self) -> u64 {
        self.capacity.saturating_sub(self.tickets)
    }
}

/// Where frames go.
enum Screen {
    Live(Box<live::Live>),
    Plain(plain::Plain),
}

/// Shows the sale until `done`. A person at the terminal who gives up cancels `interrupt`.
pub(crate) async fn show(
    shop: Arc<Shop>,
    plan: Plan,
    internal: std::net::SocketAddr,
    mut phase: watch::Receiver<Phase>,
    interrupt: CancellationToken,
    done: CancellationToken,
) {
    let mut screen = open(interrupt);
    let (mut offered, mut orders, mut looked) = (0, 0, shop.ledger.started);
    loop {
        // A crash is over within a tick or two, so a change of phase is shown at once.
        tokio::select! {
            () = done.cancelled() => break,
            () = tokio::time::sleep(TICK) => {}
            Ok(()) = phase.changed() => {}
        }
        let counts = &shop.ledger.counts;
        let lag = lag::read(internal).await;
        let phase = *phase.borrow_and_update();
        let now = Instant::now();
        let seconds = (now - looked).as_secs_f64();
        let offered_now = counts.offered.load(Ordering::Relaxed);
        let orders_now = counts.orders.load(Ordering::Relaxed);
        let frame = Frame {
            phase,
            elapsed: now - shop.ledger.started,
            duration: plan.duration,
            capacity: plan.capacity.into(),
            tickets: counts.tickets.load(Ordering::Relaxed),
            offered: offered_now,
            buyers: plan.buyers.into(),
            retries: counts.retries.load(Ordering::Relaxed),
            offered_per_second: rate(offered_now - offered, seconds),
            acknowledged_per_second: rate(orders_now - orders, seconds),
            latency_ms: shop.ledger.recent_latency(),
            lag,
        };
        (offered, orders, looked) = (offered_now, orders_now, now);
        match &mut screen {
            Screen::Live(live) => live.show(&frame),
            Screen::Plain(lines) => lines.show(&frame),
        }
    }
    if let Screen::Live(live) = screen {
        live.close();
    }
}

fn open(interrupt: CancellationToken) -> Screen {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let terminal = std::io::stderr().is_terminal() && std::io::stdin().is_terminal() && !dumb;
    match terminal.then(|| live::Live::open(interrupt)) {
        Some(Ok(live)) => Screen::Live(Box::new(live)),
        Some(Err(_)) | None => Screen::Plain(plain::Plain::default()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}
