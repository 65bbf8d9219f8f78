//! Relational reads: listings and orders. Each sees everything that was acknowledged before it began.

use onsale_domain::{BuyerId, OrderId, OrganizationId};
use onsale_persistence::{EventCursor, EventFilter, EventRow, OrderRow, OrganizationRow};

use crate::{ServiceError, Services, StaffMember};

/// One page of a listing, and whether more follow.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page of at most `limit` of the rows, of which one more than that was asked for.
    pub(crate) fn cut(mut rows: Vec<T>, limit: usize) -> Self {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more }
    }
}

impl Services {
    /// Events in the order in which they start.
    pub async fn list_events(
        &self,
        filter: &EventFilter,
        after: Option<EventCursor>,
        limit: usize,
    ) -> Result<Page<EventRow>, ServiceError> {
        self.engine().wait_all_projected().await?;
        let rows = self.database().events(filter, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// The organizations in a scope, in the order in which they were made.
    pub async fn list_organizations(
        &self,
        staff: &StaffMember,
        after: Option<OrganizationId>,
        limit: usize,
    ) -> Result<Page<OrganizationRow>, ServiceError> {
        let within = staff.scope.organizations();
        let rows = self.database().organizations(within, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// A buyer's orders, latest first.
    pub async fn list_orders(
        &self,
        buyer_id: BuyerId,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Page<OrderRow>, ServiceError> {
        self.engine().wait_all_projected().await?;
        let rows = self
            .database()
            .orders_of_buyer(buyer_id, before, limit + 1)
            .await?;
        Ok(Page::cut(rows, limit))
    }

    /// A buyer's own order. Errors: not found, also when it is another's.
    pub async fn order(&self, order_id: OrderId, buyer_id: BuyerId) -> Result<OrderRow, ServiceError> {
        let event_id = self.event_of(order_id.route()).await?;
        self.engine().wait_projected(event_id).await?;
        self.database()
            .order(event_id, order_id)
            .await?
            .filter(|order| order.buyer_id == buyer_id)
            .ok_or(ServiceError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_more_follow() {
        let page = Page::cut(vec![1, 2, 3], 2);
        assert_eq!((page.rows, page.has_more), (vec![1, 2], true));
        let page = Page::cut(vec![1, 2], 2);
        assert_eq!((page.rows, page.has_more), (vec![1, 2], false));
    }
}
