//! From scores to masks: exact counts, the same on every machine.

use std::collections::BTreeMap;

use super::observe::Scored;
use super::{Amount, Granularity, Mask, Masks, PruneError, Scope, Selection};

/// Prunes so much of every set of weights that compete with each other. What `old` removes stays removed, and counts.
pub(super) fn prune(
    scored: &[Scored],
    old: &Masks,
    selection: &Selection,
    amount: Amount,
) -> Result<Masks, PruneError> {
    let grid = |scored: &Scored| Grid::new(scored, selection.granularity);
    let grids: Vec<Grid> = scored.iter().map(grid).collect::<Result<_, _>>()?;
    let mut gone: Vec<_> = grids.iter().map(|grid| vec![false; grid.cells]).collect();
    for (set, tensors) in sets(scored, selection.scope) {
        let mut ranked = Vec::new();
        for tensor in tensors {
            let cells = grids[tensor].scores(&scored[tensor], old.get(&scored[tensor].path));
            let ranks = cells.into_iter().enumerate();
            ranked.extend(ranks.map(|(cell, score)| (score, tensor, cell)));
        }
        match first(&mut ranked, amount) {
            Some(first) => (first.iter()).for_each(|&(_, tensor, cell)| gone[tensor][cell] = true),
            None => return Err(everything(set, selection.granularity, ranked.len())),
        }
    }

    let mut masks = Masks::default();
    for ((scored, grid), gone) in scored.iter().zip(&grids).zip(&gone) {
        let keep = (0..scored.scores.len()).map(|at| !gone[grid.cell(at)]);
        masks.insert(
            &scored.path,
            Mask::new(scored.shape.clone(), keep.collect()),
        );
    }
    masks.and(old)
}

/// The tensors whose weights compete with each other, by a path that they share: empty for all.
fn sets(scored: &[Scored], scope: Scope) -> BTreeMap<&str, Vec<usize>> {
    let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (tensor, scored) in scored.iter().enumerate() {
        let path = scored.path.as_str();
        let set = match scope {
            Scope::Tensor => path,
            Scope::Layer => path.rsplit_once('.').map_or("", |(parent, _)| parent),
            Scope::Global => "",
        };
        sets.entry(set).or_default().push(tensor);
    }
    sets
}

/// Nothing of a set would stay.
fn everything(set: &str, granularity: Granularity, count: usize) -> PruneError {
    PruneError::Everything {
        set: match set {
            "" => "all targets".to_string(),
            set => format!("`{set}`"),
        },
        what: match granularity {
            Granularity::Weights => "weights",
            Granularity::Blocks { .. } => "blocks",
        },
        count,
    }
}

