//! Checks of the page of a study: coordinates by hand, text that stays text, and studies of every size.

use super::super::tests::{HOSTILE, assert_well_formed, tags};
use super::*;

fn lr() -> StudyParameter {
    StudyParameter {
        name: "training.lr".into(),
        domain: StudyDomain::Number {
            low: 1e-4,
            high: 1e-2,
            scale: Scale::Log10,
        },
    }
}

fn cell() -> StudyParameter {
    StudyParameter {
        name: "model.cell".into(),
        domain: StudyDomain::Choice {
            labels: vec!["gru".into(), "lstm".into()],
        },
    }
}

fn setting(place: f64, text: &str) -> Option<StudySetting> {
    Some(StudySetting::new(place, text))
}

/// Two complete trials and a pruned one, which has no cell; the first is the best.
fn small() -> StudyPage {
    let trial = |number, value, settings| StudyTrial {
        number,
        state: StudyState::Complete,
        value: Some(value),
        settings,
        ..StudyTrial::default()
    };
    let best = StudyTrial {
        curve: vec![(1.0, 4.0), (2.0, 3.0), (3.0, 2.0)],
        seconds: Some(12.5),
        ..trial(0, 2.0, vec![setting(1e-3, "0.001"), setting(0.0, "gru")])
    };
    let worst = trial(1, 4.0, vec![setting(1e-2, "0.01"), setting(1.0, "lstm")]);
    let pruned = StudyTrial {
        number: 2,
        state: StudyState::Pruned,
        settings: vec![setting(1e-4, "0.0001"), None],
        curve: vec![(1.0, 4.0), (2.0, 3.0)],
        ..StudyTrial::default()
    };
    StudyPage {
        title: "Search".into(),
        value: "valid loss (nats)".into(),
        step: "epoch".into(),
        parameters: vec![lr(), cell()],
        trials: vec![best, worst, pruned],
        ..StudyPage::default()
    }
}

/// A study with every part, and hostile text in every place.
fn full() -> StudyPage {
    let nan = f64::NAN;
    let trial = |number, state, value, curve: &[(f64, f64)]| StudyTrial {
        number,
        state,
        value,
        curve: curve.to_vec(),
        settings: vec![setting(0.0, HOSTILE), setting(0.5, HOSTILE), None],
        seconds: Some(nan),
        note: HOSTILE.into(),
    };
    let curve = [
        (1.0, nan),
        (2.0, 0.5),
        (3.0, nan),
        (4.0, f64::INFINITY),
        (nan, 0.5),
    ];
    let parameter = |domain| StudyParameter {
        name: HOSTILE.into(),
        domain,
    };
    let labels = vec![HOSTILE.into(), "plain".into()];
    let number = |low, high, scale| StudyDomain::Number { low, high, scale };
    StudyPage {
        title: HOSTILE.into(),
        subtitle: HOSTILE.into(),
        facts: vec![Fact::new(HOSTILE, HOSTILE)],
        value: HOSTILE.into(),
        step: HOSTILE.into(),
        parameters: vec![
            parameter(StudyDomain::Choice { labels }),
            parameter(number(0.0, 1.0, Scale::Linear)),
            parameter(number(nan, -1.0, Scale::Log10)),
        ],
        trials: vec![
            trial(0, StudyState::Complete, Some(0.25), &curve),
            trial(1, StudyState::Complete, Some(nan), &curve),
            trial(2, StudyState::Pruned, None, &curve),
            trial(3, StudyState::Pruned, None, &[]),
            trial(4, StudyState::Failed, Some(nan), &curve),
            trial(5, StudyState::Running, None, &[(1.0, 0.75), (2.0, 0.5)]),
            trial(
                6,
                StudyState::Complete,
                Some(0.5),
                &[(1.0, 0.75), (2.0, 0.5)],
            ),
        ],
        importance: vec![(HOSTILE.into(), 0.5), ("none".into(), nan)],
        importance_note: HOSTILE.into(),
        recipe: format!("# {HOSTILE}\n"),
        ..StudyPage::default()
    }
}

