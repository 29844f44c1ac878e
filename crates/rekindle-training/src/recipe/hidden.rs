//! Hidden units of the cells of a stack.

use std::fmt;

use rekindle_cells::Direction;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Hidden units of the cells of a stack. In a recipe: `64`, a number for each layer `[64, 32]`, or in each layer a number
/// for each direction, forward first, `[[60, 52], [31, 28]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// As many in every cell.
    All(usize),
    /// As many in each direction of a layer.
    Layers(Vec<usize>),
    /// Of each cell.
    Cells(Vec<Vec<usize>>),
}

impl Hidden {
    /// All numbers.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        let numbers = match self {
            Self::All(number) => vec![*number],
            Self::Layers(layers) => layers.clone(),
            Self::Cells(cells) => cells.concat(),
        };
        numbers.into_iter()
    }

    /// The largest number; 0 if there is none.
    pub fn largest(&self) -> usize {
        self.numbers().max().unwrap_or(0)
    }

    /// The smallest number; 0 if there is none.
    pub fn smallest(&self) -> usize {
        self.numbers().min().unwrap_or(0)
    }

    /// The numbers of each cell of a stack; `None`: the same everywhere.
    pub(crate) fn of_cells(&self, direction: Direction) -> Option<Vec<Vec<usize>>> {
        match self {
            Self::All(_) => None,
            Self::Layers(layers) => {
                let both = |&number: &usize| vec![number; direction.cells()];
                Some(layers.iter().map(both).collect())
            }
            Self::Cells(cells) => Some(cells.clone()),
        }
    }

    /// The shortest form of these numbers.
    pub(crate) fn from_cells(cells: Vec<Vec<usize>>) -> Self {
        let is_same = |numbers: &Vec<usize>| numbers.iter().all(|number| *number == numbers[0]);
        if !cells.iter().all(is_same) {
            return Self::Cells(cells);
        }
        let layers: Vec<usize> = cells.iter().map(|numbers| numbers[0]).collect();
        match is_same(&layers) {
            true => Self::All(layers[0]),
            false => Self::Layers(layers),
        }
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(number) => write!(f, "{number}"),
            Self::Layers(layers) => write!(f, "{layers:?}"),
            Self::Cells(cells) => write!(f, "{cells:?}"),
        }
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(number) => number.serialize(serializer),
            Self::Layers(layers) => layers.serialize(serializer),
            Self::Cells(cells) => cells.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numbers)
    }
}

struct Numbers;

impl<'de> Visitor<'de> for Numbers {
    type Value = Hidden;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("usize, a whole number of at least 0, or a list of them, one a layer")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Hidden, E> {
        let unexpected = serde::de::Unexpected::Signed(number);
        let number = usize::try_from(number).map_err(|_| E::invalid_value(unexpected, &self))?;
        Ok(Hidden::All(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Hidden, E> {
        let unexpected = serde::de::Unexpected::Unsigned(number);
        let number = usize::try_from(number).map_err(|_| E::invalid_value(unexpected, &self))?;
        Ok(Hidden::All(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Hidden, A::Error> {
        let (mut layers, mut cells) = (Vec::new(), Vec::new());
        while let Some(element) = sequence.next_element::<Layer>()? {
            match element {
                Layer::Both(number) => layers.push(number),
                Layer::Each(numbers) => cells.push(numbers),
            }
        }
        match (layers.is_empty(), cells.is_empty()) {
            (false, true) => Ok(Hidden::Layers(layers)),
            (true, false) => Ok(Hidden::Cells(cells)),
            (true, true) => Err(A::Error::invalid_length(0, &self)),
            (false, false) => Err(A::Error::custom(
                "a list of numbers and lists, expected one kind: a number for each layer, or a list for each layer with a \
                 number for each direction",
            )),
        }
    }
}

/// What stands for one layer.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a whole number of at least 0, or a list of them, one a direction"
)]
enum Layer {
    Both(usize),
    Each(Vec<usize>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Section {
        hidden: Hidden,
    }

    #[test]
    fn every_form_is_read_and_written() {
        let forms = [
            ("hidden = 64\n", Hidden::All(64)),
            ("hidden = [64, 32]\n", Hidden::Layers(vec![64, 32])),
            (
                "hidden = [[6, 5], [3, 2]]\n",
                Hidden::Cells(vec![vec![6, 5], vec![3, 2]]),
            ),
        ];
        for (text, hidden) in forms {
            let section = Section { hidden };
            assert_eq!(toml::to_string(&section).unwrap(), text);
            assert_eq!(toml::from_str::<Section>(text).unwrap(), section);
        }
    }

    #[test]
    fn other_things_are_refused() {
        let message = |text| toml::from_str::<Section>(text).unwrap_err().to_string();
        for (text, expected) in [
            ("hidden = -1", "a whole number of at least 0, or a list"),
            (
                "hidden = \"many\"",
                "a whole number of at least 0, or a list",
            ),
            ("hidden = []", "a whole number of at least 0, or a list"),
            ("hidden = [3, -1]", "one a direction"),
            ("hidden = [3, [1, 2]]", "expected one kind"),
        ] {
            let found = message(text);
            assert!(found.contains(expected), "{text}: {found}");
        }
    }

    #[test]
    fn the_shortest_form_is_taken() {
        let of = |cells: &[&[usize]]| {
            Hidden::from_cells(cells.iter().map(|cells| cells.to_vec()).collect())
        };
        assert_eq!(of(&[&[4, 4], &[4, 4]]), Hidden::All(4));
        assert_eq!(of(&[&[4, 4], &[3, 3]]), Hidden::Layers(vec![4, 3]));
        let cells = Hidden::Cells(vec![vec![4, 3], vec![3, 3]]);
        assert_eq!(of(&[&[4, 3], &[3, 3]]), cells);
        let direction = Direction::Bidirectional;
        let layers = Hidden::Layers(vec![4, 3]);
        assert_eq!(
            layers.of_cells(direction),
            Some(vec![vec![4, 4], vec![3, 3]])
        );
        assert_eq!(Hidden::All(4).of_cells(direction), None);
    }
}
