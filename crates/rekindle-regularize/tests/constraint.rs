//! Constraints hold after a projection, by other means than those of the projection; what satisfies one stays.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_regularize::Targets;
use rekindle_regularize::constraint::{Constrained, Constraint, ConstraintError, Part};
use rekindle_testkit::{Tolerance, assert_close_within, assert_same_bits, devices, random};

/// The weights of a layer of four units and three gates.
#[derive(Module, Debug)]
struct Layer {
    weight_ih: Param<Tensor<2>>,
    weight_hh: Param<Tensor<2>>,
    bias_hh: Param<Tensor<1>>,
}

fn layer(device: &Device, dtype: DType) -> Layer {
    let options = (device, dtype);
    let matrix = |rows, seed| Param::from_tensor(random([rows, 12], seed, options) * 3.0);
    Layer {
        weight_ih: matrix(5, 1),
        weight_hh: matrix(4, 2),
        bias_hh: Param::from_tensor(random([12], 3, options)),
    }
}

fn on(constraint: Constraint, target: &str) -> Constrained {
    Constrained {
        constraint,
        targets: Targets::new([target]),
    }
}

/// A recurrent weight, projected.
fn project(constraint: Constraint, weight: Tensor<2>) -> Result<Tensor<2>, ConstraintError> {
    let mut layer = layer(&weight.device(), weight.dtype());
    layer.weight_hh = Param::from_tensor(weight);
    let layer = on(constraint, "weight_hh").apply(layer)?;
    Ok(layer.weight_hh.val())
}

/// Rows of plain numbers.
type Rows = Vec<Vec<f64>>;

fn rows(matrix: &Tensor<2>) -> Rows {
    let [_, columns] = matrix.dims();
    let numbers: Vec<f64> = matrix.to_data().iter::<f64>().collect();
    numbers.chunks(columns).map(<[f64]>::to_vec).collect()
}

fn tensor(rows: &Rows, options: (&Device, DType)) -> Tensor<2> {
    let shape = [rows.len(), rows[0].len()];
    Tensor::from_data(TensorData::new(rows.concat(), shape), options)
}

/// `aᵀ b`.
fn product(a: &Rows, b: &Rows) -> Rows {
    let entry = |i: usize, j: usize| a.iter().zip(b).map(|(a, b)| a[i] * b[j]).sum();
    let row = |i| (0..b[0].len()).map(|j| entry(i, j)).collect();
    (0..a[0].len()).map(row).collect()
}

/// The eigenvalues of a symmetric matrix, by Jacobi's rotations.
fn eigenvalues(symmetric: &Rows) -> Vec<f64> {
    let n = symmetric.len();
    let mut a = symmetric.clone();
    for _ in 0..50 {
        for p in 0..n {
            for q in p + 1..n {
                let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                let (sin, cos) = angle.sin_cos();
                for row in &mut a {
                    (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
                }
            }
        }
    }
    (0..n).map(|index| a[index][index]).collect()
}

fn greatest_singular_value(matrix: &Tensor<2>) -> f64 {
    let matrix = rows(matrix);
    let squares = eigenvalues(&product(&matrix, &matrix));
    squares.into_iter().fold(0.0, f64::max).sqrt()
}

/// The spectral radius of (a, b; c, d), by the formula.
fn radius_of_two(matrix: &Tensor<2>) -> f64 {
    let m = rows(matrix);
    let (half, determinant) = (
        (m[0][0] + m[1][1]) / 2.0,
        m[0][0] * m[1][1] - m[0][1] * m[1][0],
    );
    let discriminant = half * half - determinant;
    match discriminant < 0.0 {
        true => determinant.sqrt(),
        false => half.abs() + discriminant.sqrt(),
    }
}

/// How far from its bound a constraint may be, relative to it.
fn slack(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-11,
        _ => 4e-6,
    }
}

/// Runs a test on all devices in both types.
fn everywhere(
    test: impl Fn(&Device, DType) -> Result<(), ConstraintError>,
) -> Result<(), ConstraintError> {
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            test(&device, dtype)?;
        }
    }
    Ok(())
}

/// The norms over an axis.
fn norms(matrix: &Tensor<2>, axis: usize) -> Vec<f64> {
    let norms = matrix.clone().square().sum_dim(axis).sqrt();
    norms.into_data().iter::<f64>().collect()
}

