//! People's accounts: what concurrent changes leave, and what ends what.

use onsale_domain::{EmailAddress, MailId, SessionId, UnixMillis, UserId};
use onsale_persistence::{
    AccountStatus, Actor, AuditEntry, AuditFilter, AuditOutcome, Database, DatabaseError, JobKind,
    KeptSession, MailMessage, NewMail, NewPerson, NewSession, PasswordChange, PasswordReset, QueuedMail,
    RefreshAttempt, Rotation, StatusChange, TokenDigest, UserFilter,
};
use uuid::Uuid;

use crate::support::TestDatabase;

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
const DAY_MS: i64 = 86_400_000;
const GRACE_MS: i64 = 10_000;

fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.org")).expect("an address")
}

fn entry(action: &'static str) -> AuditEntry {
    AuditEntry::new(NOW, Actor::person(None), action, AuditOutcome::Done)
}

fn mail() -> NewMail {
    NewMail {
        mail_id: MailId(Uuid::now_v7()),
        expires_at: NOW.plus_ms(DAY_MS),
    }
}

/// A child of a parent and a salt, as the services make it in earnest.
fn child(parent: TokenDigest, salt: &[u8; 32]) -> TokenDigest {
    let mut digest = parent.0;
    for (byte, salt) in digest.iter_mut().zip(salt) {
        *byte = byte.wrapping_mul(31).wrapping_add(*salt);
    }
    TokenDigest(digest)
}

async fn person(database: &Database, name: &str, roles: &[&str]) -> UserId {
    let user_id = UserId(Uuid::now_v7());
    let email = email(name);
    let person = NewPerson {
        user_id,
        email: &email,
        name,
        password_hash: "$argon2id$old",
        roles,
        at: NOW,
    };
    database.insert_person(&person, None).await.expect("insert");
    user_id
}

fn session(user_id: UserId, generation: u64, token: u8) -> NewSession {
    NewSession {
        session_id: SessionId(Uuid::now_v7()),
        user_id,
        generation,
        at: NOW,
        expires_at: NOW.plus_ms(90 * DAY_MS),
        token: TokenDigest([token; 32]),
        token_expires_at: NOW.plus_ms(30 * DAY_MS),
    }
}

async fn started(database: &Database, user_id: UserId, generation: u64, token: u8) -> SessionId {
    let session = session(user_id, generation, token);
    assert!(database.start_session(&session).await.expect("start"));
    session.session_id
}

async fn refresh(database: &Database, token: TokenDigest, salt: u8, after_ms: i64) -> Rotation {
    let attempt = RefreshAttempt {
        token,
        salt: [salt; 32],
        at: NOW.plus_ms(after_ms),
        child_expires_at: NOW.plus_ms(after_ms + 30 * DAY_MS),
        grace_ms: GRACE_MS,
    };
    database
        .rotate_refresh_token(&attempt, |salt| child(token, salt), &entry("sessions.revoke"))
        .await
        .expect("rotate")
}

fn salt_of(rotation: &Rotation) -> u8 {
    match rotation {
        Rotation::Child { salt, .. } => salt[0],
        other => panic!("{other:?}"),
    }
}

async fn actions(database: &Database) -> Vec<String> {
    let entries = database.audit_entries(&AuditFilter::default(), None, 100).await;
    entries
        .expect("entries")
        .into_iter()
        .map(|entry| entry.action)
        .collect()
}

fn change(user_id: UserId, session_id: SessionId, to: &str, token: u8) -> PasswordChange<'_> {
    PasswordChange {
        user_id,
        from: "$argon2id$old",
        to,
        kept: KeptSession {
            session_id,
            token: TokenDigest([token; 32]),
            token_expires_at: NOW.plus_ms(30 * DAY_MS),
        },
        mail: mail(),
        at: NOW,
    }
}

#[tokio::test]
async fn an_address_has_one_account_however_many_ask_for_it() {
    let test = TestDatabase::new().await;
    let ada = email("ada");
    let insert = async || {
        let person = NewPerson {
            user_id: UserId(Uuid::now_v7()),
            email: &ada,
            name: "Ada",
            password_hash: "$argon2id$",
            roles: &["buyer"],
            at: NOW,
        };
        test.database.insert_person(&person, None).await
    };
    let answers = futures::future::join_all((0..8).map(|_| insert())).await;
    let conflicts = answers.iter().filter(|answer| {
        matches!(answer, Err(DatabaseError::Conflict { constraint }) if constraint == "users_email_key")
    });
    assert_eq!(conflicts.count(), 7);
    let account = test
        .database
        .account_by_email(&ada)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(account.roles, ["buyer"]);
    assert_eq!(
        (account.generation, account.user.status),
        (0, AccountStatus::Active)
    );
    assert_eq!(account.user.created_at, NOW);
}

