//! What modules say of themselves, and how they are found by it.

use dms::prelude::*;
use dms::{Describe, FindError, ModuleFlags, ModuleInfo};
use dms_tests::{Puppet, hold, on_every_runtime, on_paused};

/// Says all that can be said.
#[module(
    name = "described",
    version = "1.2.0",
    author = "Ada Lovelace",
    license = "MIT",
    flags(ESSENTIAL, DRIVER, user(0), user(31)),
    depends("store", "cache >= 1.3, <2", optional("metrics", "trace ^0.3")),
    provides("count", "metrics.sink")
)]
struct Described;

#[module]
impl Described {}

/// Counts things.
#[module(name = "counter", provides("count", "metrics.sink"))]
struct Counter;

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        7
    }
}

/// Another kind of counter, of which there may be many.
#[module(flags(DRIVER), provides("count"))]
struct Tally {
    count: u64,
}

#[module]
impl Tally {
    #[handler(Read)]
    fn read(&self) -> u64 {
        self.count
    }
}

/// All there is.
#[module(flags(ESSENTIAL, HOT_RELOADABLE, USERSPACE, DRIVER, FILESYSTEM, SCHEDULER, ALLOCATOR, SECURITY, user(5)))]
struct Everything;

#[module]
impl Everything {}

/// One of each type.
#[module(name = "shelf", provides("shelf"))]
struct Shelf<T> {
    kept: Vec<T>,
}

#[module]
impl<T> Shelf<T> {
    #[handler(Kept)]
    fn kept(&self) -> usize {
        self.kept.len()
    }
}

const INFO: ModuleInfo = Described::INFO;
// What a module says of itself is known to the compiler.
const _: () = assert!(INFO.flags.contains(ModuleFlags::ESSENTIAL) && !INFO.flags.contains(ModuleFlags::SECURITY));
static CAPABILITIES: [&str; INFO.provides.len()] = [INFO.provides[0], INFO.provides[1]];

#[test]
fn what_a_module_says_of_itself_is_a_constant() {
    assert_eq!((INFO.name, INFO.type_name, INFO.unique), ("described", "Described", true));
    assert_eq!((INFO.version.to_string().as_str(), INFO.description), ("1.2.0", "Says all that can be said."));
    assert_eq!((INFO.author, INFO.license), ("Ada Lovelace", "MIT"));
    let flags = ModuleFlags::ESSENTIAL | ModuleFlags::DRIVER | ModuleFlags::user(0) | ModuleFlags::user(31);
    assert_eq!(INFO.flags, flags);
    assert_eq!(INFO.dependencies, ["store", "cache >= 1.3, <2"]);
    assert_eq!(INFO.optional_dependencies, ["metrics", "trace ^0.3"]);
    assert_eq!(CAPABILITIES, ["count", "metrics.sink"]);
}

/// `dms-tests` has no authors of its own, and the license of the workspace.
#[test]
fn what_is_not_said_comes_from_the_crate() {
    assert_eq!(Tally::INFO.version.to_string(), env!("CARGO_PKG_VERSION"));
    assert_eq!(Tally::INFO.author, env!("CARGO_PKG_AUTHORS"));
    assert_eq!(Tally::INFO.license, env!("CARGO_PKG_LICENSE"));
    assert_eq!(Tally::INFO.description, "Another kind of counter, of which there may be many.");
}

