//! Reading recipes, and what is said of wrong ones.

mod keys;
mod messages;

use std::collections::BTreeSet;
use std::path::Path;

use rekindle_cells::{Activation, GateBias, Initializer, Normalization};
use rekindle_init::Nonlinearity;
use rekindle_optim::{Average, Clip, NonFinite, Schedule};
use rekindle_regularize::penalty::WeightPenalty;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::fields::{
    ACTIVATIONS, AVERAGES, CLIPS, CONSTRAINTS, GATE_BIASES, INITIALIZERS, Kind, NONLINEARITIES,
    NORMALIZATIONS, OPTIMIZERS, PENALTIES, POLICIES, SCHEDULES, Slot,
};
use super::keys::KEYS;
use super::*;

const SMALL: &str = "name = \"small\"\n[data]\ntrain = \"a.ts\"\n";

fn parse(text: &str, overrides: &[&str]) -> Result<Recipe, RecipeError> {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    Recipe::from_toml(text, Path::new("dir/r.toml"), &overrides)
}

fn small(overrides: &[&str]) -> Recipe {
    parse(SMALL, overrides).expect("a valid recipe")
}

/// A recipe in which nothing is left out.
fn full() -> Recipe {
    small(&[
        "data.valid=b.ts",
        "data.test=c.ts",
        "training.patience=3",
        "model.init.gates=[{gate='forget',input={kind='zeros'},recurrent={kind='zeros'},bias={kind='zeros'}}]",
    ])
}

#[test]
fn a_recipe_survives_its_text() {
    let schedule = "training.schedule={kind='then',first={kind='constant'},steps=3,next={kind='exponential',gamma=0.9}}";
    let plateau = "training.schedule={kind='plateau',patience=2}";
    let nested = "training.schedule={kind='sequential',milestones=[4],schedules=['constant',{kind='warm_up',steps=3,next={kind='cyclic',high=2,up=5}}]}";
    for recipe in [
        small(&[]),
        full(),
        small(&[schedule]),
        small(&[nested]),
        small(&[plateau, "seed=9223372036854775807"]),
        small(&["training.clip_norm=inf", "training.optimizer={kind='adam'}"]),
        small(&["model.init.input={kind='he_normal',nonlinearity={kind='leaky_relu',slope=0.2}}"]),
    ] {
        let text = recipe.to_toml();
        assert_eq!(parse(&text, &[]).expect("its own text"), recipe, "{text}");
    }
}

#[test]
fn paths_count_from_the_recipe_and_those_of_overrides_from_here() {
    let here = std::path::absolute(".").expect("a current folder");
    let recipe = small(&["data.test=b.ts"]);
    assert_eq!(recipe.data.train, Some(here.join("dir/a.ts")));
    assert_eq!(recipe.data.test, Some(here.join("b.ts")));
}

#[test]
fn a_recipe_for_a_file_is_called_as_the_file_is() {
    let recipe = Recipe::for_data(Path::new("x/walks.csv"), &["seed=4".into()]).expect("valid");
    assert_eq!((recipe.name.as_str(), recipe.seed), ("walks", 4));
    let train = recipe.data.train.expect("a file");
    assert!(train.ends_with("x/walks.csv"));
}

#[test]
fn the_shipped_recipes_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of recipes") {
        let path = entry.expect("an entry").path();
        let loaded = match Recipe::load(&path, &[]) {
            Err(RecipeError::Open { .. }) => SearchRecipe::load(&path, &[]).and_then(|search| {
                let last = search.space().point(|parameter| parameter.domain.at(1.0));
                search.at(&last)
            }),
            recipe => recipe,
        };
        let recipe = loaded.unwrap_or_else(|error| panic!("{error}"));
        if let Some(train) = &recipe.data.train {
            assert!(train.is_file(), "{}", train.display());
        }
        found += 1;
    }
    assert!(found >= 2, "{found} recipes");
}

#[test]
fn the_recipes_of_the_book_are_valid() {
    let pages = [
        include_str!("../../../../docs/src/recipes.md"),
        include_str!("../../../../docs/src/regularization.md"),
        include_str!("../../../../docs/src/schedules.md"),
    ];
    let mut found = 0;
    for page in pages {
        for block in page.split("```toml\n").skip(1) {
            let block = block.split("```").next().expect("a part");
            let start = if block.starts_with("name") { "" } else { SMALL };
            parse(&format!("{start}{block}"), &[])
                .unwrap_or_else(|error| panic!("{error}\n{block}"));
            found += 1;
        }
    }
    assert!(found >= 12, "{found} recipes");
}

