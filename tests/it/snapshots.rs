//! The state of modules as snapshots: taken, kept, restored.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dms::prelude::*;
use dms::recovery::{Backoff, Restart};
use dms::testing;
use dms::{
    AskError, Failure, ModuleState, RegisterError, SnapshotError, SnapshotFileError, TakeSnapshot, TakeSnapshotError,
};
use dms_tests::{Flavor, Log, on_every_runtime, on_paused};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// The first version of a module, which counts.
mod first {
    use super::*;

    #[derive(Clone, Serialize, Deserialize)]
    pub(super) struct State {
        pub(super) count: u64,
        pub(super) names: Vec<String>,
    }

    #[module(name = "counter", version = "1.4.0")]
    pub(super) struct Counter {
        pub(super) state: State,
        pub(super) log: Log<String>,
    }

    #[module]
    impl Counter {
        #[init]
        fn init(&mut self) {
            self.log.push("init".to_owned());
        }

        #[start]
        fn start(&mut self) {
            self.log.push("start".to_owned());
        }

        #[stop]
        fn stop(&mut self) {
            self.log.push("stop".to_owned());
        }

        #[handler(Add, derive(Clone))]
        fn add(&mut self, by: u64) -> u64 {
            self.state.count += by;
            self.state.count
        }

        #[snapshot]
        fn snapshot(&self) -> &State {
            &self.state
        }

        #[restore]
        async fn restore(&mut self, state: State, from: Version, ctx: &mut Context<Self>) {
            tokio::task::yield_now().await;
            self.log.push(format!("restore {} from {from} in {}", state.count, ctx.self_ref().name()));
            self.state = state;
        }
    }

    pub(super) fn counter() -> Counter {
        Counter { state: State { count: 0, names: vec!["a".to_owned()] }, log: Log::new() }
    }
}

/// The second one: its state has another shape, and it reads that of both.
mod second {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) struct State {
        total: i64,
        by_name: BTreeMap<String, u32>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Written {
        Second(State),
        First { count: u64, names: Vec<String> },
    }

    #[module(name = "counter", version = "2.0.0")]
    pub(super) struct Tally {
        pub(super) state: State,
        pub(super) from: Option<Version>,
    }

    #[module]
    impl Tally {
        #[handler(Add)]
        fn add(&mut self, by: i64) -> i64 {
            self.state.total += by;
            self.state.total
        }

        #[handler(Names)]
        fn names(&self) -> Vec<String> {
            self.state.by_name.keys().cloned().collect()
        }

        #[handler(From)]
        fn from(&self) -> Option<Version> {
            self.from
        }

        #[snapshot]
        fn keep(&self) -> &State {
            &self.state
        }

        #[restore]
        fn take_over(&mut self, state: Written, from: Version) -> Result<(), ModuleError> {
            self.from = Some(from);
            self.state = match state {
                Written::Second(state) => state,
                Written::First { count, names } if from.major == 1 => {
                    State { total: i64::try_from(count)?, by_name: names.into_iter().map(|name| (name, 0)).collect() }
                }
                Written::First { .. } => return Err(format!("version {from} wrote no such state").into()),
            };
            Ok(())
        }
    }

    pub(super) fn tally() -> Tally {
        Tally { state: State { total: 0, by_name: BTreeMap::new() }, from: None }
    }
}

fn version(major: u64, minor: u64, patch: u64) -> Version {
    Version { major, minor, patch }
}

/// A snapshot of the first version.
fn snapshot(state: &impl Serialize) -> Snapshot {
    Snapshot::new("counter", "Counter", version(1, 4, 0), state).expect("it can be written")
}

#[test]
fn a_snapshot_waits_its_turn_and_holds_what_was_done_before() {
    on_every_runtime(|| async {
        use first::{CounterRef as _, *};
        let system = System::new();
        let counter = system.register_module(counter()).name("visits").await.unwrap();
        let before = SystemTime::now();
        for _ in 0..1_000 {
            counter.send(Add { by: 1 }).await.unwrap();
        }
        let mut taken = Box::pin(counter.snapshot().into_future());
        assert!(futures::poll!(&mut taken).is_pending());
        for _ in 0..1_000 {
            counter.send(Add { by: 1 }).await.unwrap();
        }
        let snapshot = taken.await.unwrap();
        assert_eq!(snapshot.decode::<State>().unwrap().count, 1_000);
        assert_eq!((snapshot.module(), snapshot.type_name()), ("visits", "Counter"));
        assert_eq!(snapshot.version(), version(1, 4, 0));
        assert!((before..=SystemTime::now()).contains(&snapshot.taken_at()));
        assert_eq!(counter.add(0).await.unwrap(), 2_000);
        system.shutdown().await;
    });
}

