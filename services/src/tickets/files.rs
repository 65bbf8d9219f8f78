//! Makes the files of an order's tickets, in the background.
//!
//! A place is reserved for each file before it is rendered and stored, so a run that ends halfway leaves nothing that the
//! next does not find. Once all are stored, the buyer is written to; then they are noted as stored. A run that ends
//! between the two writes to the buyer once more, and no run forgets to. Files that nobody may have any more go with the
//! same job: each transfer asks for it.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onsale_domain::{EventId, OrderId, TicketId};
use onsale_persistence::{Job, JobKind, NewTicketFile, ObjectKey, ObjectKind, TicketFaceRow, TicketFileRow};

use super::{TicketFace, TicketPass, calendar_file, pdf_file};
use crate::{JobError, JobHandler, JobLimits, JobOutcome, ServiceError, Services};

/// Orders at work at once in a process.
const ORDERS_AT_ONCE: usize = 8;
/// Longest run: an order of many tickets in a slow store.
const RUN_MAX: Duration = Duration::from_mins(5);
/// Dead files that are taken away in one go.
const DEAD_BATCH: usize = 200;

/// Makes ticket files: the handler of [`JobKind::TicketFiles`].
pub struct TicketFiles {
    services: Services,
}

/// A ticket's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFile {
    /// Of which ticket.
    pub ticket_id: TicketId,
    /// What it is.
    pub kind: ObjectKind,
    /// What it says.
    pub bytes: Bytes,
}

impl TicketFiles {
    /// Makes them for these use cases.
    pub fn new(services: Services) -> Self {
        Self { services }
    }
}

impl JobHandler for TicketFiles {
    fn kind(&self) -> JobKind {
        JobKind::TicketFiles
    }

    fn limits(&self) -> JobLimits {
        JobLimits {
            at_once: ORDERS_AT_ONCE,
            run: RUN_MAX,
            ..JobLimits::default()
        }
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>> {
        Box::pin(async move {
            let order_id = OrderId(job.subject_id);
            let event_id = match job.event_id {
                Some(event_id) => event_id,
                None => self.services.event_of(order_id.route()).await?,
            };
            self.services.make_ticket_files(event_id, order_id).await?;
            Ok(JobOutcome::Done)
        })
    }
}

impl Services {
    /// Makes and stores what files an order's tickets lack, and takes away those that nobody may have any more.
    async fn make_ticket_files(&self, event_id: EventId, order_id: OrderId) -> Result<(), ServiceError> {
        let database = self.database();
        let faces = database.ticket_faces(event_id, order_id).await?;
        let is_first = !database.has_ticket_files(event_id, order_id).await?;
        let mut stored = Vec::new();
        for (face, places) in self.places(event_id, faces).await? {
            let face = TicketFace::of_row(event_id, order_id, face);
            stored.extend(self.make_files(face, places).await?);
        }
        if !stored.is_empty() {
            if is_first {
                self.enqueue_order_mail(event_id, order_id).await?;
            }
            database.ticket_files_stored(&stored).await?;
        }
        self.drop_dead_files(event_id, order_id).await
    }

    /// Tickets with the places of those files that are not stored yet.
    async fn places(
        &self,
        event_id: EventId,
        faces: Vec<TicketFaceRow>,
    ) -> Result<Vec<(TicketFaceRow, Vec<TicketFileRow>)>, ServiceError> {
        let mut wanted = Vec::with_capacity(faces.len() * ObjectKind::ALL.len());
        for face in &faces {
            for kind in ObjectKind::ALL {
                wanted.push(NewTicketFile {
                    event_id,
                    ticket_id: face.ticket_id,
                    version: face.version,
                    kind,
                    object_key: ObjectKey::random()?,
                });
            }
        }
        let mut places = self.database().reserve_ticket_files(&wanted, self.now()).await?;
        places.retain(|place| place.content_digest.is_none());
        places.sort_by_key(|place| place.ticket_id);
        Ok(faces
            .into_iter()
            .map(|face| {
                let first = places.partition_point(|place| place.ticket_id < face.ticket_id);
                let end = places.partition_point(|place| place.ticket_id <= face.ticket_id);
                let of_ticket = places[first..end].to_vec();
                (face, of_ticket)
            })
            .collect())
    }

    /// Renders a ticket's files and stores them in their places.
    async fn make_files(
        &self,
        face: TicketFace,
        places: Vec<TicketFileRow>,
    ) -> Result<Vec<TicketFileRow>, ServiceError> {
        let mut stored = Vec::with_capacity(places.len());
        for mut place in places {
            let (services, face) = (self.clone(), face.clone());
            let rendered = self.ticketing().workers.run(move || {
                let bytes = services.render(&face, place.kind)?;
                let digest = blake3::hash(&bytes);
                Ok::<_, ServiceError>((bytes, digest))
            });
            let (bytes, digest) = rendered.await??;
            let objects = &self.ticketing().objects;
            objects.put(&place.object_key, place.kind, bytes).await?;
            place.content_digest = Some(*digest.as_bytes());
            stored.push(place);
        }
        Ok(stored)
    }

    /// One file of a ticket.
    fn render(&self, face: &TicketFace, kind: ObjectKind) -> Result<Bytes, ServiceError> {
        match kind {
            ObjectKind::Pdf => {
                let pass = TicketPass {
                    event_id: face.event_id,
                    ticket_id: face.ticket_id,
                    version: face.version,
                };
                let rendered = pdf_file(face, &pass.encode(self.ticket_keys()));
                let pdf = rendered.map_err(|error| {
                    tracing::error!(%error, ticket_id = %face.ticket_id, "a ticket could not be rendered");
                    ServiceError::Internal("a ticket could not be rendered")
                })?;
                Ok(pdf.into())
            }
            ObjectKind::Calendar => Ok(calendar_file(face).into()),
        }
    }

    /// The store goes first: a file whose row is gone would never be found again.
    async fn drop_dead_files(&self, event_id: EventId, order_id: OrderId) -> Result<(), ServiceError> {
        let database = self.database();
        loop {
            let dead = database.dead_ticket_files(event_id, order_id, DEAD_BATCH).await?;
            for file in &dead {
                self.ticketing().objects.delete(&file.object_key).await?;
            }
            database.forget_ticket_files(&dead).await?;
            if dead.len() < DEAD_BATCH {
                return Ok(());
            }
        }
    }

    /// Files of the tickets of an order that its buyer still owns, as they are stored; `None` when all of them have more
    /// bytes than `bytes_max`.
    pub async fn order_files(
        &self,
        event_id: EventId,
        order_id: OrderId,
        bytes_max: usize,
    ) -> Result<Option<Vec<TicketFile>>, ServiceError> {
        let mut bytes_left = bytes_max;
        let mut files = Vec::new();
        for place in self.database().ticket_files_of_buyer(event_id, order_id).await? {
            let stored = self.ticketing().objects.get(&place.object_key).await?;
            let bytes = stored.ok_or(ServiceError::FileNotReady)?;
            let Some(left) = bytes_left.checked_sub(bytes.len()) else {
                return Ok(None);
            };
            bytes_left = left;
            files.push(TicketFile {
                ticket_id: place.ticket_id,
                kind: place.kind,
                bytes,
            });
        }
        Ok(Some(files))
    }
}
