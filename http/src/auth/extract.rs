//! Callers as handlers take them. Each kind also spends from its own rate limit.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use onsale_domain::{BuyerId, Permission};
use onsale_services::at_hand::AtHand;
use onsale_services::{Caller, Origin, Services, StaffMember};

use super::right::Right;
use crate::codes::Code;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::problem::Problem;
use crate::rate_limit::{ClientKey, Traffic};

/// Anybody, with a credential or without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor;

/// Somebody who is logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) caller: Caller,
}

/// Somebody who buys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buyer {
    pub(crate) id: BuyerId,
}

/// Somebody who has a right, everywhere or in some organizations.
#[derive(Debug)]
pub(crate) struct Staff<R> {
    member: StaffMember,
    right: PhantomData<R>,
}

impl<R> Deref for Staff<R> {
    type Target = StaffMember;

    fn deref(&self) -> &StaffMember {
        &self.member
    }
}

impl<S> FromRequestParts<S> for Visitor
where
    Gate: FromRef<S>,
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let gate = Gate::from_ref(state);
        let key = if parts.headers.contains_key(AUTHORIZATION) {
            let caller = authenticated(parts, &gate, &Services::from_ref(state)).await?;
            ClientKey::Subject(caller.user_id.0)
        } else {
            gate.client_address(parts)
        };
        gate.admit(Traffic::Read, key).await?;
        Ok(Self)
    }
}

impl<S> FromRequestParts<S> for Account
where
    Gate: FromRef<S>,
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = admitted(parts, state, Traffic::Staff).await?;
        Ok(Self { caller })
    }
}

impl<S> FromRequestParts<S> for Buyer
where
    Gate: FromRef<S>,
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = admitted(parts, state, Traffic::Sale).await?;
        if caller.may(Permission::TicketsBuy) {
            return Ok(Self {
                id: caller.user_id.into(),
            });
        }
        // Boxed, so that what is let in does not grow by it.
        Err(Box::pin(refused(parts, state, &caller, Permission::TicketsBuy)).await)
    }
}

impl<R, S> FromRequestParts<S> for Staff<R>
where
    R: Right,
    Gate: FromRef<S>,
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = admitted(parts, state, R::TRAFFIC).await?;
        let origin = origin(parts, &Gate::from_ref(state));
        let services = Services::from_ref(state);
        match services.staff_member(&caller, R::PERMISSION, origin).await? {
            Some(member) => Ok(Self {
                member,
                right: PhantomData,
            }),
            None => Err(refused(parts, state, &caller, R::PERMISSION).await),
        }
    }
}

async fn admitted<S>(parts: &Parts, state: &S, traffic: Traffic) -> Result<Caller, ApiError>
where
    Gate: FromRef<S>,
    Services: FromRef<S>,
{
    let gate = Gate::from_ref(state);
    let caller = authenticated(parts, &gate, &Services::from_ref(state)).await?;
    gate.admit(traffic, ClientKey::Subject(caller.user_id.0)).await?;
    Ok(caller)
}

/// Notes that a permission is missing; the error to answer. Each such note is kept, so there is a limit to them.
async fn refused<S>(parts: &Parts, state: &S, caller: &Caller, permission: Permission) -> ApiError
where
    Gate: FromRef<S>,
    Services: FromRef<S>,
{
    let gate = Gate::from_ref(state);
    let key = ClientKey::Subject(caller.user_id.0);
    if let Err(problem) = gate.admit(Traffic::Refused, key).await {
        return problem.into();
    }
    let origin = origin(parts, &gate);
    let services = Services::from_ref(state);
    services.refuse(caller, permission, &origin).await.into()
}

async fn authenticated(parts: &Parts, gate: &Gate, services: &Services) -> Result<Caller, ApiError> {
    let bearer = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential);
    let credential = bearer.ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    if Services::is_api_key(credential) {
        // A key that is not remembered is looked up: whoever guesses must not set the pace.
        gate.admit(Traffic::Read, gate.client_address(parts)).await?;
    }
    Ok(services.authenticate(credential).await?)
}

/// Where a request came from, for the audit log.
pub(crate) fn origin(parts: &Parts, gate: &Gate) -> Origin {
    Origin {
        request_id: AtHand::look(|at_hand| at_hand.request_id.as_str().to_owned()),
        address: Some(gate.client_ip(parts).to_string()),
    }
}
