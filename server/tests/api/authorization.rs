//! Every route of the `OpenAPI` document, and what it answers to whom. The table is the register of routes: one that is
//! missing in it fails, as does a row without a route.

mod access_calls;
mod door_calls;
mod fixture;
mod package_calls;
mod sale_calls;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Reply, World, get};
use fixture::Fixture;

/// Who asks, in the order of the table's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Anonymous,
    Buyer,
    OtherBuyer,
    Organizer,
    OtherOrganizer,
    Support,
    Scanner,
    Admin,
    /// A service account that is an organizer, with a key whose scopes hold nothing that a route asks for.
    KeyWithoutScope,
}

impl Who {
    const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Buyer,
        Self::OtherBuyer,
        Self::Organizer,
        Self::OtherOrganizer,
        Self::Support,
        Self::Scanner,
        Self::Admin,
        Self::KeyWithoutScope,
    ];
}

/// Route, the permission that it asks for, and what each caller gets:
///
/// - `o` open: neither 401 nor 403, and 200 for a read
/// - `u` 401: nobody knows who that is
/// - `f` 403: it is not theirs to do
/// - `n` 404: it is there, but not theirs
/// - `s` 401: no token helps, only a provider's signature
/// - `+` 2xx
///
/// Rows run from top to bottom.
const TABLE: &str = "
                                                                                       anonymous
                                                                                       | buyer
                                                                                       | | other buyer
                                                                                       | | | organizer
                                                                                       | | | | organizer elsewhere
                                                                                       | | | | | support
                                                                                       | | | | | | scanner
                                                                                       | | | | | | | admin
                                                                                       | | | | | | | | key without scope
