//! Where the hidden units of cells and stacks stand in their tensors, so that they can be pruned.

use rekindle_regularize::units::{UnitAxis, UnitGroup, UnitRole};

use crate::{
    Cell, ColumnNorm, Connections, Direction, Extras, Layer, LearnedState, Merge, Order, Recurrent,
    Stack, Weights,
};

impl Weights {
    /// Where `units` hidden units stand in the weights, which lie under `path`. Gates make them; `W_hh` reads them, unless
    /// a projection of them is what it reads.
    pub fn unit_axes(&self, path: &str, units: usize, is_read: bool) -> Vec<UnitAxis> {
        let makes = |name: &str, axis: usize| {
            let gates = self.weight_ih.dims()[1] / units;
            let path = format!("{path}.{name}");
            UnitAxis::new(path, axis, UnitRole::Makes).blocks(gates, units)
        };
        let mut axes = vec![makes("weight_ih", 1), makes("weight_hh", 1)];
        if self.has_bias() {
            axes.extend([makes("bias_ih", 0), makes("bias_hh", 0)]);
        }
        if is_read {
            let weight = format!("{path}.weight_hh");
            axes.push(UnitAxis::new(weight, 0, UnitRole::Reads));
        }
        axes
    }
}

impl LearnedState {
    /// Where the units stand in all of these but the first ones, which are none; the states lie under `path`.
    pub(crate) fn unit_axes(&self, path: &str, first: usize) -> Vec<UnitAxis> {
        (first..self.states.len())
            .map(|index| UnitAxis::new(format!("{path}.states.{index}"), 0, UnitRole::Makes))
            .collect()
    }
}

impl Extras {
    /// Where `units` hidden units stand in the norms, if there are any; the extras lie under `path`.
    pub fn unit_axes(&self, path: &str, units: usize) -> Vec<UnitAxis> {
        let Some(norms) = &self.norms else {
            return Vec::new();
        };
        let each = [
            ("input", &norms.input),
            ("hidden", &norms.hidden),
            ("cell", &norms.cell),
        ];
        each.into_iter()
            .filter_map(|(name, norm)| Some((name, norm.as_ref()?)))
            .flat_map(|(name, norm)| norm.unit_axes(&format!("{path}.norms.{name}"), units))
            .collect()
    }
}

impl ColumnNorm {
    fn unit_axes(&self, path: &str, units: usize) -> Vec<UnitAxis> {
        let blocks = self.gain.dims()[0] / units;
        let axis = |name: &str, axis: usize, role: UnitRole| {
            UnitAxis::new(format!("{path}.{name}"), axis, role).blocks(blocks, units)
        };
        let mut axes = vec![axis("gain", 0, UnitRole::Makes)];
        if self.shift.is_some() {
            axes.push(axis("shift", 0, UnitRole::Makes));
        }
        if self.active.is_some() {
            axes.push(axis("active", 0, UnitRole::Active));
        }
        if self.running.is_some() {
            axes.push(axis("running.mean", 1, UnitRole::Statistic));
            axes.push(axis("running.variance", 1, UnitRole::Statistic));
        }
        axes
    }
}

/// Where `units` hidden units stand in what all shipped cells have: fields `weights`, `extras` and `initial`. With a
/// projection, recurrent weights do not read them, and the first initial state does not consist of them.
pub(crate) fn common_axes(
    weights: &Weights,
    extras: &Extras,
    initial: Option<&LearnedState>,
    units: usize,
    is_projected: bool,
) -> Vec<UnitAxis> {
    let mut axes = weights.unit_axes("weights", units, !is_projected);
    axes.extend(extras.unit_axes("extras", units));
    if let Some(initial) = initial {
        axes.extend(initial.unit_axes("initial", usize::from(is_projected)));
    }
    axes
}

/// The hidden units of a stack, for [`rekindle_regularize::units`].
#[derive(Clone, Debug)]
pub struct StackUnits {
    /// The units that can be taken out one by one: a group for each cell, named by its path, `layers.0.forward`. Cells
    /// whose outputs are added up or multiplied have one group together, with `*` for what they differ in.
    pub groups: Vec<UnitGroup>,
    /// Which groups the outputs of the stack are, and from which column on.
    pub output: Vec<(usize, usize)>,
}

