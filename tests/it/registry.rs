//! Names, and what is registered, found or refused.

use std::collections::HashSet;

use dms::prelude::*;
use dms::{FindError, RegisterError};
use dms_tests::{Drops, Log, Note, Puppet, act_in, eventually, hold, on_every_runtime, on_paused};

/// One of its name.
#[module(name = "only", version = "3.1.4")]
struct Only;

#[module]
impl Only {
    #[handler(Ping)]
    fn ping(&self) -> &'static str {
        "pong"
    }
}

#[test]
fn a_module_is_found_by_its_name_and_type() {
    on_every_runtime(|| async {
        let system = System::new();
        let only = system.register_module(Only).await.unwrap();
        assert_eq!(system.get::<Only>("only").unwrap(), only);
        let found: ModuleRef<Only> = system.find("only").await.unwrap();
        assert_eq!(found.ping().await, Ok("pong"));
        assert_eq!((only.name(), only.info().version.to_string()), ("only".to_owned(), "3.1.4".to_owned()));
        assert_eq!(only.info().description, "One of its name.");
        system.shutdown().await;
    });
}

#[test]
fn a_name_that_nobody_has_is_an_error_that_lists_those_that_exist() {
    on_paused(|| async {
        let system = System::new();
        let error = system.get::<Puppet>("nobody").unwrap_err();
        assert_eq!(error.to_string(), "no module is named `nobody`; there are no named modules");
        system.register_module(Puppet::default()).name("beta").await.unwrap();
        system.register_module(Puppet::default()).name("alpha").await.unwrap();
        system.register_module(Puppet::default()).await.unwrap();
        let error = system.find::<Puppet>("nobody").await.unwrap_err();
        assert_eq!(
            error,
            FindError::NotFound { name: "nobody".to_owned(), names: vec!["alpha".to_owned(), "beta".to_owned()] }
        );
        assert!(system.stop("nobody").await.is_err());
        assert!(system.drain("nobody").await.is_err());
        assert!(system.get::<Puppet>("Puppet").is_err(), "the type's name finds nothing");
        system.shutdown().await;
    });
}

#[test]
fn a_module_of_another_type_is_an_error_that_names_both() {
    on_paused(|| async {
        let system = System::new();
        system.register_module(Only).await.unwrap();
        let error = system.get::<Puppet>("only").unwrap_err();
        assert_eq!(error, FindError::WrongType { name: "only".to_owned(), expected: "Puppet", found: "Only" });
        assert_eq!(error.to_string(), "module `only` is a `Only`, not a `Puppet`");
        assert_eq!(system.find::<Puppet>("only").await.unwrap_err(), error);
        system.shutdown().await;
    });
}

#[test]
fn what_no_module_could_be_found_by_is_not_taken_as_a_name() {
    on_every_runtime(|| async {
        let system = System::new();
        for (name, reason) in [
            ("", "it is empty, and a module is found by it"),
            (" a", "it has blanks at its ends or control characters in it"),
            ("a\n", "it has blanks at its ends or control characters in it"),
        ] {
            let error = system.register_module(Only).name(name).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{name:?} cannot be the name of a module: {reason}; give it another with `.name(\"…\")`")
            );
            let in_a_set = system.register_all([system.register_module(Only).name(name)]).await.unwrap_err();
            assert!(matches!(in_a_set, RegisterError::Name { name: refused, .. } if refused == name));
        }
        assert!(system.modules().is_empty());
        system.register_module(Only).name("a b").await.unwrap();
        system.shutdown().await;
    });
}

#[test]
fn a_name_belongs_to_one_module_at_a_time() {
    on_every_runtime(|| async {
        let system = System::new();
        let first = system.register_module(Only).await.unwrap();
        let dropped = Drops::new();
        let error = system.register_module(Only).await.unwrap_err();
        assert!(matches!(&error, RegisterError::NameTaken { name } if name == "only"), "{error:?}");
        assert_eq!(
            error.to_string(),
            "module `only` is already registered: stop it first, or give this one another name with `.name(\"…\")`"
        );
        let taken = system.register_module(Puppet::default().keeping(dropped.token())).name("only").await;
        assert!(matches!(taken, Err(RegisterError::NameTaken { .. })));
        assert_eq!(dropped.count(), 1);
        assert_eq!(system.modules().len(), 1, "nothing is half-registered");
        let other = system.register_module(Only).name("second").await.unwrap();
        assert_eq!(other.name(), "second");
        first.stop().await.unwrap();
        let third = system.register_module(Only).await.unwrap();
        assert_eq!(system.get::<Only>("only").unwrap(), third);
        assert_ne!(first, third);
        assert_ne!(first.id(), third.id());
        system.shutdown().await;
    });
}

#[test]
fn of_many_that_want_a_name_at_once_one_gets_it() {
    on_every_runtime(|| async {
        let system = System::new();
        let registrations: Vec<_> = (0..50)
            .map(|_| tokio::spawn(system.register_module(Puppet::default()).name("wanted").into_future()))
            .collect();
        let mut registered = 0;
        for registration in registrations {
            registered += usize::from(registration.await.unwrap().is_ok());
        }
        assert_eq!((registered, system.modules().len()), (1, 1));
        system.shutdown().await;
    });
}

