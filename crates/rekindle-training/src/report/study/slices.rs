//! Slices: the value over each of the most important parameters, a dot for each trial.

use std::fmt::Write;

use super::super::axis::{Axis, Scale, Tick};
use super::super::markup::{coordinate, count, escape};
use super::super::plot::grid;
use super::view::View;
use super::{StudyDomain, StudyTrial};

/// The most parameters.
const SLICES: usize = 8;
/// Height of the area inside the axes, in CSS pixels.
const HEIGHT: f64 = 150.0;
/// The least width of that area, for which labels are chosen.
const ROOM: f64 = 180.0;
/// A generous guess at the mean width of a letter of a label, and the room between two labels.
const LETTER: f64 = 7.0;
const BETWEEN: f64 = 8.0;
/// How far dots of one choice are spread, in shares of the room of a choice.
const SPREAD: f64 = 0.5;
/// Labels of choices stand upright where all of them together have more letters, or one has so many.
const LETTERS: usize = 24;
const LETTERS_OF_ONE: usize = 10;

/// The drawings; empty without parameters or without a value to draw.
pub(super) fn render(view: &View) -> String {
    let Some(y) = &view.axis else {
        return String::new();
    };
    let there = view.order.iter().filter_map(|&parameter| {
        let axis = view.parameter_axis(parameter)?;
        Some((parameter, axis))
    });
    let figures: String = there
        .take(SLICES)
        .enumerate()
        .map(|(place, (parameter, x))| figure(view, place + 1, parameter, x, y))
        .collect();
    if figures.is_empty() {
        return figures;
    }
    let mut html = view.key();
    if let Some(beyond) = view.beyond("dots at the end of the axis") {
        let _ = writeln!(html, "<p class=\"lead\">{beyond}</p>");
    }
    let _ = write!(
        html,
        "<div class=\"slices{}\">\n{figures}</div>\n",
        view.many()
    );
    html
}

fn figure(view: &View, place: usize, parameter: usize, x: Axis, y: &Axis) -> String {
    let left_out = view
        .upwards()
        .filter(|(trial, _)| view.place(trial, parameter).is_none());
    let left_out = left_out.count();
    let dots = dots(view, parameter, &x);
    let name = &view.page.parameters[parameter].name;
    let value = escape(view.page.value_name());
    let widest = y.ticks.iter().map(|tick| tick.label.chars().count()).max();
    let (x, below) = labelled(x, is_choice(view, parameter));
    let mut html = format!(
        "<figure class=\"card slice\">\n<figcaption><h3>{}</h3></figcaption>\n<p class=\"y-label\">{value}{}</p>\n\
         <div class=\"field\" style=\"--labels:{}ch\">\n<svg class=\"canvas\" width=\"100%\" height=\"{HEIGHT}\" role=\"img\" \
         aria-labelledby=\"slice-{place}-title\" aria-describedby=\"slice-{place}-text\">\n\
         <title id=\"slice-{place}-title\">{}</title>\n<desc id=\"slice-{place}-text\">{value} over {}. \
         The table of trials has the numbers.</desc>\n{}{dots}</svg>\n{below}</div>\n",
        view.name(parameter),
        view.page.scale.words(),
        widest.unwrap_or(0),
        escape(name),
        escape(name),
        grid(&x, y, HEIGHT),
    );
    if left_out > 0 {
        let _ = writeln!(
            html,
            "<p class=\"note\">{} of {} trials do not have it.</p>",
            count(left_out),
            count(view.upwards().count())
        );
    }
    html += "</figure>\n";
    html
}

/// Whether a parameter is one of a list.
fn is_choice(view: &View, parameter: usize) -> bool {
    let domain = &view.page.parameters[parameter].domain;
    matches!(domain, StudyDomain::Choice { .. })
}

/// The axis with the labels that stand in the drawing, and what stands below it.
fn labelled(x: Axis, is_choice: bool) -> (Axis, String) {
    if is_choice {
        let below = choices(&x);
        let ticks = Vec::new();
        return (Axis { ticks, ..x }, below);
    }
    let below = match x.scale {
        Scale::Linear => "",
        Scale::Log10 => "<p class=\"x-label\">log scale</p>\n",
    };
    (apart(x), below.to_owned())
}

