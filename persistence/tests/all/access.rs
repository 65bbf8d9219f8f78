//! Roles, who has them, service accounts, keys and revocations, each change with its audit entry.

use onsale_domain::{
    ApiKeyId, OrganizationId, Permission, PermissionSet, RoleId, SessionId, StaffScope, UnixMillis, UserId,
};
use onsale_persistence::{
    ADMIN_ROLE, AccessError, AccountStatus, Actor, AuditEntry, AuditFilter, AuditOutcome, NewApiKey,
    NewAssignment, NewRole, NewServiceAccount, Revocation, RoleRow, RoleScope,
};
use uuid::Uuid;

use crate::support::TestDatabase;

const NOW: UnixMillis = UnixMillis(1_795_000_000_123);

fn entry(action: &'static str) -> AuditEntry {
    AuditEntry::new(NOW, Actor::SYSTEM, action, AuditOutcome::Done)
}

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// A database with an organization.
struct Office {
    test: TestDatabase,
    organization_id: OrganizationId,
}

impl Office {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let organization_id = OrganizationId(Uuid::now_v7());
        let inserted = test
            .database
            .insert_organization(organization_id, "Club", entry("organizations.create"))
            .await;
        inserted.expect("insert");
        Self {
            test,
            organization_id,
        }
    }

    async fn person(&self) -> UserId {
        let user_id = UserId(Uuid::now_v7());
        let sql = format!(
            "INSERT INTO users (user_id, kind, email, name) VALUES ('{user_id}', 'person', '{user_id}@example.org', 'A')"
        );
        self.test.execute(&sql).await;
        user_id
    }

    async fn role(&self, name: &str) -> RoleRow {
        let roles = self.test.database.roles().await.expect("roles");
        roles.into_iter().find(|role| role.name == name).expect(name)
    }

    async fn make(
        &self,
        name: &str,
        scope: RoleScope,
        permissions: &[Permission],
    ) -> Result<RoleRow, AccessError> {
        let role = NewRole {
            role_id: RoleId(Uuid::now_v7()),
            name: name.to_owned(),
            scope,
            permissions: set(permissions),
        };
        self.test.database.create_role(&role, entry("roles.create")).await
    }

    async fn assign(
        &self,
        user_id: UserId,
        role: &str,
        organization_id: Option<OrganizationId>,
    ) -> Result<bool, AccessError> {
        let assignment = NewAssignment {
            user_id,
            role_id: self.role(role).await.role_id,
            organization_id,
        };
        let database = &self.test.database;
        database.assign_role(assignment, entry("roles.assign")).await
    }

    async fn take(&self, user_id: UserId, role: &str) -> Result<Option<u64>, AccessError> {
        let assignment = NewAssignment {
            user_id,
            role_id: self.role(role).await.role_id,
            organization_id: None,
        };
        let taken = self
            .test
            .database
            .take_role(assignment, entry("roles.take"))
            .await?;
        Ok(taken.generation)
    }

    async fn service_account(&self) -> UserId {
        let account = NewServiceAccount {
            user_id: UserId(Uuid::now_v7()),
            name: "Till".to_owned(),
            organization_id: Some(self.organization_id),
            roles: vec![self.role("organizer").await.role_id],
        };
        let database = &self.test.database;
        let made = database
            .create_service_account(&account, entry("service_accounts.create"))
            .await;
        made.expect("a service account").user_id
    }

    /// The logged actions, oldest first, without the making of the organization.
    async fn logged(&self) -> Vec<String> {
        let database = &self.test.database;
        let rows = database.audit_entries(&AuditFilter::default(), None, 100).await;
        let mut actions: Vec<_> = rows.expect("the log").into_iter().map(|row| row.action).collect();
        actions.reverse();
        actions.split_off(1)
    }
}

fn key(user_id: UserId, digest: u8) -> NewApiKey {
    NewApiKey {
        api_key_id: ApiKeyId(Uuid::now_v7()),
        user_id,
        name: "Till 1".to_owned(),
        prefix: "osk_00000000".to_owned(),
        digest: [digest; 32],
        scopes: set(&[Permission::EventsRead]),
        expires_at: Some(NOW),
    }
}

#[tokio::test]
async fn every_permission_of_the_code_has_its_row_and_the_admin_does_all_but_buy() {
    let office = Office::new().await;
    let all: PermissionSet = Permission::ALL.iter().copied().collect();
    office
        .make("everything", RoleScope::Everywhere, Permission::ALL)
        .await
        .expect("each permission has a row");
    let admin = office.role(ADMIN_ROLE).await.permissions;
    assert!(!admin.has(Permission::TicketsBuy));
    assert_eq!(admin.with(Permission::TicketsBuy), all);
}

