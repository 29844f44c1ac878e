//! Regression trees: Breiman et al., *Classification and Regression Trees*, 1984.

use super::axis::Axis;
use super::region::Region;

/// By how much a split must make the sum of squares smaller: less is rounding. Values are at most 1.
const LEAST_GAIN: f64 = 1e-10;

/// What was measured where.
pub(super) struct Data<'a> {
    pub(super) axes: Vec<Axis<'a>>,
    /// The coordinates of each trial; not a number where a parameter does not count.
    pub(super) rows: Vec<Vec<f64>>,
    /// The value of each trial.
    pub(super) values: Vec<f64>,
}

/// A box, one region for each axis, and what the tree says there.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) regions: Vec<Region>,
    pub(super) value: f64,
}

/// Two parts of one axis' region.
struct Split {
    axis: usize,
    /// By how much the sum of squares becomes smaller.
    gain: f64,
    parts: [Region; 2],
}

impl Data<'_> {
    /// The leaves of the tree over some of the trials, which may be there more than once. Each leaf has equal values, or
    /// trials that no axis tells apart, or none: then it has the mean of the box around it.
    ///
    /// An axis is split only where its parameter counts all over the box. So the coordinate of a parameter that does not
    /// count plays no part, and may be thought of as any.
    pub(super) fn tree(&self, sample: Vec<usize>) -> Vec<Leaf> {
        let regions = self.axes.iter().map(Axis::whole).collect();
        let mut open: Vec<(Vec<usize>, Leaf)> = vec![(
            sample,
            Leaf {
                regions,
                value: 0.0,
            },
        )];
        let mut leaves = Vec::new();
        while let Some((rows, mut leaf)) = open.pop() {
            if !rows.is_empty() {
                let sum: f64 = rows.iter().map(|row| self.values[*row]).sum();
                leaf.value = sum / rows.len() as f64;
            }
            let Some(split) = self.split(&rows, &leaf.regions) else {
                leaves.push(leaf);
                continue;
            };
            for part in split.parts {
                let inside = |row: &usize| part.contains(self.rows[*row][split.axis]);
                let rows = rows.iter().copied().filter(inside).collect();
                let mut leaf = leaf.clone();
                leaf.regions[split.axis] = part;
                open.push((rows, leaf));
            }
        }
        leaves
    }

    /// The best split of a box; the first axis of equals.
    fn split(&self, rows: &[usize], regions: &[Region]) -> Option<Split> {
        let mut best: Option<Split> = None;
        for axis in 0..regions.len() {
            let open = self.axes[axis].when.iter();
            let open = open.filter(|(on, parts)| !parts.cover(&regions[*on]));
            let halves = open.map(|(on, parts)| (*on, parts.halve(&regions[*on])));
            let found = match halves.into_iter().next() {
                None => self.split_axis(rows, axis, &regions[axis]),
                Some((on, parts)) => {
                    parts.and_then(|parts| self.split_before(rows, axis, regions, (on, parts)))
                }
            };
            let least = best
                .as_ref()
                .map_or(LEAST_GAIN, |split| split.gain * (1.0 + 1e-9));
            best = found.filter(|split| split.gain > least).or(best);
        }
        best
    }

    /// The split of a box in which a parameter does not count everywhere, by what says whether it does; worth what is
    /// gained with the split of the parameter itself that can follow.
    fn split_before(
        &self,
        rows: &[usize],
        axis: usize,
        regions: &[Region],
        (on, parts): (usize, [Region; 2]),
    ) -> Option<Split> {
        let counts = |row: &usize| !self.rows[*row][axis].is_nan();
        let (with, without): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| counts(row));
        let then = self.split_axis(&with, axis, &regions[axis])?;
        let squares = |rows: &[usize]| {
            let sum: f64 = rows.iter().map(|row| self.values[*row]).sum();
            sum * sum / rows.len().max(1) as f64
        };
        let gain = then.gain + squares(&with) + squares(&without) - squares(rows);
        Some(Split {
            axis: on,
            gain,
            parts,
        })
    }

    fn split_axis(&self, rows: &[usize], axis: usize, region: &Region) -> Option<Split> {
        let coordinates = rows.iter().map(|row| self.rows[*row][axis]);
        let values = rows.iter().map(|row| self.values[*row]);
        match region {
            Region::Between(low, high) => {
                let (gain, at) = cut(coordinates.zip(values).collect())?;
                let parts = [Region::Between(*low, at), Region::Between(at, *high)];
                Some(Split { axis, gain, parts })
            }
            Region::Among(choices) => {
                // The best two sets of choices are found among those cut out of the order of their means.
                let means = means(coordinates.clone().zip(values.clone()), choices.len());
                let keys = coordinates.map(|choice| means[choice as usize]);
                let (gain, at) = cut(keys.zip(values).collect())?;
                let all = choices.iter().zip(&means);
                let low: Vec<bool> = all.map(|(among, mean)| *among && *mean < at).collect();
                let high = choices.iter().zip(&low).map(|(all, low)| *all && !low);
                let high = Region::Among(high.collect());
                let parts = [Region::Among(low), high];
                Some(Split { axis, gain, parts })
            }
        }
    }
}

