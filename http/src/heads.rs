//! Tells a connection on which a request's head is on its way from one that is idle.
//!
//! The two have different bounds. A client that dribbles its head is closed soon; an idle connection must be kept for
//! longer than any load balancer before us keeps it, or the balancer sends a request into a connection that was just
//! closed. hyper has one timer for both, so it gets the idle one, and heads are watched here: bytes begin one, the
//! service's call ends it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The bits that say what the connection is at; those above count its requests.
const AT: u32 = 0b11;
/// The next head has not begun.
const BETWEEN: u32 = 0;
/// A head has begun, or must: a new connection has no time to be idle.
const COMING: u32 = 1;
/// The head was read; what comes now is the body.
const TAKEN: u32 = 2;
const ONE_REQUEST: u32 = 4;

/// What one connection is at. Only its own task touches it, so that no order of memory is needed.
#[derive(Clone, Debug)]
pub(crate) struct Heads(Arc<AtomicU32>);

impl Heads {
    pub(crate) fn of_new_connection() -> Self {
        Self(Arc::new(AtomicU32::new(COMING)))
    }

    fn bytes_came(&self) {
        let now = self.0.load(Relaxed);
        if now & AT == BETWEEN {
            self.0.store(now | COMING, Relaxed);
        }
    }

    /// A head is complete.
    pub(crate) fn taken(&self) {
        let count = (self.0.load(Relaxed) & !AT).wrapping_add(ONE_REQUEST);
        self.0.store(count | TAKEN, Relaxed);
    }

    /// The request is answered. Bytes of a body that nobody wanted count as a head from here on: the connection closes
    /// early then, which is safe. What was read ahead of the next head before does not count until more comes; there
    /// the idle timeout bounds it.
    pub(crate) fn answered(&self) {
        self.0.store(self.0.load(Relaxed) & !AT, Relaxed);
    }

    /// Which head is on its way.
    fn coming(&self) -> Option<u32> {
        let now = self.0.load(Relaxed);
        (now & AT == COMING).then_some(now)
    }
}

/// The timer of the head that is on its way; none is armed for a head that comes in one piece.
#[derive(Debug)]
pub(crate) struct HeadTimer {
    heads: Heads,
    limit: Duration,
    armed: Option<(u32, Pin<Box<Sleep>>)>,
}

impl HeadTimer {
    pub(crate) const fn new(heads: Heads, limit: Duration) -> Self {
        Self {
            heads,
            limit,
            armed: None,
        }
    }

    /// Ready once a head has taken too long. Ask after the connection was polled, which may have begun or ended one.
    pub(crate) fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(head) = self.heads.coming() else {
            self.armed = None;
            return Poll::Pending;
        };
        let armed = self.armed.take().filter(|(of, _)| *of == head);
        let (_, timer) = self
            .armed
            .insert(armed.unwrap_or_else(|| (head, Box::pin(sleep(self.limit)))));
        timer.as_mut().poll(context)
    }
}

/// A stream that notes when bytes come.
pub(crate) struct Noted {
    pub(crate) stream: TcpStream,
    pub(crate) heads: Heads,
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.heads.bytes_came();
        }
        read
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_between_requests_begin_a_head() {
        let heads = Heads::of_new_connection();
        let first = heads.coming();
        assert!(first.is_some(), "a new connection must ask");
        heads.bytes_came();
        assert_eq!(heads.coming(), first, "still the same head");
        heads.taken();
        heads.bytes_came();
        assert_eq!(heads.coming(), None, "that was its body");
        heads.answered();
        assert_eq!(heads.coming(), None, "idle");
        heads.bytes_came();
        assert!(heads.coming().is_some());
        assert_ne!(heads.coming(), first, "another head has its own time");
    }
}
