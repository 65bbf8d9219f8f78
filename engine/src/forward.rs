//! An event that another process owns: its owner is asked, once. So whoever uses the engine need not know which process
//! has which event (ADR 0026).

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::{Availability, EventId};

use crate::error::EngineError;
use crate::handle::{Asked, Engine};
use crate::inbox::Question;
use crate::lane::Verdict;
use crate::look::{Found, another_answer};
use crate::port::{Owner, PeerAnswer, PeerError, PeerQuestion, Peers};

/// What asking one owner came to.
enum Hop {
    /// It has answered, or the question may have reached it: there is nothing more to try.
    Done(Box<Result<PeerAnswer, EngineError>>),
    /// It is away, or not the owner any more. Nothing changed.
    Moved,
}

impl From<Question> for PeerQuestion {
    fn from(question: Question) -> Self {
        match question {
            Question::Command(command) => Self::Execute(command),
            Question::Look(look) => Self::Look(look),
        }
    }
}

impl Engine {
    /// Answers another process about an event of this one. It never asks on: a question makes one hop.
    ///
    /// Errors: [`EngineError::OwnedElsewhere`] where the event is not this process's.
    pub async fn answer_peer(
        &self,
        event_id: EventId,
        question: PeerQuestion,
    ) -> Result<PeerAnswer, EngineError> {
        match question {
            PeerQuestion::Execute(command) => {
                let asked = self.ask_here(event_id, Question::Command(command)).await?;
                self.receipt(event_id, asked).await.map(PeerAnswer::Receipt)
            }
            PeerQuestion::Look(look) => {
                let asked = self.ask_here(event_id, Question::Look(look)).await?;
                asked.found().map(|found| PeerAnswer::Found(Box::new(found)))
            }
            PeerQuestion::Availability => {
                self.lifecycle.check_open()?;
                let running = self.running(event_id).await?;
                self.counts(&running).map(PeerAnswer::Availability)
            }
            PeerQuestion::WaitProjected => {
                self.running(event_id).await?;
                self.wait_projected_here(event_id).await?;
                Ok(PeerAnswer::Projected)
            }
        }
    }

    /// Has an event's owner answer a question to its actor.
    pub(crate) async fn ask_elsewhere(
        &self,
        event_id: EventId,
        question: Question,
        owner: Arc<Owner>,
    ) -> Result<Asked, EngineError> {
        let answer = self.forward(event_id, question.into(), owner).await?;
        Ok(Asked::Elsewhere(Box::new(answer)))
    }

    /// The counts as an event's owner has them.
    pub(crate) async fn availability_elsewhere(
        &self,
        event_id: EventId,
        owner: Arc<Owner>,
    ) -> Result<Arc<Availability>, EngineError> {
        match self.forward(event_id, PeerQuestion::Availability, owner).await? {
            PeerAnswer::Availability(availability) => Ok(availability),
            PeerAnswer::Receipt(_) | PeerAnswer::Found(_) | PeerAnswer::Projected => Err(another_answer()),
        }
    }

