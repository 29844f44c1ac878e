//! Splitting a set in two.

use crate::random::{Purpose, generator, shuffle};
use crate::set::{SequenceSet, Target};
use std::path::PathBuf;

/// A set that cannot be split as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A fraction that is not between 0 and 1.
    #[error(
        "found the fraction {found} to hold out, expected more than 0 and less than 1; 0.2 is usual"
    )]
    Fraction {
        /// The fraction.
        found: f64,
    },
    /// Nothing can be held out without emptying the other side.
    #[error(
        "{path}: found {sequences} sequences and no class with 2 or more, expected at least 2 sequences of a class to hold \
         one out; add data, or name a validation file"
    )]
    TooFew {
        /// The file of the set.
        path: PathBuf,
        /// The number of sequences.
        sequences: usize,
    },
}

/// Holds out a random part of a set, the same fraction of every class: `(rest, held out)`.
///
/// Of a class with `n` sequences, `fraction · n` rounded to the nearest whole number (half away from 0) are held out, but
/// at least 1 and at most `n − 1`: a class with two or more sequences is on both sides. A class with one stays in the rest.
/// Sequences without a label form a class of their own; if the labels are numbers or there are none, all sequences do.
///
/// Both sides keep the order of the set, and its classes, channels and source. The choice depends on `seed` and on the set
/// only, and that in each class on the class alone.
///
/// # Errors
///
/// [`SplitError::Fraction`] unless `0 < fraction < 1`; [`SplitError::TooFew`] if no class has two sequences.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, Sequence, SequenceSet, Target, stratified_split};
///
/// let sequences =
///     (0..15).map(|index| Sequence::new(vec![index as f32], 1, Label::Class(usize::from(index >= 10)), None)).collect();
/// let classes = Target::Classes(vec!["often".into(), "seldom".into()]);
/// let set = SequenceSet::new(vec!["x".into()], classes, sequences, "by hand".into());
/// let (rest, held_out) = stratified_split(&set, 0.2, 42).unwrap();
/// assert_eq!(rest.class_counts(), [8, 4]);
/// assert_eq!(held_out.class_counts(), [2, 1]);
/// ```
pub fn stratified_split(
    set: &SequenceSet,
    fraction: f64,
    seed: u64,
) -> Result<(SequenceSet, SequenceSet), SplitError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(SplitError::Fraction { found: fraction });
    }
    let mut held_out = vec![false; set.len()];
    for (stratum, mut rows) in strata(set).into_iter().enumerate() {
        if rows.len() < 2 {
            continue;
        }
        let count = (fraction * rows.len() as f64).round() as usize;
        shuffle(
            &mut rows,
            &mut generator(Purpose::Split, seed, stratum as u64),
        );
        for &row in &rows[..count.clamp(1, rows.len() - 1)] {
            held_out[row] = true;
        }
    }
    let side = |wanted: bool| {
        let rows: Vec<usize> = (0..set.len())
            .filter(|&row| held_out[row] == wanted)
            .collect();
        set.subset(&rows)
    };
    if !held_out.contains(&true) {
        return Err(SplitError::TooFew {
            path: set.source.clone(),
            sequences: set.len(),
        });
    }
    Ok((side(false), side(true)))
}

