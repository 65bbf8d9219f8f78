//! Which build this is.

use std::sync::LazyLock;

/// The version, with the revision where the build was told one.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| match REVISION {
    Some(revision) => format!("{} ({revision})", env!("CARGO_PKG_VERSION")),
    None => env!("CARGO_PKG_VERSION").to_owned(),
});

/// The revision of the source. The build does not ask git: it must not depend on more than the source, and a checkout
/// without history must build too.
const REVISION: Option<&str> = option_env!("ONSALE_REVISION");

/// The revision for a metric's label.
pub(crate) fn revision() -> &'static str {
    REVISION.unwrap_or("unknown")
}

/// Parts of the program that not every build has.
pub(crate) fn features() -> String {
    let all = [
        ("embedded", cfg!(feature = "embedded")),
        ("otlp", cfg!(feature = "otlp")),
        ("s3", cfg!(feature = "s3")),
    ];
    let built = all
        .iter()
        .filter(|(_, is_built)| *is_built)
        .map(|(name, _)| *name);
    built.collect::<Vec<_>>().join(",")
}
