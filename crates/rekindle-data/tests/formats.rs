//! Small files for each rule of the two formats, with the set that they must give.

use rekindle_data::{Label, LabelKind, Missing, ReadError, SequenceSet, Target, read, read_csv};

/// Writes `text` under `name` and reads it.
fn file(name: &str, text: &str, missing: Missing) -> Result<SequenceSet, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path, missing, LabelKind::Class)
}

fn ts(text: &str) -> SequenceSet {
    file("f.ts", text, Missing::Error).unwrap()
}

fn csv(text: &str) -> SequenceSet {
    file("f.csv", text, Missing::Error).unwrap()
}

fn values(set: &SequenceSet) -> Vec<Vec<f32>> {
    set.sequences
        .iter()
        .map(|sequence| sequence.values().to_vec())
        .collect()
}

fn labels(set: &SequenceSet) -> Vec<Label> {
    set.sequences
        .iter()
        .map(|sequence| sequence.label.clone())
        .collect()
}

fn classes(names: &[&str]) -> Target {
    Target::Classes(names.iter().map(|&name| name.to_owned()).collect())
}

const TS: &str = "\
# comment
@problemName Small
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true z a
@data
1,2,3:10,20,30:a

# between cases
4:40:z
";

const CSV: &str = "\
series,time,label,channel1,channel2
one,0,a,1,10
one,1,a,2,20
one,2,a,3,30
two,0,z,4,40
";

#[test]
fn ts_values_lie_by_step() {
    let set = ts(TS);
    assert_eq!(
        values(&set),
        [vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0], vec![4.0, 40.0]]
    );
    assert_eq!(
        (set.target.clone(), labels(&set)),
        (classes(&["z", "a"]), vec![Label::Class(1), Label::Class(0)])
    );
    assert_eq!(set.channels, ["channel1", "channel2"]);
    assert!(set.sequences.iter().all(|sequence| sequence.id.is_none()));
}

#[test]
fn csv_gives_the_same_sequences_with_names_and_sorted_classes() {
    let (set, same) = (csv(CSV), ts(TS));
    assert_eq!(
        (values(&set), &set.channels),
        (values(&same), &same.channels)
    );
    assert_eq!(
        (set.target.clone(), labels(&set)),
        (classes(&["a", "z"]), vec![Label::Class(0), Label::Class(1)])
    );
    assert_eq!(
        set.align_classes(same.classes())
            .map(|set| labels(&set))
            .unwrap(),
        labels(&same)
    );
    let ids: Vec<_> = set
        .sequences
        .iter()
        .map(|sequence| sequence.id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["one", "two"]);
}

/// A byte order mark, CRLF, spaces around values, a last line without an end, capitals in the extension.
#[test]
fn dressed_files_read_as_plain_ones() {
    for (name, plain) in [("f.TS", TS), ("f.Csv", CSV)] {
        let crlf = format!("\u{feff}{}", plain.trim_end().replace('\n', "\r\n"));
        let spaced = plain.replace(',', " ,\t").replace(':', " : ");
        let expected = file(name, plain, Missing::Error).unwrap();
        for text in [crlf, spaced] {
            let set = file(name, &text, Missing::Error).unwrap();
            assert_eq!(
                (values(&set), labels(&set)),
                (values(&expected), labels(&expected))
            );
            assert_eq!(
                (set.channels, set.target),
                (expected.channels.clone(), expected.target.clone())
            );
        }
    }
}

#[test]
fn ts_headers_and_comments_in_other_dress() {
    let set = ts(
        "%# old comment\n@PROBLEMNAME a\n@problemName b\n@TimeStamps False\n@MISSING false\n@Dimension 1\n\
                  @CLASSLABEL True Up Down\n@Data\n1,2:Down\n",
    );
    assert_eq!(
        (values(&set), labels(&set)),
        (vec![vec![1.0, 2.0]], vec![Label::Class(1)])
    );
}

#[test]
fn ts_with_numbers_as_labels() {
    let set = ts("@targetLabel true\n@data\n1,2:0.5\n3:-1e-3\n");
    assert_eq!(
        (set.target.clone(), labels(&set)),
        (
            Target::Values,
            vec![Label::Value(0.5), Label::Value(-0.001)]
        )
    );
    assert!(set.classes().is_empty() && set.class_counts().is_empty());
}

