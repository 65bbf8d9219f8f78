//! The handle: what the rest of the product sees of the engine. It hides where an event's actor lives.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::command::PlaceHold;
use onsale_domain::{Availability, Command, EventId, Record, Route, Sequence, UnixMillis, codec};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::actor::{Answered, Asker, Message};
use crate::admission::Permit;
use crate::error::EngineError;
use crate::inbox::{Envelope, Posted, Question};
use crate::lane::Verdict;
use crate::lifecycle::Lifecycle;
use crate::look::{Found, Look, another_answer};
use crate::metrics::rejected;
use crate::port::{Owner, PeerAnswer};
use crate::registry::Shared;
use crate::slot::Running;
use crate::trace::{self, OpenSpan, Place};

/// How often an event that leaves memory just then is loaded again for one request.
const TRIES_MAX: u32 = 3;

/// What a command led to. Its record is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Sequence of the answer's record, or of the state where no record was needed.
    pub seq: Sequence,
    /// The answer.
    pub answer: Answer,
}

/// The answer to a command: every answer is a function of a record, so a repeat can be answered from the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The record that the command made.
    Recorded(Box<Record>),
    /// The record that answered the same idempotency key before.
    Replayed(Box<Record>),
    /// What the command wants was so already.
    Unchanged,
}

/// An answer from this process's actor, or from the process that owns the event.
pub(crate) enum Asked {
    Here(Answered),
    Elsewhere(Box<PeerAnswer>),
}

/// Why an actor was not asked, or gave no answer.
enum Unanswered {
    /// Another process has it. The question comes back.
    NotHere {
        question: Box<Question>,
        owner: Arc<Owner>,
    },
    Failed(EngineError),
}

impl From<EngineError> for Unanswered {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// A failure on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drill {
    /// End the actor at once, state and all.
    Kill,
    /// Make the actor panic at its next message.
    Panic,
}

/// The engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lifecycle: Arc<Lifecycle>,
}

impl Engine {
    /// Has a command decided and made durable.
    ///
    /// A caller that stops waiting changes nothing about the outcome; the same idempotency key finds it out.
    /// Errors: see [`EngineError`]; except for [`EngineError::OutcomeUnknown`], nothing changed.
    pub async fn execute(&self, event_id: EventId, command: Command) -> Result<Receipt, EngineError> {
        let is_hold = matches!(command, Command::PlaceHold(_));
        let span = trace::begin(command.name());
        let place = span.as_ref().map(OpenSpan::place);
        let result = self.execute_inner(event_id, command, place).await;
        if let Some(span) = span {
            trace::end_command(span, event_id, &result);
        }
        if is_hold {
            let metrics = &self.shared.metrics;
            match &result {
                Ok(Receipt {
                    answer: Answer::Recorded(_),
                    ..
                }) => metrics.holds_held.increment(1),
                Ok(_) => metrics.holds_replayed.increment(1),
                Err(EngineError::Refused(refusal)) => metrics.holds_refused.count(refusal.code()),
                Err(EngineError::Overloaded { .. }) => metrics.holds_refused.count("overloaded"),
                Err(_) => metrics.holds_refused.count("unavailable"),
            }
        }
        if let Err(EngineError::Overloaded { reason }) = &result {
            rejected(reason);
        }
        result
    }

    async fn execute_inner(
        &self,
        event_id: EventId,
        command: Command,
        place: Option<Place>,
    ) -> Result<Receipt, EngineError> {
        // What is rare is boxed here and below, so that the future of every hold does not have room for it.
        if let Command::CreateEvent { .. } = command {
            self.lifecycle.check_open()?;
            let acquired = self.shared.journal.create(event_id).await?;
            Box::pin(self.shared.start_new(event_id, acquired)).await?;
        }
        let asked = self.ask(event_id, Question::Command(command), place).await?;
        self.receipt(event_id, asked).await
    }

    /// The receipt of a command that was asked.
    pub(crate) async fn receipt(&self, event_id: EventId, asked: Asked) -> Result<Receipt, EngineError> {
        let answered = match asked {
            Asked::Here(answered) => answered,
            Asked::Elsewhere(answer) => {
                return match *answer {
                    PeerAnswer::Receipt(receipt) => Ok(receipt),
                    PeerAnswer::Found(_) | PeerAnswer::Availability(_) | PeerAnswer::Projected => {
                        Err(another_answer())
                    }
                };
            }
        };
        match answered.verdict {
            Verdict::Record(record) => Ok(Receipt {
                seq: answered.seq,
                answer: Answer::Recorded(record),
            }),
            Verdict::Replayed(seq) => {
                let record = Box::pin(self.record(event_id, seq)).await?;
                Ok(Receipt {
                    seq,
                    answer: Answer::Replayed(Box::new(record)),
                })
            }
            Verdict::Recorded | Verdict::Unchanged | Verdict::Refused(_) | Verdict::Found(_) => Ok(Receipt {
                seq: answered.seq,
                answer: Answer::Unchanged,
            }),
        }
    }

