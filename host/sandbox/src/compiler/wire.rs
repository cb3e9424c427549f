//! What parent and child say to each other: an order and a component there, an answer back.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The first bytes of an answer. Another form of order or answer is another number.
const MARK: [u8; 8] = *b"redrcc01";

/// Bytes of an order, which is a few numbers.
const ORDER_BYTES_MAX: u32 = 4 << 10;

/// What the child is told before the component: the limits that it is to set for itself, and what decides the code.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) cpu_seconds: u64,
    pub(super) memory_bytes: u64,
    pub(super) component_bytes_max: u64,
    pub(super) stack_bytes_max: usize,
    pub(super) copy_on_write: bool,
}

impl Order {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            cpu_seconds: limits.compile_cpu_seconds_max,
            memory_bytes: limits.compile_memory_bytes_max,
            component_bytes_max: limits.upload_bytes_max as u64,
            stack_bytes_max: limits.stack_bytes_max,
            copy_on_write: limits.copy_on_write,
        }
    }

    /// The limits by which the child makes its engine.
    pub(super) fn limits(&self) -> Limits {
        Limits { stack_bytes_max: self.stack_bytes_max, copy_on_write: self.copy_on_write, ..Limits::default() }
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&text)
    }

    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > ORDER_BYTES_MAX {
            return Err(io::Error::other("the order is too long"));
        }
        let mut text = vec![0; length as usize];
        from.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// What became of the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Said {
    /// It was compiled: the payload is code. Every other payload is a text.
    Code = 0,
    /// The compiler refused it.
    Refused = 1,
    /// The compiler panicked.
    Panicked = 2,
    /// There was not enough memory.
    OutOfMemory = 3,
    /// The child could not do its work at all.
    Unable = 4,
}

impl Said {
    const ALL: [Self; 5] = [Self::Code, Self::Refused, Self::Panicked, Self::OutOfMemory, Self::Unable];
}

/// The answer of a child.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The engine that was compiled for.
    pub(super) compatibility: [u8; 32],
    pub(super) said: Said,
    pub(super) payload: Vec<u8>,
}

impl Answer {
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&MARK)?;
        to.write_all(&self.compatibility)?;
        to.write_all(&[self.said as u8])?;
        to.write_all(&(self.payload.len() as u64).to_be_bytes())?;
        to.write_all(&self.payload)?;
        to.flush()
    }

    /// Reads to the end of what the child says; none where that is not one whole answer.
    pub(super) fn read(mut from: impl Read, payload_bytes_max: usize) -> io::Result<Option<Self>> {
        let mut head = [0; MARK.len() + 32 + 1 + 8];
        if let Err(error) = from.read_exact(&mut head) {
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
        }
        let (mark, rest) = head.split_at(MARK.len());
        let (compatibility, rest) = rest.split_at(32);
        let (said, length) = rest.split_at(1);
        let mut wide = [0; 8];
        wide.copy_from_slice(length);
        let length = usize::try_from(u64::from_be_bytes(wide)).unwrap_or(usize::MAX);
        let said = Said::ALL.into_iter().find(|one| [*one as u8] == said);
        let mut answer = Self { compatibility: [0; 32], said: Said::Unable, payload: Vec::new() };
        answer.compatibility.copy_from_slice(compatibility);
        match said {
            Some(said) if mark == MARK && length <= payload_bytes_max => answer.said = said,
            _ => return Ok(None),
        }
        from.take(length as u64 + 1).read_to_end(&mut answer.payload)?;
        Ok((answer.payload.len() == length).then_some(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Order, Said};
    use crate::limits::Limits;

    #[test]
    fn an_order_comes_over_and_gives_the_settings_of_the_same_code() {
        let limits = Limits { stack_bytes_max: 7 << 16, copy_on_write: true, ..Limits::default() };
        let mut pipe = Vec::new();
        Order::of(&limits).write(&mut pipe).unwrap();
        let order = Order::read(&mut &*pipe).unwrap();
        assert_eq!(order, Order::of(&limits));
        assert_eq!((order.limits().stack_bytes_max, order.limits().copy_on_write), (7 << 16, true));
        assert!(Order::read(&mut &[0xff_u8; 64][..]).is_err());
    }

    #[test]
    fn only_a_whole_answer_of_the_right_length_is_one() {
        let answer = Answer { compatibility: [7; 32], said: Said::Refused, payload: b"why".to_vec() };
        let mut whole = Vec::new();
        answer.write(&mut whole).unwrap();
        assert_eq!(Answer::read(&*whole, 3).unwrap(), Some(answer));
        assert_eq!(Answer::read(&*whole, 2).unwrap(), None, "longer than it may be");
        for end in 0..whole.len() {
            assert_eq!(Answer::read(&whole[..end], 3).unwrap(), None, "cut at {end}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert_eq!(Answer::read(&*longer, 3).unwrap(), None, "with more behind it");
        let mut other = whole;
        other[40] = 9;
        assert_eq!(Answer::read(&*other, 3).unwrap(), None, "an unknown word");
    }
}