GET    /.well-known/jwks.json                                    -                     o o o o o o o o o
GET    /.well-known/ticket-keys.json                             -                     o o o o o o o o o
GET    /v1/files/{token}                                         -                     o o o o o o o o o
POST   /v1/auth/register                                         -                     o o o o o o o o o
POST   /v1/auth/login                                            -                     o o o o o o o o o
POST   /v1/auth/refresh                                          -                     o o o o o o o o o
POST   /v1/auth/password-reset                                   -                     o o o o o o o o o
POST   /v1/auth/password-reset/confirm                           -                     o o o o o o o o o
GET    /v1/events                                                -                     o o o o o o o o o
GET    /v1/events/{event_id}                                     -                     o o o o o o o o o
GET    /v1/events/{event_id}/availability                        -                     o o o o o o o o o
POST   /v1/events/{event_id}/holds                               tickets.buy           u + + f f f f f f
POST   /v1/events/{event_id}/purchases                           tickets.buy           u + + f f f f f f
GET    /v1/holds/{hold_id}                                       tickets.buy           u + n f f f f f f
POST   /v1/holds/{hold_id}/extend                                tickets.buy           u + n f f f f f f
DELETE /v1/holds/{hold_id}                                       tickets.buy           u + n f f f f f f
POST   /v1/holds/{hold_id}/checkout                              tickets.buy           u + n f f f f f f
GET    /v1/orders                                                tickets.buy           u + + f f f f f f
GET    /v1/orders/{order_id}                                     tickets.buy           u + n f f f f f f
POST   /v1/orders/{order_id}/cancel                              tickets.buy           u + n f f f f f f
GET    /v1/packages                                              -                     o o o o o o o o o
GET    /v1/packages/{package_id}                                 -                     o o o o o o o o o
POST   /v1/packages/{package_id}/purchases                       tickets.buy           u + + f f f f f f
GET    /v1/package-orders                                        tickets.buy           u + + f f f f f f
GET    /v1/package-orders/{package_order_id}                     tickets.buy           u + n f f f f f f
POST   /v1/package-orders/{package_order_id}/cancel              tickets.buy           u + n f f f f f f
GET    /v1/admin/packages                                        packages.edit         u f f + + f f + f
POST   /v1/admin/packages                                        packages.edit         u f f + n f f + f
GET    /v1/admin/packages/{package_id}                           packages.edit         u f f + n f f + f
PUT    /v1/admin/packages/{package_id}                           packages.edit         u f f + n f f + f
DELETE /v1/admin/packages/{package_id}                           packages.edit         u f f + n f f + f
GET    /v1/admin/package-orders/{package_order_id}               orders.read           u f f + n + f + f
POST   /v1/admin/package-orders/{package_order_id}/cancel        orders.cancel         u f f + n + f + f
POST   /v1/tickets/{ticket_id}/transfer                          tickets.buy           u + n f f f f f f
POST   /v1/check-ins                                             check_ins.create      u f f f f f + + f
POST   /v1/check-ins/sync                                        check_ins.create      u f f f f f + + f
GET    /v1/check-ins/gates                                       check_ins.create      u f f f f f + + f
GET    /v1/check-ins/bundle                                      check_ins.create      u f f f f f + + f
GET    /v1/tickets                                               tickets.buy           u + + f f f f f f
GET    /v1/tickets/{ticket_id}                                   tickets.buy           u + n f f f f f f
GET    /v1/tickets/{ticket_id}/file                              tickets.buy           u + n f f f f f f
POST   /v1/webhooks/payments/{provider}                          -                     s s s s s s s s s
GET    /v1/admin/organizations                                   organizations.read    u f f + + + f + f
POST   /v1/admin/organizations                                   organizations.create  u f f f f f f + f
GET    /v1/admin/organizations/{organization_id}                 organizations.read    u f f + n + f + f
GET    /v1/admin/events                                          events.read           u f f + + + f + f
POST   /v1/admin/events                                          events.edit           u f f + n f f + f
GET    /v1/admin/events/{event_id}                               events.read           u f f + n + f + f
PUT    /v1/admin/events/{event_id}                               events.edit           u f f + n f f + f
DELETE /v1/admin/events/{event_id}                               events.edit           u f f + n f f + f
POST   /v1/admin/events/{event_id}/publish                       events.publish        u f f + n f f + f
POST   /v1/admin/events/{event_id}/pause                         events.publish        u f f + n f f + f
POST   /v1/admin/events/{event_id}/resume                        events.publish        u f f + n f f + f
POST   /v1/admin/events/{event_id}/close                         events.publish        u f f + n f f + f
POST   /v1/admin/events/{event_id}/cancel                        events.publish        u f f + n f f + f
POST   /v1/admin/events/{event_id}/quotas                        events.edit           u f f + n f f + f
PUT    /v1/admin/events/{event_id}/quotas/{quota_id}             events.edit           u f f + n f f + f
POST   /v1/admin/events/{event_id}/ticket-types                  events.edit           u f f + n f f + f
PUT    /v1/admin/events/{event_id}/ticket-types/{ticket_type_id} events.edit           u f f + n f f + f
GET    /v1/admin/orders                                          orders.read           u f f + + + f + f
GET    /v1/admin/orders/{order_id}                               orders.read           u f f + n + f + f
POST   /v1/admin/orders/{order_id}/cancel                        orders.cancel         u f f + n + f + f
GET    /v1/admin/orders/{order_id}/refunds                       orders.read           u f f + n + f + f
POST   /v1/admin/orders/{order_id}/refunds                       refunds.create        u f f + n + f + f
GET    /v1/admin/payments                                        orders.read           u f f + + + f + f
POST   /v1/admin/orders/{order_id}/payment/void                  refunds.create        u f f + n + f + f
GET    /v1/admin/users                                           users.read            u f f f f + f + f
GET    /v1/admin/users/{user_id}                                 users.read            u f f f f + f + f
POST   /v1/admin/users/{user_id}/deactivate                      users.deactivate      u f f f f f f + f
POST   /v1/admin/users/{user_id}/activate                        users.deactivate      u f f f f f f + f
GET    /v1/admin/users/{user_id}/roles                           roles.read            u f f n n + f + f
POST   /v1/admin/users/{user_id}/roles                           roles.assign          u f f f f f f + f
DELETE /v1/admin/users/{user_id}/roles/{role_id}                 roles.assign          u f f f f f f + f
GET    /v1/admin/permissions                                     roles.read            u f f + + + f + f
GET    /v1/admin/roles                                           roles.read            u f f + + + f + f
POST   /v1/admin/roles                                           roles.edit            u f f f f f f + f
GET    /v1/admin/roles/{role_id}                                 roles.read            u f f + + + f + f
PUT    /v1/admin/roles/{role_id}                                 roles.edit            u f f f f f f + f
DELETE /v1/admin/roles/{role_id}                                 roles.edit            u f f f f f f + f
GET    /v1/admin/service-accounts                                service_accounts.read u f f + + f f + f
POST   /v1/admin/service-accounts                                service_accounts.edit u f f + n f f + f
DELETE /v1/admin/service-accounts/{user_id}                      service_accounts.edit u f f + n f f + f
GET    /v1/admin/service-accounts/{user_id}/api-keys             service_accounts.read u f f + n f f + f
POST   /v1/admin/service-accounts/{user_id}/api-keys             service_accounts.edit u f f + n f f + f
DELETE /v1/admin/api-keys/{api_key_id}                           service_accounts.edit u f f + n f f + f
GET    /v1/admin/audit-log                                       audit_log.read        u f f + + f f + f
GET    /v1/admin/jobs                                            jobs.read             u f f f f + f + f
POST   /v1/admin/jobs/{kind}/{subject_id}/retry                  jobs.retry            u f f f f f f + f
POST   /v1/auth/introspect                                       tokens.introspect     u f f f f f f + f
GET    /v1/auth/me                                               -                     u + + + + + + + n
POST   /v1/auth/logout                                           -                     u + + + + + + + f
PUT    /v1/auth/password                                         -                     u + + + + + + + f
POST   /v1/auth/logout-everywhere                                -                     u + + + + + + + f
";

