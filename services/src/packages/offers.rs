//! Packages as buyers see them: with how many can be had, from the events' memory. Packages and single tickets draw on
//! the same quotas, so what is sold of one is gone of the other at once.

use std::collections::BTreeMap;

use onsale_domain::{
    Availability, EventId, EventStatus, Inclusion, OrganizationId, PackageId, QuotaId, Refusal,
};
use onsale_engine::EngineError;
use onsale_persistence::{PackageRow, PackageStatus};

use crate::{Page, ServiceError, Services};

/// A package, and how many of it can be had.
#[derive(Clone, Debug)]
pub struct PackageOffer {
    /// The package.
    pub package: PackageRow,
    /// How many can be bought now.
    pub available: u32,
}

impl Services {
    /// The packages on sale, in the order in which they were made.
    pub async fn list_packages(
        &self,
        organizations: Option<Vec<OrganizationId>>,
        after: Option<PackageId>,
        limit: usize,
    ) -> Result<Page<PackageOffer>, ServiceError> {
        let rows = self
            .database()
            .packages(
                organizations.as_deref(),
                &[PackageStatus::OnSale],
                after,
                limit + 1,
            )
            .await?;
        let page = Page::cut(rows, limit);
        let mut rows = Vec::with_capacity(page.rows.len());
        for package in page.rows {
            rows.push(self.offer(package).await?);
        }
        Ok(Page {
            rows,
            has_more: page.has_more,
        })
    }

    /// A package that is or was on sale. Errors: not found for a draft, too.
    pub async fn package_offer(&self, package_id: PackageId) -> Result<PackageOffer, ServiceError> {
        let package = self.database().package(package_id).await?;
        let package = package.filter(|package| package.status != PackageStatus::Draft);
        self.offer(package.ok_or(ServiceError::NotFound)?).await
    }

    async fn offer(&self, package: PackageRow) -> Result<PackageOffer, ServiceError> {
        let mut available = u32::MAX;
        let mut events: BTreeMap<EventId, Vec<&Inclusion>> = BTreeMap::new();
        for inclusion in &package.inclusions {
            events.entry(inclusion.event_id).or_default().push(inclusion);
        }
        for (event_id, inclusions) in events {
            available = available.min(match self.engine().availability(event_id).await {
                Ok(event) => packages_of(&event, &inclusions),
                Err(EngineError::NotFound | EngineError::Refused(Refusal::EventNotFound)) => 0,
                Err(error) => return Err(error.into()),
            });
        }
        if package.status != PackageStatus::OnSale || package.inclusions.is_empty() {
            available = 0;
        }
        Ok(PackageOffer { package, available })
    }
}

/// How many packages an event has the tickets for. Inclusions of one quota share what is free there.
fn packages_of(event: &Availability, inclusions: &[&Inclusion]) -> u32 {
    if event.definition.status != EventStatus::OnSale {
        return 0;
    }
    let mut wanted: BTreeMap<QuotaId, u32> = BTreeMap::new();
    for inclusion in inclusions {
        let Some((_, ticket_type)) = event.definition.ticket_type(inclusion.ticket_type_id) else {
            return 0;
        };
        *wanted.entry(ticket_type.quota_id).or_default() += inclusion.quantity;
    }
    let of_quota = |(quota_id, quantity): (QuotaId, u32)| {
        let position = event.definition.quota_position(quota_id);
        let counts = position.and_then(|position| event.quotas.get(position));
        counts.map_or(0, |counts| counts.available() / quantity.max(1))
    };
    wanted.into_iter().map(of_quota).min().unwrap_or(0)
}
