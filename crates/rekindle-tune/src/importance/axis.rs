//! A parameter as one axis of the forest's cube.

use serde_json::Value;

use super::region::{Parts, Region};
use crate::{Condition, Domain, Parameter, Space};

/// A parameter: where its values lie, and where in the cube it counts.
#[derive(Clone, Debug)]
pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    domain: &'a Domain,
    /// The axes that say whether the parameter counts, with the parts where it does: it counts where all hold. Those on
    /// which these axes depend in turn are among them.
    pub(super) when: Vec<(usize, Parts)>,
}

/// The axes of a space, in its order.
pub(super) fn axes(space: &Space) -> Vec<Axis<'_>> {
    let mut axes: Vec<Axis<'_>> = Vec::new();
    for parameter in space.parameters() {
        let when = when(&axes, parameter);
        axes.push(Axis {
            name: &parameter.name,
            domain: &parameter.domain,
            when,
        });
    }
    axes
}

/// Where a parameter counts, by the axes of those before it.
fn when(axes: &[Axis<'_>], parameter: &Parameter) -> Vec<(usize, Parts)> {
    let mut when: Vec<(usize, Parts)> = Vec::new();
    let mut add = |axis: usize, parts: Parts| match when.iter_mut().find(|(at, _)| *at == axis) {
        Some((_, other)) => *other = other.and(&parts),
        None => when.push((axis, parts)),
    };
    for condition in &parameter.when {
        let parent = axes.iter().position(|axis| axis.name == condition.on);
        let parent = parent.expect("a condition is on a parameter that stands before");
        for (axis, parts) in &axes[parent].when {
            add(*axis, parts.clone());
        }
        add(parent, axes[parent].parts(condition));
    }
    // In the order of the space, so that a tree comes to the first ones first.
    when.sort_by_key(|(axis, _)| *axis);
    when
}

impl Axis<'_> {
    /// The coordinate of a value: a number's place between 0 and 1, a choice's index; not a number if there is none.
    pub(super) fn coordinate(&self, value: Option<&Value>) -> f64 {
        let coordinate = value.and_then(|value| self.domain.coordinate(value));
        coordinate.map_or(f64::NAN, |number| {
            let (begin, end) = self.room(number);
            begin + (end - begin) / 2.0
        })
    }

    /// Where the room of a number begins and ends, as [`Domain::at`] has it: of those that can be counted from half a step
    /// below to half a step above. A choice's index is its own.
    fn room(&self, number: f64) -> (f64, f64) {
        let (log, half) = match *self.domain {
            Domain::Choice { .. } => return (number, number),
            Domain::Float { log, step, .. } => (log, step.unwrap_or(0.0) / 2.0),
            Domain::Int { log, step, .. } => (log, step as f64 / 2.0),
        };
        let (low, high) = self.domain.room();
        let scale = |number: f64| if log { number.ln() } else { number };
        let width = scale(high) - scale(low);
        let place = |number: f64| (scale(number.clamp(low, high)) - scale(low)) / width;
        match width > 0.0 {
            true => (place(number - half), place(number + half)),
            false => (0.0, 1.0),
        }
    }

    /// The values of a condition on this parameter.
    fn parts(&self, condition: &Condition) -> Parts {
        let coordinates = condition.among.iter();
        let coordinates = coordinates.filter_map(|value| self.domain.coordinate(value));
        if let Domain::Choice { choices } = self.domain {
            let mut among = vec![false; choices.len()];
            coordinates.for_each(|index| among[index as usize] = true);
            return Parts::new([Region::Among(among)]);
        }
        let mut rooms: Vec<(f64, f64)> = coordinates.map(|number| self.room(number)).collect();
        rooms.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        rooms.dedup();
        Parts::new(
            rooms
                .iter()
                .map(|(begin, end)| Region::Between(*begin, *end)),
        )
    }

    /// The whole axis.
    pub(super) fn whole(&self) -> Region {
        match self.domain {
            Domain::Choice { choices } => Region::Among(vec![true; choices.len()]),
            _ => Region::Between(f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn axis(domain: &Domain) -> Axis<'_> {
        Axis {
            name: "x",
            domain,
            when: vec![],
        }
    }

    fn int(low: i64, high: i64, log: bool) -> Domain {
        Domain::Int {
            low,
            high,
            log,
            step: 1,
        }
    }

    #[test]
    fn coordinates_by_hand() {
        let log = Domain::Float {
            low: 1e-4,
            high: 1e-2,
            log: true,
            step: None,
        };
        let place = axis(&log).coordinate(Some(&json!(1e-3)));
        assert!((place - 0.5).abs() < 1e-12);
        let int = int(1, 4, false);
        assert_eq!(axis(&int).coordinate(Some(&json!(2))), 0.375);
        assert!(axis(&int).coordinate(None).is_nan());
        let choice = Domain::Choice {
            choices: vec![json!("lstm"), json!("gru")],
        };
        assert_eq!(axis(&choice).coordinate(Some(&json!("gru"))), 1.0);
    }

    #[test]
    fn places_are_those_of_the_domain() {
        let log = Domain::Float {
            low: 0.1,
            high: 3.0,
            log: true,
            step: None,
        };
        let stepped = Domain::Float {
            low: 0.0,
            high: 0.5,
            log: false,
            step: Some(0.1),
        };
        for domain in [log, int(1, 100, true), stepped] {
            for place in 0..=10 {
                let value = domain.at(f64::from(place) / 10.0);
                let again = domain.at(axis(&domain).coordinate(Some(&value)));
                let (value, again) = (value.as_f64().unwrap(), again.as_f64().unwrap());
                assert!((value - again).abs() < 1e-9, "{domain:?}: {value} {again}");
            }
        }
    }

    #[test]
    fn conditions_reach_through_those_between() {
        let parameter = |name: &str, domain, on: &[(&str, Vec<Value>)]| Parameter {
            name: name.into(),
            domain,
            when: on
                .iter()
                .map(|(on, among)| Condition {
                    on: (*on).into(),
                    among: among.clone(),
                })
                .collect(),
        };
        let space = Space::new(vec![
            parameter("layers", int(1, 4, false), &[]),
            parameter(
                "between",
                int(1, 2, false),
                &[("layers", vec![json!(4), json!(2), json!(3)])],
            ),
            parameter(
                "low",
                int(1, 2, false),
                &[
                    ("between", vec![json!(1)]),
                    ("layers", vec![json!(2), json!(1)]),
                ],
            ),
        ]);
        let space = space.unwrap();
        let axes = axes(&space);
        let mass = |axis: usize, at: usize| axes[axis].when[at].1.mass(&axes[0].whole());
        assert_eq!((axes[0].when.len(), axes[1].when.len()), (0, 1));
        assert_eq!(mass(1, 0), 0.75);
        assert_eq!(
            axes[2]
                .when
                .iter()
                .map(|(axis, _)| *axis)
                .collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!((mass(2, 0), mass(2, 1)), (0.25, 0.5));
    }
}
