//! `cargo xtask test`, `test-gpu`, `test-browser` and `prove`: the tests, with the backends, the program or the time that
//! they need.

use crate::cargo::Call;
use anyhow::Result;

/// Runs the tests of the workspace with these backends compiled in.
///
/// # Errors
/// A test or the build fails.
pub fn run(backends: &[String]) -> Result<()> {
    call(backends).run()
}

/// Runs the backend matrix on wgpu. Autotune is kept minimal: cold, it costs a software driver a minute.
///
/// # Errors
/// A test or the build fails, or no graphics driver is found.
pub fn run_gpu() -> Result<()> {
    Call::new("test -p rekindle --features wgpu --test backends")
        .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
        .run()
}

/// Opens the reports of real runs in a headless Chromium and uses them. Built as [`call`] builds the tests, so that nothing
/// is compiled again after them.
///
/// # Errors
/// A test or the build fails, or no Chromium is found.
pub fn run_browser() -> Result<()> {
    let args = ["--test", "browser", "--", "--ignored"].map(String::from);
    call(&["flex", "ndarray"]).args(&args).run()
}

/// Trains what proves that long dependencies are learned, one after the other.
///
/// # Errors
/// A proof fails.
pub fn run_proofs() -> Result<()> {
    Call::new("test -p rekindle-cli --test proofs -- --ignored --nocapture --test-threads=1").run()
}

/// The call that tests the workspace. Flex is always in: it is the default, and what the others are compared with.
pub fn call(backends: &[impl AsRef<str>]) -> Call {
    let names: Vec<&str> = backends.iter().map(AsRef::as_ref).collect();
    Call::new(&format!("test --workspace --features {}", names.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_become_features() {
        assert_eq!(
            call(&["flex", "ndarray"]).to_string(),
            "cargo test --workspace --features flex,ndarray"
        );
    }
}
