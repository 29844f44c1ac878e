//! The pages in a browser: at three sizes, in light and dark, by keyboard and by pointer, with every picture looked at.
//!
//! Needs Chromium, so it runs by `cargo xtask test-browser`, which leaves screenshots in `target/tmp/browser`.

mod chromium;
#[allow(dead_code)]
#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use chromium::{Chromium, Page};
use common::{succeed, vowels};

/// A phone, a tablet, a laptop.
const SIZES: [[u32; 2]; 3] = [[390, 844], [820, 1180], [1440, 900]];

/// What must hold in every page.
const CHECKS: &str = include_str!("checks.js");

/// Faults, and how the checks complain of them.
const PLANTED: [(&str, &str); 12] = [
    ("one('main').style.width = '2000px'", "wide, the screen"),
    ("one('.subtitle').style.translate = '90vw'", "beyond"),
    ("one('.subtitle').style.marginLeft = '90vw'", "cut"),
    (
        "one('.plot path.line').setAttribute('d', 'M0 NaNL1 2')",
        "has a broken line",
    ),
    (
        "one('.plot path.line').setAttribute('d', 'M0 1L1 500')",
        "outside 0 to",
    ),
    (
        "all('.plot path.line').forEach((line) => line.remove())",
        "shows no data",
    ),
    (
        "all('.plot text.y').forEach((label) => label.setAttribute('y', 9))",
        " over ",
    ),
    ("one('.plot text.y').setAttribute('x', -200)", "cuts"),
    ("one('.y-label').remove()", "has no .y-label"),
    ("one('.plot title').remove()", "has no title"),
    ("one('.x-label').style.color = '#888'", "contrast"),
    (
        "all('td').forEach((cell) => (cell.style.display = 'flex'))",
        "a crooked row",
    ),
];

/// Faults of what only the page of a search has.
const PLANTED_IN_SEARCHES: [(&str, &str); 3] = [
    (
        "all('.uprights text').forEach((label) => label.setAttribute('y', 9))",
        " over ",
    ),
    (
        "one('.parallel path.trial').setAttribute('d', 'M0 NaNL1 2')",
        "broken line",
    ),
    (
        "all('.choices span').forEach((label) => (label.style.translate = '50px'))",
        " cuts ",
    ),
];

/// What a screenshot shows: how many colours, which share of it has the most frequent one, how bright it is.
const LOOK: &str = "(async () => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, Math.min(image.height, 4000));
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  let light = 0;
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
    light += data[at] + data[at + 1] + data[at + 2];
  }
  const pixels = data.length / 4;
  return {
    width: image.width,
    colours: counts.size,
    commonest: Math.max(...counts.values()) / pixels,
    brightness: light / pixels / 765,
  };
})()";

/// A page that was made: its name, its file, how many charts it must have, and text that must be in it.
struct Made {
    name: &'static str,
    file: PathBuf,
    charts: u64,
    words: &'static [&'static str],
}