#[tokio::test]
async fn roles_are_made_changed_and_deleted_and_each_is_logged() {
    let office = Office::new().await;
    let made = office
        .make("desk", RoleScope::Organization, &[Permission::EventsRead])
        .await
        .expect("made");
    assert_eq!(office.role("desk").await, made);
    let again = office.make("desk", RoleScope::Everywhere, &[]).await;
    assert!(matches!(again, Err(AccessError::NameTaken)), "{again:?}");
    let database = &office.test.database;
    let permissions = set(&[Permission::EventsEdit, Permission::CheckInsCreate]);
    let changed = database
        .change_role(
            made.role_id,
            ("front_desk", permissions),
            |_| true,
            entry("roles.edit"),
        )
        .await
        .expect("changed");
    assert_eq!(office.role("front_desk").await, changed);
    assert_eq!(changed.permissions, permissions);
    let seen = |before: PermissionSet| before != permissions;
    let not_allowed = database
        .change_role(
            made.role_id,
            ("front_desk", PermissionSet::EMPTY),
            seen,
            entry("roles.edit"),
        )
        .await;
    assert!(
        matches!(not_allowed, Err(AccessError::NotAllowed)),
        "{not_allowed:?}"
    );
    database
        .delete_role(made.role_id, entry("roles.delete"))
        .await
        .expect("deleted");
    let gone = database.delete_role(made.role_id, entry("roles.delete")).await;
    assert!(matches!(gone, Err(AccessError::NotFound)), "{gone:?}");
    assert_eq!(
        office.logged().await,
        ["roles.create", "roles.edit", "roles.delete"]
    );
}

#[tokio::test]
async fn a_role_that_is_seeded_or_in_use_stays() {
    let office = Office::new().await;
    let database = &office.test.database;
    let support = office.role("support").await;
    let deleted = database.delete_role(support.role_id, entry("roles.delete")).await;
    assert!(matches!(deleted, Err(AccessError::RoleIsSeeded)), "{deleted:?}");
    let renamed = database
        .change_role(
            support.role_id,
            ("helpers", support.permissions),
            |_| true,
            entry("roles.edit"),
        )
        .await;
    assert!(matches!(renamed, Err(AccessError::RoleIsSeeded)), "{renamed:?}");
    let narrowed = database
        .change_role(
            support.role_id,
            ("support", PermissionSet::EMPTY),
            |_| true,
            entry("roles.edit"),
        )
        .await;
    assert!(
        narrowed
            .expect("permissions of a seeded role may change")
            .permissions
            .is_empty()
    );
    let admin = office.role(ADMIN_ROLE).await;
    let locked_out = database
        .change_role(
            admin.role_id,
            (ADMIN_ROLE, PermissionSet::EMPTY),
            |_| true,
            entry("roles.edit"),
        )
        .await;
    assert!(
        matches!(locked_out, Err(AccessError::RoleIsSeeded)),
        "{locked_out:?}"
    );
    let desk = office
        .make("desk", RoleScope::Everywhere, &[])
        .await
        .expect("made");
    let user_id = office.person().await;
    office.assign(user_id, "desk", None).await.expect("assigned");
    let in_use = database.delete_role(desk.role_id, entry("roles.delete")).await;
    assert!(matches!(in_use, Err(AccessError::RoleInUse)), "{in_use:?}");
}

#[tokio::test]
async fn what_roles_allow_adds_up_where_they_are_held() {
    let office = Office::new().await;
    let user_id = office.person().await;
    assert!(!office.assign(user_id, "support", None).await.expect("given"));
    let there = Some(office.organization_id);
    assert!(!office.assign(user_id, "organizer", there).await.expect("given"));
    assert!(
        office
            .assign(user_id, "organizer", there)
            .await
            .expect("given before")
    );
    let database = &office.test.database;
    let account = database
        .access_of(user_id)
        .await
        .expect("access")
        .expect("an account");
    let access = &account.access;
    assert_eq!(
        access.scope_of(Permission::UsersRead),
        Some(StaffScope::Everything)
    );
    assert_eq!(
        access.scope_of(Permission::EventsEdit),
        Some(StaffScope::Organizations([office.organization_id].into()))
    );
    let listed = database.assignments(user_id, None).await.expect("list");
    let roles: Vec<_> = listed
        .iter()
        .map(|row| (row.role.as_str(), row.organization_id))
        .collect();
    assert_eq!(roles, [("organizer", there), ("support", None)]);
    let within = database
        .assignments(user_id, Some(&[office.organization_id]))
        .await;
    assert_eq!(within.expect("list").len(), 1);
    assert_eq!(office.logged().await, ["roles.assign", "roles.assign"]);
    assert!(
        database
            .access_of(UserId(Uuid::now_v7()))
            .await
            .expect("access")
            .is_none()
    );
}

