//! The comparison from its beginning to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use onsale_report::{Latencies, Machine};
use sqlx::{Connection as _, PgConnection};

use crate::clock;
use crate::contender::{Contender, Operation, RedisSettings, Sale, Series};
use crate::crash::{Plot, crash};
use crate::figures::{Crash, Figures, SeriesFigures, Workload};
use crate::host::{Host, Programs};
use crate::load::Buyers;
use crate::plan::{Plan, Stage};
use crate::rounds::{PLENTY, Round, Shape, median, round, turns};

/// Clients around a crash, and while pools are chosen.
const CONNECTIONS: usize = 64;
/// Tickets on sale around a crash.
const CRASH_CAPACITY_MIN: u32 = 200;
const CRASH_CAPACITY_MAX: u32 = 20_000;
/// Tokens are made anew before they expire.
const BUYERS_FOR: Duration = Duration::from_mins(5);

/// Who is killed, and whether with their Redis.
const CRASHES: [(Contender, bool); 8] = [
    (Contender::OnsaleLocal, false),
    (Contender::OnsalePostgres, false),
    (Contender::RowLock, false),
    (Contender::ConditionalUpdate, false),
    (Contender::RedisStream(RedisSettings::Always), false),
    (Contender::RedisStream(RedisSettings::Always), true),
    (Contender::RedisStream(RedisSettings::EverySecond), true),
    (Contender::RedisStream(RedisSettings::Snapshots), true),
];

/// A comparison under way.
struct Comparison<'a> {
    programs: &'a Programs,
    plan: &'a Plan,
    started: Instant,
    buyers: Buyers,
    minted: Instant,
    problems: Vec<String>,
}

/// A contender at an operation, with all that it has done so far.
struct Entrant {
    series: Series,
    host: Host,
    pool: Option<u32>,
    /// New ones for each round where there is one event, so that it does not grow from round to round.
    sales: Vec<Sale>,
    /// By connections; `None` for a round that failed.
    closed: BTreeMap<usize, Vec<Option<Round>>>,
    open: Vec<Round>,
}

/// Runs a comparison.
pub(crate) async fn run(programs: &Programs, plan: &Plan) -> anyhow::Result<Figures> {
    let mut comparison = Comparison {
        programs,
        plan,
        started: Instant::now(),
        buyers: Buyers::mint(plan.buyers)?,
        minted: Instant::now(),
        problems: Vec::new(),
    };
    let postgres = postgres_version(&programs.cluster_url).await?;
    let mut workloads = Vec::new();
    for stage in &plan.stages {
        workloads.push(comparison.stage(stage).await?);
    }
    let crashes = comparison.crashes(&workloads).await?;
    comparison.say("done");
    Ok(Figures {
        machine: Machine::this(),
        postgres,
        quick: plan.quick,
        ended_at_ms: clock::now().0,
        workloads,
        crashes,
        problems: comparison.problems,
    })
}

async fn postgres_version(cluster_url: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(cluster_url)
        .await
        .context("the Postgres cluster")?;
    let version = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(version)
}

