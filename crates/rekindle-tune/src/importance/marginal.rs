//! What a forest says of one parameter alone.

use super::axis::Axis;
use super::region::Region;
use super::tree::Leaf;

/// The variance over the values of one axis of the mean over all other axes, of the function that is the sum of all
/// leaves, where the axis' parameter counts, times the probability that it does: `P(A) · Var_v E[f(x) | x_axis = v, A]`.
/// Exact.
pub(super) fn variance(axes: &[Axis<'_>], leaves: &[Leaf], axis: usize) -> f64 {
    let when = &axes[axis].when;
    let counts: f64 = when
        .iter()
        .map(|(on, parts)| parts.mass(&axes[*on].whole()))
        .product();
    if counts == 0.0 {
        return 0.0;
    }
    let cells = cells(&axes[axis], leaves, axis);
    let mut heights = vec![0.0; cells.len()];
    for leaf in leaves {
        let others = leaf.regions.iter().enumerate();
        let others = others.filter(|(other, _)| *other != axis);
        let mass = |(other, region): (usize, &Region)| {
            let restricted = when.iter().find(|(on, _)| *on == other);
            restricted.map_or_else(|| region.mass(), |(_, parts)| parts.mass(region))
        };
        let share: f64 = others.map(mass).product();
        let value = leaf.value * share / counts;
        add(&mut heights, &cells, &leaf.regions[axis], value);
    }
    if let Region::Between(..) = cells[0] {
        // So far they are differences, from cell to cell.
        let mut height = 0.0;
        for cell in &mut heights {
            height += *cell;
            *cell = height;
        }
    }
    let weighted: Vec<(f64, f64)> = cells.iter().map(Region::mass).zip(heights).collect();
    let mean: f64 = weighted.iter().map(|(mass, height)| mass * height).sum();
    let square = |(mass, height): &(f64, f64)| mass * (height - mean).powi(2);
    counts * weighted.iter().map(square).sum::<f64>()
}

/// The parts of an axis on which no leaf changes, in order.
fn cells(axis: &Axis<'_>, leaves: &[Leaf], index: usize) -> Vec<Region> {
    match axis.whole() {
        Region::Among(choices) => (0..choices.len())
            .map(|only| Region::Among((0..choices.len()).map(|choice| choice == only).collect()))
            .collect(),
        Region::Between(low, high) => {
            let mut bounds = vec![low, high];
            bounds.extend(leaves.iter().filter_map(|leaf| match leaf.regions[index] {
                Region::Between(low, _) => Some(low),
                Region::Among(_) => None,
            }));
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            let pairs = bounds.windows(2);
            pairs
                .map(|pair| Region::Between(pair[0], pair[1]))
                .collect()
        }
    }
}

/// Adds a leaf to the cells that it covers; of a number to the first, and takes it off the one after the last.
fn add(heights: &mut [f64], cells: &[Region], region: &Region, value: f64) {
    match region {
        Region::Among(choices) => {
            let chosen = heights.iter_mut().zip(choices).filter(|(_, among)| **among);
            chosen.for_each(|(height, _)| *height += value);
        }
        Region::Between(low, high) => {
            let from = |bound: f64| {
                let before =
                    |cell: &Region| matches!(cell, Region::Between(low, _) if *low < bound);
                cells.partition_point(before)
            };
            heights[from(*low)] += value;
            if let Some(after) = heights.get_mut(from(*high)) {
                *after -= value;
            }
        }
    }
}