/// A study of many trials, most of them pruned.
fn large(trials: u64, parameters: usize) -> StudyPage {
    let parameter = |place: usize| StudyParameter {
        name: format!("model.parameter_{place}"),
        domain: match place % 3 {
            0 => cell().domain,
            1 => lr().domain,
            _ => StudyDomain::Number {
                low: 0.0,
                high: 1.0,
                scale: Scale::Linear,
            },
        },
    };
    let trial = |number: u64| {
        let share = |salt: usize| ((number as f64 + 1.0) * (salt as f64 + 1.618)).fract();
        let settings = (0..parameters).map(|place| match place % 3 {
            0 => setting((share(place) * 2.0).floor(), "a choice"),
            1 => setting(1e-4 * 100_f64.powf(share(place)), "0.001234"),
            _ => setting(share(place), "0.1234"),
        });
        let epochs = if number.is_multiple_of(3) { 30 } else { 5 };
        let value = |epoch: u32| 0.2 + share(0) + 2.0 / f64::from(epoch);
        StudyTrial {
            number,
            state: match number % 3 {
                0 => StudyState::Complete,
                _ => StudyState::Pruned,
            },
            value: Some(value(epochs)),
            settings: settings.collect(),
            curve: (1..=epochs)
                .map(|epoch| (f64::from(epoch), value(epoch)))
                .collect(),
            seconds: Some(12.345),
            note: String::new(),
        }
    };
    StudyPage {
        title: "Search".into(),
        parameters: (0..parameters).map(parameter).collect(),
        trials: (0..trials).map(trial).collect(),
        ..StudyPage::default()
    }
}

/// The part of a page below a heading.
fn part<'a>(html: &'a str, id: &str) -> &'a str {
    let start = html.find(&format!("aria-labelledby=\"{id}\"")).expect(id);
    let html = &html[start..];
    &html[..html.find("</section>").unwrap()]
}

fn assert_there(html: &str, all: &[&str]) {
    for expected in all {
        assert!(html.contains(expected), "{expected} in {html}");
    }
}

#[test]
fn the_best_trial_stands_first() {
    let html = small().to_html();
    let expected = [
        "<b>2</b> valid loss (nats), trial 0",
        "<th scope=\"row\">training.<wbr>lr</th><td>0.001</td>",
        "<th scope=\"row\">model.<wbr>cell</th><td>gru</td>",
    ];
    assert_there(part(&html, "best"), &expected);
    let greatest = StudyPage {
        aim: StudyAim::Greatest,
        ..small()
    };
    let html = greatest.to_html();
    assert_there(
        part(&html, "best"),
        &["<b>4</b> valid loss (nats), trial 1"],
    );
}

#[test]
fn the_history_has_a_dot_for_each_trial() {
    let html = small().to_html();
    // Trials 0 to 2, values 2 to 4; the first stays the best.
    let expected = [
        "d=\"M0 240L500 240L1000 240\"",
        "full\" cx=\"0%\" cy=\"240\"",
        "full\" cx=\"50%\" cy=\"0\"",
        "dash-3\" cx=\"100%\" cy=\"120\"",
    ];
    assert_there(part(&html, "history"), &expected);
    let mut worse_first = small();
    worse_first.trials[0].number = 5;
    let html = worse_first.to_html();
    assert_there(
        part(&html, "history"),
        &["d=\"M0 0L250 0L1000 0L1000 240\""],
    );
}

#[test]
fn lines_meet_the_axes_where_they_should() {
    let html = small().to_html();
    let expected = [
        "class=\"trial best\" style=\"--good:1\" data-trial=\"0\" d=\"M0 140L500 210L1000 280\"",
        "class=\"trial\" style=\"--good:0\" data-trial=\"1\" d=\"M0 0L500 70L1000 0\"",
        "class=\"trial pruned\" data-trial=\"2\" d=\"M0 280L500 306L1000 140\"",
        ">not used</text>",
        "Lines: 2 complete and 1 pruned trials.",
        "The best is trial 0 with 2: training.lr 0.001, model.cell gru.",
    ];
    assert_there(part(&html, "parallel"), &expected);
}

