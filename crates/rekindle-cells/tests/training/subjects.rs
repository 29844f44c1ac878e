//! Networks that do something else in training.

use rekindle_cells::{CellDropout, Direction, Normalization, Redraw, StackConfig};

use crate::common::options::{
    BATCH_NORM, BATCH_NORM_BY_STEP, SEQUENCE_NORM, elman, gru, lstm, subject,
};
use crate::common::{AnyCell, Subject};

/// One kind of noise each.
pub fn kinds() -> Vec<(&'static str, CellDropout)> {
    let none = CellDropout::default();
    vec![
        ("input", CellDropout { input: 0.4, ..none }),
        (
            "hidden",
            CellDropout {
                hidden: 0.4,
                ..none
            },
        ),
        (
            "output",
            CellDropout {
                output: 0.4,
                ..none
            },
        ),
        (
            "candidate",
            CellDropout {
                candidate: 0.4,
                ..none
            },
        ),
        (
            "candidate of a sequence",
            CellDropout {
                candidate: 0.4,
                candidate_per: Redraw::Sequence,
                ..none
            },
        ),
        (
            "zoneout of h",
            CellDropout {
                zoneout_hidden: 0.4,
                ..none
            },
        ),
        (
            "zoneout of c",
            CellDropout {
                zoneout_cell: 0.4,
                ..none
            },
        ),
        (
            "weight",
            CellDropout {
                weight: 0.4,
                ..none
            },
        ),
    ]
}

/// All kinds of noise at once.
pub fn everything() -> CellDropout {
    CellDropout {
        input: 0.2,
        hidden: 0.3,
        output: 0.2,
        candidate: 0.3,
        candidate_per: Redraw::Step,
        zoneout_hidden: 0.2,
        zoneout_cell: 0.3,
        weight: 0.2,
    }
}

/// What an Elman cell can have of some noise.
pub fn of_elman(noise: CellDropout) -> CellDropout {
    CellDropout {
        candidate: 0.0,
        ..of_gru(noise)
    }
}

/// What a GRU can have of some noise.
pub fn of_gru(noise: CellDropout) -> CellDropout {
    CellDropout {
        zoneout_cell: 0.0,
        ..noise
    }
}

/// In both directions.
fn both_ways(name: String, cell: AnyCell) -> Subject {
    let stack = StackConfig::new().with_direction(Direction::Bidirectional);
    subject(&name, cell, stack)
}

/// In two layers.
fn two_layers(name: String, cell: AnyCell) -> Subject {
    subject(&name, cell, StackConfig::new().with_layers(2))
}

/// Cells with a norm that takes statistics of a batch.
pub fn norms() -> Vec<Subject> {
    let kinds = [
        ("batch norm", BATCH_NORM),
        ("batch norm by step", BATCH_NORM_BY_STEP),
        ("sequence norm", SEQUENCE_NORM),
    ];
    let mut subjects = Vec::new();
    for (kind, norm) in kinds {
        let cells: [(&str, AnyCell); 4] = [
            ("elman", elman().with_normalization(norm).into()),
            ("lstm", lstm().with_normalization(norm).into()),
            (
                "projected lstm",
                lstm()
                    .with_normalization(norm)
                    .with_d_projected(Some(2))
                    .into(),
            ),
            ("gru", gru().with_normalization(norm).into()),
        ];
        let cells = cells.into_iter();
        subjects.extend(cells.map(|(name, cell)| both_ways(format!("{name}: {kind}"), cell)));
    }
    subjects
}

/// Norms, noise, and both.
pub fn all() -> Vec<Subject> {
    let mut subjects = norms();
    for (kind, noise) in kinds() {
        let cell = lstm().with_dropout(noise).into();
        subjects.push(both_ways(format!("lstm: {kind}"), cell));
    }
    let noise = everything();
    for norm in [
        Normalization::None,
        Normalization::LAYER,
        BATCH_NORM_BY_STEP,
    ] {
        let cells: [AnyCell; 4] = [
            (elman().with_dropout(of_elman(noise)))
                .with_normalization(norm)
                .into(),
            lstm().with_dropout(noise).with_normalization(norm).into(),
            (lstm().with_dropout(noise))
                .with_normalization(norm)
                .with_d_projected(Some(2))
                .into(),
            (gru().with_dropout(of_gru(noise)))
                .with_normalization(norm)
                .into(),
        ];
        let cells = cells.into_iter();
        subjects.extend(cells.map(|cell| two_layers("all noise".to_string(), cell)));
    }
    subjects
}
