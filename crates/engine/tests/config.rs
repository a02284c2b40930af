//! The configuration: what is wrong in it is an error, by name.

use accredit::{
    Config, Engine, Error, ErrorKind, EvictionOrder, IdleFrom, LearnedMethod, Learning, Limits, METHOD_NAMES, METHODS,
    Method, OnRefit, SinkConfig, SinkKind,
};

use crate::support::Rig;

#[test]
fn a_full_file_is_read() {
    let config = Config::from_toml(
        r#"
            store = "runs.db"
            compat = true
            method = "uniform"
            method_by_type = { fix_bug = "td_ce", "book flight" = "decay", plan = { name = "gae", lambda = 0.5 } }
            strict = true
            queue_bytes_max = 1_000_000
            block_ms_max = 50
            sweep_secs = 3
            events_max = 100

            [learning]
            enabled = false
            on_refit = "open_window"
            open_window_secs = 60

            [limits]
            entries_max = 5_000
            eviction_order = "oldest_start"
            idle_from = "start"

            [[sinks]]
            name = "file"
            kind = "jsonl"
            path = "experiences.jsonl"

            [[sinks]]
            name = "learner"
            kind = "replay"
            url = "http://localhost:9000"
            token_env = "LEARNER_TOKEN"
        "#,
    );
    let expected = Config {
        store: "runs.db".into(),
        compat: true,
        method: Method::Uniform,
        method_by_type: [
            ("fix_bug".into(), Method::Learned(LearnedMethod::TdCe)),
            ("book flight".into(), Method::Decay),
            ("plan".into(), Method::Learned(LearnedMethod::Gae { lambda: 0.5 })),
        ]
        .into(),
        strict: true,
        queue_bytes_max: 1_000_000,
        block_ms_max: 50,
        sweep_secs: 3,
        events_max: 100,
        learning: Learning { enabled: false, on_refit: OnRefit::OpenWindow, open_window_secs: 60 },
        limits: Limits {
            entries_max: 5_000,
            eviction_order: EvictionOrder::OldestStart,
            idle_from: IdleFrom::Start,
            ..Limits::default()
        },
        sinks: vec![
            SinkConfig { name: "file".to_owned(), kind: SinkKind::Jsonl { path: "experiences.jsonl".into() } },
            SinkConfig {
                name: "learner".to_owned(),
                kind: SinkKind::Replay {
                    url: "http://localhost:9000".to_owned(),
                    token_env: Some("LEARNER_TOKEN".to_owned()),
                },
            },
        ],
        ..Config::default()
    };
    let config = config.unwrap();
    assert_eq!(config, expected);
    // What is written is read again.
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), config);
    assert_eq!(Config::from_toml("").unwrap(), Config::default());
}

#[test]
fn what_is_wrong_is_named() {
    let check = |text: &str, names: &str| {
        let error = Config::from_toml(text).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{text}: {error}");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Expected, "config"));
        assert!(error.to_string().contains(names), "{text}: {error}");
    };
    let file = |name: &str| format!("[[sinks]]\nname = \"{name}\"\nkind = \"jsonl\"\npath = \"x\"\n");
    check("storre = \"x\"", "storre");
    check("access = \"read_only\"", "access");
    check("[limits]\nentry_max = 5", "entry_max");
    check("[learning]\nrate = 1", "rate");
    check("[learning]\non_refit = \"some\"", "some");
    check("[method_by_type]\nfix_bug = \"guess\"", "guess");
    check("method = \"guess\"", "`auto`");
    check("method = \"guess\"", "`uniform`");
    check("method = \"guess\"", "`ochiai`");
    check("method = { name = \"gae\", lambda = 2 }", "must be a number from 0 to 1");
    check("method = { name = \"gae\", omega = 0.5 }", "it takes `lambda`");
    check("method = { name = \"td_ce\", lambda = 0.5 }", "it takes none");
    check("method = { lambda = 0.5 }", "name");
    check("[method_by_type]\nfix_bug = { name = \"gigpo\", weight = -1 }", "must be a number from 0 to 100");
    check(&(file("a") + "pathh = \"y\""), "pathh");
    check("[[sinks]]\nname = \"a\"\nkind = \"replay\"\nurl = \"u\"\npath = \"x\"", "path");
    check("[[sinks]]\nname = \"a\"\nkind = \"kafka\"", "kafka");
    check("[[sinks]]\nkind = \"jsonl\"\npath = \"x\"", "name");
    check("[[sinks]]\nname = \"a\"\nkind = \"jsonl\"", "path");
    check("method = \"guess\"", "guess");
    check("strict = \"yes\"", "strict");
    check("sweep_secs = -1", "sweep_secs");
    check("queue_bytes_max = 0", "queue_bytes_max");
    check("events_max = 0", "events_max");
    check("[limits]\nentries_max = 0", "entries_max");
    check("[limits]\nobservation_reserve_percent = 101", "observation_reserve_percent");
    check("[limits]\njson_depth_max = 1_000", "json_depth_max");
    check("no toml at all", "");
    // Sinks are known by their names, in the store too.
    check(&(file("a") + &file("a")), "name of its own");
    check(&file(""), "name of its own");
}

