//! Starting before Postgres, stopping under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Caller, EventPlan, Journal, PrivatePostgres, Server, World, free_address, get, until};

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

#[tokio::test]
async fn a_process_waits_for_a_postgres_that_comes_late() {
    let mut cluster = PrivatePostgres::prepare(&[]);
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

    cluster.spawn();
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
