//! Health: what the doctor found, the gradient over time and layers, and where gates lie.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::markup::{count, escape, number, percent};

/// The shades span as many powers of ten as the norms do, within these bounds.
const DECADES: [f64; 2] = [2.0, 8.0];

/// What is known about the health of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HealthPart {
    /// Whether findings were sought.
    pub examined: bool,
    /// What is wrong, in the order of display.
    pub findings: Vec<FindingRow>,
    /// Gradients, row by row of a heat map.
    pub flows: Vec<FlowRow>,
    /// Gates.
    pub gates: Vec<Histogram>,
}

/// Something that is wrong, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingRow {
    /// What it is called, and how bad it is.
    pub name: String,
    /// What was seen, and what to do.
    pub sentences: Vec<String>,
    /// Lines of a recipe that mend it.
    pub remedy: Vec<String>,
}

/// How much gradient reaches a state.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowRow {
    /// The cell and the state.
    pub name: String,
    /// The norms over equal parts of a sequence, what is read first at the beginning.
    pub norms: Vec<f64>,
}

/// How many values are in each of the bins of a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// What has the values.
    pub name: String,
    /// The ends of the range.
    pub range: [f64; 2],
    /// The bins, of equal width.
    pub counts: Vec<usize>,
    /// A sentence about the values.
    pub note: String,
}

impl HealthPart {
    pub(super) fn to_html(&self) -> String {
        let mut html = String::new();
        if self.examined {
            html += &self.findings();
        }
        if !self.flows.is_empty() {
            html += &self.heat_map();
        }
        if !self.gates.is_empty() {
            html += &self.histograms();
        }
        html
    }

    fn findings(&self) -> String {
        if self.findings.is_empty() {
            return "<p class=\"card\">No fault found.</p>\n".into();
        }
        let mut html = String::from("<ol class=\"card findings\">\n");
        for FindingRow {
            name,
            sentences,
            remedy,
        } in &self.findings
        {
            let _ = writeln!(html, "<li><h3>{}</h3>", escape(name));
            for sentence in sentences {
                let _ = writeln!(html, "<p>{}</p>", escape(sentence));
            }
            if !remedy.is_empty() {
                let lines = escape(&remedy.join("\n# or\n"));
                let _ = writeln!(html, "<pre><code>{lines}</code></pre>");
            }
            html += "</li>\n";
        }
        html += "</ol>\n";
        html
    }

    fn heat_map(&self) -> String {
        let norms = || self.flows.iter().flat_map(|flow| &flow.norms);
        let greatest = norms()
            .copied()
            .filter(|norm| norm.is_finite())
            .fold(0.0, f64::max);
        let seen = norms()
            .copied()
            .filter(|norm| *norm > 0.0 && norm.is_finite());
        let smallest = seen.fold(f64::INFINITY, f64::min);
        // Without any norm there is nothing to shade.
        let decades = (greatest / smallest)
            .log10()
            .ceil()
            .clamp(DECADES[0], DECADES[1]);
        let words: Vec<String> = self.flows.iter().map(FlowRow::words).collect();
        let mut html = format!(
            "<section class=\"card health\" aria-labelledby=\"flow\">\n<h3 id=\"flow\">Gradient over time and layers</h3>\n\
             <p class=\"caption\">Each strip is a sequence, from the step that the cell reads first to the one that it reads \
             last. Shade: the norm of the loss's gradient with respect to the state, on a log scale; the darkest is {}, \
             nothing is below {}.</p>\n<div role=\"img\" aria-label=\"{}\">\n",
            number(greatest),
            number(greatest * 10_f64.powf(-decades)),
            escape(&words.join("; "))
        );
        for flow in &self.flows {
            html += &flow.strip(greatest, decades);
        }
        html += "</div>\n";
        html += &self.numbers();
        html += "</section>\n";
        html
    }

    /// The norms as a table, folded away.
    fn numbers(&self) -> String {
        let mut html = String::from(
            "<details>\n<summary>Numbers</summary>\n<div class=\"scroll tall\" role=\"region\" \
             aria-label=\"Gradient over time and layers: numbers\" tabindex=\"0\">\n<table class=\"numbers\">\n<thead><tr>\
             <th scope=\"col\">part of the sequence</th>",
        );
        for flow in &self.flows {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escape(&flow.name));
        }
        html += "</tr></thead>\n<tbody>\n";
        let parts = self.flows.iter().map(|flow| flow.norms.len()).max();
        let parts = parts.unwrap_or(0);
        for part in 0..parts {
            let share = |part: usize| percent(part as f64 / parts as f64, 0);
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{} to {}</th>",
                share(part),
                share(part + 1)
            );
            for flow in &self.flows {
                let norm = flow.norms.get(part).copied();
                let _ = write!(html, "<td>{}</td>", norm.map_or("–".into(), number));
            }
            html += "</tr>\n";
        }
        html += "</tbody>\n</table>\n</div>\n</details>\n";
        html
    }

    fn histograms(&self) -> String {
        let mut html = String::from(
            "<section class=\"card health\" aria-labelledby=\"gates\">\n<h3 id=\"gates\">Gates</h3>\n\
             <p class=\"caption\">How often a gate has each value, over a sample of sequences and all units.</p>\n\
             <div class=\"histograms\">\n",
        );
        for gate in &self.gates {
            html += &gate.to_html();
        }
        html += "</div>\n</section>\n";
        html
    }
}