/// The cells that go, lowest first; `None` if all do. Of those with the same score, the first of the first tensor.
fn first(ranked: &mut [(f64, usize, usize)], amount: Amount) -> Option<&[(f64, usize, usize)]> {
    let below = |limit: f64| ranked.iter().filter(|(score, ..)| *score < limit).count();
    let count = match amount {
        Amount::Sparsity(sparsity) => {
            let already = ranked
                .iter()
                .filter(|(score, ..)| *score == f64::NEG_INFINITY)
                .count();
            already.max((sparsity * ranked.len() as f64).round() as usize)
        }
        Amount::Threshold(threshold) => below(threshold),
    };
    if count >= ranked.len() {
        return None;
    }
    ranked.select_nth_unstable_by(count, |a, b| {
        a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    Some(&ranked[..count])
}

/// How the weights of a tensor fall into cells that go together.
struct Grid {
    /// Number of cells.
    cells: usize,
    /// Rows and columns of a cell.
    block: [usize; 2],
    /// Columns of the tensor.
    columns: usize,
}

impl Grid {
    fn new(scored: &Scored, granularity: Granularity) -> Result<Self, PruneError> {
        let count = scored.scores.len();
        let Granularity::Blocks { rows, columns } = granularity else {
            return Ok(Self {
                cells: count,
                block: [1, 1],
                columns: count,
            });
        };
        match scored.shape[..] {
            [height, width] if height.is_multiple_of(rows) && width.is_multiple_of(columns) => {
                Ok(Self {
                    cells: count / (rows * columns),
                    block: [rows, columns],
                    columns: width,
                })
            }
            _ => Err(PruneError::Blocks {
                path: scored.path.clone(),
                shape: scored.shape.clone(),
                rows,
                columns,
            }),
        }
    }

    /// The cell of a weight, from its place in row-major order.
    fn cell(&self, at: usize) -> usize {
        let [rows, columns] = self.block;
        let (row, column) = (at / self.columns, at % self.columns);
        row / rows * (self.columns / columns) + column / columns
    }

    /// The mean score of each cell; of those that are gone already, less than any other.
    fn scores(&self, scored: &Scored, old: Option<&Mask>) -> Vec<f64> {
        let mut sums = vec![0.0; self.cells];
        let mut stays = vec![old.is_none(); self.cells];
        for (at, score) in scored.scores.iter().enumerate() {
            let cell = self.cell(at);
            sums[cell] += score;
            stays[cell] |= old.is_some_and(|old| old.keep().get(at) == Some(&true));
        }
        let size = (self.block[0] * self.block[1]) as f64;
        let score = |(sum, stays): (f64, bool)| match stays {
            true => sum / size,
            false => f64::NEG_INFINITY,
        };
        sums.into_iter().zip(stays).map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(path: &str, shape: &[usize], scores: &[f64]) -> Scored {
        Scored {
            path: path.to_string(),
            shape: shape.to_vec(),
            scores: scores.to_vec(),
        }
    }

    fn select(scope: Scope, granularity: Granularity) -> Selection {
        Selection {
            scope,
            granularity,
            ..Selection::default()
        }
    }

    fn kept(masks: &Masks, path: &str) -> Vec<usize> {
        let keep = masks.get(path).unwrap().keep();
        (0..keep.len()).filter(|&at| keep[at]).collect()
    }

    #[test]
    fn equal_scores_go_by_place() {
        let tensors = [
            scored("a", &[2, 2], &[1.0; 4]),
            scored("b", &[2], &[1.0; 2]),
        ];
        let global = select(Scope::Global, Granularity::Weights);
        let masks = prune(&tensors, &Masks::default(), &global, Amount::Sparsity(0.84)).unwrap();
        assert_eq!(kept(&masks, "a"), [0; 0]);
        assert_eq!(kept(&masks, "b"), [1]);
    }

    #[test]
    fn what_is_gone_stays_gone_and_counts() {
        let tensors = [scored("a", &[6], &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0])];
        let weights = select(Scope::Tensor, Granularity::Weights);
        let mut old = Masks::default();
        old.insert(
            "a",
            Mask::new(vec![6], vec![false, true, true, true, true, true]),
        );
        for (sparsity, expected) in [
            (0.0, &[1, 2, 3, 4, 5][..]),
            (0.5, &[1, 2, 3]),
            (0.67, &[1, 2]),
        ] {
            let masks = prune(&tensors, &old, &weights, Amount::Sparsity(sparsity)).unwrap();
            assert_eq!(kept(&masks, "a"), expected, "{sparsity}");
        }
        let masks = prune(&tensors, &old, &weights, Amount::Threshold(2.0)).unwrap();
        assert_eq!(kept(&masks, "a"), [1, 2, 3, 4]);
    }

    #[test]
    fn blocks_go_by_their_mean() {
        // Means of the 2 × 3 blocks: 2, 1 over 3, 0.5.
        let rows = [
            [12.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            [3.0, 3.0, 3.0, 0.5, 0.5, 0.5],
            [3.0, 3.0, 3.0, 0.5, 0.5, 0.5],
        ];
        let tensors = [scored("a", &[4, 6], rows.as_flattened())];
        let blocks = select(
            Scope::Tensor,
            Granularity::Blocks {
                rows: 2,
                columns: 3,
            },
        );
        let masks = prune(&tensors, &Masks::default(), &blocks, Amount::Sparsity(0.5)).unwrap();
        assert_eq!(
            kept(&masks, "a"),
            [0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20]
        );
        let masks = prune(&tensors, &masks, &blocks, Amount::Sparsity(0.75)).unwrap();
        assert_eq!(kept(&masks, "a"), [12, 13, 14, 18, 19, 20]);
    }

    #[test]
    fn masks_from_elsewhere_stay() {
        // One weight of a block that stays is gone already, and so is one of another tensor.
        let tensors = [scored("a", &[1, 4], &[0.0, 9.0, 1.0, 1.0])];
        let mut old = Masks::default();
        old.insert("a", Mask::new(vec![1, 4], vec![false, true, true, true]));
        old.insert("b", Mask::new(vec![2], vec![true, false]));
        let granularity = Granularity::Blocks {
            rows: 1,
            columns: 2,
        };
        let blocks = select(Scope::Tensor, granularity);
        let masks = prune(&tensors, &old, &blocks, Amount::Sparsity(0.5)).unwrap();
        assert_eq!(kept(&masks, "a"), [1]);
        assert_eq!(kept(&masks, "b"), [0]);
    }
}
