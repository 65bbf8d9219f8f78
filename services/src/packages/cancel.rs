//! Cancelling a package order: all of its legs, or nothing.

use onsale_domain::{BuyerId, PackageOrderId, Refusal};
use onsale_engine::at_hand::carried;
use onsale_persistence::{AuditOutcome, PackageOrderState, PackageStep, TicketStatus};

use super::PackageOrder;
use super::saga::Driver;
use crate::audit::target;
use crate::{ServiceError, Services, StaffMember};

/// The order may move on while it is read; more often than this it is no accident.
const TRIES_MAX: u32 = 3;

impl Services {
    /// Cancels a buyer's own package order, unless a ticket of it was used or given away. Its units are free again, its
    /// money goes back. Repeating it changes nothing.
    ///
    /// Tickets live in several events, so one that is used while this is at work does not stop it.
    pub async fn cancel_package_order(
        &self,
        id: PackageOrderId,
        buyer_id: BuyerId,
    ) -> Result<PackageOrder, ServiceError> {
        let told = self.package_order(id, buyer_id).await?;
        if told.order.state == PackageOrderState::Confirmed {
            check_tickets(&told, buyer_id)?;
        }
        self.cancel_package(id, "buyer").await
    }

    /// Cancels a package order for staff, whatever has become of its tickets.
    pub async fn staff_cancel_package_order(
        &self,
        staff: &StaffMember,
        id: PackageOrderId,
    ) -> Result<PackageOrder, ServiceError> {
        let told = self.staff_package_order(staff, id).await?;
        let mut entry = staff.entry(self.now(), "package_orders.cancel", AuditOutcome::Asked);
        entry.target = Some(target("package_order", id.0));
        entry.organization_id = Some(told.order.organization_id);
        self.audited(entry, self.cancel_package(id, "staff"), |_| None)
            .await
    }

    async fn cancel_package(&self, id: PackageOrderId, by: &str) -> Result<PackageOrder, ServiceError> {
        let claim = self.claim_package_order(id)?;
        for _ in 0..TRIES_MAX {
            let order = self.database().package_order(id).await?;
            let order = order.ok_or(ServiceError::NotFound)?;
            match order.state {
                PackageOrderState::Paying | PackageOrderState::Confirmed => {}
                PackageOrderState::Cancelling | PackageOrderState::Cancelled => break,
                // Over in a moment; then it can be cancelled.
                PackageOrderState::Holding | PackageOrderState::Confirming => {
                    return Err(Refusal::PaymentInProgress.into());
                }
            }
            let step = PackageStep::Cancel {
                reason: by.to_owned(),
                refused_by: None,
                is_declined: false,
            };
            let from = (order.state, order.payment);
            self.database()
                .step_package_order(id, from, &step, self.now())
                .await?;
        }
        // In a task of its own, which a client that hangs up does not stop; what fails here is left to the job.
        let services = self.clone();
        let driving = tokio::spawn(carried(async move {
            let driven = services.drive_package_order(id, Driver::Job).await;
            drop(claim);
            driven.map(|driven| driven.order)
        }));
        let order = match driving.await {
            Ok(Ok(order)) => order,
            Ok(Err(error)) => {
                tracing::warn!(package_order_id = %id, %error, "a package order is being cancelled by its job");
                let order = self.database().package_order(id).await?;
                order.ok_or(ServiceError::NotFound)?
            }
            Err(_) => return Err(ServiceError::Internal("a package order's task died")),
        };
        self.told(order).await
    }
}

fn check_tickets(told: &PackageOrder, buyer_id: BuyerId) -> Result<(), Refusal> {
    for ticket in told.orders.iter().flat_map(|order| &order.tickets) {
        match ticket.status {
            TicketStatus::Used => return Err(Refusal::TicketUsed),
            TicketStatus::Valid if ticket.owner_id != buyer_id => return Err(Refusal::TicketTransferredAway),
            TicketStatus::Valid | TicketStatus::Cancelled | TicketStatus::Refunded => {}
        }
    }
    Ok(())
}
