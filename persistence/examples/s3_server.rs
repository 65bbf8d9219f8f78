//! An S3 server for one machine, for `cargo xtask dev` and tests: `s3_server DIRECTORY BUCKET ADDRESS`.
//!
//! Files are below the directory, in a folder for each bucket, which is made. Signatures are checked against the key in
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. It runs until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [directory, bucket, address] = arguments.as_slice() else {
        eprintln!("usage: s3_server DIRECTORY BUCKET ADDRESS");
        return ExitCode::from(2);
    };
    match serve(Path::new(directory), bucket, address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("s3_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(
    directory: &Path,
    bucket: &str,
    address: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    std::fs::create_dir_all(directory.join(bucket))?;
    let files = s3s_fs::FileSystem::new(directory).map_err(|error| format!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(id, secret));
    let service = builder.build();
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that hangs up is none of our business.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
