//! Checking gradients against central finite differences.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Gradients, Tensor};

use crate::{Tolerance, random};

/// The same module with other numbers in its float parameters: `f64`, where finite differences prove something, uniform
/// in `[-0.7, 0.7)`, and the same in every run of a test. What takes no gradient keeps its numbers, as `f64`.
pub fn with_fixed_parameters<M: Module>(module: M, seed: u64) -> M {
    with_parameters_within(module, seed, 0.7)
}

/// As [`with_fixed_parameters`], but uniform in `[-range, range)`: small numbers keep networks whose activations have no
/// bound where finite differences prove something.
pub fn with_parameters_within<M: Module>(module: M, seed: u64, range: f64) -> M {
    module.map(&mut Fixed {
        seed: 1000 * seed,
        range,
    })
}

struct Fixed {
    seed: u64,
    range: f64,
}

impl ModuleMapper for Fixed {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param.map(|tensor| tensor.cast(DType::F64));
        }
        self.seed += 1;
        param.map(|tensor| {
            let options = (&tensor.device(), DType::F64);
            (random(tensor.dims(), self.seed, options) * self.range)
                .detach()
                .require_grad()
        })
    }
}

/// How a gradient is checked.
#[derive(Clone, Copy, Debug)]
pub struct GradientCheck {
    /// Random directions for each parameter tensor.
    pub directions: u64,
    /// Half the distance of the two points of a difference quotient.
    pub step: f64,
    /// How often the step may shrink to a tenth where derivative and quotient lie apart, up to `tolerance` all the same.
    ///
    /// A kink of the loss between the two points spoils the quotient of a wide step alone; a wrong derivative is off from
    /// all of them.
    pub retries: u32,
    /// How far derivative and difference quotient may lie apart.
    pub tolerance: Tolerance,
    /// Whether the differences are those of the module itself, as in training, and not of [`Module::valid`].
    pub training: bool,
}

impl Default for GradientCheck {
    fn default() -> Self {
        Self {
            directions: 3,
            step: 1e-5,
            retries: 0,
            tolerance: Tolerance::FINITE_DIFFERENCE,
            training: false,
        }
    }
}

impl GradientCheck {
    /// Asserts that a derivative is the difference quotient of `at` around 0.
    fn assert_slope(&self, slope: f64, at: impl Fn(f64) -> f64, what: &str) {
        let mut quotients = Vec::new();
        let is_right = (0..=self.retries).any(|retry| {
            let step = self.step * 0.1_f64.powi(retry as i32);
            let quotient = (at(step) - at(-step)) / (2.0 * step);
            quotients.push(quotient);
            (slope - quotient).abs() <= self.tolerance.0 * slope.abs().max(1.0)
        });
        assert!(
            is_right,
            "{what} is {slope}, finite differences {quotients:?}"
        );
    }
}

/// Asserts that the gradient of `loss` with respect to each float parameter of `module` that takes one is the central finite
/// difference `(L(θ + εv) − L(θ − εv)) / 2ε` along random directions `v`.
///
/// The differences are those of [`Module::valid`], on a device without gradients, unless the check asks for training.
///
/// # Panics
/// If a derivative is off, a parameter gets no gradient, or a parameter is not `f64` on an autodiff device (in `f32`
/// the difference quotient is too coarse to prove anything).
pub fn assert_module_gradients<M: Module>(
    module: &M,
    check: GradientCheck,
    what: &str,
    loss: impl Fn(&M) -> Tensor<1>,
) {
    let gradients = loss(module).backward();
    let compared = match check.training {
        true => module.clone(),
        false => module.valid(),
    };
    let mut names = Names::default();
    module.visit(&mut names);
    assert!(
        !names.found.is_empty(),
        "{what}: the module has no float parameter"
    );

    for (name, id) in names.found {
        for direction in 0..check.directions {
            let mut slope = Slope {
                id,
                direction,
                gradients: &gradients,
                value: None,
            };
            module.visit(&mut slope);
            let slope = slope
                .value
                .unwrap_or_else(|| panic!("{what}: {name} has no gradient"));

            let at = |distance: f64| {
                let moved = compared.clone().map(&mut Shift {
                    id,
                    direction,
                    distance,
                });
                loss(&moved).into_scalar::<f64>()
            };
            let what = format!("{what}: derivative of {name} along direction {direction}");
            check.assert_slope(slope, at, &what);
        }
    }
}

/// The direction in which a parameter is moved.
fn direction_of<const D: usize>(tensor: &Tensor<D>, direction: u64) -> Tensor<D> {
    assert_eq!(
        tensor.dtype(),
        DType::F64,
        "finite differences need parameters in f64"
    );
    random(
        tensor.dims(),
        direction + 1,
        (&tensor.device().inner(), DType::F64),
    )
}

/// Path and id of each float parameter that takes a gradient.
#[derive(Default)]
struct Names {
    path: Vec<String>,
    found: Vec<(String, ParamId)>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.found.push((self.path.join("."), param.id));
        }
    }
}

/// The derivative along a direction: the inner product of gradient and direction.
struct Slope<'a> {
    id: ParamId,
    direction: u64,
    gradients: &'a Gradients,
    value: Option<f64>,
}

impl ModuleVisitor for Slope<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.id == self.id {
            let tensor = param.val();
            let direction = direction_of(&tensor, self.direction);
            let gradient = tensor.grad(self.gradients);
            self.value = gradient.map(|gradient| (gradient * direction).sum().into_scalar());
        }
    }
}

/// Moves one parameter along a direction.
struct Shift {
    id: ParamId,
    direction: u64,
    distance: f64,
}

impl ModuleMapper for Shift {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        let shift = self.distance;
        let direction = self.direction;
        param.map(|tensor| {
            let mut direction = direction_of(&tensor, direction);
            if tensor.device().is_autodiff() {
                direction = Tensor::from_inner(direction);
            }
            (tensor + direction * shift).detach()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Power {
        base: Param<Tensor<1>>,
    }

    fn power() -> Power {
        let device = Device::default().autodiff();
        let base = Tensor::from_data([0.5, -1.5, 2.0], (&device, DType::F64));
        Power {
            base: Param::from_tensor(base.require_grad()),
        }
    }

    #[test]
    fn a_right_gradient_passes() {
        assert_module_gradients(&power(), GradientCheck::default(), "cube", |power| {
            power.base.val().powi_scalar(3).sum()
        });
    }

    /// The kink lies between the two points of the first quotient, beside those of the second one.
    #[test]
    fn a_kink_beside_the_point_takes_a_smaller_step() {
        let kinked = |check| {
            assert_module_gradients(&power(), check, "kinked", |power| {
                let base = power.base.val();
                let start = Tensor::from_data([0.5, -1.5, 2.0], (&base.device(), DType::F64));
                (base - start + 2e-6).abs().sum()
            })
        };
        let retries = 1;
        kinked(GradientCheck {
            retries,
            ..GradientCheck::default()
        });
        let once = std::panic::catch_unwind(|| kinked(GradientCheck::default()));
        assert!(once.is_err(), "a wide step crosses the kink");
    }

    #[test]
    #[should_panic(expected = "wrong: derivative of base")]
    fn a_wrong_gradient_is_found() {
        assert_module_gradients(&power(), GradientCheck::default(), "wrong", |power| {
            let base = power.base.val();
            (base.clone().detach() * base.clone() * base).sum()
        });
    }
}
