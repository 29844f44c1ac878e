//! Which units stay, given their scores.

use super::{GroupScores, Kept, UnitError, UnitScore, UnitScores};

impl UnitScores {
    /// Removes the same fraction of each group: `round(sparsity · size)` units with the lowest scores, but never the last
    /// one. Of units with the same score, the first goes first.
    ///
    /// # Errors
    /// If the sparsity, the fraction removed, is not in `[0, 1)`.
    pub fn keep_local(&self, sparsity: f64) -> Result<Kept, UnitError> {
        check_sparsity(sparsity)?;
        Kept::from_indices(self.groups.iter().map(|group| {
            let size = group.scores.len();
            let removed = (sparsity * size as f64).round() as usize;
            let kept = group.best((size - removed.min(size)).max(1));
            (group.name.clone(), kept)
        }))
    }

    /// Removes a fraction of the units of all groups: the `round(sparsity · total)` units with the lowest scores for the
    /// number of their entries, but never the last one of a group, even if fewer go then.
    ///
    /// Norms are divided by the root of the number of entries, sensitivities by the number, so that large layers do not
    /// win by size. Of units with the same score, the first goes first.
    ///
    /// # Errors
    /// If the sparsity, the fraction removed, is not in `[0, 1)`.
    pub fn keep_global(&self, sparsity: f64) -> Result<Kept, UnitError> {
        check_sparsity(sparsity)?;
        let mut ranked = Vec::new();
        for (group, scores) in self.groups.iter().enumerate() {
            let divisor = match self.score {
                UnitScore::Norm => (scores.entries as f64).sqrt(),
                UnitScore::Sensitivity => scores.entries as f64,
                UnitScore::Magnitude | UnitScore::Random { .. } => 1.0,
            };
            let per_entry = |(unit, score)| (score / divisor.max(1.0), group, unit);
            ranked.extend(scores.scores.iter().enumerate().map(per_entry));
        }
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));

        let mut removed = (sparsity * ranked.len() as f64).round() as usize;
        let mut masks: Vec<_> = self
            .groups
            .iter()
            .map(|group| vec![true; group.scores.len()])
            .collect();
        let mut left: Vec<_> = masks.iter().map(Vec::len).collect();
        for (_, group, unit) in ranked {
            if removed > 0 && left[group] > 1 {
                masks[group][unit] = false;
                left[group] -= 1;
                removed -= 1;
            }
        }
        let names = self.groups.iter().map(|group| group.name.clone());
        Kept::from_masks(names.zip(masks))
    }

    /// Keeps a given number of units of each group that is named; the others stay whole.
    ///
    /// # Errors
    /// If there is no such group, or the number is zero or larger than its size.
    pub fn keep_counts<'a>(
        &self,
        counts: impl IntoIterator<Item = (&'a str, usize)>,
    ) -> Result<Kept, UnitError> {
        let of_group = |(name, count): (&str, usize)| {
            let Some(group) = self.groups.iter().find(|group| group.name == name) else {
                return Err(UnitError::Group {
                    group: name.to_string(),
                    available: self.groups.iter().map(|group| group.name.clone()).collect(),
                });
            };
            let size = group.scores.len();
            match (1..=size).contains(&count) {
                true => Ok((name.to_string(), group.best(count))),
                false => Err(UnitError::Count {
                    group: name.to_string(),
                    found: count,
                    size,
                }),
            }
        };
        let kept: Vec<_> = counts.into_iter().map(of_group).collect::<Result<_, _>>()?;
        Kept::from_indices(kept)
    }

    /// Keeps the units whose score is above a threshold: after a group lasso, those whose norm is not zero. Where none is,
    /// the best one stays.
    ///
    /// # Errors
    /// None for scores as [`UnitScore::score`] computes them.
    pub fn keep_above(&self, threshold: f64) -> Result<Kept, UnitError> {
        Kept::from_indices(self.groups.iter().map(|group| {
            let above = group
                .scores
                .iter()
                .filter(|&&score| score > threshold)
                .count();
            (group.name.clone(), group.best(above.max(1)))
        }))
    }
}

