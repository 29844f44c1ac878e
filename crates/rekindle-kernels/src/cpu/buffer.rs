//! Memory that the engine writes through pointers.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The length of a cache line and of the longest register, in bytes.
const ALIGNMENT: usize = 64;

/// An aligned block of numbers that several threads write in disjoint parts.
///
/// Who writes what is the engine's to know: the block hands out raw pointers only.
#[derive(Debug)]
pub(crate) struct Buffer<F> {
    start: NonNull<F>,
    layout: Layout,
}

// SAFETY: the block owns its memory, and the numbers in it are plain data. All access is through raw pointers, whose
// users answer for disjointness.
unsafe impl<F: Send> Send for Buffer<F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for Buffer<F> {}

impl<F: Copy> Buffer<F> {
    /// A block whose numbers are written before they are read.
    pub(crate) fn uninitialised(length: usize) -> Self {
        Self::allocate(length, alloc)
    }

    /// A block of zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        Self::allocate(length, alloc_zeroed)
    }

    fn allocate(length: usize, allocator: unsafe fn(Layout) -> *mut u8) -> Self {
        let layout = Layout::array::<F>(length.max(1))
            .and_then(|layout| layout.align_to(ALIGNMENT))
            .expect("a block no larger than the address space");
        // SAFETY: the layout is not of size zero.
        let start = unsafe { allocator(layout) };
        match NonNull::new(start.cast::<F>()) {
            Some(start) => {
                in_large_pages(start.cast(), layout.size());
                Self { start, layout }
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
        // SAFETY: allocated in `allocate` with this layout.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) }
    }
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
