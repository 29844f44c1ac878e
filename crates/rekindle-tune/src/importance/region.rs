//! Parts of an axis.

/// A part of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Region {
    /// Numbers from the first, this one included, to below the second.
    Between(f64, f64),
    /// Choices, by their index.
    Among(Vec<bool>),
}

impl Region {
    /// Whether a coordinate lies in it.
    pub(super) fn contains(&self, coordinate: f64) -> bool {
        match self {
            Self::Between(low, high) => *low <= coordinate && coordinate < *high,
            Self::Among(choices) => choices[coordinate as usize],
        }
    }

    /// What lies in both of two parts of one axis.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Between(low, high), Self::Between(other_low, other_high)) => {
                let low = low.max(*other_low);
                Self::Between(low, high.min(*other_high).max(low))
            }
            (Self::Among(choices), Self::Among(others)) => {
                let both = choices.iter().zip(others).map(|(a, b)| *a && *b);
                Self::Among(both.collect())
            }
            _ => unreachable!("an axis has either numbers or choices"),
        }
    }

    /// How probable it is that a random coordinate lies in it; numbers are uniform between 0 and 1.
    pub(super) fn mass(&self) -> f64 {
        match self {
            Self::Between(low, high) => high.clamp(0.0, 1.0) - low.clamp(0.0, 1.0),
            Self::Among(choices) => {
                let among = choices.iter().filter(|among| **among).count();
                among as f64 / choices.len() as f64
            }
        }
    }
}

/// Several parts of one axis that have nothing in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parts(Vec<Region>);

impl Parts {
    /// Parts in the order of the axis; those that lie side by side become one.
    pub(super) fn new(parts: impl IntoIterator<Item = Region>) -> Self {
        let mut joined: Vec<Region> = Vec::new();
        for part in parts {
            match (joined.last_mut(), &part) {
                (Some(Region::Between(_, end)), Region::Between(begin, high))
                    if *begin - *end < 1e-12 =>
                {
                    *end = *high;
                }
                _ => joined.push(part),
            }
        }
        Self(joined)
    }

    /// What lies in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|part| other.within(part));
        Self(pairs.filter(|part| part.mass() > 0.0).collect())
    }

    fn within<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = Region> + 'a {
        self.0.iter().map(|part| part.and(region))
    }

    /// How probable it is that a random coordinate lies both in a region and in a part.
    pub(super) fn mass(&self, region: &Region) -> f64 {
        self.within(region).map(|both| both.mass()).sum()
    }

    /// Whether all of a region lies in the parts, but for rounding.
    pub(super) fn cover(&self, region: &Region) -> bool {
        let outside = region.mass() - self.mass(region);
        outside <= 1e-9 * region.mass()
    }

    /// Two halves of a region that is not covered, such that halves of halves come to lie inside or outside; none if no
    /// part begins or ends in it.
    pub(super) fn halve(&self, region: &Region) -> Option<[Region; 2]> {
        match region {
            Region::Among(choices) => {
                let inside = self.0.first()?.and(region);
                let outside = choices.iter().enumerate();
                let outside = outside.map(|(at, among)| *among && !inside.contains(at as f64));
                let halves = [Region::Among(outside.collect()), inside];
                halves
                    .iter()
                    .all(|half| half.mass() > 0.0)
                    .then_some(halves)
            }
            Region::Between(low, high) => {
                let ends = self.0.iter().filter_map(|part| match part {
                    Region::Between(low, high) => Some([*low, *high]),
                    Region::Among(_) => None,
                });
                let halves = ends
                    .flatten()
                    .map(|end| [Region::Between(*low, end), Region::Between(end, *high)]);
                let mut halves =
                    halves.filter(|halves| halves.iter().all(|half| half.mass() > 1e-9));
                halves.next()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Region::{Among, Between};

    const ALL: Region = Between(f64::NEG_INFINITY, f64::INFINITY);

    #[test]
    fn masses_by_hand() {
        assert_eq!(ALL.mass(), 1.0);
        assert_eq!(ALL.and(&Between(0.25, 0.75)).mass(), 0.5);
        assert_eq!(Between(0.0, 0.25).and(&Between(0.5, 1.0)).mass(), 0.0);
        assert_eq!(Among(vec![true, false, false, true]).mass(), 0.5);
    }

    #[test]
    fn parts_side_by_side_are_one() {
        let parts = Parts::new([Between(0.0, 0.25), Between(0.25, 0.5), Between(0.75, 1.0)]);
        assert_eq!(parts.0, [Between(0.0, 0.5), Between(0.75, 1.0)]);
        assert_eq!(parts.mass(&Between(0.25, 0.875)), 0.375);
        assert!(parts.cover(&Between(0.1, 0.5)) && !parts.cover(&Between(0.1, 0.6)));
        let both = parts.and(&Parts::new([Between(0.25, 0.5)]));
        assert_eq!(both.0, [Between(0.25, 0.5)]);
    }

    #[test]
    fn halves_by_hand() {
        let numbers = Parts::new([Between(0.25, 1.0)]);
        let halves = numbers.halve(&ALL).unwrap();
        assert_eq!(halves.map(|half| half.mass()), [0.25, 0.75]);
        assert_eq!(numbers.halve(&Between(0.5, 0.75)), None);
        let choices = Parts::new([Among(vec![true, true, false])]);
        let halves = choices.halve(&Among(vec![false, true, true])).unwrap();
        let expected = [
            Among(vec![false, false, true]),
            Among(vec![false, true, false]),
        ];
        assert_eq!(halves, expected);
        assert_eq!(choices.halve(&Among(vec![true, true, false])), None);
    }
}
