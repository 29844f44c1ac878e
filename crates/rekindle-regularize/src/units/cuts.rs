//! Which indices of which axes go when units go.

use std::collections::BTreeMap;

use super::{Kept, UnitAxis, UnitError, UnitGroup, UnitRole};

/// What stays along one axis of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// The axis.
    pub(super) axis: usize,
    /// One value for each index: true stays.
    pub(super) kept: Vec<bool>,
}

/// What stays of the tensors that lose something, by their paths.
pub(super) type Cuts = BTreeMap<String, Vec<Cut>>;

/// Checks groups against the shapes of a network's tensors.
pub(super) fn check(
    shapes: &BTreeMap<String, Vec<usize>>,
    groups: &[UnitGroup],
) -> Result<(), UnitError> {
    let mut owners: BTreeMap<(&str, usize), Vec<Option<&str>>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        let group_name = || group.name.clone();
        if group.size == 0 {
            return Err(UnitError::NoUnits {
                group: group_name(),
            });
        }
        if groups[..index].iter().any(|other| other.name == group.name) {
            return Err(UnitError::SameName {
                group: group_name(),
            });
        }
        for axis in &group.axes {
            let length = length(shapes, group, axis)?;
            let owners =
                (owners.entry((&axis.path, axis.axis))).or_insert_with(|| vec![None; length]);
            claim(owners, group, axis)?;
        }
    }
    Ok(())
}

/// The length of an axis, if all of its units fit.
fn length(
    shapes: &BTreeMap<String, Vec<usize>>,
    group: &UnitGroup,
    axis: &UnitAxis,
) -> Result<usize, UnitError> {
    let (group_name, path) = (group.name.clone(), axis.path.clone());
    let Some(shape) = shapes.get(&axis.path) else {
        return Err(UnitError::Path {
            group: group_name,
            path,
            available: shapes.keys().cloned().collect(),
        });
    };
    let Some(&length) = shape.get(axis.axis) else {
        return Err(UnitError::Axis {
            group: group_name,
            path,
            axis: axis.axis,
            rank: shape.len(),
        });
    };
    let largest = axis.indices(group.size - 1).max();
    match largest.filter(|&index| index >= length) {
        Some(index) => Err(UnitError::Index {
            group: group_name,
            path,
            axis: axis.axis,
            index,
            length,
        }),
        None => Ok(length),
    }
}

/// Notes which group the indices of an axis belong to.
fn claim<'a>(
    owners: &mut [Option<&'a str>],
    group: &'a UnitGroup,
    axis: &UnitAxis,
) -> Result<(), UnitError> {
    for index in (0..group.size).flat_map(|unit| axis.indices(unit)) {
        if let Some(first) = owners[index].replace(&group.name) {
            return Err(UnitError::Overlap {
                path: axis.path.clone(),
                axis: axis.axis,
                index,
                first: first.to_string(),
                second: group.name.clone(),
            });
        }
    }
    Ok(())
}

/// What stays where, along the axes whose role is `of`, once all has been checked.
pub(super) fn cuts(
    shapes: &BTreeMap<String, Vec<usize>>,
    groups: &[UnitGroup],
    kept: &Kept,
    of: impl Fn(UnitRole) -> bool,
) -> Result<Cuts, UnitError> {
    check(shapes, groups)?;
    kept.validate(groups)?;

    let mut cuts = Cuts::new();
    for group in groups {
        let Some(units) = kept
            .get(&group.name)
            .filter(|units| units.len() < group.size)
        else {
            continue;
        };
        let gone = |unit: &usize| units.binary_search(unit).is_err();
        for axis in group.axes.iter().filter(|axis| of(axis.role)) {
            let length = shapes[&axis.path][axis.axis];
            let of_tensor = cuts.entry(axis.path.clone()).or_default();
            let at = of_tensor.iter().position(|cut| cut.axis == axis.axis);
            let at = at.unwrap_or_else(|| {
                of_tensor.push(Cut {
                    axis: axis.axis,
                    kept: vec![true; length],
                });
                of_tensor.len() - 1
            });
            for index in (0..group.size)
                .filter(gone)
                .flat_map(|unit| axis.indices(unit))
            {
                of_tensor[at].kept[index] = false;
            }
        }
    }
    Ok(cuts)
}
