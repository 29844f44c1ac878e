//! A headless Chromium that tests talk to: its DevTools protocol over pipes, without a port and without a library.
//!
//! The protocol: <https://chromedevtools.github.io/devtools-protocol/>. With `--remote-debugging-pipe` it reads commands from
//! file descriptor 3 and writes answers and events to 4, each a JSON object that ends in a zero byte.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What the browser is called on one system or another.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// How long an answer may take: generous, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running browser, closed when it is dropped.
pub struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    /// Events that nobody has asked for yet.
    events: Vec<Value>,
    last: u64,
    /// Where it keeps its profile.
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts the browser; what it has to say goes to a file.
    ///
    /// # Panics
    /// If none is installed.
    pub fn start(log: &Path) -> Self {
        let name = installed().unwrap_or_else(|| {
            panic!(
                "found no Chromium, expected one of {}; install it, on Debian with `apt-get install chromium`",
                NAMES.join(", ")
            )
        });
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("sh");
        // The pipes of standard input and output become the descriptors of the protocol.
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#, name]);
        command.args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
        ]);
        // Root has no sandbox; the pages are our own.
        command.arg("--no-sandbox");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        let log = File::create(log).expect("a log");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a shell");
        let commands = child.stdin.take().expect("a pipe");
        let answers = child.stdout.take().expect("a pipe");
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut answers = BufReader::new(answers);
            let mut bytes = Vec::new();
            while answers.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes).expect("a JSON object");
                bytes.clear();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            commands,
            messages,
            events: Vec::new(),
            last: 0,
            _profile: profile,
        }
    }

    /// A new, empty page.
    pub fn page(&mut self) -> Page<'_> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", attached);
        let mut page = Page {
            target: target["targetId"].clone(),
            session: attached["sessionId"].as_str().expect("a session").into(),
            browser: self,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("the browser reads");
        loop {
            let message = self.next(method);
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next(&self, awaited: &str) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        message.unwrap_or_else(|error| panic!("waiting for {awaited}: {error}"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It is gone already if the test failed because of that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first name under which a browser is installed.
fn installed() -> Option<&'static str> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).collect();
    let is_there = |name: &&str| folders.iter().any(|folder| folder.join(name).is_file());
    NAMES.into_iter().find(is_there)
}

/// A page of the browser.
pub struct Page<'a> {
    browser: &'a mut Chromium,
    target: Value,
    session: String,
}

impl Page<'_> {
    /// Sends a command and waits for its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }

    /// The size of the window, and whether the screen is dark.
    pub fn set_screen(&mut self, [width, height]: [u32; 2], scheme: &str) {
        let metrics = json!({
            "width": width, "height": height, "screenWidth": width, "screenHeight": height,
            "deviceScaleFactor": 1, "mobile": width < 600
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// Opens an address and waits until all of it is there.
    pub fn open(&mut self, url: &str) {
        self.events();
        let result = self.call("Page.navigate", json!({ "url": url }));
        assert!(result["errorText"].is_null(), "{url}: {result}");
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.browser.events.iter().any(is_loaded) {
            let event = self.browser.next("the page");
            self.browser.events.push(event);
        }
    }

    /// What has happened since the last call.
    pub fn events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.browser.events)
    }

    /// The value of a JavaScript expression; of a promise, what it is kept with.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true
        });
        let result = self.call("Runtime.evaluate", params);
        let failure = &result["exceptionDetails"];
        assert!(failure.is_null(), "{expression}: {failure}");
        result["result"]["value"].clone()
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "ArrowLeft" => (37, ""),
            "ArrowRight" => (39, ""),
            "End" => (35, ""),
            other => panic!("the code of {other:?} is not listed"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Moves the pointer.
    pub fn point(&mut self, x: f64, y: f64) {
        let event = json!({ "type": "mouseMoved", "x": x, "y": y });
        self.call("Input.dispatchMouseEvent", event);
    }

    /// The whole page as a PNG file in base64.
    pub fn screenshot(&mut self) -> String {
        let metrics = self.call("Page.getLayoutMetrics", json!({}));
        let size = &metrics["cssContentSize"];
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1
        });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let result = self.call("Page.captureScreenshot", params);
        result["data"].as_str().expect("a picture").into()
    }

    /// Closes the page.
    pub fn close(self) {
        let target = json!({ "targetId": self.target });
        self.browser.call(None, "Target.closeTarget", target);
    }
}
