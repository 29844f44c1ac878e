"""The ONNX operators RNN, GRU and LSTM in float64, written from the specification.

An opinion of its own beside ONNX Runtime and onnx's ReferenceEvaluator: it shares no code with either. Where
the specification is silent or ONNX Runtime reads it in its own way, this file follows ONNX Runtime 1.32;
README.md lists those places.
"""

import numpy as np

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DEFAULT_ACTIVATIONS = {
    "RNN": ["Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
}

# name: (function of x, alpha, beta; default of alpha; default of beta), None where it takes none.
# A default of NaN makes a result useless on purpose: ONNX states none, or ONNX Runtime takes another.
ACTIVATIONS = {
    "relu": (lambda x, a, b: np.maximum(x, 0), None, None),
    "tanh": (lambda x, a, b: np.tanh(x), None, None),
    "sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), None, None),
    "affine": (lambda x, a, b: a * x + b, np.nan, np.nan),
    "leakyrelu": (lambda x, a, b: np.where(x >= 0, x, a * x), 0.01, None),
    "thresholdedrelu": (lambda x, a, b: np.where(x > a, x, 0), np.nan, None),
    "scaledtanh": (lambda x, a, b: a * np.tanh(b * x), np.nan, np.nan),
    "hardsigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), 0.2, 0.5),
    "elu": (lambda x, a, b: np.where(x >= 0, x, a * np.expm1(np.minimum(x, 0))), 1.0, None),
    "softsign": (lambda x, a, b: x / (1 + np.abs(x)), None, None),
    "softplus": (lambda x, a, b: np.logaddexp(0, x), None, None),
}


def activations(op, attributes, directions):
    """A list of functions per direction; those that have alpha or beta take the next one, in order."""
    names = attributes.get("activations", DEFAULT_ACTIVATIONS[op] * directions)
    alphas = iter(attributes.get("activation_alpha", []))
    betas = iter(attributes.get("activation_beta", []))
    functions = []
    for name in names:
        function, alpha, beta = ACTIVATIONS[name.lower()]
        alpha = None if alpha is None else next(alphas, alpha)
        beta = None if beta is None else next(betas, beta)
        functions.append(lambda x, f=function, a=alpha, b=beta: f(x, a, b))
    each = len(DEFAULT_ACTIVATIONS[op])
    assert len(functions) == each * directions, (op, names)
    return [functions[each * k : each * (k + 1)] for k in range(directions)]


def rnn_step(x, state, weights, functions, attributes, clip):
    """Ht = f(Xt Wᵀ + Ht-1 Rᵀ + Wb + Rb)."""
    (h,) = state
    (w,), (r,), (wb, rb), _ = weights
    return (functions[0](clip(x @ w.T + h @ r.T + wb + rb)),)


def gru_step(x, state, weights, functions, attributes, clip):
    """Gates z r h; the reset acts on the state, or with linear_before_reset on its product and bias."""
    (h,) = state
    (wz, wr, wh), (rz, rr, rh), (wbz, wbr, wbh, rbz, rbr, rbh), _ = weights
    f, g = functions
    z = f(clip(x @ wz.T + h @ rz.T + wbz + rbz))
    r = f(clip(x @ wr.T + h @ rr.T + wbr + rbr))
    if attributes.get("linear_before_reset", 0):
        inner = r * (h @ rh.T + rbh)
    else:
        inner = (r * h) @ rh.T + rbh
    new = g(clip(x @ wh.T + inner + wbh))
    return ((1 - z) * new + z * h,)


def lstm_step(x, state, weights, functions, attributes, clip):
    """Gates i o f c; peepholes i o f look at Ct-1, o at Ct; clip leaves the cell alone."""
    h, c = state
    (wi, wo, wf, wc), (ri, ro, rf, rc), (wbi, wbo, wbf, wbc, rbi, rbo, rbf, rbc), (pi, po, pf) = weights
    gate, candidate, output = functions
    i = gate(clip(x @ wi.T + h @ ri.T + pi * c + wbi + rbi))
    if attributes.get("input_forget", 0):
        f = 1 - i
    else:
        f = gate(clip(x @ wf.T + h @ rf.T + pf * c + wbf + rbf))
    new = candidate(clip(x @ wc.T + h @ rc.T + wbc + rbc))
    cell = f * c + i * new
    o = gate(clip(x @ wo.T + h @ ro.T + po * cell + wbo + rbo))
    return o * output(cell), cell


STEPS = {"RNN": rnn_step, "GRU": gru_step, "LSTM": lstm_step}


def run_row(op, x, state, weights, functions, attributes, reverse):
    """Hidden states and final state of one row of one direction; x [length, input_size]."""
    limit = attributes.get("clip")
    clip = (lambda v: v) if limit is None else (lambda v: np.clip(v, -limit, limit))
    order = range(len(x))
    hidden = np.zeros((len(x), len(state[0])))
    if not len(x):
        state = tuple(np.zeros_like(value) for value in state)
    for t in reversed(order) if reverse else order:
        state = STEPS[op](x[t], state, weights, functions, attributes, clip)
        hidden[t] = state[0]
    return hidden, state


def split_weights(op, inputs, direction, hidden_size):
    """W and R by gate, B as Wb by gate then Rb by gate, P by gate; zeros where absent."""
    gates = GATES[op]
    bias = inputs["B"][direction] if inputs.get("B") is not None else np.zeros(2 * gates * hidden_size)
    peepholes = inputs["P"][direction] if inputs.get("P") is not None else np.zeros(3 * hidden_size)
    return (
        np.split(inputs["W"][direction], gates),
        np.split(inputs["R"][direction], gates),
        np.split(bias, 2 * gates),
        np.split(peepholes, 3),
    )


def run(op, attributes, inputs):
    """Outputs by name; inputs float64 by ONNX's names, absent ones None."""
    batchwise = attributes.get("layout", 0) == 1
    x = inputs["X"] if batchwise else inputs["X"].swapaxes(0, 1)
    batch, seq, _ = x.shape
    hidden_size = inputs["R"].shape[-1]
    directions = inputs["W"].shape[0]
    lengths = inputs.get("sequence_lens")
    lengths = [seq] * batch if lengths is None else lengths
    names = ["h", "c"] if op == "LSTM" else ["h"]
    initial = [inputs.get(f"initial_{name}") for name in names]
    zeros = np.zeros((batch, directions, hidden_size))
    initial = [zeros if v is None else v if batchwise else v.swapaxes(0, 1) for v in initial]

    y = np.zeros((batch, seq, directions, hidden_size))
    final = [np.zeros_like(zeros) for _ in names]
    functions = activations(op, attributes, directions)
    for k in range(directions):
        reverse = attributes.get("direction") == "reverse" or k == 1
        weights = split_weights(op, inputs, k, hidden_size)
        for row, length in enumerate(lengths):
            state = tuple(value[row, k] for value in initial)
            hidden, state = run_row(op, x[row, :length], state, weights, functions[k], attributes, reverse)
            y[row, :length, k] = hidden
            for target, value in zip(final, state):
                target[row, k] = value
    if not batchwise:
        y = y.transpose(1, 2, 0, 3)
        final = [value.swapaxes(0, 1) for value in final]
    return {"Y": y} | {f"Y_{name}": value for name, value in zip(names, final)}
