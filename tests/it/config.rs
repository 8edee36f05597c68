//! Settings in layers: what overrides what, how a module reads them, and what it is told where they are wrong.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::time::Duration;

use dms::event::ConfigChanged;
use dms::prelude::*;
use dms::{Config, ConfigBuilder, ConfigError, ConfigOrigin, RegisterError};
use dms_tests::{Log, Puppet, act_in, events_of, hold, on_every_runtime, on_paused, settle};
use futures::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// A directory with files, which is gone with it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file and gives its path.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// What `read` gives inside of `module`.
async fn inside<R: Send + 'static>(
    module: &ModuleRef<Puppet>,
    read: impl FnOnce(&Context<Puppet>) -> R + Send + 'static,
) -> R {
    let act = act_in(move |ctx| {
        let read = read(ctx);
        Box::pin(async move { read })
    });
    module.ask(act).await.unwrap()
}

fn system_of(config: ConfigBuilder) -> System {
    System::builder("shop").config(config.build().unwrap()).build()
}

fn defaults(toml: &str) -> Config {
    Config::builder().defaults(toml).build().unwrap()
}

fn variables<const N: usize>(variables: [(&'static str, &'static str); N]) -> Config {
    Config::builder().environment_from("SHOP", variables).build().unwrap()
}

fn refused<V: DeserializeOwned>(config: &Config, key: &str) -> String {
    config.value::<V>(key).err().expect("no such value can be read").to_string()
}

#[derive(Debug, Deserialize, PartialEq)]
struct Store {
    timeout: u64,
    #[serde(default)]
    peers: Vec<String>,
}

#[test]
fn layers_override_each_other_in_one_order_whatever_the_order_of_the_calls() {
    let files = Files::new();
    let path = files.write("app.toml", "[s]\nfile = 'file'\nvariable = 'file'\ncode = 'file'");
    let calls: [&dyn Fn(ConfigBuilder) -> ConfigBuilder; 4] = [
        &|config| {
            config.defaults("[s]\ndefaults = 'defaults'\nfile = 'defaults'\nvariable = 'defaults'\ncode = 'defaults'")
        },
        &|config| config.file(&path),
        &|config| config.environment_from("SHOP", [("SHOP_S__VARIABLE", "variable"), ("SHOP_S__CODE", "variable")]),
        &|config| config.set("s.code", "code"),
    ];
    for first in 0..4 {
        for step in [1, 3] {
            let order: Vec<_> = (0..4).map(|call| (first + call * step) % 4).collect();
            let config = order.iter().fold(Config::builder(), |config, call| calls[*call](config)).build().unwrap();
            let read: BTreeMap<String, String> = config.section("s").unwrap();
            let each = ["defaults", "file", "variable", "code"].map(|layer| (layer.to_owned(), layer.to_owned()));
            assert_eq!(read, BTreeMap::from(each), "{order:?}");
        }
    }
}

#[test]
fn of_several_files_the_later_overrides_the_earlier_tables_are_merged_and_lists_replaced() {
    let files = Files::new();
    let first = files.write("a.toml", "[s]\npeers = [1, 2, 3]\nold = 1\n[s.pool]\nsize = 1\nold = 1");
    let second = files.write("b.toml", "[s]\npeers = [4]\nnew = 2\n[s.pool]\nsize = 2\nnew = 2");
    let config = Config::builder().file(first).optional_file(second).build().unwrap();
    assert_eq!(config.value::<Vec<u8>>("s.peers").unwrap(), [4]);
    for (key, value) in [("s.old", 1), ("s.new", 2), ("s.pool.size", 2), ("s.pool.old", 1), ("s.pool.new", 2)] {
        assert_eq!(config.value::<u8>(key).unwrap(), value, "{key}");
    }
}

#[test]
fn an_ill_typed_value_says_which_key_what_is_wanted_what_is_there_and_where_it_was_written() {
    #[derive(Serialize)]
    struct Given {
        timeout: &'static str,
    }

    let files = Files::new();
    let path = files.write("app.toml", "\n[store]\n# How long.\ntimeout = \"soon\"\n");
    let shown = path.display().to_string();
    let given = Given { timeout: "soon" };
    let layers = [
        (
            Config::builder().defaults("[store]\ntimeout = 'soon'"),
            ConfigOrigin::Defaults { line: Some(2) },
            "line 2 of the defaults".to_owned(),
        ),
        (
            Config::builder().defaults_of("store", &given),
            ConfigOrigin::Defaults { line: None },
            "the defaults".to_owned(),
        ),
        (Config::builder().file(&path), ConfigOrigin::File { path, line: 4 }, format!("line 4 of `{shown}`")),
        (
            Config::builder().environment_from("SHOP", [("SHOP_STORE__TIMEOUT", "soon")]),
            ConfigOrigin::Environment { variable: "SHOP_STORE__TIMEOUT".to_owned() },
            "the environment variable `SHOP_STORE__TIMEOUT`".to_owned(),
        ),
        (Config::builder().set("store.timeout", "soon"), ConfigOrigin::Code, "what the program set".to_owned()),
    ];
    on_every_runtime(|| {
        let layers = layers.clone();
        async move {
            for (config, origin, place) in layers {
                // A weaker layer's value is not the one that is wrong.
                let system = system_of(config.defaults("[store.pool]\nsize = 1"));
                let module = system.register_module(Puppet::default()).name("store").await.unwrap();
                let whole = inside(&module, Context::config_as::<Store>).await.unwrap_err();
                let single = inside(&module, |ctx| ctx.config_value::<u64>("timeout")).await.unwrap_err();
                for error in [whole, single] {
                    assert_eq!(
                        error.to_string(),
                        format!(
                            "module `store`: `store.timeout` should be an integer (u64), but is the string \"soon\" in {place}: correct it there"
                        )
                    );
                    let ConfigError::Type { module, key, wanted, found, origin: at, .. } = error else {
                        panic!("of another kind: {error:?}")
                    };
                    assert_eq!((module.as_deref(), &*key), (Some("store"), "store.timeout"));
                    assert_eq!((&*wanted, &*found), ("an integer (u64)", "the string \"soon\""));
                    assert_eq!(at.as_deref(), Some(&origin));
                }
                assert_eq!(system.config().origin("store.timeout"), Some(origin));
                assert_eq!(system.config().origin("store"), None, "a table may come from several places");
                system.shutdown().await;
            }
        }
    });
}

