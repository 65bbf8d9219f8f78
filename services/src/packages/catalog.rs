//! Packages as staff write them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use onsale_domain::id::KeyDigest;
use onsale_domain::limits::NAME_BYTES_MAX;
use onsale_domain::package::{Weight, check_inclusions, shares};
use onsale_domain::{
    Availability, EventId, EventStatus, Inclusion, Money, OrganizationId, PackageId, Refusal, Sequence,
    TicketTypeId,
};
use onsale_engine::EngineError;
use onsale_persistence::{
    AuditOutcome, DatabaseError, NewPackage, PackageChange, PackageError, PackageRow, PackageStatus,
};

use crate::audit::target;
use crate::keyed::KeyedIds;
use crate::{Page, ServiceError, Services, StaffMember};

/// What staff write about a package.
#[derive(Clone, Debug)]
pub struct PackageInput {
    /// Name shown to buyers.
    pub name: String,
    /// What one costs, with all fees and taxes.
    pub price: Money,
    /// Where it stands.
    pub status: PackageStatus,
    /// What is in it.
    pub inclusions: Vec<PackageInputLine>,
}

/// So many tickets of one type in each package.
#[derive(Clone, Copy, Debug)]
pub struct PackageInputLine {
    /// Of which event.
    pub event_id: EventId,
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many tickets.
    pub quantity: u32,
    /// What each contributes to the price. Where no inclusion says, the price is divided as the tickets cost.
    pub unit_share_minor: Option<i64>,
}

