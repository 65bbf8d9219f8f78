//! `/v1/check-ins`: the door, with a connection and without.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, Device, Event, EventPlan, Light, Reply, World, get, post, put};

struct Door {
    world: World,
    event: Event,
    scanner: Caller,
    buyer: Caller,
}

/// A ticket as its buyer has it.
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) code: String,
}

impl Door {
    async fn open() -> Self {
        let world = World::start().await;
        let event = world.event(&EventPlan::of(100)).await;
        let scanner = world.hire("scanner", Some(event.organization)).await;
        Self {
            world,
            event,
            scanner,
            buyer: Caller::buyer(),
        }
    }

    /// Changes what the organizer wrote.
    async fn edit(&self, members: &Value) {
        let mut body = EventPlan::of(100).body(self.event.organization);
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let version = self.world.version(&self.event).await;
        let call = put(self.event.staff_path()).if_match(version).json(&body);
        self.world.staff(call).await.expect(200);
    }

    async fn tickets(&self, quantity: i64, key: &str) -> Vec<Ticket> {
        tickets(&self.world, &self.event, &self.buyer, (quantity, key)).await
    }

    async fn ticket(&self, key: &str) -> Ticket {
        self.tickets(1, key).await.remove(0)
    }

    /// The text of a ticket's QR symbol.
    async fn qr(&self, ticket: &Ticket) -> String {
        let path = format!("/v1/tickets/{}", ticket.id);
        let body = self.world.send(get(path).by(&self.buyer)).await.expect(200);
        body["qr"].as_str().expect("the text of the symbol").to_owned()
    }

    fn call(&self, code: &str, gate: &str, nonce: &str) -> Call {
        check_in(&self.event, code, gate, nonce).by(&self.scanner)
    }

    async fn scan(&self, code: &str, gate: &str, nonce: &str) -> Reply {
        self.world.send(self.call(code, gate, nonce)).await
    }

    async fn sync(&self, report: &Value) -> Value {
        let call = post("/v1/check-ins/sync").json(report).by(&self.scanner);
        self.world.send(call).await.expect(200)["data"].clone()
    }

    async fn gates(&self) -> Value {
        let path = format!("/v1/check-ins/gates?event_id={}", self.event.id);
        self.world.send(get(path).by(&self.scanner)).await.expect(200)
    }

    /// A device that has fetched the list.
    async fn device(&self, gate: &str) -> Device {
        let (parts, keys) = (vec![self.bundle(gate).await], self.keys().await);
        Device::load(&parts, &keys, Timestamp::now()).unwrap()
    }

    async fn bundle(&self, gate: &str) -> String {
        let path = format!("/v1/check-ins/bundle?event_id={}&gate={gate}", self.event.id);
        let body = self.world.send(get(path).by(&self.scanner)).await.expect(200);
        assert_eq!(
            (&body["has_more"], &body["next_cursor"]),
            (&false.into(), &Value::Null)
        );
        body["bundle"].as_str().unwrap().to_owned()
    }

    async fn keys(&self) -> Value {
        self.world
            .send(get("/.well-known/ticket-keys.json"))
            .await
            .expect(200)
    }
}

/// A scan.
pub(crate) fn check_in(event: &Event, code: &str, gate: &str, nonce: &str) -> Call {
    post("/v1/check-ins").json(&json!({"event_id": event.id, "code": code, "gate": gate, "nonce": nonce}))
}

/// Tickets that somebody buys.
pub(crate) async fn tickets(
    world: &World,
    event: &Event,
    buyer: &Caller,
    (quantity, key): (i64, &str),
) -> Vec<Ticket> {
    let call = event.purchase(quantity, "sim_approve").by(buyer).key(key);
    let order = world.send(call).await.expect(201);
    let text = |ticket: &Value, member: &str| ticket[member].as_str().expect(member).to_owned();
    let tickets = order["tickets"].as_array().expect("tickets").iter();
    tickets
        .map(|ticket| Ticket {
            id: text(ticket, "id"),
            code: text(ticket, "code"),
        })
        .collect()
}