#[test]
fn a_missing_value_says_which_key_what_is_wanted_and_where_to_write_it() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Settings {
        pool: Pool,
        timeout: Duration,
        mode: Mode,
        ports: Vec<Port>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Pool {
        size: Size,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Size(u32);

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Safe,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Port {
        number: u16,
    }

    let files = Files::new();
    let all = "ports = [{ number = 1 }, {}]\nmode = 'fast'\ntimeout = { secs = 1, nanos = 0 }\n[store.pool]\nsize = 1";
    let path = files.write("app.toml", format!("[store]\n{all}"));
    let file = path.display();
    let read = |config: ConfigBuilder| config.build().unwrap().section::<Settings>("store").unwrap_err().to_string();

    assert_eq!(
        read(Config::builder().file(&path)),
        format!("`store.ports[1].number` is missing, and should be an integer (u16): write it in line 2 of `{file}`")
    );
    let without = |line: &str| {
        let text: Vec<_> = all.lines().filter(|other| !other.starts_with(line)).collect();
        let text = text.join("\n");
        files.write("app.toml", format!("[store]\n{}", text.replace(", {}", "")));
        Config::builder().optional_file(&path)
    };
    assert_eq!(
        read(without("size").environment_from("SHOP", [("", ""); 0])),
        format!(
            "`store.pool.size` is missing, and should be an integer (u32): write `size = …` under `[store.pool]` in `{file}`, or set the environment variable `SHOP_STORE__POOL__SIZE`"
        )
    );
    assert_eq!(
        read(without("timeout")),
        format!(
            "`store.timeout` is missing, and should be a duration (as `\"30s\"` or `\"1m 30s\"`): write `timeout = …` under `[store]` in `{file}`"
        )
    );
    assert_eq!(
        read(without("mode")),
        format!(
            "`store.mode` is missing, and should be `fast` or `safe`: write `mode = …` under `[store]` in `{file}`"
        )
    );
    assert_eq!(
        read(Config::builder().environment_from("SHOP", [("SHOP_STORE__MODE", "safe")])),
        "`store.pool` is missing, and should be a table (Pool): set the environment variable `SHOP_STORE__POOL`"
    );
    assert_eq!(
        refused::<bool>(&Config::builder().set("a.b", 1).build().unwrap(), "a.c"),
        "`a.c` is missing, and should be a boolean: give it with `Config::builder().set(\"a.c\", …)`"
    );
    assert_eq!(
        refused::<Vec<u8>>(&Config::default(), "log"),
        "`log` is missing, and should be a list: there is no configuration: make one with `Config::builder()` and give it to `System::builder(…).config(…)`"
    );
}

#[test]
fn a_missing_value_that_need_not_be_there_is_none_and_a_missing_section_is_an_empty_one() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Lenient {
        timeout: Option<u64>,
        #[serde(default)]
        name: String,
    }

    let config = Config::default();
    assert_eq!(config.value::<Option<u64>>("store.timeout").unwrap(), None);
    assert_eq!(config.section::<Lenient>("store").unwrap(), Lenient { timeout: None, name: String::new() });
    assert_eq!(defaults("[store]\ntimeout = 5").value::<Option<u64>>("store.timeout").unwrap(), Some(5));
}

#[test]
fn a_file_is_taken_at_its_word() {
    let config = defaults("half = 2.7\nyes = true\ntext = '5'\nlarge = 300\nless = -1\none = 1\nlist = [1]");
    for (error, start) in [
        (refused::<u64>(&config, "half"), "`half` should be an integer (u64), but is the number 2.7 in line 1"),
        (refused::<i32>(&config, "yes"), "`yes` should be an integer (i32), but is the boolean true in line 2"),
        (refused::<u64>(&config, "text"), "`text` should be an integer (u64), but is the string \"5\" in line 3"),
        (refused::<u8>(&config, "large"), "`large` should be an integer (u8), but is the integer 300 in line 4"),
        (refused::<usize>(&config, "less"), "`less` should be an integer (usize), but is the integer -1 in line 5"),
        (refused::<bool>(&config, "one"), "`one` should be a boolean, but is the integer 1 in line 6"),
        (refused::<String>(&config, "one"), "`one` should be a string, but is the integer 1 in line 6"),
        (refused::<f64>(&config, "text"), "`text` should be a number (f64), but is the string \"5\" in line 3"),
        (refused::<Vec<u8>>(&config, "one"), "`one` should be a list, but is the integer 1 in line 6"),
        (refused::<Store>(&config, "list"), "`list` should be a table (Store), but is a list in line 7"),
        (refused::<Vec<bool>>(&config, "list"), "`list[0]` should be a boolean, but is the integer 1 in line 7"),
    ] {
        assert!(error.starts_with(start), "{error}");
    }
    assert!((config.value::<f64>("one").unwrap() - 1.0).abs() < f64::EPSILON, "an integer is a number");
}

#[test]
fn types_of_all_kinds_are_read() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct All {
        mode: Mode,
        custom: Mode,
        pair: Mode,
        named: Mode,
        port: Port,
        corner: (i64, f32),
        by_number: BTreeMap<u16, String>,
        by_mode: BTreeMap<Level, u8>,
        when: String,
        letter: char,
        nothing: Option<u8>,
        either: Vec<Either>,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Mode {
        Fast,
        Custom(u8),
        Pair(u8, bool),
        Named { depth: u8 },
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Level {
        Low,
        High,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Port(u16);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
        Flag(bool),
    }

    let config = defaults(
        "[s]\nmode = 'Fast'\ncustom = { Custom = 3 }\npair = { Pair = [4, true] }\nnamed.Named.depth = 5\nport = 80\n\
         corner = [1, 2.5]\nby_number = { 1 = 'one', 2 = 'two' }\nby_mode = { Low = 1, High = 9 }\n\
         when = 2026-01-02T03:04:05Z\nletter = 'x'\neither = [1, 'a', false]\nmore = 0x1F\neven_more = 7",
    );
    assert_eq!(
        config.section::<All>("s").unwrap(),
        All {
            mode: Mode::Fast,
            custom: Mode::Custom(3),
            pair: Mode::Pair(4, true),
            named: Mode::Named { depth: 5 },
            port: Port(80),
            corner: (1, 2.5),
            by_number: BTreeMap::from([(1, "one".to_owned()), (2, "two".to_owned())]),
            by_mode: BTreeMap::from([(Level::Low, 1), (Level::High, 9)]),
            when: "2026-01-02T03:04:05Z".to_owned(),
            letter: 'x',
            nothing: None,
            either: vec![Either::Number(1), Either::Text("a".to_owned()), Either::Flag(false)],
            rest: BTreeMap::from([("even_more".to_owned(), 7), ("more".to_owned(), 31)]),
        }
    );
    for (written, wrong) in [
        (
            "mode = 'Slow'",
            "`s.mode` should be `Fast`, `Custom`, `Pair` or `Named`, but is the string \"Slow\" in line 2",
        ),
        ("mode = 5", "`s.mode` should be `Fast`, `Custom`, `Pair` or `Named`, but is the integer 5 in line 2"),
        ("mode = { Custom = 'x' }", "`s.mode.Custom` should be an integer (u8), but is the string \"x\" in line 2"),
        ("mode = { Named = {} }", "`s.mode.Named.depth` is missing, and should be an integer (u8): "),
    ] {
        let error = refused::<Mode>(&defaults(&format!("[s]\n{written}")), "s.mode");
        assert!(error.starts_with(wrong), "{error}");
    }
}

#[test]
fn a_key_that_the_type_denies_and_a_value_that_it_rejects_are_errors_with_their_place() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "it is never read")]
    struct Strict {
        timeout: Option<u64>,
        name: Option<Name>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Name;

    impl TryFrom<String> for Name {
        type Error = String;

        fn try_from(name: String) -> Result<Self, String> {
            if name.is_empty() { Err("a name must not be empty".to_owned()) } else { Ok(Self) }
        }
    }

    let read = |toml: &str| defaults(toml).section::<Strict>("store").unwrap_err();
    let unknown = read("[store]\ntimout = 5");
    assert_eq!(
        unknown.to_string(),
        "`store.timout` in line 2 of the defaults is unknown: take it away, or write `timeout` or `name`"
    );
    assert!(matches!(&unknown, ConfigError::Unknown { known, .. } if known == &["timeout", "name"]), "{unknown:?}");
    let invalid = read("[store]\nname = ''");
    assert_eq!(invalid.to_string(), "`store.name` in line 2 of the defaults cannot be taken: a name must not be empty");
    assert!(matches!(&invalid, ConfigError::Invalid { reason, .. } if reason == "a name must not be empty"));
}

