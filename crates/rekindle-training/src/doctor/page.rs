//! What the page of an examination shows.

use super::Examination;
use crate::report::Report;

impl Examination {
    /// The examination as a page.
    pub fn to_report(&self) -> Report {
        Report {
            title: format!("{}: examination", self.name),
            ..Report::default()
        }
    }
}
