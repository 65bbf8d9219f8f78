//! `/v1/admin/jobs`.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Caller, World, get, post};

/// A message that nobody can read any more; gives its id.
pub(crate) async fn dead_job(world: &World) -> Uuid {
    let subject_id = Uuid::now_v7();
    let insert =
        "INSERT INTO jobs (kind, subject_id, payload, created_at, due_at, attempts, dead_at, last_error)
        VALUES ('mail', $1, '{\"message\": \"unheard of\"}', now(), now(), 25, now(), 'nobody was there')";
    world.database.execute(insert, subject_id).await;
    subject_id
}

async fn list(world: &World, query: &str) -> Value {
    world
        .staff(get(format!("/v1/admin/jobs{query}")))
        .await
        .expect(200)
}

#[tokio::test]
async fn dead_jobs_are_listed_and_tried_again_once() {
    let mut world = World::start().await;
    let (first, second) = (dead_job(&world).await, dead_job(&world).await);
    let page = list(&world, "?limit=1").await;
    let job = &page["data"][0];
    assert_eq!(job["subject_id"], second.to_string(), "the latest first: {page}");
    assert_eq!((&job["kind"], &job["state"]), (&"mail".into(), &"dead".into()));
    assert_eq!(
        (&job["attempts"], &job["last_error"]),
        (&25.into(), &"nobody was there".into())
    );
    assert!(job["dead_at"].is_string(), "{job}");
    assert!(job.get("payload").is_none(), "{job}");
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = list(&world, &format!("?limit=1&state=dead&kind=mail&cursor={cursor}")).await;
    assert_eq!(page["data"][0]["subject_id"], first.to_string());
    assert_eq!(page["has_more"], false);
    assert_eq!(list(&world, "?kind=payment").await["data"], Value::Array(vec![]));

    let retry = format!("/v1/admin/jobs/mail/{first}/retry");
    let job = world.staff(post(&retry)).await.expect(200);
    assert_eq!(
        (&job["state"], &job["dead_at"]),
        (&"waiting".into(), &Value::Null)
    );
    // Another order names the same id: it is not that job.
    let other = world
        .staff(post(format!("/v1/admin/jobs/payment/{second}/retry")))
        .await;
    assert_eq!(other.status, 404);
    let log = world
        .staff(get("/v1/admin/audit-log?action=jobs.retry"))
        .await
        .expect(200);
    assert_eq!(log["data"].as_array().unwrap().len(), 1, "{log}");
    assert_eq!(log["data"][0]["target"]["id"], first.to_string());
    assert_eq!(log["data"][0]["after"]["kind"], "mail");
    world.stop_and_audit().await;
}

#[tokio::test]
async fn what_names_no_job_is_refused() {
    let world = World::start().await;
    for query in ["state=asleep", "kind=war", "cursor=x", "limit=0"] {
        let reply = world.staff(get(format!("/v1/admin/jobs?{query}"))).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "validation_failed"),
            "{query}"
        );
    }
    let nobody = Uuid::now_v7();
    for path in [
        format!("mail/{nobody}"),
        format!("war/{nobody}"),
        "mail/x".to_owned(),
    ] {
        let reply = world.staff(post(format!("/v1/admin/jobs/{path}/retry"))).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    let buyer = get("/v1/admin/jobs").by(&Caller::buyer());
    assert_eq!(world.send(buyer).await.status, 403);
}
