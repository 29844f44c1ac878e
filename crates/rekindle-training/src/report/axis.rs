//! Ranges of values, ticks in steps of 1, 2 and 5, and their labels.

use super::markup::grouped;

/// How the vertical axis of a chart is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances are equal differences. The default.
    #[default]
    Linear,
    /// Equal distances are equal ratios. Values of zero or below cannot be drawn; the chart says how many there are.
    Log10,
}

impl Scale {
    /// `Log10` where all values are positive and the largest is at least ten times the smallest, else `Linear`.
    ///
    /// For quantities such as a learning rate, which some schedules hold and others divide by thousands.
    pub fn fit(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        if low > 0.0 && high.is_finite() && high >= 10.0 * low {
            Self::Log10
        } else {
            Self::Linear
        }
    }

    /// Whether `value` has a place on this scale. Beyond 1e300 differences overflow, so such values have none.
    pub(super) fn draws(self, value: f64) -> bool {
        value.abs() <= 1e300 && (self == Self::Linear || value > 0.0)
    }

    /// What follows the name of a quantity on this scale.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Linear => "",
            Self::Log10 => ", log scale",
        }
    }

    /// The points that have a place, with this scale beside the chart.
    pub(super) fn drawn(self, points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
        let all = points.iter().copied();
        all.filter(move |&(x, y)| Self::Linear.draws(x) && self.draws(y))
    }
}

/// A position with a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// A range of values on a scale, with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) scale: Scale,
    pub(super) ticks: Vec<Tick>,
}

/// About how many ticks fit on an axis without crowding, on a phone too.
const VERTICAL_TICKS: f64 = 5.0;
const HORIZONTAL_TICKS: f64 = 6.0;

/// From how many powers of ten on only the powers themselves get a tick.
const DECADES_ALONE: f64 = 2.7;

impl Axis {
    /// The axis below a chart: exactly as wide as the values; whole numbers only where all values are whole.
    ///
    /// `None` without values. All values must be drawable.
    pub(super) fn horizontal(values: &[f64]) -> Option<Self> {
        let (low, high) = extent(values.iter().copied());
        if low > high {
            return None;
        }
        let whole = values.iter().all(|value| value.fract() == 0.0);
        let (low, high) = match is_constant(low, high) {
            true if whole => (low - 0.5, high + 0.5),
            true => widened(low),
            false => (low, high),
        };
        let mut step = nice_step(low, high, HORIZONTAL_TICKS);
        if whole {
            step = step.max(1.0);
        }
        Some(Self {
            low,
            high,
            scale: Scale::Linear,
            ticks: stepped(low, high, step),
        })
    }

    /// The axis beside a chart: the values' range, widened to the next tick.
    ///
    /// A linear axis starts at zero where the values come near it. `None` without values. All values must be drawable.
    pub(super) fn vertical(values: &[f64], scale: Scale) -> Option<Self> {
        let (low, high) = extent(values.iter().copied());
        if low > high {
            return None;
        }
        Some(match scale {
            Scale::Linear => Self::linear(low, high),
            Scale::Log10 => Self::logarithmic(low, high),
        })
    }

    fn linear(low: f64, high: f64) -> Self {
        let (mut low, mut high) = match is_constant(low, high) {
            true => widened(low),
            false if low > 0.0 && low < 0.4 * high => (0.0, high),
            false => (low, high),
        };
        let step = nice_step(low, high, VERTICAL_TICKS);
        low = (low / step + 1e-9).floor() * step;
        high = (high / step - 1e-9).ceil() * step;
        let ticks = stepped(low, high, step);
        Self {
            low,
            high,
            scale: Scale::Linear,
            ticks,
        }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        if high < 2.0 * low && !is_constant(low, high) {
            return Self {
                scale: Scale::Log10,
                ..Self::linear(low, high)
            };
        }
        let (low, high) = match is_constant(low, high) {
            true => (low / 2.0, high * 2.0),
            false => (low, high),
        };
        let ladder = ladder(low, high);
        let below = |value: &&f64| **value <= low * (1.0 + 1e-9);
        let above = |value: &&f64| **value >= high * (1.0 - 1e-9);
        let low = *ladder.iter().rev().find(below).unwrap_or(&low);
        let high = *ladder.iter().find(above).unwrap_or(&high);
        Self {
            low,
            high,
            scale: Scale::Log10,
            ticks: log_ticks(&ladder, low, high),
        }
    }