#[test]
fn slices_have_a_dot_for_each_trial_with_the_parameter() {
    let html = small().to_html();
    let expected = [
        "data-trial=\"0\" cx=\"50%\" cy=\"150\" r=\"5\"",
        "data-trial=\"1\" cx=\"100%\" cy=\"0\" r=\"3\"",
        "data-trial=\"2\" cx=\"0%\" cy=\"75\" r=\"3\"",
        // The first of two choices, a quarter of its room to the left.
        "data-trial=\"0\" cx=\"12.5%\" cy=\"150\" r=\"5\"",
        "1 of 3 trials do not have it.",
        "<span>gru</span><span>lstm</span>",
    ];
    assert_there(part(&html, "slices"), &expected);
}

#[test]
fn curves_end_where_trials_were_stopped() {
    let html = small().to_html();
    let expected = [
        "d=\"M0 0L500 120L1000 240\"",
        "class=\"line thin curve pruned\" data-trial=\"2\" d=\"M0 0L500 120\"",
        "class=\"end pruned\" data-trial=\"2\" cx=\"50%\" cy=\"120\" r=\"2\"",
        "Thick: trial 0. Thin: 1 pruned.",
    ];
    assert_there(part(&html, "curves"), &expected);
}

#[test]
fn the_table_goes_from_the_best_to_the_worst() {
    let mut page = small();
    page.trials.swap(0, 1);
    let html = page.to_html();
    let table = part(&html, "trials");
    let numbers: Vec<&str> = table
        .split("<tr data-trial=\"")
        .skip(1)
        .map(|row| &row[..1])
        .collect();
    assert_eq!(numbers, ["0", "1", "2"]);
    let expected = [
        "<a href=\"#trial-0\">0</a></th><td>complete</td><td>2</td><td>3</td><td>12.5</td><td>0.001</td><td>gru</td>",
        "<td>pruned</td><td>3</td><td>2</td><td>–</td><td>0.0001</td><td>–</td>",
    ];
    assert_there(table, &expected);
}

#[test]
fn importance_orders_the_parameters() {
    let page = StudyPage {
        importance: vec![("training.lr".into(), 0.2), ("model.cell".into(), 0.8)],
        ..small()
    };
    let html = page.to_html();
    let expected = [
        "<span style=\"--share:1\"></span>80.0\u{202f}%",
        "<span style=\"--share:0.25\"></span>20.0\u{202f}%",
    ];
    assert_there(part(&html, "importance"), &expected);
    assert_there(part(&html, "parallel"), &["d=\"M0 210L500 140L1000 280\""]);
}

#[test]
fn only_the_most_important_parameters_are_drawn() {
    let html = large(30, 14).to_html();
    let parallel = part(&html, "parallel");
    let left_out = "Left out: model.parameter_11, model.parameter_12, model.parameter_13.";
    assert_there(parallel, &[left_out, "repeat(11,"]);
    assert_eq!(part(&html, "slices").matches("<figure").count(), 8);
}

#[test]
fn far_values_lie_at_the_end() {
    let mut page = large(30, 2);
    page.trials[3].value = Some(1e9);
    page.trials[4].state = StudyState::Failed;
    let html = page.to_html();
    assert_there(
        part(&html, "parallel"),
        &["One trial is worse than the axis reaches"],
    );
    let expected = [
        "One trial is worse than the axis reaches: small rings at its end. Not drawn: trial 4 (failed).",
        "data-trial=\"3\" cx=\"10.34%\" cy=\"0\" r=\"2\"",
    ];
    assert_there(part(&html, "history"), &expected);
    let edge = "data-trial=\"3\" cx=";
    assert!(part(&html, "slices").contains(edge));
    assert_well_formed(&html);
}

