//! The document covers the routes and points nowhere.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&crate::openapi_json()).unwrap()
}

/// The routes of `contract.md` that this release has.
const ROUTES: [&str; 59] = [
    "GET /v1/events",
    "GET /v1/events/{event_id}",
    "GET /v1/events/{event_id}/availability",
    "POST /v1/events/{event_id}/holds",
    "POST /v1/events/{event_id}/purchases",
    "GET /v1/holds/{hold_id}",
    "DELETE /v1/holds/{hold_id}",
    "POST /v1/holds/{hold_id}/extend",
    "POST /v1/holds/{hold_id}/checkout",
    "GET /v1/orders",
    "GET /v1/orders/{order_id}",
    "POST /v1/orders/{order_id}/cancel",
    "POST /v1/auth/register",
    "POST /v1/auth/login",
    "POST /v1/auth/refresh",
    "POST /v1/auth/logout",
    "POST /v1/auth/logout-everywhere",
    "PUT /v1/auth/password",
    "POST /v1/auth/password-reset",
    "POST /v1/auth/password-reset/confirm",
    "GET /v1/auth/me",
    "POST /v1/auth/introspect",
    "GET /.well-known/jwks.json",
    "GET /v1/admin/audit-log",
    "GET /v1/admin/users",
    "GET /v1/admin/users/{user_id}",
    "POST /v1/admin/users/{user_id}/deactivate",
    "POST /v1/admin/users/{user_id}/activate",
    "GET /v1/admin/permissions",
    "GET /v1/admin/roles",
    "POST /v1/admin/roles",
    "GET /v1/admin/roles/{role_id}",
    "PUT /v1/admin/roles/{role_id}",
    "DELETE /v1/admin/roles/{role_id}",
    "GET /v1/admin/users/{user_id}/roles",
    "POST /v1/admin/users/{user_id}/roles",
    "DELETE /v1/admin/users/{user_id}/roles/{role_id}",
    "GET /v1/admin/service-accounts",
    "POST /v1/admin/service-accounts",
    "DELETE /v1/admin/service-accounts/{user_id}",
    "GET /v1/admin/service-accounts/{user_id}/api-keys",
    "POST /v1/admin/service-accounts/{user_id}/api-keys",
    "DELETE /v1/admin/api-keys/{api_key_id}",
    "GET /v1/admin/organizations",
    "POST /v1/admin/organizations",
    "GET /v1/admin/organizations/{organization_id}",
    "GET /v1/admin/events",
    "POST /v1/admin/events",
    "GET /v1/admin/events/{event_id}",
    "PUT /v1/admin/events/{event_id}",
    "POST /v1/admin/events/{event_id}/publish",
    "POST /v1/admin/events/{event_id}/pause",
    "POST /v1/admin/events/{event_id}/resume",
    "POST /v1/admin/events/{event_id}/close",
    "POST /v1/admin/events/{event_id}/cancel",
    "POST /v1/admin/events/{event_id}/ticket-types",
    "PUT /v1/admin/events/{event_id}/ticket-types/{ticket_type_id}",
    "POST /v1/admin/events/{event_id}/quotas",
    "PUT /v1/admin/events/{event_id}/quotas/{quota_id}",
];

#[test]
fn the_document_lists_exactly_the_routes() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let listed: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let wanted: BTreeSet<String> = ROUTES.iter().map(|route| (*route).to_owned()).collect();
    assert_eq!(listed, wanted);
}

#[test]
fn operations_have_ids_and_only_the_catalog_and_the_way_in_are_open() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{path}"
            );
            let is_open = operation.get("security").is_none();
            let tag = operation["tags"][0].as_str().unwrap();
            assert_eq!(is_open, ["catalog", "login"].contains(&tag), "{path}");
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