#[tokio::test]
async fn a_ticket_lets_in_once_and_says_where_the_second_time() {
    let mut door = Door::open().await;
    let ticket = door.ticket("a").await;
    let first = door.scan(&ticket.code, "North", "1").await;
    let body = first.expect(201);
    assert_eq!(body["ticket_id"], ticket.id);
    assert_eq!(
        body["ticket_type"],
        json!({"id": door.event.types[0], "name": "Type 0"})
    );
    assert_eq!(
        (&body["gate"], &body["direction"]),
        (&"North".into(), &"in".into())
    );
    assert!(!first.replayed());
    let repeat = door.scan(&ticket.code.to_lowercase(), "North", "1").await;
    assert_eq!((repeat.expect(201), repeat.replayed()), (body.clone(), true));
    let second = door
        .scan(&ticket.code, "South", "1")
        .await
        .problem(409, "already_used");
    assert_eq!(
        (&second["gate"], &second["used_at"]),
        (&"North".into(), &body["scanned_at"])
    );

    door.world.server.stop().await;
    door.world.server.restart().await;
    let repeat = door.scan(&ticket.code, "North", "1").await;
    assert_eq!(
        (repeat.expect(201), repeat.replayed()),
        (body, true),
        "after a restart"
    );
    let gates = door.gates().await;
    assert_eq!(
        gates["gates"],
        json!([{"gate": "North", "entries": 1, "exits": 0}])
    );
    assert_eq!(
        (&gates["inside"], &gates["tickets"], &gates["tickets_used"]),
        (&1.into(), &1.into(), &1.into())
    );
    door.world.settled().await;
    let rows =
        "SELECT count(*) FROM check_ins JOIN tickets USING (event_id, ticket_id) WHERE status = 'used'";
    assert_eq!(door.world.database.number(rows).await, 1);
    door.world.stop_and_audit().await;
}

#[tokio::test]
async fn parallel_gates_let_one_in() {
    let mut door = Door::open().await;
    let ticket = door.ticket("a").await;
    let scans: Vec<_> = (0..100)
        .map(|gate| {
            let call = door.call(&ticket.code, &format!("Gate {gate}"), "1");
            let api = door.world.api();
            tokio::spawn(async move { call.send(api).await })
        })
        .collect();
    let mut admitted = 0;
    for scan in scans {
        let reply = scan.await.unwrap();
        match reply.status {
            201 => admitted += 1,
            _ => drop(reply.problem(409, "already_used")),
        }
    }
    assert_eq!(admitted, 1);
    assert_eq!(door.gates().await["inside"], 1);
    door.world.stop_and_audit().await;
}

#[tokio::test]
async fn a_qr_symbol_is_read_and_one_of_another_event_is_told_apart() {
    let door = Door::open().await;
    let [first, second] = &door.tickets(2, "a").await[..] else {
        panic!("two tickets")
    };
    let qr = door.qr(first).await;
    assert_eq!(
        door.scan(&qr, "North", "1").await.expect(201)["ticket_id"],
        first.id
    );
    door.scan(&first.code, "North", "2")
        .await
        .problem(409, "already_used");

    let other = door
        .world
        .event_of(door.event.organization, &EventPlan::of(1))
        .await;
    let qr = door.qr(second).await;
    let call = check_in(&other, &qr, "North", "1").by(&door.scanner);
    door.world.send(call).await.problem(409, "wrong_event");
    let mut forged = qr.clone();
    forged.replace_range(20..21, if &qr[20..21] == "A" { "B" } else { "A" });
    for code in [forged.as_str(), "", "0123456789ABCDEF", &"A".repeat(1_000)] {
        door.scan(code, "North", "3").await.problem(409, "unknown_ticket");
    }
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let door = Door::open().await;
    let ticket = door.ticket("a").await;
    let event_id = door.event.id;
    let whole = json!({"event_id": event_id, "code": ticket.code, "gate": "North", "nonce": "1"});
    for (member, value) in [
        ("nonce", json!("")),
        ("nonce", json!("two words")),
        ("nonce", json!("n".repeat(65))),
        ("gate", json!(" ")),
        ("gate", json!("g".repeat(201))),
        ("direction", json!("up")),
        ("event_id", json!("x")),
        ("colour", json!("red")),
    ] {
        let mut body = whole.clone();
        body[member] = value;
        let call = post("/v1/check-ins").json(&body).by(&door.scanner);
        door.world.send(call).await.problem(422, "validation_failed");
    }
    let scan = json!({"code": ticket.code, "nonce": "1", "scanned_at": "2026-01-01T00:00:00Z"});
    for scans in [json!([]), Value::Array(vec![scan; 501])] {
        let body = json!({"event_id": event_id, "gate": "North", "scans": scans});
        let call = post("/v1/check-ins/sync").json(&body).by(&door.scanner);
        door.world.send(call).await.problem(422, "validation_failed");
    }
    let big = json!({"event_id": event_id, "gate": "North", "scans": [], "more": "x".repeat(300_000)});
    let call = post("/v1/check-ins/sync").json(&big).by(&door.scanner);
    door.world.send(call).await.problem(413, "body_too_large");
    for query in [
        "gate=North",
        &format!("event_id={event_id}&gate="),
        &format!("event_id={event_id}&gate=N&cursor=x"),
    ] {
        let call = get(format!("/v1/check-ins/bundle?{query}")).by(&door.scanner);
        door.world.send(call).await.problem(422, "validation_failed");
    }
    door.scan(&ticket.code, "North", "1").await.expect(201);
}