    /// The sold-out gate: answers what cannot succeed at the committed sequence without troubling the actor. It only
    /// rejects, and lets every key pass that may have succeeded before.
    fn gate(&self, running: &Running, hold: &PlaceHold) -> Result<(), EngineError> {
        if self.shared.write_behind.backlog_records() > self.shared.config.backlog_records_max {
            return Err(EngineError::Overloaded {
                reason: "write_behind",
            });
        }
        if hold
            .key
            .is_some_and(|binding| running.cell.keys.load().may_contain(binding.key))
        {
            return Ok(());
        }
        let now = self.now();
        running
            .cell
            .peek(|availability| availability.gate(&hold.lines, now))
            .unwrap_or(Ok(()))?;
        Ok(())
    }

    /// The permit to ask, unless the answer is plain without asking.
    fn admit(&self, running: &Running, question: &Question) -> Result<Permit, EngineError> {
        match question {
            Question::Command(command) => {
                if let Command::PlaceHold(hold) = command {
                    self.gate(running, hold)?;
                }
                running.cell.admission.admit(command)
            }
            Question::Look(_) => running.cell.admission.admit_query(),
        }
    }

    /// What an event's actor sees of its state, once that is committed.
    pub(crate) async fn look(&self, event_id: EventId, look: Look) -> Result<Found, EngineError> {
        self.ask(event_id, Question::Look(look), None).await?.found()
    }

    /// Asks an event's actor, here or where its owner is, and waits for the committed answer.
    async fn ask(
        &self,
        event_id: EventId,
        question: Question,
        place: Option<Place>,
    ) -> Result<Asked, EngineError> {
        match self.try_here(event_id, question, place.clone()).await {
            Ok(answered) => Ok(Asked::Here(answered)),
            Err(Unanswered::NotHere { question, owner }) => {
                let span = place.map(|place| place.child("ask_owner").asking());
                let asked = Box::pin(self.ask_elsewhere(event_id, *question, owner)).await;
                if let (Some(mut span), Err(error)) = (span, &asked)
                    && !matches!(
                        error,
                        EngineError::Refused(_) | EngineError::NotFound | EngineError::Overloaded { .. }
                    )
                {
                    span.fail();
                }
                asked
            }
            Err(Unanswered::Failed(error)) => Err(error),
        }
    }

    /// Asks an event's actor, if it is here.
    pub(crate) async fn ask_here(&self, event_id: EventId, question: Question) -> Result<Asked, EngineError> {
        match self.try_here(event_id, question, None).await {
            Ok(answered) => Ok(Asked::Here(answered)),
            Err(Unanswered::NotHere { owner, .. }) => Err(EngineError::OwnedElsewhere { owner }),
            Err(Unanswered::Failed(error)) => Err(error),
        }
    }

    /// An event that leaves memory in between is loaded again.
    async fn try_here(
        &self,
        event_id: EventId,
        mut question: Question,
        place: Option<Place>,
    ) -> Result<Answered, Unanswered> {
        self.lifecycle.check_open()?;
        for _ in 0..TRIES_MAX {
            let running = match self.running(event_id).await {
                Ok(running) => running,
                Err(EngineError::OwnedElsewhere { owner }) => {
                    let question = Box::new(question);
                    return Err(Unanswered::NotHere { question, owner });
                }
                Err(error) => return Err(error.into()),
            };
            let permit = self.admit(&running, &question)?;
            let now = self.now();
            running.cell.mark_used(now.0);
            let (reply, answer) = oneshot::channel();
            match running.cell.inbox.post(Envelope {
                question,
                deadline_at: now.plus_ms(self.shared.config.decision_deadline_ms),
                asker: Asker {
                    permit,
                    reply,
                    place: place.clone(),
                },
            }) {
                // A failed wake-up means that the actor has ended; the supervisor closes the inbox then.
                Posted::First => drop(running.actor.send_message(Message::Work)),
                Posted::Queued => {}
                Posted::Closed(unasked) => {
                    question = *unasked;
                    continue;
                }
            }
            let patience = Duration::from_millis(self.shared.config.commit_patience_ms);
            return match tokio::time::timeout(patience, answer).await {
                Ok(Ok(answered)) => answered.map_err(Unanswered::Failed),
                // Undecided: whatever is decided carries its reply to the lane.
                Ok(Err(_)) => break,
                Err(_) => Err(EngineError::OutcomeUnknown.into()),
            };
        }
        Err(Unanswered::Failed(EngineError::Unavailable {
            reason: "the event's actor was restarted".to_owned(),
        }))
    }

