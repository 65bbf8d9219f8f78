//! When a job that failed is tried again.

use onsale_persistence::Job;
use uuid::Uuid;

/// The first wait, at most.
const FIRST_MS: u64 = 1_000;
/// The longest wait.
const LAST_MS: u64 = 10 * 60_000;

/// Milliseconds until the next try: doubled by each, up to ten minutes, and shortened by up to half so that what failed
/// together does not come back together. The subject's random bits decide by how much.
pub(super) fn wait_ms(job: &Job) -> i64 {
    wait_of(job.subject_id, job.attempts)
}

fn wait_of(subject_id: Uuid, attempts: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(20);
    let longest = (FIRST_MS << doublings).min(LAST_MS);
    let spread = spread(subject_id, attempts) % (longest / 2 + 1);
    (longest - spread).cast_signed()
}

/// Mixes the bits, so that each try of a job has its own (splitmix64).
fn spread(subject_id: Uuid, attempts: u32) -> u64 {
    let (_, low) = subject_id.as_u64_pair();
    let mut bits = low.wrapping_add(u64::from(attempts).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes_and_differ_between_jobs() {
        for attempts in [0, 1, 2, 5, 10, 11, 25, u32::MAX] {
            let longest = 1_000_i64
                .saturating_mul(1 << attempts.saturating_sub(1).min(30))
                .min(600_000);
            let waits: BTreeSet<_> = (0..100)
                .map(|job| wait_of(Uuid::from_u128(job), attempts))
                .collect();
            assert!(waits.len() > 80, "{attempts}: {waits:?}");
            assert!(
                waits.iter().all(|wait| (longest / 2..=longest).contains(wait)),
                "{attempts}: {waits:?}"
            );
        }
    }
}