#[tokio::test]
async fn a_scanner_of_another_organization_finds_no_event() {
    let door = Door::open().await;
    let ticket = door.ticket("a").await;
    let elsewhere = door.world.organization().await;
    let stranger = door.world.hire("scanner", Some(elsewhere)).await;
    let event_id = door.event.id;
    let report = json!({"event_id": event_id, "gate": "North", "scans": [
        {"code": ticket.code, "nonce": "1", "scanned_at": Timestamp::now().to_string()}
    ]});
    for call in [
        check_in(&door.event, &ticket.code, "North", "1"),
        post("/v1/check-ins/sync").json(&report),
        get(format!("/v1/check-ins/gates?event_id={event_id}")),
        get(format!("/v1/check-ins/bundle?event_id={event_id}&gate=North")),
    ] {
        door.world
            .send(call.by(&stranger))
            .await
            .problem(404, "not_found");
    }
    let nowhere = format!("/v1/check-ins/gates?event_id={}", Uuid::now_v7());
    let reply = door.world.send(get(nowhere).by(&door.scanner)).await;
    reply.problem(404, "not_found");
    assert_eq!(door.gates().await["tickets_used"], 0);
}

#[tokio::test]
async fn the_door_waits_for_its_time_and_ends_with_the_event() {
    let door = Door::open().await;
    let ticket = door.ticket("a").await;
    let opens_at = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    door.edit(&json!({"check_in_opens_at": opens_at.to_string()}))
        .await;
    let early = door
        .scan(&ticket.code, "North", "1")
        .await
        .problem(409, "check_in_too_early");
    assert!(early["opens_at"].is_string(), "{early}");
    door.edit(&json!({})).await;
    door.scan(&ticket.code, "North", "1").await.expect(201);
    let cancel = post(format!("{}/cancel", door.event.staff_path()));
    door.world.staff(cancel).await.expect(200);
    door.scan(&ticket.code, "North", "2")
        .await
        .problem(409, "event_cancelled");
}

