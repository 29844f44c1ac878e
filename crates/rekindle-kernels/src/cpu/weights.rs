//! The packed weights of a scan, and of its derivative.

use super::factor::Factor;
use super::geometry::Geometry;
use super::pack::{GateRows, Gates, Packed, Transposed};
use super::product::Inner;
use super::vector::Element;
use super::{Operands, Plan, buffer::Buffer};

/// All weights of a scan, packed.
pub(super) struct Weights<F> {
    pub(super) ih: Factor<F>,
    pub(super) bias_ih: Packed<F>,
    /// Of all states that are read, one below the other.
    pub(super) hh: Factor<F>,
    pub(super) bias_hh: Packed<F>,
    /// Of the middle vector, with the bias of the last gate.
    pub(super) middle: Option<(Factor<F>, Packed<F>)>,
    pub(super) projection: Option<Factor<F>>,
    /// The parameters that units have for themselves, `[parameter, row]`; `None`: all zero.
    pub(super) units: Option<Buffer<F>>,
}

impl<F: Element> Weights<F> {
    pub(super) fn pack(operands: &Operands<'_, F>, geometry: &Geometry, plan: &Plan) -> Self {
        let Geometry {
            gates, d_hidden, ..
        } = *geometry;
        let by_units = geometry.by_units();
        let packed = gates * d_hidden;
        let others = packed - d_hidden;
        let whole = Inner::whole(d_hidden);
        let [bias_ih, bias_hh] = operands.biases.unwrap_or_default();
        // The last gate's bias comes with the product of the middle vector.
        let of_states = if geometry.middle { others } else { packed };
        let of_states = bias_hh.get(..of_states).unwrap_or_default();
        let of_middle = || {
            let wide = geometry.wide(d_hidden);
            let weight = operands.weights_hh[geometry.reads - 1];
            let rows: Vec<&[F]> = weight
                .chunks_exact(packed)
                .map(|row| &row[others..])
                .collect();
            let bias = bias_hh.get(others..).unwrap_or_default();
            (
                Factor::pack((plan, geometry), GateRows::new(&rows, wide, 1), whole),
                Packed::gates(plan, wide, 1, &[bias]),
            )
        };
        let ih: Vec<&[F]> = operands.weight_ih.chunks_exact(packed).collect();
        Self {
            ih: Factor::pack(
                (plan, geometry),
                GateRows::new(&ih, by_units, gates),
                Inner::whole(plan.d_input),
            ),
            bias_ih: Packed::gates(plan, by_units, gates, &[bias_ih]),
            hh: recurrent(operands, geometry, plan),
            bias_hh: Packed::gates(plan, by_units, gates, &[of_states]),
            middle: geometry.middle.then(of_middle),
            projection: operands.projection.map(|weight| {
                let width = geometry.d_output();
                let rows: Vec<&[F]> = weight.chunks_exact(width).collect();
                let rows = GateRows::new(&rows, geometry.wide(width), 1);
                Factor::pack((plan, geometry), rows, whole)
            }),
            units: units(operands, geometry),
        }
    }
}

/// The recurrent weights, one state below the other.
fn recurrent<F: Element>(
    operands: &Operands<'_, F>,
    geometry: &Geometry,
    plan: &Plan,
) -> Factor<F> {
    let packed = geometry.gates * geometry.d_hidden;
    let mut rows: Vec<&[F]> = Vec::with_capacity(geometry.reads * geometry.recurrent_rows());
    for (state, weight) in operands.weights_hh.iter().enumerate() {
        let of_middle = geometry.middle && state + 1 == geometry.reads;
        let columns = if of_middle {
            packed - geometry.d_hidden
        } else {
            packed
        };
        rows.extend(weight.chunks_exact(packed).map(|row| &row[..columns]));
        rows.resize((state + 1) * geometry.recurrent_rows(), &[]);
    }
    let inner = Inner {
        pieces: geometry.reads,
        stride: geometry.row_width(),
        length: geometry.recurrent_rows(),
    };
    let rows = GateRows::new(&rows, geometry.by_units(), geometry.recurrent_gates());
    Factor::pack((plan, geometry), rows, inner)
}

/// The numbers that units have for themselves, `[number, row]`: first the parameters, then zeros.
pub(super) fn units<F: Element>(
    operands: &Operands<'_, F>,
    geometry: &Geometry,
) -> Option<Buffer<F>> {
    let row = geometry.row_width();
    let of_units = &operands.units;
    (!of_units.is_empty()).then(|| {
        let buffer: Buffer<F> = Buffer::zeros(geometry.unit_values * row);
        for (index, values) in of_units.iter().enumerate() {
            // SAFETY: the buffer has this row, which is no shorter; there are no more parameters than numbers.
            unsafe {
                let to = buffer.start().add(index * row);
                to.copy_from_nonoverlapping(values.as_ptr(), values.len());
            }
        }
        buffer
    })
}

/// The weights of a backward scan, transposed and packed.
pub(super) struct TransposedWeights<F> {
    /// Absent where the input needs no gradient.
    pub(super) ih: Option<Transposed<F>>,
    /// One for each state that is read.
    pub(super) hh: Vec<Transposed<F>>,
    pub(super) middle: Option<Transposed<F>>,
    pub(super) projection: Option<Transposed<F>>,
    /// The parameters of units, a row width apart.
    pub(super) units: Option<Buffer<F>>,
}

impl<F: Element> TransposedWeights<F> {
    /// Packs them; `W_ih` only if the input needs a gradient.
    pub(super) fn pack(
        plan: &Plan,
        operands: &Operands<'_, F>,
        geometry: &Geometry,
        input: bool,
    ) -> Self {
        let of_gates = |weight: &[F], columns, slots: Vec<usize>, panels| {
            let gates = Gates {
                panels,
                slots,
                of_weight: geometry.gates,
            };
            Transposed::pack(weight, columns, gates, geometry, plan)
        };
        let by_units = geometry.by_units();
        let all = || (0..geometry.gates).collect();
        let ih = || of_gates(operands.weight_ih, plan.d_input, all(), by_units);
        let hh = operands.weights_hh.iter().enumerate();
        let hh = hh.map(|(state, weight)| {
            let slots = geometry.hidden_gates(geometry.hidden_slots(state));
            let columns = weight.len() / (geometry.gates * geometry.d_hidden);
            of_gates(weight, columns, slots, by_units)
        });
        let middle = || {
            let weight = operands.weights_hh[geometry.reads - 1];
            let wide = geometry.wide(geometry.d_hidden);
            of_gates(weight, geometry.d_hidden, vec![geometry.gates - 1], wide)
        };
        Self {
            ih: input.then(ih),
            hh: hh.collect(),
            middle: geometry.middle.then(middle),
            projection: operands.projection.map(|weight| {
                let gates = Gates {
                    panels: geometry.wide(geometry.d_output()),
                    slots: vec![0],
                    of_weight: 1,
                };
                Transposed::pack(weight, geometry.d_hidden, gates, geometry, plan)
            }),
            units: units(operands, geometry),
        }
    }
}
