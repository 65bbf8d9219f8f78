//! Making and reading package orders.

use jiff_sqlx::Timestamp;
use onsale_domain::id::BodyDigest;
use onsale_domain::{BuyerId, Gateway, PackageId, PackageOrderId, Sequence, UnixMillis};
use sqlx::types::Json;
use uuid::Uuid;

use super::order_rows::RawPackageOrder;
use super::{LegLine, PackageError, PackageLegRow, PackageOrderRow};
use crate::convert::{limit_out, seq_out, timestamp};
use crate::jobs::{JobKind, NewJob, enqueue};
use crate::{Database, DatabaseError};

/// A purchase of packages that begins.
#[derive(Clone, Debug)]
pub struct NewPackageOrder {
    /// Identity.
    pub package_order_id: PackageOrderId,
    /// Of which package.
    pub package_id: PackageId,
    /// The package as the price was made of it.
    pub package_version: Sequence,
    /// Who buys.
    pub buyer_id: BuyerId,
    /// How many packages.
    pub quantity: u32,
    /// What they cost together.
    pub total_minor: i64,
    /// With whom they are paid; `None` where they cost nothing.
    pub gateway: Option<Gateway>,
    /// Digest of the request's body.
    pub body: BodyDigest,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When the provider must have decided.
    pub decide_by: UnixMillis,
    /// When its job looks after it, should the request come to nothing.
    pub look_at: UnixMillis,
    /// Its holds to be.
    pub legs: Vec<PackageLegRow>,
}

impl Database {
    /// Begins a purchase, with the job that sees it to its end, while the package is on sale as the buyer saw it.
    ///
    /// Errors: [`PackageError::NotOnSale`]; [`DatabaseError::Conflict`] when the id is taken.
    pub async fn insert_package_order(&self, new: &NewPackageOrder) -> Result<(), PackageError> {
        let mut transaction = self.begin().await?;
        // Until the order is there, nobody changes or deletes the package as if none were sold.
        sqlx::query!(
            "SELECT 1 AS one FROM packages
             WHERE package_id = $1 AND version = $2 AND status = 'on_sale' FOR SHARE",
            new.package_id.0,
            seq_out(new.package_version)
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(PackageError::NotOnSale)?;
        sqlx::query!(
            "INSERT INTO package_orders (package_order_id, package_id, organization_id, buyer_id, name, quantity,
                 currency, total_minor, state, gateway, payment, body_digest, created_at, decide_by)
             SELECT $1, package_id, organization_id, $3, name, $4, currency, $5, 'holding', $6, $7, $8, $9, $10
             FROM packages WHERE package_id = $2",
            new.package_order_id.0,
            new.package_id.0,
            new.buyer_id.0,
            i32::try_from(new.quantity).unwrap_or(i32::MAX),
            new.total_minor,
            new.gateway.map(Gateway::as_str),
            new.gateway.map(|_| "pending"),
            &new.body.0[..],
            timestamp(new.created_at) as _,
            timestamp(new.decide_by) as _
        )
        .execute(&mut *transaction)
        .await?;
        let events: Vec<Uuid> = new.legs.iter().map(|leg| leg.event_id.0).collect();
        let holds: Vec<Uuid> = new.legs.iter().map(|leg| leg.hold_id.0).collect();
        let lines: Vec<Json<&Vec<LegLine>>> = new.legs.iter().map(|leg| Json(&leg.lines)).collect();
        sqlx::query!(
            "INSERT INTO package_order_legs (package_order_id, event_id, hold_id, lines)
             SELECT $1, event_id, hold_id, lines
             FROM unnest($2::uuid[], $3::uuid[], $4::jsonb[]) AS leg (event_id, hold_id, lines)",
            new.package_order_id.0,
            &events,
            &holds,
            &lines as _
        )
        .execute(&mut *transaction)
        .await?;
        let job = package_job(new.package_order_id, new.look_at);
        enqueue(&mut transaction, &[job], new.created_at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A package order.
    pub async fn package_order(
        &self,
        package_order_id: PackageOrderId,
    ) -> Result<Option<PackageOrderRow>, DatabaseError> {
        let mut rows = self.package_orders(&[package_order_id.0]).await?;
        Ok(rows.pop())
    }

    /// A buyer's package orders, latest first, from the one before `before`.
    pub async fn package_orders_of_buyer(
        &self,
        buyer_id: BuyerId,
        before: Option<PackageOrderId>,
        limit: usize,
    ) -> Result<Vec<PackageOrderRow>, DatabaseError> {
        let ids = sqlx::query_scalar!(
            "SELECT package_order_id FROM package_orders
             WHERE buyer_id = $1 AND ($2::uuid IS NULL OR (created_at, package_order_id) < (
                 SELECT before.created_at, before.package_order_id
                 FROM package_orders AS before WHERE before.package_order_id = $2))
             ORDER BY created_at DESC, package_order_id DESC LIMIT $3",
            buyer_id.0,
            before.map(|id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        let mut rows = self.package_orders(&ids).await?;
        rows.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.package_order_id)));
        Ok(rows)
    }

    async fn package_orders(&self, ids: &[Uuid]) -> Result<Vec<PackageOrderRow>, DatabaseError> {
        sqlx::query_as!(
            RawPackageOrder,
            r#"SELECT package_order_id, package_id, organization_id, buyer_id, name, quantity, currency, total_minor,
                   state, gateway, payment, reference, refunded_minor, reason, refused_by, body_digest,
                   created_at AS "created_at: Timestamp", decide_by AS "decide_by: Timestamp",
                   confirmed_at AS "confirmed_at: Timestamp", ended_at AS "ended_at: Timestamp",
                   (SELECT COALESCE(jsonb_agg(jsonb_build_object('event_id', leg.event_id, 'hold_id', leg.hold_id,
                        'lines', leg.lines) ORDER BY leg.event_id), '[]')
                    FROM package_order_legs AS leg
                    WHERE leg.package_order_id = package_orders.package_order_id)
                       AS "legs!: Json<Vec<PackageLegRow>>"
               FROM package_orders WHERE package_order_id = ANY($1)
               ORDER BY package_order_id"#,
            ids
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(PackageOrderRow::try_from)
        .collect()
    }
}

pub(super) fn package_job(package_order_id: PackageOrderId, due_at: UnixMillis) -> NewJob {
    NewJob {
        kind: JobKind::Package,
        subject_id: package_order_id.0,
        event_id: None,
        payload: None,
        due_at,
    }
}
