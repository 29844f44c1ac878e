//! What the tests of both databases share.

pub mod faults;
pub mod laws;
pub mod worker;

use std::time::Duration;

use rekindle_tune::{
    Definition, Direction, Domain, History, Parameter, Point, Space, StoreOptions, Study,
};
use serde_json::json;

/// One number between 0 and 1.
pub fn definition() -> Definition {
    let domain = Domain::Float {
        low: 0.0,
        high: 1.0,
        log: false,
        step: None,
    };
    let parameter = Parameter {
        name: "x".into(),
        domain,
        when: vec![],
    };
    Definition {
        direction: Direction::Minimize,
        space: Space::new(vec![parameter]).unwrap(),
        settings: json!({ "sampler": "golden", "seed": 1 }),
    }
}

/// Short times, so that tests are short; the grace is still so long that no living worker misses it on a busy machine.
pub fn options() -> StoreOptions {
    StoreOptions {
        beat: Duration::from_millis(200),
        grace: Duration::from_secs(2),
        patience: Duration::from_secs(60),
        told: None,
    }
}

pub fn open(url: &str, name: &str) -> Study {
    Study::open(url, name, &definition(), options()).unwrap()
}

/// Points that no two trials share: multiples of the golden ratio, modulo 1.
pub fn propose(_: &History, number: u64) -> Option<Point> {
    let at = (number as f64 * 0.618_033_988_749_894_9).fract();
    Some(
        definition()
            .space
            .point(|parameter| parameter.domain.at(at)),
    )
}

pub fn x_of(point: &Point) -> f64 {
    point.get("x").and_then(|x| x.as_f64()).unwrap()
}

/// Whether the rights of files mean nothing to this process, and PostgreSQL refuses to run.
pub fn is_root() -> bool {
    let said = std::process::Command::new("id").arg("--user").output();
    said.unwrap().stdout == b"0\n"
}