#[test]
fn a_process_upgrade_carries_the_state_through_a_file_into_another_type() {
    on_every_runtime(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counter.snapshot");
        {
            use first::{CounterRef as _, *};
            let system = System::new();
            let counter = system.register_module(counter()).await.unwrap();
            counter.add(41).await.unwrap();
            counter.snapshot().await.unwrap().save(&path).await.unwrap();
            assert!(system.shutdown().await.failure.is_none());
        }
        for (expected, from) in [(42, version(1, 4, 0)), (43, version(2, 0, 0))] {
            use second::{TallyRef as _, *};
            let system = System::new();
            let kept = Snapshot::load(&path).await.unwrap();
            assert_eq!((kept.module(), kept.version()), ("counter", from));
            let tally = system.register_module(tally()).restored_from(kept).await.unwrap();
            assert_eq!(tally.add(1).await.unwrap(), expected);
            assert_eq!(tally.names().await.unwrap(), ["a"]);
            assert_eq!(tally.from().await.unwrap(), Some(from));
            tally.snapshot().await.unwrap().save(&path).await.unwrap();
            system.shutdown().await;
        }
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    });
}

#[test]
fn a_snapshot_is_restored_after_init_and_before_start_and_the_first_message() {
    on_every_runtime(|| async {
        use first::{CounterRef as _, *};
        let system = System::new();
        let log = Log::new();
        let module = Counter { log: log.clone(), ..counter() };
        let kept = snapshot(&State { count: 41, names: Vec::new() });
        let built = log.clone();
        // What builds it has its reference before all else.
        let counter = system
            .register_with(move |it| {
                it.try_send(Add { by: 1 }).unwrap();
                built.push("built".to_owned());
                Counter { log: built.clone(), ..counter() }
            })
            .name("a")
            .restored_from(kept.clone())
            .await
            .unwrap();
        assert_eq!(counter.add(0).await.unwrap(), 42);
        assert_eq!(log.take(), ["built", "init", "restore 41 from 1.4.0 in a", "start"]);

        let counter = system.register_module(module).name("b").restored_from(kept).await.unwrap();
        assert_eq!(counter.add(0).await.unwrap(), 41);
        assert_eq!(log.take(), ["init", "restore 41 from 1.4.0 in b", "start"]);
        system.shutdown().await;
    });
}

#[test]
fn a_module_of_a_set_is_restored_before_the_next_one_is_initialised() {
    on_every_runtime(|| async {
        use first::*;
        let system = System::new();
        let log = Log::new();
        let counter = || Counter { log: log.clone(), ..counter() };
        let kept = |count| snapshot(&State { count, names: Vec::new() });
        let set = system.register_all((
            system.register_module(counter()).name("a").restored_from(kept(1)),
            system.register_module(counter()).name("b").depends_on("a"),
            system.register_module(counter()).name("c").depends_on("b").restored_from(kept(3)),
        ));
        set.await.unwrap();
        let expected = [
            "init",
            "restore 1 from 1.4.0 in a",
            "init",
            "init",
            "restore 3 from 1.4.0 in c",
            "start",
            "start",
            "start",
        ];
        assert_eq!(log.take(), expected);
        system.shutdown().await;
    });
}

#[module(version = "0.1.0")]
struct Plain(u64);

#[module]
impl Plain {
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.0
    }

    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.0
    }

    #[restore]
    fn restore(&mut self, state: u64, _from: Version) {
        self.0 = state;
    }
}

#[test]
fn a_module_without_hooks_is_restored_before_its_registration_returns() {
    on_every_runtime(|| async {
        let system = System::new();
        let plain = system.register_module(Plain(0)).restored_from(snapshot(&41_u64)).await.unwrap();
        assert_eq!(plain.state(), ModuleState::Running);
        assert_eq!(plain.get().await.unwrap(), 41);
        system.shutdown().await;
    });
}

