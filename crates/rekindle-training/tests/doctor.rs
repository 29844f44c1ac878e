//! The doctor names faults that were planted, and is silent about networks that learn.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rekindle_training::doctor::{Examination, Subject, examine};
use rekindle_training::{Backend, Recipe};

/// Seeds are global to a backend, so that examinations in one process take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Numbers in [0, 1) from a seed: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// A toy data set.
#[derive(Clone, Copy)]
struct Toy {
    /// Valid steps, at least; up to a third more.
    length: usize,
    /// What the class is told by: the first step alone, or the level of all steps.
    first_step_tells: bool,
    /// The standard deviation of what is added to the levels of 1 and -1.
    noise: f64,
    /// All values times this.
    scale: f64,
    /// Whether labels are drawn anew, whatever the values.
    random_labels: bool,
    /// Steps of zeros that are counted as steps.
    padding: usize,
}

const TOY: Toy = Toy {
    length: 12,
    first_step_tells: false,
    noise: 0.7,
    scale: 1.0,
    random_labels: false,
    padding: 0,
};

impl Toy {
    /// A file of 160 sequences in two classes and two channels.
    fn write(self, folder: &Path) -> PathBuf {
        let mut random = Random(7);
        let mut text = String::from("series,time,label,x,y\n");
        for series in 0..160 {
            let class = series % 2;
            let level = if class == 0 { -1.0 } else { 1.0 };
            let label = match self.random_labels {
                true => usize::from(random.next() < 0.5),
                false => class,
            };
            let length = self.length + (random.next() * self.length as f64 / 3.0) as usize;
            for step in 0..length + self.padding {
                let tells = !self.first_step_tells || step == 0;
                let signal = if tells { level } else { 0.0 };
                let mut value = || self.scale * (signal + self.noise * random.normal());
                let (x, y) = match step < length {
                    true => (value(), value()),
                    false => (0.0, 0.0),
                };
                let _ = writeln!(text, "s{series},{step},c{label},{x:.4},{y:.4}");
            }
        }
        let path = folder.join("toy.csv");
        fs::write(&path, text).expect("data");
        path
    }
}

/// Examines a recipe after some steps.
fn examined(recipe: Recipe, steps: usize) -> Examination {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let subject = Subject::Recipe(Box::new(recipe));
    examine(&subject, None, steps, Backend::compiled()[0]).expect("an examination")
}

fn on_toy(toy: Toy, overrides: &[&str]) -> Examination {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = toy.write(folder.path());
    let mut all = vec!["model.hidden=16".to_string()];
    all.extend(overrides.iter().map(ToString::to_string));
    examined(Recipe::for_data(&data, &all).expect("a recipe"), 60)
}

/// Ten faults: the finding that names each, the data, and the recipe.
fn planted() -> Vec<(&'static str, Toy, Vec<&'static str>)> {
    let long = Toy { length: 60, ..TOY };
    let far = Toy {
        length: 90,
        first_step_tells: true,
        noise: 0.3,
        ..TOY
    };
    // Where classes are far apart, even great steps may come to a good end.
    let close = Toy { noise: 5.0, ..TOY };
    vec![
        ("learning_rate_too_large", close, vec!["training.lr=3"]),
        (
            "no_clipping",
            long,
            vec![
                "model.cell=rnn",
                "model.activation=relu",
                "model.init.recurrent={kind='orthogonal',gain=2.0}",
                "training.clip={kind='none'}",
            ],
        ),
        (
            "saturated_gates",
            TOY,
            vec![
                "model.init.bias={kind='constant',value=-4.0}",
                "model.init.gate_bias={kind='none'}",
            ],
        ),
        (
            "vanishing_gradients",
            far,
            vec!["model.init.gate_bias={kind='none'}"],
        ),
        (
            "dead_units",
            TOY,
            vec![
                "model.cell=rnn",
                "model.activation=relu",
                "model.init.bias={kind='constant',value=-5.0}",
            ],
        ),
        (
            "unscaled_inputs",
            Toy {
                scale: 1000.0,
                ..TOY
            },
            vec!["data.scaling=none"],
        ),
        (
            "label_noise",
            Toy {
                random_labels: true,
                ..TOY
            },
            vec![],
        ),
        (
            "padding_as_steps",
            Toy { padding: 60, ..TOY },
            vec!["model.cell=gru"],
        ),
        (
            "duplicated_units",
            TOY,
            vec![
                "model.init.recurrent={kind='constant',value=0.05}",
                "model.init.input={kind='constant',value=0.2}",
            ],
        ),
        (
            "frozen_parameters",
            TOY,
            vec![
                "model.layers=2",
                "training.groups=[{targets=['layers.0.forward.weights.*'],lr_factor=0.0}]",
            ],
        ),
    ]
}

const SEEDS: [&str; 3] = ["seed=0", "seed=1", "seed=2"];

#[test]
fn planted_faults_are_named_first() {
    for seed in SEEDS {
        for (fault, toy, mut overrides) in planted() {
            overrides.push(seed);
            let examination = on_toy(toy, &overrides);
            let names = examination.findings.iter().map(|one| one.name.as_str());
            let names: Vec<&str> = names.collect();
            let found = &examination.measurements;
            assert_eq!(names.first(), Some(&fault), "{seed}: {names:?}, {found:#?}");
        }
    }
}

#[test]
fn networks_that_learn_are_left_alone() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let long = Toy { length: 30, ..TOY };
    for seed in SEEDS {
        let shipped = |name: &str| {
            let recipe = Recipe::load(&recipes.join(name), &[seed.to_string()]);
            examined(recipe.expect("a recipe"), 60)
        };
        let healthy = [
            ("vowels gru", shipped("japanese-vowels-gru.toml")),
            ("vowels lstm", shipped("japanese-vowels-lstm.toml")),
            ("digits lstm", shipped("digits-lstm.toml")),
            ("toy rnn", on_toy(TOY, &["model.cell=rnn", seed])),
            (
                "toy relu",
                on_toy(TOY, &["model.cell=rnn", "model.activation=relu", seed]),
            ),
            (
                "toy lstm, two layers in both directions",
                on_toy(
                    long,
                    &["model.layers=2", "model.direction=bidirectional", seed],
                ),
            ),
        ];
        for (name, examination) in healthy {
            let found = &examination.measurements;
            assert_eq!(examination.findings, [], "{name}, {seed}: {found:#?}");
        }
    }
}
