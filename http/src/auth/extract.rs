//! Callers as handlers take them. Each kind also spends from its own rate limit.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use onsale_domain::BuyerId;
use onsale_services::StaffScope;
use uuid::Uuid;

use super::Role;
use super::token::Identity;
use crate::codes::Code;
use crate::gate::Gate;
use crate::problem::Problem;
use crate::rate_limit::{ClientKey, Traffic};

/// Anybody, with a token or without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor;

/// Somebody who buys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buyer {
    pub(crate) id: BuyerId,
}

/// Somebody who may see the staff's side of some events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff {
    pub(crate) scope: StaffScope,
}

/// Somebody who may change some events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manager {
    pub(crate) subject: Uuid,
    pub(crate) scope: StaffScope,
}

/// Somebody who runs the deployment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin {
    pub(crate) subject: Uuid,
}

impl<S> FromRequestParts<S> for Visitor
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let gate = Gate::from_ref(state);
        let key = if parts.headers.contains_key(AUTHORIZATION) {
            ClientKey::Subject(identify(parts, &gate)?.subject)
        } else {
            gate.client_address(parts)
        };
        gate.admit(Traffic::Read, key).await?;
        Ok(Self)
    }
}

impl<S> FromRequestParts<S> for Buyer
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = admitted(parts, state, Traffic::Sale).await?;
        if !identity.has(Role::Buyer) {
            return Err(Problem::new(Code::Forbidden));
        }
        Ok(Self {
            id: BuyerId(identity.subject),
        })
    }
}

impl<S> FromRequestParts<S> for Staff
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = admitted(parts, state, Traffic::Staff).await?;
        let scope = if identity.has(Role::Support) {
            Some(StaffScope::Everything)
        } else {
            managed(identity)
        };
        let scope = scope.ok_or_else(|| Problem::new(Code::Forbidden))?;
        Ok(Self { scope })
    }
}

impl<S> FromRequestParts<S> for Manager
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = admitted(parts, state, Traffic::Staff).await?;
        let subject = identity.subject;
        let scope = managed(identity).ok_or_else(|| Problem::new(Code::Forbidden))?;
        Ok(Self { subject, scope })
    }
}

impl<S> FromRequestParts<S> for Admin
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = admitted(parts, state, Traffic::Staff).await?;
        if !identity.has(Role::Admin) {
            return Err(Problem::new(Code::Forbidden));
        }
        Ok(Self {
            subject: identity.subject,
        })
    }
}

/// Whose events somebody may change.
fn managed(identity: Identity) -> Option<StaffScope> {
    if identity.has(Role::Admin) {
        return Some(StaffScope::Everything);
    }
    if identity.has(Role::Organizer) {
        return identity.organization_id.map(StaffScope::Organization);
    }
    None
}

async fn admitted<S>(parts: &Parts, state: &S, traffic: Traffic) -> Result<Identity, Problem>
where
    Gate: FromRef<S>,
    S: Sync,
{
    let gate = Gate::from_ref(state);
    let identity = identify(parts, &gate)?;
    gate.admit(traffic, ClientKey::Subject(identity.subject)).await?;
    Ok(identity)
}

fn identify(parts: &Parts, gate: &Gate) -> Result<Identity, Problem> {
    parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| gate.verify(token))
        .ok_or_else(|| Problem::new(Code::Unauthenticated))
}
