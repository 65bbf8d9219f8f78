//! The states of rows, as the database's checks list them.

use onsale_domain::EventStatus;
use onsale_domain::money::Currency;

use crate::DatabaseError;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident { $($(#[$state_doc:meta])* $state:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$state_doc])* $state,)+
        }

        impl $name {
            /// The name in the API and the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$state => $text,)+
                }
            }

            /// The state of a name.
            pub fn of_name(name: &str) -> Option<Self> {
                Self::parse(name).ok()
            }

            pub(crate) fn parse(text: &str) -> Result<Self, DatabaseError> {
                match text {
                    $($text => Ok(Self::$state),)+
                    unknown => Err(DatabaseError::Damaged(format!(
                        concat!(stringify!($name), " {:?}"), unknown
                    ))),
                }
            }
        }
    )+};
}

statuses! {
    /// Where an order stands.
    OrderStatus {
        /// Not paid yet.
        Pending = "pending",
        /// Paid, not confirmed yet.
        Paid = "paid",
        /// Its tickets are issued.
        Confirmed = "confirmed",
        /// Called off; its units are free again.
        Cancelled = "cancelled",
        /// Its hold expired before it was paid.
        Expired = "expired",
        /// All of its money was given back.
        Refunded = "refunded",
        /// A part of its money was given back.
        PartiallyRefunded = "partially_refunded",
    }
    /// Where a payment stands; `Pending`, `Authorized`, `Voiding` and `Refunding` wait for the gateway.
    PaymentStatus {
        /// The provider decides.
        Pending = "pending",
        /// To be captured.
        Authorized = "authorized",
        /// The money is here.
        Captured = "captured",
        /// To be let go, or given back where it was taken.
        Voiding = "voiding",
        /// Let go: nothing was taken, or it was given back.
        Voided = "voided",
        /// The money is to be given back.
        Refunding = "refunding",
        /// The money was given back.
        Refunded = "refunded",
        /// The provider refused.
        Declined = "declined",
        /// The provider's amount or currency is not the order's; staff decide.
        Quarantined = "quarantined",
    }
    /// Where a refund stands.
    RefundStatus {
        /// Asked for.
        Pending = "pending",
        /// The money is on its way back.
        Succeeded = "succeeded",
        /// The provider refused; staff decide.
        Failed = "failed",
    }
    /// Where a package stands.
    PackageStatus {
        /// Being prepared; buyers cannot see it.
        Draft = "draft",
        /// Sold, as far as its events sell.
        OnSale = "on_sale",
        /// Not sold any more.
        Closed = "closed",
    }
    /// Where the sale of packages stands.
    PackageOrderState {
        /// Its legs are being held.
        Holding = "holding",
        /// All are held; the provider decides.
        Paying = "paying",
        /// Paid; its legs become orders.
        Confirming = "confirming",
        /// All legs are orders.
        Confirmed = "confirmed",
        /// Its legs are given back, then its money.
        Cancelling = "cancelling",
        /// Nothing of it is left.
        Cancelled = "cancelled",
    }
    /// Where a ticket stands.
    TicketStatus {
        /// Admits its bearer.
        Valid = "valid",
        /// Has admitted its bearer.
        Used = "used",
        /// Its order was cancelled.
        Cancelled = "cancelled",
        /// Its money went back.
        Refunded = "refunded",
    }
}

pub(super) fn event_status(text: &str) -> Result<EventStatus, DatabaseError> {
    [
        EventStatus::Draft,
        EventStatus::Published,
        EventStatus::OnSale,
        EventStatus::Paused,
        EventStatus::Closed,
        EventStatus::Cancelled,
        EventStatus::Deleted,
    ]
    .into_iter()
    .find(|status| status.as_str() == text)
    .ok_or_else(|| DatabaseError::Damaged(format!("EventStatus {text:?}")))
}

pub(crate) fn currency(code: &str) -> Result<Currency, DatabaseError> {
    Currency::from_code(code).ok_or_else(|| DatabaseError::Damaged(format!("currency {code:?}")))
}