#[tokio::test]
async fn people_are_listed_in_pages_and_found_by_how_they_begin() {
    let test = TestDatabase::new().await;
    let mut ids = Vec::new();
    for name in ["ada", "adam", "bob", "b%b", "carol"] {
        ids.push(person(&test.database, name, &["buyer"]).await);
    }
    let all = test
        .database
        .users(&UserFilter::default(), None, 3)
        .await
        .expect("list");
    assert_eq!(all.iter().map(|user| user.user_id).collect::<Vec<_>>(), ids[..3]);
    let rest = test
        .database
        .users(&UserFilter::default(), Some(ids[2]), 3)
        .await
        .expect("list");
    assert_eq!(rest.iter().map(|user| user.user_id).collect::<Vec<_>>(), ids[3..]);
    let found = async |prefix: &str| {
        let filter = UserFilter {
            prefix: Some(prefix.to_owned()),
            status: Some(AccountStatus::Active),
        };
        test.database.users(&filter, None, 10).await.expect("list").len()
    };
    assert_eq!(
        (found("ADA").await, found("b%").await, found("dam").await),
        (2, 1, 0)
    );
    let shut = UserFilter {
        status: Some(AccountStatus::Deactivated),
        ..UserFilter::default()
    };
    assert!(
        test.database
            .users(&shut, None, 10)
            .await
            .expect("list")
            .is_empty()
    );
}

#[tokio::test]
async fn many_who_refresh_at_once_get_one_child() {
    let test = TestDatabase::new().await;
    let other = test.another().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    started(&test.database, user_id, 0, 1).await;
    let token = TokenDigest([1; 32]);
    let refreshes = (0..100_u8).map(|number| {
        let database = if number % 2 == 0 { &test.database } else { &other };
        refresh(database, token, number, i64::from(number))
    });
    let rotations = futures::future::join_all(refreshes).await;
    let first = salt_of(&rotations[0]);
    assert!(rotations.iter().all(|rotation| salt_of(rotation) == first));
    // And the child works.
    let Rotation::Child { account, .. } = refresh(&test.database, child(token, &[first; 32]), 7, 200).await
    else {
        panic!("the child is refused");
    };
    assert_eq!(account.user.user_id, user_id);
}

#[tokio::test]
async fn a_parent_that_comes_back_is_given_its_child_for_ten_seconds() {
    let test = TestDatabase::new().await;
    for (late_ms, child_was_used, ends) in [
        (0, false, false),
        (GRACE_MS, false, false),
        (-5_000, false, false),
        (GRACE_MS + 1, false, true),
        (1, true, true),
        (GRACE_MS + 1, true, true),
    ] {
        let name = format!("{}-{child_was_used}", late_ms + 10_000);
        let user_id = person(&test.database, &name, &["buyer"]).await;
        let parent = TokenDigest(*blake3::hash(name.as_bytes()).as_bytes());
        let begun = NewSession {
            token: parent,
            ..session(user_id, 0, 0)
        };
        assert!(test.database.start_session(&begun).await.expect("start"));
        assert_eq!(salt_of(&refresh(&test.database, parent, 1, 0).await), 1);
        let heir = child(parent, &[1; 32]);
        if child_was_used {
            salt_of(&refresh(&test.database, heir, 2, 0).await);
        }
        let again = refresh(&test.database, parent, 9, late_ms).await;
        if ends {
            assert!(
                matches!(again, Rotation::Reused { session_id, .. } if session_id == begun.session_id),
                "{name}"
            );
            for token in [parent, heir] {
                let after = refresh(&test.database, token, 3, late_ms).await;
                assert!(matches!(after, Rotation::Refused), "{name}");
            }
        } else {
            assert_eq!(salt_of(&again), 1, "{name}");
            salt_of(&refresh(&test.database, heir, 2, late_ms).await);
        }
    }
    let told = actions(&test.database).await;
    assert_eq!(told, ["sessions.revoke"; 3]);
}

