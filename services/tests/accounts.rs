//! Accounts whose clock a test moves: repeats of a refresh token, and mail with mailers that fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::EmailAddress;
use onsale_persistence::{Database, DatabaseConfig, FolderStore};
use onsale_services::{
    AuditWriter, Dependencies, Gateways, JobRunner, Mail, MailError, MailHandler, Mailer, Origin,
    Registration, ServiceError, Services, ServicesConfig, Session, SimulatedGateway, TicketKeys, TokenKeys,
    Tokens,
};
use secrecy::{ExposeSecret as _, SecretString};
use support::Fixture;
use uuid::Uuid;

const MINUTE_MS: i64 = 60_000;

/// A mailer that keeps what it is given, or fails.
#[derive(Default)]
struct Recorder {
    mails: Mutex<Vec<(String, String)>>,
    fails: AtomicBool,
}

impl Mailer for Recorder {
    fn send(&self, mail: Mail) -> BoxFuture<'_, Result<(), MailError>> {
        let answer = if self.fails.load(Ordering::SeqCst) {
            Err(MailError::Failed("the other side hung up".to_owned()))
        } else {
            let text = |secret: &SecretString| secret.expose_secret().to_owned();
            self.mails
                .lock()
                .unwrap()
                .push((text(&mail.to), text(&mail.text)));
            Ok(())
        };
        std::future::ready(answer).boxed()
    }
}

struct Desk {
    services: Services,
    fixture: Fixture,
    recorder: Arc<Recorder>,
}

impl Desk {
    async fn open() -> Self {
        let url = std::env::var("DATABASE_URL")
            .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let fixture = Fixture::on_sale(1).await;
        let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
        let folder = std::env::temp_dir().join("onsale-test-files");
        let objects =
            Arc::new(FolderStore::open(&folder, keys.link_secrets(), onsale_domain::UnixMillis(0)).unwrap());
        let services = Services::new(
            Dependencies {
                engine: fixture.engine.clone(),
                database: database.clone(),
                redis: None,
                gateways: Gateways::new(
                    Arc::new(SimulatedGateway::new(Arc::new(fixture.clock.clone()))),
                    [],
                ),
                tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
                audit: AuditWriter::new(database).0,
                ticket_keys: keys,
                objects,
            },
            ServicesConfig::default(),
        )
        .unwrap();
        let recorder = Arc::new(Recorder::default());
        Self {
            services,
            fixture,
            recorder,
        }
    }

    /// Somebody with an address of their own.
    async fn register(&self) -> (String, Session) {
        let email = format!("{}@example.org", Uuid::now_v7().simple());
        let registration = Registration {
            email: EmailAddress::parse(&email).unwrap(),
            password: "a quiet harbour at dusk".to_owned().into(),
            name: "Ada".to_owned(),
        };
        (email, self.services.register(registration).await.unwrap())
    }

    async fn refresh(&self, token: &SecretString) -> Result<Session, ServiceError> {
        self.services
            .refresh(token.expose_secret(), &Origin::default())
            .await
    }

    /// What a process of its own works on the queue with.
    fn runner(&self) -> JobRunner {
        let mailer = Arc::clone(&self.recorder) as Arc<dyn Mailer>;
        let handler = MailHandler::new(self.services.clone(), mailer).unwrap();
        JobRunner::new(self.services.clone(), vec![Arc::new(handler)])
    }

