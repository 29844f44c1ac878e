//! Values by hand, limits, and what is said of wrong schedules.

use super::*;
use crate::ScheduleError;

fn then(first: Schedule, steps: usize, next: Schedule) -> Schedule {
    Schedule::Then {
        first: Box::new(first),
        steps,
        next: Box::new(next),
    }
}

fn halves() -> Schedule {
    Schedule::Exponential {
        gamma: 0.5,
        steps: 1,
    }
}

fn factors(schedule: &Schedule, steps: usize) -> Vec<f64> {
    (0..steps).map(|step| schedule.at(step)).collect()
}

fn assert_factors(schedule: &Schedule, expected: &[f64]) {
    for (step, (found, expected)) in factors(schedule, expected.len())
        .iter()
        .zip(expected)
        .enumerate()
    {
        let error = (found - expected).abs();
        assert!(
            error < 1e-14,
            "{schedule:?} at {step}: {found}, expected {expected}"
        );
    }
}

#[test]
fn exponential_follows_its_closed_form() {
    for gamma in [0.97_f64, 0.5, 1.1] {
        let schedule = Schedule::Exponential { gamma, steps: 1 };
        let mut product = 1.0;
        for step in 0..300 {
            let error = (schedule.at(step) / product - 1.0).abs();
            assert!(error < 1e-12, "gamma {gamma}, step {step}: off by {error}");
            product *= gamma;
        }
    }
}

#[test]
fn decays_have_the_values_of_their_formulas() {
    let gamma = 0.5;
    let milestones = vec![1, 3, 4];
    let (rate, steps) = (1.0, 2);
    let inverse = |staircase| Schedule::InverseTime {
        rate,
        steps,
        staircase,
    };
    let linear = Schedule::Linear {
        from: 0.5,
        to: 2.0,
        steps: 3,
    };
    let polynomial = Polynomial {
        power: 2.0,
        to: 0.5,
        ..Polynomial::new(2)
    };
    let cycle = Polynomial {
        cycle: true,
        ..Polynomial::new(2)
    };
    for (schedule, expected) in [
        (
            Schedule::Step { every: 2, gamma },
            vec![1.0, 1.0, 0.5, 0.5, 0.25],
        ),
        (
            Schedule::MultiStep { milestones, gamma },
            vec![1.0, 0.5, 0.5, 0.25, 0.125, 0.125],
        ),
        (
            Schedule::Exponential {
                gamma: 0.25,
                steps: 2,
            },
            vec![1.0, 0.5, 0.25, 0.125],
        ),
        (linear, vec![0.5, 1.0, 1.5, 2.0, 2.0]),
        (Schedule::Polynomial(polynomial), vec![1.0, 0.625, 0.5, 0.5]),
        (
            Schedule::Polynomial(cycle),
            vec![1.0, 0.5, 0.0, 0.25, 0.0, 1.0 / 6.0, 0.0],
        ),
        (
            inverse(false),
            vec![1.0, 1.0 / 1.5, 0.5, 1.0 / 2.5, 1.0 / 3.0],
        ),
        (inverse(true), vec![1.0, 1.0, 0.5, 0.5, 1.0 / 3.0]),
        (
            Schedule::Noam { warm_up: 4 },
            vec![0.25, 0.5, 0.75, 1.0, 0.8_f64.sqrt()],
        ),
    ] {
        assert_factors(&schedule, &expected);
    }
}

