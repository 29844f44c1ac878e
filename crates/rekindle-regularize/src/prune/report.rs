//! What is left of a network.

use std::fmt;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::PruneError;
use super::masks::no_match;
use crate::Targets;
use crate::path::{Visit, visit};
use crate::units::{Kept, UnitGroup, read};

/// How many weights and units are left, tensor by tensor. Displays as a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PruneReport {
    /// The tensors, in the order of the network.
    pub tensors: Vec<TensorReport>,
    /// Number of weights that are not zero.
    pub nonzero: usize,
    /// Number of weights.
    pub total: usize,
    /// Fraction of weights that are zero.
    pub sparsity: f64,
    /// Units that stay, by group. Empty unless [`with_units`](Self::with_units) was called.
    pub units: Vec<UnitReport>,
}

/// How many weights of one tensor are left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorReport {
    /// Path of the tensor.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Number of weights that are not zero.
    pub nonzero: usize,
    /// Number of weights.
    pub total: usize,
    /// Fraction of weights that are zero.
    pub sparsity: f64,
}

/// How many units of one group are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReport {
    /// Name of the group.
    pub group: String,
    /// Number of units that stay.
    pub kept: usize,
    /// Number of units before.
    pub size: usize,
}

impl PruneReport {
    /// Counts the zeros of a network's targets.
    ///
    /// # Errors
    /// If the targets mean no parameter.
    pub fn of<M: Module>(module: &M, targets: &Targets) -> Result<Self, PruneError> {
        let mut count = Count {
            targets,
            tensors: Vec::new(),
        };
        visit(module, &mut count);
        if count.tensors.is_empty() {
            return Err(no_match(module, targets));
        }
        let nonzero = count.tensors.iter().map(|tensor| tensor.nonzero).sum();
        let total = count.tensors.iter().map(|tensor| tensor.total).sum();
        Ok(Self {
            tensors: count.tensors,
            nonzero,
            total,
            sparsity: sparsity(nonzero, total),
            units: Vec::new(),
        })
    }

    /// The same, with the units that stay.
    pub fn with_units(mut self, groups: &[UnitGroup], kept: &Kept) -> Self {
        let of_group = |group: &UnitGroup| UnitReport {
            group: group.name.clone(),
            kept: kept.count(group),
            size: group.size,
        };
        self.units = groups.iter().map(of_group).collect();
        self
    }
}

impl fmt::Display for PruneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["tensor", "shape", "nonzero", "total", "sparsity"].map(String::from)];
        let row = |path: &str, shape: String, nonzero: usize, total: usize, sparsity: f64| {
            let percent = format!("{:.1} %", 100.0 * sparsity);
            [
                path.to_string(),
                shape,
                nonzero.to_string(),
                total.to_string(),
                percent,
            ]
        };
        rows.extend(self.tensors.iter().map(|tensor| {
            let shape = format!("{:?}", tensor.shape);
            row(
                &tensor.path,
                shape,
                tensor.nonzero,
                tensor.total,
                tensor.sparsity,
            )
        }));
        rows.push(row(
            "all",
            String::new(),
            self.nonzero,
            self.total,
            self.sparsity,
        ));
        write_table(f, &rows, 2)?;
        if !self.units.is_empty() {
            let mut rows = vec![["group", "kept", "units"].map(String::from)];
            let row = |unit: &UnitReport| {
                [
                    unit.group.clone(),
                    unit.kept.to_string(),
                    unit.size.to_string(),
                ]
            };
            rows.extend(self.units.iter().map(row));
            write!(f, "\n\n")?;
            write_table(f, &rows, 1)?;
        }
        Ok(())
    }
}

/// Rows with aligned columns: the first `left` to the left, the others to the right.
fn write_table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
    left: usize,
) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    for (at, row) in rows.iter().enumerate() {
        let cell = |(column, cell): (usize, &String)| match column < left {
            true => format!("{cell:<0$}", widths[column]),
            false => format!("{cell:>0$}", widths[column]),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        let end = if at + 1 < rows.len() { "\n" } else { "" };
        write!(f, "{}{end}", cells.join("  "))?;
    }
    Ok(())
}

fn sparsity(nonzero: usize, total: usize) -> f64 {
    (total - nonzero) as f64 / total.max(1) as f64
}

struct Count<'a> {
    targets: &'a Targets,
    tensors: Vec<TensorReport>,
}

impl Visit for Count<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if self.targets.contains(&path) {
            let weights = read(param.val());
            let nonzero = weights.iter().filter(|&&weight| weight != 0.0).count();
            self.tensors.push(TensorReport {
                path,
                shape: param.lazy_shape().to_vec(),
                nonzero,
                total: weights.len(),
                sparsity: sparsity(nonzero, weights.len()),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table() {
        let tensor = |path: &str, shape: &[usize], nonzero, total| TensorReport {
            path: path.to_string(),
            shape: shape.to_vec(),
            nonzero,
            total,
            sparsity: sparsity(nonzero, total),
        };
        let report = PruneReport {
            tensors: vec![
                tensor("a.weight_hh", &[4, 16], 16, 64),
                tensor("b", &[1000], 1000, 1000),
            ],
            nonzero: 1016,
            total: 1064,
            sparsity: sparsity(1016, 1064),
            units: vec![UnitReport {
                group: "a".to_string(),
                kept: 2,
                size: 4,
            }],
        };
        let expected = "\
tensor       shape    nonzero  total  sparsity
a.weight_hh  [4, 16]       16     64    75.0 %
b            [1000]      1000   1000     0.0 %
all                      1016   1064     4.5 %

group  kept  units
a         2      4";
        assert_eq!(report.to_string(), expected);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<PruneReport>(&text).unwrap(), report);
    }
}
