//! Where files are.

use onsale_domain::{EventId, OrderId, TicketId, UnixMillis};
use uuid::Uuid;

use crate::convert::{limit_out, timestamp, version_in, version_out};
use crate::objects::{ObjectKey, ObjectKind};
use crate::{Database, DatabaseError};

/// A file that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTicketFile {
    /// Whose event.
    pub event_id: EventId,
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Of which version.
    pub version: u32,
    /// What it is.
    pub kind: ObjectKind,
    /// Where it is to be, unless it has a place already.
    pub object_key: ObjectKey,
}

/// A file, or the place of one that is not stored yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketFileRow {
    /// Whose event.
    pub event_id: EventId,
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Of which version.
    pub version: u32,
    /// What it is.
    pub kind: ObjectKind,
    /// Where it is.
    pub object_key: ObjectKey,
    /// BLAKE3 of the file; `None` until it is stored.
    pub content_digest: Option<[u8; 32]>,
}

/// As the columns come.
struct RawFile {
    event_id: Uuid,
    ticket_id: Uuid,
    version: i32,
    kind: String,
    object_key: String,
    content_digest: Option<Vec<u8>>,
}

impl TryFrom<RawFile> for TicketFileRow {
    type Error = DatabaseError;

    fn try_from(raw: RawFile) -> Result<Self, DatabaseError> {
        let damaged =
            |what: &str| DatabaseError::Damaged(format!("{what} of a file of ticket {}", raw.ticket_id));
        let digest = raw.content_digest.as_deref().map(<[u8; 32]>::try_from);
        Ok(Self {
            event_id: EventId(raw.event_id),
            ticket_id: TicketId(raw.ticket_id),
            version: version_in(raw.version),
            kind: ObjectKind::parse(&raw.kind).ok_or_else(|| damaged("kind"))?,
            object_key: ObjectKey::parse(&raw.object_key).ok_or_else(|| damaged("key"))?,
            content_digest: digest.transpose().map_err(|_| damaged("digest"))?,
        })
    }
}

impl Database {
    /// Gives files their places. What has one keeps it, so that several who make the same file write the same place.
    pub async fn reserve_ticket_files(
        &self,
        files: &[NewTicketFile],
        now: UnixMillis,
    ) -> Result<Vec<TicketFileRow>, DatabaseError> {
        let event_ids: Vec<Uuid> = files.iter().map(|file| file.event_id.0).collect();
        let ticket_ids: Vec<Uuid> = files.iter().map(|file| file.ticket_id.0).collect();
        let versions: Vec<i32> = files.iter().map(|file| version_out(file.version)).collect();
        let kinds: Vec<&str> = files.iter().map(|file| file.kind.as_str()).collect();
        let keys: Vec<String> = files.iter().map(|file| file.object_key.to_string()).collect();
        // In one order, so that two who reserve the same files do not wait for each other in a circle.
        let rows = sqlx::query_as!(
            RawFile,
            r#"INSERT INTO ticket_files AS kept (event_id, ticket_id, version, kind, object_key, created_at)
               SELECT event_id, ticket_id, version, kind, object_key, $6
               FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[])
                   AS file (event_id, ticket_id, version, kind, object_key)
               ORDER BY event_id, ticket_id, version, kind
               ON CONFLICT (event_id, ticket_id, version, kind) DO UPDATE SET object_key = kept.object_key
               RETURNING event_id, ticket_id, version, kind, object_key, content_digest"#,
            &event_ids,
            &ticket_ids,
            &versions,
            &kinds as _,
            &keys,
            timestamp(now) as _
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(TicketFileRow::try_from).collect()
    }