#[test]
fn norms_are_at_most_their_maximum() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        for axis in [0, 1] {
            let weight = random([4, 12], 1, (device, dtype));
            let before = norms(&weight, axis);
            let max = before.iter().sum::<f64>() / before.len() as f64;
            let projected = project(Constraint::MaxNorm { max, axis }, weight.clone())?;
            let after = norms(&projected, axis);
            for (index, (&before, &after)) in before.iter().zip(&after).enumerate() {
                let expected = before.min(max);
                let difference = (after / expected - 1.0).abs();
                assert!(
                    difference < slack(dtype),
                    "{before} became {after}, maximum {max}"
                );
                let narrow = |weight: &Tensor<2>| weight.clone().narrow(1 - axis, index, 1);
                if before < max {
                    assert_same_bits(&narrow(&projected), &narrow(&weight), "within");
                }
            }
            assert!(
                after.iter().any(|&norm| norm < 0.99 * max),
                "none was within"
            );
        }
        Ok(())
    })
}

#[test]
fn norms_are_one() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        for axis in [0, 1] {
            let constraint = Constraint::UnitNorm { axis };
            let weight = random([4, 12], 1, (device, dtype));
            let projected = project(constraint, weight.clone())?;
            for norm in norms(&projected, axis) {
                assert!((norm - 1.0).abs() < slack(dtype), "{norm}");
            }
            // The direction stays.
            let inner = (projected * weight.clone()).sum_dim(axis).into_data();
            for (inner, norm) in inner.iter::<f64>().zip(norms(&weight, axis)) {
                assert!((inner / norm - 1.0).abs() < slack(dtype), "{inner}, {norm}");
            }
        }
        Ok(())
    })
}

#[test]
fn norms_of_extreme_columns_are_right() -> Result<(), ConstraintError> {
    let options = (&Device::default(), DType::F32);
    let columns = vec![vec![3e-30, 0.0, 3e30], vec![4e-30, -0.0, 4e30]];
    let expected = vec![vec![0.6, 0.0, 0.6], vec![0.8, -0.0, 0.8]];
    let unit = on(Constraint::UnitNorm { axis: 0 }, "weight_ih");
    let mut layer = layer(options.0, options.1);
    layer.weight_ih = Param::from_tensor(tensor(&columns, options));
    let projected = unit.apply(layer)?.weight_ih.val();
    let expected = tensor(&expected, options);
    assert_close_within(&projected, &expected, Tolerance::F32, "unit norms");
    Ok(())
}

#[test]
fn negative_weights_become_zero() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        let weight = random([4, 12], 1, (device, dtype));
        let expected = (weight.clone() + weight.clone().abs()) / 2.0;
        let projected = project(Constraint::NonNegative, weight)?;
        assert_same_bits(&projected, &expected, "non-negative");
        Ok(())
    })
}

/// The blocks of three gates.
fn blocks(weight: &Tensor<2>) -> Vec<Tensor<2>> {
    let [rows, _] = weight.dims();
    weight.clone().split(rows, 1)
}

#[test]
fn singular_values_are_at_most_their_maximum() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        let weight = random([4, 12], 1, (device, dtype));
        let of_blocks = |weight: &Tensor<2>| {
            blocks(weight)
                .iter()
                .map(greatest_singular_value)
                .collect::<Vec<_>>()
        };
        let before = of_blocks(&weight);
        let max = before.iter().sum::<f64>() / 3.0;
        let per = Part::Block;
        let after = of_blocks(&project(
            Constraint::SpectralNorm { max, per },
            weight.clone(),
        )?);
        for (&before, &after) in before.iter().zip(&after) {
            let expected = before.min(max);
            assert!(
                (after / expected - 1.0).abs() < slack(dtype) + 1e-7,
                "{before}, {after}, {max}"
            );
            assert!(after < max * (1.0 + slack(dtype)), "{after}, {max}");
        }

        // Of whole matrices: more columns than rows, more rows than columns.
        let whole = Constraint::SpectralNorm {
            max: 0.3,
            per: Part::Matrix,
        };
        for shape in [[5, 12], [12, 5], [1, 3], [3, 1]] {
            let mut layer = layer(device, dtype);
            layer.weight_ih = Param::from_tensor(random(shape, 4, (device, dtype)));
            let projected = on(whole, "weight_ih").apply(layer)?.weight_ih.val();
            let found = greatest_singular_value(&projected);
            assert!(
                (found / 0.3 - 1.0).abs() < slack(dtype) + 1e-7,
                "{found} of {shape:?}"
            );
        }
        Ok(())
    })
}

