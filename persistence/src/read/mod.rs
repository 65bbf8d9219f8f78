//! Read models: rows for services and HTTP to show. All are folded from the journal and lag behind it; what must
//! see the latest decision asks the event's actor.

mod events;
mod lines;
mod mail;
mod orders;
mod organizations;
mod status;
mod tickets;

pub use events::{EventCursor, EventFilter, EventRow};
pub use lines::LineRow;
pub use mail::{MailEvent, MailOrder};
pub use orders::{OrderFilter, OrderRow, PaymentRow, RefundRow, TicketRow};
pub use organizations::OrganizationRow;
pub use status::{OrderStatus, PackageOrderState, PackageStatus, PaymentStatus, RefundStatus, TicketStatus};
pub use tickets::OwnedTicketRow;

pub(crate) use status::currency;
