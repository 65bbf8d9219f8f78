//! The rules of selling tickets.
//!
//! [`Inventory::apply`] is the whole truth about selling: a command and an instant go in, records come out. The
//! crate holds no clock, does no I/O and draws no random numbers (ids come in with the commands), so the event
//! actor, recovery, the auditor, the simulator and the property tests all run the same code, and
//! [`Inventory::replay`] of the records always folds to the same state.
//!
//! To add a command: a variant in [`Command`], a record in [`Record`] if it changes anything, a file under
//! `inventory/` with the decision, an arm in `Inventory::fold`, and a row in the reference model of
//! `tests/properties.rs`.

pub mod access;
pub mod account;
pub mod codec;
pub mod command;
pub mod definition;
pub mod id;
pub mod inventory;
pub mod limits;
pub mod money;
pub mod package;
pub mod payment;
pub mod price;
pub mod record;
pub mod refusal;
pub mod ticket;
pub mod time;
pub mod word;

pub use access::{Access, Permission, PermissionSet, StaffScope};
pub use account::{EmailAddress, WeakPassword};
pub use command::Command;
pub use definition::{EventDefinition, EventDetails, EventStatus, Quota, SalesWindow, TicketType};
pub use id::{
    ApiKeyId, BuyerId, EventId, HoldId, MailId, OrderId, OrganizationId, PackageId, PackageOrderId, QuotaId,
    RefundId, RoleId, Route, SessionId, TicketId, TicketTypeId, UserId,
};
pub use inventory::{Availability, Decision, Inventory};
pub use money::Money;
pub use package::Inclusion;
pub use payment::{Gateway, Purchase};
pub use price::{Tax, Totals};
pub use record::Record;
pub use refusal::Refusal;
pub use ticket::{Direction, Presented, ScanDigest, TicketStatus};
pub use time::UnixMillis;

/// Position of a record in its event's journal: gapless, from 1; 0 stands before the first record.
pub type Sequence = u64;