#[test]
fn a_mistake_in_a_part_that_serde_buffers_is_found_where_it_was_written() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Whole {
        name: String,
        #[serde(flatten)]
        rest: Rest,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Rest {
        timeout: u64,
        pool: Pool,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Pool {
        size: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[allow(dead_code, reason = "it is never read")]
    enum Backend {
        Disk { path: String },
        Memory { size: u64 },
    }

    let read = |toml: &str| match defaults(toml).section::<Whole>("s") {
        Ok(whole) => panic!("it is wrong: {whole:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        read("[s]\nname = 'x'\npool.size = 1\ntimeout = 'soon'"),
        "`s.timeout` should be an integer (u64), but is the string \"soon\" in line 4 of the defaults: correct it there"
    );
    assert_eq!(
        read("[s]\nname = 'x'\ntimeout = 1\n[s.pool]\nsize = 300"),
        "`s.pool.size` should be an integer (u8), but is the integer 300 in line 5 of the defaults: correct it there"
    );
    assert_eq!(
        read("[s]\nname = 'soon'\ntimeout = 'soon'"),
        "`s` should be an integer (u64), but is a table with the string \"soon\" in it",
        "which of the two serde does not say"
    );
    assert_eq!(
        read("[s]\nname = 'x'\ntimeout = 1"),
        "`s.pool` is missing, and should be a value: give it with `Config::builder().set(\"s.pool\", …)`"
    );
    let read = |toml: &str| match defaults(toml).section::<Backend>("s") {
        Ok(backend) => panic!("it is wrong: {backend:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        read("[s]\nkind = 'memory'\nsize = 'x'"),
        "`s.size` should be an integer (u64), but is the string \"x\" in line 3 of the defaults: correct it there"
    );
    assert_eq!(
        read("[s]\nkind = 'tape'"),
        "`s.kind` should be `disk` or `memory`, but is the string \"tape\" in line 2 of the defaults: correct it there"
    );
    assert!(read("[s]\nsize = 1").starts_with("`s.kind` is missing, and should be the name of a variant: "));
}

#[test]
fn a_key_of_the_wrong_kind_is_what_is_wrong_and_not_its_value() {
    let config = defaults("[s]\n1 = 'one'\ntwo = 'two'");
    assert_eq!(
        config.section::<BTreeMap<u16, String>>("s").unwrap_err().to_string(),
        "`s.two` should be an integer (u16), but is the key \"two\" in line 3 of the defaults: correct it there"
    );
}

#[test]
fn numbers_are_read_as_toml_writes_them() {
    let config = defaults(
        "a = 1_000\nb = +5\nc = 1e3\nd = -inf\ne = 1_0.5_0\nf = 0xFF\ng = 0o17\nh = 0b101\ni = -9223372036854775808",
    );
    for (key, number) in [("a", 1_000), ("b", 5), ("f", 255), ("g", 15), ("h", 5), ("i", i64::MIN)] {
        assert_eq!(config.value::<i64>(key).unwrap(), number, "{key}");
    }
    for (key, number) in [("c", "1000.0"), ("d", "-inf"), ("e", "10.5")] {
        assert_eq!(config.value::<f64>(key).map(|number| format!("{number:?}")).unwrap(), number, "{key}");
    }
}

#[test]
fn a_duration_is_written_as_in_the_attributes() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Settings {
        timeout: Duration,
        pause: Option<Duration>,
    }

    let read = |toml: &str| defaults(toml).section::<Settings>("store");
    let expected = Settings { timeout: Duration::from_secs(90), pause: Some(Duration::from_millis(250)) };
    assert_eq!(read("[store]\ntimeout = '1m 30s'\npause = '250ms'").unwrap(), expected);
    let settings = Settings { timeout: Duration::new(3, 5), pause: None };
    assert_eq!(read("[store]\ntimeout = { secs = 3, nanos = 5 }").unwrap(), settings, "serde's own form");
    let config = variables([("SHOP_STORE__TIMEOUT", "2h")]);
    assert_eq!(config.value::<Duration>("store.timeout").unwrap(), Duration::from_hours(2));

    for (value, found) in [("'soon'", "the string \"soon\""), ("30", "the integer 30"), ("1.5", "the number 1.5")] {
        assert_eq!(
            read(&format!("[store]\ntimeout = {value}")).unwrap_err().to_string(),
            format!(
                "`store.timeout` should be a duration (as `\"30s\"` or `\"1m 30s\"`), but is {found} in line 2 of the defaults: correct it there"
            )
        );
    }
}

#[test]
fn a_struct_of_ones_own_that_is_named_duration_stays_a_table() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never read")]
    struct Duration {
        minutes: u64,
    }

    let error = defaults("[store]\ntimeout = '1m'").value::<Duration>("store.timeout").unwrap_err();
    assert!(error.to_string().contains("should be a table (Duration)"), "{error}");
}

#[test]
fn a_variable_becomes_what_the_type_wants() {
    let config = variables([
        ("SHOP_S__MAX_SIZE", " 5 "),
        ("SHOP_S__LARGE", "18446744073709551615"),
        ("SHOP_S__RATIO", "1"),
        ("SHOP_S__ON", "Yes"),
        ("SHOP_S__OFF", "0"),
        ("SHOP_S__CODE", "007"),
        ("SHOP_S__TRUE", "true"),
        ("SHOP_S__LIST", "[\"a\", \"b,c\"]"),
        ("SHOP_S__EMPTY", ""),
        ("SHOP_S__QUOTED", "\"5\""),
        ("SHOP_S__POOL__MIN_IDLE__DEEP", "3"),
    ]);
    assert_eq!(config.value::<u8>("s.max_size").unwrap(), 5);
    assert_eq!(config.value::<u64>("s.large").unwrap(), u64::MAX);
    assert!((config.value::<f64>("s.ratio").unwrap() - 1.0).abs() < f64::EPSILON);
    assert!(config.value::<bool>("s.on").unwrap());
    assert!(!config.value::<bool>("s.off").unwrap());
    assert_eq!(config.value::<u32>("s.code").unwrap(), 7);
    for (key, text) in [
        ("s.code", "007"),
        ("s.true", "true"),
        ("s.max_size", " 5 "),
        ("s.quoted", "\"5\""),
        ("s.empty", ""),
        ("s.list", "[\"a\", \"b,c\"]"),
    ] {
        assert_eq!(config.value::<String>(key).unwrap(), text, "a text stays as it is");
    }
    assert_eq!(config.value::<Vec<String>>("s.list").unwrap(), ["a", "b,c"]);
    assert_eq!(config.value::<Option<u8>>("s.pool.min_idle.deep").unwrap(), Some(3));
    let list = refused::<Vec<String>>(&config, "s.code");
    assert_eq!(
        list,
        "`s.code` should be a list, as `[\"a\", \"b\"]`, but is the string \"007\" in the environment variable `SHOP_S__CODE`: correct it there"
    );
    let item = refused::<Vec<u8>>(&config, "s.list");
    assert!(
        item.starts_with(
            "`s.list[0]` should be an integer (u8), but is the string \"a\" in the environment variable `SHOP_S__LIST`"
        ),
        "{item}"
    );
    let number = refused::<u8>(&config, "s.large");
    assert!(
        number.starts_with("`s.large` should be an integer (u8), but is the string \"18446744073709551615\""),
        "{number}"
    );
    let boolean = refused::<bool>(&config, "s.max_size");
    assert!(boolean.starts_with("`s.max_size` should be a boolean, but is the string \" 5 \""), "{boolean}");
}

#[test]
fn a_variable_of_an_open_type_is_what_toml_makes_of_it_and_else_a_text() {
    let config = variables([
        ("SHOP_S__A", "5"),
        ("SHOP_S__B", "true"),
        ("SHOP_S__C", "007"),
        ("SHOP_S__D", "[1, 'x']"),
        ("SHOP_S__E", "plain"),
        ("SHOP_S__F", "\"5\""),
    ]);
    let read: BTreeMap<String, serde_json::Value> = config.section("s").unwrap();
    let read: Vec<String> = read.values().map(ToString::to_string).collect();
    assert_eq!(read, ["5", "true", "\"007\"", "[1,\"x\"]", "\"plain\"", "\"5\""]);
}

#[test]
fn a_variable_finds_its_key_in_whatever_case_and_with_whatever_dashes_it_is_written() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Camel {
        max_size: u8,
    }

    let config = Config::builder()
        .defaults("[order-book]\nmax-size = 1\n[Camel]\nmaxSize = 1")
        .environment_from(
            "shop",
            [
                ("SHOP_ORDER_BOOK__MAX_SIZE", "2"),
                ("SHOP_CAMEL__MAXSIZE", "3"),
                ("SHOP_OTHER__MAXSIZE", "4"),
                ("SHOP_EU_BOOK__X", "5"),
            ],
        )
        .build()
        .unwrap();
    assert_eq!(config.value::<u8>("order-book.max-size").unwrap(), 2, "as an earlier layer writes it");
    assert_eq!(config.section::<Camel>("Camel").unwrap().max_size, 3);
    assert_eq!(config.section::<Camel>("other").unwrap().max_size, 4, "as the type writes it");
    assert_eq!(config.value::<u8>("eu-book.x").unwrap(), 5, "as whoever asks writes it");
}

#[test]
fn variables_of_other_programs_are_let_be() {
    let config = variables([
        ("SHOP", "1"),
        ("SHOP_", "2"),
        ("SHOP_A____B", "3"),
        ("SHOPPING_A__B", "4"),
        ("A__B", "5"),
        ("", "6"),
        ("SHOP_HOST", "me"),
    ]);
    assert_eq!(format!("{config:?}"), "Config { sections: [\"host\"], .. }");
    assert_eq!(config.value::<String>("host").unwrap(), "me");
    let bare = Config::builder().environment_from("", [("PATH", "/bin"), ("STORE__TIMEOUT", "5")]).build().unwrap();
    assert_eq!(format!("{bare:?}"), "Config { sections: [\"store\"], .. }");
    assert_eq!(bare.value::<u8>("store.timeout").unwrap(), 5);
}

#[test]
fn a_variable_cannot_replace_a_table_nor_make_one_of_a_value() {
    let read = |name: &'static str| {
        let config = Config::builder().defaults("[store]\ntimeout = 5").environment_from("SHOP", [(name, "1")]);
        config.build().unwrap_err().to_string()
    };
    assert_eq!(
        read("SHOP_STORE"),
        "the environment variable `SHOP_STORE` would replace the table `store`: name the key in it, after two underscores"
    );
    assert_eq!(
        read("SHOP_STORE__TIMEOUT__SECONDS"),
        "the environment variable `SHOP_STORE__TIMEOUT__SECONDS` would make a table of `store.timeout`, which is a single value"
    );
}

