//! Broken files and the exact message for each: place, what was found, what was expected, what to do.

use rekindle_data::{LabelKind, Missing, read, read_csv};
use std::path::Path;

/// What comes before the cases of [`CASES`]: two classes.
const HEAD: &str = "@classLabel true a b\n@data\n";

/// Broken files that are no text: name, content, and the message after the path.
#[rustfmt::skip]
const BYTES: &[(&str, &[u8], &str)] = &[
    (
        "latin.ts",
        b"# \xe9t\xe9\n@classLabel true a\n@data\n1:a\n",
        ":1: found the byte 0xe9 at byte 3 of the line, expected UTF-8; save the file as UTF-8",
    ),
    (
        "latin.csv",
        b"series,time,x\ncaf\xe9,0,1\n",
        ":2: found the byte 0xe9 at byte 4 of the line, expected UTF-8; save the file as UTF-8",
    ),
    (
        "cut.csv",
        b"series,time,x\na,0,1\n\xc3",
        ":3: found the byte 0xc3 at byte 1 of the line, expected UTF-8; save the file as UTF-8",
    ),
];

/// Broken cases of `.ts` files: name, what follows [`HEAD`], and the message after the path.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    (
        "two.ts",
        "1:a\n2:c\n",
        ":4: found the label `c`, expected one of `a`, `b` as `@classLabel` says; correct the label or the header",
    ),
    (
        "case.ts",
        "1:A\n",
        ":3: found the label `A`, expected one of `a`, `b` as `@classLabel` says; correct the label or the header",
    ),
    (
        "no_label.ts",
        "1,2:a\n1,2:3,4\n",
        ":4: found no label, expected one of `a`, `b` after the last `:`; add it, or write `@classLabel false` if the \
         data has no labels",
    ),
    (
        "empty_label.ts",
        "1,2:\n",
        ":3: found no label, expected one of `a`, `b` after the last `:`; add it, or write `@classLabel false` if the \
         data has no labels",
    ),
    (
        "unknown_label.ts",
        "1,2:?\n",
        ":3: found no label, expected one of `a`, `b` after the last `:`; add it, or write `@classLabel false` if the \
         data has no labels",
    ),
    (
        "ragged.ts",
        "1,2,3:4,5:a\n",
        ":3: channel `channel2` has 2 values, expected 3 as in the first channel; all channels of a case must be \
         equally long",
    ),
    (
        "hole.ts",
        "1,2::3,4:a\n",
        ":3: channel `channel2` has 0 values, expected 2 as in the first channel; all channels of a case must be \
         equally long",
    ),
    (
        "more_channels.ts",
        "1:2:a\n1:2:3:b\n",
        ":4: found 3 channels, expected 2; separate the channels with `:`, and check the label and the headers",
    ),
    (
        "no_values.ts",
        "::a\n",
        ":3: found a sequence without values, expected at least 1 time step; remove the line",
    ),
    (
        "label_only.ts",
        "\n\na\n",
        ":5: found a sequence without values, expected at least 1 time step; remove the line",
    ),
    (
        "word.ts",
        "1,2:3,x4:a\n",
        ":3: channel `channel2`, step 2: found `x4`, expected a number, or `?` for a missing value; correct the value",
    ),
    (
        "comma.ts",
        "1,2,:a\n",
        ":3: channel `channel1`, step 3: found ``, expected a number, or `?` for a missing value; correct the value",
    ),
    (
        "long_word.ts",
        "word word word word word word word word word word:a\n",
        ":3: channel `channel1`, step 1: found `word word word word word word word word …`, expected a number, or `?` \
         for a missing value; correct the value",
    ),
    (
        "infinite.ts",
        "1,-inf:a\n",
        ":3: channel `channel1`, step 2: found `-inf`, expected a number between -3.4e38 and 3.4e38; correct the \
         value, or write `?` if it is missing",
    ),
    (
        "gap.ts",
        "1,?:a\n",
        ":3: channel `channel1`, step 2: found a missing value, expected a number; to fill gaps set `missing` to \
         \"forward_fill\", \"zero\" or \"mean\"",
    ),
    (
        "nan.ts",
        "1,2:NaN,4:a\n",
        ":3: channel `channel2`, step 1: found a missing value, expected a number; to fill gaps set `missing` to \
         \"forward_fill\", \"zero\" or \"mean\"",
    ),
    (
        "stamps.ts",
        "(2020-01-01 00:00:00,1.0):a\n",
        ":3: found time-stamped values, expected plain ones; resample the series to equal time steps and write them \
         with `@timeStamps false`",
    ),
];

