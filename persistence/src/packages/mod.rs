//! Packages, and the log of their sale.
//!
//! A package order spans events, whose journals know nothing of each other: so its saga is logged here, step by step,
//! and every step is a conditional update. Whoever drives a package order (a request, the job after a crash, both at
//! once) therefore agrees with all others on where it stands.

mod catalog;
mod order_rows;
mod orders;
mod package_rows;
mod refunds;
mod steps;

pub use order_rows::{LegLine, PackageLegRow, PackageOrderRow};
pub use orders::NewPackageOrder;
pub use package_rows::{NewPackage, PackageChange, PackageError, PackageRow};
pub use refunds::PackageRefund;
pub use steps::PackageStep;
