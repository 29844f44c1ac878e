//! Parallel coordinates: an axis for each parameter and one for the value, and a line through them for each trial.

use std::fmt::Write;

use super::super::axis::{Axis, Scale};
use super::super::markup::{coordinate, count, escape, number};
use super::super::plot::WIDTH;
use super::view::View;
use super::{StudyState, StudyTrial};

/// The most axes, that of the value among them.
const AXES: usize = 12;
/// Height of the axes, in CSS pixels.
const HEIGHT: f64 = 280.0;
/// Below an axis, where lines go whose trials do not have the parameter.
const OFF: f64 = 26.0;
/// Longer labels are cut: of a few axes, and of more than `FEW`.
const LABEL: [usize; 2] = [18, 10];
const FEW: usize = 7;
/// The most labels of choices on an axis; of more, only every second, third and so on has one.
const LABELS: usize = 20;

/// A vertical axis.
struct Upright {
    /// The place of the parameter; `None`: the value.
    parameter: Option<usize>,
    axis: Axis,
    /// Whether some trials do not have the parameter.
    off: bool,
    /// Longer labels are cut.
    longest: usize,
}

/// The drawing; empty without parameters or without a value to draw.
pub(super) fn render(view: &View) -> String {
    let Some(value) = view.axis.clone() else {
        return String::new();
    };
    let axes = view.order.iter().filter_map(|&place| upright(view, place));
    let mut axes: Vec<Upright> = axes.take(AXES - 1).collect();
    if axes.is_empty() {
        return String::new();
    }
    axes.push(Upright {
        parameter: None,
        axis: value,
        off: false,
        longest: LABEL[0],
    });
    if axes.len() > FEW {
        axes.iter_mut().for_each(|axis| axis.longest = LABEL[1]);
    }
    let labels = axes.iter().flat_map(|axis| axis.labels());
    let widest = labels.map(|(_, label)| label.chars().count()).max();
    let mut html = view.key();
    let _ = write!(
        html,
        "<div class=\"card\">\n<div class=\"scroll parallel{}\" role=\"region\" aria-label=\"Settings and values of the trials\" \
         tabindex=\"0\">\n<div class=\"axes\" style=\"--gaps:{};--labels:{}ch\">\n{}{}</div>\n</div>\n{}</div>\n",
        view.many(),
        axes.len() - 1,
        widest.unwrap_or(0),
        names(view, &axes),
        drawing(view, &axes),
        notes(view, &axes)
    );
    html
}

/// The axis of a parameter; `None` if it has no place.
fn upright(view: &View, parameter: usize) -> Option<Upright> {
    let axis = view.parameter_axis(parameter)?;
    let off = |(trial, _): (&StudyTrial, f64)| view.place(trial, parameter).is_none();
    Some(Upright {
        parameter: Some(parameter),
        axis,
        off: view.upwards().any(off),
        longest: LABEL[0],
    })
}

impl Upright {
    /// Heights and labels, which are cut where they are long.
    fn labels(&self) -> Vec<(f64, String)> {
        let ticks = &self.axis.ticks;
        let stride = ticks.len().div_ceil(LABELS).max(1);
        let label = |text: &str| match text.chars().count() > self.longest {
            true => text.chars().take(self.longest - 1).chain(['…']).collect(),
            false => text.to_owned(),
        };
        let ticks = ticks.iter().step_by(stride);
        let labels = ticks.map(|tick| (self.down(tick.value), label(&tick.label)));
        let off = self.off.then(|| (HEIGHT + OFF, "not used".into()));
        labels.chain(off).collect()
    }

    /// Pixels from the upper end to a place; what lies beyond the ends lies at them.
    fn down(&self, place: f64) -> f64 {
        HEIGHT * (1.0 - self.axis.fraction(place).clamp(0.0, 1.0))
    }

    /// Where the line of a trial meets this axis.
    fn meets(&self, view: &View, trial: &StudyTrial, value: f64) -> f64 {
        let place = match self.parameter {
            None => Some(value),
            Some(parameter) => view.place(trial, parameter),
        };
        place.map_or(HEIGHT + OFF, |place| self.down(place))
    }

    /// Whether some choices have no label, or not all of it.
    fn cuts_labels(&self) -> bool {
        let long = |label: &str| label.chars().count() > self.longest;
        let ticks = &self.axis.ticks;
        ticks.len() > LABELS || ticks.iter().any(|tick| long(&tick.label))
    }

    /// The name as it is read aloud.
    fn spoken<'a>(&self, view: &'a View) -> &'a str {
        match self.parameter {
            None => view.page.value_name(),
            Some(parameter) => &view.page.parameters[parameter].name,
        }
    }
}