/// Reports of real runs, made by the command: a watched classifier, a language model, a forecast, a run that was
/// interrupted, an examination, several runs, a search.
fn pages(folder: &Path) -> Vec<Made> {
    let [train, test] = ["JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts"].map(vowels);
    let data = ["--train", text(&train), "--test", text(&test), "--quiet"];
    let classify = |out: &str, more: &[&str]| {
        let args = [&["train", "--out", out][..], &data, more].concat();
        succeed(folder, &args);
    };
    let watched = [
        "--set=training.epochs=4",
        "--set=model.direction=bidirectional",
        "--set=training.watch_gradients=true",
    ];
    classify("watched", &[&watched[..], &["--cell=lstm"]].concat());
    for (out, seed) in [("gru-seed1", "--seed=1"), ("gru-seed2", "--seed=2")] {
        classify(out, &["--cell=gru", "--set=training.epochs=5", seed]);
    }
    interrupt(folder, "gru-seed1", "interrupted");

    let book = vowels("../moby-dick/moby-dick.txt");
    let book = fs::read_to_string(&book).expect("a book");
    let start: String = book.chars().skip(5000).take(20_000).collect();
    fs::write(folder.join("book.txt"), start).expect("a text");
    let recipe = "name = \"book\"\n[data]\ntrain = \"book.txt\"\n[text]\n[training]\nepochs = 2\n[model]\nhidden = 24\n";
    fs::write(folder.join("book.toml"), recipe).expect("a recipe");
    succeed(folder, &["train", "book.toml", "--out=book", "--quiet"]);

    let [forecast, shipped] = ["seattle-forecast", "japanese-vowels-gru"]
        .map(|name| vowels(&format!("../../recipes/{name}.toml")));
    let args = ["train", text(&forecast), "--out=forecast", "--quiet"];
    succeed(folder, &[&args[..], &["--set=training.epochs=3"]].concat());
    let doctor = ["doctor", text(&shipped), "--report=doctor.html"];
    succeed(
        folder,
        &[&doctor[..], &["--steps=20", "--set=training.lr=3"]].concat(),
    );
    let search = vowels("../../recipes/japanese-vowels-tune.toml");
    let tune = [
        "tune",
        text(&search),
        "--out=search",
        "--trials=14",
        "--quiet",
    ];
    succeed(folder, &[&tune[..], &["--set=training.epochs=4"]].concat());
    succeed(folder, &["report", "interrupted"]);
    let several = [
        "gru-seed1",
        "watched",
        "gru-seed2",
        "interrupted",
        "book",
        "forecast",
    ];
    succeed(folder, &[&["report"][..], &several[..3]].concat());
    succeed(
        folder,
        &[&["report", "--out=mixed.html"][..], &several].concat(),
    );

    let made = |name, file: &str, charts, words| Made {
        name,
        file: folder.join(file),
        charts,
        words,
    };
    vec![
        made(
            "classifier",
            "watched/report.html",
            5,
            &["Scores", "Confusion", "Health", "Gates"],
        ),
        made(
            "language",
            "book/report.html",
            4,
            &["language model", "Bits per character"],
        ),
        made(
            "forecast",
            "forecast/report.html",
            6,
            &["RMSE", "mean squared error", "Truth and answers"],
        ),
        made(
            "interrupted",
            "interrupted/report.html",
            4,
            &["not finished", "5 of 5"],
        ),
        made("doctor", "doctor.html", 0, &["examination", "Gates"]),
        made(
            "comparison",
            "comparison.html",
            6,
            &["What differs", "model.<wbr>cell", " ± "],
        ),
        made(
            "search",
            "search/report.html",
            2,
            &["Best trial", "Settings and values", "Slices", "Best recipe"],
        ),
        made(
            "mixed",
            "mixed.html",
            10,
            &["not finished", "bits per character", "Validation RMSE"],
        ),
    ]
}

