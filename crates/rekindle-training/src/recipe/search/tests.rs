//! What may be left open, and what is said of what may not.

use std::path::Path;

use rekindle_cells::Peepholes;
use rekindle_tune::{Domain, Point};
use serde_json::json;

use super::{Recipe, SearchRecipe};
use crate::recipe::Optimizer;

const START: &str = "name = \"a\"\n[data]\ntrain = \"a.ts\"\n";

fn search(rest: &str) -> Result<SearchRecipe, String> {
    let text = format!("{START}{rest}");
    SearchRecipe::from_toml(&text, Path::new("a.toml"), &[]).map_err(|error| error.to_string())
}

fn refused(rest: &str, expected: &str) {
    let error = search(rest).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

fn names(search: &SearchRecipe) -> Vec<&str> {
    let parameters = search.space().parameters().iter();
    parameters
        .map(|parameter| parameter.name.as_str())
        .collect()
}

fn point(values: &[(&str, serde_json::Value)]) -> Point {
    let mut point = Point::default();
    for (name, value) in values {
        point.set(name, value.clone());
    }
    point
}

#[test]
fn values_stand_where_they_were_open() {
    let search = search(
        "labels = \"step_class\"\n[model]\nhidden = { choice = [32, 64] }\ndropout = { uniform = [0.0, 0.5], step = 0.1 }\n\
         [training]\nlr = { log = [1e-4, 1e-1] }\nclip_norm = { choice = [0.5, 1] }\n\
         bptt = { choice = [10, { kind = \"fixed\", steps = 20 }] }\noptimizer = { choice = [\"adam\", \"sgd\"] }\n",
    )
    .unwrap();
    let at = point(&[
        ("model.hidden", json!(64)),
        ("model.dropout", json!(0.3)),
        ("training.lr", json!(0.02)),
        ("training.clip_norm", json!(1)),
        ("training.bptt", json!(10)),
        ("training.optimizer", json!("sgd")),
    ]);
    assert!(search.space().contains(&at));
    let text = format!(
        "{START}labels = \"step_class\"\n[model]\nhidden = 64\ndropout = 0.3\n\
         [training]\nlr = 0.02\nclip_norm = 1\nbptt = 10\noptimizer = \"sgd\"\n"
    );
    let expected = Recipe::from_toml(&text, Path::new("a.toml"), &[]).unwrap();
    assert_eq!(search.at(&at).unwrap(), expected);
}

#[test]
fn keys_that_take_fractions_have_them() {
    let search = search(
        "[model]\nhidden = { uniform = [8, 16] }\nlayers = { uniform = [1, 3], step = 2 }\n\
         dropout = { uniform = [0, 1] }\n[regularize.dropout]\nweight = { uniform = [0, 1], step = 1 }\n",
    );
    // A dropout of 1 is out of range, which is told of the bound.
    let error = search.unwrap_err();
    assert!(
        error.contains("a.toml:7: with model.dropout = 1.0"),
        "{error}"
    );

    let search = self::search(
        "[model]\nhidden = { uniform = [8, 16] }\nlayers = { uniform = [1, 3], step = 2 }\n\
         [training]\nlr = { log = [1, 2] }\nweight_decay = { uniform = [0, 4], step = 2 }\n",
    )
    .unwrap();
    let domains: Vec<&Domain> = (search.space().parameters().iter())
        .map(|parameter| &parameter.domain)
        .collect();
    let int = |low, high, step| Domain::Int {
        low,
        high,
        log: false,
        step,
    };
    let float = |low, high, log, step| Domain::Float {
        low,
        high,
        log,
        step,
    };
    let expected = [
        &int(8, 16, 1),
        &int(1, 3, 2),
        &float(1.0, 2.0, true, None),
        &float(0.0, 4.0, false, Some(2.0)),
    ];
    assert_eq!(domains, expected);
}

#[test]
fn what_does_not_count_is_left_out() {
    let search = search(
        "[model]\ncell = { choice = [\"gru\", \"lstm\"] }\n\
         peepholes = { choice = [\"diagonal\", \"none\"], when = { \"model.cell\" = \"lstm\" } }\n\
         gate_recurrence = { choice = [true, false], when = { \"model.peepholes\" = \"diagonal\" } }\n",
    )
    .unwrap();
    let expected = ["model.cell", "model.peepholes", "model.gate_recurrence"];
    assert_eq!(names(&search), expected);
    let gru = search.space().point(|parameter| parameter.domain.at(0.0));
    assert_eq!(gru.len(), 1);
    assert_eq!(search.at(&gru).unwrap().model.peepholes, Peepholes::None);
    let lstm = [
        ("model.cell", json!("lstm")),
        ("model.peepholes", json!("none")),
    ];
    let lstm = point(&lstm);
    assert!(search.space().contains(&lstm) && search.at(&lstm).is_ok());
}

#[test]
fn a_choice_may_leave_keys_open() {
    let search = search(
        "[training]\nschedule = { choice = [\"constant\", { kind = \"cosine\", steps = 9, to = { log = [0.01, 0.1] } }, \
         { kind = \"step\", every = { uniform = [2, 4] }, gamma = 0.5 }] }\n",
    )
    .unwrap();
    let expected = [
        "training.schedule",
        "training.schedule.cosine.to",
        "training.schedule.step.every",
    ];
    assert_eq!(names(&search), expected);
    let Domain::Choice { choices } = &search.space().parameters()[0].domain else {
        panic!("a choice");
    };
    let at = point(&[
        ("training.schedule", choices[2].clone()),
        ("training.schedule.step.every", json!(3)),
    ]);
    assert!(search.space().contains(&at));
    let text = search.at(&at).unwrap().to_toml();
    assert!(
        text.contains("every = 3") && text.contains("gamma = 0.5"),
        "{text}"
    );
}

#[test]
fn conditions_are_met_together_or_refused() {
    let text = |hidden: &str| {
        format!(
            "[model]\ncell = {{ choice = [\"gru\", \"lstm\"] }}\n\
             layers = {{ uniform = [1, 2], when = {{ \"model.cell\" = [\"gru\", \"lstm\"] }} }}\n\
             hidden = {{ uniform = [8, 16], when = {{ {hidden} }} }}\n"
        )
    };
    let search = search(&text("\"model.cell\" = \"lstm\", \"model.layers\" = 2")).unwrap();
    let hidden = &search.space().parameters()[2].domain;
    assert!(
        matches!(
            hidden,
            Domain::Int {
                low: 8,
                high: 16,
                ..
            }
        ),
        "{hidden:?}"
    );

    // Of keys that take fractions, conditions may speak of whole numbers.
    let search = self::search(
        "[training]\nweight_decay = { uniform = [0, 4], step = 2 }\n\
         lr = { log = [0.1, 0.2], when = { \"training.weight_decay\" = 2 } }\n",
    )
    .unwrap();
    let point = search.space().point(|parameter| parameter.domain.at(0.5));
    assert_eq!(point.len(), 2, "{point}");

    refused(
        "[model]\ncell = { choice = [\"gru\", \"lstm\"] }\n\
         peepholes = { choice = [\"none\"], when = { \"model.cell\" = \"lstm\" } }\n\
         hidden = { choice = [8], when = { \"model.cell\" = \"gru\", \"model.peepholes\" = \"none\" } }\n",
        "model.hidden: its conditions never hold together",
    );
}

#[test]
fn what_only_looks_open_is_not() {
    let error = Recipe::from_toml(
        &format!("{START}[training]\nlog = true\nepochs = 3\n"),
        Path::new("a.toml"),
        &[],
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("unknown key training.log")
    );
    refused(
        "[model]\nhidden = { choice = [8] }\n[training]\nlog = true\nepochs = 3\n",
        "unknown key training.log",
    );
    let twice = search(
        "[training]\nschedule = { choice = [{ kind = \"step\", every = { uniform = [2, 4] }, gamma = 0.5 }, \
         { kind = \"step\", every = 9, gamma = { uniform = [0.5, 0.9] } }] }\n",
    )
    .unwrap();
    let expected = [
        "training.schedule",
        "training.schedule.step[0].every",
        "training.schedule.step[1].gamma",
    ];
    assert_eq!(names(&twice), expected);
    refused(
        "[training]\nwatch = { choice = [\"valid_loss\", \"valid_accuracy\"] }\n",
        "expected one metric",
    );
    let text = START.replace("\"a\"", "{ choice = [\"a\", \"b\"] }");
    let error = SearchRecipe::from_toml(&text, Path::new("a.toml"), &[]).unwrap_err();
    assert!(error.to_string().contains("expected one name"), "{error}");
}

#[test]
fn overrides_leave_values_open_and_close_them() {
    let text = format!(
        "{START}[model]\nhidden = {{ choice = [8, 16] }}\nlayers = {{ choice = [1, 2] }}\n"
    );
    let overrides = [
        "model.layers=2".to_string(),
        "training.optimizer={choice=[\"adam\", \"sgd\"]}".to_string(),
    ];
    let search = SearchRecipe::from_toml(&text, Path::new("a.toml"), &overrides).unwrap();
    assert_eq!(names(&search), ["model.hidden", "training.optimizer"]);
    let first = search.space().point(|parameter| parameter.domain.at(0.0));
    let recipe = search.at(&first).unwrap();
    assert_eq!(recipe.model.layers, 2);
    assert!(matches!(recipe.training.optimizer, Optimizer::Adam { .. }));
}

#[test]
fn mistakes_are_named_with_their_place() {
    refused("", "there is no parameter to search over");
    refused(
        "[model]\nhiden = { choice = [8] }\n",
        "a.toml:5: unknown key model.hiden, did you mean model.hidden?",
    );
    refused(
        "[model]\nhidden = { choice = [] }\n",
        "a.toml:5: model.hidden: the list of choices is empty",
    );
    refused(
        "[model]\nhidden = { choice = [8, 8] }\n",
        "8 is there twice",
    );
    refused(
        "[model]\nhidden = { choice = 8 }\n",
        "a.toml:5: model.hidden: found 8, expected a list of choices",
    );
    refused(
        "[model]\nhidden = { choice = [8, \"wide\"] }\n",
        "with model.hidden = \"wide\"",
    );
    refused(
        "[model]\nhidden = { uniform = [16, 8] }\n",
        "from 16 to 8 there is nothing",
    );
    refused("[training]\nlr = { log = [0.0, 0.1] }\n", "begins at 0");
    refused(
        "[training]\nlr = { log = [0.1] }\n",
        "expected the two bounds",
    );
    refused(
        "[training]\nlr = { log = [0.1, nan] }\n",
        "expected a finite number",
    );
    refused(
        "[training]\nlr = { log = [0.1, 0.2], uniform = [0, 1] }\n",
        "found uniform and log",
    );
    refused(
        "[training]\nlr = { log = [0.1, 0.2], setp = 0.1 }\n",
        "found the key setp",
    );
    refused(
        "[training]\nlr = { uniform = [0.1, 0.2], step = 0.5 }\n",
        "the step is 0.5",
    );
    refused(
        "[model]\nhidden = { uniform = [0, 8] }\n",
        "with model.hidden = 0",
    );
    refused(
        "[model]\nhidden = { choice = [8, 9], when = { \"model.cell\" = \"lstm\" } }\n",
        "counts only for some values of model.cell, which is no parameter",
    );
    refused(
        "[model]\ncell = { choice = [\"lstm\"] }\nhidden = { choice = [8, 9], when = { \"model.cell\" = \"gru\" } }\n",
        "counts only if model.cell is \"gru\", which it never is",
    );
}

#[test]
fn settings_of_the_search_are_checked() {
    let open = "[model]\nhidden = { choice = [8, 9] }\n";
    let tune = |text: &str| search(&format!("{open}[tune]\n{text}\n"));
    let found = tune("sampler = \"random\"\ntrials = 7\nseed = 3").unwrap();
    assert_eq!((found.tune().limit(), found.tune().seed), (Some(7), 3));
    assert_eq!(search(open).unwrap().tune().limit(), Some(50));
    assert_eq!(tune("minutes = 2.5").unwrap().tune().limit(), None);
    for (text, expected) in [
        (
            "trails = 7",
            "a.toml:7: unknown key tune.trails, did you mean tune.trials?",
        ),
        ("trials = 0", "tune.trials: found 0, expected at least 1"),
        ("repeats = 0", "tune.repeats: found 0, expected at least 1"),
        ("epochs = -1", "tune.epochs: "),
        (
            "minutes = 0.0",
            "tune.minutes: found 0, expected a positive number",
        ),
        ("sampler = \"tep\"", "tune.sampler: "),
        (
            "pruner = { kind = \"asha\", factor = 2, eta = 1 }",
            "tune.pruner: ",
        ),
    ] {
        let error = tune(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_single_run_has_nothing_open() {
    for (rest, expected) in [
        (
            "[model]\nhidden = { choice = [8] }\n",
            "a.toml:5: model.hidden is for a search, expected one value; `rekindle tune a.toml` searches",
        ),
        ("[tune]\ntrials = 3\n", "a.toml:4: tune is for a search"),
    ] {
        let text = format!("{START}{rest}");
        let error = Recipe::from_toml(&text, Path::new("a.toml"), &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
