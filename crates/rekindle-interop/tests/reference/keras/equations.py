"""Keras's recurrent layers in float64 NumPy, written from its documentation: a second opinion."""

import numpy as np

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "linear": lambda x: x,
}


def rnn_step(x, state, weights, config):
    """h′ = activation(x kernel + h recurrent_kernel + bias)."""
    kernel, recurrent, bias = weights
    return (ACTIVATIONS[config["activation"]](x @ kernel + state[0] @ recurrent + bias),)


def lstm_step(x, state, weights, config):
    """Columns i f c o."""
    h, c = state
    kernel, recurrent, bias = weights
    gate, activation = ACTIVATIONS[config["recurrent_activation"]], ACTIVATIONS[config["activation"]]
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = gate(f) * c + gate(i) * activation(g)
    return gate(o) * activation(c), c


def gru_step(x, state, weights, config):
    """Columns z r h; the update keeps the old state; reset_after has a second row of biases."""
    (h,) = state
    kernel, recurrent, bias = weights
    gate, activation = ACTIVATIONS[config["recurrent_activation"]], ACTIVATIONS[config["activation"]]
    outer, inner = bias if config["reset_after"] else (bias, np.zeros_like(bias))
    xz, xr, xh = np.split(x @ kernel + outer, 3, axis=-1)
    rz, rr, rh = np.split(recurrent, 3, axis=-1)
    bz, br, bh = np.split(inner, 3, axis=-1)
    z = gate(xz + h @ rz + bz)
    r = gate(xr + h @ rr + br)
    product = r * (h @ rh + bh) if config["reset_after"] else (r * h) @ rh
    return (z * h + (1 - z) * activation(xh + product),)


STEPS = {"SimpleRNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def run(layer, config, x, state, weights, mask, backwards, zeros):
    """Outputs in the order in which they were computed, and the final state.

    A masked step keeps the state; its output is the one before (zero at first), or with zeros always zero.
    """
    order = list(range(x.shape[1]))
    outputs = []
    previous = np.zeros_like(state[0])
    for t in reversed(order) if backwards else order:
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t : t + 1]
        new = STEPS[layer](x[:, t], state, weights, config)
        masked = np.zeros_like(previous) if zeros else previous
        previous = np.where(keep, new[0], masked)
        state = tuple(np.where(keep, a, b) for a, b in zip(new, state))
        outputs.append(previous)
    return np.stack(outputs, axis=1), state


def merge(mode, forward, backward):
    """The two directions as one."""
    if mode == "concat":
        return np.concatenate([forward, backward], axis=-1)
    if mode == "mul":
        return forward * backward
    return (forward + backward) / (2 if mode == "ave" else 1)