#[cfg(unix)]
/// The tree is gone through by calls inside each other: it must not be as deep as a text can be long.
#[test]
fn a_key_of_too_many_names_is_an_error_wherever_it_stands() {
    for names in [129, 50_000] {
        let (dots, underscores) = (vec!["a"; names].join("."), vec!["A"; names].join("__"));
        let variable = Config::builder().environment_from("SHOP", [(format!("SHOP_{underscores}"), "1")]).build();
        let Err(error @ ConfigError::Environment { .. }) = variable else { panic!("{names} names") };
        assert!(error.to_string().ends_with("names more than 128 tables in each other"));
        let set = Config::builder().set(dots.clone(), 1).build();
        assert!(matches!(set, Err(ConfigError::Value { .. })), "{names} names");
        let defaults = Config::builder().defaults_of(dots.clone(), &1).build();
        assert!(matches!(defaults, Err(ConfigError::Value { .. })), "{names} names");
    }
    for text in [format!("{}a = 1", "a.".repeat(50_000)), format!("[{}a]", "a.".repeat(50_000)), "a = [".repeat(50_000)]
    {
        assert!(matches!(Config::builder().defaults(text).build(), Err(ConfigError::Syntax { .. })));
    }
    let (dots, underscores) = (vec!["a"; 128].join("."), vec!["A"; 128].join("__"));
    let deep = Config::builder().environment_from("SHOP", [(format!("SHOP_{underscores}"), "1")]).build();
    assert_eq!(deep.unwrap().value::<u8>(&dots).unwrap(), 1);
    assert_eq!(Config::builder().set(dots.clone(), 2).build().unwrap().value::<u8>(&dots).unwrap(), 2);
}

