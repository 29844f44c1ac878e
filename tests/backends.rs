//! Every backend that is compiled in trains the shipped recipes, and computes what the others compute.

use std::path::Path;

use rekindle::training::{
    Backend, DeviceName, Devices, Metric, Predictions, Recipe, Start, Trained, train,
};

/// How far probabilities may lie apart between backends in `f32`.
const TOLERANCE: f64 = 1e-4;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// All probabilities, or all numbers.
fn numbers(predictions: &Predictions) -> Vec<f64> {
    match predictions {
        Predictions::Classes(classes) => {
            let rows = classes.rows.iter();
            rows.flat_map(|row| row.probabilities.clone()).collect()
        }
        Predictions::Values(values) => {
            let rows = values.rows.iter();
            rows.flat_map(|row| row.values.clone()).collect()
        }
    }
}

/// Trains on each backend, to a score above the least; the weights then give the same on all backends.
fn assert_backends_agree(recipe: &str, epochs: usize, (metric, least): (Metric, f64)) {
    let path = workspace().join("recipes").join(recipe);
    let recipe =
        Recipe::load(&path, &[format!("training.epochs={epochs}")]).expect("a shipped recipe");
    let test = recipe.data.test.clone().expect("with test data");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backends = Backend::compiled();
    assert!(!backends.is_empty(), "no backend is compiled in");

    for trained_on in &backends {
        let run = folder.path().join(trained_on.name());
        let outcome = train(&recipe, *trained_on, &run, Start::New, &mut ());
        let outcome = outcome.unwrap_or_else(|error| panic!("{trained_on}: {error}"));
        let scores = outcome.test.expect("test scores");
        let score = scores.get(metric).expect("the metric is measured");
        assert!(score > least, "{trained_on}: {metric} {score}");

        let predictions = backends.iter().map(|backend| {
            let trained = Trained::load(&run, *backend).expect("the run loads");
            let set = trained.read(&test).expect("the test data");
            (*backend, numbers(&trained.predict(&set)))
        });
        let predictions: Vec<_> = predictions.collect();
        let (_, expected) = &predictions[0];
        for (backend, found) in &predictions {
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                    "{backend} gives {found}, {} gives {expected}",
                    backends[0]
                );
            }
        }
    }
}

#[test]
fn lstm() {
    // Of nine speakers.
    assert_backends_agree("japanese-vowels-lstm.toml", 1, (Metric::Accuracy, 0.3));
}

#[test]
fn gru() {
    assert_backends_agree("japanese-vowels-gru.toml", 1, (Metric::Accuracy, 0.3));
}

#[test]
fn all_backends_share_a_run() {
    let path = workspace().join("recipes/japanese-vowels-lstm.toml");
    let recipe = Recipe::load(&path, &["training.epochs=1".to_string()]).expect("a shipped recipe");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = Backend::compiled().into_iter().map(DeviceName::from);
    let devices = Devices::new(names).expect("a backend is compiled in");
    let run = folder.path().join("run");
    let outcome = train(&recipe, devices, &run, Start::New, &mut ());
    let scores = outcome.expect("it is trained").test.expect("test scores");
    let accuracy = scores.get(Metric::Accuracy).expect("it is measured");
    assert!(accuracy > 0.3, "{accuracy}");
}

#[test]
fn forecast() {
    assert_backends_agree("seattle-forecast.toml", 10, (Metric::R2, 0.3));
}
