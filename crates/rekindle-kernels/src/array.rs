//! A number of values that is fixed by a type.

use std::fmt::Debug;

/// `[T; N]` under a name that does not spell out `N`, so that what is generic over
/// [`Equations`](crate::Equations) need not repeat how many gates and states a cell has.
///
/// # Examples
/// ```
/// use rekindle_kernels::Array;
///
/// fn doubled<A: Array<f32>>(values: A) -> A {
///     A::from_fn(|index| 2.0 * values.as_ref()[index])
/// }
/// assert_eq!(doubled([1.0, 2.0]), [2.0, 4.0]);
/// ```
pub trait Array<T>: Clone + Debug + AsRef<[T]> + AsMut<[T]> + IntoIterator<Item = T> {
    /// How many values.
    const LEN: usize;

    /// The values that `value` gives for 0, 1, 2, ….
    fn from_fn(value: impl FnMut(usize) -> T) -> Self;
}

impl<T: Clone + Debug, const N: usize> Array<T> for [T; N] {
    const LEN: usize = N;

    #[inline(always)]
    fn from_fn(value: impl FnMut(usize) -> T) -> Self {
        std::array::from_fn(value)
    }
}
