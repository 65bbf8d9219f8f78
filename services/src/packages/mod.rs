//! Packages: several inclusions sold as one, over the events of an organization.
//!
//! A purchase of packages holds what it needs of each event, pays once, and then confirms each hold. Events decide for
//! themselves and know nothing of each other, so the whole is a saga whose log stands in `package_orders`: each step is
//! durable before the next, and undone as a whole when one fails. The request drives it for speed; the job of kind
//! `package`, made with the order itself, drives it after a crash. Neither trusts its memory: where the order stands
//! is read before each step, and all that is asked of an event or the provider may be asked again.
//!
//! What holds: an order is `confirmed` only when all of its legs are orders, and one that is `cancelled` has no live
//! unit in any event and its buyer's money back.

mod cancel;
mod catalog;
mod job;
mod legs;
mod money;
mod offers;
mod purchase;
mod reads;
mod saga;

pub use catalog::{CreatedPackage, PackageInput, PackageInputLine};
pub use job::PackageJobs;
pub use offers::PackageOffer;
pub use purchase::{PackagePurchaseRequest, PurchasedPackage};
pub use reads::PackageOrder;