impl GroupScores {
    /// The units with the highest scores. Of units with the same score, the last stays first.
    fn best(&self, count: usize) -> Vec<usize> {
        let mut units: Vec<usize> = (0..self.scores.len()).collect();
        units.sort_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b]));
        units.split_off(self.scores.len() - count)
    }
}

fn check_sparsity(sparsity: f64) -> Result<(), UnitError> {
    match (0.0..1.0).contains(&sparsity) {
        true => Ok(()),
        false => Err(UnitError::Sparsity { found: sparsity }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(score: UnitScore) -> UnitScores {
        let group = |name: &str, scores: &[f64], entries| GroupScores {
            name: name.to_string(),
            scores: scores.to_vec(),
            entries,
        };
        UnitScores {
            score,
            groups: vec![
                group("a", &[4.0, 1.0, 3.0, 1.0], 4),
                group("b", &[8.0, 2.0], 16),
            ],
        }
    }

    fn kept(a: &[usize], b: &[usize]) -> Kept {
        Kept::from_indices([("a", a.to_vec()), ("b", b.to_vec())]).unwrap()
    }

    #[test]
    fn counts_are_exact_and_ties_go_by_index() {
        let scores = scores(UnitScore::Norm);
        assert_eq!(
            scores.keep_local(0.0).unwrap(),
            kept(&[0, 1, 2, 3], &[0, 1])
        );
        assert_eq!(scores.keep_local(0.25).unwrap(), kept(&[0, 2, 3], &[0]));
        assert_eq!(scores.keep_local(0.99).unwrap(), kept(&[0], &[0]));
        let counts = scores.keep_counts([("a", 3)]).unwrap();
        assert_eq!(counts.get("a"), Some(&[0, 2, 3][..]));
        assert_eq!(counts.get("b"), None);
        assert_eq!(scores.keep_above(1.0).unwrap(), kept(&[0, 2], &[0, 1]));
        assert_eq!(scores.keep_above(9.0).unwrap(), kept(&[0], &[0]));
    }

    #[test]
    fn global_ranks_are_per_entry() {
        // Norms per entry: a 2, 0.5, 1.5, 0.5; b 2, 0.5. Sensitivities: a 1, 0.25, 0.75, 0.25; b 0.5, 0.125.
        let norm = scores(UnitScore::Norm);
        assert_eq!(norm.keep_global(0.5).unwrap(), kept(&[0, 2], &[0]));
        assert_eq!(norm.keep_global(0.34).unwrap(), kept(&[0, 2], &[0, 1]));
        let sensitivity = scores(UnitScore::Sensitivity);
        assert_eq!(
            sensitivity.keep_global(0.17).unwrap(),
            kept(&[0, 1, 2, 3], &[0])
        );
        // Two groups keep one each, though five of six were to go.
        assert_eq!(norm.keep_global(0.9).unwrap(), kept(&[0], &[0]));
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let scores = scores(UnitScore::Norm);
        for sparsity in [1.0, -0.1, f64::NAN] {
            let local = scores.keep_local(sparsity).unwrap_err();
            assert!(matches!(local, UnitError::Sparsity { .. }), "{local}");
            let global = scores.keep_global(sparsity).unwrap_err();
            assert!(matches!(global, UnitError::Sparsity { .. }), "{global}");
        }
        let message = |counts| scores.keep_counts([counts]).unwrap_err().to_string();
        assert_eq!(
            message(("a", 5)),
            "5 units of `a` are to be kept, expected 1 to its 4"
        );
        assert_eq!(
            message(("b", 0)),
            "0 units of `b` are to be kept, expected 1 to its 2"
        );
        assert_eq!(
            message(("c", 1)),
            "kept units of a group `c`, expected one of a, b"
        );
    }
}
