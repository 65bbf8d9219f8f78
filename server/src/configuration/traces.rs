//! Where traces go, and of how many requests.

use hyper::Uri;

use super::ConfigurationError;
use super::parse::Reader;
use super::setting::{OTLP_ENDPOINT, TRACE_SAMPLE_RATIO};

/// How requests are traced.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TraceSettings {
    /// Where the collector takes traces.
    pub(crate) endpoint: String,
    /// Share of the requests that is traced; above 0, at most 1.
    pub(crate) share: f64,
}

impl TraceSettings {
    /// Nothing where no request is traced.
    ///
    /// Errors: an address or a share that is none, and an address for a program that exports nothing.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Self>, ConfigurationError> {
        let share: f64 = reader.parsed(&TRACE_SAMPLE_RATIO)?;
        if !(0.0..=1.0).contains(&share) {
            let problem = format!("{share} is not from 0 to 1");
            return Err(ConfigurationError::of(&TRACE_SAMPLE_RATIO, problem));
        }
        let Some(base) = reader.optional(&OTLP_ENDPOINT) else {
            return Ok(None);
        };
        if !is_bare(base) {
            return Err(ConfigurationError::of(
                &OTLP_ENDPOINT,
                "is no http or https address without a user, a query and a fragment",
            ));
        }
        if !cfg!(feature = "otlp") {
            let problem = "this program was built without the feature `otlp`";
            return Err(ConfigurationError::of(&OTLP_ENDPOINT, problem));
        }
        let endpoint = format!("{}/v1/traces", base.trim_end_matches('/'));
        Ok((share > 0.0).then_some(Self { endpoint, share }))
    }
}

/// Whether a text is an address that can be shown to anybody. The text itself stays out of messages all the same.
fn is_bare(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && !text.contains(['@', '#'])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Source, Value};
    use super::*;

    fn read(endpoint: &str, ratio: &str) -> Result<Option<TraceSettings>, ConfigurationError> {
        let texts = [(OTLP_ENDPOINT.key, endpoint), (TRACE_SAMPLE_RATIO.key, ratio)];
        let value = |text: &str| Value {
            text: text.to_owned(),
            source: Source::Default,
        };
        let values: BTreeMap<_, _> = texts.into_iter().map(|(key, text)| (key, value(text))).collect();
        TraceSettings::read(&Reader(&values))
    }

    #[test]
    #[cfg(feature = "otlp")]
    fn traces_go_where_the_collector_takes_them() {
        for base in ["http://otel-collector:4318", "http://otel-collector:4318/"] {
            let settings = read(base, "0.25").unwrap().unwrap();
            assert_eq!(settings.endpoint, "http://otel-collector:4318/v1/traces");
            assert!((settings.share - 0.25).abs() < f64::EPSILON);
        }
        let behind_a_path = read("https://traces.example/otlp", "1").unwrap().unwrap();
        assert_eq!(behind_a_path.endpoint, "https://traces.example/otlp/v1/traces");
    }

    #[test]
    #[cfg(feature = "otlp")]
    fn a_share_of_nothing_is_no_tracing() {
        assert_eq!(read("http://otel-collector:4318", "0"), Ok(None));
    }

    #[test]
    #[cfg(not(feature = "otlp"))]
    fn a_program_without_an_exporter_says_so() {
        let refused = read("http://otel-collector:4318", "1").expect_err("it exports nothing");
        assert_eq!(refused.setting, OTLP_ENDPOINT.spelling());
        assert!(refused.problem.contains("`otlp`"), "{refused}");
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repeated() {
        assert_eq!(read("", "0.01"), Ok(None));
        for ratio in ["-0.1", "1.1", "NaN", "inf", "much", ""] {
            let refused = read("", ratio).expect_err(ratio);
            assert_eq!(refused.setting, TRACE_SAMPLE_RATIO.spelling());
        }
        for endpoint in [
            "otel-collector:4318",
            "grpc://otel-collector:4317",
            "http://",
            "http://me:canary@otel-collector:4318",
            "http://otel-collector:4318?key=canary",
            "https://otel-collector:4318/#canary",
        ] {
            let refused = read(endpoint, "1").expect_err(endpoint);
            assert_eq!(refused.setting, OTLP_ENDPOINT.spelling());
            assert!(!refused.to_string().contains("canary"), "{refused}");
        }
    }
}
