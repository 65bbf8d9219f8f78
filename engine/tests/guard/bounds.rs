//! What a hold may cost: the guard against growth that nobody meant. Counts of allocations and bytes, which are the
//! same on every machine, and not seconds. They are of the test profile.
//!
//! To change a bound on purpose: put in the figure that the test prints, and say in the commit what it buys. Where work
//! has made something cheaper, lower its bound to just above the new figure, so that it stays so.

/// A bound, just above what was measured when it was written.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// What is bounded, with its unit.
    pub what: &'static str,
    /// The most that passes.
    pub at_most: f64,
}

/// The engine, one hold at a time: every hold is a commit by itself.
pub const ENGINE_ALONE: Bound = Bound {
    what: "allocations of a hold in the engine, one at a time",
    at_most: 14.0,
};
/// The engine, 64 holds at a time.
pub const ENGINE_TOGETHER: Bound = Bound {
    what: "allocations of a hold in the engine, 64 at once",
    at_most: 4.0,
};
/// The whole server on a connection that is kept alive, one hold at a time.
pub const HTTP_HOLD: Bound = Bound {
    what: "allocations of a hold over HTTP, one at a time",
    at_most: 44.5,
};
/// The same for an answer about availability.
pub const HTTP_AVAILABILITY: Bound = Bound {
    what: "allocations of an answer about availability over HTTP",
    at_most: 31.0,
};
/// State of an open hold with its key and its buyer, at 100,000 of them.
pub const OPEN_HOLD_BYTES: Bound = Bound {
    what: "bytes of an open hold",
    at_most: 308.0,
};
/// A loaded event that nobody uses, with its entries in the journal in memory.
pub const IDLE_EVENT_BYTES: Bound = Bound {
    what: "bytes of a loaded idle event",
    at_most: 11_600.0,
};
/// What stays of an event in the registry once it has left memory.
pub const LEFT_EVENT_BYTES: Bound = Bound {
    what: "bytes of an event that has left memory",
    at_most: 240.0,
};

impl Bound {
    /// Fails where the figure is beyond the bound.
    pub fn check(self, figure: f64) {
        let Self { what, at_most } = self;
        println!("{what}: {figure:.1} of at most {at_most}");
        assert!(
            figure <= at_most,
            "{what}: {figure:.1}, more than {at_most}.\n\
             To see what grew, run the same test under `valgrind --tool=dhat` before and after the change: it lists \
             the places that allocate. If it is worth its cost, raise the bound in engine/tests/guard/bounds.rs and \
             say why."
        );
    }
}

/// The middle one: what happens only now and then, such as a table that grows, does not count.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