#[test]
fn modules_are_found_by_each_flag() {
    on_paused(|| async {
        let system = System::new();
        let names = |flags| system.with_flags(flags).into_iter().map(|module| module.name).collect::<Vec<_>>();
        assert!(names(ModuleFlags::ESSENTIAL).is_empty());
        system.register_module(Puppet::default()).name("puppet").await.unwrap();
        system.register_module(Everything).name("everything").await.unwrap();
        system.register_module(Tally { count: 1 }).name("a tally").await.unwrap();
        for flag in [
            ModuleFlags::ESSENTIAL,
            ModuleFlags::HOT_RELOADABLE,
            ModuleFlags::USERSPACE,
            ModuleFlags::FILESYSTEM,
            ModuleFlags::SCHEDULER,
            ModuleFlags::ALLOCATOR,
            ModuleFlags::SECURITY,
            ModuleFlags::user(5),
            ModuleFlags::DRIVER | ModuleFlags::ESSENTIAL,
        ] {
            assert_eq!(names(flag), ["everything"], "{flag}");
        }
        assert_eq!(names(ModuleFlags::DRIVER), ["everything", "a tally"], "in the order of registration");
        assert!(names(ModuleFlags::user(6)).is_empty());
        assert!(names(ModuleFlags::DRIVER | ModuleFlags::user(6)).is_empty(), "all of the flags are wanted");
        assert_eq!(names(ModuleFlags::NONE), ["puppet", "everything", "a tally"]);
        system.shutdown().await;
    });
}

#[test]
fn modules_are_found_by_what_they_provide() {
    on_every_runtime(|| async {
        let system = System::new();
        assert!(system.providers("count").is_empty());
        system.register_module(Puppet::default()).await.unwrap();
        let mut ids = Vec::new();
        for count in 0..20 {
            ids.push(system.register_module(Tally { count }).await.unwrap().id());
        }
        let counter = system.register_module(Counter).await.unwrap();
        ids.push(counter.id());
        let found = system.providers("count");
        assert_eq!(found.iter().map(|module| module.id).collect::<Vec<_>>(), ids, "in the order of registration");
        assert_eq!(found[20].name, "counter");
        assert_eq!(found[20].info.provides, ["count", "metrics.sink"]);
        assert_eq!(system.providers("metrics.sink").len(), 1);
        assert!(system.providers("metrics").is_empty() && system.providers("counter").is_empty());
        counter.stop().await.unwrap();
        assert!(system.providers("metrics.sink").is_empty());
        assert_eq!(system.providers("count").len(), 20);
        let reference = system.reference();
        system.shutdown().await;
        drop(system);
        assert!(reference.providers("count").is_empty() && reference.with_flags(ModuleFlags::NONE).is_empty());
    });
}

#[test]
fn the_oldest_provider_of_the_type_that_lives_is_found() {
    on_every_runtime(|| async {
        let system = System::new();
        let counter = system.register_module(Counter).await.unwrap();
        let first = system.register_module(Tally { count: 1 }).await.unwrap();
        let second = system.register_module(Tally { count: 2 }).await.unwrap();
        assert_eq!(system.find_provider::<Counter>("count").unwrap(), counter);
        assert_eq!(system.find_provider::<Tally>("count").unwrap().read().await, Ok(1));
        first.stop().await.unwrap();
        let found = system.find_provider::<Tally>("count").unwrap();
        assert_eq!((&found, found.read().await), (&second, Ok(2)));
        let third = system.register_module(Tally { count: 3 }).await.unwrap();
        assert_eq!(system.find_provider::<Tally>("count").unwrap(), second);
        second.drain().await.unwrap();
        assert_eq!(system.find_provider::<Tally>("count").unwrap(), third);
        system.shutdown().await;
    });
}

/// It goes on being found while its stop hook runs, as by its name, unless another provides the same.
#[test]
fn a_provider_is_found_until_it_has_ended() {
    #[derive(Debug)]
    struct Ended(dms_tests::Log<bool>, SystemRef);

    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.push(self.1.providers("slow").is_empty());
        }
    }

    #[module(provides("slow"))]
    struct Slow {
        hold: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
        _ended: Ended,
    }

    #[module]
    impl Slow {
        #[stop]
        async fn stop(&mut self) {
            if let Some(hold) = self.hold.take() {
                hold.await;
            }
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        let (holding, mut held) = hold();
        let dropped = dms_tests::Log::new();
        let slow = Slow { hold: Some(Box::pin(holding)), _ended: Ended(dropped.clone(), system.reference()) };
        let slow = system.register_module(slow).await.unwrap();
        let stopping = tokio::spawn({
            let slow = slow.clone();
            async move { slow.stop().await.unwrap() }
        });
        held.begun().await;
        assert_eq!(system.find_provider::<Slow>("slow").unwrap(), slow);
        let younger = Slow { hold: None, _ended: Ended(dms_tests::Log::new(), system.reference()) };
        let younger = system.register_module(younger).await.unwrap();
        assert_eq!(system.find_provider::<Slow>("slow").unwrap(), younger, "one that stays does better");
        younger.stop().await.unwrap();
        held.release();
        stopping.await.unwrap();
        let error = system.find_provider::<Slow>("slow").unwrap_err();
        assert_eq!(error, FindError::NotProvided { capability: "slow".to_owned(), capabilities: Vec::new() });
        assert_eq!(dropped.all(), [false], "no lock is held while the module is dropped");
        system.shutdown().await;
    });
}

