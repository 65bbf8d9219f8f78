//! What processes remember of accounts together, and what they tell each other.

use std::fmt::Write as _;

use onsale_domain::{Access, OrganizationId, Permission, PermissionSet, UserId};
use onsale_persistence::{
    AccessCache, AccountAccess, AccountKind, AccountStatus, ChangeReader, ChangeStream, Redis,
};
use uuid::Uuid;

/// A handle with a prefix that no other test shares, and the prefix.
async fn redis() -> (Redis, String) {
    let url = std::env::var("REDIS_URL").expect("REDIS_URL: run with `cargo xtask pg -- …`");
    let prefix = format!("test:{}:", Uuid::now_v7().simple());
    (Redis::open(&url, &prefix).await.expect("open"), prefix)
}

/// Does to Redis what no process of ours does.
async fn tamper(command: &[&str]) {
    let url = std::env::var("REDIS_URL").expect("REDIS_URL");
    let address = url
        .strip_prefix("redis://")
        .expect("a plain URL")
        .trim_end_matches('/')
        .to_owned();
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connect");
    let mut text = format!("*{}\r\n", command.len());
    for word in command {
        write!(text, "${}\r\n{word}\r\n", word.len()).expect("a string");
    }
    tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes())
        .await
        .expect("write");
    let mut answer = [0; 64];
    let length = tokio::io::AsyncReadExt::read(&mut stream, &mut answer)
        .await
        .expect("read");
    assert!(length > 0 && answer[0] != b'-');
}

fn account() -> AccountAccess {
    let mut access = Access::default();
    access.grant(None, PermissionSet::EMPTY.with(Permission::UsersRead));
    access.grant(
        Some(OrganizationId(Uuid::from_u128(7))),
        PermissionSet::EMPTY.with(Permission::EventsEdit),
    );
    AccountAccess {
        kind: AccountKind::Person,
        status: AccountStatus::Active,
        generation: 3,
        organization_id: None,
        access,
    }
}

fn user() -> UserId {
    UserId(Uuid::now_v7())
}

#[tokio::test]
async fn an_account_is_remembered_until_it_is_forgotten() {
    let (redis, _) = redis().await;
    let (one, other) = (AccessCache::new(redis.clone()), AccessCache::new(redis));
    let (user_id, another) = (user(), user());
    for user_id in [user_id, another] {
        let lookup = one.read(user_id).await.expect("read");
        assert_eq!(lookup.account, None);
        one.fill(user_id, &account(), &lookup.marks).await.expect("fill");
        assert_eq!(other.read(user_id).await.expect("read").account, Some(account()));
    }
    other.forget(user_id).await.expect("forget");
    assert_eq!(one.read(user_id).await.expect("read").account, None);
    assert_eq!(one.read(another).await.expect("read").account, Some(account()));
    other.forget_all().await.expect("forget");
    assert_eq!(one.read(another).await.expect("read").account, None);
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_remembered_after_it() {
    let (redis, _) = redis().await;
    let cache = AccessCache::new(redis);
    let user_id = user();
    let before = cache.read(user_id).await.expect("read").marks;
    cache.forget(user_id).await.expect("forget");
    cache.fill(user_id, &account(), &before).await.expect("fill");
    assert_eq!(cache.read(user_id).await.expect("read").account, None);
    let before = cache.read(user_id).await.expect("read").marks;
    cache.forget_all().await.expect("forget");
    cache.fill(user_id, &account(), &before).await.expect("fill");
    let after = cache.read(user_id).await.expect("read");
    assert_eq!(after.account, None);
    cache.fill(user_id, &account(), &after.marks).await.expect("fill");
    assert_eq!(cache.read(user_id).await.expect("read").account, Some(account()));
}

#[tokio::test]
async fn a_value_of_another_release_is_not_used() {
    let (redis, prefix) = redis().await;
    let cache = AccessCache::new(redis);
    let user_id = user();
    cache.read(user_id).await.expect("read");
    let key = format!("{prefix}user:{user_id}:permissions");
    for value in ["", "{}", "nonsense"] {
        tamper(&["SET", &key, value]).await;
        assert_eq!(cache.read(user_id).await.expect("read").account, None, "{value}");
    }
}

/// The changes of the next read that has some.
async fn heard(reader: &mut ChangeReader) -> Vec<String> {
    for _ in 0..20 {
        let changes = reader.next().await.expect("next");
        if !changes.is_empty() {
            return changes;
        }
    }
    panic!("nothing was heard");
}

#[tokio::test]
async fn every_process_hears_what_is_told_after_it_began_to_listen() {
    let (redis, _) = redis().await;
    let stream = ChangeStream::new(redis);
    stream.append("too early").await.expect("append");
    let (mut one, mut other) = (
        stream.listen().await.expect("listen"),
        stream.listen().await.expect("listen"),
    );
    assert!(one.next().await.expect("next").is_empty());
    for change in ["a", "b"] {
        stream.append(change).await.expect("append");
    }
    assert_eq!(heard(&mut one).await, ["a", "b"]);
    assert_eq!(heard(&mut other).await, ["a", "b"]);
    stream.append("c").await.expect("append");
    assert_eq!(heard(&mut one).await, ["c"]);
}

#[tokio::test]
async fn a_flushed_stream_is_noticed() {
    let (redis, prefix) = redis().await;
    let stream = ChangeStream::new(redis);
    let mut reader = stream.listen().await.expect("listen");
    stream.append("lost").await.expect("append");
    tamper(&[
        "DEL",
        &format!("{prefix}changes"),
        &format!("{prefix}changes:life"),
    ])
    .await;
    assert!(reader.next().await.is_err());
    let mut anew = stream.listen().await.expect("listen");
    stream.append("heard").await.expect("append");
    assert_eq!(heard(&mut anew).await, ["heard"]);
    assert!(reader.next().await.is_err(), "the life is another one");
}