#[test]
fn a_variable_that_is_no_text_is_an_error_if_it_is_ours() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = || OsString::from_vec(vec![0xFF]);
    let read = |name: OsString| Config::builder().environment_from("SHOP", [(name, bytes())]).build();
    assert!(read("OTHER".into()).is_ok());
    assert!(read(bytes()).is_ok());
    let error = read("SHOP_A__B".into()).unwrap_err();
    assert_eq!(error.to_string(), "the environment variable `SHOP_A__B` is not Unicode text");
}

#[test]
fn the_environment_is_that_of_the_process() {
    const NAME: &str = "config::the_environment_is_that_of_the_process";
    const VARIABLE: &str = "DMSTEST_STORE__MAX_SIZE";
    let config = Config::builder().environment("DMSTEST").build().unwrap();
    if std::env::var_os(VARIABLE).is_some() {
        // This is the child.
        assert_eq!(config.value::<u64>("store.max_size").unwrap(), 5);
        println!("the child read it");
        return;
    }
    assert!(config.value::<u64>("store.max_size").is_err());
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", NAME, "--nocapture"]).env(VARIABLE, "5").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("the child read it"), "{text}");
}

#[test]
fn a_file_that_is_missing_unreadable_or_no_toml_is_an_error_that_names_it() {
    let files = Files::new();
    let missing = files.0.path().join("missing.toml");
    let error = Config::builder().file(&missing).build().unwrap_err();
    assert!(
        matches!(&error, ConfigError::File { path, error } if *path == missing && error.kind() == ErrorKind::NotFound)
    );
    assert_eq!(
        error.to_string(),
        format!("there is no configuration file `{}`: write it, or name it with `optional_file`", missing.display())
    );
    assert!(Config::builder().optional_file(&missing).build().is_ok());

    let directory = Config::builder().optional_file(files.0.path()).build().unwrap_err();
    assert!(
        matches!(&directory, ConfigError::File { error, .. } if error.kind() != ErrorKind::NotFound),
        "what is there must be readable: {directory}"
    );
    let bytes = files.write("bytes.toml", [b'a', 0xFF]);
    let error = Config::builder().file(bytes).build().unwrap_err();
    assert!(matches!(&error, ConfigError::File { error, .. } if error.kind() == ErrorKind::InvalidData), "{error}");

    for (text, line) in
        [("[a]\nb = 1\nc = = 2\n", 3), ("[a", 1), ("a = 1\n\na = 2", 3), ("[a]\nb = 99999999999999999999", 2)]
    {
        let path = files.write("bad.toml", text);
        let error = Config::builder().file(&path).build().unwrap_err();
        let ConfigError::Syntax { origin, .. } = &error else { panic!("of another kind: {error:?}") };
        assert_eq!(*origin, ConfigOrigin::File { path: path.clone(), line }, "{error}");
        assert!(error.to_string().starts_with(&format!("line {line} of `{}` is no TOML: ", path.display())), "{error}");
    }
    let error = Config::builder().defaults("a = ").build().unwrap_err();
    assert!(error.to_string().starts_with("line 1 of the defaults is no TOML: "), "{error}");

    let marked = files.write("marked.toml", "\u{feff}a = 1");
    assert_eq!(Config::builder().file(marked).build().unwrap().value::<u8>("a").unwrap(), 1);
}

#[test]
fn what_the_program_gives_is_whatever_toml_can_say() {
    #[derive(Serialize)]
    struct Given {
        name: &'static str,
        empty: Vec<u8>,
        nothing: Option<u8>,
    }

    let config = Config::builder()
        .set("a.b.c", 1.5)
        .set("given", Given { name: "x", empty: vec![], nothing: None })
        .set("given.name", "y")
        .build()
        .unwrap();
    assert!((config.value::<f64>("a.b.c").unwrap() - 1.5).abs() < f64::EPSILON);
    assert_eq!(config.value::<String>("given.name").unwrap(), "y", "of two the later");
    assert_eq!(config.value::<Vec<u8>>("given.empty").unwrap(), [0; 0]);
    assert_eq!(config.value::<Option<u8>>("given.nothing").unwrap(), None);

    for (key, error) in [("", "one or more names"), ("a..b", "one or more names"), ("a.", "one or more names")] {
        let refused = Config::builder().set(key, 1).build().unwrap_err().to_string();
        assert!(refused.starts_with(&format!("the value given for `{key}` cannot be configured: ")), "{refused}");
        assert!(refused.contains(error), "{refused}");
    }
    let refused = Config::builder().set("a", u64::MAX).build().unwrap_err();
    assert!(matches!(&refused, ConfigError::Value { key, .. } if key == "a"), "{refused}");
}

#[test]
fn what_is_shown_for_debugging_has_no_values() {
    let builder = Config::builder()
        .defaults("a = 'secret'")
        .defaults_of("b", &BTreeMap::from([("c", "secret")]))
        .environment_from("SHOP", [("SHOP_D", "secret")])
        .set("e", "secret");
    let system = System::builder("shop").config(builder.clone().build().unwrap());
    let shown = format!("{builder:?} {system:?} {:?}", system.clone().build().config());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("[\"a\", \"b\", \"d\", \"e\"]"), "{shown}");
}

#[module]
#[derive(Default)]
struct OrderBook;

#[module]
impl OrderBook {
    #[handler(Who)]
    fn who(&self, ctx: &mut Context<Self>) -> Option<String> {
        ctx.config("who")
    }
}

#[module(name = "till")]
#[derive(Default)]
struct Till;

#[module]
impl Till {
    #[handler(WhoElse)]
    fn who(&self, ctx: &mut Context<Self>) -> Option<String> {
        ctx.config("who")
    }
}

