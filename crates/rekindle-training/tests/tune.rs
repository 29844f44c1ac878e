//! What a trial comes to, whatever the worker before left: in the run folder, in the study, or in neither.

#[allow(dead_code)]
mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::{BreakOff, backend, recipe, turn};
use rekindle_training::{
    Budget, Done, Outcome, Recipe, Search, SearchRecipe, Start, epochs_of, train,
};
use rekindle_tune::{Claim, Next, State, StoreOptions, Study, Trial};

/// A search over two sizes, by all of them.
fn search(folder: &Path, keep: &str, more: &[&str]) -> SearchRecipe {
    let text = recipe(folder, &[&format!("training.keep={keep}")]).to_toml();
    let open = [
        "model.hidden={choice=[3, 6]}",
        "tune.sampler=grid",
        "tune.pruner=none",
    ];
    let overrides = [&open, more].concat();
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    SearchRecipe::from_toml(&text, Path::new("toy.toml"), &overrides).expect("a search")
}

fn study(search: &SearchRecipe, folder: &Path, file: &str) -> Study {
    let url = format!("sqlite:{}", folder.join(file).display());
    let study = search.study(&url, "toy", StoreOptions::default());
    study.expect("a study")
}

/// Works to the end, and returns the trials.
fn worked(search: &SearchRecipe, study: Study, folder: &Path) -> Vec<Trial> {
    let mut worker = worker(search, study, folder);
    assert_eq!(worker.work(&mut ()).expect("it works"), Done::Trials);
    let trials = worker.study.history().expect("trials").trials.clone();
    assert!(trials.iter().all(|trial| trial.state == State::Complete));
    assert_eq!(trials.len(), 2);
    trials
}

/// The first trial, as a worker takes it that is about to die.
fn claimed(search: &SearchRecipe, study: &mut Study) -> Claim {
    let sampler = search.tune().sampler.sampler(0, search.space());
    let sampler = sampler.expect("a sampler");
    let mut propose = |history: &_, number| sampler.propose(search.space(), history, number);
    match study.next("dies", Some(1), &mut propose).expect("a trial") {
        Next::Trial(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trial_comes_to_the_same_whatever_was_left_of_it() {
    let _turn = turn();
    for keep in ["best", "last"] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let search = search(folder, keep, &[]);
        let whole = worked(
            &search,
            study(&search, folder, "whole.db"),
            &folder.join("whole"),
        );

        // All was trained, and nothing of it reported.
        let again = study(&search, folder, "again.db");
        let again = worked(&search, again, &folder.join("whole"));
        assert_eq!(again, whole, "{keep}");

        // Four epochs were trained, and two reported.
        let mut gap = study(&search, folder, "gap.db");
        let claim = claimed(&search, &mut gap);
        let trial = search.at(&claim.trial.point).expect("a recipe");
        let run = folder.join("gap/trial-0000");
        let mut breaks = BreakOff(0);
        // The start, four epochs of three steps each, and the epochs themselves.
        breaks.0 = 1 + 4 * 4;
        let broken = || train(&trial, backend(), &run, Start::Resume, &mut breaks);
        assert!(catch_unwind(AssertUnwindSafe(broken)).is_err());
        for (epoch, value) in &whole[0].curve[..2] {
            let _ = gap.report(&claim, *epoch, *value).expect("reported");
        }
        let _ = gap.give_back(&claim).expect("given back");
        assert_eq!(worked(&search, gap, &folder.join("gap")), whole, "{keep}");

        // All was reported, wrongly, and nothing is there.
        let mut lost = study(&search, folder, "lost.db");
        let claim = claimed(&search, &mut lost);
        for epoch in 1..=9 {
            let _ = lost.report(&claim, epoch, 0.0).expect("reported");
        }
        let _ = lost.give_back(&claim).expect("given back");
        assert_eq!(worked(&search, lost, &folder.join("lost")), whole, "{keep}");
    }
}

/// Runs a recipe with another seed, and breaks off after so many epochs of three steps each; none: trains it to its end.
fn run(recipe: &Recipe, seed: u64, folder: &Path, epochs: Option<usize>) -> Option<Outcome> {
    let recipe = Recipe {
        seed,
        ..recipe.clone()
    };
    let mut breaks = BreakOff(epochs.map_or(usize::MAX, |epochs| 1 + 4 * epochs));
    let run = || train(&recipe, backend(), folder, Start::Resume, &mut breaks);
    let outcome = catch_unwind(AssertUnwindSafe(run)).ok()?;
    Some(outcome.expect("it ends"))
}

#[test]
fn a_trial_of_several_runs_is_their_mean() {
    let _turn = turn();
    for keep in ["best", "last"] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        // Runs end after other numbers of epochs.
        let search = search(
            folder,
            keep,
            &["tune.repeats=3", "training.patience=1", "training.lr=0.3"],
        );
        let whole = worked(
            &search,
            study(&search, folder, "whole.db"),
            &folder.join("whole"),
        );
        let mut lengths = Vec::new();
        for trial in &whole {
            let recipe = search.at(&trial.point).expect("a recipe");
            let watch = recipe.training.watch;
            let alone = (0..3).map(|seed| {
                let folder = folder.join(format!("alone-{}-{seed}", trial.number));
                let outcome = run(&recipe, seed, &folder, None).expect("it ends");
                let rows = epochs_of(&folder).expect("epochs");
                let values: Vec<f64> = rows.iter().filter_map(|row| watch.value(row)).collect();
                lengths.push(values.len());
                (values, outcome.kept_epoch - 1)
            });
            let alone: Vec<_> = alone.collect();
            let longest = alone.iter().map(|(values, _)| values.len()).max();
            let mean = |epoch: usize| {
                let at = alone
                    .iter()
                    .map(|(values, kept)| *values.get(epoch).unwrap_or(&values[*kept]));
                at.sum::<f64>() / 3.0
            };
            let expected = (0..longest.expect("runs")).map(|epoch| (epoch as u64 + 1, mean(epoch)));
            assert_eq!(trial.curve, expected.collect::<Vec<_>>(), "{keep}");
            let kept: f64 = alone.iter().map(|(values, kept)| values[*kept]).sum();
            assert_eq!(trial.value, Some(kept / 3.0), "{keep}");
        }
        lengths.sort_unstable();
        assert!(lengths.first() < lengths.last(), "{lengths:?}");

        // One run had come far or to its end, one had just begun, one not at all; and the study had not heard of it.
        for (name, epochs) in [("far", [Some(3), Some(1)]), ("end", [None, Some(2)])] {
            let mut gap = study(&search, folder, &format!("{name}.db"));
            let claim = claimed(&search, &mut gap);
            let recipe = search.at(&claim.trial.point).expect("a recipe");
            for (seed, epochs) in (0..).zip(epochs) {
                let folder = folder.join(format!("{name}/trial-0000/seed-{seed}"));
                run(&recipe, seed, &folder, epochs);
            }
            let _ = gap.give_back(&claim).expect("given back");
            let found = worked(&search, gap, &folder.join(name));
            assert_eq!(found, whole, "{keep}, {name}");
        }
    }
}

/// A worker of a search.
fn worker<'a>(search: &'a SearchRecipe, study: Study, folder: &'a Path) -> Search<'a> {
    Search {
        recipe: search,
        study,
        folder,
        devices: backend().into(),
        budget: Budget::from(search.tune()),
    }
}

#[test]
fn trials_of_several_runs_are_pruned_and_fail_as_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // One that learns, one that does not, and one that is not finite after a step.
    let rates = "training.lr={choice=[0.02, 1e-7, 1e30]}";
    let all = ["tune.repeats=2", "model.hidden=4", rates];
    let whole = search(folder, "best", &all);
    let runs = folder.join("whole");
    let mut whole = worker(&whole, study(&whole, folder, "whole.db"), &runs);
    whole.work(&mut ()).expect("it works");
    let asha = ["tune.pruner={kind='asha',min_steps=2,reduction=2}"];
    let pruned = search(folder, "best", &[&all[..], &asha].concat());
    let runs = folder.join("pruned");
    let mut pruned = worker(&pruned, study(&pruned, folder, "pruned.db"), &runs);
    pruned.work(&mut ()).expect("it works");

    let states = |worker: &mut Search| -> Vec<State> {
        let history = worker.study.history().expect("trials");
        history.trials.iter().map(|trial| trial.state).collect()
    };
    use State::{Complete, Failed, Pruned};
    assert_eq!(states(&mut whole), [Complete, Complete, Failed]);
    assert_eq!(states(&mut pruned), [Complete, Pruned, Failed]);
    let curve = |worker: &mut Search| {
        worker.study.history().expect("trials").trials[1]
            .curve
            .clone()
    };
    let (whole, found) = (curve(&mut whole), curve(&mut pruned));
    assert_eq!(found, whole[..2], "both runs went to the second epoch");
    for seed in 0..2 {
        let run = runs.join(format!("trial-0001/seed-{seed}"));
        assert_eq!(epochs_of(&run).expect("epochs").len(), 2);
    }
    let epochs = pruned
        .recipe
        .tune()
        .epochs_of(pruned.study.history().expect("trials"));
    assert_eq!(epochs, 2 * (6 + 2));
}

