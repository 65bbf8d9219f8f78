//! The folder.

use std::path::Path;

use super::*;

fn open(root: &Path, secret: &[u8]) -> FolderStore {
    FolderStore::open(root, LinkSecrets::derived_from(secret, std::iter::empty()), now()).expect("a folder")
}

#[tokio::test]
async fn a_folder_keeps_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory.path().join("files"), b"secret");
    keeps_files(&store).await;
    links_end_soon(&store).await;
}

#[tokio::test]
async fn another_process_finds_what_was_stored_and_opens_its_links() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = pdf_of(key());
    let token = {
        let store = open(directory.path(), b"secret");
        let bytes = Bytes::from_static(b"%PDF");
        store
            .put(&object.key, ObjectKind::Pdf, bytes)
            .await
            .expect("stored");
        let link = store
            .link(&object, UnixMillis(1_000), Duration::from_secs(1))
            .await;
        match link.expect("a link").target {
            LinkTarget::Token(token) => token,
            LinkTarget::Url(url) => panic!("{url}"),
        }
    };
    let store = open(directory.path(), b"secret");
    assert_eq!(store.open_link(&token, UnixMillis(1_999)), Some(object.clone()));
    assert_eq!(store.open_link(&token, UnixMillis(2_000)), None, "expired");
    assert_eq!(
        store.get(&object.key).await.expect("read").expect("a file"),
        "%PDF".as_bytes()
    );
    let stranger = open(directory.path(), b"another secret");
    assert_eq!(stranger.open_link(&token, UnixMillis(1_999)), None);
    assert!(!token.contains(&directory.path().display().to_string()));
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_swept_and_never_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let parts = directory.path().join("parts");
    drop(open(directory.path(), b"secret"));
    let (old, fresh) = (parts.join("old"), parts.join("fresh"));
    for part in [&old, &fresh] {
        std::fs::write(part, "half").expect("written");
    }
    let hours_ago =
        std::time::UNIX_EPOCH + Duration::from_millis(now().0.unsigned_abs()) - Duration::from_hours(2);
    let file = std::fs::File::options().write(true).open(&old).expect("opened");
    file.set_modified(hours_ago).expect("made old");
    drop(open(directory.path(), b"secret"));
    assert!(
        !old.exists() && fresh.exists(),
        "somebody may still be writing the fresh one"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("files");
    let store = open(&root, b"secret");
    store
        .put(&key(), ObjectKind::Pdf, Bytes::from_static(b"x"))
        .await
        .expect("stored");
    let mut waiting = vec![root];
    while let Some(path) = waiting.pop() {
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        if path.is_dir() {
            waiting.extend(
                std::fs::read_dir(&path)
                    .expect("listed")
                    .map(|entry| entry.expect("entry").path()),
            );
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told_at_once() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let secrets = LinkSecrets::derived_from(b"secret", std::iter::empty());
    let refused = FolderStore::open(&file.path().join("files"), secrets, now());
    assert!(matches!(refused, Err(ObjectError::Misconfigured(_))));
}
