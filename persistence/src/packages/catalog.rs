//! The packages that staff edit. Each change is one transaction with its entry in the audit log.

use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, Inclusion, OrganizationId, PackageId, Sequence, UnixMillis};
use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::package_rows::RawPackage;
use super::{NewPackage, PackageChange, PackageError, PackageRow};
use crate::audit_log::{AuditEntry, append};
use crate::convert::{limit_out, seq_in, timestamp, uuids};
use crate::read::PackageStatus;
use crate::{Database, DatabaseError};

impl Database {
    /// Makes a package. Errors: [`DatabaseError::Conflict`] when its id is taken.
    pub async fn insert_package(
        &self,
        new: &NewPackage,
        now: UnixMillis,
        entry: AuditEntry,
    ) -> Result<PackageRow, DatabaseError> {
        let content = &new.content;
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "INSERT INTO packages (package_id, organization_id, name, currency, price_minor, status, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            new.package_id.0,
            new.organization_id.0,
            content.name,
            new.currency.code(),
            content.price_minor,
            content.status.as_str(),
            timestamp(now) as _
        )
        .execute(&mut *transaction)
        .await?;
        insert_inclusions(&mut transaction, new.package_id, &content.inclusions).await?;
        let row = PackageRow {
            package_id: new.package_id,
            organization_id: new.organization_id,
            name: content.name.clone(),
            currency: new.currency,
            price_minor: content.price_minor,
            status: content.status,
            version: 1,
            created_at: now,
            inclusions: content.inclusions.clone(),
        };
        log(&mut transaction, entry, None, Some(&row)).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Replaces what staff wrote about a package. Price and inclusions stay where some were sold, and so does that it
    /// can be seen.
    pub async fn change_package(
        &self,
        package_id: PackageId,
        expected_version: Sequence,
        change: &PackageChange,
        entry: AuditEntry,
    ) -> Result<PackageRow, PackageError> {
        let mut transaction = self.begin().await?;
        let before = locked(&mut transaction, package_id, expected_version).await?;
        let keeps = change.price_minor == before.price_minor
            && change.inclusions == before.inclusions
            && (change.status != PackageStatus::Draft || before.status == PackageStatus::Draft);
        if !keeps && is_sold(&mut transaction, package_id).await? {
            return Err(PackageError::Sold);
        }
        let version = sqlx::query_scalar!(
            "UPDATE packages SET name = $2, price_minor = $3, status = $4, version = version + 1
             WHERE package_id = $1 RETURNING version",
            package_id.0,
            change.name,
            change.price_minor,
            change.status.as_str()
        )
        .fetch_one(&mut *transaction)
        .await?;
        if change.inclusions != before.inclusions {
            sqlx::query!(
                "DELETE FROM package_inclusions WHERE package_id = $1",
                package_id.0
            )
            .execute(&mut *transaction)
            .await?;
            insert_inclusions(&mut transaction, package_id, &change.inclusions).await?;
        }
        let after = PackageRow {
            name: change.name.clone(),
            price_minor: change.price_minor,
            status: change.status,
            inclusions: change.inclusions.clone(),
            version: seq_in(version),
            ..before.clone()
        };
        log(&mut transaction, entry, Some(&before), Some(&after)).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a package of which none was sold.
    pub async fn delete_package(
        &self,
        package_id: PackageId,
        expected_version: Sequence,
        entry: AuditEntry,
    ) -> Result<(), PackageError> {
        let mut transaction = self.begin().await?;
        let before = locked(&mut transaction, package_id, expected_version).await?;
        if is_sold(&mut transaction, package_id).await? {
            return Err(PackageError::Sold);
        }
        sqlx::query!("DELETE FROM packages WHERE package_id = $1", package_id.0)
            .execute(&mut *transaction)
            .await?;
        log(&mut transaction, entry, Some(&before), None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A package.
    pub async fn package(&self, package_id: PackageId) -> Result<Option<PackageRow>, DatabaseError> {
        let mut connection = self.pool().acquire().await?;
        find(&mut connection, package_id).await
    }

    /// Packages in the order in which they were made, from the one after `after`. `None`: of any organization.
    pub async fn packages(
        &self,
        organizations: Option<&[OrganizationId]>,
        statuses: &[PackageStatus],
        after: Option<PackageId>,
        limit: usize,
    ) -> Result<Vec<PackageRow>, DatabaseError> {
        let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
        sqlx::query_as!(
            RawPackage,
            r#"SELECT package_id, organization_id, name, currency, price_minor, status, version,
                   created_at AS "created_at: Timestamp",
                   (SELECT COALESCE(jsonb_agg(jsonb_build_object('event_id', event_id,
                        'ticket_type_id', ticket_type_id, 'quantity', quantity,
                        'unit_share_minor', unit_share_minor) ORDER BY position), '[]')
                    FROM package_inclusions AS inclusion
                    WHERE inclusion.package_id = packages.package_id) AS "inclusions!: Json<Vec<Inclusion>>"
               FROM packages
               WHERE ($1::uuid[] IS NULL OR organization_id = ANY($1)) AND status = ANY($2)
                 AND ($3::uuid IS NULL OR package_id > $3)
               ORDER BY package_id LIMIT $4"#,
            uuids(organizations) as _,
            &statuses as _,
            after.map(|id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(PackageRow::try_from)
        .collect()
    }

    /// Whether a package includes tickets of an event.
    pub async fn is_in_a_package(&self, event_id: EventId) -> Result<bool, DatabaseError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM package_inclusions WHERE event_id = $1) AS "is_included!""#,
            event_id.0
        )
        .fetch_one(self.pool())
        .await?)
    }
}

async fn find(
    connection: &mut PgConnection,
    package_id: PackageId,
) -> Result<Option<PackageRow>, DatabaseError> {
    sqlx::query_as!(
        RawPackage,
        r#"SELECT package_id, organization_id, name, currency, price_minor, status, version,
               created_at AS "created_at: Timestamp",
               (SELECT COALESCE(jsonb_agg(jsonb_build_object('event_id', event_id,
                    'ticket_type_id', ticket_type_id, 'quantity', quantity,
                    'unit_share_minor', unit_share_minor) ORDER BY position), '[]')
                FROM package_inclusions AS inclusion
                WHERE inclusion.package_id = packages.package_id) AS "inclusions!: Json<Vec<Inclusion>>"
           FROM packages WHERE package_id = $1"#,
        package_id.0
    )
    .fetch_optional(connection)
    .await?
    .map(PackageRow::try_from)
    .transpose()
}

/// A package at the version that the editor saw, which nobody else changes or sells until the end of the transaction.
async fn locked(
    connection: &mut PgConnection,
    package_id: PackageId,
    expected_version: Sequence,
) -> Result<PackageRow, PackageError> {
    sqlx::query!(
        "SELECT 1 AS one FROM packages WHERE package_id = $1 FOR UPDATE",
        package_id.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    let package = find(connection, package_id)
        .await?
        .ok_or(PackageError::NotFound)?;
    if package.version != expected_version {
        let version = package.version;
        return Err(PackageError::VersionMismatch { version });
    }
    Ok(package)
}

/// Whether a purchase of it went through, or may yet.
async fn is_sold(connection: &mut PgConnection, package_id: PackageId) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM package_orders WHERE package_id = $1 AND (state <> 'cancelled' OR confirmed_at IS NOT NULL)
           ) AS "is_sold!""#,
        package_id.0
    )
    .fetch_one(connection)
    .await?)
}

