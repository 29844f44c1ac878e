//! Which units stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{UnitError, UnitGroup};

/// Units that stay, by group. Groups that are not named stay whole.
///
/// Serialised it is a table of lists of indices; it is checked again when it is read.
///
/// # Examples
/// ```
/// use rekindle_regularize::units::Kept;
///
/// let kept = Kept::from_masks([("layers.0", vec![true, false, true])])?;
/// assert_eq!(kept.get("layers.0"), Some(&[0, 2][..]));
/// assert_eq!(kept, Kept::from_indices([("layers.0", vec![2, 0])])?);
/// # Ok::<(), rekindle_regularize::units::UnitError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, Vec<usize>>",
    into = "BTreeMap<String, Vec<usize>>"
)]
pub struct Kept {
    units: BTreeMap<String, Vec<usize>>,
}

impl Kept {
    /// From the indices of the units that stay, in any order. Of groups that are named twice, the last counts.
    ///
    /// # Errors
    /// If a group keeps no unit, or one twice.
    pub fn from_indices<N: Into<String>>(
        groups: impl IntoIterator<Item = (N, Vec<usize>)>,
    ) -> Result<Self, UnitError> {
        let groups = groups.into_iter().map(|(name, units)| (name.into(), units));
        groups.collect::<BTreeMap<_, _>>().try_into()
    }

    /// From one value for each unit: true stays.
    ///
    /// # Errors
    /// If a group keeps no unit.
    pub fn from_masks<N: Into<String>>(
        groups: impl IntoIterator<Item = (N, Vec<bool>)>,
    ) -> Result<Self, UnitError> {
        let indices = |mask: Vec<bool>| (0..mask.len()).filter(|&unit| mask[unit]).collect();
        Self::from_indices(groups.into_iter().map(|(name, mask)| (name, indices(mask))))
    }

    /// The units of a group that stay, in ascending order; `None`: all.
    pub fn get(&self, group: &str) -> Option<&[usize]> {
        self.units.get(group).map(Vec::as_slice)
    }

    /// The groups that are named, with their units that stay.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize])> {
        (self.units.iter()).map(|(name, units)| (name.as_str(), units.as_slice()))
    }

    /// The number of units of a group that stay.
    pub fn count(&self, group: &UnitGroup) -> usize {
        self.get(&group.name).map_or(group.size, <[usize]>::len)
    }

    /// Checks that the groups have what is kept.
    ///
    /// # Errors
    /// If there is no group of that name, or a unit is beyond its size.
    pub fn validate(&self, groups: &[UnitGroup]) -> Result<(), UnitError> {
        for (name, units) in self.iter() {
            let Some(group) = groups.iter().find(|group| group.name == name) else {
                return Err(UnitError::Group {
                    group: name.to_string(),
                    available: groups.iter().map(|group| group.name.clone()).collect(),
                });
            };
            if let Some(&unit) = units.last().filter(|&&unit| unit >= group.size) {
                return Err(UnitError::Unit {
                    group: name.to_string(),
                    unit,
                    size: group.size,
                });
            }
        }
        Ok(())
    }
}

impl TryFrom<BTreeMap<String, Vec<usize>>> for Kept {
    type Error = UnitError;

    fn try_from(mut units: BTreeMap<String, Vec<usize>>) -> Result<Self, UnitError> {
        for (group, units) in &mut units {
            let group = || group.clone();
            units.sort_unstable();
            if units.is_empty() {
                return Err(UnitError::NothingKept { group: group() });
            }
            if let Some(pair) = units.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(UnitError::Twice {
                    group: group(),
                    unit: pair[0],
                });
            }
        }
        Ok(Self { units })
    }
}

impl From<Kept> for BTreeMap<String, Vec<usize>> {
    fn from(kept: Kept) -> Self {
        kept.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, size: usize) -> UnitGroup {
        UnitGroup {
            name: name.to_string(),
            size,
            axes: Vec::new(),
        }
    }

    #[test]
    fn kept_units_are_sorted_and_come_back_from_text() {
        let kept = Kept::from_indices([("b", vec![5, 1, 3]), ("a", vec![0])]).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(text, r#"{"a":[0],"b":[1,3,5]}"#);
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
        assert_eq!(kept.count(&group("b", 6)), 3);
        assert_eq!(kept.count(&group("c", 6)), 6);
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let message = |found: Result<Kept, UnitError>| found.unwrap_err().to_string();
        assert_eq!(
            message(Kept::from_masks([("a", vec![false, false])])),
            "no unit of `a` is kept, expected at least one"
        );
        assert_eq!(
            message(Kept::from_indices([("a", vec![2, 0, 2])])),
            "unit 2 of `a` is kept twice, expected once"
        );
        let text = serde_json::from_str::<Kept>(r#"{"a":[1,1]}"#).unwrap_err();
        assert!(text.to_string().contains("unit 1 of `a` is kept twice"));

        let kept = Kept::from_indices([("a", vec![0, 4])]).unwrap();
        assert!(kept.validate(&[group("a", 5), group("b", 1)]).is_ok());
        assert_eq!(
            kept.validate(&[group("a", 4)]).unwrap_err().to_string(),
            "unit 4 of `a` is kept, expected less than its 4 units"
        );
        assert_eq!(
            kept.validate(&[group("b", 9)]).unwrap_err().to_string(),
            "kept units of a group `a`, expected one of b"
        );
    }
}