impl Comparison<'_> {
    async fn stage(&mut self, stage: &Stage) -> anyhow::Result<Workload> {
        let mut entrants = Vec::new();
        for &series in &stage.series {
            entrants.extend(self.entrant(stage, series).await?);
        }
        for &connections in &stage.connections {
            let shape = Shape::Closed {
                connections,
                time: self.plan.round,
            };
            for number in 0..self.plan.rounds {
                self.say(&format!(
                    "{} event(s), {connections} connections, round {} of {}",
                    stage.events,
                    number + 1,
                    self.plan.rounds
                ));
                for place in turns(number, entrants.len()) {
                    let entrant = &mut entrants[place];
                    let round = self.round(stage, entrant, shape).await?;
                    entrant.closed.entry(connections).or_default().push(round);
                }
            }
        }
        for number in 0..if stage.open { self.plan.open_rounds } else { 0 } {
            self.say(&format!(
                "{} event(s), half load, round {} of {}",
                stage.events,
                number + 1,
                self.plan.open_rounds
            ));
            for place in turns(number, entrants.len()) {
                let entrant = &mut entrants[place];
                let (best, ceiling) = entrant.ceiling();
                let shape = Shape::Open {
                    // On fewer, half of its best may be more than they can carry.
                    connections: self.plan.open_connections.max(best),
                    time: self.plan.open_round,
                    per_second: (ceiling / 2.0).max(1.0),
                };
                let round = self.round(stage, entrant, shape).await?;
                entrant.open.extend(round);
            }
        }
        let echo = entrants
            .iter()
            .find(|entrant| entrant.series.contender == Contender::Echo)
            .map_or(0.0, |echo| echo.ceiling().1);
        let mut series = Vec::new();
        for entrant in entrants {
            series.push(entrant.figures(echo)?);
            entrant.host.stop().await?;
        }
        Ok(Workload {
            events: stage.events,
            series,
        })
    }

    /// Starts a contender and lets it warm up; a peer with the best of some pools. `None`, and a problem noted, where
    /// it does not start.
    async fn entrant(&mut self, stage: &Stage, series: Series) -> anyhow::Result<Option<Entrant>> {
        let pools = self.plan.pools(series.contender);
        let mut best: Option<(f64, Entrant)> = None;
        for &pool in pools {
            let entrant = match self.tried(stage, series, pool).await {
                Ok(entrant) => entrant,
                Err(error) => {
                    self.problem(format!("{}, pool of {pool}: no start: {error:#}", series.label()));
                    continue;
                }
            };
            let per_second = entrant.0;
            let is_better = best.as_ref().is_none_or(|(before, _)| per_second > *before);
            let loser = if is_better {
                best.replace(entrant).map(|(_, loser)| loser)
            } else {
                Some(entrant.1)
            };
            if let Some(loser) = loser {
                loser.host.stop().await?;
            }
        }
        let Some((per_second, mut entrant)) = best else {
            return Ok(None);
        };
        if let [_, _, ..] = pools {
            self.say(&format!(
                "{}: best with {} connections",
                series.label(),
                entrant.pool.unwrap_or_default()
            ));
        } else {
            self.say(&format!("{} is up, {per_second:.0}/s at first", series.label()));
            entrant.pool = None;
        }
        Ok(Some(entrant))
    }

    /// A contender with a pool, and how fast it is at first.
    async fn tried(&mut self, stage: &Stage, series: Series, pool: u32) -> anyhow::Result<(f64, Entrant)> {
        let mut host = Host::start(self.programs, series.contender, pool).await?;
        let sales = host.open_sales(stage.events, PLENTY, series.operation).await?;
        let mut entrant = Entrant {
            series,
            host,
            pool: Some(pool),
            sales,
            closed: BTreeMap::new(),
            open: Vec::new(),
        };
        let shape = Shape::Closed {
            connections: CONNECTIONS,
            time: self.plan.trial,
        };
        let round = self.round(stage, &mut entrant, shape).await?;
        Ok((round.map_or(0.0, |round| round.per_second), entrant))
    }

    /// One round; `None`, and a problem noted, where it failed.
    async fn round(
        &mut self,
        stage: &Stage,
        entrant: &mut Entrant,
        shape: Shape,
    ) -> anyhow::Result<Option<Round>> {
        if self.minted.elapsed() > BUYERS_FOR {
            self.buyers = Buyers::mint(self.plan.buyers)?;
            self.minted = Instant::now();
        }
        let label = entrant.series.label();
        match self.measured(stage, entrant, shape).await {
            Ok(round) => {
                if !round.adds_up() {
                    let Round {
                        acknowledged,
                        rows,
                        missing,
                        ..
                    } = round;
                    self.problem(format!(
                        "{label}: {acknowledged} acknowledged, {rows} rows, {missing} acknowledged without a row"
                    ));
                }
                // There is plenty for everybody, and a refusal is cheaper than a ticket.
                if !round.refused.is_empty() {
                    self.problem(format!(
                        "{label}: {shape:?}: refused, by status: {:?}",
                        round.refused
                    ));
                }
                Ok(Some(round))
            }
            Err(error) => {
                self.problem(format!("{label}: {shape:?}: {error:#}"));
                Ok(None)
            }
        }
    }

    async fn measured(&self, stage: &Stage, entrant: &mut Entrant, shape: Shape) -> anyhow::Result<Round> {
        let series = entrant.series;
        if stage.events == 1 {
            entrant.sales = entrant.host.open_sales(1, PLENTY, series.operation).await?;
        }
        round(&entrant.host, series, &entrant.sales, &self.buyers, shape).await
    }

    async fn crashes(&mut self, workloads: &[Workload]) -> anyhow::Result<Vec<Crash>> {
        self.buyers = Buyers::mint(self.plan.buyers)?;
        let mut crashes = Vec::new();
        for (contender, redis_too) in CRASHES {
            let measured = workloads
                .first()
                .into_iter()
                .flat_map(|workload| &workload.series);
            let known = measured
                .filter(|known| known.series.operation == Operation::Hold)
                .find(|known| {
                    known.series.contender == contender
                        || matches!(
                            (known.series.contender, contender),
                            (Contender::RedisStream(_), Contender::RedisStream(_))
                        )
                });
            let plot = Plot {
                operation: Operation::Hold,
                capacity: known.map_or(CRASH_CAPACITY_MIN, |known| capacity_of_a_second(known.ceiling)),
                within: self.plan.crash_sale,
                connections: CONNECTIONS,
                redis_too,
            };
            let pool = known.and_then(|known| known.pool).unwrap_or(1);
            self.say(&format!("kill -9: {}", contender.label()));
            let label = contender.label();
            let mut host = match Host::start(self.programs, contender, pool).await {
                Ok(host) => host,
                Err(error) => {
                    self.problem(format!("{label}, kill -9: no start: {error:#}"));
                    continue;
                }
            };
            match crash(&mut host, &self.buyers, plot).await {
                Ok(crash) => {
                    if !crash.proves_something() {
                        self.problem(format!(
                            "{label}, kill -9: nothing was sold before it, or after it"
                        ));
                    }
                    crashes.push(crash);
                }
                Err(error) => self.problem(format!("{label}, kill -9: {error:#}")),
            }
            host.stop().await?;
        }
        Ok(crashes)
    }

    fn problem(&mut self, problem: String) {
        self.say(&format!("PROBLEM: {problem}"));
        self.problems.push(problem);
    }

    fn say(&self, what: &str) {
        eprintln!("[{:4} s] {what}", self.started.elapsed().as_secs());
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn capacity_of_a_second(per_second: f64) -> u32 {
    per_second.clamp(f64::from(CRASH_CAPACITY_MIN), f64::from(CRASH_CAPACITY_MAX)) as u32
}

impl Entrant {
    /// On how many connections it was best, and how good.
    fn ceiling(&self) -> (usize, f64) {
        let best = self
            .closed
            .iter()
            .map(|(&connections, rounds)| (connections, per_second(rounds)))
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        best.unwrap_or_default()
    }

    fn figures(&self, echo: f64) -> anyhow::Result<SeriesFigures> {
        let (best, ceiling) = self.ceiling();
        let at_ceiling = self.closed.get(&best).map(Vec::as_slice).unwrap_or_default();
        let at_best = |figure: fn(&Round) -> f64| median(at_ceiling.iter().flatten().map(figure));
        let mut latencies = Latencies::default();
        let mut refused = BTreeMap::new();
        for round in self.closed.values().flatten().flatten().chain(&self.open) {
            for (&status, count) in &round.refused {
                *refused.entry(status).or_default() += count;
            }
        }
        for round in &self.open {
            latencies.add(&round.latencies);
        }
        let per_second = self
            .closed
            .iter()
            .map(|(&connections, rounds)| (connections, per_second(rounds)));
        Ok(SeriesFigures {
            series: self.series,
            label: self.series.label(),
            pool: self.pool,
            per_second: per_second.collect(),
            ceiling,
            ceiling_with_rows: at_best(|round| round.with_rows_per_second),
            to_echo: if echo > 0.0 { ceiling / echo } else { 0.0 },
            half_load: (latencies.count() > 0).then(|| latencies.summary()),
            server_us: at_best(|round| round.processor_us[0]),
            postgres_us: at_best(|round| round.processor_us[1]),
            redis_us: at_best(|round| round.processor_us[2]),
            drain_seconds: at_best(|round| round.drained.as_secs_f64()),
            memory_bytes_max: self.host.used()?.memory_bytes_max,
            refused,
        })
    }
}

/// The median of acknowledgements a second, where a round that failed had none.
fn per_second(rounds: &[Option<Round>]) -> f64 {
    median(
        rounds
            .iter()
            .map(|round| round.as_ref().map_or(0.0, |round| round.per_second)),
    )
}
