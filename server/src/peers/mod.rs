//! How processes of one deployment ask each other about events (ADR 0026): questions and answers of
//! `onsale_engine::port::peers`, in postcard, over HTTP/1.1 between the internal ports, each under a seal that only who
//! has the deployment's secret can make.
//!
//! Nothing here knows what is asked. To change what is: raise [`wire::VERSION`], and see the test beside it.

mod client;
mod endpoint;
mod metrics;
mod once;
mod places;
mod seal;
mod wire;

pub(crate) use client::HttpPeers;
pub(crate) use endpoint::PeerEndpoint;
pub(crate) use metrics::{PEER_REFUSALS_TOTAL, PEER_REQUEST_DURATION_SECONDS, PEER_REQUESTS_TOTAL, show};
pub(crate) use seal::Seals;

/// Path of the endpoint before the event's id.
const PATH: &str = "/peer/v1/events/";
/// Header of a question's seal.
const SEAL_HEADER: &str = "onsale-peer-seal";
/// Header of an answer's seal.
const ANSWER_SEAL_HEADER: &str = "onsale-peer-answer-seal";
/// Bytes of a question. What clients send has 16 KiB at most, and a command is shorter than the JSON it came from.
const QUESTION_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer: the longest is a page of tickets for a gate.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
