//! The table of equations: one line for each type and setting of them.

use rekindle_cells::{
    Activation, ElmanEquations, Equations, GruActivations, GruEquations, GruVariant,
    LstmActivations, LstmEquations, LstmGates, LstmVariant, Peepholes, Reset, Update,
};

use super::activations::ACTIVATIONS;

/// Something that holds for all equations.
pub trait EquationsLaw {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers);
}

/// What the numbers of a scan are drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Numbers {
    /// All numbers of the type.
    Fine,
    /// Eighths, of which sums of six steps are exact in `f32`: rounding never decides which side of 0 they fall on.
    Coarse,
    /// All numbers of the type, but few of them in `f32`, where rounding can decide which side of a kink they fall on.
    Kinked,
}

/// Cells without options.
pub fn every_cell(law: &impl EquationsLaw) {
    law.check("elman", &elman(Activation::Tanh, None), Numbers::Fine);
    law.check(
        "elman relu",
        &elman(Activation::Relu, None),
        Numbers::Coarse,
    );
    law.check("lstm", &LstmEquations, Numbers::Fine);
    law.check("gru", &GruEquations, Numbers::Fine);
}

/// Cells with options.
#[rustfmt::skip]
pub fn every_option(law: &impl EquationsLaw) {
    use {LstmGates::*, Numbers::*, Peepholes as Of};
    for (name, activation) in ACTIVATIONS {
        law.check(&format!("elman {name}"), &elman(activation, None), kinks(activation));
    }
    law.check("elman clip", &elman(Activation::Tanh, Some(0.5)), Kinked);

    law.check("lstm variant", &lstm::<4, 2, 4>(All, Of::None), Fine);
    law.check("lstm diagonal", &lstm::<4, 2, 4>(All, Of::Diagonal), Fine);
    law.check("lstm full", &lstm::<4, 2, 4>(All, Of::Full), Fine);
    law.check("lstm clips", &clipped(lstm::<4, 2, 4>(All, Of::Diagonal)), Kinked);
    law.check("lstm clips, full", &clipped(lstm::<4, 2, 4>(All, Of::Full)), Kinked);
    law.check("lstm smooth", &smooth(lstm::<4, 2, 4>(All, Of::Diagonal)), Fine);
    law.check("lstm kinked", &kinked(lstm::<4, 2, 4>(All, Of::Full)), Kinked);
    law.check("lstm coupled", &lstm::<3, 2, 3>(Coupled, Of::None), Fine);
    law.check("lstm coupled, diagonal", &lstm::<3, 2, 3>(Coupled, Of::Diagonal), Fine);
    law.check("lstm coupled, full", &clipped(lstm::<3, 2, 3>(Coupled, Of::Full)), Kinked);
    law.check("lstm no input, diagonal", &lstm::<3, 2, 3>(NoInput, Of::Diagonal), Fine);
    law.check("lstm no input, full", &smooth(lstm::<3, 2, 3>(NoInput, Of::Full)), Fine);
    law.check("lstm no forget, diagonal", &lstm::<3, 2, 3>(NoForget, Of::Diagonal), Fine);
    law.check("lstm no forget, full", &lstm::<3, 2, 3>(NoForget, Of::Full), Fine);
    law.check("lstm no output, diagonal", &lstm::<3, 2, 3>(NoOutput, Of::Diagonal), Fine);
    law.check("lstm no output, full", &kinked(lstm::<3, 2, 3>(NoOutput, Of::Full)), Kinked);
    law.check("lstm recurrence", &lstm::<4, 5, 4>(All, Of::None), Fine);
    law.check("lstm recurrence, diagonal", &clipped(lstm::<4, 5, 4>(All, Of::Diagonal)), Kinked);
    law.check("lstm recurrence, full", &smooth(lstm::<4, 5, 4>(All, Of::Full)), Fine);

    law.check("gru variant", &gru(Reset::After, Update::Keep), Fine);
    law.check("gru replace", &gru(Reset::After, Update::Replace), Fine);
    law.check("gru before", &gru(Reset::Before, Update::Keep), Fine);
    law.check("gru before, replace", &gru(Reset::Before, Update::Replace), Fine);
    for reset in [Reset::After, Reset::Before] {
        let activations = GruActivations {
            gate: Activation::HardSigmoid { alpha: 0.6, beta: 0.4 },
            candidate: Activation::Relu,
        };
        let variant = GruVariant { activations, clip: Some(0.5), ..gru(reset, Update::Keep) };
        law.check(&format!("gru kinked, {reset:?}"), &variant, Kinked);
        let activations = GruActivations {
            gate: Activation::ScaledTanh { alpha: 0.5, beta: 0.7 },
            candidate: Activation::Softsign,
        };
        let variant = GruVariant { activations, ..gru(reset, Update::Replace) };
        law.check(&format!("gru smooth, {reset:?}"), &variant, Fine);
    }
}

/// Whether the hidden state can be projected: a middle vector in its place has as many numbers as there are units.
pub fn can_be_projected(equations: &impl Equations) -> bool {
    !(equations.has_middle() && equations.reads() == 1)
}

/// Whether an activation has kinks.
fn kinks(activation: Activation) -> Numbers {
    use Activation::*;
    match activation {
        Relu | LeakyRelu { .. } | ThresholdedRelu { .. } | HardSigmoid { .. } | Elu { .. } => {
            Numbers::Kinked
        }
        Tanh | Sigmoid | Affine { .. } | ScaledTanh { .. } | Softsign | Softplus => Numbers::Fine,
    }
}

fn elman(activation: Activation, clip: Option<f64>) -> ElmanEquations {
    ElmanEquations { activation, clip }
}

fn gru(reset: Reset, update: Update) -> GruVariant {
    GruVariant {
        reset,
        update,
        activations: GruActivations::default(),
        clip: None,
    }
}

fn lstm<const G: usize, const S: usize, const P: usize>(
    gates: LstmGates,
    peepholes: Peepholes,
) -> LstmVariant<G, S, P> {
    LstmVariant {
        gates,
        peepholes,
        activations: LstmActivations::default(),
        clip: None,
        cell_clip: None,
    }
}

/// The same with both clips.
fn clipped<const G: usize, const S: usize, const P: usize>(
    variant: LstmVariant<G, S, P>,
) -> LstmVariant<G, S, P> {
    LstmVariant {
        clip: Some(0.8),
        cell_clip: Some(0.3),
        ..variant
    }
}

/// The same with other smooth activations.
fn smooth<const G: usize, const S: usize, const P: usize>(
    variant: LstmVariant<G, S, P>,
) -> LstmVariant<G, S, P> {
    let [alpha, beta] = [0.5, 0.4];
    LstmVariant {
        activations: LstmActivations {
            gate: Activation::Affine { alpha, beta },
            candidate: Activation::Softsign,
            output: Activation::ScaledTanh { alpha, beta },
        },
        ..variant
    }
}

/// The same with activations that have kinks.
fn kinked<const G: usize, const S: usize, const P: usize>(
    variant: LstmVariant<G, S, P>,
) -> LstmVariant<G, S, P> {
    let [alpha, beta] = [0.6, 0.4];
    LstmVariant {
        activations: LstmActivations {
            gate: Activation::HardSigmoid { alpha, beta },
            candidate: Activation::LeakyRelu { alpha },
            output: Activation::Elu { alpha },
        },
        ..variant
    }
}
