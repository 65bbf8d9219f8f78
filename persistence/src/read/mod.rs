//! Read models: rows for services and HTTP to show, and for the audit to compare. All are folded from the journal
//! and lag behind it; what must see the latest decision asks the event's actor.

mod audit;
mod events;
mod holds;
mod orders;
mod organizations;
mod payments;
mod status;

pub use audit::EventTotals;
pub use events::{EventCursor, EventFilter, EventRow, QuotaRow, TicketTypeRow};
pub use holds::{HoldRow, LineRow};
pub use orders::{OrderRow, PaymentRow, TicketRow};
pub use organizations::OrganizationRow;
pub use payments::PaymentToSettle;
pub use status::{HoldStatus, OrderStatus, PaymentStatus, TicketStatus};