    /// The axis of a quantity with known bounds: exactly as wide as `values`, among which the bounds are.
    ///
    /// `None` without values. All values must be drawable.
    pub(super) fn exact(values: &[f64], scale: Scale) -> Option<Self> {
        let (low, high) = extent(values.iter().copied());
        if scale == Scale::Log10 && low < high {
            let ticks = log_ticks(&ladder(low, high), low, high);
            if ticks.len() > 1 {
                return Some(Self {
                    low,
                    high,
                    scale,
                    ticks,
                });
            }
        }
        let axis = Self::horizontal(values)?;
        Some(Self { scale, ..axis })
    }

    /// The axis of choices, which lie at their indices, with as much room before the first as between two.
    ///
    /// `None` without choices.
    pub(super) fn choices(labels: &[String]) -> Option<Self> {
        let tick = |(place, label): (usize, &String)| Tick {
            value: place as f64,
            label: label.clone(),
        };
        (!labels.is_empty()).then(|| Self {
            low: -0.5,
            high: labels.len() as f64 - 0.5,
            scale: Scale::Linear,
            ticks: labels.iter().enumerate().map(tick).collect(),
        })
    }

    /// Where `value` lies between the ends: 0 at `low`, 1 at `high`.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log10 => decades(self.low, value) / decades(self.low, self.high),
        }
    }
}

/// Lowest and highest of `values`; `(∞, -∞)` without any.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
}

/// Powers of ten between two positive values, without the overflow of their ratio.
fn decades(low: f64, high: f64) -> f64 {
    high.log10() - low.log10()
}

/// Whether a range is too narrow for labels that differ.
fn is_constant(low: f64, high: f64) -> bool {
    high - low <= 1e-9 * low.abs().max(high.abs())
}

/// A range around a single value, without crossing zero.
fn widened(value: f64) -> (f64, f64) {
    match value {
        0.0 => (0.0, 1.0),
        v if v > 0.0 => (0.5 * v, 1.5 * v),
        v => (1.5 * v, 0.5 * v),
    }
}

/// The smallest step of 1, 2 or 5 times a power of ten that cuts the range into at most `count` parts.
fn nice_step(low: f64, high: f64, count: f64) -> f64 {
    let raw = (high - low) / count;
    let unit = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| raw <= f * unit * (1.0 + 1e-9));
    factor.unwrap_or(10.0) * unit
}

/// Ticks at the multiples of `step` from `low` to `high`.
fn stepped(low: f64, high: f64, step: f64) -> Vec<Tick> {
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).max(-1.0) as usize + 1;
    let largest = low.abs().max(high.abs());
    (0..count)
        .map(|place| {
            let value = (first + place as f64) * step;
            Tick {
                value,
                label: step_label(value, step, largest),
            }
        })
        .collect()
}

/// A label with as many decimals as the step needs: `0.25` and `0.50`, `5000` and `10 000`, `2×10⁻⁶`.
fn step_label(value: f64, step: f64, largest: f64) -> String {
    let place = (step.log10() + 1e-9).floor() as i32;
    if value.abs() < 0.5 * step {
        return "0".into();
    }
    if place < -5 || largest >= 1e7 {
        let digits = (value.abs().log10() + 1e-9).floor() as i32 - place;
        return power(value, digits.max(0) as usize);
    }
    let decimals = (-place).max(0) as usize;
    grouped(&format!("{value:.decimals$}")).replace('-', "−")
}