#[test]
fn a_module_reads_the_section_of_its_name() {
    on_every_runtime(|| async {
        let system = system_of(Config::builder().defaults(
            "[order_book]\nwho = 'type'\n[till]\nwho = 'till'\n[given]\nwho = 'given'\n[worker]\nwho = 'worker'\n\
             [worker-1]\nwho = 'second'\n[orders.eu]\nwho = 'eu'\n[till-x]\nwho = 'x'",
        ));
        assert_eq!(system.register_module(OrderBook).await.unwrap().who().await.unwrap().unwrap(), "type");
        assert_eq!(system.register_module(Till).await.unwrap().who().await.unwrap().unwrap(), "till");
        for (name, who) in [("given", "given"), ("orders.eu", "eu"), ("till-x", "x"), ("till-77", "till")] {
            let module = system.register_module(OrderBook).name(name).await.unwrap();
            assert_eq!(module.who().await.unwrap().as_deref(), Some(who), "{name}");
        }
        for name in ["nowhere", "given-x", "-1", "given-"] {
            let module = system.register_module(OrderBook).name(name).await.unwrap();
            assert_eq!(module.who().await.unwrap(), None, "{name}");
        }
        let pool = system.register_pool(3, |_| OrderBook).name("worker").await.unwrap();
        let mut all = Vec::new();
        for member in pool.members() {
            all.push(member.who().await.unwrap().unwrap());
        }
        assert_eq!(all, ["worker", "second", "worker"]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_reads_single_values_and_what_is_no_such_value_is_warned_of() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = system_of(
                Config::builder()
                    .defaults(
                        "[store]\nname = 'me'\ncount = 3\nratio = 2.0\non = true\npeers = [1]\n[store.pool]\nsize = 8",
                    )
                    .environment_from("SHOP", [("SHOP_STORE__CODE", "007"), ("SHOP_STORE__NUMBER", "12")]),
            );
            let module = system.register_module(Puppet::default()).name("store").await.unwrap();
            inside(&module, |ctx| {
                for (key, text) in [
                    ("name", Some("me")),
                    ("count", Some("3")),
                    ("ratio", Some("2.0")),
                    ("on", Some("true")),
                    ("pool.size", Some("8")),
                    ("code", Some("007")),
                    ("nothing", None),
                    ("name.inside", None),
                ] {
                    assert_eq!(ctx.config(key).as_deref(), text, "{key}");
                }
                assert_eq!(ctx.config_or("name", "other"), "me");
                assert_eq!(ctx.config_or("nothing", "other"), "other");
                assert_eq!(ctx.config_usize("count"), Some(3));
                assert_eq!(ctx.config_usize("pool.size"), Some(8));
                assert_eq!(ctx.config_usize("number"), Some(12));
                assert_eq!(ctx.config_usize("nothing"), None);
                assert_eq!(ctx.config_value::<Vec<u8>>("peers").unwrap(), [1]);
                // From here on each is warned of once.
                assert_eq!(ctx.config_usize("name"), None);
                assert_eq!(ctx.config("peers"), None);
            })
            .await;
            system.shutdown().await;
        });
    });
    let warnings: Vec<_> = events.into_iter().filter(|event| event.level == tracing::Level::WARN).collect();
    assert_eq!(
        warnings.iter().map(|event| &*event.text).collect::<Vec<_>>(),
        [
            "module `store`: `store.name` should be an integer (usize), but is the string \"me\" in line 2 of the defaults: correct it there",
            "module `store`: `store.peers` should be a string, a number or a boolean, but is a list in line 6 of the defaults: correct it there",
        ]
    );
}

#[module(name = "picky")]
struct Picky;

#[module]
impl Picky {
    #[init]
    fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let _: Store = ctx.config_as()?;
        Ok(())
    }
}

#[test]
fn an_init_hook_that_lacks_a_setting_fails_with_the_whole_message() {
    on_every_runtime(|| async {
        let system = system_of(Config::builder().environment_from("SHOP", [("SHOP_PICKY__TIMEOUT", "soon")]));
        let error = system.register_module(Picky).await.unwrap_err();
        assert!(matches!(&error, RegisterError::Hook { hook: "init", .. }), "{error:?}");
        let source = error.source().expect("a hook's error has its reason");
        assert_eq!(
            source.to_string(),
            "module `picky`: `picky.timeout` should be an integer (u64), but is the string \"soon\" in the environment variable `SHOP_PICKY__TIMEOUT`: correct it there"
        );
        assert!(source.is::<ConfigError>());
        let error = ModuleError::from(system.config().value::<u8>("a.b").unwrap_err());
        assert_eq!(
            error.to_string(),
            "`a.b` is missing, and should be an integer (u8): set the environment variable `SHOP_A__B`"
        );
        system.shutdown().await;
    });
}

#[test]
fn a_reload_reads_the_files_again_and_names_the_sections_that_changed() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path =
            files.write("app.toml", "[store]\ntimeout = 1\n[cache]\nsize = 1\n[old]\nx = 1\n[same]\nlist = [1, nan]");
        let system = system_of(Config::builder().defaults("[cache]\nage = 7").file(&path).set("same.code", 1));
        let module = system.register_module(Puppet::default()).name("store").await.unwrap();
        let before = system.config();
        assert_eq!(inside(&module, |ctx| ctx.config_usize("timeout")).await, Some(1));
        assert_eq!(system.reload_config().await.unwrap().sections, [""; 0]);

        // Where a value stands is no part of it.
        files.write("app.toml", "\n\n[same]\nlist = [1, nan]\n[new]\nx = 1\n[cache]\nsize = 1\n[store]\ntimeout = 2\n");
        assert_eq!(system.reload_config().await.unwrap().sections, ["new", "old", "store"]);
        assert_eq!(inside(&module, |ctx| ctx.config_usize("timeout")).await, Some(2));
        assert_eq!(system.config().origin("same.list"), Some(ConfigOrigin::File { path: path.clone(), line: 4 }));
        assert_eq!(system.config().value::<u8>("cache.age").unwrap(), 7, "the other layers stay");
        assert_eq!(before.value::<u8>("store.timeout").unwrap(), 1, "what was taken stays as it was");
        system.shutdown().await;
    });
}

#[test]
fn a_reload_that_fails_keeps_the_old_configuration_whole() {
    on_every_runtime(|| async {
        let files = Files::new();
        let first = files.write("a.toml", "[store]\ntimeout = 1");
        let second = files.write("b.toml", "[cache]\nsize = 1");
        let system = system_of(Config::builder().file(&first).file(&second));
        files.write("a.toml", "[store]\ntimeout = 2");
        files.write("b.toml", "[cache");
        assert!(matches!(system.reload_config().await, Err(ConfigError::Syntax { .. })));
        assert_eq!(system.config().value::<u8>("store.timeout").unwrap(), 1);
        assert_eq!(system.config().value::<u8>("cache.size").unwrap(), 1);
        fs::remove_file(&second).unwrap();
        assert!(matches!(system.reload_config().await, Err(ConfigError::File { .. })));
        assert_eq!(system.config().value::<u8>("store.timeout").unwrap(), 1);
        files.write("b.toml", "[cache]\nsize = 1");
        assert_eq!(system.reload_config().await.unwrap().sections, ["store"]);
        system.shutdown().await;
    });
}

#[test]
fn a_reload_works_before_there_is_a_module_and_is_nothing_for_a_system_that_is_gone() {
    let files = Files::new();
    let path = files.write("app.toml", "[store]\ntimeout = 1");
    let system = system_of(Config::builder().file(&path));
    files.write("app.toml", "[store]\ntimeout = 2");
    // There is no runtime here.
    let changed = system.reload_config().now_or_never().unwrap().unwrap();
    assert_eq!(changed.sections, ["store"]);
    assert_eq!(changed.published.subscribers(), 0);
    let reference = system.reference();
    drop(system);
    assert_eq!(reference.reload_config().now_or_never().unwrap().unwrap().sections, [""; 0]);
    assert_eq!(format!("{:?}", reference.config()), "Config { sections: [], .. }");
}