#[test]
fn messages() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "name = \"a\"\n[data]\ntrain = \"a.ts\"\n[training]\nlerning_rate = 1\n",
            &[],
            "dir/r.toml:5: unknown key training.lerning_rate, did you mean training.lr?",
        ),
        (
            "lr = 1\nname = \"a\"\n[data]\ntrain = \"a.ts\"\n",
            &[],
            "dir/r.toml:1: unknown key lr, did you mean training.lr?",
        ),
        (
            "name = \"a\"\n[dat]\ntrain = \"a.ts\"\n",
            &[],
            "dir/r.toml:2: unknown key dat, did you mean data?",
        ),
        (
            "name = \"a\"\n",
            &[],
            "dir/r.toml: missing key data.train, expected it in the file or as --set data.train=…",
        ),
        (
            "name = \"a\"\n[data]\n",
            &[],
            "dir/r.toml: missing key data.train, expected it in the file or as --set data.train=…",
        ),
        (
            "name = \"a\"\nseed = -1\n[data]\ntrain = \"a.ts\"\n",
            &[],
            "dir/r.toml:2: seed: invalid value: integer `-1`, expected u64",
        ),
        (
            SMALL,
            &["model.cell=lstmm"],
            "--set model.cell=lstmm: model.cell: unknown variant `lstmm`, expected one of `lstm`, `gru`, `rnn`",
        ),
        (
            SMALL,
            &["model.init.inptu={kind='zeros'}"],
            "--set model.init.inptu={kind='zeros'}: unknown key model.init.inptu, did you mean model.init.input?",
        ),
        (
            SMALL,
            &[
                "training.schedule={kind='then',first={kind='constant',fator=1},steps=1,next={kind='constant'}}",
            ],
            "--set training.schedule={kind='then',first={kind='constant',fator=1},steps=1,next={kind='constant'}}: unknown key training.schedule.first.fator, did you mean training.schedule.first.factor?",
        ),
        (
            SMALL,
            &["training.schedule={kind='chained',schedules=['constant',{kind='cosine',stesp=3}]}"],
            "--set training.schedule={kind='chained',schedules=['constant',{kind='cosine',stesp=3}]}: unknown key training.schedule.schedules[1].stesp, did you mean training.schedule.schedules[1].steps?",
        ),
        (
            "name = \"a\"\n[data]\ntrain = \"a.ts\"\n[training.schedule]\nkind = \"chained\"\n[[training.schedule.schedules]]\nkind = \"cosin\"\n",
            &[],
            "dir/r.toml:7: training.schedule.schedules[0].kind: found \"cosin\", expected one of \"constant\", \"step\"",
        ),
        (
            SMALL,
            &["training.groups=[{targets=['w'],schedule={kind='cosine',stesp=3}}]"],
            "--set training.groups=[{targets=['w'],schedule={kind='cosine',stesp=3}}]: unknown key training.groups[0].schedule.stesp, did you mean training.groups[0].schedule.steps?",
        ),
        (
            SMALL,
            &["training.groups=[{lr_factor=3}]"],
            "--set training.groups=[{lr_factor=3}]: training.groups[0]: missing field `targets`",
        ),
        (
            SMALL,
            &["training.schedule={kind='cosine'}"],
            "--set training.schedule={kind='cosine'}: training.schedule: missing field `steps`",
        ),
        (
            SMALL,
            &[
                "training.schedule={kind='sequential',milestones=[],schedules=['constant',{kind='exponential',gamma=2}]}",
            ],
            "training.schedule: `milestones` has 0 entries, expected 1, one fewer than schedules",
        ),
        (
            SMALL,
            &["training.schedule={kind='chained',schedules=[{kind='noam',warm_up=0}]}"],
            "training.schedule: `schedules[0].warm_up` is 0, expected at least 1",
        ),
        (
            SMALL,
            &["model.init.gates=[{gat='forget'}]"],
            "--set model.init.gates=[{gat='forget'}]: unknown key model.init.gates[0].gat, did you mean model.init.gates[0].gate?",
        ),
        (
            SMALL,
            &["seed.x=1"],
            "--set seed.x=1: seed: invalid type: map, expected u64",
        ),
        (
            SMALL,
            &["name.x=1"],
            "--set name.x=1: name is the value \"small\", not a section, expected key=value such as training.lr=0.01",
        ),
        (
            SMALL,
            &["=1"],
            "--set =1: the key \"\" has an empty part, expected key=value such as training.lr=0.01",
        ),
        (
            SMALL,
            &["training.lr=1 2"],
            "--set training.lr=1 2: training.lr: invalid type: string \"1 2\", expected f64",
        ),
        (
            SMALL,
            &["training.lr=[1"],
            "--set training.lr=[1: \"[1\" is no TOML value, expected key=value such as training.lr=0.01",
        ),
        (
            SMALL,
            &["training.patience=0"],
            "training.patience is 0, expected at least 1; leave it out to never stop early",
        ),
        (
            SMALL,
            &["training.optimizer={kind='adam',beta_1=1.0}"],
            "training.optimizer.beta_1 is 1, expected a number in [0, 1)",
        ),
        (
            SMALL,
            &["training.clip_norm=0.0"],
            "training.clip.max is 0, expected a positive number, or inf for no clipping",
        ),
        (
            SMALL,
            &["name=a/b"],
            "name is \"a/b\", expected a name without slashes, because run folders are called after it",
        ),
        (
            SMALL,
            &["model.layers=0"],
            "model.layers is 0, expected at least 1",
        ),
        (
            SMALL,
            &["training.schedule={kind='exponential',gamma=0.0}"],
            "training.schedule: `gamma` is 0, expected a positive finite number",
        ),
        (
            SMALL,
            &["model.init.recurrent={kind='normal',std=-1.0}"],
            "model.init.recurrent (normal): std is -1",
        ),
    ];
    for (text, overrides, expected) in cases {
        let error = parse(text, overrides).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
    }
}