#[test]
fn pages_are_well_formed() {
    for page in [full(), small(), StudyPage::default(), large(40, 5)] {
        assert_well_formed(&page.to_html());
    }
}

#[test]
fn hostile_text_stays_text() {
    let html = full().to_html();
    assert!(!html.contains("<script>alert") && !html.contains("<b> "));
    assert_eq!(html.matches("<script").count(), 2);
}

#[test]
fn nothing_is_loaded() {
    let html = full().to_html();
    for reference in ["http:", "https:", "src=", "url(", "@import", "://"] {
        assert!(!html.contains(reference), "{reference}");
    }
}

#[test]
fn what_is_no_number_leaves_no_trace() {
    let html = full().to_html();
    let (page, script) = html.split_once("<script>").unwrap();
    assert!(script.contains("[data-trial="));
    for trace in ["NaN", "∞", "inf\""] {
        assert!(!page.contains(trace), "{trace}");
    }
}

#[test]
fn every_drawing_has_a_title_and_a_description() {
    let html = full().to_html();
    let (_, html) = html.split_once("</style>").unwrap();
    let drawings = html.matches("role=\"img\"").count();
    assert_eq!(drawings, 2 + 1 + 2, "charts, parallel coordinates, slices");
    assert_eq!(html.matches("</desc>").count(), drawings);
    assert_eq!(html.matches("</title>").count(), drawings);
}

#[test]
fn links_lead_to_the_lines_that_are_there() {
    let mut page = full();
    for place in 0..2 {
        let html = page.to_html();
        for tag in tags(&html) {
            for (key, value) in tag.attributes {
                if let ("href", Some(id)) = (key, value.strip_prefix('#')) {
                    assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
                }
            }
        }
        assert_eq!(html.contains("href=\"#trial-0\""), place == 0);
        page.parameters.clear();
        page.trials
            .iter_mut()
            .for_each(|trial| trial.settings.clear());
    }
}

#[test]
fn empty_parts_are_left_out() {
    let html = StudyPage::default().to_html();
    assert!(!html.contains("<h2") && !html.contains("<section"));
    let html = full().to_html();
    let headings = [
        "Best trial",
        "Study",
        "History",
        "Settings and values",
        "Importance",
        "Slices",
        "Learning curves",
        "Trials",
        "Best recipe",
    ];
    for heading in headings {
        assert!(html.contains(&format!(">{heading}</h2>")), "{heading}");
    }
}

#[test]
fn one_trial_is_a_study() {
    for state in [
        StudyState::Complete,
        StudyState::Pruned,
        StudyState::Running,
        StudyState::Failed,
    ] {
        let mut page = small();
        page.trials.truncate(1);
        page.trials[0].state = state;
        let html = page.to_html();
        assert_well_formed(&html);
        let drawn = matches!(state, StudyState::Complete | StudyState::Pruned);
        assert_eq!(html.contains("id=\"trial-0\""), drawn, "{state:?}");
        assert_eq!(
            html.contains(">Best trial</h2>"),
            state == StudyState::Complete
        );
    }
}

#[test]
fn many_trials_stay_a_page_that_can_be_sent() {
    let html = large(500, 12).to_html();
    assert!(html.len() < 1_500_000, "{}", html.len());
    assert_eq!(html.matches("<tr data-trial").count(), 500);
    assert!(html.contains("The other trials <span class=\"muted\">(480)"));
}

#[test]
fn equal_studies_give_equal_pages() {
    assert_eq!(full().to_html(), full().to_html());
}

#[test]
#[should_panic(expected = "settings of trial 1")]
fn every_parameter_needs_a_setting() {
    let mut page = small();
    page.trials[1].settings.pop();
    page.to_html();
}

#[test]
#[should_panic(expected = "numbers of two trials")]
fn numbers_differ() {
    let mut page = small();
    page.trials[1].number = 2;
    page.to_html();
}
