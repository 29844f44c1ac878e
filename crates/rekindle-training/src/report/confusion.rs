//! Confusion matrices: which class was taken for which, and what that means for each class.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::markup::{count, escape, percent};

/// How many of the most frequent mistakes are put into words.
const MISTAKES: usize = 5;

/// From how many classes on the matrix gets the whole width of the page.
const MANY: usize = 13;

/// How often a sequence of one class was given the label of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// `valid` or `test`.
    pub split: String,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Numbers of sequences, `[true class, predicted class]`.
    pub counts: Vec<Vec<usize>>,
}

impl ConfusionMatrix {
    /// The matrix, the most frequent mistakes and the scores of each class. `place` keeps ids apart.
    ///
    /// # Panics
    /// If `counts` is not `[classes, classes]`.
    pub(super) fn to_html(&self, place: usize) -> String {
        let classes = self.classes.len();
        let square = self.counts.iter().all(|row| row.len() == classes);
        assert!(
            self.counts.len() == classes && square,
            "confusion matrix of {:?} has rows of {:?} counts, expected {classes} rows of {classes}",
            self.split,
            self.counts.iter().map(Vec::len).collect::<Vec<_>>()
        );
        let split = escape(&self.split);
        let all: usize = self.counts.iter().flatten().sum();
        let mut html = format!(
            "<section class=\"card confusion\" aria-labelledby=\"confusion-{place}\">\n<h3 id=\"confusion-{place}\">{split}</h3>\n"
        );
        if all == 0 {
            html += "<p class=\"muted\">No data</p>\n</section>\n";
            return html;
        }
        let many = if classes >= MANY { " many" } else { "" };
        let right: usize = (0..classes).map(|class| self.counts[class][class]).sum();
        let _ = writeln!(
            html,
            "<p class=\"lead\">{} of {} right, {}</p>\n<div class=\"beside{many}\">\n<div>\n{}</div>\n<div>\n{}</div>\n</div>\n{}</section>",
            count(right),
            count(all),
            percent(right as f64 / all as f64, 2),
            self.matrix(),
            self.scores(),
            self.mistakes(),
        );
        html
    }

    fn matrix(&self) -> String {
        let mut html = format!(
            "<p class=\"caption\">Rows: true class. Columns: predicted class. Shade: share of the row.</p>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"Confusion matrix, {0}\" tabindex=\"0\">\n\
             <table class=\"matrix\" aria-label=\"Confusion matrix, {0}: rows are true classes, columns predicted ones\">\n\
             <thead><tr><td class=\"corner\"><span>true ↓</span> <span>predicted →</span></td>",
            escape(&self.split)
        );
        for class in &self.classes {
            let class = escape(class);
            let _ = write!(
                html,
                "<th scope=\"col\" title=\"{class}\"><span>{class}</span></th>"
            );
        }
        html += "</tr></thead>\n<tbody>\n";
        for (truth, class) in self.classes.iter().enumerate() {
            let class = escape(class);
            let _ = write!(
                html,
                "<tr><th scope=\"row\" title=\"{class}\"><span>{class}</span></th>"
            );
            for predicted in 0..self.classes.len() {
                html += &self.cell(truth, predicted);
            }
            html += "</tr>\n";
        }
        html += "</tbody>\n</table>\n</div>\n";
        html
    }

    /// One count with its shade. Mistakes are shaded more strongly than their share, so that single ones show.
    fn cell(&self, truth: usize, predicted: usize) -> String {
        let here = self.counts[truth][predicted];
        let kind = if truth == predicted { "right" } else { "wrong" };
        if here == 0 {
            return format!("<td class=\"{kind} zero\">0</td>");
        }
        let share = here as f64 / self.support(truth) as f64;
        let shade = match truth == predicted {
            true => 0.08 + 0.42 * share,
            false => 0.14 + 0.36 * share.sqrt(),
        };
        format!(
            "<td class=\"{kind}\" style=\"--shade:{shade:.2}\">{}</td>",
            count(here)
        )
    }

    /// The most frequent mistakes in words.
    fn mistakes(&self) -> String {
        let classes = self.classes.len();
        let mut wrong: Vec<(usize, usize, usize)> = (0..classes)
            .flat_map(|truth| (0..classes).map(move |predicted| (truth, predicted)))
            .filter(|(truth, predicted)| truth != predicted)
            .map(|(truth, predicted)| (self.counts[truth][predicted], truth, predicted))
            .filter(|mistake| mistake.0 > 0)
            .collect();
        wrong.sort_by_key(|mistake| std::cmp::Reverse(mistake.0));
        if wrong.is_empty() {
            return "<p class=\"muted\">No mistakes.</p>\n".into();
        }
        let mut html = String::from("<h4>Most frequent mistakes</h4>\n<ol class=\"mistakes\">\n");
        for (times, truth, predicted) in wrong.into_iter().take(MISTAKES) {
            let _ = writeln!(
                html,
                "<li><b>{}</b> taken for <b>{}</b>: {}\u{a0}of\u{a0}{}</li>",
                escape(&self.classes[truth]),
                escape(&self.classes[predicted]),
                count(times),
                count(self.support(truth)),
            );
        }
        html += "</ol>\n";
        html
    }

