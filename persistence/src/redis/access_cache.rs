//! What accounts may do, as Postgres said within the last 15 minutes: `user:{id}:permissions`.
//!
//! A reader that finds nothing here reads Postgres and fills it in. Meanwhile somebody may commit a change and forget
//! the account here, and the reader would then fill in what was true before. So whoever forgets leaves a new random
//! mark, and a reader fills in only while the marks are still those that it saw before it read Postgres: one mark
//! for the account, kept for longer than a read of Postgres may take, and one for all accounts, which is also in every
//! value, so that changing it forgets everything at once. The comparison and the writing are one script.

use std::time::Duration;

use onsale_domain::{Access, OrganizationId, Permission, PermissionSet, UserId};
use redis::Cmd;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{REQUEST_BUDGET, Redis, RedisError};
use crate::{AccountAccess, AccountKind, AccountStatus};

/// How long an answer of Postgres is kept.
const LIFETIME: Duration = Duration::from_mins(15);
/// How long an account's mark is kept. A reader must have given up by then.
const MARK_LIFETIME: Duration = Duration::from_mins(2);

const READ: &str = "redis.call('SET', KEYS[3], ARGV[1], 'NX')
    return redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])";
const FILL: &str =
    "if (redis.call('GET', KEYS[2]) or '') == ARGV[1] and redis.call('GET', KEYS[3]) == ARGV[2] then
        redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
    end";
const FORGET: &str = "redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
    redis.call('DEL', KEYS[1])";

/// What Redis remembers of accounts. Cloning it is cheap.
#[derive(Clone)]
pub struct AccessCache {
    redis: Redis,
}

/// What was found, and what is needed to fill in what was not.
#[derive(Clone, Debug)]
pub struct AccessLookup {
    /// What is remembered.
    pub account: Option<AccountAccess>,
    /// To be handed to [`AccessCache::fill`].
    pub marks: AccessMarks,
}

/// The marks as they were before Postgres was asked.
#[derive(Clone, Debug)]
pub struct AccessMarks {
    /// Empty: nobody changed the account lately.
    account: String,
    all: String,
}

impl AccessCache {
    /// The accounts below this handle's prefix.
    pub const fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// What is remembered of an account.
    ///
    /// Errors: Redis gave no answer within the budget of a request.
    pub async fn read(&self, user_id: UserId) -> Result<AccessLookup, RedisError> {
        let mut command = self.script(READ, user_id);
        command.arg(random_mark());
        let (found, account, all): (Option<String>, Option<String>, String) =
            self.redis.call(REQUEST_BUDGET, &command).await?;
        let stored = found.and_then(|text| serde_json::from_str::<Stored>(&text).ok());
        let known =
            stored.filter(|stored| stored.mark == all && stored.permissions_known == Permission::ALL.len());
        Ok(AccessLookup {
            account: known.and_then(Stored::into_account),
            marks: AccessMarks {
                account: account.unwrap_or_default(),
                all,
            },
        })
    }

    /// Remembers what Postgres said, unless the account was changed since the marks were read. Postgres must have been
    /// asked after that, and have answered within a minute.
    ///
    /// Errors: Redis gave no answer within the budget of a request.
    pub async fn fill(
        &self,
        user_id: UserId,
        account: &AccountAccess,
        marks: &AccessMarks,
    ) -> Result<(), RedisError> {
        let stored = Stored::of(account, marks.all.clone());
        let text = serde_json::to_string(&stored).map_err(|error| RedisError::Refused(error.to_string()))?;
        let mut command = self.script(FILL, user_id);
        command
            .arg(&marks.account)
            .arg(&marks.all)
            .arg(text)
            .arg(LIFETIME.as_secs());
        self.redis.call(REQUEST_BUDGET, &command).await
    }

    /// Forgets an account. To be called after the commit that changed it.
    ///
    /// Errors: it may still be remembered.
    pub async fn forget(&self, user_id: UserId) -> Result<(), RedisError> {
        let mut command = self.script(FORGET, user_id);
        command.arg(random_mark()).arg(MARK_LIFETIME.as_secs());
        self.redis.call(REQUEST_BUDGET, &command).await
    }

    /// Forgets all accounts. To be called after the commit that changed them.
    ///
    /// Errors: they may still be remembered.
    pub async fn forget_all(&self) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(self.redis.key("access:mark")).arg(random_mark());
        self.redis.call(REQUEST_BUDGET, &command).await
    }

    fn script(&self, script: &str, user_id: UserId) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command
            .arg(script)
            .arg(3)
            .arg(self.redis.key(&format!("user:{user_id}:permissions")))
            .arg(self.redis.key(&format!("user:{user_id}:mark")))
            .arg(self.redis.key("access:mark"));
        command
    }
}

fn random_mark() -> String {
    Uuid::now_v7().simple().to_string()
}

/// A value. Permissions stand by name, so that people can read it.
#[derive(Serialize, Deserialize)]
struct Stored {
    mark: String,
    /// Another release knows more or fewer, and would have left out others.
    permissions_known: usize,
    kind: String,
    status: String,
    generation: u64,
    organization_id: Option<OrganizationId>,
    everywhere: Vec<String>,
    organizations: Vec<(OrganizationId, Vec<String>)>,
}

impl Stored {
    fn of(account: &AccountAccess, mark: String) -> Self {
        let organizations = account.access.organizations.iter();
        Self {
            mark,
            permissions_known: Permission::ALL.len(),
            kind: account.kind.as_str().to_owned(),
            status: account.status.as_str().to_owned(),
            generation: account.generation,
            organization_id: account.organization_id,
            everywhere: names(account.access.everywhere),
            organizations: organizations.map(|(id, held)| (*id, names(*held))).collect(),
        }
    }

    /// `None`: not what this release writes.
    fn into_account(self) -> Option<AccountAccess> {
        let mut access = Access::default();
        access.grant(None, set(&self.everywhere)?);
        for (organization_id, held) in &self.organizations {
            access.grant(Some(*organization_id), set(held)?);
        }
        Some(AccountAccess {
            kind: AccountKind::of_name(&self.kind)?,
            status: AccountStatus::of_name(&self.status)?,
            generation: self.generation,
            organization_id: self.organization_id,
            access,
        })
    }
}

fn names(permissions: PermissionSet) -> Vec<String> {
    permissions.iter().map(|held| held.as_str().to_owned()).collect()
}

fn set(names: &[String]) -> Option<PermissionSet> {
    names.iter().map(|name| Permission::of_name(name)).collect()
}
