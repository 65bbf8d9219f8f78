//! What a payment is for, and by whom it is taken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::id::{HoldId, OrderId, PackageOrderId};

/// A payment provider. The position of each is written in journals: only ever add at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Gateway {
    /// Moves no money; for trying out, tests and load.
    Simulated,
    /// Stripe.
    Stripe,
    /// Midtrans.
    Midtrans,
}

impl Gateway {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Simulated, Self::Stripe, Self::Midtrans];

    /// The name in the API, the tables and the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Stripe => "stripe",
            Self::Midtrans => "midtrans",
        }
    }

    /// The gateway of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|gateway| gateway.as_str() == name)
    }
}

/// What a payment is for. Its text, such as `order_0190…`, is what providers know it by: their idempotency key and
/// their reference to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purchase {
    /// One order.
    Order(OrderId),
    /// An order of a package, with an order in each of its events.
    Package(PackageOrderId),
}

const ORDER: &str = "order_";
const PACKAGE: &str = "package_";

impl Purchase {
    /// The id without its kind.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Order(order_id) => order_id.0,
            Self::Package(package_order_id) => package_order_id.0,
        }
    }
}

impl From<OrderId> for Purchase {
    fn from(order_id: OrderId) -> Self {
        Self::Order(order_id)
    }
}

impl From<HoldId> for Purchase {
    fn from(hold_id: HoldId) -> Self {
        Self::Order(hold_id.into())
    }
}

impl From<PackageOrderId> for Purchase {
    fn from(package_order_id: PackageOrderId) -> Self {
        Self::Package(package_order_id)
    }
}

impl fmt::Display for Purchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order_id) => write!(f, "{ORDER}{}", order_id.0.simple()),
            Self::Package(package_order_id) => write!(f, "{PACKAGE}{}", package_order_id.0.simple()),
        }
    }
}

/// A text that names no purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the name of a purchase")]
pub struct NotAPurchase;

impl FromStr for Purchase {
    type Err = NotAPurchase;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uuid = |text: &str| Uuid::try_parse(text).map_err(|_| NotAPurchase);
        if let Some(id) = text.strip_prefix(ORDER) {
            return Ok(Self::Order(OrderId(uuid(id)?)));
        }
        let id = text.strip_prefix(PACKAGE).ok_or(NotAPurchase)?;
        Ok(Self::Package(PackageOrderId(uuid(id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_is_known_by_its_text() {
        for purchase in [
            Purchase::Order(OrderId(Uuid::from_u128(7))),
            Purchase::Package(PackageOrderId(Uuid::from_u128(8))),
        ] {
            assert_eq!(purchase.to_string().parse(), Ok(purchase));
        }
        for text in [
            "",
            "order_",
            "order_7",
            "00000000000000000000000000000007",
            "refund_7",
        ] {
            assert_eq!(text.parse::<Purchase>(), Err(NotAPurchase), "{text}");
        }
    }
}
