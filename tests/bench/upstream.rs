//! The other side of `tests/bench/gate.sh`: a bare axum server that answers `ok` (at `/asked` nothing, with 204), and a measure of the disk.
//!
//! `upstream serve 127.0.0.1:18200` is both the upstream of every proxy and, on the server's core, the floor that
//! ratios are taken of. `upstream fdatasync DIR` says what making 4 KiB durable costs there. Run by `cargo bench`,
//! which names neither, it does nothing.

#![expect(clippy::print_stdout, reason = "figures and addresses are what this program gives")]

use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SYNCS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", address] => serve(address.parse()?),
        ["fdatasync", dir] => fdatasync(Path::new(dir)),
        _ => {
            println!("upstream: nothing to do; tests/bench/gate.sh uses this program");
            Ok(())
        }
    }
}

/// One thread, as it has one core.
fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpListener::bind(address).await?.tap_io(|stream| {
            drop(stream.set_nodelay(true));
        });
        // For a proxy that asks first: a body would make nginx close the connection that it asks on.
        let asked = any(|| async { StatusCode::NO_CONTENT });
        let router = Router::new().route("/asked", asked).fallback(any(|| async { "ok" }));
        Ok(axum::serve(socket, router).await?)
    })
}

/// Prints the median and the 99th percentile in microseconds.
fn fdatasync(dir: &Path) -> Result<(), Box<dyn Error>> {
    let path = dir.join("fdatasync");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed().as_micros());
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    let at = |percent: usize| times.get(SYNCS * percent / 100).copied().unwrap_or_default();
    println!("{} {}", at(50), at(99));
    Ok(())
}