/// A run as a kill at its very end leaves it.
fn interrupt(folder: &Path, from: &str, to: &str) {
    fs::create_dir(folder.join(to)).expect("a folder");
    for file in [
        "recipe.toml",
        "preprocessing.json",
        "metrics.csv",
        "steps.csv",
    ] {
        fs::copy(folder.join(from).join(file), folder.join(to).join(file)).expect("a copy");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
#[ignore = "needs Chromium: cargo xtask test-browser"]
fn pages_work_in_a_browser() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&pictures).expect("a folder");
    let mut browser = Chromium::start(&pictures.join("chromium.log"));
    let mut complaints = Vec::new();
    let pages = pages(temporary.path());
    let comparison = pages.iter().find(|made| made.name == "comparison");
    faults_are_found(&mut browser, comparison.expect("a page"), &PLANTED);
    let search = pages.iter().find(|made| made.name == "search");
    faults_are_found(&mut browser, search.expect("a page"), &PLANTED_IN_SEARCHES);
    for made in &pages {
        let html = fs::read_to_string(&made.file).expect("a page");
        for words in made.words {
            assert!(html.contains(words), "{}: {words}", made.name);
        }
        for size in SIZES {
            let looks = ["light", "dark"].map(|scheme| {
                let name = format!("{}-{}-{scheme}", made.name, size[0]);
                let mut page = browser.page();
                page.set_screen(size, scheme);
                let (found, picture) = visit(&mut page, made);
                page.close();
                complaints.extend(found.into_iter().map(|one| format!("{name}: {one}")));
                let bytes = decoded(&picture);
                fs::write(pictures.join(format!("{name}.png")), bytes).expect("written");
                look_of(&mut browser, &picture, size[0], &name)
            });
            assert!(
                looks[0] > 0.75 && looks[1] < 0.35,
                "{}: {looks:?}",
                made.name
            );
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The checks complain where there is something to complain of.
fn faults_are_found(browser: &mut Chromium, made: &Made, planted: &[(&str, &str)]) {
    let mut page = browser.page();
    page.set_screen(SIZES[0], "light");
    for (fault, expected) in planted {
        page.open(&format!("file://{}", made.file.display()));
        page.evaluate("[one, all] = ['querySelector', 'querySelectorAll'].map((name) => (what) => document[name](what)), 0");
        page.evaluate(&format!("{fault}, 0"));
        let found = checks(&mut page, made.charts);
        let is_found = found.iter().any(|one| one.contains(expected));
        assert!(is_found, "{fault}: {found:?}");
    }
    page.events();
    page.evaluate("console.error('planted'), setTimeout(() => { throw 'planted' }), new Promise((done) => setTimeout(done, 20))");
    let found = by_events(&page.events(), "");
    let kinds = ["console", "exception"].map(|kind| found.iter().any(|one| one.starts_with(kind)));
    assert_eq!(kinds, [true; 2], "{found:?}");
    page.close();
}

/// Opens a page, takes a picture of it, uses it, and says what is wrong with it.
fn visit(page: &mut Page, made: &Made) -> (Vec<String>, String) {
    let url = format!("file://{}", made.file.display());
    page.open(&url);
    let mut complaints = checks(page, made.charts);
    let picture = page.screenshot();
    complaints.extend(by_keyboard(page));
    complaints.extend(by_pointer(page));
    // Again with everything unfolded, in the other colours.
    complaints.extend(checks(page, made.charts));
    complaints.extend(by_events(&page.events(), &url));
    complaints.extend(closed_to_the_outside(page));
    (complaints, picture)
}

fn checks(page: &mut Page, charts: u64) -> Vec<String> {
    let found = page.evaluate(CHECKS);
    assert_eq!(found["charts"], charts, "charts of lines");
    strings(&found["complaints"])
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one.as_str().expect("text").to_string())
        .collect()
}

/// Goes through the page with the tabulator, skips, unfolds, reads a chart and changes the colours; then all of it is as the
/// reader of another screen has it.
fn by_keyboard(page: &mut Page) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut check = |holds: bool, words: &str| {
        if !holds {
            complaints.push(words.to_string());
        }
    };
    let mut visited = 0;
    loop {
        page.press("Tab");
        let here = page.evaluate(
            "(() => { const e = document.activeElement; if (!e || e === document.body) return null;
              const style = getComputedStyle(e), box = e.getBoundingClientRect();
              return { kind: e.className || e.localName, name: (e.ariaLabel ?? e.textContent).trim(),
                       ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
                       seen: box.bottom > 0 && box.top < innerHeight && box.width > 0 }; })()",
        );
        // Behind the last stop is none, or again the first.
        if here.is_null() || (visited > 0 && here["kind"] == "skip") {
            break;
        }
        assert!(visited < 500, "the tabulator never comes around");
        visited += 1;
        let name = here["kind"].as_str().expect("text");
        check(
            here["ring"] == true,
            &format!("no ring around {name} in focus"),
        );
        check(
            here["seen"] == true,
            &format!("{name} is out of sight in focus"),
        );
        check(here["name"] != "", &format!("{name} has no name"));
        if visited == 1 {
            check(name == "skip", "the first stop is no way to skip");
        }
        match name {
            "plot" => read_chart(page, &mut check),
            "summary" => {
                page.press("Enter");
                let open = page.evaluate("document.activeElement.parentElement.open");
                check(open == true, "a table does not unfold");
            }
            _ => (),
        }
    }
    // Tables that were unfolded on the way are stops, too.
    let all = page.evaluate(
        "[...document.querySelectorAll('a, button, summary, [tabindex=\"0\"]')].filter(e => e.checkVisibility()).length",
    );
    check(all == visited, &format!("{visited} stops, expected {all}"));

    page.evaluate("document.querySelector('.skip').focus()");
    page.press("Enter");
    let main = page.evaluate("document.activeElement.localName");
    check(main == "main", "skipping does not lead to the figures");
    let before = page.evaluate("getComputedStyle(document.body).backgroundColor");
    page.evaluate("document.querySelector('.theme').focus()");
    page.press(" ");
    let after = page.evaluate("getComputedStyle(document.body).backgroundColor");
    check(before != after, "the colours stay");
    complaints
}