/// A package that was made, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct CreatedPackage {
    /// The package.
    pub package: PackageRow,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Makes a package. A repeat of the key gets the first answer.
    pub async fn create_package(
        &self,
        staff: &StaffMember,
        organization_id: OrganizationId,
        input: PackageInput,
        key: Option<KeyDigest>,
    ) -> Result<CreatedPackage, ServiceError> {
        if !staff.scope.covers(organization_id) {
            let organization = target("organization", organization_id.0);
            return Err(self
                .out_of_sight(staff, "packages.create", organization, organization_id)
                .await);
        }
        let currency = input.price.currency;
        let content = self.package_content(organization_id, input).await?;
        let package_id = match key {
            None => self.ids().package_id(self.now())?,
            Some(key) => {
                let ids = KeyedIds::of(key, 0, self.now());
                if let Some(earlier) = self.database().package(PackageId(ids.earlier)).await? {
                    return repeated(earlier, &content);
                }
                PackageId(ids.today)
            }
        };
        let new = NewPackage {
            package_id,
            organization_id,
            currency,
            content,
        };
        let now = self.now();
        let entry = staff.entry(now, "packages.create", AuditOutcome::Done);
        match self.database().insert_package(&new, now, entry).await {
            Ok(package) => Ok(CreatedPackage {
                package,
                replayed: false,
            }),
            Err(DatabaseError::Conflict { .. }) => {
                let earlier = self.database().package(package_id).await?;
                repeated(earlier.ok_or(ServiceError::NotFound)?, &new.content)
            }
            // There is no such organization.
            Err(DatabaseError::Refused { .. }) => Err(Refusal::InvalidField {
                field: "organization_id",
            }
            .into()),
            Err(error) => Err(error.into()),
        }
    }

    /// A package, for staff. Errors: not found, also when it is out of their sight.
    pub async fn staff_package(
        &self,
        staff: &StaffMember,
        package_id: PackageId,
    ) -> Result<PackageRow, ServiceError> {
        let package = self.database().package(package_id).await?;
        let package = package.ok_or(ServiceError::NotFound)?;
        if !staff.scope.covers(package.organization_id) {
            let asked = target("package", package_id.0);
            return Err(self
                .out_of_sight(staff, "packages.reach", asked, package.organization_id)
                .await);
        }
        Ok(package)
    }

    /// The packages in sight, in the order in which they were made.
    pub async fn list_staff_packages(
        &self,
        staff: &StaffMember,
        after: Option<PackageId>,
        limit: usize,
    ) -> Result<Page<PackageRow>, ServiceError> {
        const ANY: [PackageStatus; 3] = [PackageStatus::Draft, PackageStatus::OnSale, PackageStatus::Closed];
        let within = staff.scope.organizations();
        let rows = self.database().packages(within, &ANY, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// Replaces what staff wrote about a package. Its organization and currency stay.
    ///
    /// Errors: [`ServiceError::PackageSold`] where price or inclusions would change, or it would be hidden, and some
    /// were sold.
    pub async fn edit_package(
        &self,
        staff: &StaffMember,
        package_id: PackageId,
        input: PackageInput,
        expected_version: Sequence,
    ) -> Result<PackageRow, ServiceError> {
        let package = self.staff_package(staff, package_id).await?;
        if input.price.currency != package.currency {
            return Err(ServiceError::CurrencyMismatch);
        }
        let content = self.package_content(package.organization_id, input).await?;
        let entry = staff.entry(self.now(), "packages.edit", AuditOutcome::Done);
        let changed = self
            .database()
            .change_package(package_id, expected_version, &content, entry)
            .await;
        Ok(changed?)
    }

    /// Deletes a package of which none was sold.
    pub async fn delete_package(
        &self,
        staff: &StaffMember,
        package_id: PackageId,
        expected_version: Sequence,
    ) -> Result<(), ServiceError> {
        self.staff_package(staff, package_id).await?;
        let entry = staff.entry(self.now(), "packages.delete", AuditOutcome::Done);
        let deleted = self
            .database()
            .delete_package(package_id, expected_version, entry)
            .await;
        Ok(deleted?)
    }

    /// Checks what staff wrote against the events, and finds the shares where they did not say.
    async fn package_content(
        &self,
        organization_id: OrganizationId,
        input: PackageInput,
    ) -> Result<PackageChange, ServiceError> {
        if input.name.trim().is_empty() || input.name.len() > NAME_BYTES_MAX || input.name.contains('\0') {
            return Err(Refusal::InvalidField { field: "name" }.into());
        }
        let mut events: BTreeMap<EventId, Arc<Availability>> = BTreeMap::new();
        for line in &input.inclusions {
            let Entry::Vacant(entry) = events.entry(line.event_id) else {
                continue;
            };
            let event = self.packed_event(organization_id, line.event_id).await?;
            if event.definition.details.currency != input.price.currency {
                return Err(ServiceError::CurrencyMismatch);
            }
            entry.insert(event);
        }
        let unit_total = |line: &PackageInputLine| {
            let (_, ticket_type) = events
                .get(&line.event_id)?
                .definition
                .ticket_type(line.ticket_type_id)?;
            ticket_type.unit_total_minor()
        };
        let invalid = || Refusal::InvalidField { field: "inclusions" };
        let totals: Vec<i64> = input
            .inclusions
            .iter()
            .map(|line| unit_total(line).ok_or_else(invalid))
            .collect::<Result<_, _>>()?;
        let price_minor = input.price.amount_minor;
        let unit_shares = unit_shares(price_minor, &input.inclusions, &totals).ok_or_else(invalid)?;
        let inclusions: Vec<Inclusion> = input
            .inclusions
            .iter()
            .zip(unit_shares)
            .map(|(line, unit_share_minor)| Inclusion {
                event_id: line.event_id,
                ticket_type_id: line.ticket_type_id,
                quantity: line.quantity,
                unit_share_minor,
            })
            .collect();
        check_inclusions(price_minor, &inclusions)?;
        Ok(PackageChange {
            name: input.name,
            price_minor,
            status: input.status,
            inclusions,
        })
    }

    /// An event that may be in a package of the organization: one of its own that is not called off.
    async fn packed_event(
        &self,
        organization_id: OrganizationId,
        event_id: EventId,
    ) -> Result<Arc<Availability>, ServiceError> {
        let invalid = || Refusal::InvalidField { field: "inclusions" }.into();
        let event = match self.engine().availability(event_id).await {
            Ok(event) => event,
            Err(EngineError::NotFound | EngineError::Refused(Refusal::EventNotFound)) => {
                return Err(invalid());
            }
            Err(error) => return Err(error.into()),
        };
        let definition = &event.definition;
        if definition.details.organization_id != organization_id {
            return Err(invalid());
        }
        match definition.status {
            EventStatus::Cancelled => Err(Refusal::EventCancelled.into()),
            EventStatus::Deleted => Err(invalid()),
            EventStatus::Draft
            | EventStatus::Published
            | EventStatus::OnSale
            | EventStatus::Paused
            | EventStatus::Closed => Ok(event),
        }
    }
}

/// The shares that staff wrote, or else in proportion to what the tickets cost. `None`: some are missing, or the price
/// cannot be divided so.
fn unit_shares(price_minor: i64, lines: &[PackageInputLine], totals: &[i64]) -> Option<Vec<i64>> {
    if lines.iter().any(|line| line.unit_share_minor.is_some()) {
        return lines.iter().map(|line| line.unit_share_minor).collect();
    }
    let weights: Vec<Weight> = lines
        .iter()
        .zip(totals)
        .map(|(line, unit_total_minor)| Weight {
            unit_total_minor: *unit_total_minor,
            quantity: line.quantity,
        })
        .collect();
    // What is out of bounds is refused with its own words afterwards.
    let bounded = lines.len() <= onsale_domain::limits::INCLUSIONS_MAX
        && lines
            .iter()
            .all(|line| (1..=onsale_domain::limits::LINE_QUANTITY_MAX).contains(&line.quantity));
    bounded.then(|| shares(price_minor, &weights)).flatten()
}

/// Errors: the key was used for another package.
fn repeated(package: PackageRow, content: &PackageChange) -> Result<CreatedPackage, ServiceError> {
    let is_same = package.name == content.name
        && package.price_minor == content.price_minor
        && package.inclusions == content.inclusions;
    if !is_same {
        return Err(Refusal::KeyReused.into());
    }
    Ok(CreatedPackage {
        package,
        replayed: true,
    })
}

impl From<PackageError> for ServiceError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Database(error) => Self::Database(error),
            PackageError::NotFound => Self::NotFound,
            PackageError::VersionMismatch { version } => Refusal::VersionMismatch { version }.into(),
            PackageError::Sold => Self::PackageSold,
            PackageError::NotOnSale => Self::PackageNotOnSale,
        }
    }
}
