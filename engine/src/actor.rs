//! The event actor: one for each event in memory, the only one that decides about it.
//!
//! It never awaits I/O. A decision goes to the commit lane together with its answer; the next message sees the
//! decision, the outside sees nothing until the lane has committed. A panic or a kill loses the state on purpose:
//! the next incarnation is read from the journal.

use std::sync::Arc;

use onsale_domain::inventory::Records;
use onsale_domain::{Command, Decision, Inventory, Refusal, Sequence, UnixMillis};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{mpsc, oneshot};

use crate::admission::Permit;
use crate::cell::EventCell;
use crate::config::{EXPIRY_CHECK_MS, TIMER_MS_MAX};
use crate::error::EngineError;
use crate::inbox::{Envelope, Question};
use crate::key_filter::KeyFilter;
use crate::lane::{Decided, LaneMessage, Verdict};
use crate::metrics::{Metrics, violated};
use crate::port::Clock;
use crate::port::clock::Stopwatch;
use crate::timer::Timer;
use crate::trace::Place;

/// Where an answer goes, once it may.
pub(crate) type Reply = oneshot::Sender<Result<Answered, EngineError>>;

/// Who waits for an answer: the permit to ask, the way to answer, and where it belongs if the request is traced.
pub(crate) struct Asker {
    pub(crate) permit: Permit,
    pub(crate) reply: Reply,
    pub(crate) place: Option<Place>,
}

impl Asker {
    /// Answers. The place is given back first: whoever is answered may ask again at once.
    pub(crate) fn answer(self, answer: Result<Answered, EngineError>) {
        drop(self.permit);
        let _ = self.reply.send(answer);
    }
}

/// An answer whose sequence is committed.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) seq: Sequence,
    pub(crate) verdict: Verdict,
}

/// What wakes the actor.
pub(crate) enum Message {
    /// Something has come into the inbox.
    Work,
    /// Time has passed.
    Tick,
    /// Nobody has used the event for long: leave memory if nothing is due.
    Passivate,
    /// A drill: fail as a defect would.
    Panic,
}

/// What an actor starts with.
pub(crate) struct Start {
    pub(crate) inventory: Inventory,
    pub(crate) cell: Arc<EventCell>,
    pub(crate) lane: mpsc::Sender<LaneMessage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
}

pub(crate) struct State {
    start: Start,
    timer: Option<Timer>,
    decisions: u64,
}

pub(crate) struct EventActor;

impl Actor for EventActor {
    type Msg = Message;
    type State = State;
    type Arguments = Start;

    async fn pre_start(&self, myself: ActorRef<Message>, start: Start) -> Result<State, ActorProcessingErr> {
        let state = State {
            start,
            timer: None,
            decisions: 0,
        };
        // What came due while nobody ran comes before anything that is asked.
        myself.send_message(Message::Tick)?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if state.start.cell.is_fenced() {
            myself.stop(Some("fenced".to_owned()));
            return Ok(());
        }
        match message {
            Message::Work => {
                let envelopes = state.start.cell.inbox.take();
                for envelope in envelopes.finishing.into_iter().chain(envelopes.holds) {
                    state.on_envelope(envelope)?;
                }
                state.set_timer(&myself);
            }
            Message::Tick => state.on_tick(&myself)?,
            Message::Passivate => {
                if state.may_leave() && state.start.cell.inbox.close_if_empty() {
                    myself.stop(Some("passivated".to_owned()));
                }
            }
            #[expect(clippy::panic, reason = "the drill is to fail as a defect would")]
            Message::Panic => panic!("drill: the actor was told to panic"),
        }
        Ok(())
    }
}

impl State {
    fn on_envelope(&mut self, envelope: Envelope) -> Result<(), ActorProcessingErr> {
        let Envelope {
            question,
            deadline_at,
            asker,
        } = envelope;
        match question {
            Question::Command(command) => self.on_command(&command, deadline_at, asker),
            Question::Look(look) => {
                let verdict = match look.at(self.start.cell.event_id, &self.start.inventory) {
                    Ok(found) => Verdict::Found(Box::new(found)),
                    Err(refusal) => Verdict::Refused(refusal),
                };
                self.settle(verdict, asker);
                Ok(())
            }
        }
    }