#[tokio::test]
async fn a_cancelled_orders_tickets_let_nobody_in() {
    let door = Door::open().await;
    let call = door.event.purchase(1, "sim_approve").by(&door.buyer).key("a");
    let order = door.world.send(call).await.expect(201);
    let cancel = format!("/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    door.world.send(post(cancel).by(&door.buyer)).await.expect(200);
    let code = order["tickets"][0]["code"].as_str().unwrap();
    door.scan(code, "North", "1")
        .await
        .problem(409, "ticket_cancelled");
}

#[tokio::test]
async fn where_re_entry_is_allowed_people_go_out_and_come_back() {
    let door = Door::open().await;
    let ticket = door.ticket("a").await;
    let leave = |nonce: &str| {
        let body = json!({"event_id": door.event.id, "code": ticket.code, "gate": "North", "nonce": nonce,
            "direction": "out"});
        post("/v1/check-ins").json(&body).by(&door.scanner)
    };
    door.scan(&ticket.code, "North", "1").await.expect(201);
    door.world.send(leave("2")).await.problem(409, "not_leaving");
    door.edit(&json!({"re_entry": true})).await;
    assert_eq!(door.world.send(leave("2")).await.expect(201)["direction"], "out");
    door.world.send(leave("3")).await.problem(409, "not_leaving");
    assert_eq!(door.gates().await["inside"], 0);
    door.scan(&ticket.code, "South", "4").await.expect(201);
    assert_eq!(
        door.gates().await["gates"],
        json!([{"gate": "North", "entries": 1, "exits": 1}, {"gate": "South", "entries": 1, "exits": 0}])
    );
}

#[tokio::test]
async fn two_offline_gates_with_one_ticket_end_with_one_admission_and_one_duplicate() {
    for order in [[0, 1], [1, 0]] {
        let mut door = Door::open().await;
        let [shared, single] = &door.tickets(2, "a").await[..] else {
            panic!("two tickets")
        };
        let mut devices = [door.device("North").await, door.device("South").await];
        let now = Timestamp::now();
        let qr = door.qr(shared).await;
        assert_eq!(devices[0].scan(&shared.code, "in", now), Light::Green);
        assert_eq!(devices[0].scan(&qr, "in", now), Light::Red("already_used"));
        assert_eq!(devices[1].scan(&qr, "in", now), Light::Green);
        assert_eq!(devices[1].scan(&single.code, "in", now), Light::Green);
        let mut results = vec![];
        for position in order {
            let report = devices[position].report();
            let told = door.sync(&report).await;
            assert_eq!(door.sync(&report).await, told, "a repeat changes nothing");
            results.extend(told.as_array().unwrap().clone());
        }
        let of = |wanted: &str| results.iter().filter(|result| result["result"] == wanted).count();
        assert_eq!((of("admitted"), of("duplicate")), (2, 1), "{results:?}");
        let duplicate = results
            .iter()
            .find(|result| result["result"] == "duplicate")
            .unwrap();
        assert_eq!(duplicate["gate"], ["North", "South"][order[0]]);
        assert!(duplicate["used_at"].is_string(), "{duplicate}");
        assert_eq!(door.gates().await["inside"], 2);
        door.world.stop_and_audit().await;
    }
}

#[tokio::test]
async fn a_device_knows_what_the_list_says_and_refuses_a_list_that_is_not_ours() {
    let door = Door::open().await;
    door.edit(&json!({"re_entry": true})).await;
    let bought = door.tickets(3, "a").await;
    let order = door.event.purchase(1, "sim_approve").by(&door.buyer).key("b");
    let order = door.world.send(order).await.expect(201);
    let cancel = format!("/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    door.world.send(post(cancel).by(&door.buyer)).await.expect(200);
    let cancelled = order["tickets"][0]["code"].as_str().unwrap();
    door.scan(&bought[0].code, "North", "1").await.expect(201);

    let (bundle, keys, now) = (door.bundle("South").await, door.keys().await, Timestamp::now());
    let mut device = door.device("South").await;
    assert!(!bundle.contains(&bought[1].code));
    assert_eq!(
        device.scan(&bought[0].code, "in", now),
        Light::Red("already_used")
    );
    assert_eq!(device.scan(cancelled, "in", now), Light::Red("ticket_cancelled"));
    assert_eq!(
        device.scan("0123456789ABCDEF", "in", now),
        Light::Red("unknown_ticket")
    );
    assert_eq!(
        device.scan(&bought[1].code, "out", now),
        Light::Red("not_leaving")
    );
    assert_eq!(device.scan(&bought[0].code, "out", now), Light::Green);
    assert_eq!(device.scan(&bought[0].code, "in", now), Light::Green);
    let later = now + jiff::SignedDuration::from_hours(12);
    assert_eq!(
        device.scan(&bought[2].code, "in", later),
        Light::Red("list_expired")
    );
    let results = door.sync(&device.report()).await;
    assert!(
        results
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["result"] == "admitted"),
        "{results}"
    );

    let load = |part: &str, now| Device::load(&[part.to_owned()], &keys, now);
    assert!(load(&bundle, now).is_ok());
    assert!(load(&bundle, later).is_err());
    let payload = bundle.find('.').unwrap() + 20;
    for position in [3, payload, bundle.len() - 10] {
        let mut forged = bundle.clone();
        let other = if &bundle[position..=position] == "A" {
            "B"
        } else {
            "A"
        };
        forged.replace_range(position..=position, other);
        assert!(load(&forged, now).is_err(), "{position}");
    }
    assert!(load("", now).is_err());
    let fetched = "SELECT count(*) FROM audit_log WHERE action = 'check_ins.take_bundle'";
    assert_eq!(door.world.database.number(fetched).await, 2);
}

#[tokio::test]
async fn the_door_works_while_postgres_is_away() {
    let mut door = Door::open().await;
    let [first, second] = &door.tickets(2, "a").await[..] else {
        panic!("two tickets")
    };
    door.world.settled().await;
    door.scan(&first.code, "North", "1").await.expect(201);
    door.world.database.shut();
    let admitted = door.scan(&second.code, "North", "2").await.expect(201);
    door.scan(&second.code, "South", "3")
        .await
        .problem(409, "already_used");
    assert_eq!(door.scan(&second.code, "North", "2").await.expect(201), admitted);
    assert_eq!(door.gates().await["inside"], 2);
    door.world.database.reopen();
    door.world.settled().await;
    assert_eq!(
        door.world.database.number("SELECT count(*) FROM check_ins").await,
        2
    );
    door.world.stop_and_audit().await;
}