#[tokio::test]
async fn a_session_ends_with_its_token_its_time_or_its_owner() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    let session_id = started(&test.database, user_id, 0, 1).await;
    assert!(matches!(
        refresh(&test.database, TokenDigest([9; 32]), 1, 0).await,
        Rotation::Refused
    ));
    assert!(matches!(
        refresh(&test.database, TokenDigest([1; 32]), 1, 30 * DAY_MS).await,
        Rotation::Refused
    ));
    // The child ends with the session, not thirty days later.
    let token = TokenDigest([1; 32]);
    let Rotation::Child { expires_at, .. } = refresh(&test.database, token, 1, 29 * DAY_MS).await else {
        panic!("refused");
    };
    assert_eq!(expires_at, NOW.plus_ms(59 * DAY_MS));
    let second = child(token, &[1; 32]);
    salt_of(&refresh(&test.database, second, 2, 58 * DAY_MS).await);
    let third = child(second, &[2; 32]);
    let Rotation::Child { expires_at, .. } = refresh(&test.database, third, 3, 87 * DAY_MS).await else {
        panic!("refused");
    };
    assert_eq!(expires_at, NOW.plus_ms(90 * DAY_MS));
    assert!(test.database.end_session(session_id, NOW).await.expect("end"));
    assert!(!test.database.end_session(session_id, NOW).await.expect("end"));
    let last = child(third, &[3; 32]);
    assert!(matches!(
        refresh(&test.database, last, 4, 88 * DAY_MS).await,
        Rotation::Refused
    ));
}

#[tokio::test]
async fn a_login_that_was_checked_before_a_change_starts_no_session_after_it() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    started(&test.database, user_id, 0, 1).await;
    let generation = test
        .database
        .end_all_sessions(user_id, NOW, &entry("sessions.revoke"))
        .await;
    assert_eq!(generation.expect("end"), Some(1));
    assert!(
        !test
            .database
            .start_session(&session(user_id, 0, 2))
            .await
            .expect("start")
    );
    assert!(
        test.database
            .start_session(&session(user_id, 1, 2))
            .await
            .expect("start")
    );
    assert!(matches!(
        refresh(&test.database, TokenDigest([1; 32]), 1, 0).await,
        Rotation::Refused
    ));
}

#[tokio::test]
async fn another_password_ends_what_the_old_one_had_opened() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    let kept = started(&test.database, user_id, 0, 1).await;
    started(&test.database, user_id, 0, 2).await;
    let reset = TokenDigest([7; 32]);
    test.database
        .insert_password_reset(reset, user_id, NOW.plus_ms(1_000))
        .await
        .expect("insert");
    let changed = test
        .database
        .change_password(
            &change(user_id, kept, "$argon2id$new", 3),
            &entry("passwords.change"),
        )
        .await;
    assert_eq!(changed.expect("change"), Some(1));
    // Against the hash that was checked, only one of two changes is done.
    let again = change(user_id, kept, "$argon2id$other", 4);
    let again = test
        .database
        .change_password(&again, &entry("passwords.change"))
        .await;
    assert_eq!(again.expect("change"), None);
    for (token, lives) in [(1, false), (2, false), (3, true)] {
        let rotation = refresh(&test.database, TokenDigest([token; 32]), 1, 0).await;
        assert_eq!(matches!(rotation, Rotation::Child { .. }), lives, "{token}");
    }
    let account = test
        .database
        .password_reset_account(reset, NOW)
        .await
        .expect("read");
    assert!(account.is_none(), "the reset token is gone");
    let account = test
        .database
        .account(user_id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(account.password_hash.as_deref(), Some("$argon2id$new"));
    assert_eq!(actions(&test.database).await, ["passwords.change"]);
}

#[tokio::test]
async fn a_reset_token_works_once_and_in_time() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    started(&test.database, user_id, 0, 1).await;
    let (token, late) = (TokenDigest([7; 32]), TokenDigest([8; 32]));
    for (token, life_ms) in [(token, 1_000), (late, 0)] {
        let inserted = test
            .database
            .insert_password_reset(token, user_id, NOW.plus_ms(life_ms))
            .await;
        inserted.expect("insert");
    }
    let reset = async |token| {
        let reset = PasswordReset {
            token,
            to: "$argon2id$new",
            mail: mail(),
            at: NOW,
        };
        let reset = test
            .database
            .reset_password(&reset, &entry("passwords.reset"))
            .await;
        reset.expect("reset")
    };
    assert_eq!(reset(late).await, None);
    let answers = futures::future::join_all((0..8).map(|_| reset(token))).await;
    assert_eq!(answers.iter().flatten().collect::<Vec<_>>(), [&(user_id, 1)]);
    assert!(matches!(
        refresh(&test.database, TokenDigest([1; 32]), 1, 0).await,
        Rotation::Refused
    ));
    assert_eq!(actions(&test.database).await, ["passwords.reset"]);
}