#[test]
fn ts_without_labels() {
    let set = ts("@classLabel false\n@data\n1,2:3,4\n5:6\n");
    assert_eq!(
        (set.target.clone(), labels(&set)),
        (Target::None, vec![Label::None; 2])
    );
    assert_eq!(values(&set), [vec![1.0, 3.0, 2.0, 4.0], vec![5.0, 6.0]]);
}

#[test]
fn ts_of_one_channel_and_equal_length() {
    let set = ts(
        "@univariate true\n@equalLength true\n@seriesLength 2\n@classLabel true 1\n@data\n1,2:1\n3,4:1\n",
    );
    assert_eq!(
        (set.n_channels(), values(&set)),
        (1, vec![vec![1.0, 2.0], vec![3.0, 4.0]])
    );
    // Without `@equalLength true` the length is a remark.
    let set = ts("@seriesLength 9\n@classLabel true 1\n@data\n1,2:1\n3:1\n");
    assert_eq!(values(&set), [vec![1.0, 2.0], vec![3.0]]);
}

#[test]
fn csv_columns_in_any_order_and_case() {
    let set = csv("speed,LABEL,Time,Height,Series\n1,a,0.5,10,s\n2,a,1e3,20,s\n");
    assert_eq!(
        (set.channels.as_slice(), values(&set)),
        (
            ["speed".into(), "Height".into()].as_slice(),
            vec![vec![1.0, 10.0, 2.0, 20.0]]
        )
    );
    assert_eq!(set.sequences[0].id.as_deref(), Some("s"));
}

#[test]
fn csv_rows_of_a_series_need_not_follow_each_other() {
    let set = csv("series,time,x\nb,0,1\na,-5,10\nb,1,2\na,0,20\n\nb,7,3\n");
    assert_eq!(values(&set), [vec![1.0, 2.0, 3.0], vec![10.0, 20.0]]);
    assert_eq!(
        (set.target, set.sequences[0].id.as_deref()),
        (Target::None, Some("b"))
    );
}

#[test]
fn csv_quotes_protect_commas() {
    let set = csv("series,time,label,\"a, b\"\n\"s,1\",0,\"x\"\"y\",\"1\"\n");
    assert_eq!(
        (set.channels.as_slice(), set.target),
        (["a, b".to_owned()].as_slice(), classes(&["x\"y"]))
    );
    assert_eq!(set.sequences[0].id.as_deref(), Some("s,1"));
}

#[test]
fn csv_classes_are_sorted_by_number_if_all_are_numbers() {
    let file = |names: &[&str]| {
        let rows: String = names
            .iter()
            .enumerate()
            .map(|(row, name)| format!("s{row},0,{name},1\n"))
            .collect();
        csv(&format!("series,time,label,x\n{rows}")).target
    };
    assert_eq!(
        file(&["10", "9", "-1", "9", "2.5"]),
        classes(&["-1", "2.5", "9", "10"])
    );
    assert_eq!(
        file(&["10", "9", "b", "NaN"]),
        classes(&["10", "9", "NaN", "b"])
    );
    assert_eq!(file(&["1.0", "1"]), classes(&["1", "1.0"]));
}

#[test]
fn csv_with_numbers_as_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    std::fs::write(&path, "series,time,label,x\na,0,1.5,1\nb,0,-2,1\n").unwrap();
    let set = read_csv(&path, Missing::Error, LabelKind::Value).unwrap();
    assert_eq!(
        (set.target.clone(), labels(&set)),
        (Target::Values, vec![Label::Value(1.5), Label::Value(-2.0)])
    );
}

#[test]
fn gaps_are_filled_alike_in_both_formats() {
    let ts = "@missing false\n@classLabel false\n@data\n?,2,NaN,6:1,nan,?,1\n5:7\n";
    let csv = "series,time,x,y\na,0,,1\na,1,2,NAN\nb,0,5,7\na,2,?,\na,3,6,1\n";
    for (missing, first) in [
        (
            Missing::ForwardFill,
            [2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 6.0, 1.0],
        ),
        (Missing::Zero, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 6.0, 1.0]),
        (Missing::Mean, [4.0, 1.0, 2.0, 1.0, 4.0, 1.0, 6.0, 1.0]),
    ] {
        for (name, text) in [("f.ts", ts), ("f.csv", csv)] {
            let set = file(name, text, missing).unwrap();
            assert_eq!(
                values(&set),
                [first.to_vec(), vec![5.0, 7.0]],
                "{missing:?} {name}"
            );
        }
    }
}
