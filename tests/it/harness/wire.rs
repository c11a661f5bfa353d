//! One end of a connection, byte for byte: what was really sent, before any library makes it nicer (RFC 9112).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Whoever waits longer waits for something that will not come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
    /// Everything that ever arrived.
    pub(crate) arrived: Vec<u8>,
}

/// The first lines of a message, up to and with the empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    text: String,
}

impl Head {
    /// The request line or status line.
    pub(crate) fn line(&self) -> &str {
        self.text.split("\r\n").next().unwrap()
    }

    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        let status = self.line().split(' ').nth(1);
        status
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("status in {self:?}"))
    }

    /// Names (lower-case) and values in the order in which they came.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let lines = self.text.split("\r\n").skip(1).take_while(|line| !line.is_empty());
        let pairs = lines.map(|line| line.split_once(':').unwrap());
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect()
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let same = self.headers().into_iter().filter(|(found, _)| found == name);
        same.map(|(_, value)| value).collect()
    }

    /// The one value of a header; none when it is absent.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        assert!(values.len() <= 1, "{name} once: {self:?}");
        values.pop()
    }
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Wire {
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new(), arrived: Vec::new() }
    }

    /// A new connection to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        Self::over(TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.offer(bytes).await.unwrap();
    }

    /// Sends to somebody who may have closed already.
    pub(crate) async fn offer(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await.expect("room to write")
    }

    /// Sends one chunk of a chunked body; an empty one ends it.
    pub(crate) async fn send_chunk(&mut self, bytes: &[u8]) {
        let size = format!("{:x}\r\n", bytes.len());
        self.send([size.as_bytes(), bytes, b"\r\n"].concat()).await;
    }

    /// Says that nothing more will be sent, to somebody who may have closed already.
    pub(crate) async fn finish(&mut self) {
        drop(self.stream.shutdown().await);
    }

    /// The next head; none when the connection ends before it.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                let head = self.unread.drain(..end + 4).collect();
                return Some(Head { text: String::from_utf8(head).unwrap() });
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next message with the body that its own framing gives it; none when the connection ends before it.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        let head = self.head().await?;
        let answer = head.line().starts_with("HTTP/");
        let bare = answer && (head.status() < 200 || [204, 304].contains(&head.status()));
        let body = match (head.header("transfer-encoding"), head.header("content-length")) {
            _ if bare => Vec::new(),
            (Some(coding), length) => {
                assert_eq!((coding.as_str(), length), ("chunked", None), "{head:?}");
                self.chunks().await?
            }
            (None, Some(length)) => self.exactly(length.parse().unwrap()).await,
            (None, None) if answer => self.rest().await,
            (None, None) => Vec::new(),
        };
        Some(Message { head, body })
    }

    /// All chunks to the last one; none when the connection ends before it.
    pub(crate) async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match self.chunk().await? {
                chunk if chunk.is_empty() => return Some(body),
                chunk => body.extend(chunk),
            }
        }
    }

    /// The next chunk, empty when it is the last; none when the connection ends before it.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            match find(&self.unread, b"\r\n") {
                Some(end) => break end,
                None if !self.fill().await => return None,
                None => {}
            }
        };
        let line: Vec<u8> = self.unread.drain(..end + 2).collect();
        let size = std::str::from_utf8(&line).unwrap().trim_end();
        let size = usize::from_str_radix(size, 16).expect("a plain chunk size");
        while self.unread.len() < size + 2 {
            if !self.fill().await {
                return None;
            }
        }
        let mut chunk: Vec<u8> = self.unread.drain(..size + 2).collect();
        assert_eq!(
            chunk.split_off(size),
            b"\r\n",
            "a chunk ends its line, and nothing trails the last"
        );
        Some(chunk)
    }

    /// This many bytes.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.fill().await, "ended after {} of {count} bytes", self.unread.len());
        }
        self.unread.drain(..count).collect()
    }

    /// Sends until there is no room left on the way, nor any coming.
    pub(crate) async fn fill_up(&mut self) {
        let piece = vec![b'x'; 64 * 1024];
        let room = Duration::from_millis(300);
        while let Ok(sent) = timeout(room, self.stream.write_all(&piece)).await {
            sent.unwrap();
        }
    }

    /// Reads to the end of the connection and keeps nothing.
    pub(crate) async fn discard(&mut self) {
        self.unread.clear();
        let mut buffer = vec![0; 256 * 1024];
        let read = async { while let Ok(1..) = self.stream.read(&mut buffer).await {} };
        timeout(PATIENCE, read).await.expect("an end");
    }

    /// How the connection broke off; none when it came to an orderly end.
    pub(crate) async fn broken(&mut self) -> Option<std::io::Error> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("an end") {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
    }

    /// Everything to the end of the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.unread)
    }

    /// Whether nothing has come that was not read.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let mut byte = [0; 1];
        let read = timeout(Duration::ZERO, self.stream.read(&mut byte)).await;
        self.unread.is_empty() && read.is_err()
    }

    /// Reads without keeping, and counts; for bodies larger than a test wants to hold.
    pub(crate) async fn count(&mut self, wanted: usize, mut each: impl FnMut()) {
        let mut seen = std::mem::take(&mut self.unread).len();
        let mut buffer = vec![0; 256 * 1024];
        while seen < wanted {
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
            let read = read.expect("more of the body").unwrap();
            assert!(read > 0, "ended after {seen} of {wanted} bytes");
            seen += read;
            each();
        }
        assert_eq!(seen, wanted);
    }

    /// Reads more; false at the end, whether closed or reset.
    async fn fill(&mut self) -> bool {
        let mut buffer = vec![0; 16 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing came after {:?}", self.tail()));
        let Ok(count @ 1..) = read else { return false };
        self.unread.extend(&buffer[..count]);
        self.arrived.extend(&buffer[..count]);
        true
    }

    fn tail(&self) -> String {
        let from = self.arrived.len().saturating_sub(400);
        String::from_utf8_lossy(&self.arrived[from..]).into_owned()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