#[tokio::test]
async fn a_shut_account_has_no_sessions_and_the_last_admin_stays() {
    let test = TestDatabase::new().await;
    let (one, other) = (
        person(&test.database, "one", &["admin"]).await,
        person(&test.database, "other", &["admin"]).await,
    );
    let buyer = person(&test.database, "buyer", &["buyer"]).await;
    started(&test.database, buyer, 0, 1).await;
    let set = async |user_id, to| {
        let entry = entry("users.deactivate");
        test.database
            .set_user_status(user_id, to, NOW, &entry)
            .await
            .expect("set")
    };
    assert_eq!(
        set(buyer, AccountStatus::Deactivated).await,
        StatusChange::Changed { generation: 1 }
    );
    assert_eq!(
        set(buyer, AccountStatus::Deactivated).await,
        StatusChange::Unchanged
    );
    assert_eq!(
        set(UserId(Uuid::now_v7()), AccountStatus::Active).await,
        StatusChange::NotFound
    );
    assert!(
        !test
            .database
            .start_session(&session(buyer, 1, 2))
            .await
            .expect("start")
    );
    assert!(matches!(
        refresh(&test.database, TokenDigest([1; 32]), 1, 0).await,
        Rotation::Refused
    ));
    // Both at once: one of them stays.
    let (first, second) = tokio::join!(
        set(one, AccountStatus::Deactivated),
        set(other, AccountStatus::Deactivated)
    );
    let mut answers = [first, second];
    answers.sort_by_key(|answer| *answer == StatusChange::LastAdmin);
    assert_eq!(
        answers,
        [StatusChange::Changed { generation: 1 }, StatusChange::LastAdmin]
    );
    assert_eq!(actions(&test.database).await, ["users.deactivate"; 2]);
}

#[tokio::test]
async fn a_link_is_asked_for_once_as_long_as_it_waits_and_at_most_three_are_good() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    person(&test.database, "bob", &["buyer"]).await;
    let ask = async |name: &str, at: UnixMillis| {
        let mail = NewMail {
            mail_id: MailId(Uuid::now_v7()),
            expires_at: at.plus_ms(1_000),
        };
        let asked = test
            .database
            .request_password_reset(&email(name), &mail, at)
            .await;
        asked.expect("nobody is told who has an account");
    };
    let claimed = async |at: UnixMillis| {
        let claimed = test.database.claim_jobs(JobKind::Mail, at, 1, 50).await;
        claimed.expect("claim")
    };
    for name in ["ada", "ada", "nobody", "ada"] {
        ask(name, NOW).await;
    }
    let mut waiting = claimed(NOW).await;
    assert_eq!(waiting.len(), 1);
    let message = QueuedMail::of_payload(waiting.remove(0).payload).expect("a message");
    assert_eq!(message.message, MailMessage::PasswordReset { user_id });
    assert_eq!(message.expires_at, NOW.plus_ms(1_000));
    // One that is too late to be sent keeps nobody from the next.
    ask("ada", NOW.plus_ms(1_000)).await;
    ask("bob", NOW.plus_ms(1_000)).await;
    assert_eq!(claimed(NOW.plus_ms(1_000)).await.len(), 3);

    for token in 1..=3 {
        let token = TokenDigest([token; 32]);
        let noted = test
            .database
            .insert_password_reset(token, user_id, NOW.plus_ms(DAY_MS))
            .await;
        noted.expect("insert");
    }
    ask("ada", NOW.plus_ms(5_000)).await;
    assert_eq!(claimed(NOW.plus_ms(5_000)).await.len(), 3, "three links are good");
    ask("ada", NOW.plus_ms(DAY_MS)).await;
    assert_eq!(claimed(NOW.plus_ms(DAY_MS)).await.len(), 4);
    let deleted = [2, 2].map(async |limit| {
        let ended = NOW.plus_ms(DAY_MS);
        let deleted = test.database.delete_expired_mail(ended, limit).await;
        deleted.expect("delete")
    });
    assert_eq!(futures::future::join_all(deleted).await.iter().sum::<u64>(), 3);
    assert_eq!(claimed(NOW.plus_ms(2 * DAY_MS)).await.len(), 1);
}

#[tokio::test]
async fn what_has_ended_is_deleted_a_bounded_number_at_a_time() {
    let test = TestDatabase::new().await;
    let user_id = person(&test.database, "ada", &["buyer"]).await;
    for token in 0..5 {
        started(&test.database, user_id, 0, token).await;
    }
    let kept = started(&test.database, user_id, 0, 9).await;
    test.database
        .end_all_sessions(user_id, NOW, &entry("sessions.revoke"))
        .await
        .expect("end");
    assert!(!test.database.end_session(kept, NOW).await.expect("end"));
    started(&test.database, user_id, 1, 10).await;
    let reset = test
        .database
        .insert_password_reset(TokenDigest([1; 32]), user_id, NOW)
        .await;
    reset.expect("insert");
    let at = NOW.plus_ms(1);
    let mut deleted = Vec::new();
    for _ in 0..4 {
        deleted.push(
            test.database
                .delete_expired_accounts_data(at, 4)
                .await
                .expect("delete"),
        );
    }
    assert_eq!(deleted, [5, 2, 0, 0]);
    salt_of(&refresh(&test.database, TokenDigest([10; 32]), 1, 0).await);
}
