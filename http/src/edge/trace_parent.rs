//! `traceparent`, as the W3C's Trace Context has it: where a request belongs in somebody else's trace.

use axum::http::HeaderMap;
use onsale_services::trace::{SpanId, SpanRef, TraceId};

/// The header.
const TRACEPARENT: &str = "traceparent";
/// Bytes of the header's parts that every version has.
const LENGTH: usize = 55;
/// The flag that says that the caller traces the request.
const SAMPLED: u8 = 1;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceParent {
    pub(super) span: SpanRef,
    /// Whether the caller traces the request.
    pub(super) is_sampled: bool,
}

impl TraceParent {
    /// What the request says; nothing where it says it twice, or not as the standard has it.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(value.as_bytes())
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let version = hex(&known[..2])?;
        let is_whole = match version {
            0 => rest.is_empty(),
            // Not a version but an error.
            0xff => return None,
            // Versions to come may say more, behind a dash.
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let are_dashes = [2, 35, 52].iter().all(|place| known[*place] == b'-');
        if !is_whole || !are_dashes {
            return None;
        }
        let flags = u8::try_from(hex(&known[53..])?).ok()?;
        Some(Self {
            span: SpanRef {
                trace_id: TraceId::new(hex(&known[3..35])?)?,
                span_id: SpanId::new(u64::try_from(hex(&known[36..52])?).ok()?)?,
            },
            is_sampled: flags & SAMPLED != 0,
        })
    }
}

/// A number in lower-case hexadecimal digits; at most 32 of them.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn parsed(text: &str) -> Option<(String, String, bool)> {
        let parent = TraceParent::parse(text.as_bytes())?;
        let SpanRef { trace_id, span_id } = parent.span;
        Some((trace_id.to_string(), span_id.to_string(), parent.is_sampled))
    }

    #[test]
    fn what_the_standard_has_is_read() {
        for (text, is_sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), false),
            // Other flags are other people's.
            (format!("00-{TRACE}-{SPAN}-03"), true),
            (format!("00-{TRACE}-{SPAN}-fe"), false),
            // A version to come: what we know of it counts.
            (format!("01-{TRACE}-{SPAN}-01"), true),
            (format!("cc-{TRACE}-{SPAN}-01-what-is-to-come"), true),
        ] {
            let expected = (TRACE.to_owned(), SPAN.to_owned(), is_sampled);
            assert_eq!(parsed(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let zeros = "0".repeat(32);
        let upper = TRACE.to_uppercase();
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("01-{TRACE}-{SPAN}-01more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("FF-{TRACE}-{SPAN}-01"),
            format!("0g-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{upper}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0G"),
            format!("00-{TRACE}-{SPAN}-+1"),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("00-{TRACE}-{SPAN}-01\0"),
            format!("00-{}-{SPAN}-01", "é".repeat(16)),
            "-".repeat(55),
            "a".repeat(100_000),
        ] {
            assert_eq!(parsed(&text), None, "{text}");
        }
    }

    #[test]
    fn a_header_that_comes_twice_says_nothing() {
        let value: HeaderValue = format!("00-{TRACE}-{SPAN}-01").parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        headers.append(TRACEPARENT, value.clone());
        assert!(TraceParent::of(&headers).is_some());
        headers.append(TRACEPARENT, value);
        assert_eq!(TraceParent::of(&headers), None);
    }
}
