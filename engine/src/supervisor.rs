//! The supervisor of all event actors. It tells the registry how they end; a crashed event is read back from its
//! journal, and no state is ever reused.

use std::sync::{Arc, OnceLock, Weak};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::registry::Shared;
use crate::slot::Ending;

/// The supervisor takes no messages of its own.
pub(crate) enum SupervisorMessage {}

/// Set once the shared state exists: it holds the supervisor, so it cannot come first.
pub(crate) type SharedCell = Arc<OnceLock<Weak<Shared>>>;

pub(crate) struct Supervisor;

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = SharedCell;
    type Arguments = SharedCell;

    async fn pre_start(
        &self,
        _myself: ActorRef<SupervisorMessage>,
        shared: SharedCell,
    ) -> Result<SharedCell, ActorProcessingErr> {
        Ok(shared)
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        shared: &mut SharedCell,
    ) -> Result<(), ActorProcessingErr> {
        let Some(shared) = shared.get().and_then(Weak::upgrade) else {
            return Ok(());
        };
        match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                shared.on_actor_ended(actor.get_id(), &Ending::Crashed(error.to_string()));
            }
            SupervisionEvent::ActorTerminated(actor, _, reason) => {
                let ending = match reason.as_deref() {
                    Some("passivated") => Ending::Passivated,
                    Some("fenced" | "shutdown") => Ending::Replaced,
                    Some(reason) => Ending::Crashed(reason.to_owned()),
                    None => Ending::Crashed("killed".to_owned()),
                };
                shared.on_actor_ended(actor.get_id(), &ending);
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