/// A value that may stand at a field of a kind.
fn example(kind: &str, field: &str) -> &'static str {
    match field {
        "decay" if kind != "ema" => "\"coupled\"",
        "inner" => "{ kind = \"adam\" }",
        "nesterov" | "centered" => "true",
        "except" => "[\"head\"]",
        "unit" => "\"step\"",
        "t0" | "start" | "every" | "limit" => "5",
        "fan" => "\"in\"",
        "nonlinearity" => "{ kind = \"relu\" }",
        "first" | "next" => "{ kind = \"constant\" }",
        "schedules" => "[{ kind = \"constant\" }]",
        "milestones" => "[3, 8]",
        "points" => "[[0, 1.0], [4, 0.5]]",
        "between" | "anneal" => "\"linear\"",
        "wave" => "\"exp_range\"",
        "phases" => "\"three\"",
        "cycle" | "staircase" => "true",
        "up" | "down" | "warm_up" => "5",
        "mode" => "\"min\"",
        "threshold_mode" => "\"relative\"",
        "t_max" | "steps" | "patience" | "cooldown" | "max_steps" | "axis" => "5",
        "per" => "\"matrix\"",
        "targets" => "[\"weight_hh\"]",
        _ => "0.5",
    }
}

/// Asserts that the kinds are those of a type, each with the fields of its variant.
fn assert_kinds<T: Serialize + DeserializeOwned>(kinds: &[Kind], unknown: &str) {
    for kind in kinds {
        let fields = kind
            .fields
            .iter()
            .map(|field| format!("{} = {}", field.name, example(kind.name, field.name)));
        let fields: Vec<String> = std::iter::once(format!("kind = \"{}\"", kind.name))
            .chain(fields)
            .collect();
        let value: T = toml::from_str(&fields.join("\n"))
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        let table = match Value::try_from(&value).expect("TOML") {
            Value::Table(table) => table,
            value => {
                assert_eq!(value.as_str(), Some(kind.name));
                Table::new()
            }
        };
        let found: BTreeSet<&str> = table
            .keys()
            .map(String::as_str)
            .filter(|key| *key != "kind")
            .collect();
        let expected: BTreeSet<&str> = kind.fields.iter().map(|field| field.name).collect();
        assert_eq!(found, expected, "{}", kind.name);
    }
    let Err(error) = toml::from_str::<T>("kind = \"none of these\"") else {
        panic!("{unknown} exists")
    };
    let error = error.to_string();
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    let expected: BTreeSet<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(known, expected, "{error}");
}

/// An activation as a recipe has it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct OfRecipe(#[serde(with = "activation")] Activation);

/// A normalisation as a recipe has it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct NormOfRecipe(#[serde(with = "normalization")] Normalization);

#[test]
fn the_kinds_are_those_of_the_types() {
    assert_kinds::<NormOfRecipe>(NORMALIZATIONS, "a normalisation");
    assert_kinds::<WeightPenalty>(PENALTIES, "a penalty");
    assert_kinds::<constrained::Flat>(CONSTRAINTS, "a constraint");
    assert_kinds::<Initializer>(INITIALIZERS, "an initialiser");
    assert_kinds::<OfRecipe>(ACTIVATIONS, "an activation");
    assert_kinds::<GateBias>(GATE_BIASES, "a gate bias");
    assert_kinds::<Nonlinearity>(NONLINEARITIES, "a nonlinearity");
    assert_kinds::<Schedule>(SCHEDULES, "a schedule");
    assert_kinds::<Optimizer>(OPTIMIZERS, "an optimiser");
    assert_kinds::<Clip>(CLIPS, "a clip");
    assert_kinds::<NonFinite>(POLICIES, "a policy");
    assert_kinds::<Average>(AVERAGES, "an average");
    assert!(KEYS.iter().any(|key| key.slot == Slot::Schedule));
}
