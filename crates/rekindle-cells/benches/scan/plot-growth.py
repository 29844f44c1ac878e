#!/usr/bin/env python3
"""Draws how the cost of a scan grows with steps and with the batch, from reports of `cargo xtask bench scan --json`.

Usage: plot-growth.py STEPS.json BATCH.json OUT.svg

STEPS.json has cases that differ in T, BATCH.json cases that differ in B, both of one cell in the mode `train`. The left
panel shows microseconds per step over T, the right one microseconds per step and row over B; both axes are logarithmic.
Python's standard library is enough.
"""

import json
import math
import sys

WIDTH, HEIGHT, MARGIN = 360, 260, 52


def points(path, x, per):
    """Sorted pairs of `x` and the median's microseconds, divided by `per`."""
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    return sorted((case["shape"][x], case["ours"]["median"] * 1e6 / per(case["shape"])) for case in cases)


def panel(left, data, title, x_label, y_label):
    """One panel as a list of SVG elements."""
    xs, ys = [math.log10(x) for x, _ in data], [math.log10(y) for _, y in data]
    low_x, high_x = min(xs), max(xs)
    low_y, high_y = math.floor(min(ys)), math.ceil(max(ys))
    plot_width, plot_height = WIDTH - MARGIN - 16, HEIGHT - MARGIN - 34

    def at(x, y):
        return (
            left + MARGIN + (x - low_x) / (high_x - low_x) * plot_width,
            34 + (high_y - y) / (high_y - low_y) * plot_height,
        )

    bottom = 34 + plot_height
    parts = [
        f'<text x="{left + MARGIN}" y="20" font-weight="bold">{title}</text>',
        f'<text x="{left + MARGIN + plot_width / 2}" y="{bottom + 40}" text-anchor="middle">{x_label}</text>',
        f'<text transform="translate({left + 14} {34 + plot_height / 2}) rotate(-90)" text-anchor="middle">{y_label}</text>',
    ]
    for power in range(low_y, high_y + 1):
        _, y = at(low_x, power)
        parts.append(f'<line x1="{left + MARGIN}" x2="{left + MARGIN + plot_width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left + MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
    for x, label in zip(xs, data):
        parts.append(f'<text x="{at(x, low_y)[0]:.1f}" y="{bottom + 18}" text-anchor="middle">{label[0]}</text>')
    line = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in zip(xs, ys))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#c2410c" stroke-width="2"/>')
    for x, y, (_, value) in zip(xs, ys, data):
        px, py = at(x, y)
        parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" fill="#c2410c"/>')
        parts.append(f'<text x="{px:.1f}" y="{py - 9:.1f}" text-anchor="middle" fill="#7c2d12">{value:.3g}</text>')
    return parts


def main():
    steps, batch, out = sys.argv[1:]
    parts = panel(0, points(steps, "seq", lambda shape: shape["seq"]), "Longer sequences", "steps T", "µs per step")
    parts += panel(WIDTH, points(batch, "batch", lambda shape: shape["seq"] * shape["batch"]), "Larger batches", "rows B", "µs per step and row")
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">\n')
        file.write(f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="white"/>\n')
        file.write("\n".join(parts) + "\n</svg>\n")


if __name__ == "__main__":
    main()
