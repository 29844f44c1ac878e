//! How far a step moves each parameter.

use serde::{Deserialize, Serialize};

use super::median;

/// The steps of a trial, parameter by parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Updates {
    /// One entry a parameter.
    pub parameters: Vec<Update>,
}

/// How many steps in a row are looked at together.
const WINDOW: usize = 10;

/// How far steps move a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Its path in the network.
    pub path: String,
    /// Whether it is a matrix, not a bias.
    pub is_matrix: bool,
    /// The median over steps of `‖Δw‖ / ‖w‖`, with 10⁻³ as the least root mean square of `w`.
    pub ratio: f64,
    /// The greatest median over ten steps in a row.
    pub greatest: f64,
    /// Whether any step moved it.
    pub moved: bool,
}

impl Update {
    /// From `‖Δw‖ / ‖w‖` of each step.
    pub(crate) fn of(path: String, is_matrix: bool, ratios: Vec<f64>) -> Self {
        let windows = ratios.windows(WINDOW.min(ratios.len()).max(1));
        Self {
            path,
            is_matrix,
            greatest: windows
                .map(|window| median(window.to_vec()))
                .fold(0.0, f64::max),
            moved: ratios.iter().any(|ratio| *ratio != 0.0),
            ratio: median(ratios),
        }
    }
}

impl Updates {
    /// The median over matrices; NaN without any.
    pub fn ratio(&self) -> f64 {
        let matrices = self.parameters.iter().filter(|update| update.is_matrix);
        median(matrices.map(|update| update.ratio).collect())
    }

    /// The same of the ten steps that moved each matrix most; NaN without any.
    pub fn greatest(&self) -> f64 {
        let matrices = self.parameters.iter().filter(|update| update.is_matrix);
        median(matrices.map(|update| update.greatest).collect())
    }

    /// The parameters that no step moved, if another one was moved.
    pub fn frozen(&self) -> Vec<&str> {
        if !self.parameters.iter().any(|update| update.moved) {
            return Vec::new();
        }
        let still = self.parameters.iter().filter(|update| !update.moved);
        still.map(|update| update.path.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_are_those_that_alone_stay() {
        let update = |path: &str, ratio: f64| {
            Update::of(path.into(), path.contains("weight"), vec![ratio; 20])
        };
        let mut updates = Updates {
            parameters: vec![
                update("weight", 1e-3),
                update("bias", 0.5),
                update("head.weight", 0.0),
            ],
        };
        assert_eq!(updates.frozen(), ["head.weight"]);
        assert!((updates.ratio() - 5e-4).abs() < 1e-12);
        for parameter in &mut updates.parameters {
            parameter.moved = false;
        }
        assert!(
            updates.frozen().is_empty(),
            "a rate of 0 is no frozen layer"
        );
        assert!(Updates::default().ratio().is_nan());

        let mut ratios = vec![0.5; 10];
        ratios.extend([0.001; 30]);
        let calmed = Update::of("weight".into(), true, ratios);
        assert_eq!((calmed.ratio, calmed.greatest), (0.001, 0.5));
    }
}