#[test]
fn what_several_runs_agree_on_is_trained_on_everything() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // Pruning ends with the fourth epoch; what is best before does not count. The seed after the last one is 0.
    let search = search(
        folder,
        "best",
        &[
            "tune.repeats=2",
            "seed=9223372036854775807",
            "training.lr=0.1",
            "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=4,every=1}",
        ],
    );
    let runs = folder.join("runs");
    let mut worker = worker(&search, study(&search, folder, "study.db"), &runs);
    worker.work(&mut ()).expect("it works");
    for seed in ["seed-9223372036854775807", "seed-0"] {
        assert!(runs.join("trial-0001").join(seed).is_dir(), "{seed}");
    }
    let history = worker.study.history().expect("trials");
    let (best, _) = history.best().expect("a best one");
    let counts = best.curve.iter().filter(|(epoch, _)| *epoch >= 4);
    let kept = counts.min_by(|(_, a), (_, b)| history.direction.compare(*a, *b));
    let kept = kept.expect("epochs").0;
    let refit = worker
        .refit(&mut ())
        .expect("it is trained")
        .expect("a run");
    assert_eq!(refit.outcome.epochs as u64, kept);
    assert_eq!(refit.outcome.valid, None);
}

#[test]
fn a_folder_belongs_to_one_study() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let search = search(folder, "best", &[]);
    worked(
        &search,
        study(&search, folder, "a.db"),
        &folder.join("runs"),
    );
    let url = format!("sqlite:{}", folder.join("b.db").display());
    let other = search.study(&url, "other", StoreOptions::default());
    let runs = folder.join("runs");
    let mut worker = worker(&search, other.expect("a study"), &runs);
    let error = worker.work(&mut ()).expect_err("another study").to_string();
    assert!(error.contains("belongs to study toy"), "{error}");
}