async fn insert_inclusions(
    connection: &mut PgConnection,
    package_id: PackageId,
    inclusions: &[Inclusion],
) -> Result<(), DatabaseError> {
    let events: Vec<Uuid> = inclusions.iter().map(|inclusion| inclusion.event_id.0).collect();
    let types: Vec<Uuid> = inclusions
        .iter()
        .map(|inclusion| inclusion.ticket_type_id.0)
        .collect();
    let quantities: Vec<i64> = inclusions
        .iter()
        .map(|inclusion| i64::from(inclusion.quantity))
        .collect();
    let shares: Vec<i64> = inclusions
        .iter()
        .map(|inclusion| inclusion.unit_share_minor)
        .collect();
    sqlx::query!(
        "INSERT INTO package_inclusions (package_id, position, event_id, ticket_type_id, quantity, unit_share_minor)
         SELECT $1, position - 1, event_id, ticket_type_id, quantity, unit_share_minor
         FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[])
             WITH ORDINALITY AS inclusion (event_id, ticket_type_id, quantity, unit_share_minor, position)",
        package_id.0,
        &events,
        &types,
        &quantities,
        &shares
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was done, in the transaction that did it and as the last thing there.
async fn log(
    connection: &mut PgConnection,
    entry: AuditEntry,
    before: Option<&PackageRow>,
    after: Option<&PackageRow>,
) -> Result<(), DatabaseError> {
    let mut entry = entry;
    if let Some(package) = after.or(before) {
        entry = entry.on("package", package.package_id.to_string());
        entry.organization_id = Some(package.organization_id);
    }
    entry.before = before.map(state);
    entry.after = after.map(state);
    append(connection, &[entry]).await
}

fn state(package: &PackageRow) -> Value {
    json!({
        "name": package.name,
        "currency": package.currency.code(),
        "price_minor": package.price_minor,
        "status": package.status.as_str(),
        "inclusions": package.inclusions,
    })
}
