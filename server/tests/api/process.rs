//! Starting before Postgres, stopping under load.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Caller, EventPlan, Journal, Server, World, bin_dir, free_address, get, signal, until};

#[tokio::test]
async fn a_graceful_stop_under_load_exits_with_0_and_loses_nothing() {
    for journal in [Journal::Local, Journal::Postgres] {
        let mut world = World::with(journal, &[]).await;
        let event = world.event(&EventPlan::of(1_000_000)).await;
        let stopped = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..16)
            .map(|client| {
                let (event, api, stopped) = (event.clone(), world.api(), Arc::clone(&stopped));
                tokio::spawn(async move {
                    let (buyer, mut told) = (Caller::buyer(), Vec::new());
                    for number in 0.. {
                        if stopped.load(Ordering::Relaxed) {
                            break;
                        }
                        let method = if number % 3 == 0 {
                            "sim_delay_100"
                        } else {
                            "sim_approve"
                        };
                        let call = event
                            .purchase(1, method)
                            .by(&buyer)
                            .key(format!("{client}-{number}"));
                        match call.try_send(api).await {
                            Ok(reply) if reply.status == 201 => {
                                let id: uuid::Uuid = reply.text("id").parse().unwrap();
                                told.push(id);
                            }
                            Ok(reply) => assert_eq!(reply.status, 503, "{reply:?}"),
                            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                        }
                    }
                    told
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        world.server.stop().await;
        stopped.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for client in clients {
            told.extend(client.await.unwrap());
        }
        assert!(told.len() > 50, "{} sold", told.len());
        let mut postgres = world.database.connect().await;
        let stored: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT order_id FROM ticket_orders")
            .fetch_all(&mut postgres)
            .await
            .unwrap();
        let stored: std::collections::BTreeSet<_> = stored.into_iter().collect();
        let lost = told.iter().find(|id| !stored.contains(*id));
        assert_eq!(lost, None, "projected before the exit");
        let lag = world.server.run(&["audit", "--json"]);
        assert!(lag.status.success(), "{}", String::from_utf8_lossy(&lag.stderr));
        world.server.assert_no_panic();
    }
}

#[tokio::test]
async fn a_process_waits_for_the_schema() {
    let mut world = World::prepare(Journal::Local, &[]);
    world.server.spawn();
    until("it says what it waits for", Duration::from_secs(20), async || {
        world.server.readiness().await["phase"] == "awaiting_migration"
    })
    .await;
    let readiness = world.server.readiness().await;
    assert_eq!(
        (&readiness["status"], &readiness["migrated"]),
        (&"not_ready".into(), &false.into())
    );
    world.migrate().await;
    until("it is ready", Duration::from_secs(20), async || {
        world.server.is_ready().await
    })
    .await;
    world.event(&EventPlan::of(1)).await;
    world.stop_and_audit().await;
}

/// A cluster of its own; stopped and gone with the test.
struct Cluster {
    directory: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// Makes one and does not start it.
    fn prepare() -> Self {
        let directory = tempfile::Builder::new().prefix("onsale-late-").tempdir().unwrap();
        let cluster = Self {
            directory,
            port: free_address().port(),
            server: None,
        };
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(cluster.directory.path())
                .status();
            assert!(owned.unwrap().success());
        }
        let data = cluster.data();
        let arguments = [
            "-D",
            &data,
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ];
        let output = cluster.program("initdb").args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        cluster
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn start(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let mut command = self.program("postgres");
        command.args([
            "-D",
            &data,
            "-p",
            &port,
            "-c",
            "listen_addresses=127.0.0.1",
            "-k",
            "",
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.server = Some(command.spawn().unwrap());
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn program(&self, name: &str) -> Command {
        let program = bin_dir().join(name);
        // Postgres refuses to run as root.
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.directory.path());
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Immediate shutdown: it takes its children with it.
            signal("QUIT", server.id());
            let _ = server.wait();
        }
    }
}

#[tokio::test]
async fn a_process_waits_for_a_postgres_that_comes_late() {
    let mut cluster = Cluster::prepare();
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::prepare("late", directory.path(), &cluster.url(), Journal::Postgres, &[]);
    server.spawn();
    until("it says what it waits for", Duration::from_secs(20), async || {
        server.readiness().await["phase"] == "awaiting_database"
            && server.stderr().contains("waiting for the database")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.exited(), None, "it keeps trying");
    assert_eq!(get("/readyz").send(server.internal).await.status, 503);
    assert_eq!(get("/livez").send(server.internal).await.status, 200);

    cluster.start();
    until("Postgres is there", Duration::from_secs(30), async || {
        server.run(&["migrate"]).status.success()
    })
    .await;
    until("it is ready", Duration::from_secs(30), async || {
        server.is_ready().await
    })
    .await;
    get("/v1/events").send(server.api).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_process_that_waits_for_postgres_still_stops_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = format!("postgres://postgres@{}/none", free_address());
    let mut server = Server::prepare("lost", directory.path(), &nowhere, Journal::Postgres, &[]);
    server.spawn();
    until("it waits", Duration::from_secs(20), async || {
        server.stderr().contains("waiting for the database")
    })
    .await;
    server.stop().await;
}
