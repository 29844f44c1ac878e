//! The instruction sets that the engine is compiled for, chosen at run time.

use std::sync::OnceLock;

use pulp::WithSimd;

/// One instruction set that this machine can run.
///
/// Each is a copy of the whole engine for each cell, so there is none that few machines need: x86-64 without AVX2 has no
/// engine. Tests have arrays everywhere, for tools that do not know the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Isa {
    /// AVX-512: 512-bit registers, 32 of them.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// AVX2 with FMA: 256-bit registers, 16 of them.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// NEON: 128-bit registers, 32 of them.
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    /// Arrays of numbers, which run anywhere.
    #[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    Portable(pulp::Scalar128b),
}

impl Isa {
    /// The fastest instruction set of this machine; `None`: the engine knows none of its.
    pub(crate) fn best() -> Option<Self> {
        static BEST: OnceLock<Option<Isa>> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().first().copied())
    }

    /// All instruction sets that this machine can run, the fastest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V4::try_new().map(Isa::Avx512));
            all.extend(pulp::x86::V3::try_new().map(Isa::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(Isa::Neon));
        #[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
        all.push(Isa::Portable(pulp::Scalar128b));
        all
    }

    /// Runs `op` compiled for this instruction set.
    pub(crate) fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        use pulp::Simd;
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(simd) => Simd::vectorize(simd, op),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(simd) => Simd::vectorize(simd, op),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(simd) => Simd::vectorize(simd, op),
            #[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
            Isa::Portable(simd) => Simd::vectorize(simd, op),
        }
    }
}
