//! Learning curves: what was measured on the way, of all trials at once.

use std::fmt::Write;

use super::super::axis::{Axis, Scale, extent};
use super::super::chart::{Chart, Line};
use super::super::markup::{coordinate, count};
use super::super::plot::{HEIGHT, Plot, WIDTH};
use super::super::thin::thin;
use super::view::{View, near};
use super::{StudyState, StudyTrial};

/// The most points of all thin lines together.
const POINTS: usize = 30_000;

/// Values this many times as far from the best as three quarters of those of complete trials are beyond the axis.
const REACH: f64 = 3.0;

/// A trial, and the points of its curve that can be drawn.
type Curve<'a> = (&'a StudyTrial, Vec<(f64, f64)>);

/// The chart; empty without a point to draw.
pub(super) fn render(view: &View) -> String {
    let drawn = |trial: &StudyTrial| view.page.scale.drawn(&trial.curve).collect::<Vec<_>>();
    let curves = view.ranked.iter().map(|trial| (*trial, drawn(trial)));
    let mut curves: Vec<Curve> = curves.filter(|(_, points)| !points.is_empty()).collect();
    if curves.is_empty() {
        return String::new();
    }
    let (lead, points) = curves.remove(0);
    let Some(axes) = axes(view, &points, &curves) else {
        return String::new();
    };
    let limit = (POINTS / curves.len().max(1)).clamp(4, 1000);
    let mut behind = [String::new(), String::new()];
    for (trial, _) in curves.iter().rev() {
        draw(view, trial, &axes, limit, &mut behind);
    }
    let chart = chart(view, (lead, points), &curves, &axes.1);
    let plot = Plot::new(&chart).over(axes, behind);
    let figure = chart.around(&plot, 2);
    format!(
        "{}<div class=\"paths{}\">\n{figure}</div>\n",
        view.key(),
        view.many()
    )
}

/// The axes: as long as the longest curve; as high as the thick curve needs and most points of complete trials do.
fn axes(view: &View, lead: &[(f64, f64)], others: &[Curve]) -> Option<(Axis, Axis)> {
    let page = view.page;
    let all = others.iter().flat_map(|(_, points)| points).chain(lead);
    let (xs, ys): (Vec<f64>, Vec<f64>) = all.copied().unzip();
    let complete = others.iter();
    let complete = complete.filter(|(trial, _)| trial.state == StudyState::Complete);
    let complete = complete.flat_map(|(_, points)| points).chain(lead);
    let complete: Vec<f64> = complete.map(|point| point.1).collect();
    let mut kept = near(&ys, &complete, page.aim, page.scale, REACH);
    kept.extend(lead.iter().map(|point| point.1));
    let (low, high) = extent(kept);
    Axis::horizontal(&xs).zip(Axis::vertical(&[low, high], page.scale))
}

/// The thick curve: that of the best trial, or of the best one that has a curve.
fn chart(view: &View, (lead, points): Curve, others: &[Curve], y: &Axis) -> Chart {
    let name = format!("trial {}", lead.number);
    let of = |state| {
        let of_state = others.iter().filter(|(trial, _)| trial.state == state);
        of_state.count()
    };
    let states = [
        StudyState::Complete,
        StudyState::Pruned,
        StudyState::Running,
        StudyState::Failed,
    ];
    let counts = states.map(|state| (of(state), state.word()));
    let counts = counts.into_iter().filter(|(many, _)| *many > 0);
    let counts: Vec<String> = counts
        .map(|(many, word)| format!("{} {word}", count(many)))
        .collect();
    let mut note = format!("Thick: {name}.");
    if !counts.is_empty() {
        let _ = write!(note, " Thin: {}.", counts.join(", "));
    }
    if of(StudyState::Pruned) > 0 {
        note += " A ring is where a trial was stopped.";
    }
    let mut thin = others.iter().flat_map(|(_, points)| points);
    if thin.any(|point| !(-1e-9..=1.0 + 1e-9).contains(&y.fraction(point.1))) {
        note += " Lines leave the drawing where values are worse than the axis reaches.";
    }
    Chart {
        scale: view.page.scale,
        note: Some(note),
        ..Chart::new(
            "Values on the way",
            view.page.step_name(),
            view.page.value_name(),
            vec![Line::new(name, points)],
        )
    }
}

