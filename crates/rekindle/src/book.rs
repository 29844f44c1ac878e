//! The README and the pages of the book, so that their examples are compiled and run as documentation tests.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../docs/src/introduction.md")]
struct Introduction;

#[doc = include_str!("../../../docs/src/first-run.md")]
struct FirstRun;

#[doc = include_str!("../../../docs/src/data.md")]
struct Data;

#[doc = include_str!("../../../docs/src/recipes.md")]
struct Recipes;

#[doc = include_str!("../../../docs/src/tasks.md")]
struct Tasks;

#[doc = include_str!("../../../docs/src/language-models.md")]
struct LanguageModels;

#[doc = include_str!("../../../docs/src/schedules.md")]
struct Schedules;

#[doc = include_str!("../../../docs/src/lr-finder.md")]
struct LrFinder;

#[doc = include_str!("../../../docs/src/tune.md")]
struct Tune;

#[doc = include_str!("../../../docs/src/cli.md")]
struct CommandLine;

#[doc = include_str!("../../../docs/src/run-folder.md")]
struct RunFolder;

#[doc = include_str!("../../../docs/src/doctor.md")]
struct Doctor;

#[doc = include_str!("../../../docs/src/pruning.md")]
struct Pruning;

#[doc = include_str!("../../../docs/src/backends.md")]
struct Backends;

#[doc = include_str!("../../../docs/src/cells.md")]
struct Cells;

#[doc = include_str!("../../../docs/src/convolutional.md")]
struct ConvolutionalCells;

#[doc = include_str!("../../../docs/src/new-cell.md")]
struct NewCell;

#[doc = include_str!("../../../docs/src/interop.md")]
struct Interop;

#[doc = include_str!("../../../docs/src/training-science.md")]
struct TrainingScience;

#[doc = include_str!("../../../docs/src/optimizers.md")]
struct Optimizers;

#[doc = include_str!("../../../docs/src/regularization.md")]
struct Regularization;

#[doc = include_str!("../../../docs/src/reproducibility.md")]
struct Reproducibility;

#[doc = include_str!("../../../docs/src/long-dependencies.md")]
struct LongDependencies;

#[doc = include_str!("../../../docs/src/performance.md")]
struct Performance;
