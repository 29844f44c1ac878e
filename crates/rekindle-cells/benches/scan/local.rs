//! The sides that run in the process of the bench: this crate, and Burn's own modules.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::case::Case;
use crate::contest::Side;
use crate::error::BenchError;
use crate::options::{Backend, Local, Mode, Options};
use crate::{burn_nn, memory, ours};

/// Takes so many samples of a case and returns the seconds of one call in each; what a call leaves is dropped outside of
/// its time.
pub type Samples = Box<dyn FnMut(usize) -> Vec<f64> + Send>;

/// A case of one side, and the threads that it runs in.
pub struct LocalSide {
    pool: Arc<ThreadPool>,
    samples: Samples,
}

impl LocalSide {
    /// Prepares a case: draws weights and input.
    ///
    /// # Errors
    /// If the backend is not compiled in.
    pub fn new(
        pool: &Arc<ThreadPool>,
        side: Local,
        case: Case,
        backend: Backend,
    ) -> Result<Self, BenchError> {
        let device = device(case.mode, backend)?;
        let samples = pool.install(|| match side {
            Local::Rekindle => ours::samples(case, &device),
            Local::Burn => burn_nn::samples(case, &device),
        });
        let pool = pool.clone();
        Ok(Self { pool, samples })
    }
}

impl Side for LocalSide {
    fn turn(&mut self, count: usize) -> Result<Vec<f64>, BenchError> {
        Ok(self.pool.install(|| (self.samples)(count)))
    }
}

/// A pool of so many threads.
///
/// # Errors
/// If they cannot be started.
pub fn pool(threads: usize) -> Result<Arc<ThreadPool>, BenchError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map(Arc::new)
        .map_err(|source| BenchError::Threads { threads, source })
}

fn device(mode: Mode, backend: Backend) -> Result<Device, BenchError> {
    let device: Option<Device> = match backend {
        #[cfg(feature = "flex")]
        Backend::Flex => Some(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(
            deprecated,
            reason = "Burn points to flex, but ndarray is supported here"
        )]
        Backend::Ndarray => Some(Device::ndarray()),
        #[cfg(not(all(feature = "flex", feature = "ndarray")))]
        _ => None,
    };
    let device = device.ok_or(BenchError::Backend { backend })?;
    Ok(match mode {
        Mode::Train => device.autodiff(),
        Mode::Infer | Mode::Step => device,
    })
}

/// Uniform numbers in `[-1, 1)`: `[batch, seq, d_input]`.
pub fn input(case: Case, device: &Device) -> Tensor<3> {
    let shape = [case.shape.batch, case.shape.seq, case.shape.d_input];
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// The samples of a network over a whole sequence.
///
/// In training, `backward` starts from a tensor that is no scalar, and Burn then starts from a gradient of ones: no sum
/// is needed.
pub fn over_sequence(
    case: Case,
    device: &Device,
    forward: impl Fn(Tensor<3>) -> Tensor<3> + Send + 'static,
) -> Samples {
    let x = input(case, device);
    if case.mode == Mode::Train {
        let x = x.require_grad();
        return sampled(case, move || {
            let output = forward(x.clone());
            let gradients = output.backward();
            (output, gradients)
        });
    }
    sampled(case, move || forward(x.clone()))
}

/// The samples of anything.
pub fn sampled<T>(case: Case, mut call: impl FnMut() -> T + Send + 'static) -> Samples {
    let calls = case.calls();
    let mut sample = move || {
        let start = Instant::now();
        for _ in 1..calls {
            black_box(call());
        }
        let last = black_box(call());
        let seconds = start.elapsed().as_secs_f64();
        drop(last);
        seconds / calls as f64
    };
    Box::new(move |count| (0..count).map(|_| sample()).collect())
}

/// The growth of this process's memory in the first iteration of the one case that the options name, in bytes, if the
/// system tells. A tiny case comes before, so that threads and code are there.
///
/// # Errors
/// If the backend is not compiled in.
pub fn probe(options: &Options, side: Local, case: Case) -> Result<Option<u64>, BenchError> {
    let pool = pool(options.threads.get())?;
    LocalSide::new(&pool, side, case.tiny(), options.backend)?.turn(1)?;
    let mut side = LocalSide::new(&pool, side, case, options.backend)?;
    Ok(memory::growth(|| side.turn(1)))
}

/// [`probe`] in a process of its own, where no memory was freed before that could be used again unseen.
///
/// # Errors
/// If the process cannot be started, or fails.
pub fn probe_apart(options: &Options, side: Local, case: Case) -> Result<Option<u64>, BenchError> {
    let again = |source| BenchError::Again { source };
    let output = Command::new(std::env::current_exe().map_err(again)?)
        .args(["--probe", &side.to_string()])
        .args(["--cell", &case.cell.to_string()])
        .args(["--mode", &case.mode.to_string()])
        .args(["--shapes", &case.shape.to_string()])
        .args(["--threads", &options.threads.to_string()])
        .args(["--backend", &options.backend.to_string()])
        .output()
        .map_err(again)?;
    if !output.status.success() {
        return Err(BenchError::Probe {
            side: side.to_string(),
            case: case.to_string(),
            message: String::from_utf8_lossy(&output.stderr).trim().into(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