/// Draws the curve of a trial: paths, and rings at the end of pruned ones and around points without neighbours.
fn draw(
    view: &View,
    trial: &StudyTrial,
    (x, y): &(Axis, Axis),
    limit: usize,
    [paths, rings]: &mut [String; 2],
) {
    let scale = view.page.scale;
    let place = |&(px, py): &(f64, f64)| (x.fraction(px), y.fraction(py));
    let there = |&(px, py): &(f64, f64)| Scale::Linear.draws(px) && scale.draws(py);
    let values: Vec<f64> = trial
        .curve
        .iter()
        .map(|point| if there(point) { point.1 } else { f64::NAN })
        .collect();
    let kept = thin(&values, limit, f64::is_finite);
    let mut path = String::new();
    let mut ends = Vec::new();
    for run in kept.split(|&place| values[place].is_nan()) {
        let run: Vec<(f64, f64)> = run.iter().map(|&at| place(&trial.curve[at])).collect();
        for piece in within(&run) {
            for (step, (px, py)) in piece.iter().enumerate() {
                let pen = if step == 0 { 'M' } else { 'L' };
                let (across, down) = (WIDTH * px, HEIGHT * (1.0 - py));
                let _ = write!(path, "{pen}{} {}", coordinate(across), coordinate(down));
            }
        }
        ends.extend(run.first().filter(|_| run.len() == 1).copied());
    }
    if trial.state == StudyState::Pruned {
        ends.extend(trial.curve.iter().rfind(|point| there(point)).map(place));
    }
    ends.dedup();
    if !path.is_empty() {
        let look = view.look("line thin curve", trial);
        let _ = writeln!(paths, "<path {look} d=\"{path}\"/>");
    }
    for (px, py) in ends.into_iter().filter(|end| (0.0..=1.0).contains(&end.1)) {
        let _ = writeln!(
            rings,
            "<circle {} cx=\"{}%\" cy=\"{}\" r=\"2\"/>",
            view.look("end", trial),
            coordinate(100.0 * px),
            coordinate(HEIGHT * (1.0 - py))
        );
    }
}

/// The pieces of a line whose heights are between 0 and 1.
fn within(line: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in line.windows(2) {
        let Some((from, to)) = cut(pair[0], pair[1]) else {
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// The part of a straight line whose heights are between 0 and 1.
fn cut(from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
    let inside = |height: f64| (0.0..=1.0).contains(&height);
    let (wide, high) = (to.0 - from.0, to.1 - from.1);
    if inside(from.1) && inside(to.1) {
        return Some((from, to));
    }
    if high == 0.0 {
        return None;
    }
    let (a, b) = (-from.1 / high, (1.0 - from.1) / high);
    let (enters, leaves) = (a.min(b).max(0.0), a.max(b).min(1.0));
    let at = |share: f64| {
        let height = (from.1 + share * high).clamp(0.0, 1.0);
        (from.0 + share * wide, height)
    };
    let start = if enters == 0.0 { from } else { at(enters) };
    let end = if leaves == 1.0 { to } else { at(leaves) };
    (enters < leaves).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_leave() {
        let line = [(0.0, 3.0), (0.5, 1.0), (0.75, 0.5), (1.0, -0.5)];
        let cut = within(&line);
        assert_eq!(cut, [[(0.5, 1.0), (0.75, 0.5), (0.875, 0.0)]]);
        let peak = [(0.0, 0.5), (0.5, 1.5), (1.0, 0.5)];
        let expected = [[(0.0, 0.5), (0.25, 1.0)], [(0.75, 1.0), (1.0, 0.5)]];
        assert_eq!(within(&peak), expected);
        assert!(within(&[(0.0, 2.0), (1.0, 2.0)]).is_empty());
        assert!(within(&[(0.0, 0.5)]).is_empty());
        assert_eq!(
            within(&[(0.0, -1.0), (1.0, 3.0)]),
            [[(0.25, 0.0), (0.5, 1.0)]]
        );
    }
}
