//! A list of tensors that crosses Burn's dispatch.

use burn::backend::{
    Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind,
    ExtensionType, tensor::FloatTensor,
};

/// Some float tensors. Burn derives [`ExtensionType`] for fields that are tensors, not for lists of them.
pub(crate) struct Tensors<B: Backend>(Vec<FloatTensor<B>>);

impl<B: Backend> Tensors<B> {
    /// The tensors of an iterator, in order.
    pub(crate) fn collect(tensors: impl IntoIterator<Item = FloatTensor<B>>) -> Self {
        Self(tensors.into_iter().collect())
    }

    /// The tensors, in order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, FloatTensor<B>> {
        self.0.iter()
    }
}

impl<B: Backend> IntoIterator for Tensors<B> {
    type Item = FloatTensor<B>;
    type IntoIter = std::vec::IntoIter<FloatTensor<B>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<B: Backend> ExtensionType<B> for Tensors<B> {
    type Target = Tensors<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Self::Target
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        Tensors::collect(self.into_iter().map(|tensor| DispatchTensor {
            kind: map_kind(BackendTensor::Float(tensor)),
            autodiff,
        }))
    }

    fn map_from_dispatch<F>(target: Self::Target, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        Self::collect(target.into_iter().map(|tensor| unwrap_kind(tensor).float()))
    }

    fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn autodiff_context(target: &Self::Target) -> DispatchAutodiffContext {
        target
            .iter()
            .map(|tensor| tensor.autodiff)
            .fold(DispatchAutodiffContext::Disabled, |context, other| {
                context.merge(other)
            })
    }
}