#[test]
fn eigenvalues_are_at_most_their_maximum() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        let (mut scaled, mut complex) = (0, 0);
        for seed in 0..50 {
            // Two gates of two units each.
            let weight = random([2, 4], seed, (device, dtype));
            let projected = project(Constraint::SpectralRadius { max: 0.6 }, weight.clone())?;
            for (old, new) in blocks(&weight).iter().zip(blocks(&projected)) {
                let (before, after) = (radius_of_two(old), radius_of_two(&new));
                let expected = before.min(0.6);
                assert!((after / expected - 1.0).abs() < 1e-5, "{before}, {after}");
                scaled += usize::from(before > 0.6);
                let [[a, b], [c, d]] =
                    [0, 1].map(|row| [0, 1].map(|column| rows(old)[row][column]));
                complex += usize::from((a - d) * (a - d) + 4.0 * b * c < 0.0);
            }
        }
        assert!(
            (20..80).contains(&scaled) && complex > 20,
            "{scaled} scaled, {complex} complex"
        );
        Ok(())
    })
}

/// `L B L⁻¹` for a unit lower triangular L, so that its eigenvalues are those of B: 0.5, −0.75 and 1.2 (0.6 ± 0.8 i).
fn of_known_radius() -> Rows {
    let mut a = vec![vec![0.0; 4]; 4];
    (a[0][0], a[1][1]) = (0.5, -0.75);
    (a[2][2], a[2][3], a[3][2], a[3][3]) = (0.72, -0.96, 0.96, 0.72);
    // Each elementary step adds a multiple of a row to another one and takes it off the columns.
    for (from, to, factor) in [
        (0, 1, 3.0),
        (0, 2, -2.0),
        (1, 2, 5.0),
        (1, 3, 4.0),
        (2, 3, -6.0),
    ] {
        let (above, below) = a.split_at_mut(to);
        for (x, y) in above[from].iter().zip(&mut below[0]) {
            *y += factor * x;
        }
        for row in &mut a {
            row[from] -= factor * row[to];
        }
    }
    a
}

#[test]
fn a_radius_far_below_the_norm_is_found() -> Result<(), ConstraintError> {
    for device in devices!() {
        let weight = tensor(&of_known_radius(), (&device, DType::F64));
        assert!(
            greatest_singular_value(&weight) > 100.0,
            "it is far from normal"
        );
        let projected = project(Constraint::SpectralRadius { max: 0.9 }, weight.clone())?;
        let expected = weight.clone() * (0.9 / 1.2);
        assert_close_within(
            &projected,
            &expected,
            Tolerance(1e-6),
            "scaled by the radius",
        );
        let kept = project(Constraint::SpectralRadius { max: 1.21 }, weight.clone())?;
        assert_same_bits(&kept, &weight, "within");
        let strict = Constraint::SpectralNorm {
            max: 1.21,
            per: Part::Block,
        };
        let bounded = greatest_singular_value(&project(strict, weight)?);
        assert!((bounded / 1.21 - 1.0).abs() < 1e-7, "{bounded}");
    }
    Ok(())
}

#[test]
fn blocks_become_the_nearest_orthogonal_ones() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        for (size, seed) in [(1, 1), (2, 2), (4, 3), (9, 4)] {
            let weight = random([size, 3 * size], seed, (device, dtype));
            let projected = project(Constraint::Orthogonal, weight.clone())?;
            for (old, new) in blocks(&weight).iter().zip(blocks(&projected)) {
                let (old, new) = (rows(old), rows(&new));
                let near = |found: f64, expected: f64, what: &str| {
                    assert!(
                        (found - expected).abs() < slack(dtype),
                        "{what}: {found}, {expected}"
                    );
                };
                let gram = product(&new, &new);
                // The nearest one is that whose product with the old block is symmetric and has no negative eigenvalue.
                let stretch = product(&new, &old);
                for i in 0..size {
                    for j in 0..size {
                        near(gram[i][j], f64::from(u8::from(i == j)), "orthogonal");
                        near(stretch[i][j], stretch[j][i], "symmetric");
                    }
                }
                let least = eigenvalues(&stretch)
                    .into_iter()
                    .fold(f64::INFINITY, f64::min);
                assert!(least > -slack(dtype), "not positive: {least}");
            }
        }
        Ok(())
    })
}

