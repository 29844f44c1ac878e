//! A PostgreSQL server in a temporary folder, reached through a Unix socket there.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::is_root;

/// Stops with the test.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rekindle-")
            .tempdir()
            .unwrap();
        let programs = programs();
        let server = Self { folder, programs };
        if is_root() {
            run(Command::new("chown")
                .arg("postgres")
                .arg(server.folder.path()));
        }
        let mut init = server.program("initdb");
        init.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--data-checksums",
        ]);
        run(init.arg("--pgdata").arg(server.data()));
        server.start_again();
        server
    }

    pub fn start_again(&self) {
        let folder = self.folder.path();
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}'",
            folder.display()
        );
        let mut start = self.program("pg_ctl");
        start.args(["start", "--wait", "--silent", "--options", &options]);
        start.arg("--log").arg(folder.join("log"));
        run(start.arg("--pgdata").arg(self.data()));
    }

    /// Modes are `fast`, which ends all connections, and `immediate`, a crash.
    pub fn stop(&self, mode: &str) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--wait", "--silent", "--mode", mode]);
        run(stop.arg("--pgdata").arg(self.data()));
    }

    pub fn sql(&self, text: &str) {
        let mut psql = self.program("psql");
        psql.args(["--quiet", "--username=postgres", "--command", text]);
        run(psql.arg("--host").arg(self.folder.path()));
    }

    /// PostgreSQL's own check of its tables and indices.
    pub fn check(&self) {
        let mut check = self.program("pg_amcheck");
        check.args([
            "--install-missing",
            "--heapallindexed",
            "--username=postgres",
        ]);
        run(check.arg("--host").arg(self.folder.path()).arg("postgres"));
    }

    pub fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres:///postgres?host={folder}&user=postgres")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of the server's programs. They refuse to run as root.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        // Where that user may be.
        command.current_dir("/").arg(program);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--silent", "--mode", "immediate"]);
        // It may be stopped already.
        let _ = stop.arg("--pgdata").arg(self.data()).output();
    }
}

/// The folder with the server's programs: Debian's, of the newest version, or where `pg_config` says.
fn programs() -> PathBuf {
    let versions = Path::new("/usr/lib/postgresql");
    let versions = versions.read_dir().into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let folders = folders.filter(|folder| folder.join("initdb").exists());
    if let Some(newest) = folders.max_by_key(|folder| version(folder)) {
        return newest;
    }
    let said = Command::new("pg_config").arg("--bindir").output();
    let said = said.expect("there is no PostgreSQL; on Debian, `apt-get install postgresql`");
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim())
}

fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Runs a program to its end. Its output goes to files, for a server that it starts keeps them open.
fn run(command: &mut Command) {
    let output = tempfile::tempfile().unwrap();
    let status = command
        .stdout(output.try_clone().unwrap())
        .stderr(output.try_clone().unwrap())
        .status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !status.success() {
        use std::io::{Read, Seek};
        let (mut output, mut text) = (output, String::new());
        output.rewind().unwrap();
        output.read_to_string(&mut text).unwrap();
        panic!("{command:?} ended with {status}:\n{text}");
    }
}