    /// Has an event without a living owner loaded here: what its last owner did not get to project is projected then.
    async fn take_over(&self, event_id: EventId) -> Result<(), EngineError> {
        // Who stops loads nothing more.
        if self.lifecycle.check_open().is_err() {
            return Ok(());
        }
        match self.running(event_id).await {
            // Where there is an error, nothing more is to come, or not from here.
            Ok(_)
            | Err(
                EngineError::NotFound | EngineError::OwnedElsewhere { .. } | EngineError::Quarantined { .. },
            ) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until the owner of an event that is not here has projected it. An event without a living owner is loaded
    /// here.
    pub(crate) async fn wait_projected_elsewhere(&self, event_id: EventId) -> Result<(), EngineError> {
        if self.shared.peers.is_none() || self.shared.present(event_id).is_some() {
            return Ok(());
        }
        let owner = match self.shared.elsewhere.owner(event_id, self.now()) {
            Some(owner) => owner,
            None => match self.shared.journal.other_owner(event_id).await? {
                // One that answers nobody is taken as before there were peers: what it projects is seen when it is.
                Some(owner) if owner.address.is_none() => return Ok(()),
                Some(owner) => {
                    let owner = Arc::new(owner);
                    self.shared.elsewhere.remember(event_id, &owner, self.now());
                    owner
                }
                None => return self.take_over(event_id).await,
            },
        };
        match self.forward(event_id, PeerQuestion::WaitProjected, owner).await {
            // One that cannot be reached projects nothing either: what there is can be read.
            Ok(_) | Err(EngineError::OwnedElsewhere { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks the owner. Where that is away or has lost the event, the journal is asked who has it, and that one is asked:
    /// this process, where it got the event now.
    async fn forward(
        &self,
        event_id: EventId,
        question: PeerQuestion,
        owner: Arc<Owner>,
    ) -> Result<PeerAnswer, EngineError> {
        let elsewhere = &self.shared.elsewhere;
        let refused = |owner: Arc<Owner>| Err(EngineError::OwnedElsewhere { owner });
        let Some(peers) = self.shared.peers.clone() else {
            return refused(owner);
        };
        if owner.address.is_none() || elsewhere.is_spared(event_id, self.now()) {
            return refused(owner);
        }
        if let Hop::Done(answer) = self.hop(&*peers, event_id, &question, &owner).await {
            return *answer;
        }
        elsewhere.forget(event_id, &owner);
        let next = match self.shared.running(event_id).await {
            // Boxed: who answers asks nobody, so this is as deep as it gets.
            Ok(_) => return Box::pin(self.answer_peer(event_id, question)).await,
            Err(EngineError::OwnedElsewhere { owner }) => owner,
            Err(error) => return Err(error),
        };
        if next != owner
            && let Hop::Done(answer) = self.hop(&*peers, event_id, &question, &next).await
        {
            return *answer;
        }
        elsewhere.spare(event_id, &next, self.now());
        refused(next)
    }

    async fn hop(&self, peers: &dyn Peers, event_id: EventId, question: &PeerQuestion, owner: &Owner) -> Hop {
        let Some(address) = owner.address.as_deref() else {
            return Hop::Moved;
        };
        let patience = self.patience_with(question);
        let done = |answer| Hop::Done(Box::new(answer));
        match peers.ask(address, event_id, question, patience).await {
            Ok(Err(EngineError::OwnedElsewhere { .. })) => Hop::Moved,
            // Not this process: that one.
            Ok(Err(EngineError::ShuttingDown)) => done(Err(EngineError::Unavailable {
                reason: format!("{owner}, which owns the event, is stopping"),
            })),
            Ok(answer) => done(answer),
            Err(PeerError::NotReached(reason)) => {
                tracing::debug!(%event_id, %owner, reason, "the event's owner was not reached");
                Hop::Moved
            }
            Err(PeerError::Overloaded) => done(Err(EngineError::Overloaded { reason: "peers" })),
            Err(PeerError::Lost) => done(Err(match question {
                PeerQuestion::Execute(_) => EngineError::OutcomeUnknown,
                PeerQuestion::Look(_) | PeerQuestion::Availability | PeerQuestion::WaitProjected => {
                    EngineError::Unavailable {
                        reason: format!("{owner}, which owns the event, did not answer"),
                    }
                }
            })),
        }
    }

    /// As long as one would wait here.
    fn patience_with(&self, question: &PeerQuestion) -> Duration {
        let config = &self.shared.config;
        Duration::from_millis(match question {
            PeerQuestion::Execute(_) => config.commit_patience_ms,
            PeerQuestion::Look(_) | PeerQuestion::Availability => config.decision_deadline_ms.unsigned_abs(),
            PeerQuestion::WaitProjected => config.projection_patience_ms,
        })
    }
}

impl Asked {
    /// What a look found.
    pub(crate) fn found(self) -> Result<Found, EngineError> {
        match self {
            Self::Here(answered) => match answered.verdict {
                Verdict::Found(found) => Ok(*found),
                Verdict::Recorded
                | Verdict::Record(_)
                | Verdict::Replayed(_)
                | Verdict::Unchanged
                | Verdict::Refused(_) => Err(another_answer()),
            },
            Self::Elsewhere(answer) => match *answer {
                PeerAnswer::Found(found) => Ok(*found),
                PeerAnswer::Receipt(_) | PeerAnswer::Availability(_) | PeerAnswer::Projected => {
                    Err(another_answer())
                }
            },
        }
    }
}