/// The rows of each class in order, and last those without a class.
fn strata(set: &SequenceSet) -> Vec<Vec<usize>> {
    let classes = match &set.target {
        Target::Classes(classes) => classes.len(),
        _ => 0,
    };
    let mut strata = vec![Vec::new(); classes + 1];
    for (row, sequence) in set.sequences.iter().enumerate() {
        strata[sequence.label.class().unwrap_or(classes)].push(row);
    }
    strata
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::{Label, Sequence};

    /// Sequences whose only value is their row, with the given labels.
    fn set(labels: &[Label], target: Target) -> SequenceSet {
        let sequences = labels
            .iter()
            .enumerate()
            .map(|(row, label)| Sequence::new(vec![row as f32], 1, label.clone(), None));
        SequenceSet::new(
            vec!["x".into()],
            target,
            sequences.collect(),
            "set.csv".into(),
        )
    }

    fn of_classes(counts: &[usize]) -> SequenceSet {
        let labels: Vec<Label> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &count)| vec![Label::Class(class); count])
            .collect();
        set(
            &labels,
            Target::Classes((0..counts.len()).map(|class| format!("c{class}")).collect()),
        )
    }

    fn rows(set: &SequenceSet) -> Vec<f32> {
        set.sequences
            .iter()
            .map(|sequence| sequence.values()[0])
            .collect()
    }

    #[test]
    fn counts_per_class_are_rounded_and_clamped() {
        // 0.2 · 30 = 6; 0.2 · 7 = 1.4 → 1; 0.2 · 8 = 1.6 → 2; 0.2 · 2 = 0.4 → at least 1; a single one stays; none is none.
        let (rest, held_out) = stratified_split(&of_classes(&[30, 7, 8, 2, 1, 0]), 0.2, 1).unwrap();
        assert_eq!(held_out.class_counts(), [6, 1, 2, 1, 0, 0]);
        assert_eq!(rest.class_counts(), [24, 6, 6, 1, 1, 0]);
        // 0.9 · 4 = 3.6 → 4, but at most 3; 0.9 · 5 = 4.5 → 5, but at most 4.
        let (rest, _) = stratified_split(&of_classes(&[4, 5]), 0.9, 1).unwrap();
        assert_eq!(rest.class_counts(), [1, 1]);
    }

    #[test]
    fn the_sides_are_disjoint_complete_and_in_order() {
        let whole = of_classes(&[11, 13]);
        let (rest, held_out) = stratified_split(&whole, 0.3, 5).unwrap();
        assert!(rows(&rest).is_sorted() && rows(&held_out).is_sorted());
        let mut all = [rows(&rest), rows(&held_out)].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, rows(&whole));
        assert_eq!(rest.target, whole.target);
    }

    #[test]
    fn the_seed_decides() {
        let whole = of_classes(&[40, 40]);
        let held_out = |seed| rows(&stratified_split(&whole, 0.25, seed).unwrap().1);
        assert_eq!(held_out(3), held_out(3));
        assert_ne!(held_out(3), held_out(4));
    }

    /// More sequences of one class leave the choice in the class before it alone.
    #[test]
    fn each_class_is_chosen_alone() {
        let first = |counts: &[usize]| {
            let (_, held_out) = stratified_split(&of_classes(counts), 0.25, 9).unwrap();
            rows(&held_out)
                .into_iter()
                .filter(|&row| row < 20.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(first(&[20, 8]), first(&[20, 50]));
    }

    #[test]
    fn every_sequence_is_held_out_equally_often() {
        let whole = of_classes(&[10]);
        let mut counts = [0_u32; 10];
        for seed in 0..2000 {
            for row in rows(&stratified_split(&whole, 0.3, seed).unwrap().1) {
                counts[row as usize] += 1;
            }
        }
        // Binomial(2000, 0.3): mean 600, standard deviation 20.5; five of them either way.
        assert!(
            counts.iter().all(|count| (498..=702).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn without_classes_the_split_is_plain() {
        let values: Vec<Label> = (0..10)
            .map(|value| Label::Value(f64::from(value)))
            .collect();
        let (rest, held_out) = stratified_split(&set(&values, Target::Values), 0.3, 1).unwrap();
        assert_eq!((rest.len(), held_out.len()), (7, 3));
        let (rest, held_out) =
            stratified_split(&set(&[Label::None, Label::None], Target::None), 0.01, 1).unwrap();
        assert_eq!((rest.len(), held_out.len()), (1, 1));
    }

    #[test]
    fn impossible_splits_are_refused() {
        for fraction in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
            assert_eq!(
                stratified_split(&of_classes(&[4]), fraction, 1)
                    .unwrap_err()
                    .to_string(),
                format!(
                    "found the fraction {fraction} to hold out, expected more than 0 and less than 1; 0.2 is usual"
                )
            );
        }
        assert_eq!(
            stratified_split(&of_classes(&[1, 1, 1]), 0.5, 1)
                .unwrap_err()
                .to_string(),
            "set.csv: found 3 sequences and no class with 2 or more, expected at least 2 sequences of a class to hold one \
             out; add data, or name a validation file"
        );
    }
}
