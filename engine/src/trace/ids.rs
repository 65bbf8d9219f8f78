//! Ids of traces and spans, as the W3C's Trace Context has them: never zero.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::num::{NonZeroU64, NonZeroU128};
use std::sync::atomic::{AtomicU64, Ordering};

/// Which trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// Which span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

/// A span, ours or another program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanRef {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its place there.
    pub span_id: SpanId,
}

impl TraceId {
    /// Nothing for zero.
    pub fn new(id: u128) -> Option<Self> {
        NonZeroU128::new(id).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u128 {
        self.0.get()
    }
}

impl SpanId {
    /// Nothing for zero.
    pub fn new(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// As 32 hexadecimal digits.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// As 16 hexadecimal digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Makes ids: numbers that no call of this process gives twice, from a start that no other process has. They only have
/// to differ, so a counter that is well mixed will do (splitmix64).
pub(super) struct Source {
    state: AtomicU64,
    process: u64,
}

/// Odd and near 2⁶⁴ divided by the golden ratio, so that the states are spread evenly.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Source {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            state: AtomicU64::new(random.hash_one(0)),
            process: random.hash_one(1),
        }
    }

    pub(super) fn next(&self) -> u64 {
        mix(self.state.fetch_add(STEP, Ordering::Relaxed))
    }

    pub(super) fn span_id(&self) -> SpanId {
        SpanId(NonZeroU64::new(self.next()).unwrap_or(NonZeroU64::MIN))
    }

    /// A trace's id that begins with this number. Whoever samples by a trace's id looks at its end, which must not be what
    /// the lot was drawn by.
    pub(super) fn trace_id(&self, high: u64) -> TraceId {
        let low = mix(high ^ self.process);
        let id = (u128::from(high) << 64) | u128::from(low);
        TraceId(NonZeroU128::new(id).unwrap_or(NonZeroU128::MIN))
    }
}

const fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
