//! Memory that the engine writes through pointers.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ops::RangeInclusive;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The length of a cache line and of the longest register, in bytes.
const ALIGNMENT: usize = 64;

/// An aligned block of numbers that several threads write in disjoint parts.
///
/// Who writes what is the engine's to know: the block hands out raw pointers only.
#[derive(Debug)]
pub(crate) struct Buffer<F> {
    start: NonNull<F>,
    layout: Layout,
    /// Whether the block is kept for another buffer.
    recycled: bool,
}

// SAFETY: the block owns its memory, and the numbers in it are plain data. All access is through raw pointers, whose
// users answer for disjointness.
unsafe impl<F: Send> Send for Buffer<F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for Buffer<F> {}

impl<F: Copy> Buffer<F> {
    /// A block whose numbers are written before they are read.
    pub(crate) fn uninitialised(length: usize) -> Self {
        Self::allocate(length, alloc, false)
    }

    /// A block of zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        Self::allocate(length, alloc_zeroed, false)
    }

    /// A block whose numbers are written before they are read, out of those that are spare if one fits. It becomes spare
    /// again; small blocks are left to the allocator.
    ///
    /// Scans of a network take blocks of the same sizes again and again. A block fresh from the system is cleared page by
    /// page when it is first written to, which costs as much as a good part of a training step.
    pub(crate) fn recycled(length: usize) -> Self {
        let layout = Self::layout(length);
        if !SIZES_OF_SPARES.contains(&layout.size()) {
            return Self::uninitialised(length);
        }
        let mut spares = spares();
        let fits = |spare: &Spare| {
            let size = spare.layout.size();
            (layout.size()..=2 * layout.size()).contains(&size)
        };
        match spares.iter().position(fits) {
            Some(index) => {
                let spare = ManuallyDrop::new(spares.remove(index));
                Self {
                    start: spare.start.cast(),
                    layout: spare.layout,
                    recycled: true,
                }
            }
            None => Self::allocate(length, alloc, true),
        }
    }

    fn layout(length: usize) -> Layout {
        Layout::array::<F>(length.max(1))
            .and_then(|layout| layout.align_to(ALIGNMENT))
            .expect("a block no larger than the address space")
    }

    fn allocate(length: usize, allocator: unsafe fn(Layout) -> *mut u8, recycled: bool) -> Self {
        let layout = Self::layout(length);
        // SAFETY: the layout is not of size zero.
        let start = unsafe { allocator(layout) };
        match NonNull::new(start.cast::<F>()) {
            Some(start) => {
                in_large_pages(start.cast(), layout.size());
                Self {
                    start,
                    layout,
                    recycled,
                }
            }
            None => handle_alloc_error(layout),
        }
    }

    /// The first number.
    #[inline(always)]
    pub(crate) fn start(&self) -> *mut F {
        self.start.as_ptr()
    }
}

impl<F> Drop for Buffer<F> {
    fn drop(&mut self) {
        let spare = Spare {
            start: self.start.cast(),
            layout: self.layout,
        };
        if self.recycled {
            let mut spares = spares();
            spares.push(spare);
            let bytes = |spares: &[Spare]| {
                spares
                    .iter()
                    .map(|spare| spare.layout.size())
                    .sum::<usize>()
            };
            while spares.len() > MOST_SPARES || bytes(&spares) > MOST_SPARE_BYTES {
                spares.remove(0);
            }
        }
    }
}

/// A block that no buffer owns.
struct Spare {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: nothing else knows of the block.
unsafe impl Send for Spare {}

impl Drop for Spare {
    fn drop(&mut self) {
        // SAFETY: allocated in `Buffer::allocate` with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// The most blocks that are kept: those of the layers and directions of a usual network.
const MOST_SPARES: usize = 16;

/// The most bytes that are kept.
const MOST_SPARE_BYTES: usize = 512 << 20;

/// The sizes of spare blocks, in bytes. Smaller ones the allocator keeps itself; larger ones are worth more to others than
/// the time they save.
const SIZES_OF_SPARES: RangeInclusive<usize> = 128 << 10..=256 << 20;

/// The spare blocks, the oldest first.
fn spares() -> MutexGuard<'static, Vec<Spare>> {
    static SPARES: Mutex<Vec<Spare>> = Mutex::new(Vec::new());
    SPARES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A vector of zeros that will be written once and become a tensor.
pub(super) fn zeros<F: Copy + Default>(length: usize) -> Vec<F> {
    let numbers = vec![F::default(); length];
    in_large_pages(
        NonNull::from(numbers.as_slice()).cast(),
        size_of_val(numbers.as_slice()),
    );
    numbers
}

/// Asks the system to back a large block by large pages: the first write to each page costs a visit to the system, which
/// for activations of many steps adds up to a good part of a training step.
#[cfg(target_os = "linux")]
fn in_large_pages(start: NonNull<u8>, size: usize) {
    /// The size of a large page on x86-64 and most others.
    const LARGE_PAGE: usize = 2 << 20;
    let first = start.addr().get().next_multiple_of(LARGE_PAGE);
    let end = (start.addr().get() + size) / LARGE_PAGE * LARGE_PAGE;
    if first < end && !cfg!(miri) {
        let first = start.as_ptr().with_addr(first);
        // SAFETY: the pages lie in the block. The advice changes how they are backed and not what they hold; a system
        // that refuses it leaves them as they are.
        unsafe { libc::madvise(first.cast(), end - first.addr(), libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn in_large_pages(_start: NonNull<u8>, _size: usize) {}

/// A pointer that may cross threads, under the same terms as [`Buffer`].
#[derive(Debug)]
pub(crate) struct Shared<F>(pub(crate) *mut F);

impl<F> Clone for Shared<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Shared<F> {}

// SAFETY: plain numbers behind the pointer; its users answer for disjointness.
unsafe impl<F: Send> Send for Shared<F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for Shared<F> {}

impl<F> Shared<F> {
    /// The pointer. A method, so that closures capture the whole and not the bare pointer in it.
    #[inline(always)]
    pub(crate) fn get(self) -> *mut F {
        self.0
    }
}
