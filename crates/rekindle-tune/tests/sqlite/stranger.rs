//! A process without the rights of root, which may do everything: the test binary, started again.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rekindle_tune::{Answer, Next, StoreError, Study};

use super::common::{definition, is_root, open, options, propose};
use super::url;

/// A folder where everybody may write, and who does.
struct Stranger {
    folder: tempfile::TempDir,
}

impl Stranger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The binary may lie where only root may look.
        fs::copy(
            std::env::current_exe().unwrap(),
            folder.path().join("writer"),
        )
        .unwrap();
        let stranger = Self { folder };
        stranger.may("writer", 0o755);
        stranger.may("", 0o777);
        stranger
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets the mode of a file in the folder, or of the folder itself.
    fn may(&self, file: &str, mode: u32) {
        let permissions = Permissions::from_mode(mode);
        fs::set_permissions(self.folder().join(file), permissions).unwrap();
    }

    /// Writes into a study until there is an error, after some commands of the shell. The result is what it said.
    fn writes(&self, url: &str, before: &str) -> String {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!(
            "{before} exec ./writer stranger::process --exact --ignored --nocapture"
        ));
        shell
            .current_dir(self.folder())
            .env("REKINDLE_TUNE_STRANGER", url);
        if is_root() {
            // Nobody, on Linux.
            shell.uid(65_534).gid(65_534);
        }
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// What the process does; nothing in any other.
#[test]
#[ignore = "a process of tests below"]
fn process() {
    if let Ok(url) = std::env::var("REKINDLE_TUNE_STRANGER") {
        let (written, error) = write(&url);
        println!("\nwritten {written}\n{error}\n{error:?}");
    }
}

/// How many reports were written, and what prevented the next one.
fn write(url: &str) -> (u64, StoreError) {
    let study = Study::open(url, "study", &definition(), options());
    let claimed = study.and_then(|mut study| {
        let next = study.next("stranger", None, &mut propose)?;
        Ok((study, next))
    });
    let (mut study, claim) = match claimed {
        Ok((study, Next::Trial(claim))) => (study, claim),
        Ok((_, other)) => panic!("{other:?}"),
        Err(error) => return (0, error),
    };
    for step in 1..10_000 {
        match study.report(&claim, step, 0.5) {
            Ok(answer) => assert_eq!(answer, Answer::Written),
            Err(error) => return (step - 1, error),
        }
    }
    panic!("nothing prevents it")
}

#[test]
fn a_read_only_file_is_told() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    drop(open(&url, "study"));
    stranger.may("a.db", 0o444);
    let said = stranger.writes(&url, "");
    let expected = format!("sqlite:{url} is read-only; allow this user to write");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_read_only_folder_is_told() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    drop(open(&url, "study"));
    stranger.may("a.db", 0o666);
    stranger.may("", 0o555);
    let said = stranger.writes(&url, "");
    let expected = format!("sqlite:{url} is read-only; allow this user to write");
    assert!(said.contains(&expected), "{said}");
    stranger.may("", 0o777);
}

/// The system refuses to let files grow, as a quota does. All that was said to be written is there.
#[test]
fn a_quota_loses_nothing() {
    let stranger = Stranger::new();
    let url = url(stranger.folder());
    let said = stranger.writes(&url, "trap '' XFSZ; ulimit -f 1000;");
    let expected = format!("the disk of sqlite:{url} does not read or write as it should");
    assert!(said.contains(&expected), "{said}");
    let mut study = open(&url, "study");
    assert_eq!(study.check().unwrap(), [""; 0]);
    let steps = study.history().unwrap().trials[0].curve.len();
    assert!(steps > 10);
    assert!(
        said.contains(&format!("written {steps}\n")),
        "{steps}: {said}"
    );
}
