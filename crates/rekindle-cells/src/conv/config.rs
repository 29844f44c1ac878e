//! The convolutions of a cell: configuration and what can be wrong with it.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use super::convolution::Convolution;
use crate::{CellConfigError, CellDropout, Normalization, StackConfigError};

/// A number for each axis of space. In a recipe it is one number, `3`, or a list of them, `[3, 5]`.
///
/// # Examples
/// ```
/// use rekindle_cells::conv::PerAxis;
///
/// assert_eq!(PerAxis::from(3), PerAxis::All(3));
/// assert_eq!(PerAxis::from([3, 5]), PerAxis::Each(vec![3, 5]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerAxis {
    /// The same on all axes.
    All(usize),
    /// One for each axis, in the order of the axes: depth, height, width.
    Each(Vec<usize>),
}

impl From<usize> for PerAxis {
    fn from(number: usize) -> Self {
        Self::All(number)
    }
}

impl<const AXES: usize> From<[usize; AXES]> for PerAxis {
    fn from(numbers: [usize; AXES]) -> Self {
        Self::Each(numbers.into())
    }
}

impl PerAxis {
    /// The number of an axis.
    pub(super) fn of_axis(&self, axis: usize) -> usize {
        match self {
            Self::All(number) => *number,
            Self::Each(numbers) => numbers[axis],
        }
    }

    /// One number for each of `axes` axes, at least `least`.
    fn numbers(
        &self,
        name: &'static str,
        axes: usize,
        least: usize,
    ) -> Result<Vec<usize>, ConvConfigError> {
        let numbers = match self {
            Self::All(number) => vec![*number; axes],
            Self::Each(numbers) => numbers.clone(),
        };
        if numbers.len() != axes {
            return Err(ConvConfigError::Axes {
                name,
                found: numbers,
                axes,
            });
        }
        match numbers.iter().all(|&number| number >= least) {
            true => Ok(numbers),
            false => Err(ConvConfigError::Zero {
                name,
                found: numbers,
            }),
        }
    }
}

/// What surrounds the frames that a convolution reads.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConvPadding {
    /// As many zeros as leave `⌈size / stride⌉` of each axis; an odd one stands behind it.
    #[default]
    Same,
    /// Nothing: the kernel stays inside the frame.
    Valid,
    /// So many zeros.
    Explicit {
        /// Before each axis.
        before: PerAxis,
        /// Behind each axis.
        behind: PerAxis,
    },
}

/// Configuration of a cell's two convolutions, of the input and of the state.
///
/// # Differences
/// Stride, padding, dilation and groups mean what they mean in Burn's `Conv1dConfig` to `Conv3dConfig`, with three
/// exceptions. Padding is the same one by default, so that a state has the size of its frames. It takes the dilation into
/// account, which Burn's does not. Groups split the channels of each gate, not those of all gates packed.
#[derive(Config, Debug)]
pub struct ConvConfig {
    /// The kernel of the input's convolution, at least 1 on each axis.
    pub kernel: PerAxis,
    /// Steps of the input's kernel, at least 1 on each axis. Default: 1.
    #[config(default = "PerAxis::All(1)")]
    pub stride: PerAxis,
    /// What surrounds the input. Default: as many zeros as keep its size.
    #[config(default = "ConvPadding::Same")]
    pub padding: ConvPadding,
    /// Distance of the taps of the input's kernel, at least 1 on each axis. Default: 1.
    #[config(default = "PerAxis::All(1)")]
    pub dilation: PerAxis,
    /// Blocks of input channels, each of which is seen by as large a block of every gate's channels and by no other. It
    /// divides `d_input` and `d_hidden`. Default: 1.
    #[config(default = 1)]
    pub groups: usize,
    /// The kernel of the state's convolution, odd on each axis, because the state keeps its size. Default: `kernel`.
    pub state_kernel: Option<PerAxis>,
    /// Distance of the taps of the state's kernel, at least 1 on each axis. Default: 1.
    #[config(default = "PerAxis::All(1)")]
    pub state_dilation: PerAxis,
    /// The size of the input's frames, at least 1 on each axis. Diagonal peepholes need it, since they have a weight for
    /// each place; without them a cell reads frames of any size. Default: none.
    pub space: Option<PerAxis>,
}

/// Checks that a cell over maps has no options that act on vectors alone.
pub(super) fn check_extras(
    normalization: Normalization,
    dropout: CellDropout,
) -> Result<(), CellConfigError> {
    let refuse = |option| {
        Err(CellConfigError::Options {
            option,
            other: "a convolutional cell",
            reason: "it acts on states that are vectors; remove it",
        })
    };
    match normalization {
        Normalization::None if dropout.is_none() => Ok(()),
        Normalization::None => refuse("dropout"),
        _ => refuse("normalization"),
    }
}

