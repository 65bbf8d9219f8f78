//! Accounts and sessions.

use jiff::Timestamp;
use onsale_domain::{EmailAddress, UnixMillis};
use onsale_services::{AccountRow, Introspection, NewPassword, Registration, Session, UserRow};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;

/// What somebody writes to get an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Registration)]
pub(crate) struct RegistrationBody {
    /// Mail address: what one logs in with.
    pub(crate) email: String,
    /// 12 to 128 characters, and none that is known from a breach.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// As one wants to be called, at most 100 characters.
    name: String,
}

impl RegistrationBody {
    /// Errors: no mail address.
    pub(crate) fn into_registration(self) -> Result<Registration, Problem> {
        let email = EmailAddress::parse(&self.email)
            .map_err(|error| Problem::invalid("/email", error.to_string()))?;
        Ok(Registration {
            email,
            password: self.password,
            name: self.name,
        })
    }
}

/// With what somebody comes in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
pub(crate) struct LoginBody {
    /// Mail address.
    pub(crate) email: String,
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretString,
}

/// With what a session goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh)]
pub(crate) struct RefreshBody {
    #[schema(value_type = String, format = Password)]
    pub(crate) refresh_token: SecretString,
}

/// A credential to ask about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Introspect)]
pub(crate) struct IntrospectBody {
    /// An access token or an API key.
    #[schema(value_type = String, format = Password)]
    pub(crate) token: SecretString,
}

/// The present password and the next one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
pub(crate) struct PasswordBody {
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    /// 12 to 128 characters, and none that is known from a breach.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

impl From<PasswordBody> for NewPassword {
    fn from(body: PasswordBody) -> Self {
        Self {
            current: body.current_password,
            new: body.new_password,
        }
    }
}

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordResetRequest)]
pub(crate) struct ResetBody {
    /// Mail address.
    pub(crate) email: String,
}

/// The token of a mail, and the next password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
pub(crate) struct ConfirmResetBody {
    #[schema(value_type = String, format = Password)]
    pub(crate) token: SecretString,
    /// 12 to 128 characters, and none that is known from a breach.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretString,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    id: Uuid,
    email: String,
    name: String,
    #[schema(value_type = String, example = "active")]
    status: &'static str,
    created_at: Timestamp,
}

impl From<UserRow> for UserView {
    fn from(user: UserRow) -> Self {
        Self {
            id: user.user_id.0,
            email: user.email,
            name: user.name,
            status: user.status.as_str(),
            created_at: user.created_at.to_timestamp(),
        }
    }
}

/// An account and its roles.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    #[serde(flatten)]
    user: UserView,
    /// Names of the roles that it has outside organizations.
    roles: Vec<String>,
}

impl From<AccountRow> for AccountView {
    fn from(account: AccountRow) -> Self {
        Self {
            user: account.user.into(),
            roles: account.roles,
        }
    }
}

/// The tokens of a session. The refresh token is good for one further pair.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    access_token: String,
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
    refresh_token: String,
    /// Seconds until the refresh token ends.
    refresh_expires_in: i64,
    user: AccountView,
}

impl SessionView {
    /// The view of a session at an instant.
    pub(crate) fn of(session: Session, now: UnixMillis) -> Self {
        let seconds = |end: UnixMillis| end.ms_since(now).div_euclid(1_000).max(0);
        Self {
            access_token: session.access_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: seconds(session.expires_at),
            refresh_token: session.refresh_token.expose_secret().to_owned(),
            refresh_expires_in: seconds(session.refresh_expires_at),
            user: AccountView {
                user: session.user.into(),
                roles: session.roles,
            },
        }
    }
}

/// Whom a credential speaks for (RFC 7662).
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Introspection)]
pub(crate) struct IntrospectionView {
    /// Whether it is good now. If not, nothing else is said.
    active: bool,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Uuid>,
    /// The session; none for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    /// When the token began to be valid, in seconds since 1970; none for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// When it ends, in seconds since 1970; none for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// What the account may do outside organizations, with spaces between.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl From<Option<Introspection>> for IntrospectionView {
    fn from(introspection: Option<Introspection>) -> Self {
        let Some(found) = introspection else {
            return Self::default();
        };
        let names: Vec<_> = found
            .permissions
            .iter()
            .map(|permission| permission.as_str())
            .collect();
        Self {
            active: true,
            sub: Some(found.user_id.0),
            sid: found.token.map(|token| token.session_id.0),
            iat: found.token.map(|token| token.issued_at.0.div_euclid(1_000)),
            exp: found.token.map(|token| token.expires_at.0.div_euclid(1_000)),
            scope: Some(names.join(" ")),
        }
    }
}
