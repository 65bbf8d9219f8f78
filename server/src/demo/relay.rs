//! Stands between the serving process and the embedded Postgres.
//!
//! The embedded server takes one connection at a time and ends for good when a read from its client fails, which is
//! what a client killed with -9 looks like. The relay takes clients one after the other, ends each connection to the
//! server politely however its client ended, and waits for the server's clean-up before it lets the next one in.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

/// A relay that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Relay {
    /// Listens on a free port of the loopback and relays to the server.
    pub(crate) async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("relay port")?;
        let address = listener.local_addr().context("relay port")?;
        let turn = Arc::new(Mutex::new(()));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let turn = Arc::clone(&turn);
                tokio::spawn(async move {
                    let _turn = turn.lock().await;
                    if let Err(error) = relay(client, server).await {
                        tracing::debug!("relay: {error:#}");
                    }
                });
            }
        });
        Ok(Self {
            address,
            _task: AbortOnDropHandle::new(task),
        })
    }

    /// Where clients connect.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn relay(client: TcpStream, server: SocketAddr) -> anyhow::Result<()> {
    let server = TcpStream::connect(server)
        .await
        .context("embedded Postgres is gone")?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = tokio::spawn(requests(from_client, to_server));
    answers(from_server, to_client).await;
    there.abort();
    Ok(())
}

/// Passes requests on. However the client ends, the server reads a plain end of stream.
async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf) {
    let _ = tokio::io::copy(&mut client, &mut server).await;
    let _ = server.shutdown().await;
}

/// Passes answers back until the server closes, throwing away what a dead client no longer takes.
async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf) {
    let mut buffer = vec![0; 64 * 1024];
    let mut client_lives = true;
    while let Ok(read @ 1..) = server.read(&mut buffer).await {
        if client_lives {
            client_lives = client.write_all(&buffer[..read]).await.is_ok();
        }
    }
}
