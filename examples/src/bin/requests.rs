//! A console: what is asked is text, and the modules are found by name.
//!
//! ```sh
//! cargo run -p dms-examples --bin requests
//! ```
//!
//! It prints
//!
//! ```text
//! counter add {"by": 2} -> 2
//! counter scale {"by": 21, "offset": 0} -> {"Ok":42}
//! counter scale {"by": 2000, "offset": 0} -> {"Err":"by at most 1000"}
//! counter subtract {"by": 1} -> module `counter` has no remote handler `subtract`; it has: add, scale
//! counter add {"by": "two"} -> the payload of `add` for module `counter` is no `Add { by: u64 }`: not readable as JSON: invalid type: string "two", expected u64 at line 1 column 12
//! clock get_status -> running
//! clock stop -> refused: a clock does not know `stop`
//! printer print -> no module is named `printer` or provides it; there are: clock, counter
//! counter offers: add(Add) -> u64, scale(Scale) -> Result<u64, String>
//! ```

use std::error::Error;

use dms::prelude::*;

/// Counts. Its handlers are typed, and reached by name as well.
#[module(name = "counter")]
#[derive(Default)]
struct Counter {
    count: u64,
}

#[module(remote)]
impl Counter {
    #[handler(Add)]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    #[handler(Scale)]
    fn scale(&mut self, by: u64, #[serde(default)] offset: u64) -> Result<u64, String> {
        if by > 1_000 {
            return Err("by at most 1000".to_owned());
        }
        self.count = self.count * by + offset;
        Ok(self.count)
    }
}

/// Knows what it is asked when it is asked.
#[module(name = "clock")]
struct Clock;

#[module]
impl Clock {
    #[request]
    fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
        match request.request_type.as_str() {
            "get_status" => Ok(Response::ok("running")),
            unknown => Ok(Response::err(format!("a clock does not know `{unknown}`"))),
        }
    }
}

/// `module request payload`
async fn enter(system: &SystemRef, line: &str) -> String {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (module, request) = (word(), Request::new(word(), word()));
    match system.request(module, request).await {
        Ok(response) => match response.into_result() {
            Ok(payload) => String::from_utf8_lossy(&payload).into_owned(),
            Err(text) => format!("refused: {text}"),
        },
        // An error says one level; what caused it is its source.
        Err(error) => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    system.register_module(Counter::default()).await?;
    system.register_module(Clock).await?;

    for line in [
        r#"counter add {"by": 2}"#,
        r#"counter scale {"by": 21, "offset": 0}"#,
        r#"counter scale {"by": 2000, "offset": 0}"#,
        r#"counter subtract {"by": 1}"#,
        r#"counter add {"by": "two"}"#,
        "clock get_status",
        "clock stop",
        "printer print",
    ] {
        println!("{line} -> {}", enter(&system, line).await);
    }

    let description = system.describe();
    let requests = description["modules"][0]["requests"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let offers = requests.map(|request| {
        format!(
            "{}({}) -> {}",
            text(&request["name"]),
            text(&request["message"]["type"]),
            text(&request["reply"]["type"])
        )
    });
    println!("counter offers: {}", offers.collect::<Vec<_>>().join(", "));
    system.shutdown().await;
    Ok(())
}
