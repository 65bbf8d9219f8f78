//! Staff who edit the event while it sells, each under the version that they have seen.

use serde_json::json;
use std::time::Duration;

use crate::client::{Answer, Call};
use crate::visit::Visit;

/// What another member of staff, or the sale itself, may have made impossible meanwhile.
const OVERTAKEN: &[&str] = &["version_mismatch", "capacity_below_committed"];
/// Most pauses between reading and writing, in milliseconds.
const THINK_MS_MAX: u64 = 100;

pub(super) async fn go(visit: &mut Visit<'_>) {
    let token = match visit.shop.staff.token(visit.user).await {
        Ok(token) => token,
        Err(error) => return visit.fail("log in", &error.to_string()),
    };
    let event = &visit.shop.event;
    let path = event.staff_path();
    let Some((answer, tag)) = read(visit, &path, &token).await else {
        return;
    };
    let pause = Duration::from_millis(visit.random.below(THINK_MS_MAX));
    visit.think(pause).await;
    match visit.random.below(4) {
        // Without a version nobody may write.
        0 => {
            let call = Call::put(&path).by(&token).json(&event.details);
            let answer = visit.once("edit without a version", &call).await;
            if let Some(answer) = answer.filter(|answer| answer.status != 428 && !answer.is_open()) {
                visit.fail("edit without a version", &answer.code());
            }
        }
        1 | 2 => {
            let mut details = event.details.clone();
            details["description"] = format!("Edited for the {}th time.", visit.number + 1).into();
            let call = Call::put(&path).by(&token).if_match(tag).json(&details);
            visit.insist("edit", &call, OVERTAKEN).await;
        }
        _ => resize(visit, &answer, (&path, &token, tag)).await,
    }
}

async fn read(visit: &mut Visit<'_>, path: &str, token: &str) -> Option<(Answer, String)> {
    let answer = visit.insist("read", &Call::get(path).by(token), &[]).await?;
    let tag = answer.etag.clone();
    if tag.is_none() {
        visit.fail("read", "no ETag");
    }
    Some((answer, tag?))
}

/// One ticket more, and the next time one less.
async fn resize(visit: &mut Visit<'_>, answer: &Answer, (path, token, tag): (&str, &str, String)) {
    let quota = &answer.body["quotas"][0];
    let (Some(id), Some(capacity)) = (quota["id"].as_str(), quota["capacity"].as_u64()) else {
        return visit.fail("read", "an event without quotas");
    };
    let capacity = if visit.number.is_multiple_of(2) {
        capacity + 1
    } else {
        capacity.saturating_sub(1).max(1)
    };
    let body = json!({"name": quota["name"], "capacity": capacity});
    let call = Call::put(format!("{path}/quotas/{id}"))
        .by(token)
        .if_match(tag)
        .json(&body);
    visit.insist("resize", &call, OVERTAKEN).await;
}