/// Other broken files, most of them headers and CSV: name, content, and the message after the path.
#[rustfmt::skip]
const TEXTS: &[(&str, &str, &str)] = &[
    ("empty.ts", "", ": found an empty file, expected sequences; check how the file was written"),
    ("blank.csv", "\u{feff} \r\n\n", ": found an empty file, expected sequences; check how the file was written"),
    ("no_data.ts", "@classLabel true a\n1:a\n",
        ":2: found `1:a`, expected a comment, `@problemName`, `@timeStamps`, `@missing`, `@univariate`, \
         `@dimensions`, `@equalLength`, `@seriesLength`, `@classLabel`, `@targetLabel` or `@data`; correct the header \
         line"),
    ("typo.ts", "@clasLabel true a\n@data\n1:a\n",
        ":1: found `@clasLabel true a`, expected a comment, `@problemName`, `@timeStamps`, `@missing`, `@univariate`, \
         `@dimensions`, `@equalLength`, `@seriesLength`, `@classLabel`, `@targetLabel` or `@data`; correct the header \
         line"),
    ("headers_only.ts", "@classLabel true a\n# the end\n",
        ": found no line `@data`, expected it between headers and cases; add it, or check that the file is whole"),
    ("no_cases.ts", "@classLabel true a\n@data\n\n",
        ": found no sequences, expected at least 1; check that the file is whole"),
    ("no_label_header.ts", "@dimensions 1\n@data\n1:a\n",
        ":2: found neither `@classLabel` nor `@targetLabel` above, expected one; write `@classLabel false` if the \
         cases have no label"),
    ("stamps_header.ts", "@timeStamps true\n@classLabel true a\n@data\n(0,1):a\n",
        ":1: found time-stamped values, expected plain ones; resample the series to equal time steps and write them \
         with `@timeStamps false`"),
    ("flag.ts", "@missing maybe\n@classLabel true a\n@data\n1:a\n",
        ":1: found `@missing maybe`, expected `@missing true` or `@missing false`; correct the header line"),
    ("count.ts", "@dimensions 0\n@classLabel true a\n@data\n1:a\n",
        ":1: found `@dimensions 0`, expected `@dimensions` and a whole number of at least 1; correct the header line"),
    ("no_count.ts", "@seriesLength\n@classLabel true a\n@data\n1:a\n",
        ":1: found `@seriesLength`, expected `@seriesLength` and a whole number of at least 1; correct the header \
         line"),
    ("no_classes.ts", "@classLabel true\n@data\n1:a\n",
        ":1: found `@classLabel true`, expected `@classLabel true` and the classes, or `@classLabel false`; correct \
         the header line"),
    ("no_flag.ts", "@classLabel a b\n@data\n1:a\n",
        ":1: found `@classLabel a b`, expected `@classLabel true` and the classes, or `@classLabel false`; correct \
         the header line"),
    ("class_twice.ts", "@classLabel true a b a\n@data\n1:a\n",
        ":1: found `@classLabel true a b a`, expected the class `a` once; correct the header line"),
    ("header_twice.ts", "@dimensions 1\n@Dimensions 2\n@classLabel true a\n@data\n1:a\n",
        ":2: found `@Dimensions 2`, expected `@Dimensions` once; correct the header line"),
    ("data_words.ts", "@classLabel true a\n@data 1:a\n",
        ":2: found `@data 1:a`, expected `@data` alone; correct the header line"),
    ("two_targets.ts", "@classLabel true a\n@targetLabel true\n@data\n1:a\n",
        ":3: found both `@classLabel true` and `@targetLabel true` above, expected one of them; remove the wrong one"),
    ("univariate.ts", "@univariate true\n@dimensions 3\n@classLabel true a\n@data\n1:a\n",
        ":4: found both `@univariate true` and `@dimensions 3` above, expected one of them; remove the wrong one"),
    ("dimensions.ts", "@dimensions 3\n@classLabel true a\n@data\n1:2:a\n",
        ":4: found 2 channels, expected 3; separate the channels with `:`, and check the label and the headers"),
    ("series_length.ts", "@equalLength true\n@seriesLength 3\n@classLabel true a\n@data\n1,2:a\n",
        ":5: found 2 time steps, expected 3; complete the case, or write `@equalLength false`"),
    ("equal_length.ts", "@equalLength true\n@classLabel true a\n@data\n1,2:a\n1:a\n",
        ":5: found 1 time steps, expected 2; complete the case, or write `@equalLength false`"),
    ("target_word.ts", "@targetLabel true\n@data\n1:high\n",
        ":3: found the label `high`, expected a finite number; correct it, or use class labels"),
    ("target_nan.ts", "@targetLabel true\n@data\n1:0.5\n1:nan\n",
        ":4: found the label `nan`, expected a finite number; correct it, or use class labels"),
    ("target_none.ts", "@targetLabel true\n@data\n1,2:3,4\n",
        ":3: found no label, expected a number after the last `:`; add it, or write `@classLabel false` if the data \
         has no labels"),
    ("no_series.csv", "time,label,x\n0,a,1\n",
        ":1: found the columns `time`, `label`, `x`, expected a column `series`; the first line must be \
         `series,time,label,channel1,…` separated by commas"),
    ("semicolons.csv", "series;time;x\na;0;1\n",
        ":1: found the columns `series;time;x`, expected a column `series`; the first line must be \
         `series,time,label,channel1,…` separated by commas"),
    ("no_time.csv", "\n\nseries,x\na,1\n",
        ":3: found the columns `series`, `x`, expected a column `time`; the first line must be \
         `series,time,label,channel1,…` separated by commas"),
    ("no_channels.csv", "series,time,label\na,0,b\n",
        ":1: found no channel, expected a column besides `series`, `time` and `label`; add one per channel"),
    ("column_twice.csv", "series,time,x,y,x\na,0,1,2,3\n",
        ":1: columns 3 and 5 are both named `x`, expected one; rename or remove the other"),
    ("label_twice.csv", "series,time,label,Label,x\na,0,1,2,3\n",
        ":1: columns 3 and 4 are both named `label`, expected one; rename or remove the other"),
    ("no_name.csv", "series,time,,x\na,0,1,2\n",
        ":1: column 3 has no name, expected one; name or remove the column"),
    ("header_only.csv", "series,time,x\n",
        ": found no sequences, expected at least 1; check that the file is whole"),
    ("short_row.csv", "series,time,x,y\na,0,1,2\n\n\na,1,1\n",
        ":5: found 3 cells, expected 4 as in the first line; correct the row"),
    ("long_row.csv", "series,time,x\r\na,0,1\r\na,1,1,2\r\n",
        ":3: found 4 cells, expected 3 as in the first line; correct the row"),
    ("quote.csv", "series,time,x\na,0,\"1\na,1,2\n",
        ":2: channel `x`, step 1: found `1\na,1,2`, expected a number, or `?` for a missing value; correct the value"),
    ("no_series_name.csv", "series,time,x\n,0,1\n",
        ":2: found an empty `series`, expected a name; name the series that the row belongs to"),
    ("date.csv", "series,time,x\na,2020-01-01,1\n",
        ":2: found the time `2020-01-01`, expected a finite number; write times as numbers, such as 0, 1, 2"),
    ("time_back.csv", "series,time,x\na,0,1\na,2.5,1\nb,0,1\na,1,1\n",
        ":5: series `a` has the time 1, expected more than 2.5 of line 3; sort the rows of a series by time, without \
         repeated times"),
    ("time_twice.csv", "series,time,x\na,0,1\na,0,1\n",
        ":3: series `a` has the time 0, expected more than 0 of line 2; sort the rows of a series by time, without \
         repeated times"),
    ("two_labels.csv", "series,time,label,x\nb,0,up,1\na,0,up,1\na,1,down,1\n",
        ":4: series `a` has the label `down`, expected `up` as in line 3; give all rows of a series the same label"),
    ("no_label.csv", "series,time,label,x\na,0,up,1\na,1,,1\n",
        ":3: found no label, expected one in every row of a series; add it, or remove the column `label` if the data \
         has no labels"),
    ("word.csv", "series,time,label,x,y\na,0,up,1,2\na,1,up,1,n/a\n",
        ":3: channel `y`, step 2: found `n/a`, expected a number, or `?` for a missing value; correct the value"),
    ("infinite.csv", "series,time,x\na,0,1e39\n",
        ":2: channel `x`, step 1: found `1e39`, expected a number between -3.4e38 and 3.4e38; correct the value, or \
         write `?` if it is missing"),
    ("gap.csv", "series,time,x\na,0,1\nb,0,\n",
        ":3: channel `x`, step 1: found a missing value, expected a number; to fill gaps set `missing` to \
         \"forward_fill\", \"zero\" or \"mean\""),
];

