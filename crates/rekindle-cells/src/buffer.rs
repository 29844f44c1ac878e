//! Numbers that a network holds and no optimiser moves.

use std::fmt;
use std::sync::Mutex;

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param, ParamId,
};
use burn::tensor::{Device, Tensor};

/// Numbers that a network holds and saves, that no optimiser moves, and that a forward pass may replace.
///
/// Visitors and mappers see a parameter that needs no gradient; so records hold it under its path.
///
/// # Differences
/// A clone of Burn's `RunningState` shares its numbers: mapping the clone, or loading a record into it, changes the
/// original. A clone of this is its own. It takes one update after the other; it keeps no mean over threads.
#[derive(Debug)]
pub struct Buffer<const D: usize> {
    id: ParamId,
    value: Mutex<Tensor<D>>,
}

impl<const D: usize> Buffer<D> {
    /// Holds a tensor.
    pub fn new(value: Tensor<D>) -> Self {
        Self::with_id(ParamId::new(), value)
    }

    fn with_id(id: ParamId, value: Tensor<D>) -> Self {
        let value = Mutex::new(value.set_require_grad(false));
        Self { id, value }
    }

    /// What it holds.
    pub fn value(&self) -> Tensor<D> {
        self.value.lock().expect("no holder panics").clone()
    }

    /// Holds another tensor from now on.
    pub fn set(&self, value: Tensor<D>) {
        *self.value.lock().expect("no holder panics") = value.detach().set_require_grad(false);
    }

    fn parameter(&self) -> Param<Tensor<D>> {
        Param::initialized(self.id, self.value())
    }

    fn with(self, change: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Self {
        Self::with_id(self.id, change(self.value()))
    }
}

impl<const D: usize> Clone for Buffer<D> {
    fn clone(&self) -> Self {
        Self::with_id(self.id, self.value())
    }
}

impl<const D: usize> fmt::Display for Buffer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer {:?}", self.value().dims())
    }
}

impl<const D: usize> ModuleDisplayDefault for Buffer<D> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_formatted(&self.to_string()).optional()
    }
}

impl<const D: usize> ModuleDisplay for Buffer<D> {}

impl<const D: usize> Module for Buffer<D> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        visitor.visit_float(&self.parameter());
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let mapped = mapper.map_float(self.parameter());
        Self::with_id(mapped.id, mapped.val())
    }

    fn to_device(self, device: &Device) -> Self {
        self.with(|value| value.to_device(device))
    }

    fn fork(self, device: &Device) -> Self {
        self.to_device(device)
    }

    fn collect_devices(&self, mut devices: Devices) -> Devices {
        let device = self.value().device();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    fn materialize(self) -> Self {
        self
    }

    fn valid(&self) -> Self {
        Self::with_id(self.id, self.value().without_autodiff())
    }

    fn train(self) -> Self {
        self.with(Tensor::from_inner)
    }
}
