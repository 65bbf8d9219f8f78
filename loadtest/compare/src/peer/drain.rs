//! From the stream to Postgres. The position is kept in the rows' transaction, so that each reservation becomes one
//! row, whoever crashes.

use anyhow::Context as _;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use sqlx::PgPool;
use uuid::Uuid;

use super::Reservation;

/// The stream of all reservations.
pub(super) const STREAM: &str = "reservations";
/// Reservations in one transaction.
const BATCH: usize = 1_000;
/// How long a read waits for the first of them.
const BLOCK_MS: usize = 100;
const PACKED_BYTES: usize = 68;

/// What a reservation is in the stream: four ids and the quantity.
pub(super) fn pack(reservation: &Reservation) -> [u8; PACKED_BYTES] {
    let mut packed = [0; PACKED_BYTES];
    let ids = [
        reservation.id,
        reservation.event_id,
        reservation.ticket_type_id,
        reservation.buyer_id,
    ];
    for (place, id) in packed.chunks_exact_mut(16).zip(ids) {
        place.copy_from_slice(id.as_bytes());
    }
    packed[64..].copy_from_slice(&reservation.quantity.to_be_bytes());
    packed
}

fn unpack(packed: &[u8]) -> anyhow::Result<Reservation> {
    let packed: &[u8; PACKED_BYTES] = packed.try_into().context("an entry of another length")?;
    let id = |number: usize| -> anyhow::Result<Uuid> { Ok(Uuid::from_slice(&packed[number * 16..][..16])?) };
    Ok(Reservation {
        id: id(0)?,
        event_id: id(1)?,
        ticket_type_id: id(2)?,
        buyer_id: id(3)?,
        quantity: i32::from_be_bytes(packed[64..].try_into()?),
    })
}

/// Drains until something fails.
pub(super) async fn run(mut redis: MultiplexedConnection, postgres: PgPool) -> anyhow::Result<()> {
    let options = StreamReadOptions::default().count(BATCH).block(BLOCK_MS);
    let mut last_id: String = sqlx::query_scalar("SELECT last_id FROM drained WHERE stream = $1")
        .bind(STREAM)
        .fetch_one(&postgres)
        .await?;
    // A process that was killed between the two has kept these and left them here.
    let _: u64 = redis::cmd("XTRIM")
        .arg(&[STREAM, "MINID", "=", last_id.as_str()])
        .query_async(&mut redis)
        .await?;
    let _: u64 = redis.xdel(STREAM, &[last_id.as_str()]).await?;
    loop {
        let read: Option<StreamReadReply> = redis
            .xread_options(&[STREAM], &[last_id.as_str()], &options)
            .await?;
        let entries = read
            .into_iter()
            .flat_map(|read| read.keys)
            .flat_map(|key| key.ids);
        let entries: Vec<StreamId> = entries.collect();
        let Some(last) = entries.last() else { continue };
        last_id.clone_from(&last.id);
        keep(&postgres, &entries, &last_id).await?;
        // What is kept is not needed twice.
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        let _: u64 = redis.xdel(STREAM, &ids).await?;
    }
}

async fn keep(postgres: &PgPool, entries: &[StreamId], last_id: &str) -> anyhow::Result<()> {
    let mut columns = Columns::default();
    for entry in entries {
        let packed: Vec<u8> = entry.get("r").context("an entry without its field")?;
        columns.push(&unpack(&packed)?);
    }
    let mut transaction = postgres.begin().await?;
    sqlx::query(
        "INSERT INTO reservations (reservation_id, event_id, ticket_type_id, buyer_id, quantity)
         SELECT reservation_id, event_id, ticket_type_id, buyer_id, quantity
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[])
              AS entry (reservation_id, event_id, ticket_type_id, buyer_id, quantity)
         ON CONFLICT DO NOTHING",
    )
    .bind(columns.ids)
    .bind(columns.event_ids)
    .bind(columns.ticket_type_ids)
    .bind(columns.buyer_ids)
    .bind(columns.quantities)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE drained SET last_id = $2 WHERE stream = $1")
        .bind(STREAM)
        .bind(last_id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// A batch, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    event_ids: Vec<Uuid>,
    ticket_type_ids: Vec<Uuid>,
    buyer_ids: Vec<Uuid>,
    quantities: Vec<i32>,
}

impl Columns {
    fn push(&mut self, reservation: &Reservation) {
        self.ids.push(reservation.id);
        self.event_ids.push(reservation.event_id);
        self.ticket_type_ids.push(reservation.ticket_type_id);
        self.buyer_ids.push(reservation.buyer_id);
        self.quantities.push(reservation.quantity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_comes_out_of_the_stream_as_it_went_in() {
        let reservation = Reservation {
            id: Uuid::now_v7(),
            event_id: Uuid::now_v7(),
            ticket_type_id: Uuid::now_v7(),
            buyer_id: Uuid::now_v7(),
            quantity: 3,
        };
        assert_eq!(unpack(&pack(&reservation)).unwrap(), reservation);
        assert!(unpack(b"short").is_err());
    }
}
