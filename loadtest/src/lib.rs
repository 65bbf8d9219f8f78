//! Load on a running Onsale, over its API alone: buyers, bots, staff and gates as they come at an on-sale, with goose.
//!
//! Each journey is a file in `journeys`. A goose user goes on one journey again and again; what it sends goes through
//! [`visit`](self), which times it from when it was due and writes down what it was told. When the sale is over, what
//! was told is compared with what the server has, and `onsale audit` is asked where it may be.
//!
//! A new journey is a file there, a variant of `Journey`, and a row in the README.

mod arguments;
mod attack;
mod audit;
mod buyers;
mod client;
mod events;
mod html;
mod journeys;
mod ledger;
mod progress;
mod random;
mod reasons;
mod report;
mod run;
mod shop;
mod staff;
mod verdict;
mod visit;

pub use arguments::{Arguments, Output, Share, StaffArguments, Thresholds};
pub use journeys::Journey;
pub use report::Report;
pub use run::run;
