//! The history: the value of each trial in the order of their numbers, and the best so far.

use super::super::axis::Axis;
use super::super::chart::{Chart, Line, Marks};
use super::super::markup::coordinate;
use super::super::plot::{HEIGHT, Plot};
use super::view::{View, listed};
use super::{StudyState, StudyTrial};

/// The chart; empty where no trial has a value that can be drawn.
pub(super) fn render(view: &View) -> String {
    let mut trials: Vec<(&StudyTrial, f64)> = view.upwards().collect();
    trials.sort_by_key(|(trial, _)| trial.number);
    let numbers: Vec<f64> = trials
        .iter()
        .map(|(trial, _)| trial.number as f64)
        .collect();
    let Some(axes) = Axis::horizontal(&numbers).zip(view.axis.clone()) else {
        return String::new();
    };
    let chart = chart(view, &trials);
    let rings = beyond(view, &trials, &axes.0);
    let plot = Plot::new(&chart).over(axes, [String::new(), rings]);
    chart.around(&plot, 1)
}

fn chart(view: &View, trials: &[(&StudyTrial, f64)]) -> Chart {
    let within = |(_, value): &(f64, f64)| !view.is_beyond(*value);
    let dots = |name: &str, state, marks| {
        let all = trials.iter().filter(|(trial, _)| trial.state == state);
        let points = all.map(|(trial, value)| (trial.number as f64, *value));
        Line {
            marks,
            ..Line::new(name, points.filter(within).collect())
        }
    };
    let best = best_so_far(view, trials).into_iter().filter(within);
    let lines = vec![
        Line::new("best so far", best.collect()),
        dots("complete", StudyState::Complete, Marks::Dots),
        dots("pruned", StudyState::Pruned, Marks::Rings),
    ];
    Chart {
        scale: view.page.scale,
        note: note(view),
        ..Chart::new(
            "Values and the best so far",
            "trial",
            view.page.value_name(),
            lines,
        )
    }
}

/// The steps of the best value of complete trials: where it improves, it stands twice, as before and as from then on.
fn best_so_far(view: &View, trials: &[(&StudyTrial, f64)]) -> Vec<(f64, f64)> {
    let mut best: Option<f64> = None;
    let mut points = Vec::new();
    for (trial, value) in trials {
        let at = trial.number as f64;
        points.extend(best.map(|best| (at, best)));
        let better = best.is_none_or(|best| view.page.aim.compare(*value, best).is_lt());
        if better && trial.state == StudyState::Complete {
            best = Some(*value);
            points.push((at, *value));
        }
    }
    points
}

/// Small rings at the end of the axis for the values beyond it.
fn beyond(view: &View, trials: &[(&StudyTrial, f64)], x: &Axis) -> String {
    let beyond = trials.iter().filter(|(_, value)| view.is_beyond(*value));
    let ring = |(trial, value): &(&StudyTrial, f64)| {
        format!(
            "<circle {} cx=\"{}%\" cy=\"{}\" r=\"2\"/>\n",
            view.look("end", trial),
            coordinate(100.0 * x.fraction(trial.number as f64)),
            coordinate(HEIGHT * (1.0 - view.fraction(*value)))
        )
    };
    beyond.map(ring).collect()
}

/// What lies at the end of the axis, and which trials are not drawn and why; `None` if all are where they belong.
fn note(view: &View) -> Option<String> {
    let numbers = |left_out: &dyn Fn(&StudyTrial) -> bool| {
        let trials = view.ranked.iter().filter(|trial| left_out(trial));
        let mut numbers: Vec<u64> = trials.map(|trial| trial.number).collect();
        numbers.sort_unstable();
        numbers
    };
    let ended =
        |trial: &StudyTrial| matches!(trial.state, StudyState::Complete | StudyState::Pruned);
    let kinds = [
        (
            "failed",
            numbers(&|trial| trial.state == StudyState::Failed),
        ),
        (
            "still running",
            numbers(&|trial| trial.state == StudyState::Running),
        ),
        (
            "without a value that has a place here",
            numbers(&|trial| ended(trial) && view.drawn(trial).is_none()),
        ),
    ];
    let words = kinds.into_iter().filter(|(_, numbers)| !numbers.is_empty());
    let words: Vec<String> = words
        .map(|(why, numbers)| format!("{} ({why})", listed(&numbers)))
        .collect();
    let not_drawn = (!words.is_empty()).then(|| format!("Not drawn: {}.", words.join("; ")));
    let beyond = view.beyond("small rings at its end");
    let sentences: Vec<String> = beyond.into_iter().chain(not_drawn).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
