//! Runs on toy data: recipes, interruptions, and what must come out the same.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rekindle_training::{Backend, Event, Observer, Outcome, Recipe, RunFolder, Start, train};

/// Seeds are global to a backend, so that runs in one process take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn backend() -> Backend {
    Backend::compiled()[0]
}

/// Two classes of short sequences: rising and falling ramps with a wobble.
fn toy_data(folder: &Path) -> PathBuf {
    let mut text = String::from("series,time,label,level\n");
    for series in 0..24 {
        let (name, sign) = if series % 2 == 0 {
            ("up", 1.0)
        } else {
            ("down", -1.0)
        };
        for time in 0..4 + series % 5 {
            let wobble = f64::from((series * 7 + time * 13) % 10) / 20.0;
            text += &format!(
                "s{series},{time},{name},{}\n",
                sign * f64::from(time) / 4.0 + wobble
            );
        }
    }
    let path = folder.join("toy.csv");
    fs::write(&path, text).expect("the toy data are written");
    path
}

pub fn recipe(folder: &Path, overrides: &[&str]) -> Recipe {
    let data = toy_data(folder);
    let mut all = vec![
        format!("data.test='{}'", data.display()),
        "data.valid_fraction=0.25".to_string(),
        "model.hidden=6".to_string(),
        "model.input_dropout=0.1".to_string(),
        "model.head_dropout=0.2".to_string(),
        "training.epochs=6".to_string(),
        "training.batch_size=8".to_string(),
        "training.lr=0.02".to_string(),
    ];
    all.extend(overrides.iter().map(ToString::to_string));
    Recipe::for_data(&data, &all).expect("a valid recipe")
}

/// Everything of a run that must come out the same: all figures but the seconds, and the weights.
pub fn result(outcome: &Outcome, folder: &Path) -> (String, String, String, u64) {
    let folder = RunFolder::new(folder);
    let metrics = fs::read_to_string(folder.metrics()).expect("metrics.csv");
    let figures = metrics
        .lines()
        .map(|line| line.rsplit_once(',').expect("columns").0);
    let outcome = Outcome {
        seconds: 0.0,
        ..outcome.clone()
    };
    (
        format!("{outcome:?}"),
        figures.collect::<Vec<_>>().join("\n"),
        fs::read_to_string(folder.steps()).expect("steps.csv"),
        hash(&fs::read(folder.model()).expect("model.bpk")),
    )
}

/// Short enough to print where two differ.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Breaks off at the n-th event, as a kill would.
pub struct BreakOff(pub usize);

impl Observer for BreakOff {
    fn observe(&mut self, _event: &Event) {
        assert!(self.0 > 0, "broken off");
        self.0 -= 1;
    }
}

/// Runs to the end, breaking off and resuming after every `events` events.
pub fn run_in_pieces(recipe: &Recipe, folder: &Path, events: usize) -> Outcome {
    for _ in 0..1000 {
        let piece = || {
            train(
                recipe,
                backend(),
                folder,
                Start::Resume,
                &mut BreakOff(events),
            )
        };
        if let Ok(outcome) = catch_unwind(AssertUnwindSafe(piece)) {
            return outcome.expect("a resumed run goes on");
        }
    }
    panic!("the run never ends");
}
