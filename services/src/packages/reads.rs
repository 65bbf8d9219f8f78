//! Package orders as they are told.

use std::collections::BTreeMap;

use onsale_domain::{BuyerId, HoldId, OrderId, PackageOrderId};
use onsale_persistence::{OrderRow, PackageOrderRow};

use crate::audit::target;
use crate::{Page, ServiceError, Services, StaffMember};

/// A package order, with the orders that it has in its events.
#[derive(Clone, Debug)]
pub struct PackageOrder {
    /// The whole.
    pub order: PackageOrderRow,
    /// Its legs that are orders, or were, in the order of their events.
    pub orders: Vec<OrderRow>,
}

impl Services {
    /// A buyer's own package order. Errors: not found, also when it is another's.
    pub async fn package_order(
        &self,
        id: PackageOrderId,
        buyer_id: BuyerId,
    ) -> Result<PackageOrder, ServiceError> {
        let order = self.database().package_order(id).await?;
        let order = order.filter(|order| order.buyer_id == buyer_id);
        self.told(order.ok_or(ServiceError::NotFound)?).await
    }

    /// A package order, for staff. Errors: not found, also when it is out of their sight.
    pub async fn staff_package_order(
        &self,
        staff: &StaffMember,
        id: PackageOrderId,
    ) -> Result<PackageOrder, ServiceError> {
        let order = self.database().package_order(id).await?;
        let order = order.ok_or(ServiceError::NotFound)?;
        if !staff.scope.covers(order.organization_id) {
            let asked = target("package_order", id.0);
            return Err(self
                .out_of_sight(staff, "package_orders.reach", asked, order.organization_id)
                .await);
        }
        self.told(order).await
    }

    /// A buyer's package orders, latest first.
    pub async fn list_package_orders(
        &self,
        buyer_id: BuyerId,
        before: Option<PackageOrderId>,
        limit: usize,
    ) -> Result<Page<PackageOrder>, ServiceError> {
        self.engine().wait_all_projected().await?;
        let rows = self
            .database()
            .package_orders_of_buyer(buyer_id, before, limit + 1)
            .await?;
        let page = Page::cut(rows, limit);
        let mut orders = self.orders_of(&page.rows).await?;
        let rows = page.rows.into_iter().map(|order| PackageOrder {
            orders: orders.remove(&order.package_order_id).unwrap_or_default(),
            order,
        });
        Ok(Page {
            rows: rows.collect(),
            has_more: page.has_more,
        })
    }

    /// With the orders of its legs, as of now.
    pub(super) async fn told(&self, order: PackageOrderRow) -> Result<PackageOrder, ServiceError> {
        for leg in &order.legs {
            self.engine().wait_projected(leg.event_id).await?;
        }
        let mut orders = self.orders_of(std::slice::from_ref(&order)).await?;
        Ok(PackageOrder {
            orders: orders.remove(&order.package_order_id).unwrap_or_default(),
            order,
        })
    }

    async fn orders_of(
        &self,
        package_orders: &[PackageOrderRow],
    ) -> Result<BTreeMap<PackageOrderId, Vec<OrderRow>>, ServiceError> {
        let order_id = |hold_id: HoldId| OrderId::from(hold_id);
        let keys: Vec<_> = package_orders
            .iter()
            .flat_map(|order| &order.legs)
            .map(|leg| (leg.event_id, order_id(leg.hold_id)))
            .collect();
        let mut rows = self.database().orders_of_keys(&keys).await?;
        rows.sort_by_key(|order| order.event_id);
        let mut orders: BTreeMap<_, Vec<OrderRow>> = BTreeMap::new();
        for row in rows {
            if let Some(id) = row.package_order_id {
                orders.entry(id).or_default().push(row);
            }
        }
        Ok(orders)
    }
}