/// Reads the chart in focus by arrow keys.
fn read_chart(page: &mut Page, check: &mut impl FnMut(bool, &str)) {
    let tip = "(() => { const tip = document.activeElement.querySelector('.tip'); const box = tip.getBoundingClientRect();
      return tip.hidden ? null : { text: tip.textContent, live: tip.ariaLive,
        fits: box.left >= 0 && box.right <= screen.width, marked: getComputedStyle(document.activeElement.querySelector('.cursor')).visibility }; })()";
    let mut texts = Vec::new();
    for key in ["ArrowRight", "ArrowRight", "End"] {
        page.press(key);
        let shown = page.evaluate(tip);
        check(shown["fits"] == true, "a reading is beyond the window");
        check(shown["live"] == "polite", "a reading is not announced");
        check(shown["marked"] == "visible", "a reading has no mark");
        let text = shown["text"].as_str().unwrap_or_default().to_string();
        check(
            text.chars().any(|c| c.is_ascii_digit()),
            "a reading has no number",
        );
        texts.push(text);
    }
    check(texts[0] != texts[1], "the arrow keys read the same twice");
    page.press("Escape");
    check(page.evaluate(tip).is_null(), "a reading does not go away");
}

/// Points at the middle of every chart.
fn by_pointer(page: &mut Page) -> Vec<String> {
    let mut complaints = Vec::new();
    let charts = page.evaluate("document.querySelectorAll('.plot[data-chart]').length");
    for chart in 0..charts.as_u64().expect("a number") {
        let here = format!("document.querySelectorAll('.plot[data-chart]')[{chart}]");
        let place = page.evaluate(&format!(
            "(() => {{ {here}.scrollIntoView({{ block: 'center' }}); const box = {here}.getBoundingClientRect();
              return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        ));
        let [x, y] = [0, 1].map(|side| place[side].as_f64().expect("a number"));
        page.point(x, y);
        let shown = page.evaluate(&format!("!{here}.querySelector('.tip').hidden"));
        if shown != true {
            complaints.push(format!("chart {chart} shows nothing under the pointer"));
        }
    }
    page.point(1.0, 1.0);
    page.evaluate("scrollTo(0, 0)");
    complaints
}

/// Errors that the page has met, and whatever it has asked for beside itself.
fn by_events(events: &[Value], url: &str) -> Vec<String> {
    let complaint = |event: &Value| {
        let params = &event["params"];
        match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(format!("exception: {params}")),
            "Runtime.consoleAPICalled" => Some(format!("console: {params}")),
            "Log.entryAdded" => Some(format!("log: {}", params["entry"]["text"])),
            "Network.requestWillBeSent" => {
                let asked = params["request"]["url"].as_str()?;
                let asked = asked.split('#').next()?;
                (asked != url && !asked.starts_with("data:")).then(|| format!("request: {asked}"))
            }
            _ => None,
        }
    };
    let seen = |event: &&Value| event["method"] == "Network.requestWillBeSent";
    let mut complaints: Vec<String> = events.iter().filter_map(complaint).collect();
    if !events.iter().any(|event| seen(&event)) {
        complaints.push("no request was seen, not even that for the page".into());
    }
    complaints
}

/// Even if something in the page asked for more, the browser would not let it.
fn closed_to_the_outside(page: &mut Page) -> Vec<String> {
    let refused = page.evaluate(
        "(async () => {
           let refused = 0;
           document.addEventListener('securitypolicyviolation', () => { refused += 1; });
           document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/a.png' }));
           await fetch('http://127.0.0.1:9/').catch(() => {});
           await new Promise((done) => setTimeout(done, 50));
           return refused;
         })()",
    );
    match refused.as_u64() {
        Some(2) => Vec::new(),
        _ => vec![format!("{refused} of 2 requests were refused")],
    }
}

/// Checks that a screenshot shows something; its brightness from 0 to 1.
fn look_of(browser: &mut Chromium, picture: &str, width: u32, name: &str) -> f64 {
    let mut page = browser.page();
    let look = page.evaluate(&format!("const picture = {}; {LOOK}", json!(picture)));
    page.close();
    assert_eq!(look["width"], width, "{name}");
    let number = |key: &str| look[key].as_f64().expect("a number");
    assert!(
        number("colours") > 50.0 && number("commonest") < 0.98,
        "{name}: {look}"
    );
    number("brightness")
}

/// The bytes of a base64 text.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |symbol: u8| match symbol {
        b'A'..=b'Z' => u32::from(symbol - b'A'),
        b'a'..=b'z' => u32::from(symbol - b'a') + 26,
        b'0'..=b'9' => u32::from(symbol - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.chunks(4) {
        let bits = four
            .iter()
            .fold(0, |bits, symbol| bits << 6 | digit(*symbol));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
