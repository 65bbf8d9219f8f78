//! What all users share, and when each of them is due.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::events::Event;
use crate::journeys::Journey;
use crate::ledger::{Ledger, Sale};
use crate::random::Random;
use crate::staff::Staff;

/// How soon a waiting user sees that the run was ended.
const GLANCE: Duration = Duration::from_millis(200);
/// How late a user may wake for a visit that was due just before the end.
const LATE: Duration = Duration::from_millis(100);

/// The run, as users see it.
pub(crate) struct Shop {
    /// What most journeys buy of.
    pub(crate) event: Event,
    /// One ticket for each round of the last-ticket race.
    pub(crate) race: Option<Event>,
    /// Tickets to be shown at the door.
    pub(crate) door: Option<Door>,
    pub(crate) staff: Staff,
    /// Access tokens.
    pub(crate) buyers: Vec<String>,
    pub(crate) ledger: Ledger,
    pub(crate) plan: Pace,
    pub(crate) opens: Instant,
    pub(crate) closes: Instant,
    seats: AtomicU64,
    planned: AtomicU64,
    begun_as_planned: AtomicU64,
    ended: AtomicBool,
}

/// Tickets for the check-in rush.
pub(crate) struct Door {
    pub(crate) event: Event,
    pub(crate) codes: Vec<String>,
    /// The orders that they are of.
    pub(crate) sales: Vec<Sale>,
    pub(crate) next: AtomicUsize,
}

/// How often users come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) users: u32,
    /// Journeys a second by all users together; 0: each comes back at once.
    pub(crate) rate: f64,
    pub(crate) duration: Duration,
    /// Rounds of the last-ticket race.
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
}

/// A user's place: which journey, and how often it went on it.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) index: u64,
    pub(crate) journey: Journey,
    pub(crate) visits: u32,
    pub(crate) random: Random,
}

impl Pace {
    /// When a user's visit is due, from the opening. Nothing: as soon as the one before is over.
    fn due(&self, seat: &Seat) -> Option<Duration> {
        match seat.journey {
            Journey::LastTicket => {
                let rounds = self.rounds.max(1);
                // Beyond the last round: never in this run.
                Some(self.duration.mul_f64(f64::from(seat.visits) / f64::from(rounds)))
            }
            _ if self.rate <= 0.0 => (seat.visits == 0).then_some(Duration::ZERO),
            // The crowd's first visit is the opening itself.
            Journey::FlashCrowd if seat.visits == 0 => Some(Duration::ZERO),
            _ => {
                let users = f64::from(self.users);
                let phase = f64::from(u32::try_from(seat.index).unwrap_or(u32::MAX)) % users;
                let seconds = (phase + f64::from(seat.visits) * users) / self.rate;
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
            }
        }
    }

    /// Visits of a user that are due before the end, whatever the server does.
    fn planned(&self, seat: &Seat) -> u64 {
        if !self.is_paced(seat.journey) {
            return 0;
        }
        let mut seat = seat.clone();
        let mut planned = 0;
        while self.due(&seat).is_some_and(|due| due < self.duration) {
            seat.visits += 1;
            planned += 1;
        }
        planned
    }

    fn is_paced(&self, journey: Journey) -> bool {
        self.rate > 0.0 || journey == Journey::LastTicket
    }
}