#[test]
fn a_state_that_cannot_be_read_fails_the_registration_and_says_who_wrote_it() {
    on_every_runtime(|| async {
        use first::*;
        let system = System::new();
        let log = Log::new();
        let kept = snapshot(&BTreeMap::from([("count", 41)]));
        let module = Counter { log: log.clone(), ..counter() };
        let error = system.register_module(module).restored_from(kept).await.unwrap_err();
        assert!(
            matches!(&error, RegisterError::Hook { module, hook: "restore", .. } if module == "counter"),
            "{error}"
        );
        let Some(SnapshotError::Unreadable { module, version: by, wanted, reason }) =
            error.source().unwrap().downcast_ref()
        else {
            panic!("{error:?}");
        };
        assert_eq!((module.as_str(), *by), ("counter", version(1, 4, 0)));
        assert!(wanted.ends_with("State"), "{wanted}");
        assert!(reason.contains("missing field `names`"), "{reason}");
        // What `init` took is released, and the name is free.
        assert_eq!(log.take(), ["init", "stop"]);
        system.register_module(counter()).await.unwrap();
        system.shutdown().await;
    });
}

/// Fails as it is told.
#[module]
#[derive(Default)]
struct Fragile {
    snapshot: Option<&'static str>,
    restore: Option<&'static str>,
}

#[derive(Debug, thiserror::Error)]
#[error("the books are open")]
struct Open(#[source] std::fmt::Error);

#[module]
impl Fragile {
    #[handler(Break)]
    fn break_snapshot(&mut self, how: Option<&'static str>) {
        self.snapshot = how;
    }

    #[snapshot]
    fn snapshot(&self) -> Result<u64, Open> {
        match self.snapshot {
            Some("panic") => panic!("no snapshot today"),
            Some(_) => Err(Open(std::fmt::Error)),
            None => Ok(41),
        }
    }

    #[restore]
    fn restore(&mut self, _state: u64, _from: Version) -> Result<(), Open> {
        match self.restore {
            Some("panic") => panic!("no restore today"),
            Some(_) => Err(Open(std::fmt::Error)),
            None => Ok(()),
        }
    }

    #[stop]
    fn stop(&self) {
        assert_eq!(self.restore, Some("error"), "what panicked is not stopped");
    }
}

#[test]
fn a_restore_that_fails_or_panics_fails_the_registration() {
    on_every_runtime(|| async {
        let system = System::new();
        let kept = snapshot(&41);
        let module = Fragile { restore: Some("error"), ..Fragile::default() };
        let error = system.register_module(module).restored_from(kept.clone()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Hook { hook: "restore", .. }), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), "the books are open");
        let module = Fragile { restore: Some("panic"), ..Fragile::default() };
        let error = system.register_module(module).restored_from(kept).await.unwrap_err();
        assert!(
            matches!(&error, RegisterError::Panicked { place: "restore", text, .. } if text == "no restore today"),
            "{error:?}"
        );
        system.shutdown().await;
    });
}

#[module]
struct Mute;

#[module]
impl Mute {
    #[init]
    fn init(&self) {
        panic!("it is not initialised");
    }
}

#[test]
fn a_module_that_cannot_be_restored_is_refused_before_anything_of_it_runs() {
    on_every_runtime(|| async {
        let system = System::new();
        let error = system.register_module(Mute).restored_from(snapshot(&41)).await.unwrap_err();
        assert!(matches!(&error, RegisterError::NoRestore { module } if module == "Mute"), "{error:?}");
        assert!(error.to_string().contains("#[restore]"), "{error}");
        system.shutdown().await;
    });
}

#[test]
fn a_snapshot_that_is_refused_is_an_error_of_that_call_alone() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Fragile::default()).await.unwrap();
        module.break_snapshot(Some("error")).await.unwrap();
        let error = module.snapshot().await.unwrap_err();
        let text = "the books are open: an error occurred when formatting an argument".to_owned();
        assert_eq!(error, TakeSnapshotError::NotTaken(SnapshotError::Refused { module: module.name(), text }));
        module.break_snapshot(None).await.unwrap();
        assert_eq!(module.snapshot().await.unwrap().decode::<u64>(), Ok(41));
        assert_eq!(module.snapshot().await.unwrap().module(), module.name());
        drop(system);
    });
}

