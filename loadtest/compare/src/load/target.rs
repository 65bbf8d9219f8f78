//! What clients ask, and for whom.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use onsale_domain::{SessionId, UserId};
use onsale_services::{ACCESS_TOKEN_LIFETIME_MS, Grant, TokenKeys, Tokens};
use uuid::Uuid;

use super::{Connection, Gathered, Ticket};
use crate::contender::{Operation, Sale};
use crate::{clock, host};

/// Buyers with a token each.
#[derive(Clone, Debug)]
pub struct Buyers(Arc<Vec<String>>);

impl Buyers {
    /// So many buyers, whose tokens are good for a quarter of an hour from now.
    pub fn mint(count: usize) -> anyhow::Result<Self> {
        let keys = TokenKeys::of_secret(host::TOKEN_SECRET.as_bytes())?;
        let signing = Tokens::new(keys, host::TOKEN_ISSUER, host::TOKEN_AUDIENCE);
        let issued_at = clock::now();
        let mint = |_| {
            signing.mint(&Grant {
                user_id: UserId(Uuid::now_v7()),
                session_id: SessionId(Uuid::now_v7()),
                generation: 0,
                roles: vec!["buyer".to_owned()],
                issued_at,
                expires_at: issued_at.plus_ms(ACCESS_TOKEN_LIFETIME_MS),
            })
        };
        let tokens: Result<Vec<_>, _> = (0..count.max(1)).map(mint).collect();
        Ok(Self(Arc::new(tokens?)))
    }
}

/// What all clients of a round ask for. Their requests walk through the buyers in turn, and through the sales in an
/// order without a pattern.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    sales: Vec<Asked>,
    buyers: Buyers,
    /// The status of a success.
    status: u16,
    /// Whether a success names a hold or an order.
    names: bool,
    next: AtomicU64,
    /// Begins every idempotency key of this round.
    run: String,
}

/// A request for a ticket of a sale.
#[derive(Debug)]
struct Asked {
    event_id: Uuid,
    /// First line and first header.
    head: String,
    body: String,
}

impl Target {
    /// Asks for one ticket of these sales, of which there is at least one.
    pub fn new(address: SocketAddr, operation: Operation, sales: &[Sale], buyers: &Buyers) -> Arc<Self> {
        let request = |sale: &Sale| {
            let Sale {
                event_id,
                ticket_type_id,
            } = sale;
            let path = match operation {
                Operation::Echo => "/echo".to_owned(),
                Operation::Hold => format!("/v1/events/{event_id}/holds"),
                Operation::Purchase => format!("/v1/events/{event_id}/purchases"),
            };
            let payment = match operation {
                Operation::Echo | Operation::Hold => "",
                Operation::Purchase => ",\"payment_method\":\"sim_approve\"",
            };
            let lines = format!("[{{\"ticket_type_id\":\"{ticket_type_id}\",\"quantity\":1}}]");
            Asked {
                event_id: *event_id,
                head: format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer "),
                body: format!("{{\"lines\":{lines}{payment}}}"),
            }
        };
        Arc::new(Self {
            address,
            sales: sales.iter().map(request).collect(),
            buyers: buyers.clone(),
            status: if operation == Operation::Echo { 200 } else { 201 },
            names: operation != Operation::Echo,
            next: AtomicU64::new(0),
            run: Uuid::now_v7().simple().to_string(),
        })
    }

    /// A connection to the server.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address).await
    }

    /// Whether an answer of this status is a success.
    pub const fn acknowledges(&self, status: u16) -> bool {
        status == self.status
    }

    /// Asks once and notes what was told; the status. `request` is room to write in. An acknowledgement that names
    /// nothing is an error, since nobody could look for its row.
    pub async fn ask(
        &self,
        connection: &mut Connection,
        request: &mut String,
        told: &mut Gathered,
    ) -> anyhow::Result<u16> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(asked) = self.sales.get(scattered(number, self.sales.len())) else {
            anyhow::bail!("there is nothing to ask for")
        };
        request.clear();
        request.push_str(&asked.head);
        request.push_str(&self.buyers.0[in_turn(number, self.buyers.0.len())]);
        write!(
            request,
            "\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             idempotency-key: {}-{number}\r\n\r\n{}",
            asked.body.len(),
            self.run,
            asked.body
        )?;
        let status = connection
            .ask(request)
            .await
            .inspect_err(|_| told.unanswered += 1)?;
        if self.acknowledges(status) {
            told.acknowledged += 1;
            if self.names {
                let id = connection.id().context("an acknowledgement without an id")?;
                told.tickets.push(Ticket {
                    event_id: asked.event_id,
                    id,
                });
            }
        } else {
            *told.refused.entry(status).or_default() += 1;
        }
        Ok(status)
    }
}

/// `SplitMix64` of a number, below a length.
fn scattered(number: u64, length: usize) -> usize {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    in_turn(z ^ (z >> 31), length)
}

fn in_turn(number: u64, length: usize) -> usize {
    let length = u64::try_from(length.max(1)).unwrap_or(1);
    usize::try_from(number % length).unwrap_or(0)
}
