//! Mail as it reaches people: by SMTP to a real server, and into a folder.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::mail_sink::{MailSink, Received};
use crate::support::{Call, Caller, EventPlan, Journal, World, get, post, until};

const SOON: Duration = Duration::from_secs(20);
const PASSWORD: &str = "a quiet harbour at dusk";

async fn registered(world: &World, email: &str, name: &str) -> Caller {
    let body = json!({"email": email, "password": PASSWORD, "name": name});
    let session = world
        .send(post("/v1/auth/register").json(&body))
        .await
        .expect(201);
    Caller {
        id: session["user"]["id"].as_str().unwrap().parse().unwrap(),
        session: Uuid::nil(),
        token: session["access_token"].as_str().unwrap().to_owned(),
    }
}

fn forgotten(email: &str) -> Call {
    post("/v1/auth/password-reset").json(&json!({"email": email}))
}

/// A certificate for 127.0.0.1 from an authority of its own, and that authority's.
fn certificates(directory: &Path) {
    let python =
        std::env::var("ONSALE_TEST_PYTHON").expect("ONSALE_TEST_PYTHON: run with `cargo xtask pg -- …`");
    let made = Command::new(python)
        .args(["-m", "trustme", "--quiet", "--identities", "127.0.0.1", "--dir"])
        .arg(directory)
        .status();
    assert!(made.expect("trustme").success());
}

/// The text and the HTML of a message.
fn texts(received: &Received) -> (String, String) {
    let parts = received.parts();
    let text = |kind: &str| {
        let part = parts.iter().find(|part| part.0 == kind).expect(kind);
        String::from_utf8(part.2.clone()).unwrap()
    };
    (text("text/plain"), text("text/html"))
}

/// A message with this subject.
async fn received(sink: &MailSink, subject: &str) -> Received {
    let mut found = None;
    until(subject, SOON, async || {
        let messages = sink.messages().into_iter();
        found = messages
            .into_iter()
            .find(|message| message.headers("subject") == [subject]);
        found.is_some()
    })
    .await;
    found.unwrap()
}

#[tokio::test]
async fn a_link_arrives_over_tls_once_the_server_is_back_and_only_where_its_certificate_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    certificates(directory.path());
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (certificate, key, authority) = (path("server.pem"), path("server.key"), path("client.pem"));
    for (arguments, url, trusted) in [
        (
            ["--smtpscert", &certificate, "--smtpskey", &key],
            "smtps://127.0.0.1:PORT",
            true,
        ),
        (
            ["--tlscert", &certificate, "--tlskey", &key],
            "smtp://127.0.0.1:PORT?tls=required",
            true,
        ),
        (
            ["--smtpscert", &certificate, "--smtpskey", &key],
            "smtps://127.0.0.1:PORT",
            false,
        ),
    ] {
        let mailbox = tempfile::tempdir().unwrap();
        let mut sink = MailSink::prepare(mailbox.path().to_owned(), &arguments);
        let url = url.replace("PORT", &sink.port.to_string());
        let mut settings = vec![
            ("ONSALE_MAILER", "smtp"),
            ("ONSALE_SMTP_URL", url.as_str()),
            ("ONSALE_MAIL_FROM", "Onsale <tickets@onsale.example>"),
        ];
        if trusted {
            settings.push(("SSL_CERT_FILE", &authority));
        }
        let world = World::with(Journal::Local, &settings).await;
        registered(&world, "canary-ada@example.org", "Ada").await;
        assert_eq!(world.send(forgotten("canary-ada@example.org")).await.status, 202);
        let tried = "SELECT count(*) FROM jobs WHERE kind = 'mail' AND last_error IS NOT NULL";
        until("it is tried", SOON, async || {
            world.database.number(tried).await == 1
        })
        .await;
        sink.start();
        if trusted {
            let (text, _) = texts(&received(&sink, "Set another password").await);
            let token = &text[text.find("osp_").unwrap()..][..47];
            let body = json!({"token": token, "password": "lantern gravel otter nine"});
            let confirmed = world
                .send(post("/v1/auth/password-reset/confirm").json(&body))
                .await;
            assert_eq!(confirmed.status, 204);
            received(&sink, "Your password was changed").await;
            assert!(!world.server.stderr().contains(token));
        } else {
            let refused = "SELECT count(*) FROM jobs WHERE kind = 'mail' AND last_error LIKE '%certificate%'";
            until("the certificate is refused", SOON, async || {
                world.database.number(refused).await == 1
            })
            .await;
            assert_eq!(sink.messages().len(), 0);
        }
        let told = world.server.stderr();
        assert!(!told.contains("canary") && !told.contains("osp_"), "{told}");
    }
}

