//! Taking a sequence apart into its steps.

use burn::tensor::Tensor;

/// The slices of a tensor along its first axis: `[seq, batch, width]` becomes `seq` tensors `[batch, width]`.
///
/// Halves are taken again and again instead of steps one by one. The gradient of a slice is a tensor of its source's
/// size, so that `seq` slices of the whole would cost time quadratic in `seq`; halving costs `seq · log(seq)`.
pub(crate) fn unbind(steps: Tensor<3>) -> Vec<Tensor<2>> {
    let seq = steps.dims()[0];
    if seq == 1 {
        return vec![steps.squeeze_dim(0)];
    }
    let half = seq / 2;
    let mut slices = unbind(steps.clone().narrow(0, 0, half));
    slices.extend(unbind(steps.narrow(0, half, seq - half)));
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_in_order() {
        for seq in 1..8 {
            let steps = Tensor::<1, burn::tensor::Int>::arange(0..seq * 6, &Default::default())
                .float()
                .reshape([seq, 2, 3]);
            let slices = unbind(steps.clone());
            assert_eq!(slices.len() as i64, seq);
            Tensor::stack::<3>(slices, 0)
                .into_data()
                .assert_eq(&steps.into_data(), true);
        }
    }
}
