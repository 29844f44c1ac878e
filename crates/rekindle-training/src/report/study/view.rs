//! What all drawings of a study share: the order of trials and parameters, the axis of the value, colours.

use std::collections::BTreeMap;

use super::super::axis::{Axis, Scale};
use super::super::markup::{breakable, coordinate, count, escape};
use super::{StudyAim, StudyDomain, StudyPage, StudyState, StudyTrial};

/// From how many drawn trials on their lines are thinner and paler.
const MANY: usize = 120;

/// Values this many times as far from the best as three quarters of the complete trials are beyond the axis.
const REACH: f64 = 3.0;

/// Of fewer values all are within the axis.
const FEW: usize = 8;

/// The most trials that are listed by their numbers.
const LISTED: usize = 8;

/// A study made ready for drawing.
pub(super) struct View<'a> {
    pub(super) page: &'a StudyPage,
    /// The trials: complete ones, pruned ones, running ones, failed ones, and of each kind the best first.
    pub(super) ranked: Vec<&'a StudyTrial>,
    /// The places of the parameters, the most important one first.
    pub(super) order: Vec<usize>,
    /// Of the value; `None` where no trial has one that can be drawn.
    pub(super) axis: Option<Axis>,
    /// The complete trials that are drawn, by their numbers, and how many are better.
    places: BTreeMap<u64, usize>,
    /// Whether trials are drawn as lines through the axes of parameters.
    pub(super) has_lines: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(page: &'a StudyPage) -> Self {
        let mut ranked: Vec<&StudyTrial> = page.trials.iter().collect();
        ranked.sort_by(|a, b| {
            let better = match (value(a), value(b)) {
                (Some(a), Some(b)) => page.aim.compare(a, b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            let numbers = a.number.cmp(&b.number);
            a.state.cmp(&b.state).then(better).then(numbers)
        });
        let of = |is: &dyn Fn(StudyState) -> bool| -> Vec<f64> {
            let trials = ranked.iter().filter(|trial| is(trial.state));
            trials.filter_map(|trial| drawn(page, trial)).collect()
        };
        let complete = of(&|state| state == StudyState::Complete);
        let all = of(&|_| true);
        let reference = if complete.len() < FEW {
            &all
        } else {
            &complete
        };
        let values = near(&all, reference, page.aim, page.scale, REACH);
        let complete = ranked
            .iter()
            .filter(|trial| trial.state == StudyState::Complete);
        let complete = complete.filter(|trial| drawn(page, trial).is_some());
        let mut view = Self {
            page,
            places: complete.map(|trial| trial.number).zip(0..).collect(),
            ranked,
            order: order(page),
            axis: Axis::vertical(&values, page.scale),
            has_lines: false,
        };
        let mut axes = view.order.iter().map(|place| view.parameter_axis(*place));
        view.has_lines = view.axis.is_some() && axes.any(|axis| axis.is_some());
        view
    }

    /// The complete trial with the best value, the first one of equals.
    pub(super) fn best(&self) -> Option<(&'a StudyTrial, f64)> {
        let first = self.ranked.first()?;
        let value = value(first).filter(|_| first.state == StudyState::Complete)?;
        Some((first, value))
    }

    /// Whether a trial is the best one.
    pub(super) fn is_best(&self, trial: &StudyTrial) -> bool {
        self.best()
            .is_some_and(|(best, _)| best.number == trial.number)
    }

    /// The value of a trial, if it is drawn.
    pub(super) fn drawn(&self, trial: &StudyTrial) -> Option<f64> {
        drawn(self.page, trial)
    }

    /// The trials that are drawn, the worst first, so that the best ones come to lie on top; pruned ones before them.
    pub(super) fn upwards(&self) -> impl Iterator<Item = (&'a StudyTrial, f64)> {
        let trials = self.ranked.iter().rev();
        trials.filter_map(|trial| Some((*trial, self.drawn(trial)?)))
    }

    /// How many trials of a state are drawn.
    pub(super) fn count(&self, state: StudyState) -> usize {
        self.upwards()
            .filter(|(trial, _)| trial.state == state)
            .count()
    }

    /// Where a value lies on the axis: 0 below, 1 above. Values beyond it lie at its ends.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        let fraction = self.axis.as_ref().map(|axis| axis.fraction(value));
        fraction.unwrap_or(0.5).clamp(0.0, 1.0)
    }

    /// How many values lie beyond the axis, in a sentence that ends with where they are drawn; `None` without any.
    pub(super) fn beyond(&self, drawn: &str) -> Option<String> {
        let beyond = self.upwards().filter(|(_, value)| self.is_beyond(*value));
        match beyond.count() {
            0 => None,
            1 => Some(format!(
                "One trial is worse than the axis reaches: {drawn}."
            )),
            many => Some(format!(
                "{} trials are worse than the axis reaches: {drawn}.",
                count(many)
            )),
        }
    }

    /// Whether a value lies beyond the axis.
    pub(super) fn is_beyond(&self, value: f64) -> bool {
        let within = |axis: &Axis| (-1e-9..=1.0 + 1e-9).contains(&axis.fraction(value));
        !self.axis.as_ref().is_some_and(within)
    }

    /// The classes of what is drawn of a trial, its colour and its number, as attributes.
    ///
    /// The colour is the trial's place among the complete ones, from 0 for the worst to 1 for the best, since a few bad values
    /// would leave the others with one colour.
    pub(super) fn look(&self, kind: &str, trial: &StudyTrial) -> String {
        let number = trial.number;
        let Some(&place) = self.places.get(&number) else {
            let class = trial.state.word();
            return format!("class=\"{kind} {class}\" data-trial=\"{number}\"");
        };
        let class = match self.is_best(trial) {
            true => " best",
            false => "",
        };
        let worst = (self.places.len() - 1).max(1);
        let good = coordinate(1.0 - place as f64 / worst as f64);
        format!("class=\"{kind}{class}\" style=\"--good:{good}\" data-trial=\"{number}\"")
    }

    /// A class for drawings of many trials; begins with a space.
    pub(super) fn many(&self) -> &'static str {
        match self.upwards().count() > MANY {
            true => " many",
            false => "",
        }
    }

    /// The axis of a parameter; `None` without a place on it.
    pub(super) fn parameter_axis(&self, parameter: usize) -> Option<Axis> {
        match &self.page.parameters[parameter].domain {
            StudyDomain::Choice { labels } => Axis::choices(labels),
            StudyDomain::Number { low, high, scale } => {
                let trials = self.page.trials.iter();
                let places = trials.filter_map(|trial| self.place(trial, parameter));
                let bounds = [*low, *high].into_iter();
                let bounds = bounds.filter(|bound| scale.draws(*bound));
                Axis::exact(&bounds.chain(places).collect::<Vec<_>>(), *scale)
            }
        }
    }

    /// Where a parameter of a trial lies, if its domain has that place.
    pub(super) fn place(&self, trial: &StudyTrial, parameter: usize) -> Option<f64> {
        let place = trial.settings[parameter].as_ref()?.place;
        let there = match &self.page.parameters[parameter].domain {
            StudyDomain::Choice { labels } => {
                let index = place as usize;
                index as f64 == place && index < labels.len()
            }
            StudyDomain::Number { scale, .. } => scale.draws(place),
        };
        there.then_some(place)
    }

    /// What the colours are, for all drawings of trials.
    pub(super) fn key(&self) -> String {
        let piece = |class: &str| {
            format!(
                "<svg class=\"piece\" width=\"30\" height=\"8\" aria-hidden=\"true\">\
                 <path class=\"trial {class}\" d=\"M2 4H28\"/></svg>"
            )
        };
        let mut items = String::new();
        if self.count(StudyState::Complete) > 1 {
            items += "<li>worse <span class=\"ramp\"></span> better</li>";
        }
        if let Some((best, _)) = self.best() {
            let piece = piece("best");
            items += &format!("<li>{piece} trial {}, the best</li>", best.number);
        }
        if self.count(StudyState::Pruned) > 0 {
            items += &format!("<li>{} pruned</li>", piece("pruned"));
        }
        format!("<ul class=\"key\">{items}</ul>\n")
    }

    /// The settings of a trial in words: name and setting of each parameter that counts.
    pub(super) fn settings(&self, trial: &StudyTrial) -> String {
        let words = self.order.iter().filter_map(|&place| {
            let setting = trial.settings[place].as_ref()?;
            Some(format!(
                "{} {}",
                self.page.parameters[place].name, setting.text
            ))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// The name of a parameter, which may be broken.
    pub(super) fn name(&self, parameter: usize) -> String {
        breakable(&escape(&self.page.parameters[parameter].name))
    }
}

/// The value of a trial: what came of it, or of a pruned one the last that was measured.
pub(super) fn value(trial: &StudyTrial) -> Option<f64> {
    let finite = |value: &f64| Scale::Linear.draws(*value);
    let last = || {
        let mut values = trial.curve.iter().rev().map(|point| point.1);
        values.find(finite)
    };
    let value = trial.value.filter(finite);
    match trial.state {
        StudyState::Complete => value,
        StudyState::Pruned => value.or_else(last),
        StudyState::Running | StudyState::Failed => None,
    }
}

/// The value of a trial, if the scale has a place for it.
fn drawn(page: &StudyPage, trial: &StudyTrial) -> Option<f64> {
    value(trial).filter(|value| page.scale.draws(*value))
}

/// The values without those that are so far behind the others that these would lie on each other.
///
/// The better three quarters of the `reference` reach from its best to some distance; `reach` times this distance is as far
/// as it goes.
pub(super) fn near(
    values: &[f64],
    reference: &[f64],
    aim: StudyAim,
    scale: Scale,
    reach: f64,
) -> Vec<f64> {
    let behind = |value: f64| {
        let place = match scale {
            Scale::Linear => value,
            Scale::Log10 => value.log10(),
        };
        match aim {
            StudyAim::Least => place,
            StudyAim::Greatest => -place,
        }
    };
    let mut sorted: Vec<f64> = reference.iter().map(|value| behind(*value)).collect();
    sorted.sort_by(f64::total_cmp);
    let mut kept = values.to_vec();
    if sorted.len() >= FEW {
        let distance = sorted[sorted.len() * 3 / 4] - sorted[0];
        let end = sorted[0] + reach * distance;
        kept.retain(|value| distance <= 0.0 || behind(*value) <= end);
    }
    kept
}

/// The places of the parameters by falling importance; those of which none is known come last, in their order.
fn order(page: &StudyPage) -> Vec<usize> {
    let share = |place: &usize| {
        let name = &page.parameters[*place].name;
        let known = page.importance.iter().find(|(known, _)| known == name);
        let share = known.map(|(_, share)| *share);
        share
            .filter(|share| share.is_finite())
            .unwrap_or(f64::NEG_INFINITY)
    };
    let mut order: Vec<usize> = (0..page.parameters.len()).collect();
    order.sort_by(|a, b| share(b).total_cmp(&share(a)));
    order
}

/// Numbers of trials in words, such as `trials 3, 8 and 9`; long lists end with how many more there are.
pub(super) fn listed(numbers: &[u64]) -> String {
    let mut words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    if words.len() > LISTED {
        words.truncate(LISTED - 1);
        words.push(format!("{} more", numbers.len() - LISTED + 1));
    }
    match words.split_last() {
        None => "no trial".into(),
        Some((only, [])) => format!("trial {only}"),
        Some((last, others)) => format!("trials {} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_values_are_beyond_the_axis() {
        let values: Vec<f64> = (1..=8).map(f64::from).chain([100.0]).collect();
        // Of nine values the seventh is at three quarters: 6 behind the best, so 25 is the end.
        let kept = near(&values, &values, StudyAim::Least, Scale::Linear, 4.0);
        assert_eq!(kept, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let negative: Vec<f64> = values.iter().map(|value| -value).collect();
        let kept = near(&negative, &negative, StudyAim::Greatest, Scale::Linear, 4.0);
        assert_eq!(kept.last(), Some(&-8.0));
        let kept = near(&values, &values, StudyAim::Least, Scale::Log10, 4.0);
        assert_eq!(
            kept.len(),
            9,
            "seven is 0.85 decades behind, a hundred only 2"
        );
        let few = [1.0, 2.0, 1e9];
        assert_eq!(near(&few, &few, StudyAim::Least, Scale::Linear, 4.0), few);
        let equal = [1.0; 9];
        assert_eq!(
            near(&equal, &equal, StudyAim::Least, Scale::Linear, 4.0),
            equal
        );
    }

    #[test]
    fn lists_are_short() {
        assert_eq!(listed(&[]), "no trial");
        assert_eq!(listed(&[3]), "trial 3");
        assert_eq!(listed(&[3, 8, 9]), "trials 3, 8 and 9");
        let many: Vec<u64> = (0..20).collect();
        assert_eq!(listed(&many), "trials 0, 1, 2, 3, 4, 5, 6 and 13 more");
    }
}