#[test]
fn a_snapshot_method_that_panics_fails_the_module_as_a_handler_does() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Fragile::default()).await.unwrap();
        module.break_snapshot(Some("panic")).await.unwrap();
        let error = module.snapshot().await.unwrap_err();
        let handler = "snapshot";
        assert_eq!(error, AskError::Panicked { module: module.name(), handler }.into());
        let report = module.stopped().await;
        let panic = Failure::Panic { place: "snapshot".to_owned(), text: "no snapshot today".to_owned() };
        assert_eq!(report.failure, Some(panic));
        let error = module.snapshot().await.unwrap_err();
        assert_eq!(error, AskError::Stopped { module: module.name(), handler }.into());
        system.shutdown().await;
    });
}

#[test]
fn a_module_that_is_started_again_begins_as_it_was_built() {
    on_every_runtime(|| async {
        let system = System::new();
        let restart = Restart::on_failure().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let module = system.register_with(|_| Shaky(0)).restart(restart).restored_from(snapshot(&41)).await.unwrap();
        assert_eq!(module.snapshot().await.unwrap().decode::<u64>(), Ok(41));
        module.shake().await.unwrap_err();
        assert_eq!(module.snapshot().await.unwrap().decode::<u64>(), Ok(0));
        assert_eq!(module.incarnation(), 2);
        system.shutdown().await;
    });
}

#[module]
struct Shaky(u64);

#[module]
impl Shaky {
    #[handler(Shake)]
    fn shake(&mut self) {
        panic!("shaken");
    }

    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.0
    }

    #[restore]
    fn restore(&mut self, state: u64, _from: Version) {
        self.0 = state;
    }
}

#[module]
struct Busy;

#[module]
impl Busy {
    #[handler(Wait)]
    async fn wait(&mut self) {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    #[snapshot]
    fn snapshot(&self) -> u64 {
        7
    }
}

#[test]
fn a_snapshot_has_the_deadline_of_an_ask() {
    on_paused(|| async {
        let system = System::new();
        let busy = system.register_module(Busy).await.unwrap();
        let begun = tokio::time::Instant::now();
        busy.send(Wait).await.unwrap();
        let after = Duration::from_millis(50);
        let error = busy.snapshot().timeout(after).await.unwrap_err();
        assert_eq!(error, AskError::Timeout { module: busy.name(), handler: "snapshot", after }.into());
        assert_eq!(begun.elapsed(), after);
        busy.snapshot().no_timeout().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        system.shutdown().await;
    });
}

/// A list that nests as deep as it is long.
#[derive(Serialize)]
struct Nested(Option<Box<Nested>>);

#[derive(Serialize)]
struct Deep {
    nested: Nested,
}

#[test]
fn a_state_that_could_not_be_read_again_is_not_written() {
    let nested = |depth: usize| (0..depth).fold(Nested(None), |nested, _| Nested(Some(Box::new(nested))));
    let map = |depth: usize| (0..depth).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
    assert!(Snapshot::new("deep", "Deep", version(0, 1, 0), &Deep { nested: nested(100) }).is_ok());
    let kept = Snapshot::new("deep", "Deep", version(0, 1, 0), &map(128)).unwrap();
    assert_eq!(Snapshot::from_bytes(&kept.to_bytes()).unwrap().decode::<serde_json::Value>(), Ok(map(128)));
    let error = Snapshot::new("deep", "Deep", version(0, 1, 0), &map(129)).unwrap_err();
    let reason = "it nests deeper than 128 levels".to_owned();
    assert_eq!(error, SnapshotError::Unwritable { module: "deep".to_owned(), reason });
}

/// Its loop is its own, and it answers snapshots there.
#[module]
struct Session(u64);

#[module]
impl Session {
    #[handler(Tell)]
    fn tell(&mut self, number: u64) {
        self.0 = number;
    }

