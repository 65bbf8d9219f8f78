//! The thread that writes the journal, and nothing but it writes.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use onsale_domain::EventId;
use onsale_engine::port::{Appended, Epoch, JournalEntry, JournalError};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::heads::Heads;
use super::writer::Writer;

/// Commands that may wait. One lane has at most one batch under way, so this is only reached by acquisitions.
const COMMANDS_MAX: usize = 64;

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

enum Command {
    Append(Vec<JournalEntry>, Reply<Appended>),
    Own(EventId, Epoch, Reply<()>),
    Stop,
}

/// Sends work to the thread.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// Makes entries durable; those of stale owners are left out.
    pub(super) async fn append(&self, entries: Vec<JournalEntry>) -> Result<Appended, JournalError> {
        self.ask(|reply| Command::Append(entries, reply)).await
    }

    /// Takes entries of an event under this epoch from now on, and makes that durable.
    pub(super) async fn own(&self, event_id: EventId, epoch: Epoch) -> Result<(), JournalError> {
        self.ask(|reply| Command::Own(event_id, epoch, reply)).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(command(reply)).await.is_err() {
            return Err(JournalError::Unavailable("the journal is closed".to_owned()));
        }
        answer.await.unwrap_or_else(|_| {
            Err(JournalError::Fatal(
                "the thread that writes the journal has died".to_owned(),
            ))
        })
    }
}

/// The running thread. Dropping it lets the thread finish what was sent before, and waits for that.
#[derive(Debug)]
pub(super) struct WriterThread {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    /// Starts the thread; it keeps the directory's lock for as long as it has the file open.
    pub(super) fn start(
        directory: &Path,
        connection: Connection,
        heads: Arc<Heads>,
        lock: File,
    ) -> Result<Self, JournalError> {
        let checkpointer = Checkpointer::start(directory)?;
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let thread = std::thread::Builder::new()
            .name("onsale-journal".to_owned())
            .spawn(move || {
                run(queue, Writer::new(connection, heads, checkpointer));
                drop(lock);
            })
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        Ok(Self {
            handle: Handle { commands },
            thread: Some(thread),
        })
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        while let Err(mpsc::error::TrySendError::Full(_)) = self.handle.commands.try_send(Command::Stop) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the journal had died");
        }
    }
}

/// An answer that nobody waits for any more changes nothing: what is durable is durable.
fn run(mut queue: mpsc::Receiver<Command>, mut writer: Writer) {
    while let Some(command) = queue.blocking_recv() {
        match command {
            Command::Append(entries, reply) => {
                let _ = reply.send(writer.append(&entries));
            }
            Command::Own(event_id, epoch, reply) => {
                let _ = reply.send(writer.own(event_id, epoch));
            }
            Command::Stop => return,
        }
        writer.tidy();
    }
}
