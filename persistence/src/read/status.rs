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
        /// All of its money was given back.
        Refunded = "refunded",
        /// A part of its money was given back.
        PartiallyRefunded = "partially_refunded",
    }
    /// Where a payment stands; `Authorized`, `Voiding` and `Refunding` wait for an effect at the gateway.
    PaymentStatus {
        /// To be captured.
        Authorized = "authorized",
        /// The money is here.
        Captured = "captured",
        /// The authorization is to be given up.
        Voiding = "voiding",
        /// The authorization was given up.
        Voided = "voided",
        /// The money is to be given back.
        Refunding = "refunding",
        /// The money was given back.
        Refunded = "refunded",
    }
    /// Where a ticket stands.
    TicketStatus {
        /// Admits its bearer.
        Valid = "valid",
        /// Has admitted its bearer.
        Used = "used",
        /// Its order was cancelled.
        Cancelled = "cancelled",
        /// Another ticket took its place.
        Transferred = "transferred",
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
    ]
    .into_iter()
    .find(|status| status.as_str() == text)
    .ok_or_else(|| DatabaseError::Damaged(format!("EventStatus {text:?}")))
}

pub(super) fn currency(code: &str) -> Result<Currency, DatabaseError> {
    Currency::from_code(code).ok_or_else(|| DatabaseError::Damaged(format!("currency {code:?}")))
}
