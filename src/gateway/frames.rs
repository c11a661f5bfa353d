//! Where one WebSocket frame ends and the next begins (RFC 6455 section 5.2), in bytes that are passed on unread.
//!
//! Only at such a point can a close frame be put in. Payloads are skipped, not looked at.

/// The longest head of a frame: two bytes, eight of length, four of mask.
const LONGEST_HEAD: usize = 14;
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

/// Follows one direction of a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; LONGEST_HEAD],
    /// Bytes of the head that were seen.
    seen: usize,
    /// Bytes of the payload that are still to come.
    left: u64,
    end: End,
}

/// Whether frames may still be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum End {
    /// They may.
    #[default]
    Open,
    /// A close frame went by: nothing may follow it (section 5.5.1).
    Closed,
}

impl Frames {
    /// Takes note of bytes that were passed on.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = if self.left > 0 { self.skip(bytes) } else { self.read_head(bytes) };
        }
    }

    /// Whether a frame of ours may be sent now.
    pub(super) fn has_room(&self) -> bool {
        self.seen == 0 && self.left == 0 && self.end == End::Open
    }

    fn skip<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= count as u64;
        bytes.get(count..).unwrap_or_default()
    }

    fn read_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some((byte, rest)) = bytes.split_first() else { return bytes };
        if let Some(place) = self.head.get_mut(self.seen) {
            *place = *byte;
        }
        self.seen += 1;
        if let Some(length) = self.payload() {
            if self.head.first().is_some_and(|first| first & OPCODE == CLOSE) {
                self.end = End::Closed;
            }
            (self.seen, self.left) = (0, length);
        }
        rest
    }

    /// The length of the payload, once the head is complete. A length that no peer may send (its first bit set) leaves
    /// no room for a frame of ours, for it never comes to an end.
    fn payload(&self) -> Option<u64> {
        let second = *self.head.get(1).filter(|_| self.seen >= 2)?;
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        let extended = match second & LENGTH {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.seen < 2 + extended + mask {
            return None;
        }
        let bytes = self.head.get(2..2 + extended)?;
        let long = bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Some(if extended == 0 { u64::from(second & LENGTH) } else { long })
    }
}

/// A close frame with `code` and no reason, unmasked as servers send it (sections 5.1 and 5.5.1).
pub(super) fn close_to_client(code: u16) -> [u8; 4] {
    let [high, low] = code.to_be_bytes();
    [0x80 | CLOSE, 2, high, low]
}

/// The same, masked as clients send it (section 5.3).
pub(super) fn close_to_server(code: u16, mask: [u8; 4]) -> [u8; 8] {
    let [high, low] = code.to_be_bytes();
    let [first, second, third, fourth] = mask;
    [0x80 | CLOSE, MASKED | 2, first, second, third, fourth, high ^ first, low ^ second]
}
