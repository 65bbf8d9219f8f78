//! A door over an engine in memory, with what it is tried by.

use super::*;

pub(crate) const FRIEND: BuyerId = BuyerId(Uuid::from_u128(8));

pub(crate) struct Door {
    pub(crate) services: Services,
    pub(crate) staff: StaffMember,
    pub(crate) fixture: Fixture,
    pub(crate) keys: String,
    pub(crate) files: TempDir,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bought {
    pub(crate) id: TicketId,
    pub(crate) order_id: OrderId,
    pub(crate) code: TicketCode,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::over(Fixture::on_sale(1_000).await).await
    }

    pub(crate) async fn over(fixture: Fixture) -> Self {
        let files = tempfile::tempdir().unwrap();
        let keys = TicketKeys::generate("first").unwrap();
        let services = services(&fixture, &keys, &files);
        let staff = staff(&services).await;
        Self {
            services,
            staff,
            fixture,
            keys,
            files,
        }
    }

    /// A door that has Postgres for its audit log.
    pub(crate) async fn with_audit_log(fixture: Fixture) -> Self {
        let url = std::env::var("DATABASE_URL")
            .expect("this test needs DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let (audit, writing) = AuditWriter::new(database.clone());
        tokio::spawn(writing.run(CancellationToken::new()));
        let files = tempfile::tempdir().unwrap();
        let keys = TicketKeys::generate("first").unwrap();
        let services = services_over((database, audit), &fixture, &keys, &files);
        let staff = staff(&services).await;
        Self {
            services,
            staff,
            fixture,
            keys,
            files,
        }
    }

    /// The same door in another process on the same storage.
    pub(crate) async fn restarted(self) -> Self {
        let engine = self.fixture.second_engine().await;
        let fixture = Fixture {
            engine,
            ..self.fixture
        };
        let services = services(&fixture, &self.keys, &self.files);
        Self {
            services,
            fixture,
            ..self
        }
    }

    pub(crate) async fn edit(&self, change: impl FnOnce(&mut EventDetails)) {
        let event = self
            .fixture
            .engine
            .availability(self.fixture.event_id)
            .await
            .unwrap();
        let mut details = event.definition.details.clone();
        change(&mut details);
        self.execute(Command::EditEvent {
            details: Box::new(details),
            expected_version: event.definition.version,
        })
        .await;
    }

    pub(crate) async fn execute(&self, command: Command) {
        self.fixture
            .engine
            .execute(self.fixture.event_id, command)
            .await
            .unwrap();
    }

    /// Tickets of one order, free of charge.
    pub(crate) async fn buy(&self, quantity: u8) -> Vec<Bought> {
        let hold_id = self.fixture.hold(i64::from(quantity)).await.unwrap();
        let route = self.fixture.event_id.route();
        let bought: Vec<_> = (0..quantity).map(|_| bought(hold_id, route.0)).collect();
        self.execute(Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id,
            buyer_id: BUYER,
            payment: None,
            tickets: bought.iter().map(|ticket| (ticket.id, ticket.code)).collect(),
            package_order_id: None,
            key: None,
        })))
        .await;
        bought
    }

    pub(crate) async fn ticket(&self) -> Bought {
        self.buy(1).await[0]
    }

    pub(crate) async fn transfer(&self, ticket: Bought, code: TicketCode) {
        self.execute(Command::TransferTicket(TransferTicket {
            ticket_id: ticket.id,
            from: BUYER,
            to: FRIEND,
            code,
            key: None,
        }))
        .await;
    }

    pub(crate) fn request(&self, code: &str, gate: &str, nonce: &str) -> CheckInRequest {
        CheckInRequest {
            event_id: self.fixture.event_id,
            code: code.to_owned(),
            gate: gate.to_owned(),
            nonce: nonce.to_owned(),
            direction: Direction::In,
        }
    }

    pub(crate) async fn scan(&self, code: &str, gate: &str, nonce: &str) -> Result<CheckIn, ServiceError> {
        self.services
            .check_in(&self.staff, self.request(code, gate, nonce))
            .await
    }

    pub(crate) async fn scan_out(&self, code: &str, nonce: &str) -> Result<CheckIn, ServiceError> {
        let request = CheckInRequest {
            direction: Direction::Out,
            ..self.request(code, "North", nonce)
        };
        self.services.check_in(&self.staff, request).await
    }

    pub(crate) fn pass(&self, ticket_id: TicketId, event_id: EventId, version: u32) -> String {
        let pass = TicketPass {
            event_id,
            ticket_id,
            version,
        };
        pass.encode(&TicketKeys::parse(&self.keys).unwrap())
    }

    pub(crate) async fn sync(&self, gate: &str, scans: &[OfflineScan]) -> Vec<SyncedScan> {
        let at = (self.fixture.event_id, gate);
        let synced = self
            .services
            .sync_check_ins(&self.staff, at, scans.to_vec())
            .await;
        synced.unwrap()
    }

    /// So many milliseconds after the fixture's clock.
    pub(crate) fn offline(
        &self,
        ticket: Bought,
        nonce: &str,
        direction: Direction,
        after_ms: i64,
    ) -> OfflineScan {
        OfflineScan {
            code: ticket.code.to_string(),
            nonce: nonce.to_owned(),
            scanned_at: self.fixture.engine.now().plus_ms(after_ms),
            direction,
        }
    }
}