    #[snapshot]
    fn state(&self) -> u64 {
        self.0
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        while let Some(message) = inbox.recv().await {
            match message {
                SessionMessage::State(reply) if self.0 == 0 => {
                    reply.send(Snapshot::new("session", "Session", Version { major: 0, minor: 0, patch: 0 }, &"new"));
                }
                other => inbox.dispatch(other, self, ctx).await,
            }
        }
    }
}

#[test]
fn a_loop_of_ones_own_and_a_mock_see_who_asks_for_a_snapshot() {
    on_every_runtime(|| async {
        let system = System::new();
        let session = system.register_module(Session(0)).await.unwrap();
        assert_eq!(session.snapshot().await.unwrap().decode::<String>().as_deref(), Ok("new"));
        session.tell(7).await.unwrap();
        assert_eq!(session.snapshot().await.unwrap().decode(), Ok(7));

        let mock = testing::mock::<Session>(|message| {
            if let SessionMessage::State(reply) = message {
                reply.send(Snapshot::new("mock", "Session", version(0, 0, 0), &8));
            }
        });
        assert_eq!(mock.snapshot().await.unwrap().decode(), Ok(8));
        system.shutdown().await;
    });
}

/// Written without `#[module]` on the impl.
#[module]
struct ByHand(u64);

impl Module for ByHand {
    type Message = DynMessage<Self>;
}

impl Handler<TakeSnapshot> for ByHand {
    type Reply = Result<Snapshot, SnapshotError>;

    async fn handle(&mut self, _: TakeSnapshot, ctx: &mut Context<Self>) -> Self::Reply {
        let info = *ctx.self_ref().info();
        Snapshot::new(info.name, info.type_name, info.version, &self.0)
    }
}

#[module]
struct Cache<T> {
    values: Vec<T>,
}

#[module]
impl<T: Serialize + serde::de::DeserializeOwned + Clone> Cache<T> {
    #[handler(Values)]
    fn values(&self) -> Vec<T> {
        self.values.clone()
    }

    #[snapshot]
    fn snapshot(&self) -> &[T] {
        &self.values
    }

    #[restore]
    fn restore(&mut self, values: Vec<T>, _from: Version) {
        self.values = values;
    }
}

/// Its handlers may be run by whoever asks.
#[module]
struct Quick(u64);

#[module]
impl Quick {
    #[handler(Bump, inline)]
    fn bump(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.0
    }
}

#[test]
fn modules_of_every_form_give_snapshots() {
    on_every_runtime(|| async {
        let system = System::new();
        let by_hand = system.register_module(ByHand(41)).await.unwrap();
        assert_eq!(by_hand.snapshot().await.unwrap().decode(), Ok(41));

        let cache = system.register_module(Cache { values: vec!["a".to_owned()] }).await.unwrap();
        let kept = cache.snapshot().await.unwrap();
        let other = system.register_module(Cache::<String> { values: Vec::new() }).restored_from(kept).await.unwrap();
        assert_eq!(other.values().await.unwrap(), ["a"]);

        let quick = system.register_module(Quick(0)).await.unwrap();
        for number in 1..10 {
            assert_eq!(quick.bump().await.unwrap(), number);
            assert_eq!(quick.snapshot().await.unwrap().decode(), Ok(number));
        }
        system.shutdown().await;
    });
}

#[test]
fn a_snapshot_goes_over_any_wire_that_serde_knows_and_is_checked_there() {
    let kept = snapshot(&[1, 2, 3]);
    let packed = rmp_serde::to_vec(&kept).unwrap();
    assert_eq!(rmp_serde::from_slice::<Snapshot>(&packed).unwrap(), kept);
    let mut json = serde_json::to_value(&kept).unwrap();
    assert_eq!(serde_json::from_value::<Snapshot>(json.clone()).unwrap(), kept);
    json[20] = 1.into();
    let error = serde_json::from_value::<Snapshot>(json).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[test]
fn errors_of_files_name_the_path() {
    Flavor::CurrentThread.run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.snapshot");
        let error = Snapshot::load(&path).await.unwrap_err();
        assert!(matches!(&error, SnapshotFileError::Read { path: named, .. } if *named == path), "{error:?}");
        assert!(error.to_string().contains("a.snapshot"), "{error}");

        snapshot(&41).save(&path).await.unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 1);
        std::fs::write(&path, bytes).unwrap();
        let error = Snapshot::load(&path).await.unwrap_err();
        let SnapshotFileError::Broken { path: named, source: SnapshotError::Truncated { .. } } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*named, path);

