//! The backend on which a run computes, chosen at run time among those compiled in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::DeviceName;

/// A Burn backend. Each has a Cargo feature of its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's own CPU backend, the default.
    Flex,
    /// The CPU backend on the `ndarray` crate.
    Ndarray,
    /// Any GPU, through WebGPU shaders.
    Wgpu,
    /// GPUs with Vulkan, through SPIR-V.
    Vulkan,
    /// NVIDIA GPUs.
    Cuda,
    /// AMD GPUs.
    Rocm,
    /// Apple GPUs.
    Metal,
}

/// A backend that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No backend has this name.
    #[error("unknown backend {name:?}, expected one of {expected}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that exist.
        expected: String,
    },
    /// The backend exists, but not in this program.
    #[error(
        "backend {backend} is not compiled in, this program has {compiled}; build it with `--features {backend}`"
    )]
    NotCompiled {
        /// The backend.
        backend: Backend,
        /// Those that are compiled in.
        compiled: String,
    },
    /// What stands for the number of a device is none.
    #[error(
        "device \"{backend}:{index}\" has no number behind the colon, expected one such as {backend}:0"
    )]
    Index {
        /// The backend.
        backend: Backend,
        /// What was found.
        index: String,
    },
    /// The backend has no device of this number.
    #[error("there is no device {name}: backend {} has {}", name.backend, counted(name.backend, *found))]
    NoDevice {
        /// The device.
        name: DeviceName,
        /// How many devices the backend has.
        found: usize,
    },
    /// Two names of one device.
    #[error(
        "{} and {} may be the same device, expected different ones; leave one out, or number them",
        names[0], names[1]
    )]
    Twice {
        /// The names.
        names: [DeviceName; 2],
    },
}

/// So many devices of a backend, with their names.
fn counted(backend: Backend, devices: usize) -> String {
    match devices {
        0 => "none on this machine".to_string(),
        1 => format!("1 device, {backend}:0"),
        devices => format!(
            "{devices} devices, {backend}:0 to {backend}:{}",
            devices - 1
        ),
    }
}

impl Backend {
    /// All backends.
    pub const ALL: [Self; 7] = [
        Self::Flex,
        Self::Ndarray,
        Self::Wgpu,
        Self::Vulkan,
        Self::Cuda,
        Self::Rocm,
        Self::Metal,
    ];

    /// The backends that this program is compiled with.
    pub fn compiled() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|backend| backend.is_compiled())
            .collect()
    }

    /// The backend's default device.
    ///
    /// # Errors
    /// If the backend is not compiled in.
    pub fn device(self) -> Result<Device, BackendError> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[allow(
                deprecated,
                reason = "Burn points to flex, but ndarray is supported here"
            )]
            Self::Ndarray => Ok(Device::ndarray()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Ok(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(burn::tensor::DeviceIndex::Default)),
            #[cfg(feature = "rocm")]
            Self::Rocm => Ok(Device::rocm(burn::tensor::DeviceIndex::Default)),
            #[cfg(feature = "metal")]
            Self::Metal => Ok(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
            #[allow(unreachable_patterns)]
            backend => Err(BackendError::NotCompiled {
                backend,
                compiled: Self::compiled_names(),
            }),
        }
    }

    /// All devices of the backend on this machine; none if it is not compiled in.
    pub(crate) fn devices(self) -> Vec<Device> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::enumerate(burn::tensor::DeviceType::Flex).into_vec(),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Device::enumerate(burn::tensor::DeviceType::NdArray).into_vec(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(),
            #[cfg(feature = "rocm")]
            Self::Rocm => Device::enumerate(burn::tensor::DeviceType::Rocm).into_vec(),
            #[cfg(feature = "metal")]
            Self::Metal => Device::enumerate(burn::tensor::DeviceType::Metal).into_vec(),
            #[allow(unreachable_patterns)]
            _ => Vec::new(),
        }
    }

    /// The feature, and the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Metal => "metal",
        }
    }

    fn is_compiled(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
            Self::Metal => cfg!(feature = "metal"),
        }
    }

    fn compiled_names() -> String {
        let names: Vec<_> = Self::compiled().into_iter().map(Self::name).collect();
        if names.is_empty() {
            "no backend".to_string()
        } else {
            names.join(", ")
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| BackendError::Unknown {
                name: name.to_string(),
                expected: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse(), Ok(backend));
        }
        let error = "tpu".parse::<Backend>().unwrap_err().to_string();
        assert!(
            error.starts_with("unknown backend \"tpu\", expected one of flex, "),
            "{error}"
        );
    }

    #[cfg(not(feature = "rocm"))]
    #[test]
    fn a_backend_that_is_not_compiled_in_names_the_feature() {
        let error = Backend::Rocm.device().unwrap_err().to_string();
        assert!(error.contains("rocm is not compiled in"), "{error}");
        assert!(
            error.ends_with("build it with `--features rocm`"),
            "{error}"
        );
    }
}