    fn on_command(
        &mut self,
        command: &Command,
        deadline_at: UnixMillis,
        asker: Asker,
    ) -> Result<(), ActorProcessingErr> {
        let now = self.start.clock.now();
        if now > deadline_at {
            asker.answer(Err(EngineError::Overloaded { reason: "deadline" }));
            return Ok(());
        }
        // A place in the lane comes before the decision: what is decided must be committed.
        let Ok(place) = self.start.lane.clone().try_reserve_owned() else {
            asker.answer(Err(EngineError::Overloaded {
                reason: "commit_lane",
            }));
            return Ok(());
        };
        self.decisions += 1;
        let span = asker.place.as_ref().map(|place| place.child("decide"));
        let timed = (self.decisions % 64 == 1).then(Stopwatch::start);
        let decision = self.start.inventory.apply(command, now);
        if let Some(stopwatch) = timed {
            self.start.metrics.decision.record(stopwatch.seconds());
        }
        drop(span);
        let verdict = match decision {
            Ok(Decision::Recorded(records)) => {
                self.remember_keys(&records);
                let decided = self.decided(records, Verdict::Recorded, Some(asker));
                let _ = place.send(LaneMessage::Decided(decided));
                return Ok(());
            }
            Ok(Decision::Replayed(seq)) => Verdict::Replayed(seq),
            Ok(Decision::Unchanged) => Verdict::Unchanged,
            Err(Refusal::Violation(violation)) => {
                violated(violation.invariant);
                return Err(violation.into());
            }
            Err(refusal) => Verdict::Refused(refusal),
        };
        drop(place);
        self.settle(verdict, asker);
        Ok(())
    }

    /// Answers without a new record. Where the state that the answer rests on is not committed yet, the answer waits
    /// for it in the lane.
    fn settle(&self, verdict: Verdict, asker: Asker) {
        let seq = self.start.inventory.seq();
        if self.start.cell.committed_seq() >= seq {
            asker.answer(verdict.into_answer(seq));
            return;
        }
        let decided = Decided {
            cell: Arc::clone(&self.start.cell),
            seq,
            records: Records::new(),
            availability: None,
            verdict,
            asker: Some(asker),
        };
        if let Err(error) = self.start.lane.try_send(LaneMessage::Decided(decided))
            && let LaneMessage::Decided(Decided {
                asker: Some(asker), ..
            }) = error.into_inner()
        {
            asker.answer(Err(EngineError::Overloaded {
                reason: "commit_lane",
            }));
        }
    }

    fn on_tick(&mut self, myself: &ActorRef<Message>) -> Result<(), ActorProcessingErr> {
        self.timer = None;
        let now = self.start.clock.now();
        let Ok(place) = self.start.lane.clone().try_reserve_owned() else {
            // The lane is full of decisions about to be committed: come back when it has moved on.
            let at = now.plus_ms(EXPIRY_CHECK_MS);
            self.timer = Some(Timer::after(myself, EXPIRY_CHECK_MS, at));
            return Ok(());
        };
        match self.start.inventory.apply(&Command::Advance, now) {
            Ok(Decision::Recorded(records)) => {
                let decided = self.decided(records, Verdict::Recorded, None);
                let _ = place.send(LaneMessage::Decided(decided));
            }
            Ok(Decision::Replayed(_) | Decision::Unchanged) => {}
            Err(Refusal::Violation(violation)) => {
                violated(violation.invariant);
                return Err(violation.into());
            }
            // Only an event that was never created refuses to let time pass.
            Err(_) => return Ok(()),
        }
        if self.next_due_at().is_some_and(|due_at| due_at <= now) {
            // More is due than one record takes: let the waiting messages through first.
            self.timer = Some(Timer::now(now));
            myself.send_message(Message::Tick)?;
        } else {
            self.set_timer(myself);
        }
        Ok(())
    }

    fn decided(&self, records: Records, verdict: Verdict, asker: Option<Asker>) -> Decided {
        Decided {
            cell: Arc::clone(&self.start.cell),
            seq: self.start.inventory.seq(),
            records,
            availability: self.start.inventory.availability(),
            verdict,
            asker,
        }
    }

    fn remember_keys(&self, records: &[onsale_domain::Record]) {
        let cell = &self.start.cell;
        for binding in records.iter().filter_map(onsale_domain::Record::key) {
            let filter = cell.keys.load();
            filter.insert(binding.key);
            if self.start.inventory.keys().len() > filter.room() {
                cell.keys
                    .store(Arc::new(KeyFilter::with(self.start.inventory.keys())));
            }
        }
    }

    fn next_due_at(&self) -> Option<UnixMillis> {
        let inventory = &self.start.inventory;
        [inventory.next_expiry_at(), inventory.next_status_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing will have to be done here before somebody asks. A sales window that turns while the event is
    /// away is noticed by the engine's look for what is due.
    fn may_leave(&self) -> bool {
        self.start.inventory.live_holds() == 0
    }

    /// Wakes the actor when the next hold ends or the sales window turns. A timer that is as early stays: replaced by each
    /// message, it would never come while messages do.
    fn set_timer(&mut self, myself: &ActorRef<Message>) {
        let Some(due_at) = self.next_due_at() else {
            return;
        };
        let now = self.start.clock.now();
        let delay_ms = due_at.ms_since(now).clamp(EXPIRY_CHECK_MS, TIMER_MS_MAX);
        let at = now.plus_ms(delay_ms);
        if self.timer.as_ref().is_none_or(|timer| at < timer.at) {
            self.timer = Some(Timer::after(myself, delay_ms, at));
        }
    }
}
