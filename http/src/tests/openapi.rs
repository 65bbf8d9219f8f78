//! The document is whole and points nowhere else. Which routes it lists is tried from outside
//! (`server/tests/api/authorization.rs`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&crate::openapi_json()).unwrap()
}

#[test]
fn operations_have_ids_and_few_kinds_of_them_need_no_token() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{path}"
            );
            let is_open = operation.get("security").is_none();
            let tag = operation["tags"][0].as_str().unwrap();
            assert_eq!(
                is_open,
                ["catalog", "files", "login", "webhooks"].contains(&tag),
                "{path}"
            );
            assert!(operation["summary"].is_string(), "{path}");
        }
    }
}

#[test]
fn references_point_to_something() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                }
                members.values().for_each(|value| check(value, document));
            }
            Value::Array(values) => values.iter().for_each(|value| check(value, document)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    check(&document, &document);
}

#[tokio::test]
async fn the_document_and_its_page_are_served_and_the_page_needs_nothing_else() {
    let router = probes(&no_limits());
    let served = get_as(&router, "/openapi.json", None).await;
    assert_eq!(served.json()["openapi"], document()["openapi"]);
    let page = get_as(&router, "/docs", None).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let page = String::from_utf8(page.body).unwrap();
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="));
}
