//! Every backend that is compiled in trains the shipped recipes, and computes what the others compute.

use std::path::Path;

use rekindle::training::{Backend, Metric, Recipe, Start, Trained, train};

/// How far probabilities may lie apart between backends in `f32`.
const TOLERANCE: f64 = 1e-4;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Trains for one epoch on each backend; the weights then give the same probabilities on all backends.
fn assert_backends_agree(recipe: &str) {
    let path = workspace().join("recipes").join(recipe);
    let recipe = Recipe::load(&path, &["training.epochs=1".into()]).expect("a shipped recipe");
    let test = recipe.data.test.clone().expect("with test data");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backends = Backend::compiled();
    assert!(!backends.is_empty(), "no backend is compiled in");

    for trained_on in &backends {
        let run = folder.path().join(trained_on.name());
        let outcome = train(&recipe, *trained_on, &run, Start::New, &mut ());
        let outcome = outcome.unwrap_or_else(|error| panic!("{trained_on}: {error}"));
        let scores = outcome.test.expect("test scores");
        let accuracy = scores.get(Metric::Accuracy).expect("an accuracy");
        assert!(
            accuracy > 0.3,
            "{trained_on}: accuracy {accuracy} of 9 speakers"
        );

        let predictions = backends.iter().map(|backend| {
            let trained = Trained::load(&run, *backend).expect("the run loads");
            let set = trained.read(&test).expect("the test data");
            (*backend, trained.predict(&set))
        });
        let predictions: Vec<_> = predictions.collect();
        let (_, expected) = &predictions[0];
        for (backend, found) in &predictions {
            for (found, expected) in found.rows.iter().zip(&expected.rows) {
                for (found, expected) in found.probabilities.iter().zip(&expected.probabilities) {
                    assert!(
                        (found - expected).abs() <= TOLERANCE,
                        "{backend} gives {found}, {} gives {expected}",
                        backends[0]
                    );
                }
            }
        }
    }
}

#[test]
fn lstm() {
    assert_backends_agree("japanese-vowels-lstm.toml");
}

#[test]
fn gru() {
    assert_backends_agree("japanese-vowels-gru.toml");
}