#[test]
fn waves_have_the_values_of_their_formulas() {
    let cosine = Schedule::Cosine { steps: 4, to: 0.2 };
    let quarter = 0.2 + 0.8 * (1.0 + 0.5_f64.sqrt()) / 2.0;
    assert_factors(&cosine, &[1.0, quarter, 0.6, 1.2 - quarter, 0.2, 0.2]);
    let restarts = CosineRestarts {
        t_mult: 2.0,
        m_mult: 0.5,
        to: 0.0,
        ..CosineRestarts::new(2)
    };
    let restarts = Schedule::CosineRestarts(restarts);
    let slope = (1.0 + 0.5_f64.sqrt()) / 4.0;
    assert_factors(&restarts, &[1.0, 0.5, 0.5, slope, 0.25, 0.5 - slope, 0.25]);
    let cyclic = |wave, gamma| {
        let down = Some(1);
        let waves = Cyclic {
            wave,
            gamma,
            down,
            ..Cyclic::new(3.0, 2)
        };
        Schedule::Cyclic(waves)
    };
    let triangular = cyclic(Wave::Triangular, 1.0);
    assert_factors(&triangular, &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    let triangular2 = cyclic(Wave::Triangular2, 1.0);
    assert_factors(&triangular2, &[1.0, 2.0, 3.0, 1.0, 1.5, 2.0, 1.0, 1.25]);
    let exp_range = cyclic(Wave::ExpRange, 0.5);
    assert_factors(&exp_range, &[1.0, 1.5, 1.5, 1.0, 1.0 + 1.0 / 16.0]);
    let one_cycle = OneCycle {
        peak_at: 0.375,
        from: 0.5,
        to: 0.0,
        anneal: Anneal::Linear,
        phases: Phases::Three,
        ..OneCycle::new(8)
    };
    let expected = [0.5, 0.75, 1.0, 0.75, 0.5, 1.0 / 3.0, 1.0 / 6.0, 0.0, 0.0];
    assert_factors(&Schedule::OneCycle(one_cycle), &expected);
}

#[test]
fn restarts_begin_at_whole_steps_however_far() {
    for t_mult in [2.0, 3.0, 10.0] {
        let restarts = CosineRestarts {
            t_mult,
            m_mult: 0.5,
            ..CosineRestarts::new(7)
        };
        let schedule = Schedule::CosineRestarts(restarts);
        let (mut begin, mut length, mut height) = (0, 7, 1.0);
        while begin < 10_000_000 {
            assert_eq!(schedule.at(begin), height, "{t_mult}: {begin}");
            if begin > 0 {
                assert!(schedule.at(begin - 1) < height, "{t_mult}: {begin}");
            }
            begin += length;
            length *= t_mult as usize;
            height *= 0.5;
        }
    }
}

#[test]
fn tables_hold_or_interpolate() {
    let table = |between| Schedule::Table {
        points: vec![(1, 1.0), (3, 0.0), (4, 2.0)],
        between,
    };
    assert_factors(&table(Between::Hold), &[1.0, 1.0, 1.0, 0.0, 2.0, 2.0]);
    assert_factors(&table(Between::Linear), &[1.0, 1.0, 0.5, 0.0, 2.0, 2.0]);
}

#[test]
fn parts_count_from_their_own_zero() {
    let constant = Schedule::Constant { factor: 3.0 };
    let nested = then(halves(), 2, then(constant.clone(), 1, halves()));
    assert_factors(&nested, &[1.0, 0.5, 3.0, 1.0, 0.5, 0.25]);
    let sequential = Schedule::Sequential {
        schedules: vec![halves(), constant.clone(), halves()],
        milestones: vec![2, 3],
    };
    assert_eq!(factors(&sequential, 9), factors(&nested, 9));
    let none = then(constant.clone(), 0, halves());
    assert_factors(&none, &[1.0, 0.5]);
    let warm_up = Schedule::WarmUp {
        steps: 2,
        from: 0.5,
        next: Box::new(then(constant.clone(), 1, halves())),
    };
    assert_factors(&warm_up, &[1.5, 2.25, 3.0, 1.0, 0.5]);
    let chained = Schedule::Chained {
        schedules: vec![halves(), constant, sequential],
    };
    assert_factors(&chained, &[3.0, 0.75, 2.25, 0.375]);
}

#[test]
fn ends_are_exact_and_hold() {
    let to = 0.1;
    for schedule in [
        Schedule::Cosine { steps: 7, to },
        Schedule::Linear {
            from: 0.3,
            to,
            steps: 7,
        },
        Schedule::Polynomial(Polynomial {
            power: 0.3,
            to,
            ..Polynomial::new(7)
        }),
        Schedule::OneCycle(OneCycle {
            to,
            ..OneCycle::new(7)
        }),
    ] {
        for step in [7, 8, 1000, usize::MAX] {
            assert_eq!(schedule.at(step), to, "{schedule:?} at {step}");
        }
    }
    for steps in 1..9 {
        for phases in [Phases::Two, Phases::Three] {
            let cycle = OneCycle {
                phases,
                ..OneCycle::new(steps)
            };
            let schedule = Schedule::OneCycle(cycle);
            for step in 0..9 {
                let factor = schedule.at(step);
                assert!((0.0..=1.0).contains(&factor), "{schedule:?}: {factor}");
            }
        }
    }
}

#[test]
fn validate_names_the_place_of_a_bad_value() {
    let list = |schedules, milestones| Schedule::Sequential {
        schedules,
        milestones,
    };
    let bad = Schedule::Exponential {
        gamma: -1.0,
        steps: 1,
    };
    let table = |points| Schedule::Table {
        points,
        between: Between::Hold,
    };
    let expected_rate = "expected a positive finite number";
    for (schedule, expected) in [
        (
            then(Schedule::default(), 3, then(bad.clone(), 3, halves())),
            format!("`next.first.gamma` is -1, {expected_rate}"),
        ),
        (
            list(vec![halves(), bad], vec![3]),
            format!("`schedules[1].gamma` is -1, {expected_rate}"),
        ),
        (
            list(vec![halves(), halves()], vec![]),
            "`milestones` has 0 entries, expected 1, one fewer than schedules".into(),
        ),
        (
            list(vec![halves(), halves(), halves()], vec![3, 3]),
            "`milestones[1]` is step 3, expected one above 3, which stands before it".into(),
        ),
        (
            list(vec![], vec![]),
            "`schedules` has 0 entries, expected at least 1".into(),
        ),
        (
            Schedule::Cosine { steps: 0, to: 0.0 },
            "`steps` is 0, expected at least 1".into(),
        ),
        (
            table(vec![(0, 1.0), (5, f64::NAN)]),
            "`points[1][1]` is NaN, expected a finite number, at least 0".into(),
        ),
        (
            table(vec![(5, 1.0), (2, 0.5)]),
            "`points[1]` is step 2, expected one above 5, which stands before it".into(),
        ),
        (
            Schedule::Cyclic(Cyclic {
                gamma: 0.9,
                ..Cyclic::new(2.0, 3)
            }),
            "`gamma` is 0.9, expected 1 without wave = \"exp_range\", which alone uses it".into(),
        ),
        (
            Schedule::OneCycle(OneCycle {
                peak_at: 0.6,
                phases: Phases::Three,
                ..OneCycle::new(9)
            }),
            "`peak_at` is 0.6, expected at most 0.5 with phases = \"three\", which takes as long down as up".into(),
        ),
        (
            Schedule::CosineRestarts(CosineRestarts {
                t_mult: 0.5,
                ..CosineRestarts::new(9)
            }),
            "`t_mult` is 0.5, expected a finite number, at least 1".into(),
        ),
    ] {
        let error = schedule.validate().expect_err(&expected);
        assert_eq!(error.to_string(), expected);
    }
    for factor in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let constant = Schedule::Constant { factor };
        assert!(constant.validate().is_err(), "{factor}");
    }
    assert_eq!(Schedule::default().validate(), Ok(()));
}

#[test]
fn validate_refuses_a_plateau_in_a_sequence() {
    let plateau = Schedule::Plateau(Plateau::default());
    assert_eq!(plateau.validate(), Ok(()));
    let chained = Schedule::Chained {
        schedules: vec![halves(), plateau.clone()],
    };
    let warm_up = Schedule::WarmUp {
        steps: 5,
        from: 0.1,
        next: Box::new(plateau.clone()),
    };
    for (nested, field) in [
        (then(halves(), 5, plateau), "next"),
        (chained, "schedules[1]"),
        (warm_up, "next"),
    ] {
        let field = field.to_string();
        assert_eq!(
            nested.validate(),
            Err(ScheduleError::NestedPlateau { field })
        );
    }
}