    /// Works until nothing is due, and gives the texts that went to an address.
    async fn mail(&self, email: &str) -> Vec<String> {
        self.runner().run_due().await;
        let mut mails = self.recorder.mails.lock().unwrap();
        let texts = mails
            .iter()
            .filter(|(to, _)| to == email)
            .map(|(_, text)| text.clone())
            .collect();
        mails.clear();
        texts
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_seconds_and_then_ends_the_session() {
    let desk = Desk::open().await;
    let (_, session) = desk.register().await;
    let child = desk.refresh(&session.refresh_token).await.unwrap();
    desk.fixture.clock.advance_ms(10_000);
    let again = desk.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(
        again.refresh_token.expose_secret(),
        child.refresh_token.expose_secret()
    );
    assert_ne!(
        again.access_token.expose_secret(),
        child.access_token.expose_secret()
    );
    assert_eq!(again.refresh_expires_at, child.refresh_expires_at);
    assert!(
        desk.services
            .authenticate(again.access_token.expose_secret())
            .await
            .is_ok()
    );
    desk.fixture.clock.advance_ms(1);
    for token in [&session.refresh_token, &child.refresh_token] {
        let refused = desk.refresh(token).await;
        assert!(matches!(refused, Err(ServiceError::RefreshTokenInvalid)));
    }
    // Its access tokens end as well.
    let refused = desk
        .services
        .authenticate(again.access_token.expose_secret())
        .await;
    assert!(matches!(refused, Err(ServiceError::Unauthenticated)));
}

#[tokio::test]
async fn a_session_that_nobody_refreshes_ends_after_thirty_days() {
    let desk = Desk::open().await;
    let (_, session) = desk.register().await;
    desk.fixture.clock.advance_ms(29 * 24 * 60 * MINUTE_MS);
    let session = desk.refresh(&session.refresh_token).await.unwrap();
    desk.fixture.clock.advance_ms(30 * 24 * 60 * MINUTE_MS);
    let refused = desk.refresh(&session.refresh_token).await;
    assert!(matches!(refused, Err(ServiceError::RefreshTokenInvalid)));
}

/// One test for all of the mail: the tests here share a database, and with it the queue.
#[tokio::test]
async fn mail_is_tried_until_it_is_sent_or_too_late_and_sent_by_one_of_two_workers() {
    let desk = Desk::open().await;
    let (email, _) = desk.register().await;
    desk.recorder.fails.store(true, Ordering::SeqCst);
    desk.services.request_password_reset(&email).await.unwrap();
    assert!(desk.mail(&email).await.is_empty());
    desk.recorder.fails.store(false, Ordering::SeqCst);
    assert!(desk.mail(&email).await.is_empty(), "not due again yet");
    desk.fixture.clock.advance_ms(1_000);
    let texts = desk.mail(&email).await;
    assert_eq!(texts.len(), 1);
    assert!(desk.mail(&email).await.is_empty(), "sent once");

    // The token was made when it was sent, and lives from then.
    let token: String = texts[0][texts[0].find("osp_").unwrap()..]
        .chars()
        .take(47)
        .collect();
    let token = SecretString::from(token);
    let confirm = async |password: &str| {
        let password = password.to_owned().into();
        desk.services
            .confirm_password_reset(&token, password, &Origin::default())
            .await
    };
    desk.fixture.clock.advance_ms(30 * MINUTE_MS - 1);
    confirm("lantern gravel otter nine").await.unwrap();
    assert!(matches!(
        confirm("lantern gravel otter ten").await,
        Err(ServiceError::ResetTokenInvalid)
    ));
    assert_eq!(desk.mail(&email).await.len(), 1, "it is told");

    // One that cannot be sent in time is not sent at all.
    desk.recorder.fails.store(true, Ordering::SeqCst);
    desk.services.request_password_reset(&email).await.unwrap();
    for _ in 0..40 {
        desk.fixture.clock.advance_ms(MINUTE_MS);
        desk.mail(&email).await;
    }
    desk.recorder.fails.store(false, Ordering::SeqCst);
    desk.fixture.clock.advance_ms(10 * MINUTE_MS);
    assert!(desk.mail(&email).await.is_empty());

    let mut emails = Vec::new();
    for _ in 0..8 {
        let (email, _) = desk.register().await;
        desk.services.request_password_reset(&email).await.unwrap();
        emails.push(email);
    }
    let (one, other) = (desk.runner(), desk.runner());
    tokio::join!(one.run_due(), other.run_due());
    let mails = desk.recorder.mails.lock().unwrap();
    for email in emails {
        assert_eq!(mails.iter().filter(|(to, _)| *to == email).count(), 1);
    }
}
