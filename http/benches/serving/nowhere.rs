//! A projection that forgets everything, to see what the real one costs.

use futures::future::BoxFuture;
use onsale_domain::{EventId, Sequence, UnixMillis};
use onsale_engine::port::{JournalEntry, ProjectionError, ProjectionSink};

pub(super) struct Nowhere;

impl ProjectionSink for Nowhere {
    fn project<'a>(&'a self, _: &'a [JournalEntry]) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn watermarks<'a>(
        &'a self,
        _: &'a [EventId],
    ) -> BoxFuture<'a, Result<Vec<(EventId, Sequence)>, ProjectionError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn events_due(&self, _: UnixMillis) -> BoxFuture<'_, Result<Vec<EventId>, ProjectionError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
