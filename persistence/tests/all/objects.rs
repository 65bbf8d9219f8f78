//! Both stores of files. S3 is `s3s-fs` in this process, which checks signatures, and moto as somebody else's.

use std::time::Duration;

use bytes::Bytes;
use onsale_domain::UnixMillis;
use onsale_engine::port::{Clock as _, SystemClock};
use onsale_persistence::{
    FolderStore, LINK_LIFETIME_MAX, LinkSecrets, LinkTarget, LinkedObject, OBJECT_BYTES_MAX, ObjectError,
    ObjectKey, ObjectKind, ObjectStore,
};

mod folder;
#[cfg(feature = "s3")]
mod foreign;
#[cfg(feature = "s3")]
mod s3;

fn key() -> ObjectKey {
    ObjectKey::random().expect("random numbers")
}

fn now() -> UnixMillis {
    SystemClock::start().now()
}

fn pdf_of(key: ObjectKey) -> LinkedObject {
    LinkedObject {
        key,
        kind: ObjectKind::Pdf,
        file_name: "ticket-7.pdf".to_owned(),
    }
}

/// What every store does.
async fn keeps_files(store: &dyn ObjectStore) {
    let (one, other) = (key(), key());
    assert_eq!(store.get(&one).await, Ok(None), "nothing is there yet");
    for (key, bytes) in [(&one, "one"), (&other, ""), (&one, "another one")] {
        store
            .put(key, ObjectKind::Pdf, Bytes::from_static(bytes.as_bytes()))
            .await
            .expect("stored");
        let read = store.get(key).await.expect("read").expect("a file");
        assert_eq!(read, bytes);
    }
    let largest = Bytes::from(vec![7; OBJECT_BYTES_MAX]);
    store
        .put(&other, ObjectKind::Pdf, largest.clone())
        .await
        .expect("stored");
    assert_eq!(store.get(&other).await.expect("read"), Some(largest));
    let larger = Bytes::from(vec![7; OBJECT_BYTES_MAX + 1]);
    assert_eq!(
        store.put(&one, ObjectKind::Pdf, larger).await,
        Err(ObjectError::TooLarge)
    );
    assert_eq!(
        store.get(&one).await.expect("read").expect("a file"),
        "another one"
    );
    for _ in 0..2 {
        store.delete(&one).await.expect("deleted");
        assert_eq!(store.get(&one).await, Ok(None));
    }
    assert!(store.get(&other).await.expect("read").is_some(), "others stay");
}

/// The instant at which a link ends, at most five minutes from now whatever was asked for.
async fn links_end_soon(store: &dyn ObjectStore) {
    let object = pdf_of(key());
    for (lifetime, longest_ms) in [
        (Duration::from_secs(30), 30_000),
        (Duration::from_hours(1), 300_000),
    ] {
        let link = store.link(&object, UnixMillis(1_795_000_000_000), lifetime).await;
        let lives_ms = link
            .expect("a link")
            .expires_at
            .ms_since(UnixMillis(1_795_000_000_000));
        assert_eq!(lives_ms, longest_ms);
    }
    assert_eq!(LINK_LIFETIME_MAX, Duration::from_mins(5));
}