impl FlowRow {
    /// From the first to the last part.
    fn words(&self) -> String {
        let end = |norm: Option<&f64>| norm.copied().map_or("nothing".into(), number);
        format!(
            "{}: from {} at the first steps to {} at the last",
            self.name,
            end(self.norms.first()),
            end(self.norms.last())
        )
    }

    /// One rectangle a part, the darker the more gradient there is.
    fn strip(&self, greatest: f64, decades: f64) -> String {
        let mut html = format!(
            "<div class=\"strip\"><span>{}</span><svg viewBox=\"0 0 {} 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            escape(&self.name),
            self.norms.len()
        );
        for (part, &norm) in self.norms.iter().enumerate() {
            let shade = match norm > 0.0 && norm.is_finite() {
                true => (1.0 + (norm / greatest).log10() / decades).clamp(0.0, 1.0),
                false => 0.0,
            };
            let _ = write!(
                html,
                "<rect x=\"{part}\" y=\"0\" width=\"1\" height=\"1\" fill-opacity=\"{shade:.2}\"/>"
            );
        }
        html += "</svg></div>\n";
        html
    }
}

impl Histogram {
    fn to_html(&self) -> String {
        let all: usize = self.counts.iter().sum();
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let [low, high] = self.range.map(number);
        let name = escape(&self.name);
        let note = escape(&self.note);
        let mut html = format!(
            "<div class=\"histogram\"><h4>{name}</h4>\n<svg viewBox=\"0 0 {} 1\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{name}: {} values from {low} to {high}; {note}\">",
            self.counts.len(),
            count(all)
        );
        for (bin, &values) in self.counts.iter().enumerate() {
            let height = values as f64 / most;
            let _ = write!(
                html,
                "<rect x=\"{bin}.05\" y=\"{:.3}\" width=\"0.9\" height=\"{height:.3}\"/>",
                1.0 - height
            );
        }
        let _ = write!(
            html,
            "</svg>\n<p class=\"ends\"><span>{low}</span><span>{high}</span></p>\n<p class=\"caption\">{note}</p></div>\n"
        );
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_follow_the_logarithm() {
        let flow = |norms: Vec<f64>| FlowRow {
            name: "layer <0>".into(),
            norms,
        };
        let part = HealthPart {
            flows: vec![
                flow(vec![0.0, 1e-4, 1.0]),
                flow(vec![1e-20, f64::NAN, 1e-2]),
            ],
            ..HealthPart::default()
        };
        let html = part.to_html();
        for expected in [
            "layer &lt;0&gt;: from 0 at the first steps to 1 at the last",
            "x=\"1\" y=\"0\" width=\"1\" height=\"1\" fill-opacity=\"0.50\"",
            "x=\"2\" y=\"0\" width=\"1\" height=\"1\" fill-opacity=\"1.00\"",
            "x=\"2\" y=\"0\" width=\"1\" height=\"1\" fill-opacity=\"0.75\"",
            "<td>0.0001</td><td>NaN</td>",
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        assert!(!html.contains("No fault"));
        assert_eq!(HealthPart::default().to_html(), "");
    }

    #[test]
    fn findings_and_gates_stand_in_words() {
        let part = HealthPart {
            examined: true,
            findings: vec![FindingRow {
                name: "dead_units (fault)".into(),
                sentences: vec!["5 of 8 units & more".into()],
                remedy: vec!["model.activation = \"tanh\"".into()],
            }],
            gates: vec![Histogram {
                name: "forget".into(),
                range: [0.0, 1.0],
                counts: vec![1, 3],
                note: "25 % low".into(),
            }],
            ..HealthPart::default()
        };
        let html = part.to_html();
        for expected in [
            "<h3>dead_units (fault)</h3>",
            "5 of 8 units &amp; more",
            "model.activation = &quot;tanh&quot;",
            "forget: 4 values from 0 to 1; 25 % low",
            "height=\"0.333\"",
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        let healthy = HealthPart {
            examined: true,
            ..HealthPart::default()
        };
        assert!(healthy.to_html().contains("No fault found."));
    }
}