/// The names above the axes.
fn names(view: &View, axes: &[Upright]) -> String {
    let mut html = format!(
        "<div class=\"names\" style=\"grid-template-columns:var(--first) repeat({},minmax(0,1fr))\" aria-hidden=\"true\">\n",
        axes.len() - 1
    );
    for axis in axes {
        let name = match axis.parameter {
            None => format!("<b>{}</b>", escape(view.page.value_name())),
            Some(parameter) => view.name(parameter),
        };
        let scale = match axis.axis.scale {
            Scale::Linear => "",
            Scale::Log10 => " <i>log</i>",
        };
        let _ = writeln!(html, "<span>{name}{scale}</span>");
    }
    html += "</div>\n";
    html
}

fn drawing(view: &View, axes: &[Upright]) -> String {
    let off = axes.iter().any(|axis| axis.off);
    let height = if off { HEIGHT + OFF } else { HEIGHT };
    let lines: String = view
        .upwards()
        .map(|(trial, value)| line(view, axes, trial, value))
        .collect();
    let mut svg = format!(
        "<svg class=\"canvas\" width=\"100%\" height=\"{height}\" role=\"img\" aria-labelledby=\"parallel-title\" \
         aria-describedby=\"parallel-text\">\n<title id=\"parallel-title\">Settings and values of the trials</title>\n\
         <desc id=\"parallel-text\">{}</desc>\n\
         <svg class=\"lines\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         preserveAspectRatio=\"none\">\n{lines}</svg>\n<g class=\"uprights\">\n",
        escape(&description(view, axes))
    );
    for (place, axis) in axes.iter().enumerate() {
        let across = across(axes, place) / WIDTH * 100.0;
        let across = coordinate(across);
        let _ = write!(
            svg,
            "<line x1=\"{across}%\" x2=\"{across}%\" y1=\"0\" y2=\"{HEIGHT}\"/>"
        );
        for (down, label) in axis.labels() {
            let _ = write!(
                svg,
                "<text class=\"y\" x=\"{across}%\" dx=\"-7\" y=\"{}\" dy=\".35em\">{}</text>",
                coordinate(down),
                escape(&label)
            );
        }
        svg.push('\n');
    }
    svg += "</g>\n</svg>\n";
    svg
}

/// Where an axis stands in the inner drawing.
fn across(axes: &[Upright], place: usize) -> f64 {
    WIDTH * place as f64 / (axes.len() - 1) as f64
}

/// The line of a trial. Its id is where the table of trials leads to.
fn line(view: &View, axes: &[Upright], trial: &StudyTrial, value: f64) -> String {
    let mut path = String::new();
    for (place, axis) in axes.iter().enumerate() {
        let pen = if place == 0 { 'M' } else { 'L' };
        let down = coordinate(axis.meets(view, trial, value));
        let _ = write!(path, "{pen}{} {down}", coordinate(across(axes, place)));
    }
    format!(
        "<path id=\"trial-{}\" {} d=\"{path}\"/>\n",
        trial.number,
        view.look("trial", trial)
    )
}

/// The drawing in words, for those who cannot see it.
fn description(view: &View, axes: &[Upright]) -> String {
    let names: Vec<&str> = axes.iter().map(|axis| axis.spoken(view)).collect();
    let [complete, pruned] = [StudyState::Complete, StudyState::Pruned]
        .map(|state| format!("{} {}", count(view.count(state)), state.word()));
    let mut words = format!(
        "Axes, from left to right: {}. Lines: {complete} and {pruned} trials. The table of trials has the numbers.",
        names.join("; ")
    );
    if let Some((best, value)) = view.best() {
        let _ = write!(
            words,
            " The best is trial {} with {}: {}.",
            best.number,
            number(value),
            view.settings(best)
        );
    }
    words
}

/// What a reader must know: what is left out, and what lies at an end.
fn notes(view: &View, axes: &[Upright]) -> String {
    let mut notes = Vec::new();
    let shown = |parameter: &&usize| axes.iter().any(|axis| axis.parameter == Some(**parameter));
    let left_out = view.order.iter().filter(|parameter| !shown(parameter));
    let left_out: Vec<&str> = left_out
        .map(|&parameter| view.page.parameters[parameter].name.as_str())
        .collect();
    if !left_out.is_empty() {
        notes.push(format!("Left out: {}.", left_out.join(", ")));
    }
    notes.extend(view.beyond("lines at the end of the axis"));
    if axes.iter().any(|axis| axis.cuts_labels()) {
        notes.push("Long labels are cut; the table of trials has them in full.".into());
    }
    let html = notes
        .iter()
        .map(|note| format!("<p class=\"note\">{}</p>\n", escape(note)));
    html.collect()
}