/// A rotation and a reflection, orthogonal up to rounding.
fn orthogonal(options: (&Device, DType)) -> Tensor<2> {
    let (sin, cos) = 0.7_f64.sin_cos();
    tensor(
        &vec![vec![cos, -sin, cos, sin], vec![sin, cos, sin, -cos]],
        options,
    )
}

/// Every constraint, and weights that it would change.
fn all() -> Vec<(Constraint, [usize; 2])> {
    let bound = |max, per| Constraint::SpectralNorm { max, per };
    vec![
        (Constraint::MaxNorm { max: 0.5, axis: 0 }, [7, 21]),
        (Constraint::MaxNorm { max: 0.5, axis: 1 }, [7, 21]),
        (Constraint::UnitNorm { axis: 0 }, [7, 21]),
        (Constraint::UnitNorm { axis: 1 }, [7, 21]),
        (Constraint::NonNegative, [7, 21]),
        (bound(0.8, Part::Block), [7, 21]),
        (bound(0.8, Part::Matrix), [7, 20]),
        (Constraint::SpectralRadius { max: 0.8 }, [7, 21]),
        (Constraint::Orthogonal, [7, 21]),
    ]
}

#[test]
fn a_second_projection_changes_nothing() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        for (constraint, shape) in all() {
            let weight = random(shape, 8, (device, dtype));
            let once = project(constraint, weight.clone())?;
            assert_ne!(once.to_data(), weight.to_data(), "{constraint:?}");
            let twice = project(constraint, once.clone())?;
            match constraint {
                // Its blocks are not normal: rounding moves an eigenvalue by more than itself.
                Constraint::SpectralRadius { .. } => {
                    assert_close_within(&twice, &once, Tolerance(1e-5), "radius");
                }
                _ => assert_same_bits(&twice, &once, &format!("{constraint:?}, {dtype:?}")),
            }
        }
        Ok(())
    })
}

#[test]
fn what_satisfies_a_constraint_stays() -> Result<(), ConstraintError> {
    everywhere(|device, dtype| {
        let options = (device, dtype);
        let small = random([4, 12], 1, options) * 1e-3;
        let zeros = Tensor::zeros([4, 12], options);
        let units = orthogonal(options);
        for (constraint, weight) in [
            (Constraint::MaxNorm { max: 1.0, axis: 0 }, small.clone()),
            (Constraint::MaxNorm { max: 1.0, axis: 1 }, zeros.clone()),
            (Constraint::UnitNorm { axis: 0 }, units.clone()),
            (Constraint::UnitNorm { axis: 0 }, zeros.clone()),
            (Constraint::NonNegative, small.clone().abs()),
            (
                Constraint::SpectralNorm {
                    max: 1.0,
                    per: Part::Block,
                },
                small.clone(),
            ),
            (
                Constraint::SpectralNorm {
                    max: 1.0,
                    per: Part::Block,
                },
                units.clone(),
            ),
            (
                Constraint::SpectralNorm {
                    max: 1.0,
                    per: Part::Matrix,
                },
                zeros.clone(),
            ),
            (Constraint::SpectralRadius { max: 1.0 }, small),
            (Constraint::SpectralRadius { max: 1.0 }, units.clone()),
            (Constraint::SpectralRadius { max: 1.0 }, zeros),
            (Constraint::Orthogonal, units),
        ] {
            let projected = project(constraint, weight.clone())?;
            assert_same_bits(&projected, &weight, &format!("{constraint:?}"));
        }
        Ok(())
    })
}

/// How fast the powers of a block grow: `‖A^m‖^(1/m)` for m = 2²⁰, less what the norm adds to it at most.
fn growth(block: &Tensor<2>) -> f64 {
    let mut power = rows(block);
    let mut log = 0.0;
    for squaring in 1..=20 {
        let transposed: Rows = (0..power.len())
            .map(|index| power.iter().map(|row| row[index]).collect())
            .collect();
        power = product(&transposed, &power);
        let squares: f64 = power.concat().iter().map(|x| x * x).sum();
        let norm = squares.sqrt();
        log += norm.ln() / 2f64.powi(squaring);
        power.iter_mut().flatten().for_each(|x| *x /= norm);
    }
    log.exp() * (1.0 - 1e-5)
}