    /// Notes that files are stored, with their digests.
    pub async fn ticket_files_stored(&self, files: &[TicketFileRow]) -> Result<(), DatabaseError> {
        let stored = files
            .iter()
            .filter_map(|file| Some((file, file.content_digest?.to_vec())));
        let (files, digests): (Vec<&TicketFileRow>, Vec<Vec<u8>>) = stored.unzip();
        let (event_ids, ticket_ids, versions, kinds) = names(&files);
        sqlx::query!(
            "UPDATE ticket_files SET content_digest = file.content_digest
             FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bytea[])
                 AS file (event_id, ticket_id, version, kind, content_digest)
             WHERE ticket_files.event_id = file.event_id AND ticket_files.ticket_id = file.ticket_id
               AND ticket_files.version = file.version AND ticket_files.kind = file.kind",
            &event_ids,
            &ticket_ids,
            &versions,
            &kinds as _,
            &digests
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// A file that is stored.
    pub async fn ticket_file(
        &self,
        event_id: EventId,
        ticket_id: TicketId,
        version: u32,
        kind: ObjectKind,
    ) -> Result<Option<TicketFileRow>, DatabaseError> {
        let row = sqlx::query_as!(
            RawFile,
            "SELECT event_id, ticket_id, version, kind, object_key, content_digest
             FROM ticket_files
             WHERE event_id = $1 AND ticket_id = $2 AND version = $3 AND kind = $4 AND content_digest IS NOT NULL",
            event_id.0,
            ticket_id.0,
            version_out(version),
            kind.as_str()
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(TicketFileRow::try_from).transpose()
    }

    /// Whether any file of an order's tickets was ever noted as stored and is still there.
    pub async fn has_ticket_files(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<bool, DatabaseError> {
        let found = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM ticket_files AS file JOIN tickets AS ticket USING (event_id, ticket_id)
                   WHERE ticket.event_id = $1 AND ticket.order_id = $2 AND file.content_digest IS NOT NULL
               ) AS "found!""#,
            event_id.0,
            order_id.0
        )
        .fetch_one(self.pool())
        .await?;
        Ok(found)
    }

    /// Files of an order's tickets that its buyer still owns, in the order of the tickets, stored or not.
    pub async fn ticket_files_of_buyer(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Vec<TicketFileRow>, DatabaseError> {
        let rows = sqlx::query_as!(
            RawFile,
            "SELECT file.event_id, file.ticket_id, file.version, file.kind, file.object_key, file.content_digest
             FROM ticket_files AS file
             JOIN tickets AS ticket USING (event_id, ticket_id, version)
             JOIN ticket_orders AS ticket_order USING (event_id, order_id)
             WHERE ticket.event_id = $1 AND ticket.order_id = $2 AND ticket.owner_id = ticket_order.buyer_id
               AND ticket.status IN ('valid', 'used')
             ORDER BY file.ticket_id, file.kind",
            event_id.0,
            order_id.0
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(TicketFileRow::try_from).collect()
    }

    /// Files of an order that nobody may have any more: of a former version, or of a ticket that lets nobody in.
    pub async fn dead_ticket_files(
        &self,
        event_id: EventId,
        order_id: OrderId,
        limit: usize,
    ) -> Result<Vec<TicketFileRow>, DatabaseError> {
        let rows = sqlx::query_as!(
            RawFile,
            "SELECT file.event_id, file.ticket_id, file.version, file.kind, file.object_key, file.content_digest
             FROM ticket_files AS file JOIN tickets AS ticket USING (event_id, ticket_id)
             WHERE ticket.event_id = $1 AND ticket.order_id = $2
               AND (file.version < ticket.version OR ticket.status NOT IN ('valid', 'used'))
             ORDER BY file.ticket_id, file.version, file.kind LIMIT $3",
            event_id.0,
            order_id.0,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(TicketFileRow::try_from).collect()
    }

    /// Takes away the rows of files that are not in the store any more.
    pub async fn forget_ticket_files(&self, files: &[TicketFileRow]) -> Result<(), DatabaseError> {
        let files: Vec<&TicketFileRow> = files.iter().collect();
        let (event_ids, ticket_ids, versions, kinds) = names(&files);
        sqlx::query!(
            "DELETE FROM ticket_files
             USING unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) AS file (event_id, ticket_id, version, kind)
             WHERE ticket_files.event_id = file.event_id AND ticket_files.ticket_id = file.ticket_id
               AND ticket_files.version = file.version AND ticket_files.kind = file.kind",
            &event_ids,
            &ticket_ids,
            &versions,
            &kinds as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// The columns of the primary key.
fn names(files: &[&TicketFileRow]) -> (Vec<Uuid>, Vec<Uuid>, Vec<i32>, Vec<&'static str>) {
    let mut names = (vec![], vec![], vec![], vec![]);
    for file in files {
        names.0.push(file.event_id.0);
        names.1.push(file.ticket_id.0);
        names.2.push(version_out(file.version));
        names.3.push(file.kind.as_str());
    }
    names
}
