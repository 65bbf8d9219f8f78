//! `cargo xtask dev`: everything that Onsale needs and Onsale itself, on this machine and without containers.
//!
//! What it stores is kept between runs, in a directory of its own; `--fresh` begins anew. Nothing is left running: the
//! children are stopped in the reverse of the order in which they started, the server first.

mod place;
mod prometheus;
mod s3;
mod server;
mod told;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::place::Place;
use self::prometheus::Prometheus;
use self::s3::S3;
use self::server::Server;
use crate::postgres::Postgres;
use crate::process::{self, Console};
use crate::redis::Redis;
use crate::{cargo, private, reaper, workspace};

/// As the tests are built, so that neither builds what the other has built already.
const BUILD: [&str; 9] = [
    "build",
    "--locked",
    "--workspace",
    "--features",
    cargo::FEATURES,
    "--bin",
    "onsale",
    "--example",
    "s3_server",
];
const POLL: Duration = Duration::from_millis(100);
/// Where others look first; where one is taken, another port is.
const POSTGRES_PORT: u16 = 5432;
const REDIS_PORT: u16 = 6379;
const API_PORT: u16 = 8080;

/// What is asked for.
#[derive(Debug, Args)]
pub struct Options {
    /// Port of the API; without it 8080, or one that is free
    #[arg(long)]
    port: Option<u16>,
    /// Throw away what earlier runs stored
    #[arg(long)]
    fresh: bool,
    /// Where everything is stored [default: dev in cargo's target directory]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Directory of programs that were built before; nothing is built then
    #[arg(long, value_name = "DIR", hide = true)]
    programs: Option<PathBuf>,
}

/// All that runs; stopped in this order when it is dropped.
struct Stack {
    server: Server,
    prometheus: Option<Prometheus>,
    s3: S3,
    redis: Redis,
    postgres: Postgres,
}

/// Runs until Ctrl-C or SIGTERM, or until one of the programs ends by itself.
pub fn run(options: &Options) -> Result<ExitCode> {
    process::catch_signals()?;
    reaper::adopt_orphans();
    let root = workspace::root()?;
    let programs = if let Some(programs) = &options.programs {
        programs.clone()
    } else {
        let built = process::run(cargo::command(&root).args(BUILD), Console::Shared, &[])?;
        if !built.status.success() {
            return Ok(built.exit_code());
        }
        cargo::target_directory(&root)?.join("debug")
    };
    let directory = match &options.directory {
        Some(directory) => std::path::absolute(directory)?,
        None => cargo::target_directory(&root)?.join("dev"),
    };
    let place = Place::open(directory, programs, options.fresh)?;
    let mut stack = Stack::start(&root, &place, options.port)?;
    place.write_secret("env", &told::environment(&stack, &place))?;
    print!("{}", told::table(&stack, &place));
    std::io::stdout().flush().context("cannot write to stdout")?;
    let ended = stack.wait();
    drop(stack);
    reaper::end_leftovers(&[]);
    ended?;
    println!("stopped; what was stored is kept in {}", place.path("").display());
    Ok(ExitCode::SUCCESS)
}

impl Stack {
    fn start(root: &std::path::Path, place: &Place, port: Option<u16>) -> Result<Self> {
        if let Some(port) = port {
            ensure!(
                private::free_port(Some(port))? == port,
                "port {port} is taken: choose another --port, or leave it out"
            );
        }
        let postgres = Postgres::start_in(&place.directory("postgres")?, Some(POSTGRES_PORT))?;
        let redis = Redis::start_in(&place.directory("redis")?, Some(REDIS_PORT))?;
        let s3 = S3::start(place)?;
        let server = Server::start(place, &postgres, &redis, &s3, port.unwrap_or(API_PORT))?;
        // The sale goes on without it, also on a machine that cannot install it.
        let prometheus = Prometheus::start(root, place, server.internal())
            .inspect_err(|error| eprintln!("xtask: no Prometheus: {error:#}"))
            .ok();
        Ok(Self {
            server,
            prometheus,
            s3,
            redis,
            postgres,
        })
    }

    /// Waits for somebody who has had enough.
    fn wait(&mut self) -> Result<()> {
        while !process::interrupted() {
            let ended = [
                ("onsale", !self.server.is_running(), "server.log"),
                ("the S3 server", !self.s3.is_running(), "s3.log"),
                ("Redis", !self.redis.is_running(), "redis/log"),
                ("Postgres", !self.postgres.is_running(), "postgres/log"),
            ];
            if let Some((name, _, log)) = ended.iter().find(|(_, ended, _)| *ended) {
                let log = self.server.place_of(log);
                bail!(
                    "{name} ended by itself; {} ends with:\n{}",
                    log.display(),
                    private::tail(&log)
                );
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}