#[test]
fn a_reload_that_is_given_up_changes_nothing_and_stands_in_nobodys_way() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1");
        let system = system_of(Config::builder().file(&path));
        files.write("app.toml", "[store]\ntimeout = 2");
        let ready = futures::poll!(std::pin::pin!(system.reload_config())).is_ready();
        // It reads on another thread, which is hardly ever so fast.
        assert_eq!(system.config().value::<u8>("store.timeout").unwrap(), if ready { 2 } else { 1 });
        files.write("app.toml", "[store]\ntimeout = 3");
        let (one, other) = tokio::join!(system.reload_config(), system.reload_config());
        assert_eq!(one.unwrap().sections, ["store"]);
        assert_eq!(other.unwrap().sections, [""; 0], "the later one compares with what the earlier one read");
        system.shutdown().await;
    });
}

/// Notes what it is told of its settings, and what it reads then.
#[module]
#[derive(Default)]
struct Watcher {
    log: Log<String>,
}

#[module]
impl Watcher {
    #[event]
    fn on_config_changed(&mut self, event: &ConfigChanged, ctx: &mut Context<Self>) {
        let values: BTreeMap<String, serde_json::Value> = ctx.config_as().unwrap();
        let values: Vec<_> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (section, keys) = (&event.section, event.keys.join(" "));
        self.log.push(format!("{}: [{section}] {keys}: {}", ctx.name(), values.join(" ")));
    }
}

/// A system that reads one file, with a watcher for each of the names.
async fn watched(config: ConfigBuilder, names: &[&str]) -> (System, Log<String>) {
    let system = system_of(config);
    let log = Log::new();
    for name in names {
        system.register_module(Watcher { log: log.clone() }).name(*name).await.unwrap();
    }
    (system, log)
}

/// Reloads, and gives what changed, how many were told, and what they noted by the time they were through.
async fn reload(system: &System, log: &Log<String>) -> (Vec<String>, usize, Vec<String>) {
    let reload = system.reload_config().await.unwrap();
    let counts = reload.published.await;
    assert_eq!(counts.to_string(), format!("{} handled, 0 ignored, 0 failed, 0 lagged, 0 unanswered", counts.handled));
    let mut noted = log.take();
    noted.sort();
    (reload.sections, counts.handled, noted)
}

fn told<const S: usize, const N: usize>(sections: [&str; S], noted: [&str; N]) -> (Vec<String>, usize, Vec<String>) {
    (sections.map(str::to_owned).into(), N, noted.map(str::to_owned).into())
}

#[test]
fn a_reload_tells_the_modules_whose_section_changed_and_they_read_the_new_values() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1\nsize = 1\n[cache]\nsize = 1\n[till]\nfloat = 1");
        let (system, log) = watched(Config::builder().file(path), &["store", "cache", "till"]).await;
        // It takes no such event, and reads what is new all the same.
        let silent = system.register_module(Puppet::default()).name("store-7").await.unwrap();
        assert_eq!(reload(&system, &log).await, told([], []));

        files.write("app.toml", "[store]\ntimeout = 2\nsize = 1\n[cache]\nage = 3\n[till]\nfloat = 1");
        assert_eq!(
            reload(&system, &log).await,
            told(["cache", "store"], ["cache: [cache] age size: age=3", "store: [store] timeout: size=1 timeout=2"])
        );
        assert_eq!(inside(&silent, |ctx| ctx.config_usize("timeout")).await, Some(2));
        assert_eq!(reload(&system, &log).await, told([], []), "what was told once is not told again");
        system.shutdown().await;
    });
}

#[test]
fn a_reload_of_which_no_module_reads_a_word_is_told_to_nobody() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1\n[other]\nx = 1");
        let config = Config::builder().defaults("[store]\nage = 7").file(path);
        let (system, log) = watched(config, &["store"]).await;
        // What moves, is written otherwise, or is said by another layer by now, is the same.
        files.write(
            "app.toml",
            "port = 1\n[other]\nx = 2\n[stores]\ny = 1\n[store]\n# How long.\nage = 7\ntimeout = 0x1",
        );
        assert_eq!(reload(&system, &log).await, told(["other", "port", "stores"], []));
        system.shutdown().await;
    });
}

#[test]
fn a_reload_that_fails_is_told_to_nobody_and_the_next_one_tells_all_that_changed_since() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1\nsize = 1");
        let (system, log) = watched(Config::builder().file(&path), &["store"]).await;
        files.write("app.toml", "[store]\ntimeout = 2\nsize =");
        assert!(matches!(system.reload_config().await, Err(ConfigError::Syntax { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(system.reload_config().await, Err(ConfigError::File { .. })));
        settle().await;
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(system.config().value::<u8>("store.timeout").unwrap(), 1);
        files.write("app.toml", "[store]\ntimeout = 2\nsize = 2");
        assert_eq!(reload(&system, &log).await, told(["store"], ["store: [store] size timeout: size=2 timeout=2"]));
        system.shutdown().await;
    });
}

#[test]
fn a_section_that_appears_or_goes_is_told_key_by_key() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "");
        let (system, log) = watched(Config::builder().optional_file(&path), &["store"]).await;
        files.write("app.toml", "[store]");
        assert_eq!(reload(&system, &log).await, told([], []), "one without keys is as none");
        files.write("app.toml", "[store]\ntimeout = 1\npeers = [1]\n[store.pool]\nsize = 1\n[store.empty]");
        assert_eq!(
            reload(&system, &log).await,
            told(
                ["store"],
                ["store: [store] empty peers pool.size timeout: empty={} peers=[1] pool={\"size\":1} timeout=1"]
            )
        );
        files.write("app.toml", "[store]\ntimeout = 1\npeers = [1, 2]\n[store.pool]\nsize = 1\n[store.empty]");
        assert_eq!(
            reload(&system, &log).await,
            told(["store"], ["store: [store] peers: empty={} peers=[1,2] pool={\"size\":1} timeout=1"])
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(reload(&system, &log).await, told(["store"], ["store: [store] empty peers pool.size timeout: "]));
        system.shutdown().await;
    });
}

#[test]
fn a_module_with_a_number_is_told_of_the_section_that_it_reads() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[worker]\nx = 1\n[worker-1]\nx = 5");
        let (system, log) = watched(Config::builder().file(&path), &["worker-0", "worker-1", "worker-2"]).await;
        files.write("app.toml", "[worker]\nx = 2\n[worker-1]\nx = 5");
        assert_eq!(
            reload(&system, &log).await,
            told(["worker"], ["worker-0: [worker] x: x=2", "worker-2: [worker] x: x=2"])
        );
        files.write("app.toml", "[worker]\nx = 2\n[worker-1]\nx = 6\n[worker-2]\ny = 1\n[worker-0]\nx = 2");
        assert_eq!(
            reload(&system, &log).await,
            told(
                ["worker-0", "worker-1", "worker-2"],
                ["worker-1: [worker-1] x: x=6", "worker-2: [worker-2] x y: y=1"]
            ),
            "the first has a section of its own by now, which says the same"
        );
        files.write("app.toml", "[worker]\nx = 2\n[worker-2]\n[worker-0]\nx = 2");
        assert_eq!(
            reload(&system, &log).await,
            told(["worker-1", "worker-2"], ["worker-1: [worker] x: x=2", "worker-2: [worker-2] y: "]),
            "also an empty section is its own"
        );
        system.shutdown().await;
    });
}