#[test]
fn a_capability_that_nobody_provides_is_an_error_that_lists_those_that_exist() {
    on_paused(|| async {
        let system = System::new();
        let error = system.find_provider::<Tally>("counts").unwrap_err();
        assert_eq!(error.to_string(), "no module provides `counts`; nothing is provided");
        system.register_module(Counter).await.unwrap();
        system.register_module(Tally { count: 0 }).await.unwrap();
        let error = system.find_provider::<Tally>("counts").unwrap_err();
        assert_eq!(error.to_string(), "no module provides `counts`; these are provided: count, metrics.sink");
        let capabilities = vec!["count".to_owned(), "metrics.sink".to_owned()];
        assert_eq!(error, FindError::NotProvided { capability: "counts".to_owned(), capabilities });
        let reference = system.reference();
        system.shutdown().await;
        drop(system);
        assert!(matches!(reference.find_provider::<Tally>("count"), Err(FindError::NotProvided { .. })));
    });
}

#[test]
fn a_capability_that_other_types_provide_is_an_error_that_names_them() {
    on_paused(|| async {
        let system = System::new();
        system.register_module(Tally { count: 0 }).await.unwrap();
        system.register_module(Counter).await.unwrap();
        system.register_module(Tally { count: 1 }).await.unwrap();
        let error = system.find_provider::<Puppet>("count").unwrap_err();
        assert_eq!(error.to_string(), "`count` is not provided by a `Puppet`; it is provided by: Tally, Counter");
        let found = vec!["Tally", "Counter"];
        assert_eq!(error, FindError::ProvidedByOthers { capability: "count".to_owned(), expected: "Puppet", found });
        system.shutdown().await;
    });
}

/// Otherwise an error would say that a shelf is not a shelf.
#[test]
fn types_of_one_name_are_told_apart_in_errors() {
    on_paused(|| async {
        let system = System::new();
        system.register_module(Shelf { kept: vec![1_u8] }).await.unwrap();
        system.register_module(Shelf { kept: vec![1_u8] }).name("other").await.unwrap();
        let error = system.get::<Shelf<String>>("shelf").unwrap_err().to_string();
        assert_eq!(
            error,
            "module `shelf` is a `it::identity::Shelf<u8>`, not a `it::identity::Shelf<alloc::string::String>`"
        );
        let error = system.find_provider::<Shelf<String>>("shelf").unwrap_err().to_string();
        let expected = "`shelf` is not provided by a `it::identity::Shelf<alloc::string::String>`; it is provided by: it::identity::Shelf<u8>";
        assert_eq!(error, expected);
        assert_eq!(system.find_provider::<Shelf<u8>>("shelf").unwrap().kept().await, Ok(1));
        system.shutdown().await;
    });
}

/// A registration that fails leaves nothing to be found.
#[test]
fn a_module_that_is_refused_provides_nothing() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Puppet::default()).name("counter").await.unwrap();
        assert!(system.register_module(Counter).await.is_err());
        assert!(system.providers("count").is_empty());
        let error = system.find_provider::<Counter>("count").unwrap_err();
        assert_eq!(error, FindError::NotProvided { capability: "count".to_owned(), capabilities: Vec::new() });
        system.shutdown().await;
    });
}
