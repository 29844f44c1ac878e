//! The right answers of a lesson.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rekindle_data::Label;

/// The right answers of a lesson, in the order of the network's.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each step of the optimiser"
)]
pub(crate) enum Targets {
    /// One class for each answer: `[answers]`.
    Classes(Tensor<1, Int>),
    /// Numbers of each answer.
    Values(Numbers),
    /// Nothing is known, as in a device's part of a lesson: the network only reads on.
    Unknown,
}

/// Numbers of answers, of which some may not be known.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// The numbers, 0 where they are not known: `[answers, numbers]`.
    values: Tensor<2>,
    /// 1 where they are known, 0 elsewhere; `None` if all are.
    known: Option<Tensor<2>>,
    /// How many are known.
    count: usize,
}

/// What a network is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How many classes or numbers an answer has.
    pub(crate) width: usize,
    /// Whether answers are classes.
    pub(crate) is_class: bool,
    /// Whether there is an answer for each step.
    pub(crate) each_step: bool,
}

/// Which of a network's answers count, and what is right.
pub(crate) struct Known {
    /// The places of the answers that count, in their order; `None` if all do.
    pub(crate) places: Option<Tensor<1, Int>>,
    pub(crate) targets: Targets,
}

impl Targets {
    /// How much is known: classes, or single numbers.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.dims()[0],
            Self::Values(numbers) => numbers.count,
            Self::Unknown => 0,
        }
    }

    /// What is trained for: the mean cross-entropy in nats, or the mean squared error of what is known; 0 if nothing is.
    ///
    /// `scores`: `[answers, classes]` or `[answers, numbers]`.
    pub(crate) fn loss(&self, scores: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Classes(classes) => {
                let loss = CrossEntropyLossConfig::new().init(&scores.device());
                loss.forward(scores, classes.clone())
            }
            Self::Values(numbers) => {
                let errors = scores - numbers.values.clone();
                let errors = match &numbers.known {
                    Some(known) => errors * known.clone(),
                    None => errors,
                };
                (errors.clone() * errors).sum() / numbers.count as f64
            }
            Self::Unknown => (scores * 0.0).sum(),
        }
    }

    /// How many classes are scored highest where they should be; 0 of numbers.
    pub(crate) fn right(&self, scores: &Tensor<2>) -> usize {
        let Self::Classes(classes) = self else {
            return 0;
        };
        let predicted = scores.clone().inner().argmax(1).squeeze_dim::<1>(1);
        let (predicted, classes) = (predicted.into_data(), classes.clone().into_data());
        let pairs = predicted.iter::<i64>().zip(classes.iter::<i64>());
        pairs.filter(|(a, b)| a == b).count()
    }

    /// The same on a device with autodiff.
    pub(crate) fn differentiated(self) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(Tensor::from_inner(classes)),
            Self::Values(numbers) => Self::Values(Numbers {
                values: Tensor::from_inner(numbers.values),
                known: numbers.known.map(Tensor::from_inner),
                count: numbers.count,
            }),
            Self::Unknown => Self::Unknown,
        }
    }
}

/// The labels of a batch as targets.
///
/// If each step is asked for, answers are those of all valid steps, row by row.
pub(crate) fn known(labels: &[Label], lengths: &[usize], asked: Asked, device: &Device) -> Known {
    let mut found = Found::default();
    for (label, &length) in labels.iter().zip(lengths) {
        found.add(label, asked.width);
        found.answers += if asked.each_step { length } else { 1 };
    }
    if found.places.is_empty() {
        return Known {
            places: None,
            targets: Targets::Unknown,
        };
    }
    let places = (found.places.len() < found.answers).then(|| {
        let places = found.places.as_slice();
        Tensor::from_data(TensorData::new(places.to_vec(), [places.len()]), device)
    });
    let answers = found.places.len();
    let targets = match asked.is_class {
        true => Targets::Classes(Tensor::from_data(
            TensorData::new(found.classes, [answers]),
            device,
        )),
        false => found.values(asked.width, device),
    };
    Known { places, targets }
}

/// What is found in labels, one by one.
#[derive(Default)]
struct Found {
    /// Answers that the network gives.
    answers: usize,
    places: Vec<i64>,
    classes: Vec<i64>,
    values: Vec<f32>,
}