pub(crate) fn bought(hold_id: HoldId, route: u32) -> Bought {
    let mut id = *Uuid::now_v7().as_bytes();
    id[12..].copy_from_slice(&route.to_be_bytes());
    let mut code = [0; 10];
    code.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
    Bought {
        id: TicketId(Uuid::from_bytes(id)),
        order_id: hold_id.into(),
        code: TicketCode(code),
    }
}

pub(crate) fn services(fixture: &Fixture, keys: &str, files: &TempDir) -> Services {
    let database = DatabaseConfig::new("postgres://nobody@127.0.0.1:1/nowhere");
    let database = Database::connect_lazy(&database).unwrap();
    let audit = AuditWriter::new(database.clone()).0;
    services_over((database, audit), fixture, keys, files)
}

fn services_over(
    (database, audit): (Database, AuditWriter),
    fixture: &Fixture,
    keys: &str,
    files: &TempDir,
) -> Services {
    let secrets = LinkSecrets::derived_from(&[7; 32], std::iter::empty());
    let objects = FolderStore::open(files.path(), secrets, fixture.engine.now()).unwrap();
    let gateway = SimulatedGateway::new(Arc::new(fixture.clock.clone()));
    let dependencies = Dependencies {
        engine: fixture.engine.clone(),
        audit,
        database,
        redis: None,
        gateways: Gateways::new(Arc::new(gateway), []),
        tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
        ticket_keys: TicketKeys::parse(keys).unwrap(),
        objects: Arc::new(objects),
    };
    Services::new(dependencies, ServicesConfig::default()).unwrap()
}

pub(crate) async fn staff(services: &Services) -> StaffMember {
    let grant = Grant {
        user_id: UserId(Uuid::now_v7()),
        session_id: SessionId(Uuid::now_v7()),
        generation: 0,
        roles: vec![],
        issued_at: services.now(),
        expires_at: services.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS),
    };
    let token = services.tokens().mint(&grant).unwrap();
    StaffMember {
        caller: services.authenticate(&token).await.unwrap(),
        scope: StaffScope::Everything,
        access: Arc::default(),
        origin: Origin::default(),
    }
}

/// The rule that refused.
#[track_caller]
pub(crate) fn refusal(answer: Result<CheckIn, ServiceError>) -> Refusal {
    match answer {
        Err(ServiceError::Engine(EngineError::Refused(refusal))) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn used_at_north(at: UnixMillis) -> Refusal {
    Refusal::AlreadyUsed {
        at,
        gate: "North".to_owned(),
    }
}
