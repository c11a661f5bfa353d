//! A proxy between the browser and the gate (RFC 9112 section 3.2.2), which a test tells what to hold back, to answer
//! itself and to cut, as networks and proxies of the real world do.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::wire::PATIENCE;

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Order {
    /// It waits until the order is taken back.
    Hold,
    /// It is answered here with this status, as a page of somebody else.
    Answer(u16),
}

/// A request as it came: `GET /console/decisions?q=x`.
pub(crate) type Asked = String;

/// A running proxy. Ends with the test.
pub(crate) struct Between {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// Requests whose line contains the text are treated so.
    order: watch::Sender<Option<(String, Order)>>,
    asked: watch::Sender<Vec<Asked>>,
    /// Ends what is open.
    cut: Mutex<CancellationToken>,
}

impl Between {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            order: watch::Sender::new(None),
            asked: watch::Sender::new(Vec::new()),
            cut: Mutex::default(),
        });
        #[expect(clippy::disallowed_methods, reason = "a test owns its proxy")]
        drop(tokio::spawn(accept(socket, Arc::downgrade(&shared))));
        Self { port, shared }
    }

    /// From here on, requests whose line contains `text` wait.
    pub(crate) fn hold(&self, text: &str) {
        self.shared.order.send_replace(Some((text.to_owned(), Order::Hold)));
    }

    /// From here on, requests whose line contains `text` are answered by a page that is none of the gate's.
    pub(crate) fn answer(&self, text: &str, status: u16) {
        self.shared.order.send_replace(Some((text.to_owned(), Order::Answer(status))));
    }

    /// From here on everything goes through; what waits goes on.
    pub(crate) fn let_go(&self) {
        self.shared.order.send_replace(None);
    }

    /// Ends every connection that is open.
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *self.shared.cut.lock().unwrap()).cancel();
    }

    /// All requests so far whose line contains `text`.
    pub(crate) fn asked(&self, text: &str) -> Vec<Asked> {
        let all = self.shared.asked.borrow();
        all.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// Waits until there are at least `count` requests whose line contains `text`.
    pub(crate) async fn until_asked(&self, text: &str, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        let enough =
            |all: &Vec<Asked>| all.iter().filter(|line| line.contains(text)).count() >= count;
        let waited = tokio::time::timeout(PATIENCE, asked.wait_for(enough)).await.is_ok();
        assert!(waited, "{count} × {text} in {:#?}", self.asked(""));
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn accept(socket: TcpListener, shared: std::sync::Weak<Shared>) {
    while let Ok((stream, _)) = socket.accept().await {
        let Some(shared) = shared.upgrade() else { return };
        let cut = shared.cut.lock().unwrap().clone();
        #[expect(clippy::disallowed_methods, reason = "a test owns its proxy")]
        drop(tokio::spawn(async move {
            drop(cut.run_until_cancelled(carry(stream, &shared)).await);
        }));
    }
}

/// Carries one request and its answer; a connection is for one only.
async fn carry(mut browser: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if browser.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let Some(Request { port, line, head }) = Request::read(&head) else {
        return browser.write_all(&foreign(502)).await;
    };
    shared.asked.send_modify(|all| all.push(line.clone()));
    if let Some(status) = ordered(shared, &line).await {
        return browser.write_all(&foreign(status)).await;
    }
    let mut gate = TcpStream::connect(("127.0.0.1", port)).await?;
    gate.write_all(&[head.as_bytes(), &body].concat()).await?;
    copy_bidirectional(&mut browser, &mut gate).await.map(drop)
}

/// Waits while it is ordered to; gives the status to answer with, if that is the order.
async fn ordered(shared: &Shared, line: &str) -> Option<u16> {
    let mut orders = shared.order.subscribe();
    loop {
        let order = orders.borrow_and_update().clone();
        match order.filter(|(text, _)| line.contains(text.as_str()))?.1 {
            Order::Answer(status) => return Some(status),
            Order::Hold => orders.changed().await.ok()?,
        }
    }
}

/// A request to a proxy, made into one for the server.
struct Request {
    port: u16,
    line: Asked,
    head: String,
}

impl Request {
    /// None for what isn't plain HTTP to this machine, such as what a browser asks its maker.
    fn read(head: &str) -> Option<Self> {
        let (first, rest) = head.split_once("\r\n")?;
        let (method, target) = first.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
        let (authority, path) = target.strip_prefix("http://")?.split_once('/')?;
        let (host, port) = authority.split_once(':')?;
        (host == "127.0.0.1" || host == "localhost" || host.ends_with(".localhost"))
            .then_some(())?;
        let kept = rest.split("\r\n").filter(|line| !is_for_one_hop(line));
        let kept: Vec<_> = kept.collect();
        let line = format!("{method} /{path}");
        let head = format!("{line} HTTP/1.1\r\nConnection: close\r\n{}", kept.join("\r\n"));
        Some(Self { port: port.parse().ok()?, line, head })
    }
}

fn is_for_one_hop(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    ["connection", "proxy-connection", "keep-alive"]
        .iter()
        .any(|hop| name.eq_ignore_ascii_case(hop))
}

/// What proxies answer when they can't reach a server: a whole page of their own.
fn foreign(status: u16) -> Vec<u8> {
    let page = "<!doctype html><html><body><h1 id=\"foreign\">Bad gateway, says the proxy</h1></body></html>";
    format!(
        "HTTP/1.1 {status} Foreign\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
    .into_bytes()
}
