//! The page of a search over settings: the best trial, what was tried when, and what the settings did to the value.
//!
//! | module | what it does |
//! |---|---|
//! | `view` | order, axes and colours that all drawings share |
//! | `best` | the best trial, and how much each parameter matters |
//! | `history` | values in the order of the trials |
//! | `parallel` | an axis for each parameter, a line for each trial |
//! | `slices` | the value over each parameter |
//! | `curves` | what was measured on the way |
//! | `trials` | the numbers |

mod best;
mod curves;
mod history;
mod parallel;
mod slices;
mod trials;
mod view;

use std::cmp::Ordering;

use super::page::{self, Extras, Part, framed, sections, wrapped};
use super::{Fact, Scale};
use view::View;

/// What only this page has: its rules, and the script that picks a trial in all drawings. It is complete without the script.
const EXTRAS: Extras = Extras {
    style: include_str!("study.css"),
    script: include_str!("study.js"),
};

/// What is known about a search over settings.
///
/// Parts without content are left out of the page. Every text is escaped.
///
/// # Examples
///
/// ```
/// use rekindle_training::report::{
///     Scale, StudyDomain, StudyPage, StudyParameter, StudySetting, StudyState, StudyTrial,
/// };
///
/// let trial = |number, lr: f64, value| StudyTrial {
///     number,
///     state: StudyState::Complete,
///     value: Some(value),
///     settings: vec![Some(StudySetting::new(lr, lr))],
///     ..StudyTrial::default()
/// };
/// let page = StudyPage {
///     title: "Digits".into(),
///     value: "valid loss (nats)".into(),
///     parameters: vec![StudyParameter {
///         name: "training.lr".into(),
///         domain: StudyDomain::Number {
///             low: 1e-4,
///             high: 1e-1,
///             scale: Scale::Log10,
///         },
///     }],
///     trials: vec![trial(0, 0.01, 0.25), trial(1, 0.003, 0.5)],
///     ..StudyPage::default()
/// };
/// assert!(page.to_html().starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyPage {
    /// The heading and the name of the browser tab.
    pub title: String,
    /// One sentence below the heading. Default: empty, which leaves the line out.
    pub subtitle: String,
    /// What ran, in the order of display: trials by state, sampler, pruner, seconds, epochs.
    pub facts: Vec<Fact>,
    /// What is searched for, with its unit, such as `valid loss (nats)`. Default: empty, which reads `value`.
    pub value: String,
    /// Which values are better. Default: small ones.
    pub aim: StudyAim,
    /// How the axes of the value are divided. Default: linear.
    pub scale: Scale,
    /// What the curves are over, such as `epoch`. Default: empty, which reads `step`.
    pub step: String,
    /// What is searched over.
    pub parameters: Vec<StudyParameter>,
    /// What was tried, in any order; numbers differ.
    pub trials: Vec<StudyTrial>,
    /// The names of parameters and their shares of 1, as far as known. They order the parameters. Default: none.
    pub importance: Vec<(String, f64)>,
    /// A sentence on how the shares were found. Default: empty, which leaves the line out.
    pub importance_note: String,
    /// The best recipe, as TOML text. Default: empty, which leaves the part out.
    pub recipe: String,
}

/// Which values are better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StudyAim {
    /// Small ones, as of a loss. The default.
    #[default]
    Least,
    /// Great ones, as of an accuracy.
    Greatest,
}

impl StudyAim {
    /// Orders two numbers, the better one first.
    fn compare(self, a: f64, b: f64) -> Ordering {
        match self {
            Self::Least => a.total_cmp(&b),
            Self::Greatest => b.total_cmp(&a),
        }
    }
}

/// What is searched over.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyParameter {
    /// The name, such as `training.lr`.
    pub name: String,
    /// What it may be.
    pub domain: StudyDomain,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum StudyDomain {
    /// One of a list. The place of a setting is its index.
    Choice {
        /// What can be chosen.
        labels: Vec<String>,
    },
    /// A number. The place of a setting is the number itself.
    Number {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// How its axis is divided.
        scale: Scale,
    },
}

/// One set of settings, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyTrial {
    /// Counted in the order in which the trials began.
    pub number: u64,
    /// How far it has come. Default: running.
    pub state: StudyState,
    /// What came of it. Only complete and pruned trials are drawn; a pruned one without a value stands at the last value of
    /// its curve. Values that are not finite count as none.
    pub value: Option<f64>,
    /// For each parameter what it was; none where it did not count.
    pub settings: Vec<Option<StudySetting>>,
    /// What was measured on the way: pairs of step and value, in rising order of the step.
    pub curve: Vec<(f64, f64)>,
    /// How long it took, if known.
    pub seconds: Option<f64>,
    /// A sentence, such as why it failed. Default: empty.
    pub note: String,
}

/// How far a trial has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StudyState {
    /// It went to its end.
    Complete,
    /// It was stopped early.
    Pruned,
    /// It has not ended. The default.
    #[default]
    Running,
    /// It ended in an error.
    Failed,
}

impl StudyState {
    /// The word in tables, which is also a class.
    fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pruned => "pruned",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }
}

/// What a parameter was in a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySetting {
    /// Where it lies: the number itself, or the index of the choice. Places that the domain does not have are not drawn.
    pub place: f64,
    /// The setting as people read it.
    pub text: String,
}

impl StudySetting {
    /// A setting from anything that prints.
    pub fn new(place: f64, text: impl ToString) -> Self {
        let text = text.to_string();
        Self { place, text }
    }
}

impl StudyPage {
    /// The whole page as HTML: styles, drawings and scripts are inside, nothing is loaded.
    ///
    /// # Panics
    /// If a trial has not as many settings as there are parameters, or two trials have the same number.
    pub fn to_html(&self) -> String {
        self.check();
        let view = View::new(self);
        let parts: [Part; 9] = [
            ("best", "Best trial", best::render(&view)),
            ("study", "Study", page::facts(&self.facts)),
            ("history", "History", history::render(&view)),
            ("parallel", "Settings and values", parallel::render(&view)),
            ("importance", "Importance", best::importance(self)),
            ("slices", "Slices", slices::render(&view)),
            ("curves", "Learning curves", curves::render(&view)),
            ("trials", "Trials", trials::render(&view)),
            ("recipe", "Best recipe", page::recipe(&self.recipe)),
        ];
        let (overview, rest) = parts.split_at(2);
        let body = wrapped("overview", sections(overview)) + &sections(rest);
        framed(&self.title, &self.subtitle, &parts, &body, &EXTRAS)
    }

    fn check(&self) {
        let mut numbers: Vec<u64> = self.trials.iter().map(|trial| trial.number).collect();
        numbers.sort_unstable();
        let twice = numbers.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "numbers of two trials");
        for trial in &self.trials {
            let (found, expected) = (trial.settings.len(), self.parameters.len());
            assert_eq!(found, expected, "settings of trial {}", trial.number);
        }
    }

    /// The name of the value.
    fn value_name(&self) -> &str {
        match self.value.as_str() {
            "" => "value",
            name => name,
        }
    }

    /// What the curves are over.
    fn step_name(&self) -> &str {
        match self.step.as_str() {
            "" => "step",
            name => name,
        }
    }
}

#[cfg(test)]
mod tests;