impl StackUnits {
    /// The same units, where the stack lies under `path` in a larger network.
    pub fn under(mut self, path: &str) -> Self {
        for axis in self.groups.iter_mut().flat_map(|group| &mut group.axes) {
            axis.path = format!("{path}.{}", axis.path);
        }
        self
    }

    /// The same units, where a tensor of the network reads the outputs of the stack along an axis.
    pub fn read_by(mut self, path: &str, axis: usize) -> Self {
        for &(group, offset) in &self.output {
            read(&mut self.groups[group], path, axis, offset);
        }
        self
    }
}

impl<C: Cell> Stack<C> {
    /// The hidden units of all layers.
    ///
    /// Taken out by [`shrink`](rekindle_regularize::units::shrink), they leave a stack as
    /// [`StackConfig::units`](crate::StackConfig) makes it.
    pub fn units(&self) -> StackUnits {
        let mut groups = Vec::new();
        let mut columns = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut offset = 0;
            let mut of_layer = Vec::new();
            for (order, cell) in layer.cells() {
                let group = self.enter(&mut groups, index, order, cell);
                if cell.puts_out_units() {
                    of_layer.push((group, offset));
                }
                if self.merge == Merge::Concat {
                    offset += cell.d_hidden();
                }
            }
            columns.push(of_layer);
        }
        for (index, layer) in self.layers.iter().enumerate().skip(1) {
            for (order, _) in layer.cells() {
                let path = format!("layers.{index}.{}.weights.weight_ih", name(order));
                for (group, offset) in self.read_columns(index, &columns) {
                    read(&mut groups[group], &path, 0, offset);
                }
            }
        }
        StackUnits {
            groups,
            output: columns.pop().unwrap_or_default(),
        }
    }

    /// How many hidden units each cell of each layer has, forward first: what [`StackConfig::units`](crate::StackConfig)
    /// makes them from.
    pub fn widths(&self) -> Vec<Vec<usize>> {
        let of_layer = |layer: &Layer<C>| layer.cells().map(|(_, cell)| cell.units()).collect();
        self.layers.iter().map(of_layer).collect()
    }

    /// Adds a cell to its group, which may be that of others; returns the index of the group.
    fn enter(&self, groups: &mut Vec<UnitGroup>, index: usize, order: Order, cell: &C) -> usize {
        let puts_out = cell.puts_out_units();
        let layer = match self.connections {
            Connections::Residual if puts_out && self.layers.len() > 1 => "*".to_string(),
            _ => index.to_string(),
        };
        let both = self.direction() == Direction::Bidirectional;
        let cells = match self.merge {
            Merge::Sum | Merge::Mean | Merge::Mul if puts_out && both => "*",
            _ => name(order),
        };
        let group = format!("layers.{layer}.{cells}");
        let at = groups.iter().position(|other| other.name == group);
        let at = at.unwrap_or_else(|| {
            groups.push(UnitGroup {
                name: group,
                size: cell.units(),
                axes: Vec::new(),
            });
            groups.len() - 1
        });
        let path = format!("layers.{index}.{}", name(order));
        let axes = cell.unit_axes().into_iter();
        groups[at].axes.extend(axes.map(|axis| UnitAxis {
            path: format!("{path}.{}", axis.path),
            ..axis
        }));
        at
    }

    /// The columns that a layer reads of the outputs of others: a group, and where it begins.
    fn read_columns(&self, index: usize, columns: &[Vec<(usize, usize)>]) -> Vec<(usize, usize)> {
        if self.connections != Connections::Dense {
            return columns[index - 1].clone();
        }
        let mut first = self.d_input();
        let mut read = Vec::new();
        for (layer, of_layer) in self.layers.iter().zip(columns).take(index) {
            read.extend(
                of_layer
                    .iter()
                    .map(|&(group, offset)| (group, first + offset)),
            );
            first += self.width_of(layer);
        }
        read
    }
}

/// Adds that a tensor reads the units of a group, once: those of cells that are added up stand in the same place.
fn read(group: &mut UnitGroup, path: &str, axis: usize, offset: usize) {
    let reads = UnitAxis::new(path, axis, UnitRole::Reads).offset(offset);
    if !group.axes.contains(&reads) {
        group.axes.push(reads);
    }
}

/// The field of a layer that holds the cell which reads in this order.
fn name(order: Order) -> &'static str {
    match order {
        Order::Forward => "forward",
        Order::Reverse => "reverse",
    }
}
