"""Makes train.csv, valid.csv and test.csv from the npm package vega-datasets 3.2.1.

    curl -O https://registry.npmjs.org/vega-datasets/-/vega-datasets-3.2.1.tgz
    tar xzf vega-datasets-3.2.1.tgz package/data/seattle-weather.csv
    python3 make.py package/data/seattle-weather.csv

One series a file, one step a day: 2012 and 2013 for training, 2014 for validation, 2015 for testing. `time` counts days from
the first one. The kind of weather is the label of a day; the season is told by the sine and cosine of the day of the year.
"""

import csv
import datetime
import math
import pathlib
import sys

PARTS = {"train": (2012, 2013), "valid": (2014,), "test": (2015,)}

with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
first = datetime.date.fromisoformat(rows[0]["date"])
for part, years in PARTS.items():
    path = pathlib.Path(__file__).parent / f"{part}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        channels = ["precipitation", "temp_max", "temp_min", "wind"]
        writer.writerow(["series", "time", "label", *channels, "sine", "cosine"])
        count = 0
        for row in rows:
            day = datetime.date.fromisoformat(row["date"])
            if day.year not in years:
                continue
            angle = 2 * math.pi * (day.timetuple().tm_yday - 1) / 365.25
            season = [f"{math.sin(angle):.4f}", f"{math.cos(angle):.4f}"]
            values = [row[channel] for channel in channels]
            writer.writerow(["seattle", (day - first).days, row["weather"], *values, *season])
            count += 1
    print(f"{part}: {count} days")