    /// The event, loaded on first use.
    pub(crate) async fn running(&self, event_id: EventId) -> Result<Arc<Running>, EngineError> {
        match self.shared.present(event_id) {
            Some(running) => Ok(running),
            None => Box::pin(self.shared.running(event_id)).await,
        }
    }

    /// The counts and the definition at the committed sequence. Loads the event on first use.
    pub async fn availability(&self, event_id: EventId) -> Result<Arc<Availability>, EngineError> {
        self.lifecycle.check_open()?;
        match self.running(event_id).await {
            Ok(running) => self.counts(&running),
            Err(EngineError::OwnedElsewhere { owner }) => {
                Box::pin(self.availability_elsewhere(event_id, owner)).await
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn counts(&self, running: &Running) -> Result<Arc<Availability>, EngineError> {
        running.cell.mark_used(self.now().0);
        running.cell.committed().ok_or(EngineError::NotFound)
    }

    /// The event of a route: of the last four bytes of a hold's, order's or ticket's id.
    pub async fn resolve(&self, route: Route) -> Result<EventId, EngineError> {
        self.shared.resolve(route).await
    }

    /// A committed record.
    pub async fn record(&self, event_id: EventId, seq: Sequence) -> Result<Record, EngineError> {
        let unreadable = |reason: String| EngineError::Unavailable { reason };
        let entries = self
            .shared
            .journal
            .read(event_id, seq.saturating_sub(1), 1)
            .await?;
        let entry = entries
            .first()
            .filter(|entry| (entry.first_seq..=entry.last_seq).contains(&seq));
        let entry = entry.ok_or_else(|| unreadable(format!("record {seq} is missing")))?;
        let mut records =
            codec::decode_records(&entry.payload).map_err(|error| unreadable(error.to_string()))?;
        let index = usize::try_from(seq - entry.first_seq).unwrap_or(usize::MAX);
        if index >= records.len() {
            return Err(unreadable(format!("record {seq} is missing")));
        }
        Ok(records.swap_remove(index))
    }

    /// Waits until Postgres has everything of the event that is committed now.
    ///
    /// Errors: [`EngineError::Overloaded`] when it does not catch up in time.
    pub async fn wait_projected(&self, event_id: EventId) -> Result<(), EngineError> {
        Box::pin(self.wait_projected_elsewhere(event_id)).await?;
        self.wait_projected_here(event_id).await
    }

    pub(crate) async fn wait_projected_here(&self, event_id: EventId) -> Result<(), EngineError> {
        self.patiently(self.shared.write_behind.wait_projected(event_id))
            .await
    }

    /// Waits until Postgres has everything that this process has committed until now. What others commit follows by
    /// itself.
    ///
    /// Errors: [`EngineError::Overloaded`] when it does not catch up in time.
    pub async fn wait_all_projected(&self) -> Result<(), EngineError> {
        self.patiently(self.shared.write_behind.wait_all_projected())
            .await
    }

    async fn patiently(&self, wait: impl Future<Output = ()>) -> Result<(), EngineError> {
        let patience = Duration::from_millis(self.shared.config.projection_patience_ms);
        let waited = tokio::time::timeout(patience, wait).await;
        waited.map_err(|_| EngineError::Overloaded {
            reason: "write_behind",
        })
    }

    /// Makes an event's actor fail, to show that nothing is lost. False when the event is not in memory.
    pub fn crash_event(&self, event_id: EventId, drill: Drill) -> bool {
        let Some(running) = self.shared.present(event_id) else {
            return false;
        };
        match drill {
            Drill::Kill => {
                running.actor.kill();
                true
            }
            Drill::Panic => running.actor.send_message(Message::Panic).is_ok(),
        }
    }

    /// Lets an event be loaded again that was quarantined after repeated crashes.
    pub fn clear_quarantine(&self, event_id: EventId) {
        self.shared.clear_quarantine(event_id);
    }

    /// The engine's time.
    pub fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }
}