/// By how much a constraint is missed, by other means than the projection's.
fn miss(constraint: Constraint, weight: &Tensor<2>) -> f64 {
    let over = |found: Vec<f64>, max: f64| {
        found
            .into_iter()
            .map(|x| x / max - 1.0)
            .fold(-1.0, f64::max)
    };
    let of_blocks = |measure: &dyn Fn(&Tensor<2>) -> f64| {
        blocks(weight).iter().map(measure).collect::<Vec<_>>()
    };
    match constraint {
        Constraint::MaxNorm { max, axis } => over(norms(weight, axis), max),
        Constraint::UnitNorm { axis } => {
            let off = |norm: f64| (norm - 1.0).abs();
            norms(weight, axis).into_iter().map(off).fold(0.0, f64::max)
        }
        Constraint::NonNegative => -weight.clone().min().into_scalar::<f64>(),
        Constraint::SpectralNorm {
            max,
            per: Part::Block,
        } => over(of_blocks(&greatest_singular_value), max),
        Constraint::SpectralNorm { max, .. } => greatest_singular_value(weight) / max - 1.0,
        Constraint::SpectralRadius { max } => over(of_blocks(&growth), max),
        Constraint::Orthogonal => {
            let off = |block: &Tensor<2>| {
                let mut gram = product(&rows(block), &rows(block));
                (0..gram.len()).for_each(|index| gram[index][index] -= 1.0);
                gram.concat()
                    .into_iter()
                    .fold(0.0, |off, x| x.abs().max(off))
            };
            of_blocks(&off).into_iter().fold(0.0, f64::max)
        }
        other => panic!("{other:?} has no check"),
    }
}

#[test]
fn descent_with_projections_stays_feasible() -> Result<(), ConstraintError> {
    for dtype in [DType::F32, DType::F64] {
        let device = Device::default().autodiff();
        for (constraint, shape) in all() {
            let options = (&device, dtype);
            let target = random(shape, 31, options) * 4.0;
            let constrained = on(constraint, "weight_hh");
            let mut layer = layer(&device, dtype);
            layer.weight_hh = Param::from_tensor(random(shape, 30, options).require_grad());
            layer = constrained.apply(layer)?;
            let id = layer.weight_hh.id;
            let mut losses = Vec::new();
            for step in 0..50 {
                let weight = layer.weight_hh.val();
                assert!(weight.is_require_grad());
                let loss = (weight.clone() - target.clone()).square().sum();
                losses.push(loss.clone().into_scalar::<f64>());
                let gradient = weight.grad(&loss.backward()).expect("a gradient");
                let moved = |weight: Tensor<2>| {
                    Tensor::from_inner(weight.inner() - gradient * 0.05).require_grad()
                };
                layer.weight_hh = layer.weight_hh.map(moved);
                layer = constrained.apply(layer)?;
                let missed = miss(constraint, &layer.weight_hh.val().inner());
                assert!(
                    missed < slack(dtype),
                    "{constraint:?}, step {step}: missed by {missed}"
                );
            }
            assert!(losses[49] < losses[0], "{constraint:?}: {losses:?}");
            assert_eq!(layer.weight_hh.id, id);
        }
    }
    Ok(())
}

#[test]
fn only_targets_are_projected() -> Result<(), ConstraintError> {
    let device = Device::default().autodiff();
    let before = layer(&device, DType::F32);
    let after = on(Constraint::NonNegative, "weight_*").apply(before.clone())?;
    assert_same_bits(&after.bias_hh.val(), &before.bias_hh.val(), "bias");
    for weight in [after.weight_ih.val(), after.weight_hh.val()] {
        assert!(weight.clone().min().into_scalar::<f64>() == 0.0);
    }
    // Vectors too, where it has a meaning.
    let after = on(Constraint::MaxNorm { max: 0.5, axis: 0 }, "bias_hh").apply(before)?;
    let norm = after
        .bias_hh
        .val()
        .square()
        .sum()
        .sqrt()
        .into_scalar::<f64>();
    assert!((norm - 0.5).abs() < 1e-6, "{norm}");
    Ok(())
}

#[test]
fn frozen_parameters_stay_frozen() -> Result<(), ConstraintError> {
    let device = Device::default().autodiff();
    let frozen = layer(&device, DType::F32).no_grad();
    let after = on(Constraint::NonNegative, "*").apply(frozen)?;
    assert!(!after.weight_hh.val().is_require_grad());
    let trained = layer(&device, DType::F32).train();
    let trained_before = trained.weight_hh.val().is_require_grad();
    let after = on(Constraint::NonNegative, "*").apply(trained)?;
    assert_eq!(after.weight_hh.val().is_require_grad(), trained_before);
    Ok(())
}

