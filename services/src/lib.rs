//! Use cases: what crosses the engine, the database and the payment gateway.
//!
//! One struct, [`Services`], is the handle that routes call; its methods stand in one file for each area, under the
//! area's name. Nothing here knows HTTP or SQL. To add a use case: a method in the area's file that reads as the
//! story (look up, decide, answer), a variant of [`ServiceError`] if it can fail in a new way.

mod access;
mod accounts;
mod audit;
mod check_ins;
mod digest;
mod error;
mod events;
mod ids;
mod jobs;
mod key_lines;
mod keyed;
mod mail;
pub mod metrics;
mod organizations;
mod packages;
mod payments;
mod reads;
mod roles;
mod sale;
mod service_accounts;
mod services;
mod tickets;
mod tokens;
mod workers;

pub use access::{AccessSync, Caller, Change, Credential, Origin, StaffMember};
pub use accounts::{
    BreachedPasswords, Housekeeping, IntrospectedToken, Introspection, NewPassword, Registration, Session,
    create_admin,
};
pub use audit::{AuditWriter, AuditWriterTask};
pub use check_ins::{
    BundleCursor, CheckIn, CheckInRequest, DoorBundle, OFFLINE_SCANS_MAX, OfflineScan, ScanRefusal,
    SyncedScan,
};
pub use digest::{KeyedRoute, key_binding, key_digest};
pub use error::ServiceError;
pub use events::{CreatedEvent, TicketTypeInput};
pub use ids::{Ids, RandomError};
pub use jobs::{JobError, JobHandler, JobLimits, JobOutcome, JobRunner};
pub use key_lines::KeyError;
pub use mail::{
    FolderMailer, LogMailer, Mail, MailAttachment, MailError, MailHandler, MailSender, Mailer,
    NotAMailSender, SmtpMailer, SmtpServer, SmtpUrlError,
};
pub use organizations::CreatedOrganization;
pub use packages::{
    CreatedPackage, PackageInput, PackageInputLine, PackageJobs, PackageOffer, PackageOrder,
    PackagePurchaseRequest, PurchasedPackage,
};
pub use payments::{
    ApiUrl, GatewayError, Gateways, MidtransConfig, MidtransGateway, NotAnApiUrl, Notice, PaymentAction,
    PaymentGateway, PaymentRef, PaymentRequest, PaymentWorker, ProviderState, RefundRequest, RefundState,
    ResiliencePolicy, ResilientGateway, SimulatedGateway, StripeConfig, StripeGateway, WebhookError,
    WebhookRequest,
};
pub use reads::Page;
pub use sale::{
    CancelledOrder, CheckoutRequest, ConfirmedOrder, ExtendedHold, HoldRequest, PendingOrder, PlacedHold,
    PurchaseRequest, Purchased, RefundRequested, ReleasedHold, ReleasedStatus, RequestedRefund,
    TransferRequest, TransferredTicket,
};
pub use service_accounts::CreatedApiKey;
pub use services::{Dependencies, Services, ServicesConfig};
pub use tickets::{
    FaceTax, OwnedTicket, PassError, PdfError, TicketFace, TicketFile, TicketFileLink, TicketFiles,
    TicketKeys, TicketPass, VerifiedPass, calendar_file, pdf_file,
};
pub use tokens::{
    ACCESS_TOKEN_LIFETIME_MS, Grant, Identity, SECRET_BYTES_MIN, TokenAlgorithm, TokenError, TokenKeys,
    Tokens,
};

pub use onsale_domain::StaffScope;
pub use onsale_engine::port::Clock;
pub use onsale_engine::{EngineError, HoldView, at_hand, trace};
pub use onsale_persistence::{
    AccessError, AccountRow, AccountStatus, Actor, ActorKind, ApiKeyRow, AssignmentRow, AuditEntry,
    AuditEntryRow, AuditFilter, AuditHash, AuditHead, AuditOutcome, AuditTarget, EventCursor, EventFilter,
    EventRow, FolderStore, Job, JobCursor, JobKind, JobRow, JobState, LineRow, LinkTarget, LinkedObject,
    ListedPayment, MailMessage, NewAssignment, NewJob, ObjectError, ObjectKey, ObjectKind, ObjectLink,
    ObjectStore, OrderFilter, OrderRow, OrderStatus, OrganizationRow, OwnedTicketRow, PaymentFilter,
    PaymentRow, PaymentStatus, PermissionRow, RefundRow, RefundStatus, RoleRow, RoleScope, ServiceAccountRow,
    SharedRate, SharedRates, Spent, TicketRow, TicketStatus, UserFilter, UserRow,
};
pub use onsale_persistence::{PackageOrderRow, PackageOrderState, PackageRow, PackageStatus};
