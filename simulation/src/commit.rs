//! The commit of one owner, step by step: write, sync, answer — and all that may go wrong between.

use onsale_engine::port::JournalEntry;

use crate::audit::Acknowledged;
use crate::disk::Write;
use crate::event::event_id;
use crate::fault::{Broken, Bug, Fault};
use crate::owner::{Answer, Batch, Stage, Waiting};
use crate::world::World;

impl World {
    /// Moves an owner's commit on by one step.
    pub(crate) fn commit(&mut self, index: usize) -> Result<(), Broken> {
        let Some(owner) = self.owners.get_mut(index) else {
            return Ok(());
        };
        match owner.batch.clone() {
            None => self.write_next(index),
            Some(Batch {
                entry,
                stage: Stage::Written,
            }) => self.sync(index, &entry),
            Some(Batch {
                entry,
                stage: Stage::Unknown,
            }) => self.resolve(index, entry),
        }
    }

    fn write_next(&mut self, index: usize) -> Result<(), Broken> {
        let Some(entry) = self.owners[index].next_entry(event_id())? else {
            return self.answer(index);
        };
        if self.fires(Fault::CrashAfterDecide, 30) || self.fires(Fault::WriteFailed, 40) {
            self.kill(index);
            return Ok(());
        }
        self.write(index, entry)
    }

    fn write(&mut self, index: usize, entry: JournalEntry) -> Result<(), Broken> {
        if self.disk.append(&entry) == Write::Fenced {
            self.report.fired(Fault::StaleWriteRefused);
            if self.bug == Some(Bug::IgnoreFence) {
                self.owners[index].committed(&entry);
                return self.answer(index);
            }
            self.kill(index);
            return Ok(());
        }
        let last_seq = entry.last_seq;
        let stage = Stage::Written;
        self.owners[index].batch = Some(Batch { entry, stage });
        if self.bug == Some(Bug::AcknowledgeBeforeSync) {
            let due = self.owners[index].due_answers(last_seq);
            self.give(index, due)?;
        }
        if self.fires(Fault::CrashAfterWrite, 25) {
            self.kill(index);
        }
        Ok(())
    }

    fn sync(&mut self, index: usize, entry: &JournalEntry) -> Result<(), Broken> {
        if self.fires(Fault::AnswerLostWritten, 25) {
            self.disk.sync();
            return self.lose_answer(index);
        }
        if self.may_fire(25) && self.disk.undo(entry) {
            self.report.fired(Fault::AnswerLostUndone);
            return self.lose_answer(index);
        }
        self.disk.sync();
        self.acknowledge(index, entry)
    }

    fn lose_answer(&mut self, index: usize) -> Result<(), Broken> {
        if let Some(batch) = &mut self.owners[index].batch {
            batch.stage = Stage::Unknown;
        }
        self.auditor.read(&self.disk)
    }

    /// Nobody knows whether the entry is in the journal: neither success nor failure, so the journal is asked.
    fn resolve(&mut self, index: usize, entry: JournalEntry) -> Result<(), Broken> {
        if self.bug == Some(Bug::RetryBlindly) {
            return self.write(index, entry);
        }
        if self
            .disk
            .entries()
            .iter()
            .any(|present| present.chain == entry.chain)
        {
            self.disk.sync();
            return self.acknowledge(index, &entry);
        }
        // The fence decides whether it may be written again.
        self.write(index, entry)
    }

    fn acknowledge(&mut self, index: usize, entry: &JournalEntry) -> Result<(), Broken> {
        self.auditor.read(&self.disk)?;
        if self.fires(Fault::CrashAfterSync, 25) {
            self.kill(index);
            return Ok(());
        }
        self.owners[index].committed(entry);
        self.answer(index)?;
        if self.fires(Fault::CrashAfterReply, 40) {
            self.kill(index);
        }
        Ok(())
    }

    /// Gives the answers that rest on committed records.
    pub(crate) fn answer(&mut self, index: usize) -> Result<(), Broken> {
        let Some(owner) = self.owners.get_mut(index) else {
            return Ok(());
        };
        let mut due = owner.due_answers(owner.committed_seq());
        if self.bug == Some(Bug::AnswerUncommitted) {
            let is_early = |waiting: &Waiting| !matches!(waiting.answer, Answer::Recorded(_));
            let (early, kept) = owner.waiting.drain(..).partition::<Vec<_>, _>(is_early);
            owner.waiting = kept.into();
            due.extend(early);
        }
        self.give(index, due)
    }

    fn give(&mut self, index: usize, due: Vec<Waiting>) -> Result<(), Broken> {
        let (epoch, process) = (self.owners[index].epoch, self.owners[index].process);
        for Waiting { sending, seq, answer } in due {
            let Some(sending) = sending else { continue };
            if self.fires(Fault::ReplyLost, 12) {
                self.clients.lose(sending.request);
                continue;
            }
            self.clients.receive(sending.request, &answer);
            self.report.answers += 1;
            let acknowledged = match answer {
                Answer::Recorded(record) => {
                    self.report.acknowledged += 1;
                    let key = self.clients.key_of(sending.request);
                    Acknowledged {
                        seq,
                        key,
                        record: Some(*record),
                    }
                }
                Answer::Replayed(seq) => {
                    let key = self.clients.key_of(sending.request);
                    Acknowledged {
                        seq,
                        key,
                        record: None,
                    }
                }
                Answer::Unchanged | Answer::Refused => Acknowledged {
                    seq,
                    key: None,
                    record: None,
                },
            };
            self.auditor.note(acknowledged, sending.floor, (epoch, process))?;
        }
        Ok(())
    }
}