#[test]
fn half_precision_is_projected_too() -> Result<(), ConstraintError> {
    let devices = devices!();
    for device in (devices.iter()).filter(|device| device.supports_dtype(DType::F16)) {
        for (constraint, shape) in all() {
            let weight = random(shape, 8, (device, DType::F16));
            let projected = project(constraint, weight)?;
            assert_eq!(projected.dtype(), DType::F16);
            let exact = projected.cast(burn::tensor::FloatDType::F64);
            let missed = miss(constraint, &exact);
            assert!(missed < 1e-2, "{constraint:?}: missed by {missed}");
        }
    }
    Ok(())
}

#[test]
fn mistakes_are_errors_with_their_values() {
    let device = Device::default();
    let error = |constraint, target, layer: Layer| {
        let projected = on(constraint, target).apply(layer);
        projected.map(drop).expect_err("an error")
    };
    let plain = || layer(&device, DType::F32);
    let none = error(Constraint::NonNegative, "weight_xx", plain());
    assert_eq!(
        none.to_string(),
        "no parameter matches `weight_xx`; those of the network are weight_ih, weight_hh, bias_hh"
    );
    let bound = error(
        Constraint::SpectralRadius { max: 0.0 },
        "weight_hh",
        plain(),
    );
    assert_eq!(
        bound.to_string(),
        "`max` is 0, expected a finite number above 0"
    );

    for (constraint, _) in all() {
        let mut layer = plain();
        let broken = layer.weight_hh.val().slice_fill([0..1, 2..4], f32::NAN);
        layer.weight_hh = Param::from_tensor(broken.slice_fill([3..4, 0..1], f32::INFINITY));
        let (path, found, elements) = ("weight_hh".to_string(), 3, 48);
        let expected = ConstraintError::NotFinite {
            path,
            found,
            elements,
        };
        assert_eq!(
            error(constraint, "weight_hh", layer),
            expected,
            "{constraint:?}"
        );
    }

    let path = |path: &str| path.to_string();
    let axis = error(Constraint::UnitNorm { axis: 1 }, "bias_hh", plain());
    assert_eq!(
        axis,
        ConstraintError::NoAxis {
            path: path("bias_hh"),
            axis: 1,
            found: vec![12]
        }
    );
    let vector = error(Constraint::Orthogonal, "bias_hh", plain());
    assert_eq!(
        vector,
        ConstraintError::NoMatrix {
            path: path("bias_hh"),
            found: vec![12]
        }
    );
    for constraint in [
        Constraint::SpectralNorm {
            max: 1.0,
            per: Part::Block,
        },
        Constraint::SpectralRadius { max: 1.0 },
        Constraint::Orthogonal,
    ] {
        let blocks = error(constraint, "weight_ih", plain());
        let found = vec![5, 12];
        assert_eq!(
            blocks,
            ConstraintError::NoBlocks {
                path: path("weight_ih"),
                found
            }
        );
    }
}

#[test]
fn singular_blocks_have_no_nearest_orthogonal_one() {
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            let good = random([3, 3], 1, (&device, dtype));
            let twice = good
                .clone()
                .select(1, Tensor::from_ints([0, 1, 0], &device));
            for singular in [twice, good.zeros_like()] {
                let weight = Tensor::cat(vec![good.clone(), singular], 1);
                let error = project(Constraint::Orthogonal, weight).map(drop);
                let (path, block) = ("weight_hh".to_string(), 1);
                assert_eq!(error, Err(ConstraintError::Singular { path, block }));
            }
        }
    }
}

#[test]
fn constraints_are_read_from_text() -> serde_json::Result<()> {
    for (constraint, _) in all() {
        let text = serde_json::to_string(&on(constraint, "weight_hh"))?;
        let read: Constrained = serde_json::from_str(&text)?;
        assert_eq!(read, on(constraint, "weight_hh"));
    }
    let read: Constraint = serde_json::from_str(r#"{"kind": "spectral_norm", "max": 2.0}"#)?;
    let per = Part::Block;
    assert_eq!(read, Constraint::SpectralNorm { max: 2.0, per });
    let read: Constraint = serde_json::from_str(r#"{"kind": "max_norm", "max": 2.0}"#)?;
    assert_eq!(read, Constraint::MaxNorm { max: 2.0, axis: 0 });
    assert!(serde_json::from_str::<Constraint>(r#"{"kind": "max_norm", "norm": 2.0}"#).is_err());
    Ok(())
}
