//! Grouping and naming of runs.

use std::path::Path;

use super::*;
use crate::{Backend, EpochRow, Metric, Scores};

/// A finished run of `epochs` epochs whose recipe has these changes.
fn run(folder: &str, seed: u64, sets: &[&str], losses: &[f64]) -> Recorded {
    let mut sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    sets.push(format!("seed={seed}"));
    let recipe = Recipe::for_data(Path::new("toy.csv"), &sets).expect("a recipe");
    let row = |(index, loss): (usize, &f64)| EpochRow {
        epoch: index + 1,
        train: Scores::of(&[(Metric::Loss, *loss)]),
        valid: Scores::default(),
        lr: 0.01,
        grad_norm: 2.0,
        grad_norm_max: 3.0,
        skipped: 0,
        seconds: 1.0,
    };
    let outcome = Outcome {
        name: recipe.name.clone(),
        cell: recipe.model.cell,
        test: Some(Scores::of(&[
            (Metric::Loss, 0.5),
            (Metric::Rmse, 1.0 + seed as f64),
        ])),
        valid: None,
        epochs: losses.len(),
        kept_epoch: 1,
        seconds: 4.0,
        skipped_steps: 0,
        parameters: 100,
        seed,
        devices: Backend::Flex.into(),
    };
    Recorded {
        folder: folder.into(),
        recipe,
        outcome: Some(outcome),
        epochs: losses.iter().enumerate().map(row).collect(),
    }
}

/// The same before its end.
fn open(run: Recorded) -> Recorded {
    Recorded {
        outcome: None,
        ..run
    }
}

#[test]
fn seeds_of_one_recipe_are_one_group_with_mean_and_spread() {
    let wide = ["model.hidden=7"];
    let page = page(vec![
        run("r/a-seed1", 1, &[], &[2.0, 1.0]),
        run("r/wide", 1, &wide, &[4.0]),
        run("r/a-seed3", 3, &[], &[4.0, 3.0]),
    ]);
    assert_eq!(page.subtitle, "3 runs of 2 recipes");
    let subjects = &page.comparison.subjects;
    let names: Vec<&str> = subjects.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a", "wide"]);
    assert_eq!(page.comparison.score, "test RMSE");
    assert_eq!(subjects[0].scores, [2.0, 4.0]);
    let column = |name: &str| page.columns.iter().position(|column| column == name);
    let cell = |row: usize, name: &str| &page.rows[row][column(name).expect(name)];
    // Of 2 and 4: the mean is 3, the deviation √2.
    assert_eq!(cell(0, "test RMSE"), "3.0000 ± 1.4142");
    assert_eq!(
        (cell(0, "seeds"), cell(1, "seeds")),
        (&"2".into(), &"1".into())
    );
    let keys: Vec<&str> = page.differences.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(keys, ["model.hidden"]);
    let titles = page
        .comparison
        .panels
        .iter()
        .map(|panel| panel.title.as_str());
    let expected = ["Training loss", "Gradient norm", "Learning rate"];
    assert_eq!(titles.collect::<Vec<_>>(), expected);
    assert!(page.to_html().contains("Thin lines are single runs"));
}

#[test]
fn groups_of_one_name_are_told_apart_and_unfinished_ones_say_so() {
    let names = |runs: Vec<Recorded>| super::names(&grouped(runs));
    let other = ["model.hidden=7"];
    let named = names(vec![
        run("one/a", 1, &[], &[1.0]),
        open(run("two/a", 1, &other, &[1.0])),
    ]);
    assert_eq!(named, ["one/a", "two/a (not finished)"]);
    let named = names(vec![
        open(run("a-seed1-2", 1, &[], &[1.0])),
        run("b", 2, &[], &[1.0]),
    ]);
    assert_eq!(named, ["a (1 of 2 not finished)"]);
}

#[test]
fn runs_that_measured_other_things_keep_a_place_without_a_curve() {
    let mut other = run("b", 1, &["model.hidden=7"], &[2.0]);
    other.epochs[0].valid = Scores::of(&[(Metric::Perplexity, 9.0), (Metric::Loss, 2.0)]);
    let page = page(vec![run("a", 1, &[], &[1.0]), open(other)]);
    let panels = &page.comparison.panels;
    let perplexity = panels
        .iter()
        .find(|panel| panel.title.contains("perplexity"));
    let curves = &perplexity.expect("a panel").curves;
    assert_eq!((curves[0].len(), curves[1].len()), (0, 1));
    // Not every run has a validation set, so the loss is that of the training data.
    assert_eq!(panels[0].title, "Training loss");
    assert_eq!(page.rows[1][1], "–");
    assert!(page.comparison.subjects[1].scores.is_empty());
}