/// A dot for each trial that has the parameter.
fn dots(view: &View, parameter: usize, x: &Axis) -> String {
    let is_choice = is_choice(view, parameter);
    let mut svg = String::new();
    for (trial, value) in view.upwards() {
        let Some(place) = view.place(trial, parameter) else {
            continue;
        };
        let place = match is_choice {
            true => place + spread(trial),
            false => place,
        };
        let _ = writeln!(
            svg,
            "<circle {} cx=\"{}%\" cy=\"{}\" r=\"{}\"/>",
            view.look("point", trial),
            coordinate(100.0 * x.fraction(place)),
            coordinate(HEIGHT * (1.0 - view.fraction(value))),
            if view.is_best(trial) { 5 } else { 3 }
        );
    }
    svg
}

/// A shift that keeps the dots of one choice apart: the same for a trial in every page, and spread evenly over trials.
fn spread(trial: &StudyTrial) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    ((trial.number as f64 * GOLDEN).fract() - 0.5) * SPREAD
}

/// The labels of choices below a slice: each as wide as its part, or upright where they are long.
fn choices(x: &Axis) -> String {
    let letters = |tick: &Tick| tick.label.chars().count();
    let all: usize = x.ticks.iter().map(letters).sum();
    let long = all > LETTERS || x.ticks.iter().any(|tick| letters(tick) > LETTERS_OF_ONE);
    let upright = match long && x.ticks.len() > 1 {
        true => " upright",
        false => "",
    };
    let labels: String = x
        .ticks
        .iter()
        .map(|tick| format!("<span>{}</span>", escape(&tick.label)))
        .collect();
    format!(
        "<div class=\"choices{upright}\" style=\"grid-template-columns:repeat({},minmax(0,1fr))\">{labels}</div>\n",
        x.ticks.len()
    )
}

/// The axis with as many labels as fit side by side in the least width; powers of ten stay.
fn apart(x: Axis) -> Axis {
    let half = |tick: &Tick| LETTER * tick.label.chars().count() as f64 / 2.0;
    let fits = |ticks: &[Tick]| {
        ticks.windows(2).all(|pair| {
            let distance = ROOM * (x.fraction(pair[1].value) - x.fraction(pair[0].value));
            distance >= half(&pair[0]) + half(&pair[1]) + BETWEEN
        })
    };
    let is_power = |tick: &Tick| {
        let exponent = tick.value.log10();
        x.scale == Scale::Log10 && (exponent - exponent.round()).abs() < 1e-9
    };
    let power = x.ticks.iter().position(is_power).unwrap_or(0);
    let every = |stride: usize| {
        let ticks = x.ticks.iter().skip(power % stride).step_by(stride);
        ticks.cloned().collect::<Vec<_>>()
    };
    let strides = 1..x.ticks.len().max(1);
    let ticks = strides.map(every).find(|ticks| fits(ticks));
    let ticks = ticks.unwrap_or_else(|| every(x.ticks.len().max(1)));
    Axis { ticks, ..x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_do_not_fit_are_left_out() {
        let labels = |low, high, scale| {
            let axis = apart(Axis::exact(&[low, high], scale).unwrap());
            axis.ticks
                .into_iter()
                .map(|tick| tick.label)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(1.0, 4.0, Scale::Linear), ["1", "2", "3", "4"]);
        // 2.6 decades: 69 pixels for each, and labels need up to 50.
        let powers = ["0.0001", "0.001", "0.01"];
        assert_eq!(labels(1e-4, 0.04, Scale::Log10), powers);
        assert_eq!(labels(5e-5, 0.02, Scale::Log10), powers);
    }

    #[test]
    fn dots_of_a_choice_are_spread() {
        let trial = |number| StudyTrial {
            number,
            ..StudyTrial::default()
        };
        assert_eq!(spread(&trial(0)), -0.25);
        assert!((spread(&trial(1)) - 0.059_016_994).abs() < 1e-8);
    }
}
