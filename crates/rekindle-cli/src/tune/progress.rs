//! Showing how a search gets on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rekindle::training::{Budget, EpochRow, Event, Metric, TuneEvent, TuneObserver};
use rekindle::tune::{Ending, Point};
use serde_json::Value;

use crate::interrupt;
use crate::progress::{Stream, has_bar, line_above};

/// A line for each trial that ends, and on a terminal a bar with what is left of the budget.
pub struct TuneProgress {
    /// Nowhere if `None`.
    stream: Option<Stream>,
    bar: Option<ProgressBar>,
    budget: Budget,
    started: Instant,
    /// Whether it was said that others are waited for.
    waits: bool,
    point: String,
}

impl TuneProgress {
    /// `quiet` shows nothing.
    pub fn new(quiet: bool, stream: Stream, budget: Budget) -> Self {
        let stream = (!quiet).then_some(stream);
        let bar = has_bar(stream).then(|| {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(budget.trials, target);
            let template = match budget.trials {
                Some(_) => "{bar:24} {pos}/{len} trials, {elapsed} so far, about {eta} left  {msg}",
                None => "{pos} trials, {elapsed} so far  {msg}",
            };
            bar.with_style(ProgressStyle::with_template(template).expect("the template is right"))
        });
        Self {
            stream,
            bar,
            budget,
            started: Instant::now(),
            waits: false,
            point: String::new(),
        }
    }

    fn line(&self, text: &str) {
        line_above(self.bar.as_ref(), self.stream, text);
    }

    /// The epoch that a run of a trial has come to.
    fn epoch(&self, number: u64, [run, runs]: [usize; 2], row: &EpochRow) {
        if let Some(bar) = &self.bar {
            let loss = row.train.get(Metric::Loss).unwrap_or(f64::NAN);
            let run = match runs {
                1 => String::new(),
                runs => format!(", run {} of {runs}", run + 1),
            };
            bar.set_message(format!(
                "trial {number}{run}, epoch {}: loss {loss:.4}",
                row.epoch
            ));
        }
    }

    /// The line of a trial that has ended.
    fn ended(&self, number: u64, ending: &Ending, best: Option<(u64, f64)>) -> String {
        let best = match best {
            Some((best, _)) if best == number => "  best so far".to_string(),
            Some((best, value)) => format!("  (best {value:.5}, trial {best})"),
            None => String::new(),
        };
        let how = match ending {
            Ending::Complete(value) => format!("{value:.5}"),
            Ending::Pruned => "pruned".to_string(),
            Ending::Failed(reason) => format!("failed: {reason}"),
        };
        format!(
            "trial {number:>4}  {how:>8}{best}  {}{}",
            self.point,
            self.left()
        )
    }

    /// What is left of the budget beside trials.
    fn left(&self) -> String {
        let Some(time) = self.budget.time else {
            return String::new();
        };
        let left = time.saturating_sub(self.started.elapsed());
        format!("  [{} left]", in_words(left))
    }
}

impl TuneObserver for TuneProgress {
    fn observe(&mut self, event: &TuneEvent) {
        match event {
            TuneEvent::Begin {
                number,
                point,
                attempt,
            } => {
                self.waits = false;
                self.point = in_short(point);
                if *attempt > 1 {
                    self.line(&format!(
                        "trial {number:>4}  goes on where another worker left it"
                    ));
                }
            }
            TuneEvent::Run {
                number,
                run,
                runs,
                event: Event::Epoch { row, .. },
            } => self.epoch(*number, [*run, *runs], row),
            TuneEvent::End {
                number,
                ending,
                best,
                ended,
            } => {
                self.line(&self.ended(*number, ending, *best));
                if let Some(bar) = &self.bar {
                    bar.set_position(*ended);
                }
            }
            TuneEvent::Lost { number } => self.line(&format!(
                "trial {number:>4}  goes on elsewhere: this worker gave no sign of life for too long"
            )),
            TuneEvent::Waiting if !self.waits => {
                self.waits = true;
                self.line("waiting for trials that others run, in case they have to be taken over");
            }
            _ => (),
        }
    }

    fn stops(&mut self) -> bool {
        interrupt::is_asked()
    }
}

impl Drop for TuneProgress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// The values of a trial, numbers to four digits.
fn in_short(point: &Point) -> String {
    let short = |(name, value): (&str, &Value)| match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) => {
            let rounded = format!("{number:.3e}").parse().unwrap_or(number);
            format!("{name} = {rounded}")
        }
        None => format!("{name} = {value}"),
    };
    point.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// A time as people read it.
fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_a_trial_are_short() {
        let mut point = Point::default();
        point.set("a", json!(0.012_345_678));
        point.set("b", json!(64));
        point.set("c", json!("gru"));
        assert_eq!(in_short(&point), "a = 0.01235, b = 64, c = \"gru\"");
        assert_eq!(in_words(Duration::from_secs(119)), "119 s");
        assert_eq!(in_words(Duration::from_secs(601)), "10 min");
    }
}
