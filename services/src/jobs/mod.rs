//! Background work: what takes jobs from the queue (`onsale_persistence`) to their handlers, and what admins see of it.
//!
//! To add a kind of work: a variant of [`JobKind`](crate::JobKind) and its row in a migration, a [`JobHandler`], and a
//! place in the wiring of the server. A handler looks up everything anew: a run may come twice, late, or long after its
//! reason went.

mod admin;
mod backoff;
mod handler;
mod lane;
mod runner;

pub use handler::{JobError, JobHandler, JobLimits, JobOutcome};
pub use runner::JobRunner;
