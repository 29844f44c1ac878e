//! What is in a network: how many weights are zero, and how large the weights of each hidden unit are.

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize};

use super::markup::{count, escape, number, percent};

/// The weights of a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightsPart {
    /// The tensors, in the order of display.
    pub tensors: Vec<TensorRow>,
    /// The hidden units of each cell, in the order of display.
    pub units: Vec<UnitMap>,
}

/// How many numbers of a tensor are zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorRow {
    /// Where it is in the network.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Numbers that are not zero.
    pub nonzero: usize,
    /// All numbers.
    pub total: usize,
}

/// How large the weights of each hidden unit of a cell are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitMap {
    /// The cell.
    pub name: String,
    /// One number of at least 0 for each unit: the norm of all weights that make or read it.
    #[serde(deserialize_with = "norms")]
    pub norms: Vec<f64>,
}

/// JSON has no numbers that are not finite: they stand there as null.
fn norms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let norms: Vec<Option<f64>> = Vec::deserialize(deserializer)?;
    Ok(norms.into_iter().map(|n| n.unwrap_or(f64::NAN)).collect())
}

impl WeightsPart {
    pub(super) fn to_html(&self) -> String {
        let mut html = self.table();
        for (place, map) in self.units.iter().enumerate() {
            html += &map.to_html(place + 1);
        }
        html
    }

    fn table(&self) -> String {
        if self.tensors.is_empty() {
            return String::new();
        }
        let mut html = String::from(
            "<div class=\"card scroll\" role=\"region\" aria-label=\"Weights\" tabindex=\"0\">\n<table class=\"scores\">\n\
             <thead><tr><th scope=\"col\">tensor</th><th scope=\"col\">shape</th><th scope=\"col\">not zero</th>\
             <th scope=\"col\">all</th><th scope=\"col\">sparsity</th></tr></thead>\n<tbody>\n",
        );
        let sums = |value: fn(&TensorRow) -> usize| self.tensors.iter().map(value).sum();
        let total = TensorRow {
            name: "together".into(),
            shape: Vec::new(),
            nonzero: sums(|row| row.nonzero),
            total: sums(|row| row.total),
        };
        for row in self.tensors.iter().chain([&total]) {
            let shape: Vec<String> = row.shape.iter().map(usize::to_string).collect();
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&row.name),
                shape.join(" × "),
                count(row.nonzero),
                count(row.total),
                percent(1.0 - row.nonzero as f64 / row.total.max(1) as f64, 2),
            );
        }
        html += "</tbody>\n</table>\n</div>\n";
        html
    }
}

impl UnitMap {
    /// One square a unit, the darker the larger its weights. `place` keeps ids apart.
    fn to_html(&self, place: usize) -> String {
        let largest = self.norms.iter().copied().fold(0.0, f64::max);
        let empty = self.norms.iter().filter(|&&norm| norm == 0.0).count();
        let smallest = self.norms.iter().copied().fold(f64::INFINITY, f64::min);
        let name = escape(&self.name);
        let lead = format!(
            "{} units, {} of them without weights; norms of a unit's weights from {} to {}",
            count(self.norms.len()),
            count(empty),
            number(smallest),
            number(largest),
        );
        let mut html = format!(
            "<section class=\"card\" aria-labelledby=\"units-{place}\">\n<h3 id=\"units-{place}\">{name}</h3>\n\
             <p class=\"lead\">{lead}</p>\n<div class=\"units\" role=\"img\" aria-label=\"Hidden units of {name}: {lead}\">"
        );
        for (unit, &norm) in self.norms.iter().enumerate() {
            let share = if largest > 0.0 { norm / largest } else { 0.0 };
            let _ = write!(
                html,
                "<span style=\"--shade:{share:.2}\" title=\"unit {unit}: {}\"></span>",
                number(norm)
            );
        }
        html += "</div>\n</section>\n";
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparsity_and_units_stand_in_words_and_squares() {
        let row = |name: &str, nonzero| TensorRow {
            name: name.into(),
            shape: vec![4, 8],
            nonzero,
            total: 32,
        };
        let part = WeightsPart {
            tensors: vec![row("<cell>.weight_hh", 8), row("weight_ih", 32)],
            units: vec![UnitMap {
                name: "layers.0.forward".into(),
                norms: vec![0.0, 1.0, 2.0],
            }],
        };
        let html = part.to_html();
        for expected in [
            "&lt;cell&gt;.weight_hh",
            "<td>4 × 8</td><td>8</td><td>32</td><td>75.00",
            "together",
            "<td>40</td><td>64</td><td>37.50",
            "3 units, 1 of them without weights",
            "--shade:0.50\" title=\"unit 1: 1",
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        assert_eq!(WeightsPart::default().to_html(), "");
    }
}
