//! Ports that are taken, by others and by ourselves.

use std::net::TcpListener;

use crate::patient::Patient;
use crate::support::{Journal, World, free_address};

#[test]
fn a_port_that_somebody_else_has_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let patient = Patient::without_database();
    patient.examined().passes("port");
    let report = patient.with("ONSALE_LISTEN", &address).examined();
    report.fails("port", &address, "ONSALE_LISTEN");
    report.passes("internal port");
    // An address of nobody's (RFC 5737).
    let report = Patient::without_database()
        .with("ONSALE_INTERNAL_LISTEN", "192.0.2.1:9464")
        .examined();
    report.fails("internal port", "192.0.2.1:9464", "address of this machine");
}

#[tokio::test]
async fn the_ports_of_a_serving_process_are_its_own() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let serving = Patient::on(&world.database.url())
        .with("ONSALE_LISTEN", &world.server.api.to_string())
        .with("ONSALE_INTERNAL_LISTEN", &world.server.internal.to_string());
    let report = serving.examined();
    report.passes("port");
    report.passes("internal port");
    let stranger = serving.with("ONSALE_INTERNAL_LISTEN", &free_address().to_string());
    stranger.examined().fails("port", "in use", "ONSALE_LISTEN");
    world.server.stop().await;
}