        for path in [folder.path().join("no/such/folder/a.snapshot"), "/".into(), folder.path().join("..")] {
            let error = snapshot(&41).save(&path).await.unwrap_err();
            assert!(matches!(&error, SnapshotFileError::Write { path: named, .. } if *named == path), "{error:?}");
        }
    });
}

#[test]
fn whoever_loads_while_many_save_finds_a_whole_snapshot() {
    Flavor::MultiThread.run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.snapshot");
        let kept = |number: u64| snapshot(&vec![number; 10_000]);
        kept(0).save(&path).await.unwrap();
        let savers = (1..=3).map(|number| {
            let (path, kept) = (path.clone(), kept(number));
            tokio::spawn(async move {
                for _ in 0..20 {
                    kept.save(&path).await.unwrap();
                }
            })
        });
        let savers: Vec<_> = savers.collect();
        while savers.iter().any(|saver| !saver.is_finished()) {
            let numbers: Vec<u64> = Snapshot::load(&path).await.unwrap().decode().unwrap();
            assert!(numbers.len() == 10_000 && numbers.iter().all(|number| *number == numbers[0]));
        }
        for saver in savers {
            saver.await.unwrap();
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    });
}

/// Where [`a_process_that_is_killed_while_it_saves_leaves_a_whole_file`] has its other process save.
const SAVES_TO: &str = "DMS_TEST_SAVES_TO";

#[test]
fn a_process_that_is_killed_while_it_saves_leaves_a_whole_file() {
    let name = "snapshots::a_process_that_is_killed_while_it_saves_leaves_a_whole_file";
    let state = |number: u64| vec![number; 100_000];
    if let Ok(path) = std::env::var(SAVES_TO) {
        for number in 1.. {
            snapshot(&state(number)).blocking_save(&path).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    let loaded = |path: &Path| {
        let numbers: Vec<u64> = Snapshot::blocking_load(path).unwrap().decode().unwrap();
        assert!(numbers.len() == 100_000 && numbers.iter().all(|number| *number == numbers[0]));
        numbers[0]
    };
    for round in 0..10 {
        snapshot(&state(0)).blocking_save(&path).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--quiet"])
            .env(SAVES_TO, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // It is cut off at another place each time, once it saves.
        while loaded(&path) <= round {}
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(loaded(&path) > round);
    }
    snapshot(&state(7)).blocking_save(&path).unwrap();
    assert_eq!(loaded(&path), 7);
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let text = prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter);
    let state = prop::collection::btree_map(any::<u8>(), (any::<i64>(), any::<Option<String>>()), 0..4);
    let version = (any::<u64>(), any::<u64>(), any::<u64>());
    (text.clone(), text, version, state).prop_map(|(module, type_name, (major, minor, patch), state)| {
        Snapshot::new(module, type_name, Version { major, minor, patch }, &state).expect("it can be written")
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(kept in any_snapshot()) {
        prop_assert_eq!(Snapshot::from_bytes(&kept.to_bytes()), Ok(kept));
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_found(kept in any_snapshot()) {
        let mut bytes = kept.to_bytes();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Snapshot::from_bytes(&bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for end in 0..bytes.len() {
            let cut_off = matches!(Snapshot::from_bytes(&bytes[..end]), Err(SnapshotError::Truncated { .. }));
            prop_assert!(cut_off, "{end} bytes");
        }
    }

    #[test]
    fn damage_of_any_kind_is_found(
        kept in any_snapshot(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        more in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let whole = kept.to_bytes();
        let mut bytes = whole.clone();
        for (index, byte) in damage {
            *index.get_mut(&mut bytes) = byte;
        }
        bytes.extend(more);
        prop_assume!(bytes != whole);
        prop_assert!(Snapshot::from_bytes(&bytes).is_err());
    }

    #[test]
    fn random_bytes_are_no_snapshot(bytes in prop::collection::vec(any::<u8>(), 0..256), begins_well in any::<bool>()) {
        let bytes = if begins_well { [&b"dms-snap\0\x01"[..], &bytes].concat() } else { bytes };
        prop_assert!(Snapshot::from_bytes(&bytes).is_err());
    }
}
