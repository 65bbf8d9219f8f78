//! Hostile and broken bodies are 4xx, never a panic.

use axum::body::Body;
use axum::http::Request;

use super::*;

const LINE: &str = r#"{"ticket_type_id":"01930000-0000-7000-8000-000000000001","quantity":2}"#;

fn post(path: &str, content_type: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(path).header("idempotency-key", "k1");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    request.body(body.into()).unwrap()
}

async fn check(path: &str, body: impl Into<Body>, status: u16, code: &str) -> Answered {
    let router = probes(&no_limits());
    let answer = send(&router, post(path, Some("application/json"), body)).await;
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(answer.problem(), code);
    answer
}

fn pointer(answer: &Answered) -> String {
    answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_good_body_is_taken() {
    let router = probes(&no_limits());
    let body = format!(r#"{{"lines":[{LINE}]}}"#);
    let answer = send(&router, post("/hold", Some("application/json"), body)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_slice()),
        (200, b"1".as_slice())
    );
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let raw_nul = format!("{{\"lines\":[{LINE}]}}\0");
    for body in [
        "",
        "{",
        "[1,",
        "NaN",
        "{\"lines\":NaN}",
        "\u{feff}{}",
        raw_nul.as_str(),
    ] {
        check("/hold", body.to_owned(), 400, "malformed_body").await;
    }
    check("/hold", vec![0xff, 0xfe, b'{'], 400, "malformed_body").await;
}

#[tokio::test]
async fn json_of_another_shape_is_named_by_its_place() {
    let line = |quantity: &str| LINE.replace(":2}", &format!(":{quantity}}}"));
    let rows = [
        (
            r#"{"lines":[{"ticket_type_id":"x","quantity":1}]}"#.to_owned(),
            "/lines/0/ticket_type_id",
        ),
        (
            format!(r#"{{"lines":[{LINE},{}]}}"#, line("1.5")),
            "/lines/1/quantity",
        ),
        (format!(r#"{{"lines":[{}]}}"#, line("\"2\"")), "/lines/0/quantity"),
        (
            format!(r#"{{"lines":[{}]}}"#, line("9223372036854775808")),
            "/lines/0/quantity",
        ),
        (r#"{"lines":{}}"#.to_owned(), "/lines"),
        (format!("[[{LINE}]]"), ""),
        ("null".to_owned(), ""),
        ("{}".to_owned(), ""),
    ];
    for (body, place) in rows {
        let answer = check("/hold", body.clone(), 422, "validation_failed").await;
        assert_eq!(pointer(&answer), place, "{body}");
    }
}

#[tokio::test]
async fn unknown_and_doubled_fields_are_refused() {
    for body in [
        format!(r#"{{"lines":[{LINE}],"lines":[]}}"#),
        format!(r#"{{"lines":[{LINE}],"price":0}}"#),
        format!(
            r#"{{"lines":[{}]}}"#,
            LINE.replace("\"quantity\"", "\"quantity\":1,\"quantity\"")
        ),
        format!(r#"{{"lines":[{LINE}],"payment_method":"sim_approve"}}"#),
    ] {
        check("/hold", body, 422, "validation_failed").await;
    }
}

#[tokio::test]
async fn deep_bodies_are_refused() {
    let deep = |open: &str, close: &str| open.repeat(4_000) + &close.repeat(4_000);
    for body in [
        deep("[", "]"),
        deep("{\"a\":", "}").chars().take(16_000).collect(),
        format!("{{\"lines\":{}}}", deep("[", "]")),
    ] {
        let router = probes(&no_limits());
        let answer = send(&router, post("/hold", Some("application/json"), body)).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        answer.problem();
    }
}

#[tokio::test]
async fn large_bodies_are_refused_announced_or_not() {
    let large = format!(r#"{{"lines":[{}]}}"#, vec![LINE; 10_000].join(","));
    check("/hold", large.clone(), 413, "body_too_large").await;
    // Without a length, the limit is met while reading.
    let chunks = large
        .into_bytes()
        .chunks(1_000)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let streamed = Body::from_stream(futures::stream::iter(chunks));
    check("/hold", streamed, 413, "body_too_large").await;
    let mut announced = post("/hold", Some("application/json"), "{}");
    announced
        .headers_mut()
        .insert("content-length", "1073741824".parse().unwrap());
    let answer = send(&probes(&no_limits()), announced).await;
    assert_eq!(answer.problem(), "body_too_large");
    assert_eq!(
        answer.headers["connection"], "close",
        "what follows would be lost"
    );
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let router = probes(&no_limits());
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let answer = send(&router, post("/hold", content_type, "{}")).await;
        assert_eq!(answer.problem(), "unsupported_media_type");
    }
    let mut gzip = post("/hold", Some("application/json"), "{}");
    gzip.headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(send(&router, gzip).await.problem(), "unsupported_media_type");
}

#[tokio::test]
async fn payment_methods_are_visible_ascii() {
    for method in ["", "a b", "a\\u0000b", "é"] {
        let body = format!(r#"{{"lines":[{LINE}],"payment_method":"{method}"}}"#);
        let answer = check("/purchase", body, 422, "validation_failed").await;
        assert_eq!(pointer(&answer), "/payment_method");
    }
}

#[tokio::test]
async fn keys_are_required_and_checked() {
    let router = probes(&no_limits());
    let mut missing = post("/hold", Some("application/json"), "{}");
    missing.headers_mut().remove("idempotency-key");
    assert_eq!(send(&router, missing).await.problem(), "idempotency_key_missing");
    for key in ["", "a b", &"k".repeat(256)] {
        let mut bad = post("/hold", Some("application/json"), "{}");
        bad.headers_mut().insert("idempotency-key", key.parse().unwrap());
        assert_eq!(send(&router, bad).await.problem(), "idempotency_key_invalid");
    }
}