#[tokio::test]
async fn roles_are_only_given_where_they_belong() {
    let office = Office::new().await;
    let user_id = office.person().await;
    let there = Some(office.organization_id);
    for (role, place) in [("organizer", None), ("support", there)] {
        let given = office.assign(user_id, role, place).await;
        assert!(matches!(given, Err(AccessError::WrongPlace)), "{role}: {given:?}");
    }
    let elsewhere = Some(OrganizationId(Uuid::now_v7()));
    let given = office.assign(user_id, "organizer", elsewhere).await;
    assert!(matches!(given, Err(AccessError::NotFound)), "{given:?}");
    let given = office.assign(UserId(Uuid::now_v7()), "support", None).await;
    assert!(matches!(given, Err(AccessError::NotFound)), "{given:?}");
    let service = office.service_account().await;
    let given = office.assign(service, "support", None).await;
    assert!(matches!(given, Err(AccessError::WrongPlace)), "{given:?}");
}

#[tokio::test]
async fn taking_a_role_that_tokens_name_ends_them() {
    let office = Office::new().await;
    let user_id = office.person().await;
    office.assign(user_id, "buyer", None).await.expect("given");
    assert_eq!(office.take(user_id, "buyer").await.expect("taken"), Some(1));
    let again = office.take(user_id, "buyer").await;
    assert!(matches!(again, Err(AccessError::NotFound)), "{again:?}");
    let account = office.test.database.access_of(user_id).await.expect("access");
    assert_eq!(account.expect("an account").generation, 1);
}

#[tokio::test]
async fn of_two_admins_who_lose_the_role_at_once_one_keeps_it() {
    for _ in 0..5 {
        let office = Office::new().await;
        let (one, other) = (office.person().await, office.person().await);
        for user_id in [one, other] {
            office.assign(user_id, ADMIN_ROLE, None).await.expect("given");
        }
        let (first, second) = tokio::join!(office.take(one, ADMIN_ROLE), office.take(other, ADMIN_ROLE));
        let refused = [first, second]
            .into_iter()
            .filter(|taken| matches!(taken, Err(AccessError::LastAdmin)))
            .count();
        assert_eq!(refused, 1);
    }
}

#[tokio::test]
async fn a_deactivated_admin_does_not_count() {
    let office = Office::new().await;
    let (one, other) = (office.person().await, office.person().await);
    for user_id in [one, other] {
        office.assign(user_id, ADMIN_ROLE, None).await.expect("given");
    }
    let sql = format!("UPDATE users SET status = 'deactivated' WHERE user_id = '{other}'");
    office.test.execute(&sql).await;
    let taken = office.take(one, ADMIN_ROLE).await;
    assert!(matches!(taken, Err(AccessError::LastAdmin)), "{taken:?}");
}

#[tokio::test]
async fn keys_are_found_by_their_digest_until_they_are_revoked() {
    let office = Office::new().await;
    let user_id = office.service_account().await;
    let database = &office.test.database;
    let new = key(user_id, 7);
    let made = database
        .create_api_key(&new, entry("api_keys.create"))
        .await
        .expect("made");
    let known = database
        .api_key_by_digest(&[7; 32])
        .await
        .expect("look up")
        .expect("known");
    assert_eq!(
        (known.api_key_id, known.user_id, known.scopes, known.expires_at),
        (new.api_key_id, user_id, new.scopes, Some(NOW))
    );
    assert_eq!(database.api_key_by_digest(&[8; 32]).await.expect("look up"), None);
    let later = NOW.plus_ms(60_000);
    for at in [later, NOW] {
        database
            .touch_api_keys(&[(made.api_key_id, at)])
            .await
            .expect("touch");
    }
    let listed = database.api_keys(user_id, None, 10).await.expect("list");
    assert_eq!(listed[0].last_used_at, Some(later));
    assert!(
        database
            .api_keys(user_id, Some(made.api_key_id), 10)
            .await
            .expect("list")
            .is_empty()
    );
    database
        .revoke_api_key(made.api_key_id, entry("api_keys.revoke"))
        .await
        .expect("revoked");
    assert_eq!(database.api_key_by_digest(&[7; 32]).await.expect("look up"), None);
    let again = database
        .revoke_api_key(made.api_key_id, entry("api_keys.revoke"))
        .await;
    assert!(matches!(again, Err(AccessError::NotFound)), "{again:?}");
    let logged = office.logged().await;
    assert_eq!(
        logged,
        ["service_accounts.create", "api_keys.create", "api_keys.revoke"]
    );
}