/// The mean value of each choice; of those that are not there the mean of all.
fn means(pairs: impl Iterator<Item = (f64, f64)>, choices: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); choices];
    let mut all = (0.0, 0.0);
    for (choice, value) in pairs {
        for (sum, count) in [&mut sums[choice as usize], &mut all] {
            *sum += value;
            *count += 1.0;
        }
    }
    let mean = |(sum, count)| match count > 0.0 {
        true => sum / count,
        false => all.0 / all.1,
    };
    sums.into_iter().map(mean).collect()
}

/// Where to cut pairs of a key and a value so that the values of both sides have the least squares, and by how much
/// that makes them smaller; none if all keys are equal.
fn cut(mut pairs: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let all: f64 = pairs.iter().map(|(_, value)| value).sum();
    let count = pairs.len() as f64;
    let (mut left, mut best) = (0.0, None);
    for (index, pair) in pairs.windows(2).enumerate() {
        let [(key, value), (next, _)] = [pair[0], pair[1]];
        left += value;
        let at = key + (next - key) / 2.0;
        // Two keys without a number between them are one.
        if !(key < at && at <= next) {
            continue;
        }
        let (left_count, right) = (index as f64 + 1.0, all - left);
        let squares = left * left / left_count + right * right / (count - left_count);
        let gain = squares - all * all / count;
        if best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, at));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::axis::axes;
    use super::*;
    use crate::{Condition, Domain, Parameter, Space};
    use serde_json::json;

    #[test]
    fn cuts_by_hand() {
        let pairs = vec![(3.0, 9.0), (1.0, 0.0), (2.0, 0.0), (4.0, 9.0)];
        // Squares around the mean: 81 before, 0 after.
        assert_eq!(cut(pairs), Some((81.0, 2.5)));
        assert_eq!(cut(vec![(1.0, 0.0), (1.0, 1.0)]), None);
        assert_eq!(cut(vec![]), None);
    }

    /// Two numbers and a choice, on which the second of the numbers depends.
    fn space() -> Space {
        let number = Domain::Float {
            low: 0.0,
            high: 1.0,
            log: false,
            step: None,
        };
        let choice = Domain::Choice {
            choices: vec![json!(0), json!(1), json!(2)],
        };
        let among = vec![json!(1), json!(2)];
        let on = "c".into();
        let of_choice = vec![Condition { on, among }];
        let parameters = [
            ("x", number.clone(), vec![]),
            ("c", choice, vec![]),
            ("y", number, of_choice),
        ];
        let parameters = parameters.map(|(name, domain, when)| Parameter {
            name: name.into(),
            domain,
            when,
        });
        Space::new(parameters.to_vec()).unwrap()
    }

    #[test]
    fn leaves_part_the_cube_and_hold_the_values() {
        let space = space();
        let rows: Vec<Vec<f64>> = (0..30)
            .map(|row| {
                let choice = f64::from(row % 3);
                let y = if row % 3 == 0 {
                    f64::NAN
                } else {
                    f64::from(row * 11 % 30) / 30.0
                };
                vec![f64::from(row * 7 % 30) / 30.0, choice, y]
            })
            .collect();
        let value = |row: &Vec<f64>| {
            if row[2].is_nan() {
                row[0]
            } else {
                row[0] * row[2]
            }
        };
        let values: Vec<f64> = rows.iter().map(value).collect();
        let data = Data {
            axes: axes(&space),
            rows,
            values,
        };
        let leaves = data.tree((0..30).collect());
        let mass = |leaf: &Leaf| -> f64 { leaf.regions.iter().map(Region::mass).product() };
        assert!((leaves.iter().map(mass).sum::<f64>() - 1.0).abs() < 1e-12);
        for (row, value) in data.rows.iter().zip(&data.values) {
            // Where a parameter does not count, it can be thought of as any.
            let inside = |leaf: &&Leaf| {
                let mut regions = leaf.regions.iter().zip(row);
                regions.all(|(region, at)| region.contains(if at.is_nan() { 0.3 } else { *at }))
            };
            let around: Vec<&Leaf> = leaves.iter().filter(inside).collect();
            assert_eq!(around.len(), 1);
            assert!((around[0].value - value).abs() < 1e-9);
        }
    }
}
