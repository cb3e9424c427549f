//! Messages over a stream: each a length and so many bytes.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of the length before each message.
const HEAD: usize = 4;

/// One end.
pub(super) struct Link<S> {
    pub(super) stream: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Link<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Puts a message behind those that wait to be sent.
    pub(super) fn put(&mut self, message: &impl Serialize) -> io::Result<()> {
        let begin = self.buffer.len();
        self.buffer.extend([0; HEAD]);
        self.buffer = postcard::to_extend(message, std::mem::take(&mut self.buffer)).map_err(io::Error::other)?;
        let length = u32::try_from(self.buffer.len() - begin - HEAD).map_err(io::Error::other)?;
        self.buffer[begin..begin + HEAD].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let sent = self.stream.write_all(&self.buffer).and_then(|()| self.stream.flush());
        self.buffer.clear();
        sent
    }

    /// Sends what waits, and bytes behind it.
    pub(super) fn flush_with(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.buffer.extend(length.to_be_bytes());
        self.flush()?;
        self.stream.write_all(bytes)
    }

    /// The next message.
    pub(super) fn take<T: DeserializeOwned>(&mut self, bytes_max: usize) -> io::Result<T> {
        let bytes = self.take_bytes(bytes_max)?;
        let (message, rest) = postcard::take_from_bytes(&bytes).map_err(nonsense)?;
        if rest.is_empty() { Ok(message) } else { Err(nonsense("there is more than one message in it")) }
    }

    /// The bytes of the next message.
    pub(super) fn take_bytes(&mut self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut head = [0; HEAD];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes(head) as usize;
        if length > bytes_max {
            return Err(nonsense(format!("a message of {length} bytes, at most {bytes_max}")));
        }
        // As much memory as there are bytes, not as somebody says that there are.
        let mut bytes = Vec::with_capacity(length.min(1 << 16));
        if (&mut self.stream).take(length as u64).read_to_end(&mut bytes)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}

fn nonsense(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, ErrorKind};

    use super::Link;

    fn of(bytes: &[u8]) -> Link<Cursor<Vec<u8>>> {
        Link::new(Cursor::new(bytes.to_vec()))
    }

    #[test]
    fn only_a_whole_message_of_its_length_is_one() {
        let mut link = of(&[]);
        link.put(&("why", 300_u16)).unwrap();
        link.flush_with(b"code").unwrap();
        let sent = link.stream.into_inner();
        let mut whole = of(&sent);
        assert_eq!(whole.take::<(String, u16)>(64).unwrap(), ("why".to_owned(), 300));
        assert_eq!(whole.take_bytes(4).unwrap(), b"code");
        for end in 0..sent.len() - 8 {
            assert_eq!(of(&sent[..end]).take::<(String, u16)>(64).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        let kind = |bytes: &[u8], max| of(bytes).take::<(String, u16)>(max).unwrap_err().kind();
        assert_eq!(kind(&sent, 5), ErrorKind::InvalidData, "longer than it may be");
        assert_eq!(of(&[0, 0, 0, 3, 1, b'x', 5]).take::<(String, u16)>(64).unwrap().1, 5);
        assert_eq!(kind(&[0, 0, 0, 4, 1, b'x', 5, 9], 64), ErrorKind::InvalidData, "two in one");
    }
}