#[test]
fn every_broken_file_has_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<(&str, Vec<u8>, &str)> = Vec::new();
    files.extend(
        BYTES
            .iter()
            .map(|&(name, content, message)| (name, content.to_vec(), message)),
    );
    files.extend(
        CASES
            .iter()
            .map(|&(name, cases, message)| (name, format!("{HEAD}{cases}").into_bytes(), message)),
    );
    files.extend(
        TEXTS
            .iter()
            .map(|&(name, text, message)| (name, text.as_bytes().to_vec(), message)),
    );
    for (name, content, message) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = match read(&path, Missing::Error, LabelKind::Class) {
            Err(error) => error.to_string(),
            Ok(set) => panic!("{name} was read: {set:?}"),
        };
        assert_eq!(error, format!("{}{message}", path.display()), "{name}");
    }
}

#[test]
fn a_channel_of_gaps_cannot_be_filled() {
    let folder = tempfile::tempdir().unwrap();
    let message = "has no value in this sequence, expected at least 1 to fill gaps from; remove the sequence, or set \
                   `missing` to \"zero\"";
    for (name, content, place) in [
        (
            "f.ts",
            "@classLabel false\n@data\n1,2:3,4\n1,2:?,?\n",
            ":4: channel `channel2`",
        ),
        (
            "f.csv",
            "series,time,x,y\na,0,1,2\nb,0,?,1\na,1,2,3\nb,1,,1\n",
            ":3: channel `x`",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        for missing in [Missing::ForwardFill, Missing::Mean] {
            let error = read(&path, missing, LabelKind::Class)
                .unwrap_err()
                .to_string();
            assert_eq!(error, format!("{}{place} {message}", path.display()));
        }
        assert!(read(&path, Missing::Zero, LabelKind::Class).is_ok());
    }
}

#[test]
fn csv_labels_that_should_be_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    std::fs::write(&path, "series,time,label,x\na,0,1,1\nb,0,up,1\n").unwrap();
    let error = read_csv(&path, Missing::Error, LabelKind::Value)
        .unwrap_err()
        .to_string();
    let message =
        ":3: found the label `up`, expected a finite number; correct it, or use class labels";
    assert_eq!(error, format!("{}{message}", path.display()));
}

