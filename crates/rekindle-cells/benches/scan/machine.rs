//! The machine that is measured on, and how fast its matrix products are.

use std::fmt;
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use serde::Serialize;

/// The machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The operating system and its release.
    pub os: String,
    /// The compiler's version, if it can be asked.
    pub rustc: Option<String>,
    /// How many programs wanted to run in the last minute before the bench, on average, if the system tells.
    pub load: Option<f64>,
    /// Operations per second of a large product in f32; `None` without the backend Flex.
    pub gemm_peak: Option<f64>,
}

impl Machine {
    /// Asks the system, and measures the products in the thread pool that this runs in.
    pub fn measure() -> Self {
        Self {
            cpu: processor().unwrap_or_else(|| std::env::consts::ARCH.into()),
            cores: available_parallelism().map_or(1, usize::from),
            os: system().unwrap_or_else(|| std::env::consts::OS.into()),
            rustc: compiler(),
            load: load(),
            gemm_peak: gemm_peak(),
        }
    }

    /// Whether programs took half a core or more in the minute before; a build counts too.
    pub fn is_busy(&self) -> bool {
        self.load.is_some_and(|load| load >= 0.5)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cores,
            os,
            rustc,
            load,
            ..
        } = self;
        let rustc = rustc.as_deref().unwrap_or("rustc unknown");
        write!(f, "{cpu}, cores: {cores}, {os}, {rustc}")?;
        match load {
            Some(load) => write!(f, ", load before: {load:.2}"),
            None => Ok(()),
        }
    }
}

fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))?;
    Some(name.trim_start_matches([':', ' ', '\t']).into())
}

fn system() -> Option<String> {
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok();
    let (kind, release) = (read("ostype")?, read("osrelease")?);
    Some(format!("{} {}", kind.trim(), release.trim()))
}

fn load() -> Option<f64> {
    let averages = fs::read_to_string("/proc/loadavg").ok()?;
    averages.split_whitespace().next()?.parse().ok()
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// The best rate of some products of two square matrices of [`SIZE`].
///
/// Burn's Flex is used for its safe interface: its product is one call of the crate gemm, behind an allocation that
/// takes about 1 % of the time.
#[cfg(feature = "flex")]
fn gemm_peak() -> Option<f64> {
    use crate::statistics::least;
    use burn::tensor::{Device, Distribution, Tensor};
    use std::hint::black_box;
    use std::time::Instant;

    const SIZE: usize = 2048;
    const TIMES: usize = 10;

    let draw = || Tensor::<2>::random([SIZE, SIZE], Distribution::Default, &Device::flex());
    let (a, b) = (draw(), draw());
    let seconds: Vec<f64> = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            black_box(a.clone().matmul(b.clone()));
            start.elapsed().as_secs_f64()
        })
        .collect();
    Some(2.0 * (SIZE as f64).powi(3) / least(&seconds))
}

#[cfg(not(feature = "flex"))]
fn gemm_peak() -> Option<f64> {
    None
}
