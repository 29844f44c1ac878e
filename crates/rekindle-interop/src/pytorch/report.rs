//! What became of the tensors of a state dict.

use std::fmt;

/// A tensor and its shape, a matrix as `[out, in]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedShape {
    /// The name in the state dict, prefix included.
    pub name: String,
    /// The shape as PyTorch keeps it.
    pub shape: Vec<usize>,
}

/// What became of the tensors of a state dict. As text it is a table.
///
/// # Examples
/// ```
/// use burn::tensor::TensorData;
/// use rekindle_cells::Elman;
/// use rekindle_interop::pytorch::{StateDict, build_stack};
///
/// let mut dict = StateDict::new();
/// dict.insert("rnn.weight_ih_l0", &TensorData::new(vec![0.5_f32; 8], [4, 2]));
/// dict.insert("rnn.weight_hh_l0", &TensorData::new(vec![0.1_f32; 16], [4, 4]));
/// dict.insert("rnn.scale", &TensorData::new(vec![1.0_f32], [1]));
/// dict.insert("out.weight", &TensorData::new(vec![1.0_f32; 4], [1, 4]));
///
/// let (_, report) = build_stack::<Elman>(&dict, "rnn.", &Default::default()).unwrap();
/// assert_eq!(
///     report.to_string(),
///     "\
/// rnn.weight_ih_l0  [4, 2]  matched
/// rnn.weight_hh_l0  [4, 4]  matched
/// rnn.scale         [1]     unused
/// 2 matched, 0 missing, 1 unused, 1 outside of `rnn.`"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the names of the module begin with.
    pub prefix: String,
    /// The tensors that were loaded.
    pub matched: Vec<NamedShape>,
    /// The tensors that the network has and the state dict has not. Empty when loading succeeded.
    pub missing: Vec<NamedShape>,
    /// The tensors under the prefix that the network has no use for.
    pub unused: Vec<NamedShape>,
    /// The number of tensors whose names do not begin with the prefix.
    pub outside: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [
            ("matched", &self.matched),
            ("missing", &self.missing),
            ("unused", &self.unused),
        ];
        let lines: Vec<(&str, String, &str)> = groups
            .iter()
            .flat_map(|(fate, tensors)| {
                let line = |tensor: &'_ NamedShape| format!("{:?}", tensor.shape);
                tensors
                    .iter()
                    .map(move |t| (t.name.as_str(), line(t), *fate))
            })
            .collect();
        let names = lines.iter().map(|(name, _, _)| name.len()).max();
        let shapes = lines.iter().map(|(_, shape, _)| shape.len()).max();
        let [names, shapes] = [names, shapes].map(Option::unwrap_or_default);
        for (name, shape, fate) in &lines {
            writeln!(f, "{name:names$}  {shape:shapes$}  {fate}")?;
        }
        let [matched, missing, unused] = groups.map(|(_, tensors)| tensors.len());
        write!(f, "{matched} matched, {missing} missing, {unused} unused")?;
        match self.outside {
            0 => Ok(()),
            outside => write!(f, ", {outside} outside of `{}`", self.prefix),
        }
    }
}
