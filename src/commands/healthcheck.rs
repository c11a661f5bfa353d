//! `cedargate healthcheck`: asks a running gate whether it is ready, for containers without a shell.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::settings;

const PATIENCE: Duration = Duration::from_secs(5);

/// Succeeds when `/readyz` on `ops_listen` answers 200.
///
/// # Errors
/// When nothing listens there, or the gate is not ready.
pub async fn run(file: Option<&Path>) -> Result<()> {
    let mut address = settings(file)?.ops_listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let asked = tokio::time::timeout(PATIENCE, ask(address)).await;
    let answer = asked
        .with_context(|| format!("no answer from {address} within {} s", PATIENCE.as_secs()))??;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(
        status.starts_with("HTTP/1.1 200"),
        "not ready: {}",
        answer.lines().last().unwrap_or_default()
    );
    Ok(())
}

async fn ask(address: std::net::SocketAddr) -> Result<String> {
    let connected = TcpStream::connect(address).await;
    let mut stream =
        connected.with_context(|| format!("no gate listens on {address} (`ops_listen`)"))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(16 * 1024).read_to_string(&mut answer).await?;
    Ok(answer)
}
