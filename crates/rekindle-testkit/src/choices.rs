//! Random choices that are the same in every run.

use std::ops::RangeInclusive;

/// A generator whose choices depend on its seed alone: Steele, Lea and Flood's SplitMix64,
/// <https://doi.org/10.1145/2714064.2660195>.
///
/// # Examples
/// ```
/// use rekindle_testkit::Choices;
///
/// let mut choices = Choices::new(7);
/// assert!((2..=5).contains(&choices.within(2..=5)));
/// assert!(["sum", "mean"].contains(&choices.one_of(&["sum", "mean"])));
/// ```
#[derive(Clone, Debug)]
pub struct Choices {
    state: u64,
}

impl Choices {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1),
        }
    }

    /// The next number in `[0, 1)`.
    pub fn fraction(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next whole number in `range`, all equally likely.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        assert!(!range.is_empty(), "no number lies in {range:?}");
        let count = range.end() - range.start() + 1;
        range.start() + (self.fraction() * count as f64) as usize
    }

    /// One of `values`, all equally likely.
    ///
    /// # Panics
    /// If there are none.
    pub fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        assert!(!values.is_empty(), "no values to choose from");
        values[self.within(0..=values.len() - 1)].clone()
    }

    /// Yes, with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_made_about_as_often() {
        let mut choices = Choices::new(3);
        let mut counts = [0; 4];
        for _ in 0..4000 {
            counts[choices.within(5..=8) - 5] += 1;
        }
        assert!(
            counts.iter().all(|&n| (900..1100).contains(&n)),
            "{counts:?}"
        );
        let yes = (0..4000).filter(|_| choices.chance(0.25)).count();
        assert!((900..1100).contains(&yes), "{yes}");
    }

    #[test]
    fn a_seed_gives_the_same_choices_again() {
        let row = |seed| {
            let mut choices = Choices::new(seed);
            [(); 8].map(|()| choices.within(0..=99))
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
    }
}