/// One line of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    method: &'static str,
    path: &'static str,
    permission: Option<&'static str>,
    answers: [char; 9],
}

impl Row {
    fn read(line: &'static str) -> Self {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [method, path, permission, answers @ ..] = words.as_slice() else {
            panic!("not a row: {line}");
        };
        let answers: Vec<_> = answers
            .iter()
            .filter_map(|answer| answer.chars().next())
            .collect();
        Self {
            method,
            path,
            permission: (*permission != "-").then_some(*permission),
            answers: answers.try_into().unwrap_or_else(|_| panic!("{line}")),
        }
    }

    fn route(self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What is wrong with an answer.
    fn fault(self, who: Who, reply: &Reply) -> Option<String> {
        let expected = self.answers[who as usize];
        let is_read = self.method == "GET";
        let is_as_expected = match expected {
            'o' | '+' if is_read => reply.status == 200,
            'o' => ![401, 403, 404].contains(&reply.status) && reply.status < 500,
            'u' => (reply.status, reply.code().as_str()) == (401, "unauthenticated"),
            's' => (reply.status, reply.code().as_str()) == (401, "webhook_signature_invalid"),
            'f' => (reply.status, reply.code().as_str()) == (403, "forbidden"),
            'n' => (reply.status, reply.code().as_str()) == (404, "not_found"),
            '+' => (200..300).contains(&reply.status),
            other => panic!("the table says {other}"),
        };
        let body = String::from_utf8_lossy(&reply.raw);
        (!is_as_expected).then(|| {
            format!(
                "{} by {who:?}: {} instead of {expected}: {body}",
                self.route(),
                reply.status
            )
        })
    }
}

fn rows() -> Vec<Row> {
    let is_row = |line: &&str| line.contains('/');
    TABLE.lines().filter(is_row).map(Row::read).collect()
}

async fn documented_routes(world: &World) -> BTreeSet<String> {
    let document = world.send(get("/openapi.json")).await.expect(200);
    let paths = document["paths"].as_object().expect("paths").iter();
    let methods = |item: &Value| {
        item.as_object()
            .expect("an item")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    paths
        .flat_map(|(path, item)| {
            let routes = methods(item).into_iter();
            routes.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

/// A refusal that the audit log must tell of.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    request_id: String,
    permission: String,
    /// The account; nobody knows the one of an anonymous caller, who is not refused but unknown.
    actor: String,
}

/// All refusals in the audit log, by the route that staff read it by.
async fn noted_refusals(world: &World) -> BTreeSet<Refusal> {
    let mut refusals = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/admin/audit-log?outcome=refused&limit=100{cursor}");
        let page = world.staff(get(path)).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        refusals.extend(
            page["data"]
                .as_array()
                .expect("entries")
                .iter()
                .map(|entry| Refusal {
                    request_id: text(&entry["request_id"]),
                    permission: text(&entry["action"]),
                    actor: text(&entry["actor"]["id"]),
                }),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return refusals,
        }
    }
}

#[tokio::test]
async fn every_route_answers_each_caller_as_the_table_says_and_every_refusal_is_noted() {
    let mut fixture = Fixture::build().await;
    let rows = rows();
    let listed: BTreeSet<_> = rows.iter().map(|row| row.route()).collect();
    assert_eq!(listed.len(), rows.len(), "a route is in the table twice");
    assert_eq!(listed, documented_routes(&fixture.world).await);

    let mut faults = vec![];
    let mut refused = BTreeSet::new();
    let mut statuses = BTreeMap::new();
    for row in rows {
        for who in Who::ALL {
            let call = fixture.call(&row.route(), who).await;
            let reply = fixture.send(call, who).await;
            *statuses.entry(reply.status).or_insert(0) += 1;
            faults.extend(row.fault(who, &reply));
            faults.extend(fixture.told_too_much(row.path, who, &reply));
            if let (403, Some(permission)) = (reply.status, row.permission) {
                refused.insert(Refusal {
                    request_id: reply.header("x-request-id").to_owned(),
                    permission: permission.to_owned(),
                    actor: fixture.id(who).to_string(),
                });
            }
            fixture.mend(&row.route(), who, &reply).await;
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {statuses:?}:\n{}",
        faults.len(),
        faults.join("\n")
    );

    let noted = noted_refusals(&fixture.world).await;
    let missing: Vec<_> = refused.difference(&noted).collect();
    assert!(missing.is_empty(), "not in the audit log: {missing:#?}");
    let output = fixture.world.server.run(&["audit", "--log"]);
    assert!(output.status.success(), "{output:?}");
    fixture.world.stop_and_audit().await;
}