#[test]
fn paths_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder.ts")).unwrap();
    std::fs::write(folder.path().join("file.txt"), "1").unwrap();
    std::fs::write(folder.path().join("plain"), "1").unwrap();
    for (name, message) in [
        (
            "none.ts",
            "found no such file, expected a `.ts` or `.csv` file; check the path and the current folder",
        ),
        (
            "none.csv",
            "found no such file, expected a `.ts` or `.csv` file; check the path and the current folder",
        ),
        (
            "file.txt/a.ts",
            "found no such file, expected a `.ts` or `.csv` file; check the path and the current folder",
        ),
        (
            "folder.ts",
            "found a folder, expected a file; name a `.ts` or `.csv` file in it",
        ),
        (
            "",
            "found a folder, expected a file; name a `.ts` or `.csv` file in it",
        ),
        (
            "file.txt",
            "found the extension `.txt`, expected `.ts` or `.csv`; convert the file to one of the two",
        ),
        (
            "plain",
            "found no extension, expected `.ts` or `.csv`; convert the file to one of the two",
        ),
    ] {
        let path = folder.path().join(name);
        let error = read(&path, Missing::Error, LabelKind::Class)
            .unwrap_err()
            .to_string();
        assert_eq!(error, format!("{}: {message}", path.display()));
    }
    assert!(read(Path::new(""), Missing::Error, LabelKind::Class).is_err());
}