impl Shop {
    /// A run that opens after `lead`.
    pub(crate) fn new(
        (event, race, door): (Event, Option<Event>, Option<Door>),
        (staff, buyers): (Staff, Vec<String>),
        (plan, opens): (Pace, Instant),
    ) -> Self {
        Self {
            event,
            race,
            door,
            staff,
            buyers,
            ledger: Ledger::default(),
            plan,
            opens,
            closes: opens + plan.duration,
            seats: AtomicU64::new(0),
            planned: AtomicU64::new(0),
            begun_as_planned: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// A place for a new user.
    pub(crate) fn seat(&self, journey: Journey) -> Seat {
        let index = self.seats.fetch_add(1, Ordering::Relaxed);
        let seat = Seat {
            index,
            journey,
            visits: 0,
            random: Random::new(self.plan.seed, index),
        };
        self.planned
            .fetch_add(self.plan.planned(&seat), Ordering::Relaxed);
        seat
    }

    /// Waits until the user's next visit is due; nothing when the run is over first. A due time in the past stays
    /// where it is: what the visit waited for its user counts as latency.
    pub(crate) async fn next(&self, seat: &Seat) -> Option<Instant> {
        let now = Instant::now();
        let due = match self.plan.due(seat) {
            Some(from_opening) => self.opens.checked_add(from_opening).unwrap_or(self.closes),
            None => now,
        };
        while Instant::now() < due.min(self.closes) {
            if goose::is_killswitch_triggered() {
                return None;
            }
            let left = due.min(self.closes).saturating_duration_since(Instant::now());
            sleep(left.min(GLANCE)).await;
        }
        if is_over(due, Instant::now(), self.closes) {
            self.ended.store(true, Ordering::Relaxed);
            return None;
        }
        self.ledger.log().visits += 1;
        if self.plan.is_paced(seat.journey) {
            self.begun_as_planned.fetch_add(1, Ordering::Relaxed);
        }
        Some(due)
    }

    /// Whether the run came to its planned end.
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Visits that were due and that no user was free for.
    pub(crate) fn not_begun(&self) -> u64 {
        let planned = self.planned.load(Ordering::Relaxed);
        planned.saturating_sub(self.begun_as_planned.load(Ordering::Relaxed))
    }

    /// The buyer of a user's present visit: all of them take turns, whatever the number of users.
    pub(crate) fn buyer(&self, seat: &Seat) -> usize {
        let turn = seat.index + u64::from(seat.visits) * u64::from(self.plan.users);
        usize::try_from(turn).unwrap_or_default() % self.buyers.len().max(1)
    }
}

/// Whether a visit comes too late. One that was due before the end is not lost to a timer that is a little late.
fn is_over(due: Instant, now: Instant, closes: Instant) -> bool {
    now >= closes && (due >= closes || now >= closes + LATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: f64) -> Pace {
        Pace {
            users: 4,
            rate,
            duration: Duration::from_secs(10),
            rounds: 5,
            seed: 1,
        }
    }

    fn seat(journey: Journey, index: u64, visits: u32) -> Seat {
        Seat {
            index,
            journey,
            visits,
            random: Random::new(1, index),
        }
    }

    #[test]
    fn all_users_together_come_at_the_rate() {
        let pace = pace(2.0);
        let mut due: Vec<_> = (0..4)
            .flat_map(|index| (0..2).map(move |visits| seat(Journey::Browse, index, visits)))
            .map(|seat| pace.due(&seat).unwrap().as_millis())
            .collect();
        due.sort_unstable();
        assert_eq!(due, [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500]);
        assert_eq!(pace.planned(&seat(Journey::Browse, 0, 0)), 5);
    }

    #[test]
    fn the_crowd_comes_at_the_opening_and_racers_at_each_round() {
        let pace = pace(2.0);
        assert_eq!(pace.due(&seat(Journey::FlashCrowd, 3, 0)), Some(Duration::ZERO));
        let rounds = |index| pace.due(&seat(Journey::LastTicket, index, 2));
        assert_eq!(rounds(0), Some(Duration::from_secs(4)));
        assert_eq!(rounds(0), rounds(3));
        assert_eq!(pace.planned(&seat(Journey::LastTicket, 3, 0)), 5);
    }

    #[test]
    fn only_what_was_due_before_the_end_may_begin_right_after_it() {
        let before = Instant::now();
        let closes = before + Duration::from_millis(1);
        assert!(!is_over(before, before, closes));
        assert!(!is_over(before, closes, closes));
        assert!(is_over(closes, closes, closes));
        assert!(is_over(before, closes + LATE, closes));
    }

    #[test]
    fn without_a_rate_a_user_comes_back_at_once() {
        let pace = pace(0.0);
        assert_eq!(pace.due(&seat(Journey::Browse, 3, 1)), None);
        assert_eq!(pace.planned(&seat(Journey::Browse, 3, 0)), 0);
    }
}