#[tokio::test]
async fn only_an_active_service_account_gets_keys() {
    let office = Office::new().await;
    let database = &office.test.database;
    let person = office.person().await;
    let made = database
        .create_api_key(&key(person, 1), entry("api_keys.create"))
        .await;
    assert!(matches!(made, Err(AccessError::NotAServiceAccount)), "{made:?}");
    let service = office.service_account().await;
    database
        .create_api_key(&key(service, 2), entry("api_keys.create"))
        .await
        .expect("made");
    database
        .deactivate_service_account(service, entry("service_accounts.deactivate"))
        .await
        .expect("deactivated");
    assert_eq!(database.api_key_by_digest(&[2; 32]).await.expect("look up"), None);
    let made = database
        .create_api_key(&key(service, 3), entry("api_keys.create"))
        .await;
    assert!(matches!(made, Err(AccessError::NotAServiceAccount)), "{made:?}");
    let account = database
        .access_of(service)
        .await
        .expect("access")
        .expect("an account");
    assert_eq!(account.status, AccountStatus::Deactivated);
}

#[tokio::test]
async fn service_accounts_are_listed_by_organization() {
    let office = Office::new().await;
    let database = &office.test.database;
    let ours = office.service_account().await;
    let deployments = NewServiceAccount {
        user_id: UserId(Uuid::now_v7()),
        name: "Gateway".to_owned(),
        organization_id: None,
        roles: vec![office.role("service").await.role_id],
    };
    database
        .create_service_account(&deployments, entry("service_accounts.create"))
        .await
        .expect("made");
    let ids = |rows: Vec<onsale_persistence::ServiceAccountRow>| {
        rows.into_iter().map(|row| row.user_id).collect::<Vec<_>>()
    };
    let all = database.service_accounts(None, None, 10).await.expect("list");
    assert_eq!(ids(all), [ours, deployments.user_id]);
    let after = database
        .service_accounts(None, Some(ours), 10)
        .await
        .expect("list");
    assert_eq!(ids(after), [deployments.user_id]);
    let own = database
        .service_accounts(Some(&[office.organization_id]), None, 10)
        .await
        .expect("list");
    assert_eq!(ids(own), [ours]);
    let misplaced = NewServiceAccount {
        user_id: UserId(Uuid::now_v7()),
        organization_id: Some(office.organization_id),
        ..deployments
    };
    let made = database
        .create_service_account(&misplaced, entry("service_accounts.create"))
        .await;
    assert!(matches!(made, Err(AccessError::WrongPlace)), "{made:?}");
    assert_eq!(
        database.service_account(misplaced.user_id).await.expect("read"),
        None
    );
}

#[tokio::test]
async fn recent_revocations_are_read_and_a_token_is_checked_against_them() {
    let office = Office::new().await;
    let database = &office.test.database;
    let user_id = office.person().await;
    let (session_id, ended) = (SessionId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
    let sql = format!(
        "INSERT INTO sessions (session_id, user_id, created_at, expires_at, revoked_at, revoked_for) VALUES
             ('{session_id}', '{user_id}', now(), now() + interval '1 day', NULL, NULL),
             ('{ended}', '{user_id}', now(), now() + interval '1 day', to_timestamp(1795000000), 'logout')"
    );
    office.test.execute(&sql).await;
    let since = UnixMillis(1_795_000_000_000);
    let revoked = database.revocations_since(since, 10).await.expect("revocations");
    assert_eq!(
        revoked,
        [Revocation::Session {
            session_id: ended,
            at: since
        }]
    );
    let later = database.revocations_since(since.plus_ms(1), 10).await;
    assert!(later.expect("revocations").is_empty());
    for (session, generation, is_current) in [
        (session_id, 0, true),
        (ended, 0, false),
        (SessionId(Uuid::now_v7()), 0, false),
    ] {
        let current = database.is_current(user_id, session, generation).await;
        assert_eq!(current.expect("check"), is_current);
    }
    office
        .test
        .execute("UPDATE users SET generation = 1, generation_at = now()")
        .await;
    assert!(!database.is_current(user_id, session_id, 0).await.expect("check"));
    assert!(database.is_current(user_id, session_id, 1).await.expect("check"));
    let raised = database
        .revocations_since(UnixMillis(0), 10)
        .await
        .expect("revocations");
    assert!(raised.iter().any(|revocation| matches!(
        revocation,
        Revocation::Generation { user_id: whose, generation: 1, .. } if *whose == user_id
    )));
    office
        .test
        .execute("UPDATE users SET status = 'deactivated'")
        .await;
    assert!(!database.is_current(user_id, session_id, 1).await.expect("check"));
}
