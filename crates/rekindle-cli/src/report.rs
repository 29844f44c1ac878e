//! `rekindle report`.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use rekindle::training::compared::page;
use rekindle::training::{Recorded, RunFolder};

use crate::args::ReportArgs;
use crate::output;

/// Where a page of several runs goes without `--out`.
const COMPARISON: &str = "comparison.html";

/// Writes the page of a run, or of several, and says where it is.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let path = match (&args.out, args.dirs.as_slice()) {
        (Some(path), _) => path.clone(),
        (None, [dir]) => RunFolder::new(dir).report(),
        (None, _) => PathBuf::from(COMPARISON),
    };
    let html = match args.dirs.as_slice() {
        [dir] => Recorded::load(dir)?.to_report()?.to_html(),
        dirs => {
            check_once(dirs)?;
            let runs = dirs.iter().map(|dir| Recorded::load(dir));
            page(runs.collect::<Result<_, _>>()?).to_html()
        }
    };
    output::file("--out", &path, &html)?;
    output::line(&format!("report: {}", path.display()))
}

/// Checks that no folder is there twice, under whatever name.
fn check_once(dirs: &[PathBuf]) -> anyhow::Result<()> {
    let same = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut seen = Vec::new();
    for dir in dirs {
        let path = same(dir);
        ensure!(
            !seen.contains(&path),
            "found run folder {} twice, expected each once; remove one",
            dir.display()
        );
        seen.push(path);
    }
    Ok(())
}