#[test]
fn a_name_is_taken_while_its_module_starts_and_stops() {
    on_every_runtime(|| async {
        let system = System::new();
        let (init, mut in_init) = hold();
        let (stop, mut in_stop) = hold();
        let module = Puppet::default()
            .on_init(|_| {
                Box::pin(async {
                    init.await;
                    Ok(())
                })
            })
            .on_stop(|_| {
                Box::pin(async {
                    stop.await;
                    Ok(())
                })
            });
        let registered = tokio::spawn(system.register_module(module).name("name").into_future());
        in_init.begun().await;
        assert!(system.register_module(Puppet::default()).name("name").await.is_err());
        in_init.release();
        let module = registered.await.unwrap().unwrap();
        let stopping = tokio::spawn(async move { module.stop().await.unwrap() });
        in_stop.begun().await;
        assert!(system.register_module(Puppet::default()).name("name").await.is_err());
        in_stop.release();
        stopping.await.unwrap();
        assert!(system.register_module(Puppet::default()).name("name").await.is_ok());
        system.shutdown().await;
    });
}

#[test]
fn modules_are_listed_in_the_order_of_registration() {
    on_paused(|| async {
        let system = System::new();
        let mut ids = Vec::new();
        for number in 0..20 {
            let module = system.register_module(Puppet::default()).name(format!("m{}", 19 - number)).await.unwrap();
            ids.push(module.id());
        }
        let listed = system.modules();
        assert_eq!(listed.iter().map(|module| module.id).collect::<Vec<_>>(), ids);
        assert!(listed.iter().all(|module| module.info.type_name == "Puppet" && module.depth == 0));
        system.shutdown().await;
        assert!(system.modules().is_empty());
    });
}

#[test]
fn registering_outside_a_runtime_is_an_error() {
    let system = System::new();
    let mut registration = Box::pin(system.register_module(Puppet::default()).into_future());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::future::Future::poll(registration.as_mut(), &mut cx) {
        std::task::Poll::Ready(Err(RegisterError::NoRuntime { module })) => assert_eq!(module, "Puppet"),
        other => panic!("{other:?}"),
    }
    assert!(system.modules().is_empty());
}

#[test]
fn a_child_of_a_module_that_stops_is_refused() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Puppet::default()).await.unwrap();
        let refused = module
            .ask(act_in(|ctx| {
                ctx.stop().unwrap();
                let child = ctx.register_module(Puppet::default());
                Box::pin(async move { matches!(child.await, Err(RegisterError::ShuttingDown { .. })) })
            }))
            .await;
        assert_eq!(refused, Ok(true));
        module.stopped().await;
        let errors = Log::new();
        let log = errors.clone();
        let late = Puppet::default().on_stop(move |ctx| {
            let (child, other) =
                (ctx.register_module(Puppet::default()), ctx.system().register_module(Puppet::default()));
            Box::pin(async move {
                log.push(child.await.is_err());
                log.push(other.await.is_err());
                Ok(())
            })
        });
        system.register_module(late).await.unwrap();
        system.shutdown().await;
        assert_eq!(errors.all(), [true, true]);
    });
}

#[test]
#[allow(clippy::mutable_key_type, reason = "a reference is compared and hashed by what it names, which never changes")]
fn references_are_equal_that_name_the_same_module() {
    on_paused(|| async {
        let system = System::new();
        let one = system.register_module(Puppet::default()).name("one").await.unwrap();
        let other = system.register_module(Puppet::default()).await.unwrap();
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
        let set: HashSet<_> = [one.clone(), one.clone(), other.clone()].into_iter().collect();
        assert_eq!(set.len(), 2);
        let recipient = one.recipient::<Note>();
        assert_eq!(recipient, system.get::<Puppet>("one").unwrap().recipient());
        assert_ne!(recipient, other.recipient());
        assert_eq!((recipient.id(), recipient.name()), (one.id(), one.name()));
        assert!(format!("{one:?}").contains("one") && format!("{recipient:?}").contains("one"));
        assert_eq!(other.name(), format!("Puppet#{}", other.id()));
        system.shutdown().await;
    });
}

#[test]
fn a_reference_to_a_system_that_is_gone_finds_nothing_and_registers_nothing() {
    on_every_runtime(|| async {
        let system = System::builder("shop").build();
        let reference = system.reference();
        assert_eq!(reference.name(), "shop");
        system.register_module(Puppet::default()).name("one").await.unwrap();
        drop(system);
        eventually("it is gone", || reference.name().is_empty()).await;
        assert!(matches!(reference.get::<Puppet>("one"), Err(FindError::NotFound { .. })));
        assert!(matches!(reference.register_module(Puppet::default()).await, Err(RegisterError::ShuttingDown { .. })));
        assert!(reference.shutdown().await.complete);
    });
}

#[test]
fn a_registration_on_a_runtime_that_has_gone_is_an_error() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let gone = runtime();
    let system = System::new();
    gone.block_on(async { system.register_module(Puppet::default()).await.unwrap() });
    drop(gone);
    let answer = runtime().block_on(async { system.register_module(Puppet::default()).await });
    assert!(matches!(answer, Err(RegisterError::ShuttingDown { .. })), "{answer:?}");
    assert!(system.modules().is_empty());
}
