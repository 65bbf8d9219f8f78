//! Requests about accounts, roles and keys.

use serde_json::json;

use super::fixture::{Fixture, PASSWORD, api_key, role_id, service_account, text};
use crate::support::{Call, delete, get, post, put};

const USERS: &str = "/v1/admin/users";
const ROLES: &str = "/v1/admin/roles";
const SERVICE_ACCOUNTS: &str = "/v1/admin/service-accounts";

impl Fixture {
    pub(super) fn account_call(&mut self, route: &str) -> Option<Call> {
        let email = format!("{}@test.example", self.fresh());
        let buyer = json!({"email": "buyer@test.example", "password": PASSWORD});
        Some(match route {
            "GET /.well-known/jwks.json" => get("/.well-known/jwks.json"),
            "GET /.well-known/ticket-keys.json" => get("/.well-known/ticket-keys.json"),
            "POST /v1/auth/register" => {
                let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
                post("/v1/auth/register").json(&body)
            }
            "POST /v1/auth/login" => post("/v1/auth/login").json(&buyer),
            "POST /v1/auth/refresh" => {
                post("/v1/auth/refresh").json(&json!({"refresh_token": self.refresh_token}))
            }
            "POST /v1/auth/password-reset" => post("/v1/auth/password-reset").json(&json!({"email": email})),
            "POST /v1/auth/password-reset/confirm" => {
                let body = json!({"token": "osp_none", "password": PASSWORD});
                post("/v1/auth/password-reset/confirm").json(&body)
            }
            "POST /v1/auth/introspect" => {
                post("/v1/auth/introspect").json(&json!({"token": self.buyer().token}))
            }
            "GET /v1/auth/me" => get("/v1/auth/me"),
            "POST /v1/auth/logout" => post("/v1/auth/logout"),
            "POST /v1/auth/logout-everywhere" => post("/v1/auth/logout-everywhere"),
            "PUT /v1/auth/password" => {
                let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
                put("/v1/auth/password").json(&body)
            }
            _ => return None,
        })
    }

    pub(super) async fn access_call(&mut self, route: &str) -> Option<Call> {
        let user = format!("{USERS}/{}", self.bystander);
        let role = format!("{ROLES}/{}", self.spare_role);
        let body = json!({"name": self.fresh(), "permissions": ["events.read"]});
        Some(match route {
            "GET /v1/admin/users" => get(USERS),
            "GET /v1/admin/users/{user_id}" => get(user),
            "POST /v1/admin/users/{user_id}/deactivate" => post(format!("{user}/deactivate")),
            "POST /v1/admin/users/{user_id}/activate" => post(format!("{user}/activate")),
            "GET /v1/admin/users/{user_id}/roles" => get(format!("{user}/roles")),
            "POST /v1/admin/users/{user_id}/roles" => {
                let body = json!({"role_id": role_id(&self.world, "support").await});
                post(format!("{user}/roles")).json(&body)
            }
            "DELETE /v1/admin/users/{user_id}/roles/{role_id}" => {
                delete(format!("{user}/roles/{}", role_id(&self.world, "support").await))
            }
            "GET /v1/admin/permissions" => get("/v1/admin/permissions"),
            "GET /v1/admin/roles" => get(ROLES),
            "POST /v1/admin/roles" => {
                let mut body = body;
                body["scope"] = json!("organization");
                post(ROLES).json(&body)
            }
            "GET /v1/admin/roles/{role_id}" => get(role),
            "PUT /v1/admin/roles/{role_id}" => put(role).json(&body),
            "DELETE /v1/admin/roles/{role_id}" => delete(role),
            "GET /v1/admin/jobs" => get("/v1/admin/jobs?state=waiting"),
            "POST /v1/admin/jobs/{kind}/{subject_id}/retry" => {
                let job = crate::jobs::dead_job(&self.world).await;
                post(format!("/v1/admin/jobs/mail/{job}/retry"))
            }
            "GET /v1/admin/audit-log" => get("/v1/admin/audit-log?limit=100"),
            _ => return self.program_call(route).await,
        })
    }

    /// Requests about service accounts and their keys.
    async fn program_call(&self, route: &str) -> Option<Call> {
        let keys = format!("{SERVICE_ACCOUNTS}/{}/api-keys", self.service_account);
        Some(match route {
            "GET /v1/admin/service-accounts" => get(SERVICE_ACCOUNTS),
            "POST /v1/admin/service-accounts" => {
                let roles = [role_id(&self.world, "organizer").await];
                let body = json!({"name": "Till", "organization_id": self.organization, "roles": roles});
                post(SERVICE_ACCOUNTS).json(&body)
            }
            "DELETE /v1/admin/service-accounts/{user_id}" => {
                let made = service_account(&self.world, self.organization).await;
                delete(format!("{SERVICE_ACCOUNTS}/{made}"))
            }
            "GET /v1/admin/service-accounts/{user_id}/api-keys" => get(keys),
            "POST /v1/admin/service-accounts/{user_id}/api-keys" => {
                post(keys).json(&json!({"name": "Door", "scopes": ["events.read"]}))
            }
            "DELETE /v1/admin/api-keys/{api_key_id}" => {
                let key = api_key(&self.world, &self.service_account).await;
                delete(format!("/v1/admin/api-keys/{}", text(&key, "id")))
            }
            _ => return None,
        })
    }
}
