"""Writes the four .ts files of this folder from the digits that scikit-learn ships.

Run from this folder, with Python 3 and nothing else:
    pip download scikit-learn==1.9.1 --no-deps --only-binary :all:
    python make.py scikit_learn-1.9.1-*.whl
A wheel is a zip archive; scikit-learn itself is not imported. The script stops if the digits are not the bytes that it
was written for.
"""

import gzip
import hashlib
import sys
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

SIDE = 8
# Where the tenth of the fourteen sheets begins; see README.md.
TRAIN = 1157

HEADER = """\
#Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0.
#Ink in 8 x 8 pixels, 0 to 16. {what}
#Made by make.py from scikit-learn's digits.csv.gz; see README.md.
@problemName Digits{name}
@timeStamps false
@missing false
@univariate {univariate}
@dimensions {dimensions}
@equalLength true
@seriesLength {steps}
@classLabel true 0 1 2 3 4 5 6 7 8 9
@data
"""


def digits(wheel):
    """Pairs of 64 pixels, row by row, and a class."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256:
        sys.exit(f"{MEMBER} has SHA-256 {found}, expected {SHA256}; use the version that this script names")
    rows = [[int(cell) for cell in line.split(",")] for line in gzip.decompress(packed).decode().split()]
    if len(rows) != 1797 or any(len(row) != SIDE * SIDE + 1 for row in rows):
        sys.exit("found another shape than 1797 rows of 64 pixels and a class")
    return [(row[:-1], row[-1]) for row in rows]


def line(pixels, label, channels):
    """One case: the image is read from its top left pixel on, `channels` pixels a step."""
    series = (",".join(str(pixel) for pixel in pixels[channel::channels]) for channel in range(channels))
    return ":".join(series) + f":{label}\n"


def main(wheel):
    cases = digits(wheel)
    forms = [
        ("Rows", SIDE, "One step for each row from the top, one channel for each column from the left."),
        ("Pixels", 1, "One step for each pixel, row by row from the top left."),
    ]
    for name, channels, what in forms:
        header = HEADER.format(
            name=name,
            what=what,
            univariate=str(channels == 1).lower(),
            dimensions=channels,
            steps=SIDE * SIDE // channels,
        )
        for split, part in (("TRAIN", cases[:TRAIN]), ("TEST", cases[TRAIN:])):
            with open(f"Digits{name}_{split}.ts", "w", newline="\n") as file:
                file.write(header)
                file.writelines(line(pixels, label, channels) for pixels, label in part)


if __name__ == "__main__":
    main(sys.argv[1])
