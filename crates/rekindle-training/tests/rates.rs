//! Schedules and groups of parameters at work in runs.

#[allow(dead_code)]
mod common;

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use common::{backend, recipe, result, run_in_pieces, turn};
use rekindle_training::{Start, Trained, train};

/// The name and the values of each float parameter of a finished run.
fn weights(folder: &Path) -> Vec<(String, Vec<f32>)> {
    #[derive(Default)]
    struct All {
        names: Vec<String>,
        found: Vec<(String, Vec<f32>)>,
    }
    impl ModuleVisitor for All {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.names.push(name.to_string());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.names.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = param
                .val()
                .into_data()
                .try_to_vec::<f32>()
                .expect("32 bits");
            self.found.push((self.names.join("."), values));
        }
    }
    let mut all = All::default();
    let trained = Trained::load(folder, backend()).expect("a finished run");
    trained.network.visit(&mut all);
    all.found
}

/// The weights after a run.
fn trained(folder: &Path, name: &str, overrides: &[&str]) -> Vec<(String, Vec<f32>)> {
    let recipe = recipe(folder, overrides);
    let folder = folder.join(name);
    train(&recipe, backend(), &folder, Start::New, &mut ()).expect("the run ends");
    weights(&folder)
}

#[test]
fn schedules_and_groups_survive_interruptions() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let groups = "training.groups=[{targets=['weight_hh'],lr_factor=0.5},{targets=['head.*'],schedule={kind='cosine',steps=9}}]";
    for (name, schedule, unit) in [
        ("one-cycle", "{kind='one_cycle',steps=18}", "step"),
        (
            "warm-up",
            "{kind='warm_up',steps=2,next={kind='chained',schedules=[{kind='cosine_restarts',steps=2},{kind='exponential',gamma=0.9}]}}",
            "epoch",
        ),
        ("plateau", "{kind='plateau',patience=0,factor=0.5}", "epoch"),
    ] {
        let schedule = format!("training.schedule={schedule}");
        let unit = format!("training.schedule_unit={unit}");
        let recipe = recipe(temporary.path(), &[groups, &schedule, &unit]);
        let whole = temporary.path().join(name);
        let outcome = train(&recipe, backend(), &whole, Start::New, &mut ());
        let expected = result(&outcome.expect("the run ends"), &whole);
        let pieces = temporary.path().join(format!("{name}-pieces"));
        let outcome = run_in_pieces(&recipe, &pieces, 6);
        assert_eq!(result(&outcome, &pieces), expected, "{name}");
    }
}

#[test]
fn a_group_moves_at_its_own_rate() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let run = |name: &str, overrides: &[&str]| trained(temporary.path(), name, overrides);
    let keep = "training.keep=last";
    let frozen = "training.groups=[{targets=['weight_hh','head.bias'],lr_factor=0}]";
    let short = run("short", &[keep, frozen, "training.epochs=1"]);
    let long = run("long", &[keep, frozen]);
    for ((name, before), (_, after)) in short.iter().zip(&long) {
        let is_frozen = name.ends_with("weight_hh") || name == "head.bias";
        assert_eq!(before == after, is_frozen, "{name}");
    }
    // The last group that means a parameter counts; a schedule of its own takes the place of the common one.
    let plain = run(
        "plain",
        &[keep, "training.schedule={kind='exponential',gamma=0.5}"],
    );
    let all = "training.groups=[{targets=['*'],lr_factor=7},{targets=['*'],lr_factor=0.5,schedule={kind='exponential',gamma=0.5}}]";
    let grouped = run("grouped", &[keep, all, "training.lr=0.04"]);
    assert_eq!(plain, grouped);
}

#[test]
fn targets_that_mean_nothing_are_refused_before_training() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let group = "training.groups=[{targets=['head.*']},{targets=['wieght_hh']}]";
    let recipe = recipe(temporary.path(), &[group]);
    let folder = temporary.path().join("run");
    let error = train(&recipe, backend(), &folder, Start::New, &mut ()).expect_err("no parameter");
    let error = error.to_string();
    let expected =
        "training.groups[1]: no parameter matches `wieght_hh`; those of the network are ";
    assert!(
        error.starts_with(expected) && error.contains("head.weight"),
        "{error}"
    );
    assert!(!folder.exists());
}
