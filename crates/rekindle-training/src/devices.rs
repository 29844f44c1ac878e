//! The devices that share a run, by name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Backend, BackendError};

/// A device: a backend, and which of its devices.
///
/// As text, `cuda:1` is the second device of a backend, in the order of [`Device::enumerate`]; `cuda` alone is the one that
/// the backend takes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceName {
    /// The backend.
    pub backend: Backend,
    /// Which of its devices, counted from 0; `None`: the backend's choice.
    pub index: Option<usize>,
}

/// One device, or several that share each step of a run.
///
/// With several, each computes the gradient of a part of the rows of every batch, on a copy of the weights. The gradients
/// are added up on the first, which has the weights and the optimiser, and validates. The step is the one that the first
/// device alone would take, up to rounding, but for three things: each device draws noise of its own; statistics of norms
/// over the batch, and what `training.watch_gradients` sees, are those of the first device's rows. Where several GPU devices
/// draw noise, of whatever backends, two runs of one seed differ: they have one generator, and who comes first draws first.
///
/// As text, names separated by commas: `cuda:0,cuda:1`. Devices of different backends may share a run.
///
/// # References
/// Synchronous data parallelism: Goyal et al., *Accurate, Large Minibatch SGD*, 2017, <https://arxiv.org/abs/1706.02677>,
/// section 3. Unlike there, the batch is shared out, so that neither it nor the learning rate depends on the number of
/// devices.
///
/// # Examples
/// ```
/// use rekindle_training::{Backend, Devices};
///
/// let devices: Devices = "cuda:0,cuda:1".parse()?;
/// assert_eq!(devices.names().len(), 2);
/// assert_eq!(devices.to_string(), "cuda:0,cuda:1");
/// assert_eq!(Devices::from(Backend::Flex), "flex".parse()?);
/// # Ok::<(), rekindle_training::BackendError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// At least one.
    names: Vec<DeviceName>,
}

impl DeviceName {
    /// The device.
    ///
    /// # Errors
    /// If the backend is not compiled in, or has no device of this number.
    pub fn device(self) -> Result<Device, BackendError> {
        let chosen = self.backend.device()?;
        let Some(index) = self.index else {
            return Ok(chosen);
        };
        let mut found = self.backend.devices();
        if index >= found.len() {
            return Err(BackendError::NoDevice {
                name: self,
                found: found.len(),
            });
        }
        Ok(found.swap_remove(index))
    }

    /// Whether it may be the other one: a backend's choice is one of its devices.
    fn may_be(self, other: Self) -> bool {
        let is_open = self.index.is_none() || other.index.is_none();
        self.backend == other.backend && (is_open || self.index == other.index)
    }
}

impl Devices {
    /// Devices with these names; none if there are no names.
    pub fn new(names: impl IntoIterator<Item = DeviceName>) -> Option<Self> {
        let names: Vec<_> = names.into_iter().collect();
        (!names.is_empty()).then_some(Self { names })
    }

    /// Their names, at least one.
    pub fn names(&self) -> &[DeviceName] {
        &self.names
    }

    /// The devices, at least one.
    ///
    /// # Errors
    /// If a backend is not compiled in or has no such device, or two of the names may be those of one device: `wgpu` beside
    /// `wgpu:0`. That devices of two backends are the same card is not found out.
    pub fn open(&self) -> Result<Vec<Device>, BackendError> {
        let mut devices = Vec::new();
        for &name in &self.names {
            let device = name.device()?;
            let mut earlier = devices.iter().zip(&self.names);
            let is_same =
                |(known, other): &(&Device, &DeviceName)| **known == device || other.may_be(name);
            if let Some((_, &other)) = earlier.find(is_same) {
                let names = [other, name];
                return Err(BackendError::Twice { names });
            }
            devices.push(device);
        }
        Ok(devices)
    }
}

impl From<Backend> for DeviceName {
    fn from(backend: Backend) -> Self {
        let index = None;
        Self { backend, index }
    }
}

impl From<Backend> for Devices {
    fn from(backend: Backend) -> Self {
        DeviceName::from(backend).into()
    }
}

impl From<DeviceName> for Devices {
    fn from(name: DeviceName) -> Self {
        Self { names: vec![name] }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}:{index}", self.backend),
            None => write!(f, "{}", self.backend),
        }
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        f.pad(&names.join(","))
    }
}

impl FromStr for DeviceName {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let Some((backend, index)) = text.split_once(':') else {
            return Ok(text.parse::<Backend>()?.into());
        };
        let backend = backend.parse()?;
        match index.parse() {
            Ok(index) => Ok(Self {
                backend,
                index: Some(index),
            }),
            Err(_) => Err(BackendError::Index {
                backend,
                index: index.to_string(),
            }),
        }
    }
}

impl FromStr for Devices {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let names = text.split(',').map(|name| name.trim().parse());
        let names = names.collect::<Result<_, _>>()?;
        Ok(Self { names })
    }
}

impl Serialize for Devices {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Devices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let devices = text.parse::<Devices>().and_then(|devices| devices.open());
        devices.expect_err("it cannot be used").to_string()
    }

    #[test]
    fn names_come_back() {
        for text in ["flex", "cuda:0,cuda:1", "wgpu,ndarray:0"] {
            let devices: Devices = text.parse().expect("names");
            assert_eq!(devices.to_string(), text);
            let json = serde_json::to_string(&devices).expect("a string");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Devices>(&json).expect("it"), devices);
        }
    }

    #[test]
    fn names_that_mean_no_device_are_refused() {
        let message = error("cuda:one");
        assert!(
            message.starts_with("device \"cuda:one\" has no number"),
            "{message}"
        );
        let message = error("cuda:0,,cuda:1");
        assert!(message.starts_with("unknown backend \"\""), "{message}");
        #[cfg(feature = "flex")]
        {
            assert_eq!(
                error("flex:3"),
                "there is no device flex:3: backend flex has 1 device, flex:0"
            );
            for [first, second] in [["flex", "flex:0"], ["flex:0", "flex:0"]] {
                assert_eq!(
                    error(&format!("{first},{second}")),
                    format!(
                        "{first} and {second} may be the same device, expected different ones; leave one out, or number them"
                    )
                );
            }
        }
    }
}