/// `value` as a multiple of a power of ten, such as `2×10⁻⁶`; a factor of one is left out.
fn power(value: f64, decimals: usize) -> String {
    let scientific = format!("{value:.decimals$e}");
    let (factor, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: String = exponent
        .chars()
        .map(|digit| match digit.to_digit(10) {
            Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
            None => '⁻',
        })
        .collect();
    match factor {
        "1" => format!("10{exponent}"),
        _ => format!("{}×10{exponent}", factor.replace('-', "−")),
    }
}

/// 1, 2 and 5 times every power of ten from below `low` to above `high`.
fn ladder(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (first..=last)
        .flat_map(|exponent| [1, 2, 5].map(|factor| format!("{factor}e{exponent}")))
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// The rungs with their labels: plain numbers, or powers where one of them would be long.
fn log_ticks(ladder: &[f64], low: f64, high: f64) -> Vec<Tick> {
    let rungs = rungs(ladder, low, high);
    let plain = rungs.iter().all(|value| (1e-5..1e5).contains(value));
    let tick = |value: f64| Tick {
        value,
        label: match plain {
            true => grouped(&format!("{value}")),
            false => power(value, 0),
        },
    };
    rungs.into_iter().map(tick).collect()
}

/// The rungs to label: all on a short axis; powers of ten on a long one, and of those only every second, third and so on where needed.
fn rungs(ladder: &[f64], low: f64, high: f64) -> Vec<f64> {
    let decades = decades(low, high);
    let inside = |value: &f64| (low..=high).contains(value);
    if decades < DECADES_ALONE {
        return ladder.iter().copied().filter(inside).collect();
    }
    let stride = (decades / VERTICAL_TICKS).ceil() as usize;
    ladder
        .iter()
        .copied()
        .step_by(3)
        .filter(inside)
        .step_by(stride)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    fn vertical(low: f64, high: f64, scale: Scale) -> Axis {
        Axis::vertical(&[low, high], scale).unwrap()
    }

    #[test]
    fn linear_ticks_go_in_steps_of_1_2_5() {
        let axis = vertical(0.02, 2.19, Scale::Linear);
        assert_eq!(labels(&axis), ["0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
        let axis = vertical(0.83, 0.99, Scale::Linear);
        assert_eq!(labels(&axis), ["0.80", "0.85", "0.90", "0.95", "1.00"]);
        let axis = vertical(-3.0, 5.0, Scale::Linear);
        assert_eq!(labels(&axis), ["−4", "−2", "0", "2", "4", "6"]);
        for exponent in -12..12 {
            for factor in [1.0, 1.7, 2.0, 3.3, 5.0, 9.9] {
                let axis = vertical(0.0, factor * 10f64.powi(exponent), Scale::Linear);
                let step = axis.ticks[1].value - axis.ticks[0].value;
                let lead = format!("{step:.6e}");
                assert!(matches!(&lead[..1], "1" | "2" | "5"), "{lead}");
                assert!((4..=7).contains(&axis.ticks.len()), "{axis:?}");
            }
        }
    }

    #[test]
    fn labels_of_very_small_and_large_values_are_powers() {
        let axis = vertical(0.0, 4e-6, Scale::Linear);
        assert_eq!(labels(&axis), ["0", "10⁻⁶", "2×10⁻⁶", "3×10⁻⁶", "4×10⁻⁶"]);
        let axis = vertical(1.0e9, 1.2e9, Scale::Linear);
        assert_eq!(axis.ticks[0].label, "1.00×10⁹");
        let axis = vertical(0.0, 30_000.0, Scale::Linear);
        assert_eq!(axis.ticks[1].label, "10\u{202f}000");
    }

    #[test]
    fn horizontal_axis_is_as_wide_as_the_values_and_whole_for_epochs() {
        let axis = Axis::horizontal(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((axis.low, axis.high), (1.0, 3.0));
        assert_eq!(labels(&axis), ["1", "2", "3"]);
        let axis = Axis::horizontal(&[1.0, 60.0]).unwrap();
        assert_eq!(labels(&axis), ["10", "20", "30", "40", "50", "60"]);
        let axis = Axis::horizontal(&[0.0, 0.25]).unwrap();
        assert!(axis.ticks.len() > 3);
    }

    #[test]
    fn one_value_still_gives_a_range_around_it() {
        let axis = Axis::horizontal(&[7.0]).unwrap();
        assert_eq!((labels(&axis), axis.fraction(7.0)), (vec!["7"], 0.5));
        for (value, scale) in [
            (0.0, Scale::Linear),
            (0.001, Scale::Linear),
            (-4.0, Scale::Linear),
            (0.001, Scale::Log10),
            (3.0, Scale::Log10),
        ] {
            let axis = vertical(value, value, scale);
            let fraction = axis.fraction(value);
            assert!((0.0..=1.0).contains(&fraction), "{value} {fraction}");
            assert!(axis.low < axis.high && axis.ticks.len() >= 2, "{axis:?}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten_or_1_2_5() {
        let axis = vertical(0.031, 42.0, Scale::Log10);
        assert_eq!((axis.low, axis.high), (0.02, 50.0));
        assert_eq!(labels(&axis), ["0.1", "1", "10"]);
        let axis = vertical(0.3, 4.0, Scale::Log10);
        assert_eq!(labels(&axis), ["0.2", "0.5", "1", "2", "5"]);
        let axis = vertical(1e-12, 1.0, Scale::Log10);
        assert_eq!(labels(&axis), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]);
        let axis = vertical(3.0, 4.0, Scale::Log10);
        assert_eq!(labels(&axis), ["3.0", "3.2", "3.4", "3.6", "3.8", "4.0"]);
    }

    #[test]
    fn exact_axes_end_where_the_values_do() {
        let axis = Axis::exact(&[3e-5, 0.2], Scale::Log10).unwrap();
        assert_eq!((axis.low, axis.high), (3e-5, 0.2));
        assert_eq!(labels(&axis), ["0.0001", "0.001", "0.01", "0.1"]);
        let axis = Axis::exact(&[8.0, 128.0], Scale::Log10).unwrap();
        assert_eq!(labels(&axis), ["10", "20", "50", "100"]);
        assert!((axis.fraction(32.0) - 0.5).abs() < 1e-12);
        let axis = Axis::exact(&[3.0, 6.0], Scale::Log10).unwrap();
        assert_eq!(labels(&axis), ["3", "4", "5", "6"]);
        let axis = Axis::exact(&[0.0, 0.5], Scale::Linear).unwrap();
        assert_eq!(labels(&axis), ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(Axis::exact(&[], Scale::Log10), None);
        let axis = Axis::exact(&[1e-3; 2], Scale::Log10).unwrap();
        assert!(axis.low < 1e-3 && 1e-3 < axis.high, "{axis:?}");
    }

    #[test]
    fn choices_lie_in_the_middle_of_equal_parts() {
        let axis = Axis::choices(&["gru".into(), "lstm".into()]).unwrap();
        assert_eq!(labels(&axis), ["gru", "lstm"]);
        assert_eq!((axis.fraction(0.0), axis.fraction(1.0)), (0.25, 0.75));
        assert_eq!(Axis::choices(&[]), None);
    }

    #[test]
    fn log_fractions_are_ratios() {
        let axis = vertical(0.01, 100.0, Scale::Log10);
        assert_eq!(axis.fraction(0.01), 0.0);
        assert!((axis.fraction(1.0) - 0.5).abs() < 1e-12);
        assert!((axis.fraction(100.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_gives_no_axis_and_only_drawable_values_have_a_place() {
        assert_eq!(Axis::horizontal(&[]), None);
        assert_eq!(Axis::vertical(&[], Scale::Log10), None);
        assert!(Scale::Linear.draws(0.0) && Scale::Linear.draws(-1.0));
        assert!(!Scale::Log10.draws(0.0) && !Scale::Log10.draws(-1.0));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert!(!Scale::Linear.draws(value) && !Scale::Log10.draws(value));
        }
    }

    #[test]
    fn every_drawable_range_gives_finite_ticks() {
        let values = [-1e300, -1.0, -1e-300, 0.0, 1e-300, 1e-5, 1.0, 1e300];
        for low in values {
            for high in values.into_iter().filter(|high| *high >= low) {
                for scale in [Scale::Linear, Scale::Log10] {
                    if !(scale.draws(low) && scale.draws(high)) {
                        continue;
                    }
                    let axis = vertical(low, high, scale);
                    assert!(axis.ticks.len() < 12, "{low} {high} {scale:?}");
                    for value in [low, high] {
                        assert!((-1e-9..=1.0 + 1e-9).contains(&axis.fraction(value)));
                    }
                }
            }
        }
    }

    #[test]
    fn fit_is_logarithmic_from_a_factor_of_ten_on() {
        assert_eq!(Scale::fit([1e-3, 5e-4]), Scale::Linear);
        assert_eq!(Scale::fit([1e-3, 1e-4]), Scale::Log10);
        assert_eq!(Scale::fit([1e-3, 0.0]), Scale::Linear);
        assert_eq!(Scale::fit([]), Scale::Linear);
    }
}
