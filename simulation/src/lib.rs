//! A seeded simulator of one event's life: several processes that own it or believe so, a journal behind a fence
//! that loses power, clients that repeat themselves, snapshots and a projection.
//!
//! The rules, the bytes and the chain are the real ones ([`onsale_domain::Inventory`], its codec,
//! [`onsale_engine::port::JournalEntry::chain_after`]); the storage, the commit and the scheduling are small models
//! of what the engine and the persistence crate do. A run depends on nothing but its seed. After every step the
//! auditor reads what has become durable and checks the register of `docs/INVARIANTS.md`; at the end the faults stop
//! and everything must come to its end. [`Bug`] breaks the model on purpose, to show that the checks can fail.
//!
//! To add a fault: a variant of [`Fault`] (its test then asks for it to fire), and the place where it happens.

mod audit;
mod books;
mod client;
mod commit;
mod disk;
mod event;
mod fault;
mod mistake;
mod owner;
mod projection;
mod rng;
mod world;

pub use fault::{Broken, Bug, Failure, Fault, Report};

use world::World;

/// Runs one seed for so many steps, then stops the faults and lets everything come to its end.
///
/// Errors: the first broken invariant, with the seed that shows it again.
pub fn run(seed: u64, steps: usize) -> Result<Report, Failure> {
    run_with(seed, steps, None)
}

/// The same with a deliberate mistake.
pub fn run_with(seed: u64, steps: usize, bug: Option<Bug>) -> Result<Report, Failure> {
    let failed = |step| move |broken| Failure { seed, step, broken };
    let mut world = World::new(seed, bug).map_err(failed(0))?;
    for step in 1..=steps {
        world.step().map_err(failed(step))?;
    }
    world.calm_down().map_err(failed(steps))?;
    Ok(world.report)
}
