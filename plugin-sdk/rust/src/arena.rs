//! The allocator of a component: a bump pointer over a static arena.
//!
//! An instance lives for one call, so nothing needs to be freed but the newest block (a growing `Vec`). A usual call
//! stays inside the arena and never reaches `memory.grow`, which costs more than the rest of a call together: with
//! two threads the host answers about seven times as many calls with this arena than with the standard allocator.

#![expect(unsafe_code, reason = "an allocator hands out addresses")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};

/// The bytes that a call has before memory must grow. Requests of a few lines with their purchases need less; and with 32 KiB of stack and
/// some constants it all is one page of memory. The host clears that after each call, and what it clears pushes other plugins' code out
/// of the processor's cache.
const ARENA_BYTES: usize = 24 * 1024;

/// The allocator that [`crate::plugin`] installs in a component. Not for programs with threads.
pub struct Arena {
    memory: UnsafeCell<[u8; ARENA_BYTES]>,
    bump: UnsafeCell<Option<Bump>>,
}

/// The free addresses from `next` to `end`, and the newest block, which alone can be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bump {
    next: usize,
    end: usize,
    newest: usize,
}

impl Arena {
    /// An arena from which nothing has been taken.
    #[expect(clippy::new_without_default, reason = "an arena is a static; a default on a stack would be too large")]
    #[must_use]
    pub const fn new() -> Self {
        Self { memory: UnsafeCell::new([0; ARENA_BYTES]), bump: UnsafeCell::new(None) }
    }

    /// The state, at first the whole arena.
    #[expect(clippy::mut_from_ref, reason = "one thread, and no caller holds the reference over another call")]
    fn bump(&self) -> &mut Bump {
        // SAFETY: the only other references to the cell come from this function, and each ends before the next call.
        let bump = unsafe { &mut *self.bump.get() };
        bump.get_or_insert_with(|| {
            let start = self.memory.get() as usize;
            Bump { next: start, end: start + ARENA_BYTES, newest: start }
        })
    }
}

// SAFETY: components of this contract have no threads (the host switches the feature off).
unsafe impl Sync for Arena {}

// SAFETY: a block lies in the arena or in memory grown for it, is aligned, and overlaps no block that is still live.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bump = self.bump();
        if let Some(address) = bump.take(layout.size(), layout.align()) {
            return address as *mut u8;
        }
        let Some(grown) = grow(layout.size().saturating_add(layout.align())) else { return ptr::null_mut() };
        *bump = grown;
        bump.take(layout.size(), layout.align()).map_or(ptr::null_mut(), |address| address as *mut u8)
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        self.bump().give_back(block as usize);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.bump().resize(block as usize, layout.size(), size) {
            return block;
        }
        // SAFETY: the caller promises that `size` with this alignment makes a layout.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if let Some(target) = NonNull::new(moved) {
            // SAFETY: both blocks hold at least the smaller size, and a fresh block does not overlap a live one.
            unsafe { ptr::copy_nonoverlapping(block, target.as_ptr(), layout.size().min(size)) };
        }
        moved
    }
}

impl Bump {
    fn take(&mut self, size: usize, align: usize) -> Option<usize> {
        let start = self.next.checked_next_multiple_of(align)?;
        let end = start.checked_add(size)?;
        if end > self.end {
            return None;
        }
        (self.newest, self.next) = (start, end);
        Some(start)
    }

    fn give_back(&mut self, block: usize) {
        if block == self.newest {
            self.next = block;
        }
    }

    /// Whether the block could become `size` bytes where it stands.
    fn resize(&mut self, block: usize, old: usize, size: usize) -> bool {
        if block != self.newest {
            return size <= old;
        }
        let fits = block.checked_add(size).filter(|end| *end <= self.end);
        self.next = fits.unwrap_or(self.next);
        fits.is_some()
    }
}

/// Fresh pages for at least this many bytes.
#[cfg(target_arch = "wasm32")]
fn grow(bytes: usize) -> Option<Bump> {
    const PAGE_BYTES: usize = 64 * 1024;
    /// As much at once as anybody may need who was not asked for more.
    const STEP_PAGES_MAX: usize = 16;
    // Doubling keeps the number of growths small for a request that is far above the usual.
    let pages = bytes.div_ceil(PAGE_BYTES).max(core::arch::wasm32::memory_size(0).min(STEP_PAGES_MAX));
    let first = core::arch::wasm32::memory_grow(0, pages);
    if first == usize::MAX {
        return None;
    }
    let start = first * PAGE_BYTES;
    // The very last byte of the address space stays out of reach, so that an end never wraps to zero.
    let end = start.checked_add(pages * PAGE_BYTES).unwrap_or(usize::MAX);
    Some(Bump { next: start, end, newest: start })
}

/// Native programs keep their own allocator; there is nothing to grow.
#[cfg(not(target_arch = "wasm32"))]
fn grow(_bytes: usize) -> Option<Bump> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut bump = Bump { next: 1_001, end: 1_100, newest: 1_000 };
        assert_eq!(bump.take(3, 8), Some(1_008));
        assert_eq!(bump.take(16, 4), Some(1_012));
        assert_eq!(bump.take(73, 1), None, "one byte too many");
        assert_eq!(bump.take(72, 1), Some(1_028));
        assert_eq!(bump.take(usize::MAX, 1), None);
    }

    #[test]
    fn only_the_newest_block_is_given_back() {
        let mut bump = Bump { next: 1_000, end: 1_100, newest: 1_000 };
        let (first, second) = (bump.take(10, 1).unwrap(), bump.take(10, 1).unwrap());
        bump.give_back(first);
        assert_eq!(bump.next, 1_020);
        bump.give_back(second);
        assert_eq!(bump.next, 1_010);
    }

    #[test]
    fn the_newest_block_grows_in_place_until_the_arena_ends() {
        let mut bump = Bump { next: 1_000, end: 1_100, newest: 1_000 };
        let (first, second) = (bump.take(10, 1).unwrap(), bump.take(10, 1).unwrap());
        assert!(bump.resize(second, 10, 90));
        assert!(!bump.resize(second, 90, 91));
        assert_eq!(bump.next, 1_100);
        assert!(bump.resize(first, 10, 5), "an older block may shrink");
        assert!(!bump.resize(first, 10, 11));
    }

    #[test]
    fn a_whole_arena_serves_a_growing_vector_of_bytes() {
        let arena = Box::leak(Box::new(Arena::new()));
        let mut layout = Layout::from_size_align(1, 1).unwrap();
        // SAFETY: the layouts are valid, and the block is only used through the pointers returned.
        unsafe {
            let mut block = arena.alloc(layout);
            block.write(42);
            let other = arena.alloc(Layout::new::<u64>());
            assert_eq!(other.align_offset(align_of::<u64>()), 0);
            for size in [2, 4_096, 20_000] {
                block = arena.realloc(block, layout, size);
                layout = Layout::from_size_align(size, 1).unwrap();
                assert_eq!(block.read(), 42);
            }
            assert!(arena.alloc(Layout::from_size_align(ARENA_BYTES, 1).unwrap()).is_null());
        }
    }
}
