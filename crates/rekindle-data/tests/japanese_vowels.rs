//! The shipped data set: what is in it, and what reading, scaling, splitting and loading do to it.

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use rekindle_data::{
    Label, LabelKind, Missing, Sequence, SequenceLoader, SequenceSet, Standardizer, Target, read,
    read_csv, stratified_split,
};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

fn vowels(part: &str) -> SequenceSet {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../data/japanese-vowels"
    ));
    read(
        &folder.join(format!("JapaneseVowels_{part}.ts")),
        Missing::Error,
        LabelKind::Class,
    )
    .unwrap()
}

fn lengths(set: &SequenceSet) -> Vec<usize> {
    set.sequences.iter().map(Sequence::len).collect()
}

#[test]
fn both_files_are_what_the_readme_says() {
    let (train, test) = (vowels("TRAIN"), vowels("TEST"));
    assert_eq!(train.class_counts(), [30; 9]);
    assert_eq!(test.class_counts(), [31, 35, 88, 44, 29, 24, 40, 50, 29]);
    for (set, sequences, longest, steps) in [(&train, 270, 26, 4274), (&test, 370, 29, 5687)] {
        assert_eq!(
            (set.len(), set.n_channels(), set.max_len()),
            (sequences, 12, longest)
        );
        assert_eq!(lengths(set).iter().min(), Some(&7));
        assert_eq!(lengths(set).iter().sum::<usize>(), steps);
        let classes = (1..=9).map(|class| class.to_string()).collect();
        assert_eq!(set.target, Target::Classes(classes));
    }
    assert_eq!(
        (train.channels[0].as_str(), train.channels[11].as_str()),
        ("channel1", "channel12")
    );
    test.check_channels(&train.channels).unwrap();
    assert_eq!(test.align_classes(train.classes()).unwrap(), test);
}

/// The first numbers of the first case of the training file: 20 steps, channels 1 and 2.
#[test]
fn values_stand_at_their_step_and_channel() {
    let train = vowels("TRAIN");
    let first = &train.sequences[0];
    assert_eq!((first.len(), first.label.clone()), (20, Label::Class(0)));
    assert_eq!(first.step(0)[..2], [1.860936, -0.207383]);
    assert_eq!(first.step(1)[..2], [1.891651, -0.193249]);
    assert_eq!(first.step(19)[..2], [1.261441, -0.63835]);
}

/// The training set written as CSV, with the rows of two series interleaved throughout, reads as the same set.
#[test]
fn csv_holds_the_same_set() {
    let train = vowels("TRAIN");
    let mut text = format!("series,time,label,{}\n", train.channels.join(","));
    for pair in train.sequences.chunks(2).enumerate() {
        for step in 0..train.max_len() {
            for (side, sequence) in pair
                .1
                .iter()
                .enumerate()
                .filter(|(_, sequence)| step < sequence.len())
            {
                let label = &train.classes()[sequence.label.class().unwrap()];
                write!(text, "s{},{step},{label}", 2 * pair.0 + side).unwrap();
                sequence
                    .step(step)
                    .iter()
                    .for_each(|value| write!(text, ",{value}").unwrap());
                text.push('\n');
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv");
    std::fs::write(&path, text).unwrap();
    let mut copy = read_csv(&path, Missing::Error, LabelKind::Class).unwrap();
    for (index, sequence) in copy.sequences.iter_mut().enumerate() {
        assert_eq!(sequence.id.take(), Some(format!("s{index}")));
    }
    copy.source = train.source.clone();
    assert!(copy == train);
}

/// The scaler against moments computed another way (Welford's update), and what it does to the training set.
#[test]
fn the_scaled_training_set_has_mean_0_and_variance_1() {
    let train = vowels("TRAIN");
    let scaler = Standardizer::fit(&train);
    let scaled = scaler.apply(&train);
    for channel in 0..12 {
        let moments = |set: &SequenceSet| {
            let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
            for step in set.sequences.iter().flat_map(Sequence::steps) {
                let delta = f64::from(step[channel]) - mean;
                count += 1.0;
                mean += delta / count;
                squares += delta * (f64::from(step[channel]) - mean);
            }
            (mean, squares / count)
        };
        let (mean, variance) = moments(&train);
        assert!((scaler.mean[channel] - mean).abs() < 1e-13);
        assert!((scaler.std[channel] - variance.sqrt()).abs() < 1e-13);
        // The scaled values are rounded to f32, half a unit in the 24th bit each.
        let (mean, variance) = moments(&scaled);
        assert!(
            mean.abs() < 1e-8 && (variance - 1.0).abs() < 1e-7,
            "{mean} {variance}"
        );
    }
    let back = scaler.inverse(&scaled);
    for (original, back) in train.sequences.iter().zip(&back.sequences) {
        for (x, y) in original.values().iter().zip(back.values()) {
            assert!((x - y).abs() <= 4.0 * f32::EPSILON, "{x} {y}");
        }
    }
}

#[test]
fn the_validation_split_has_every_speaker() {
    let (rest, held_out) = stratified_split(&vowels("TRAIN"), 0.2, 42).unwrap();
    assert_eq!(
        (rest.class_counts(), held_out.class_counts()),
        (vec![24; 9], vec![6; 9])
    );
}

/// The part of a padded epoch that is padding.
fn waste(loader: &SequenceLoader, epochs: usize) -> f64 {
    let (mut valid, mut all) = (0, 0);
    for batch in (0..epochs).flat_map(|_| loader.iter()) {
        let batch = batch.unwrap();
        let [rows, seq, _] = batch.input.dims();
        valid += batch.lengths.iter().sum::<usize>();
        all += rows * seq;
    }
    1.0 - valid as f64 / all as f64
}

#[test]
fn pools_save_padding() {
    let (set, device) = (Arc::new(vowels("TEST")), Device::default());
    let pooled = |pool| {
        waste(
            &SequenceLoader::shuffled(set.clone(), 16, 1, &device).with_pool(pool),
            20,
        )
    };
    let default = waste(&SequenceLoader::shuffled(set.clone(), 16, 1, &device), 20);
    let sorted = waste(&SequenceLoader::sequential(set.clone(), 16, &device), 1);
    let wastes = [pooled(1), pooled(2), pooled(4), pooled(8)];
    assert!(
        wastes.is_sorted_by(|left, right| left > right),
        "{wastes:?}"
    );
    assert_eq!(default, wastes[3]);
    assert!(default < 0.25 * wastes[0], "{wastes:?}");
    assert!(sorted < 0.5 * default, "{sorted} {default}");
}
