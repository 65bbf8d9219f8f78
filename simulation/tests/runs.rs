//! Runs of many seeds, and proof that a broken engine does not survive them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use onsale_simulation::{Bug, Fault, Report, run, run_with};

const SEEDS: u64 = 500;
const STEPS: usize = 400;

#[test]
fn no_seed_breaks_an_invariant_and_every_fault_fires() {
    let mut total = Report::default();
    for seed in 0..SEEDS {
        match run(seed, STEPS) {
            Ok(report) => total.add(&report),
            Err(failure) => panic!("{failure}"),
        }
    }
    for fault in Fault::ALL {
        let times = total.faults.get(&fault).copied().unwrap_or(0);
        assert!(times >= 20, "{fault:?} fired {times} times: {total:?}");
    }
    assert!(
        total.acknowledged > 10_000 && total.expired > 1_000 && total.from_snapshot > 500,
        "{total:?}"
    );
    let lived = [
        total.started,
        total.reclaimed,
        total.refunded,
        total.transferred,
        total.scanned,
    ];
    assert!(lived.iter().all(|times| *times > 300), "{total:?}");
    println!("{total:#?}");
}

#[test]
fn every_deliberate_mistake_is_caught() {
    for bug in Bug::ALL {
        let caught = (0..SEEDS).find_map(|seed| run_with(seed, STEPS, Some(bug)).err());
        let failure = caught.unwrap_or_else(|| panic!("{bug:?} was not caught by any of {SEEDS} seeds"));
        let wanted = match bug {
            Bug::ForgetScan => Some("I15"),
            Bug::ReclaimTaken => Some("I2"),
            _ => None,
        };
        assert!(
            wanted.is_none_or(|invariant| invariant == failure.broken.invariant),
            "{bug:?}: {failure}"
        );
        println!("{bug:?}: {failure}");
    }
}

#[test]
fn a_seed_is_a_whole_run() {
    assert_eq!(run(7, STEPS).unwrap(), run(7, STEPS).unwrap());
    assert_ne!(run(7, STEPS).unwrap(), run(8, STEPS).unwrap());
}

/// `SEED=123 cargo test -p onsale-simulation replay` shows one run again.
#[test]
fn replay() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    match run(seed, STEPS) {
        Ok(report) => println!("{report:#?}"),
        Err(failure) => panic!("{failure}"),
    }
}
