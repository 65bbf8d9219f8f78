//! Shapes of requests and answers. Never the domain's own types: what is public changes only on purpose.

mod access;
mod audit_entry;
mod availability;
mod check_in;
mod event;
mod hold;
mod job;
mod money;
mod order;
mod organization;
mod package;
mod page;
mod payment;
mod ticket;
mod transfer;
mod user;

pub(crate) use access::{
    ApiKeyBody, ApiKeyView, AssignmentBody, AssignmentView, CreatedApiKeyView, ListView, PermissionView,
    RoleBody, RoleChangeBody, RoleView, ServiceAccountBody, ServiceAccountView, permissions_of,
};
pub(crate) use audit_entry::AuditEntryView;
pub(crate) use availability::AvailabilityView;
pub(crate) use check_in::{
    BundleView, CheckInBody, CheckInView, GatesView, SYNC_BYTES_MAX, SyncBody, SyncedView,
};
pub(crate) use event::{EventInput, EventView, QuotaInput, StaffEventView, TicketTypeBody};
pub(crate) use hold::{CheckoutBody, HoldBody, HoldView, PurchaseBody, ReleasedView};
pub(crate) use job::{JobView, job_cursor, parse_job_cursor};
pub(crate) use money::MoneyView;
pub(crate) use order::{CancelledView, OrderView, StaffOrderView};
pub(crate) use organization::{OrganizationInput, OrganizationView};
pub(crate) use package::{NewPackageBody, PackageBody, PackageOrderView, PackagePurchaseBody, PackageView};
pub(crate) use page::{PageView, event_cursor, parse_event_cursor, parse_id_cursor};
pub(crate) use payment::{RefundBody, RefundView, StaffPaymentView};
pub(crate) use ticket::{FileLinkView, OwnedTicketView};
pub(crate) use transfer::{TransferBody, TransferredTicketView};
pub(crate) use user::{
    AccountView, ConfirmResetBody, IntrospectBody, IntrospectionView, LoginBody, PasswordBody, RefreshBody,
    RegistrationBody, ResetBody, SessionView, UserView,
};