/// [`ConvConfig`] in numbers for each axis.
#[derive(Clone, Debug)]
pub(super) struct Convolutions {
    pub(super) kernel: Vec<usize>,
    pub(super) input: Convolution,
    pub(super) state_kernel: Vec<usize>,
    pub(super) state: Convolution,
    /// The size of the state, if that of the input is given.
    pub(super) state_space: Option<Vec<usize>>,
}

impl ConvConfig {
    /// Checks the configuration for frames with `axes` axes of space.
    pub(super) fn resolve(
        &self,
        axes: usize,
        [d_input, d_hidden]: [usize; 2],
    ) -> Result<Convolutions, ConvConfigError> {
        let kernel = self.kernel.numbers("kernel", axes, 1)?;
        let state_kernel = match &self.state_kernel {
            Some(state_kernel) => state_kernel.numbers("state_kernel", axes, 1)?,
            None => kernel.clone(),
        };
        if state_kernel.iter().any(|size| size % 2 == 0) {
            return Err(ConvConfigError::EvenStateKernel {
                found: state_kernel,
            });
        }
        if let ConvPadding::Explicit { before, behind } = &self.padding {
            before.numbers("padding before", axes, 0)?;
            behind.numbers("padding behind", axes, 0)?;
        }
        let groups = self.groups;
        if groups == 0 || d_input % groups != 0 || d_hidden % groups != 0 {
            return Err(ConvConfigError::Groups {
                found: groups,
                d_input,
                d_hidden,
            });
        }
        let input = Convolution {
            stride: self.stride.numbers("stride", axes, 1)?,
            padding: self.padding.clone(),
            dilation: self.dilation.numbers("dilation", axes, 1)?,
            groups,
        };
        let dilation = self.state_dilation.numbers("state_dilation", axes, 1)?;
        Ok(Convolutions {
            state_space: self.state_space(&input, &kernel)?,
            state: Convolution::keeping(dilation),
            kernel,
            input,
            state_kernel,
        })
    }

    /// The size of the state, if that of the input is given.
    fn state_space(
        &self,
        input: &Convolution,
        kernel: &[usize],
    ) -> Result<Option<Vec<usize>>, ConvConfigError> {
        let Some(space) = &self.space else {
            return Ok(None);
        };
        let space = space.numbers("space", kernel.len(), 1)?;
        match input.output(kernel, &space) {
            Some(state_space) => Ok(Some(state_space)),
            None => Err(ConvConfigError::Space {
                found: space,
                kernel: kernel.to_vec(),
            }),
        }
    }
}

/// A configuration that no convolutional cell, and no stack of them, can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvConfigError {
    /// Numbers for another number of axes.
    #[error("{name} is {found:?}, expected one number for each of {axes} axes, or one for all")]
    Axes {
        /// The field.
        name: &'static str,
        /// The numbers.
        found: Vec<usize>,
        /// How many axes of space frames have.
        axes: usize,
    },
    /// A number that is 0.
    #[error("{name} is {found:?}, expected at least 1 on each axis")]
    Zero {
        /// The field.
        name: &'static str,
        /// The numbers.
        found: Vec<usize>,
    },
    /// A kernel of the state that cannot keep its size.
    #[error(
        "the state's kernel is {found:?}, expected odd numbers, because a state keeps its size: set state_kernel"
    )]
    EvenStateKernel {
        /// The kernel.
        found: Vec<usize>,
    },
    /// Groups that do not divide the channels.
    #[error(
        "groups is {found}, expected a divisor of d_input {d_input} and of d_hidden {d_hidden}"
    )]
    Groups {
        /// The number of groups.
        found: usize,
        /// Channels of the input.
        d_input: usize,
        /// Channels of the state.
        d_hidden: usize,
    },
    /// Frames that are too small.
    #[error(
        "space is {found:?}, expected frames that the kernel {kernel:?} fits into with its padding"
    )]
    Space {
        /// The size of the frames.
        found: Vec<usize>,
        /// The kernel.
        kernel: Vec<usize>,
    },
    /// Diagonal peepholes without the size of the frames.
    #[error(
        "space is not set, expected the size of the frames: diagonal peepholes have a weight for each place"
    )]
    NoSpace,
    /// A wrong configuration of the cell.
    #[error(transparent)]
    Cell(#[from] CellConfigError),
    /// A wrong configuration of the stack.
    #[error(transparent)]
    Stack(#[from] StackConfigError),
}
