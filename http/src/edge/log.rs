//! A log line for each request that failed on our side or was not let in; at level debug for every other.
//!
//! A line holds nothing that a caller chose but the request's id: the route's template instead of the path, no query,
//! no header, no body. In a flood of failures lines are left out and their number is told.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use onsale_domain::UnixMillis;
use onsale_services::trace::TraceId;

use crate::codes::Code;

/// Lines a second. A log that takes longer than the requests would turn overload into an outage.
const LINES_PER_SECOND_MAX: u32 = 100;

/// How a request went.
pub(super) struct Outcome<'a> {
    pub(super) request_id: &'a str,
    /// Where the request is traced.
    pub(super) trace_id: Option<TraceId>,
    pub(super) method: &'a Method,
    /// The route's template; nothing where no route matched.
    pub(super) route: Option<&'a str>,
    pub(super) status: StatusCode,
    pub(super) code: Option<Code>,
    pub(super) duration: Duration,
}

/// The lines of this second.
#[derive(Default)]
pub(super) struct RequestLog(Mutex<Second>);

#[derive(Default)]
struct Second {
    number: i64,
    written: u32,
    left_out: u32,
}

impl RequestLog {
    pub(super) fn write(&self, now: UnixMillis, outcome: &Outcome<'_>) {
        let failed = outcome.status.is_server_error();
        let kept_out = matches!(outcome.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let is_noted = failed || kept_out;
        let left_out = if is_noted {
            let Some(left_out) = self.room(now) else {
                return;
            };
            left_out
        } else {
            0
        };
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    request_id = outcome.request_id,
                    trace_id = outcome.trace_id.map(tracing::field::display),
                    method = name(outcome.method),
                    route = outcome.route.unwrap_or("unmatched"),
                    status = outcome.status.as_u16(),
                    code = outcome.code.map_or("none", Code::as_str),
                    duration_us = u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX),
                    left_out,
                    $message
                )
            };
        }
        if failed {
            line!(warn, "request failed");
        } else if kept_out {
            line!(info, "request refused");
        } else {
            line!(debug, "request");
        }
    }

    /// Takes a line of this second: how many were left out before it, or nothing when it is to be left out itself.
    fn room(&self, now: UnixMillis) -> Option<u32> {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.0.div_euclid(1_000);
        if second.number != number {
            second.number = number;
            second.written = 0;
        }
        if second.written >= LINES_PER_SECOND_MAX {
            second.left_out = second.left_out.saturating_add(1);
            return None;
        }
        second.written += 1;
        Some(std::mem::take(&mut second.left_out))
    }
}

/// A method's name; callers can make up others.
pub(super) fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_its_size_told() {
        let log = RequestLog::default();
        let lines = (0..LINES_PER_SECOND_MAX + 7).filter(|_| log.room(UnixMillis(5_000)).is_some());
        assert_eq!(u32::try_from(lines.count()), Ok(LINES_PER_SECOND_MAX));
        assert_eq!(log.room(UnixMillis(6_000)), Some(7));
        assert_eq!(log.room(UnixMillis(6_000)), Some(0));
    }
}
