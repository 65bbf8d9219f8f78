//! The HTTP surface, and the only user of axum.
//!
//! A request passes the edge (`edge/`: id, panics, problems, headers, metrics, log), then the extractors of its handler (`auth/`:
//! token and rate limit; `extract/`: path, query, headers, body), then a use case of `onsale-services`, and is
//! answered as a view (`views/`) or a problem (`problem.rs`, codes in `codes.rs`). Handlers hold no rules and never
//! touch SQL or actors.
//!
//! The server wires it up: a [`Gate`], then [`router`], then [`serve`]. The internal port is the server's own: it must
//! answer before there is anything to route to.

mod answer;
mod auth;
mod codes;
mod edge;
mod error;
mod extract;
mod gate;
mod heads;
pub mod metric_names;
mod openapi;
mod problem;
mod rate_limit;
mod reference;
mod router;
mod serve;
mod state;
mod v1;
mod views;
mod well_known;

pub use codes::Code;
pub use edge::{CorsOrigin, NotAnOrigin, Tracing};
pub use gate::Gate;
pub use openapi::openapi_json;
pub use rate_limit::{NotANetwork, ProxyNetwork, Rate, RateLimitConfig};
pub use router::router;
pub use serve::{ServeLimits, serve};

#[cfg(test)]
mod tests;
