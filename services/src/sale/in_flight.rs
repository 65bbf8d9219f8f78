//! Purchases that this process is working on, so that a repeat does not drive one twice.
//!
//! Only a convenience: two processes may drive one purchase, and the journal and the gateway's idempotency key still
//! make one order and one charge of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use onsale_domain::HoldId;
use onsale_domain::id::KeyDigest;
use onsale_engine::EngineError;
use onsale_engine::metrics::rejected;

use crate::ServiceError;

/// Purchases under way at once; more are refused as overload.
const PURCHASES_MAX: usize = 65_536;

/// What a request works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// Whatever this key leads to.
    Key(KeyDigest),
    /// Paying this hold.
    Hold(HoldId),
}

/// The purchases under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<Work>>>);

/// A right to work on something alone, until dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    work: Work,
    in_flight: InFlight,
}

impl InFlight {
    /// Claims work.
    ///
    /// Errors: [`ServiceError::InFlight`] when another request has it, overload when too much is under way.
    pub(crate) fn claim(&self, work: Work) -> Result<Claim, ServiceError> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.len() >= PURCHASES_MAX {
            let reason = "purchases_in_flight";
            rejected(reason);
            return Err(EngineError::Overloaded { reason }.into());
        }
        if !under_way.insert(work) {
            return Err(ServiceError::InFlight);
        }
        Ok(Claim {
            work,
            in_flight: self.clone(),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_claimed_by_one_at_a_time() {
        let in_flight = InFlight::default();
        let work = Work::Key(KeyDigest([1; 16]));
        let claim = in_flight.claim(work).unwrap();
        assert!(matches!(in_flight.claim(work), Err(ServiceError::InFlight)));
        assert!(in_flight.claim(Work::Key(KeyDigest([2; 16]))).is_ok());
        drop(claim);
        assert!(in_flight.claim(work).is_ok());
    }
}
