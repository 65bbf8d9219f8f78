//! Secrets are exchanged under load. Those of tokens are in `api/tokens.rs`, those of webhooks in `payments`.

use crate::load::check;
use crate::support::{Journal, PrivatePostgres, TestDatabase, World};
use crate::{rush, sells};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_of_postgres_changes_by_a_restart() {
    let postgres = PrivatePostgres::start(&[]).await;
    postgres.require_password("onsale").await;
    postgres.sql("CREATE ROLE onsale LOGIN PASSWORD 'first'").await;
    let database = TestDatabase::create_on(&postgres.url());
    let name = database.name().to_owned();
    postgres
        .sql(&format!("ALTER DATABASE {name} OWNER TO onsale"))
        .await;
    let url = |password: &str| {
        let superuser = database.url();
        superuser.replace("postgres://postgres@", &format!("postgres://onsale:{password}@"))
    };
    let (first, second) = (url("first"), url("second"));
    let mut world = World::on(database, Journal::Postgres, &[]);
    let file = world.directory.path().join("database-url");
    std::fs::write(&file, &first).unwrap();
    world.server.set("DATABASE_URL", "");
    world.server.set("DATABASE_URL_FILE", file.to_str().unwrap());
    world.migrate().await;
    world.server.start().await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;

    // Sessions that are open stay; new ones need the new password.
    postgres.sql("ALTER ROLE onsale PASSWORD 'second'").await;
    sells(&rush).await;
    std::fs::write(&file, &second).unwrap();
    world.server.stop().await;
    world.server.restart().await;
    sells(&rush).await;
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
    let log = world.server.stderr();
    assert!(
        !log.contains("first@") && !log.contains("second@"),
        "a password is in the log"
    );
    // The database goes before its cluster.
    drop(world);
}