impl Found {
    fn add(&mut self, label: &Label, width: usize) {
        let first = self.answers as i64;
        match label {
            Label::Class(class) => {
                self.places.push(first);
                self.classes.push(*class as i64);
            }
            Label::Value(value) => {
                self.places.push(first);
                self.values.push(*value as f32);
            }
            Label::StepClasses(classes) => {
                for (place, class) in (first..).zip(classes) {
                    if let Some(class) = class {
                        self.places.push(place);
                        self.classes.push(*class as i64);
                    }
                }
            }
            Label::StepValues(values) => {
                for (place, row) in (first..).zip(values.chunks(width)) {
                    if row.iter().any(|value| !value.is_nan()) {
                        self.places.push(place);
                        self.values.extend(row);
                    }
                }
            }
            Label::None => (),
        }
    }

    fn values(self, width: usize, device: &Device) -> Targets {
        let shape = [self.places.len(), width];
        let known: Vec<f32> = (self.values.iter())
            .map(|value| if value.is_nan() { 0.0 } else { 1.0 })
            .collect();
        let count = known.iter().filter(|&&known| known == 1.0).count();
        let values = self.values.into_iter();
        let values: Vec<f32> = values.map(|v| if v.is_nan() { 0.0 } else { v }).collect();
        Targets::Values(Numbers {
            known: (count < known.len())
                .then(|| Tensor::from_data(TensorData::new(known, shape), device)),
            values: Tensor::from_data(TensorData::new(values, shape), device),
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(known: &Known) -> Option<Vec<i64>> {
        let places = known.places.clone()?;
        Some(places.into_data().iter::<i64>().collect())
    }

    #[test]
    fn what_is_not_known_has_no_place_and_no_part_in_the_loss() {
        let device = Device::default();
        let labels = [
            Label::StepValues(vec![1.0, f32::NAN, f32::NAN, f32::NAN]),
            Label::None,
            Label::StepValues(vec![2.0, 3.0]),
        ];
        let asked = Asked {
            width: 2,
            is_class: false,
            each_step: true,
        };
        let known = known(&labels, &[2, 3, 1], asked, &device);
        assert_eq!(places(&known), Some(vec![0, 5]));
        assert_eq!(known.targets.count(), 3);
        let scores = Tensor::from_floats([[2.0, 9.0], [2.0, 5.0]], &device);
        let loss = known.targets.loss(scores).into_scalar::<f64>();
        assert!((loss - (1.0 + 0.0 + 4.0) / 3.0).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn classes_of_steps_and_sequences() {
        let device = Device::default();
        let labels = [
            Label::StepClasses(vec![Some(1), None]),
            Label::StepClasses(vec![Some(0)]),
        ];
        let asked = |each_step| Asked {
            width: 2,
            is_class: true,
            each_step,
        };
        let steps = known(&labels, &[2, 1], asked(true), &device);
        assert_eq!(places(&steps), Some(vec![0, 2]));
        let scores = Tensor::from_floats([[0.0, 1.0], [0.0, 1.0]], &device);
        assert_eq!(
            (steps.targets.right(&scores), steps.targets.count()),
            (1, 2)
        );
        let labels = [Label::Class(1), Label::Class(0)];
        let whole = known(&labels, &[5, 3], asked(false), &device);
        assert_eq!(places(&whole), None);
    }

    #[test]
    fn what_is_not_known_at_all_has_a_loss_of_zero_and_no_gradient() {
        let device = Device::default().autodiff();
        let asked = Asked {
            width: 2,
            is_class: true,
            each_step: true,
        };
        let known = known(&[Label::None], &[1], asked, &device);
        assert_eq!((places(&known), known.targets.count()), (None, 0));
        let scores = Tensor::from_floats([[3.0, -1.0]], &device).require_grad();
        let loss = known.targets.loss(scores.clone());
        assert_eq!(loss.clone().into_scalar::<f64>(), 0.0);
        let gradient = scores.grad(&loss.backward()).expect("a gradient");
        assert_eq!(gradient.into_data().iter::<f64>().sum::<f64>(), 0.0);
    }
}
