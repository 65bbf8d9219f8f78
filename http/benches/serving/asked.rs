//! What benchmarks ask a server for.

use std::sync::Arc;

use axum::routing::post;
use axum::{Json, Router};
use onsale_domain::Command;

use super::{Client, Sale, Server, support};

/// A bare JSON echo, to compare with.
pub fn echo() -> Router {
    Router::new().route(
        "/echo",
        post(|Json(body): Json<serde_json::Value>| async { Json(body) }),
    )
}

/// Events to ask for: one for holds, one whose tickets cost something, and one that is sold out.
pub struct Asked {
    free: Sale,
    priced: Sale,
    sold_out: Sale,
}

impl Asked {
    pub async fn prepare(server: &Server) -> Self {
        let sold_out = server.sale(1).await;
        let hold = support::place(sold_out.ticket_type_id);
        let Command::PlaceHold(place) = &hold else {
            panic!("a hold")
        };
        let confirm = support::confirm(place.hold_id, 1);
        server.engine.execute(sold_out.event_id, hold).await.unwrap();
        server.engine.execute(sold_out.event_id, confirm).await.unwrap();
        Self {
            free: server.sale(10_000_000).await,
            priced: server.priced_sale(10_000_000).await,
            sold_out,
        }
    }

    /// Who asks for `echo`, `sold_out`, `hold` or `purchase`.
    pub fn client(&self, name: &str, server: &Server, tokens: &Arc<Vec<String>>) -> Arc<Client> {
        let holding = |path: &str, sale: Sale, status| {
            Client::new(server.address, path, sale.ticket_type_id, status, tokens)
        };
        match name {
            "echo" => holding("/echo", self.free, 200),
            "sold_out" => holding(&self.sold_out.path(), self.sold_out, 409),
            "hold" => holding(&self.free.path(), self.free, 201),
            "purchase" => Client::buying(server.address, &self.priced, tokens),
            _ => panic!("nothing is called {name}"),
        }
    }
}