    fn scores(&self) -> String {
        let mut html = format!(
            "<p class=\"caption\">Scores of each class, in percent.</p>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"Scores of each class, {0}\" tabindex=\"0\">\n\
             <table class=\"classes\" aria-label=\"Scores of each class, {0}, in percent\">\n\
             <thead><tr><th scope=\"col\">class</th><th scope=\"col\">count</th><th scope=\"col\">recall</th>\
             <th scope=\"col\">precision</th><th scope=\"col\">F1</th></tr></thead>\n<tbody>\n",
            escape(&self.split)
        );
        for (place, class) in self.classes.iter().enumerate() {
            let name = escape(class);
            let _ = write!(
                html,
                "<tr><th scope=\"row\" title=\"{name}\"><span>{name}</span></th><td>{}</td>",
                count(self.support(place)),
            );
            for score in [self.recall(place), self.precision(place), self.f1(place)] {
                html += &match score {
                    Some(share) => format!(
                        "<td class=\"bar\" style=\"--share:{share:.3}\">{:.1}</td>",
                        100.0 * share
                    ),
                    None => "<td class=\"zero\">–</td>".into(),
                };
            }
            html += "</tr>\n";
        }
        html += "</tbody>\n</table>\n</div>\n";
        html
    }

    /// Sequences that belong to `class`.
    fn support(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Sequences that were given the label `class`.
    fn predicted(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// Share of the sequences of `class` that were found; `None` if it has none.
    fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.counts[class][class], self.support(class))
    }

    /// Share of the predictions of `class` that were right; `None` if it was never predicted.
    fn precision(&self, class: usize) -> Option<f64> {
        ratio(self.counts[class][class], self.predicted(class))
    }

    /// Harmonic mean of precision and recall; `None` if `class` neither occurs nor was predicted.
    fn f1(&self, class: usize) -> Option<f64> {
        let right = 2 * self.counts[class][class];
        ratio(right, self.support(class) + self.predicted(class))
    }
}

/// `part / whole`; `None` if `whole` is zero.
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(counts: Vec<Vec<usize>>) -> ConfusionMatrix {
        let names = ["ah", "<b>", "c & d"];
        ConfusionMatrix {
            split: "test".into(),
            classes: names[..counts.len()]
                .iter()
                .map(|name| name.to_string())
                .collect(),
            counts,
        }
    }

    #[test]
    fn scores_of_each_class_by_hand() {
        let matrix = matrix(vec![vec![6, 2, 0], vec![1, 9, 0], vec![0, 0, 0]]);
        assert_eq!(matrix.support(0), 8);
        assert_eq!(matrix.recall(0), Some(0.75));
        assert_eq!(matrix.precision(0), Some(6.0 / 7.0));
        assert_eq!(matrix.f1(0), Some(12.0 / 15.0));
        assert_eq!(matrix.recall(2), None);
        assert_eq!(matrix.f1(2), None);
        let html = matrix.to_html(1);
        assert!(html.contains("15 of 18 right, 83.33\u{202f}%"));
        assert!(html.contains(">75.0</td>") && html.contains("<td class=\"zero\">–</td>"));
    }

    #[test]
    fn mistakes_come_in_order_of_frequency() {
        let html = matrix(vec![vec![6, 2, 0], vec![3, 9, 1], vec![0, 0, 4]]).mistakes();
        let lines: Vec<&str> = html
            .lines()
            .filter(|line| line.starts_with("<li>"))
            .collect();
        assert_eq!(
            lines,
            [
                "<li><b>&lt;b&gt;</b> taken for <b>ah</b>: 3\u{a0}of\u{a0}13</li>",
                "<li><b>ah</b> taken for <b>&lt;b&gt;</b>: 2\u{a0}of\u{a0}8</li>",
                "<li><b>&lt;b&gt;</b> taken for <b>c &amp; d</b>: 1\u{a0}of\u{a0}13</li>",
            ]
        );
        let perfect = matrix(vec![vec![6, 0], vec![0, 9]]).mistakes();
        assert!(perfect.contains("No mistakes."));
    }

    #[test]
    fn shades_follow_the_share_of_the_row() {
        let matrix = matrix(vec![vec![4, 0], vec![1, 3]]);
        assert!(matrix.cell(0, 0).contains("--shade:0.50"));
        assert!(
            matrix
                .cell(1, 0)
                .contains("class=\"wrong\" style=\"--shade:0.32\"")
        );
        assert_eq!(matrix.cell(0, 1), "<td class=\"wrong zero\">0</td>");
    }

    #[test]
    fn nothing_scored_says_so() {
        assert!(matrix(vec![]).to_html(1).contains("No data"));
        assert!(
            matrix(vec![vec![0, 0], vec![0, 0]])
                .to_html(1)
                .contains("No data")
        );
    }

    #[test]
    #[should_panic(expected = "expected 2 rows of 2")]
    fn ragged_counts_panic() {
        matrix(vec![vec![1], vec![1, 2]]).to_html(1);
    }
}