#[test]
fn a_configuration_is_checked_before_a_store_is_made() {
    let rig = Rig::open();
    let path = rig.file("other.db");
    let config = Config { events_max: 0, ..Config::at(&path) };
    assert!(matches!(Engine::open(config), Err(Error::Config(_))));
    assert!(!path.exists());
}

#[test]
fn compat_is_the_older_modules_set() {
    let config = Config::compat("x.db");
    let limits = &config.limits;
    assert!(config.compat);
    assert_eq!((limits.open_actions_max, limits.entries_max, limits.idle_secs_max), (500, 1_000, 21_600));
    assert_eq!((limits.description_chars_max, limits.decision_chars_max, limits.text_chars_max), (500, 200, 100));
    assert_eq!((limits.string_chars_max, limits.nested_json_chars_max), (500, 1_000));
    let limits = Limits::default();
    assert_eq!((limits.open_actions_max, limits.entries_max, limits.idle_secs_max), (100_000, 100_000, 21_600));
    assert_eq!((limits.description_chars_max, limits.decision_chars_max, limits.text_chars_max), (4_000, 1_000, 256));
    assert_eq!((limits.json_bytes_max, limits.string_chars_max, limits.json_depth_max), (65_536, 8_000, 64));
    assert_eq!(limits.observation_reserve_percent, 10);
}

#[test]
fn methods_by_type() {
    let text = "method = \"uniform\"\nmethod_by_type = { fix_bug = \"td_ce\" }";
    let mut config = Config::from_toml(text).unwrap();
    let learned = Method::Learned(LearnedMethod::TdCe);
    assert_eq!((config.method_of(&"fix_bug".into()), config.method_of(&"else".into())), (learned, Method::Uniform));
    assert_eq!(
        [learned, Method::default(), Method::Decay].map(|method| method.to_string()),
        ["td_ce", "auto", "decay"]
    );
    // The older module had the prior and nothing else.
    config.compat = true;
    assert_eq!(
        (config.method_of(&"fix_bug".into()), config.method_of(&"else".into())),
        (Method::Decay, Method::Uniform)
    );
    assert_eq!(Config::compat("x.db").method, Method::Decay);
}

/// Options that are built in Rust are checked where the file's are.
#[test]
fn options_out_of_their_range_are_refused_from_rust_too() {
    let wrong = Method::Learned(LearnedMethod::Gae { lambda: 7.0 });
    for config in [
        Config { method: wrong, ..Config::default() },
        Config { method_by_type: [("plan".into(), wrong)].into(), ..Config::default() },
    ] {
        assert!(matches!(config.validate(), Err(Error::Config(said)) if said.contains("`lambda` of `gae`")));
    }
}

/// The page has a row for each method that there is, in their order, with its options, ranges and defaults; and so has
/// the page of equations a heading or column.
#[test]
fn the_pages_list_every_method() {
    let page = include_str!("../../../docs/configuration.md");
    let (_, rest) = page.split_once("| method | what it does | options |\n|---|---|---|\n").unwrap();
    let (rows, _) = rest.split_once("\n\n").unwrap();
    let rows: Vec<Vec<&str>> = rows.lines().map(|row| row.split('|').map(str::trim).collect()).collect();
    let names: Vec<String> = METHOD_NAMES.map(|name| format!("`{name}`")).to_vec();
    assert_eq!(rows.iter().map(|row| row[1]).collect::<Vec<_>>(), names);
    let mathematics = include_str!("../../../docs/credit-math.md");
    for (row, info) in rows.iter().zip(METHODS) {
        let option = |it: &accredit::MethodOption| {
            format!("`{}`, {} to {}, {} where not given", it.name, it.min, it.max, it.default)
        };
        let options: Vec<String> = info.options.iter().map(option).collect();
        assert_eq!(row[3], options.join("; "), "{}", info.name);
        let headings = mathematics.lines().filter(|line| line.starts_with('#') || line.starts_with("| |"));
        let is_explained = headings.flat_map(|line| line.split([' ', ',', '`'])).any(|word| word == info.name);
        assert!(is_explained, "{}", info.name);
    }
    assert_eq!(Config::from_toml("method = \"gae\"").unwrap().method.to_string(), "gae(lambda=0.95)");
}

/// The page shows every key with its default; only the sinks are examples.
#[test]
fn the_page_about_configuration_shows_the_defaults() {
    let page = include_str!("../../../docs/configuration.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (toml, _) = rest.split_once("```").unwrap();
    let shown = Config::from_toml(toml).unwrap();
    assert_eq!(shown.sinks.len(), 2);
    assert_eq!(shown.method_by_type.len(), 1);
    let shown = Config { sinks: Vec::new(), method_by_type: [].into(), ..shown };
    assert_eq!(shown, Config::default());
    let keys = toml.lines().filter(|line| line.contains('=')).count();
    let default = serde_json::to_value(Config::default()).unwrap();
    let n_keys = |table: &serde_json::Value| table.as_object().unwrap().len();
    let expected = n_keys(&default) - 4 + n_keys(&default["limits"]) + n_keys(&default["learning"]);
    assert_eq!(keys, expected + 8, "every key is shown: those of the defaults, one type's, and seven of the two sinks");
}
