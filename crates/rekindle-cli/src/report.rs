//! `rekindle report`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rekindle::training::compared::page;
use rekindle::training::{Recorded, RunFolder, study_in, study_page};
use rekindle::tune::Study;

use crate::args::ReportArgs;
use crate::output;
use crate::tune::{options, url_in};

/// Where a page of several runs goes without `--out`.
const COMPARISON: &str = "comparison.html";

/// Writes the page of a run, of several, or of a search, and says where it is.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let path = match (&args.out, args.dirs.as_slice()) {
        (Some(path), _) => path.clone(),
        (None, [dir]) => RunFolder::new(dir).report(),
        (None, _) => PathBuf::from(COMPARISON),
    };
    let html = match args.dirs.as_slice() {
        [dir] => match study_in(dir)? {
            Some(name) => of_study(dir, &name, args.study.as_deref())?,
            None => Recorded::load(dir)?.to_report()?.to_html(),
        },
        dirs => {
            check_once(dirs)?;
            let runs = dirs.iter().map(|dir| Recorded::load(dir));
            page(runs.collect::<Result<_, _>>()?).to_html()
        }
    };
    output::file("--out", &path, &html)?;
    output::line(&format!("report: {}", path.display()))
}

/// The page of a search.
fn of_study(dir: &Path, name: &str, url: Option<&str>) -> anyhow::Result<String> {
    let url = url.map_or_else(|| url_in(dir), |url| Ok(url.to_string()))?;
    let mut study = Study::load(&url, name, options()).with_context(|| {
        let dir = dir.display();
        format!("{dir} belongs to the study {name}; if its trials are in another database, give --study URL")
    })?;
    Ok(study_page(&mut study)?)
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
