//! Creating under an idempotency key: what a repeat gets. Organizations are in Postgres, events in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::sync::Arc;

use onsale_domain::{Command, EventDetails, EventStatus, OrganizationId, Refusal, SessionId, UserId};
use onsale_persistence::{Database, DatabaseConfig, FolderStore};
use onsale_services::{
    ACCESS_TOKEN_LIFETIME_MS, AuditWriter, Dependencies, EngineError, Gateways, Grant, KeyedRoute, Origin,
    ServiceError, Services, ServicesConfig, SimulatedGateway, StaffMember, StaffScope, TicketKeys, TokenKeys,
    Tokens, key_digest,
};
use support::Fixture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Office {
    services: Services,
    fixture: Fixture,
    caller: Uuid,
    staff: StaffMember,
}

impl Office {
    async fn open() -> Self {
        let url = std::env::var("DATABASE_URL")
            .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let fixture = Fixture::on_sale(1).await;
        let (audit, writing) = AuditWriter::new(database.clone());
        tokio::spawn(writing.run(CancellationToken::new()));
        let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
        let folder = std::env::temp_dir().join("onsale-test-files");
        let objects =
            Arc::new(FolderStore::open(&folder, keys.link_secrets(), onsale_domain::UnixMillis(0)).unwrap());
        let services = Services::new(
            Dependencies {
                engine: fixture.engine.clone(),
                database,
                redis: None,
                gateways: Gateways::new(
                    Arc::new(SimulatedGateway::new(Arc::new(fixture.clock.clone()))),
                    [],
                ),
                tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
                audit,
                ticket_keys: keys,
                objects,
            },
            ServicesConfig::default(),
        );
        let services = services.unwrap();
        let grant = Grant {
            user_id: UserId(Uuid::now_v7()),
            session_id: SessionId(Uuid::now_v7()),
            generation: 0,
            roles: vec![],
            issued_at: services.now(),
            expires_at: services.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS),
        };
        let token = services.tokens().mint(&grant).unwrap();
        let staff = StaffMember {
            caller: services.authenticate(&token).await.unwrap(),
            scope: StaffScope::Everything,
            access: Arc::default(),
            origin: Origin::default(),
        };
        Self {
            services,
            fixture,
            caller: grant.user_id.0,
            staff,
        }
    }

    async fn organization(&self) -> OrganizationId {
        let made = self
            .services
            .create_organization(&self.staff, "Arena".to_owned(), None)
            .await;
        made.unwrap().organization.organization_id
    }

    async fn details(&self) -> EventDetails {
        let event = self.services.availability(self.fixture.event_id).await.unwrap();
        EventDetails {
            organization_id: self.organization().await,
            ..event.definition.details.clone()
        }
    }
}

fn is_reused<T>(answer: &Result<T, ServiceError>) -> bool {
    matches!(
        answer,
        Err(ServiceError::Engine(EngineError::Refused(Refusal::KeyReused)))
    )
}

#[tokio::test]
async fn a_repeated_event_is_the_first_one_as_it_was() {
    let office = Office::open().await;
    let details = office.details().await;
    let create = |details: &EventDetails, key: &str| {
        let key = key_digest(office.caller, KeyedRoute::CreateEvent, key);
        office
            .services
            .create_event(&office.staff, details.clone(), Some(key))
    };
    let first = create(&details, "k").await.unwrap();
    assert!(!first.replayed);
    assert_eq!(first.definition.event_id.0.get_version_num(), 7);
    let event_id = first.definition.event_id;
    let cancel = Command::ChangeStatus {
        to: EventStatus::Cancelled,
        expected_version: None,
    };
    office.fixture.engine.execute(event_id, cancel).await.unwrap();

    let again = create(&details, "k").await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.definition, first.definition);

    let mut other = details.clone();
    other.name = "Another".to_owned();
    assert!(is_reused(&create(&other, "k").await));
    let other_key = create(&details, "l").await.unwrap();
    assert!(!other_key.replayed);
    assert_ne!(other_key.definition.event_id, event_id);
    let unkeyed = office.services.create_event(&office.staff, details, None);
    assert_ne!(unkeyed.await.unwrap().definition.event_id, event_id);
}

#[tokio::test]
async fn the_same_key_at_once_makes_one_event() {
    let office = Office::open().await;
    let details = office.details().await;
    let key = Some(key_digest(office.caller, KeyedRoute::CreateEvent, "k"));
    let create = || office.services.create_event(&office.staff, details.clone(), key);
    let (a, b) = tokio::join!(create(), create());
    let made: Vec<_> = [a, b]
        .into_iter()
        .filter_map(|answer| match answer {
            Ok(created) => Some(created.definition.event_id),
            Err(ServiceError::InFlight) => None,
            Err(error) => panic!("{error}"),
        })
        .collect();
    assert!(!made.is_empty());
    let now = create().await.unwrap();
    assert!(now.replayed && made.iter().all(|event_id| *event_id == now.definition.event_id));
}

#[tokio::test]
async fn a_repeated_organization_is_the_first_one() {
    let office = Office::open().await;
    let create = |name: &str, key: &str| {
        let key = key_digest(office.caller, KeyedRoute::CreateOrganization, key);
        office
            .services
            .create_organization(&office.staff, name.to_owned(), Some(key))
    };
    let first = create("Arena", "k").await.unwrap();
    let again = create("Arena", "k").await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.organization, again.organization);
    assert!(is_reused(&create("Opera", "k").await));
    let other = create("Arena", "l").await.unwrap();
    assert_ne!(
        other.organization.organization_id,
        first.organization.organization_id
    );
}
