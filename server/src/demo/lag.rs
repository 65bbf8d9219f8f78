//! Reads the write-behind lag from the serving process's metrics.

use std::net::SocketAddr;

use crate::request;

/// Committed records that Postgres does not have yet, and the age of the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lag {
    pub(crate) records: f64,
    pub(crate) seconds: f64,
}

/// Asks once; `None` while the process does not answer.
pub(crate) async fn read(internal: SocketAddr) -> Option<Lag> {
    match request::get(internal, "/metrics").await {
        Ok((200, text)) => Some(parse(&text)),
        Ok(_) | Err(_) => None,
    }
}

fn parse(text: &str) -> Lag {
    let value = |name: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(name))
            .filter(|rest| rest.starts_with([' ', '{']))
            .filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    Lag {
        records: value("onsale_write_behind_lag_records"),
        seconds: value("onsale_write_behind_lag_seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_read_from_the_exposition_format() {
        let text = "# TYPE onsale_write_behind_lag_records gauge\nonsale_write_behind_lag_records 12\nonsale_write_behind_lag_seconds{x=\"y\"} 0.25\nonsale_write_behind_lag_seconds_max 9\n";
        assert_eq!(
            parse(text),
            Lag {
                records: 12.0,
                seconds: 0.25
            }
        );
    }
}