#[test]
fn a_section_in_a_section_is_told_to_who_reads_either() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[orders]\nx = 1\n[orders.eu]\nx = 1");
        let (system, log) = watched(Config::builder().file(&path), &["orders", "orders.eu"]).await;
        files.write("app.toml", "[orders]\nx = 1\n[orders.eu]\nx = 2");
        assert_eq!(
            reload(&system, &log).await,
            told(["orders"], ["orders.eu: [orders.eu] x: x=2", "orders: [orders] eu.x: eu={\"x\":2} x=1"])
        );
        files.write("app.toml", "[orders]\nx = 3\n[orders.eu]\nx = 2");
        assert_eq!(reload(&system, &log).await, told(["orders"], ["orders: [orders] x: eu={\"x\":2} x=3"]));
        system.shutdown().await;
    });
}

#[test]
fn reloads_at_once_are_told_once_each_and_in_order() {
    /// Notes the value that each event finds.
    #[module(name = "store")]
    struct Store(Log<usize>);

    #[module(visibility = "")]
    impl Store {
        #[event]
        fn on_config_changed(&mut self, _event: &ConfigChanged, ctx: &mut Context<Self>) {
            self.0.push(ctx.config_usize("timeout").unwrap());
        }
    }

    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 0");
        let system = system_of(Config::builder().file(&path));
        let log = Log::new();
        system.register_module(Store(log.clone())).await.unwrap();
        let mut told = 0;
        for timeout in 1..=20 {
            files.write("app.toml", format!("[store]\ntimeout = {timeout}"));
            let (one, other) = tokio::join!(system.reload_config(), system.reload_config());
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!((one.sections.len(), other.sections.len()), (1, 0), "the second finds what the first read");
            assert_eq!(other.published.subscribers(), 0);
            told += one.published.await.handled;
        }
        assert_eq!(told, 20);
        assert_eq!(log.all(), (1..=20).collect::<Vec<_>>());
        system.shutdown().await;
    });
}

/// Reloads from inside, and keeps its last good settings.
#[module(name = "store")]
#[derive(Default)]
struct Keeper {
    timeout: u64,
}

#[module]
impl Keeper {
    #[init]
    fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.timeout = ctx.config_value("timeout")?;
        Ok(())
    }

    #[handler(LookAgain)]
    async fn look_again(&mut self, ctx: &mut Context<Self>) -> String {
        let reload = ctx.system().reload_config().await.unwrap();
        format!("{:?}: {}", reload.sections, reload.published.await)
    }

    #[handler(KeptTimeout)]
    fn timeout(&self) -> u64 {
        self.timeout
    }

    #[event]
    fn on_config_changed(&mut self, event: &ConfigChanged, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        assert!(event.has_changed("timeout"));
        self.timeout = ctx.config_value("timeout")?;
        Ok(())
    }
}

#[test]
fn a_handler_that_rejects_the_new_settings_is_counted_as_failed_and_logged_with_the_whole_message() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let files = Files::new();
            let path = files.write("app.toml", "[store]\ntimeout = 1");
            let system = system_of(Config::builder().file(&path).environment_from("SHOP", [("", ""); 0]));
            let keeper = system.register_module(Keeper::default()).await.unwrap();
            files.write("app.toml", "[store]\ntimeout = 'soon'");
            let counts = system.reload_config().await.unwrap().published.await;
            assert_eq!((counts.handled, counts.failed), (0, 1));
            assert_eq!(keeper.timeout().await, Ok(1));
            files.write("app.toml", "[store]\ntimeout = 3");
            assert_eq!(system.reload_config().await.unwrap().published.await.handled, 1);
            assert_eq!(keeper.timeout().await, Ok(3));
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
    let [text] = &texts[..] else { panic!("{texts:?}") };
    assert!(
        text.starts_with(
            "an event handler failed: module `store`: `store.timeout` should be an integer (u64), but is the string \"soon\" in line 2 of `"
        ),
        "{text}"
    );
}

#[test]
fn a_module_that_reloads_is_told_itself_and_does_not_wait_for_that() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1\n[other]\nx = 1");
        // No deadline would end its wait for itself.
        let config = Config::builder().file(&path).build().unwrap();
        let system = System::builder("patient").no_ask_timeout().config(config).build();
        let log = Log::new();
        system.register_module(Watcher { log: log.clone() }).name("other").await.unwrap();
        let keeper = system.register_module(Keeper::default()).await.unwrap();
        files.write("app.toml", "[store]\ntimeout = 2\n[other]\nx = 2");
        assert_eq!(
            keeper.look_again().await.unwrap(),
            "[\"other\", \"store\"]: 1 handled, 0 ignored, 0 failed, 0 lagged, 1 unanswered"
        );
        assert_eq!(log.all(), ["other: [other] x: x=2"]);
        assert_eq!(keeper.timeout().await, Ok(2), "its own turn comes after the handler, before what is sent later");
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_reads_before_a_reload_and_ends_its_init_after_it_is_told() {
    on_every_runtime(|| async {
        let files = Files::new();
        let path = files.write("app.toml", "[store]\ntimeout = 1");
        let system = system_of(Config::builder().file(&path));
        let log = Log::new();
        let (holding, mut held) = hold();
        let slow = Starting { hold: Some(Box::pin(holding)), log: log.clone() };
        let registered = tokio::spawn({
            let system = system.reference();
            async move { system.register_module(slow).await }
        });
        held.begun().await;
        files.write("app.toml", "[store]\ntimeout = 2");
        let published = system.reload_config().await.unwrap().published;
        held.release();
        let module = registered.await.unwrap().unwrap();
        assert_eq!(published.await.handled, 1);
        assert_eq!(log.all(), [1, 2]);
        module.stop().await.unwrap();
        files.write("app.toml", "[store]\ntimeout = 3");
        assert_eq!(system.reload_config().await.unwrap().published.subscribers(), 0, "who has ended is not told");
        system.shutdown().await;
    });
}

/// Reads its setting at the beginning of its `init`, which takes long.
#[module(name = "store")]
struct Starting {
    hold: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    log: Log<usize>,
}

#[module]
impl Starting {
    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) {
        self.log.push(ctx.config_usize("timeout").unwrap());
        if let Some(hold) = self.hold.take() {
            hold.await;
        }
    }

    #[event]
    fn on_config_changed(&mut self, _event: &ConfigChanged, ctx: &mut Context<Self>) {
        self.log.push(ctx.config_usize("timeout").unwrap());
    }
}
