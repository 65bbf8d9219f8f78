//! Who may read the files that secrets are in.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Check;
use crate::configuration::{ALL, Settings, Source};

const NAME: &str = "secret files";
/// Read, write or enter, for everybody.
const OTHERS: u32 = 0o007;

pub(super) fn secrets(settings: &Settings) -> Check {
    let origins = ALL
        .iter()
        .filter(|setting| setting.secret)
        .filter_map(|setting| settings.origin(setting.key));
    let files: BTreeSet<&Path> = origins
        .filter_map(|origin| match origin {
            Source::SecretFile(path) | Source::File(path) => Some(path.as_path()),
            Source::Flag(_) | Source::Environment(_) | Source::Default => None,
        })
        .collect();
    let open: Vec<_> = files
        .iter()
        .filter(|path| is_open(path))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return Check::ok(NAME, format!("{} of them, none open to everybody", files.len()));
    }
    let open = open.join(" ");
    let detail = format!("every user of this machine may read {open}");
    let mend = format!("chmod o-rwx {open} (in Kubernetes: defaultMode 0440 with an fsGroup)");
    Check::warning(NAME, detail, mend)
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0)
}