/// Puts a message about the only order into the queue.
async fn tell(world: &World, message: Value) {
    let insert = "INSERT INTO jobs (kind, subject_id, payload, created_at, due_at)
        SELECT 'mail', $1, $2 || jsonb_build_object('event_id', event_id, 'order_id', order_id, 'ticket_id', ticket_id,
            'user_id', buyer_id, 'refund_id', $1, 'version', 2, 'expires_at', 9000000000000),
            now(), now()
        FROM ticket_orders JOIN tickets USING (event_id, order_id)";
    let mut connection = world.database.connect().await;
    let done = sqlx::query(insert)
        .bind(Uuid::now_v7())
        .bind(message)
        .execute(&mut connection)
        .await;
    assert_eq!(done.expect("a message").rows_affected(), 1);
}

#[tokio::test]
async fn people_are_told_what_happened_to_their_tickets_whatever_an_event_is_called() {
    let mailbox = tempfile::tempdir().unwrap();
    let folder = mailbox.path().join("mailbox/new").display().to_string();
    let settings = [
        ("ONSALE_MAILER", "folder"),
        ("ONSALE_MAIL_FOLDER", folder.as_str()),
    ];
    let world = World::with(Journal::Local, &settings).await;
    let plan = EventPlan {
        name: "<b>Söhne</b> & \"{{ 7 * 7 }}\"",
        ..EventPlan::of(1)
    };
    let event = world.event(&plan).await;
    let ada = registered(&world, "ada@example.org", "Ada <i>Lovelace</i>").await;
    let call = event.purchase(1, "sim_approve").by(&ada).key("a");
    let order = world.send(call).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.settled().await;
    let amount = json!({"amount_minor": 1_000, "currency": "EUR"});
    tell(&world, json!({"message": "order_confirmation"})).await;
    tell(&world, json!({"message": "refund", "amount": amount})).await;
    tell(&world, json!({"message": "ticket_given_away"})).await;
    tell(&world, json!({"message": "ticket_received"})).await;

    let sink = MailSink::prepare(mailbox.path().to_owned(), &[]);
    let name = plan.name;
    for (subject, what) in [
        (format!("Your tickets for {name}"), "Total: EUR 10.00"),
        (format!("Money back for {name}"), "EUR 10.00 of your order"),
        (
            format!("Your ticket for {name} was given away"),
            "admits nobody any more",
        ),
        (format!("A ticket for {name}"), "somebody gave you a ticket"),
    ] {
        let message = received(&sink, &subject).await;
        assert_eq!(message.headers("to"), ["ada@example.org"]);
        let (text, html) = texts(&message);
        for (text, greeting) in [
            (&text, "Hello Ada <i>Lovelace</i>,"),
            (&html, "Hello Ada &lt;i&gt;Lovelace&lt;&#x2f;i&gt;,"),
        ] {
            assert!(text.contains(greeting) && text.contains(what), "{text}");
        }
        assert!(text.contains(name) && text.contains("(Europe/Berlin)"), "{text}");
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
        assert!(
            html.contains("&lt;b&gt;Söhne") && html.contains("{{ 7 * 7 }}"),
            "{html}"
        );
    }
    let (text, _) = texts(&received(&sink, &format!("Your tickets for {name}")).await);
    assert!(text.contains("1 x Type 0") && text.contains(&order), "{text}");
    until("nothing waits", SOON, async || {
        world
            .database
            .number("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await
            == 0
    })
    .await;
}

#[tokio::test]
async fn a_message_that_nobody_can_read_is_given_up_in_sight_of_staff() {
    let mailbox = tempfile::tempdir().unwrap();
    let folder = mailbox.path().display().to_string();
    let settings = [
        ("ONSALE_MAILER", "folder"),
        ("ONSALE_MAIL_FOLDER", folder.as_str()),
    ];
    let world = World::with(Journal::Local, &settings).await;
    let subject_id = Uuid::now_v7();
    let insert = "INSERT INTO jobs (kind, subject_id, payload, created_at, due_at)
        VALUES ('mail', $1, '{\"message\": \"unheard of\"}', now(), now())";
    world.database.execute(insert, subject_id).await;
    until("it is given up", SOON, async || {
        let page = world.staff(get("/v1/admin/jobs?kind=mail")).await.expect(200);
        page["data"][0]["subject_id"] == subject_id.to_string()
    })
    .await;
    until("it is counted", SOON, async || {
        let metrics = get("/metrics").send(world.server.internal).await.raw;
        let metrics = String::from_utf8_lossy(&metrics).into_owned();
        metrics.contains("onsale_jobs_dead{kind=\"mail\"} 1")
            && metrics.contains("onsale_jobs_total{kind=\"mail\",outcome=\"dead\"} 1")
            && metrics.contains("onsale_job_duration_seconds_bucket{kind=\"mail\"")
    })
    .await;
}
