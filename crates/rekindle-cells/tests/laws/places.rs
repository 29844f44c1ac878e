//! Laws of places: a network is the same in a record and on another backend.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::store::ModuleRecord;
use burn::tensor::{Tensor, TensorData};
use rekindle_cells::{Cell, Recurrent, Stack};
use rekindle_testkit::{assert_close, assert_same_bits, devices, with_parameters_within};

use crate::Law;
use crate::common::Network;

/// Law: a network that was saved and loaded into another one has the same parameters and the same outputs.
pub struct RoundTrip;

impl Law for RoundTrip {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let (what, subject) = (&network.what, network.subject);
        let saved = network.stack.valid();
        let other = with_parameters_within(network.stack.clone(), subject.seed + 1, subject.range);
        let other = other.map(&mut OtherBuffers).valid();
        for (other, saved) in parameters(&other).iter().zip(&parameters(&saved)) {
            assert_ne!(other, saved, "{what}: two networks differ");
        }
        let bytes = saved.clone().into_record().into_bytes();
        let bytes = bytes.expect("a record becomes bytes");
        let record = ModuleRecord::from_bytes(bytes).expect("and comes back");
        let loaded = other.load_record(record);
        assert_eq!(parameters(&loaded), parameters(&saved), "{what}");

        let sequences = || network.sequences(&network.input().inner(), subject.lengths.as_deref());
        let (expected, _) = saved.forward(sequences(), None);
        let (found, _) = loaded.forward(sequences(), None);
        assert_same_bits(&found, &expected, what);
    }
}

/// Changes what takes no gradient.
struct OtherBuffers;

impl ModuleMapper for OtherBuffers {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.is_require_grad() {
            true => param,
            false => param.map(|tensor| tensor + 0.5),
        }
    }
}

/// All parameters of a stack, in order.
fn parameters<C: Cell>(stack: &Stack<C>) -> Vec<TensorData> {
    #[derive(Default)]
    struct Parameters(Vec<TensorData>);

    impl ModuleVisitor for Parameters {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().into_data());
        }
    }
    let mut parameters = Parameters::default();
    stack.visit(&mut parameters);
    parameters.0
}

/// Law: every CPU backend gives the same outputs.
pub struct Backends;

impl Law for Backends {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let here = network.device.clone().inner();
        let x = network.input().inner();
        let stack = network.stack.valid();
        let lengths = network.subject.lengths.as_deref();
        let (expected, _) = stack.forward(network.sequences(&x, lengths), None);
        for device in devices!().iter().filter(|&device| *device != here) {
            let sequences = network.sequences(&x.clone().to_device(device), lengths);
            let (found, _) = stack.clone().fork(device).forward(sequences, None);
            assert_close(&found.to_device(&here), &expected, &network.what);
        }
    }
}
