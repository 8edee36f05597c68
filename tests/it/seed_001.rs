//! Seed 001: its blocks as they are written there, with the paths changed. They run.

use dms::event::{Custom, PressureLevel};
use dms::prelude::System;
use dms::{Config, RequestError};
use dms_tests::{Log, on_every_runtime};

/// Each name that the seed imports, or uses without saying from where.
#[test]
fn every_name_of_the_seed_is_there() {
    use dms::adapter::{Context, Event, EventResponse, ModuleAdapter, ModuleInfo, ModuleTrait, Request, Response};
    use dms::{Module, ModuleError, ModuleFlags, ModuleId};

    fn is_module<T: Module>() {}
    fn is_kept_by_an_object<T: Clone + Send + Sync + 'static>() {}

    is_module::<ModuleAdapter>();
    is_kept_by_an_object::<Context>();
    // An object: what it gets and gives, by the names of the seed.
    let _: fn(&dyn ModuleTrait) -> ModuleInfo = |object| object.info();
    let _: fn(&mut dyn ModuleTrait, &Context) -> Result<(), ModuleError> = |object, ctx| object.init(ctx);
    let _: fn(&mut dyn ModuleTrait) -> Result<(), ModuleError> = |object| object.start();
    let _: fn(&mut dyn ModuleTrait) -> Result<(), ModuleError> = |object| object.stop();
    let _: fn(&mut dyn ModuleTrait, &Event) -> EventResponse = |object, event| object.handle_event(event);
    let _: fn(&mut dyn ModuleTrait, &Request<'_>) -> Result<Response, ModuleError> =
        |object, request| object.handle_request(request);
    let _: fn(&dyn ModuleTrait) -> bool = |object| object.is_healthy();
    let _: fn(&Context) -> ModuleId = |ctx| ctx.id;
    let _: ModuleFlags = ModuleFlags::ESSENTIAL;
}

/// Quick Start.
mod quick_start {
    use dms::adapter::{Context, Event, EventResponse, ModuleInfo, ModuleTrait};
    use dms::{ModuleError, ModuleFlags};

    /// Of the imports the seed's block does not use this one.
    pub(super) const NO_FLAGS: ModuleFlags = ModuleFlags::NONE;

    pub(super) struct MyModule {
        pub(super) active: bool,
    }

    // From here on word for word.
    impl ModuleTrait for MyModule {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("my-module")
                .version(1, 0, 0)
                .description("My custom module")
                .author("Your Name")
                .provides(&["my.service"])
        }

        fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
            // Read configuration
            let timeout = ctx.config_usize("timeout").unwrap_or(1000);
            super::quick_start_read(timeout)?;
            Ok(())
        }

        fn start(&mut self) -> Result<(), ModuleError> {
            self.active = true;
            Ok(())
        }

        fn stop(&mut self) -> Result<(), ModuleError> {
            self.active = false;
            Ok(())
        }

        fn handle_event(&mut self, event: &Event) -> EventResponse {
            match event {
                Event::Tick { .. } => {
                    // Handle timer tick
                    EventResponse::Handled
                }
                _ => EventResponse::Ignored,
            }
        }
    }
}

/// What the seed reads and lets go; here a timeout of 0 is an error, so that it can be seen.
fn quick_start_read(timeout: usize) -> Result<(), dms::ModuleError> {
    if timeout == 0 { Err("no time at all".into()) } else { Ok(()) }
}

fn system_with(toml: &str) -> System {
    let config = Config::builder().defaults(toml).build().expect("it is TOML");
    System::builder("seed").config(config).build()
}

#[test]
fn the_quick_start_is_a_module() {
    use dms::ModuleState;
    use dms::adapter::{Event, ModuleAdapter, ModuleAdapterRef};
    use quick_start::MyModule;

    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(ModuleAdapter::new(MyModule { active: false })).await.expect("it starts");
        assert_eq!((module.name().as_str(), module.state()), ("my-module", ModuleState::Running));
        assert_eq!(system.find::<ModuleAdapter>("my-module").await, Ok(module.clone()));
        assert_eq!(system.find_provider::<ModuleAdapter>("my.service"), Ok(module.clone()));
        assert_eq!(module.is_healthy().await, Ok(true));

        let info = system.modules()[0].info;
        assert_eq!(info.version.to_string(), "1.0.0");
        assert_eq!((info.description, info.author), ("My custom module", "Your Name"));
        assert_eq!((info.provides, info.flags), (&["my.service"][..], quick_start::NO_FLAGS));

        let tick = system.publish(Event::Tick { timestamp_ns: 7 }).await;
        assert_eq!((tick.handled, tick.ignored), (1, 0));
        let other = system.publish(Event::Custom { name: "flushed".to_owned(), data: vec![1] }).await;
        assert_eq!((other.handled, other.ignored), (0, 1));

        let report = system.shutdown().await;
        assert!(report.complete, "{report:?}");
        assert_eq!(module.state(), ModuleState::Stopped);
    });
}

#[test]
fn the_quick_start_reads_its_section() {
    use dms::RegisterError;
    use dms::adapter::ModuleAdapter;
    use quick_start::MyModule;

    on_every_runtime(|| async {
        let system = system_with("[my-module]\ntimeout = 0");
        let refused = system.register_module(ModuleAdapter::new(MyModule { active: false })).await;
        let Err(RegisterError::Hook { hook: "init", source, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(source.to_string(), "no time at all");
        system.shutdown().await;
    });
}

/// API Reference, `ModuleInfo`.
#[test]
fn the_info_block_says_all_that_a_module_is() {
    use dms::{ModuleFlags, ModuleInfo};

    let (major, minor, patch) = (1, 2, 3);
    let info = ModuleInfo::new("module-name")
        .version(major, minor, patch) // Semantic version
        .description("What this module does")
        .author("Author Name")
        .license("MIT")
        .flags(ModuleFlags::ESSENTIAL | ModuleFlags::HOT_RELOADABLE)
        .dependencies(&["dep1", "dep2"])
        .provides(&["capability1", "capability2"]);

    assert_eq!((info.name, info.version.to_string().as_str()), ("module-name", "1.2.3"));
    assert_eq!((info.description, info.author, info.license), ("What this module does", "Author Name", "MIT"));
    assert!(info.flags.contains(ModuleFlags::ESSENTIAL | ModuleFlags::HOT_RELOADABLE));
    assert!(!info.flags.contains(ModuleFlags::DRIVER));
    assert_eq!(info.dependencies, ["dep1", "dep2"]);
    assert_eq!(info.provides, ["capability1", "capability2"]);
}

/// API Reference, `Context`, and Requests & Responses: both halves, in one system.
#[test]
fn the_context_and_request_blocks_run() {
    use dms::adapter::{Context, ModuleAdapter, ModuleInfo, ModuleTrait, Request, Response};
    use dms::{ModuleError, ModuleId};

    type Seen = (ModuleId, Option<String>, String, Option<usize>, Vec<Response>);

    struct Asks(Log<Seen>);

    impl ModuleTrait for Asks {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("my-module")
        }

        fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
            // Get module's assigned ID
            let id = ctx.id;

            // Read configuration
            let value = ctx.config("key"); // Option<&str>
            let key = value.map(str::to_owned);
            let value = ctx.config_or("key", "default"); // &str
            let or = value.to_owned();
            let value = ctx.config_usize("count"); // Option<usize>

            // Request service from another module
            let request = Request { source: "my-module", request_type: String::from("get_status"), payload: vec![] };
            let response = ctx.request("target-module", request)?;

            let request = Request { source: "", request_type: String::from("get_nothing"), payload: vec![] };
            let unknown = ctx.request("target-module", request)?;
            self.0.push((id, key, or, value, vec![response, unknown]));
            Ok(())
        }
    }

    struct Answers(Log<String>);

    #[allow(elided_lifetimes_in_paths, reason = "the seed writes `&Request`")]
    impl ModuleTrait for Answers {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("target-module")
        }

        fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
            self.0.push(request.source.to_owned());
            match request.request_type.as_str() {
                "get_status" => Ok(Response::ok(b"OK".to_vec())),
                _ => Ok(Response::err("Unknown request")),
            }
        }
    }

    on_every_runtime(|| async {
        let (seen, sources) = (Log::new(), Log::new());
        let system = system_with("[my-module]\nkey = \"value\"\ncount = 12");
        system.register_module(ModuleAdapter::new(Answers(sources.clone()))).await.expect("it starts");
        let asks = system.register_module(ModuleAdapter::new(Asks(seen.clone()))).await.expect("it starts");

        let (id, key, or, count, responses) = seen.take().remove(0);
        assert_eq!(id, asks.id());
        assert_eq!((key.as_deref(), or.as_str(), count), (Some("value"), "value", Some(12)));
        assert_eq!((responses[0].is_ok(), responses[0].payload()), (true, &b"OK"[..]));
        assert_eq!((responses[1].is_ok(), responses[1].error()), (false, Some("Unknown request")));
        assert_eq!(sources.take(), ["my-module", "my-module"]);

        // The same request from outside, in the form that is typed there.
        let request = Request { source: "console", request_type: String::from("get_status"), payload: vec![] };
        let response = system.request("target-module", request.into()).await.expect("a response");
        assert_eq!(response.payload(), b"OK");
        let nobody = system.request("nobody", dms::Request::new("get_status", "")).await;
        assert!(matches!(nobody, Err(RequestError::UnknownModule { .. })), "{nobody:?}");
        system.shutdown().await;
    });
}

/// Events: each of the table's, handled by an object.
#[test]
fn every_event_of_the_table_comes_to_an_object() {
    use dms::adapter::{Event, EventResponse, ModuleAdapter, ModuleInfo, ModuleTrait};

    struct Hears(Log<Event>);

    impl ModuleTrait for Hears {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("hears")
        }

        fn handle_event(&mut self, event: &Event) -> EventResponse {
            self.0.push(event.clone());
            match event {
                Event::Tick { timestamp_ns: 1 }
                | Event::Shutdown
                | Event::MemoryPressure { level: PressureLevel::Low }
                | Event::CpuHotplug { cpu_id: 2, online: true } => EventResponse::Handled,
                Event::Custom { name, data } if name == "flushed" && data == b"7" => EventResponse::Handled,
                _ => EventResponse::Ignored,
            }
        }
    }

    on_every_runtime(|| async {
        let heard = Log::new();
        // There is no host to look at: only what is published here comes.
        let system = System::builder("seed").host_root("/nowhere").build();
        system.register_module(ModuleAdapter::new(Hears(heard.clone()))).await.expect("it starts");
        let events = [
            Event::Tick { timestamp_ns: 1 },
            Event::MemoryPressure { level: PressureLevel::Low },
            Event::CpuHotplug { cpu_id: 2, online: true },
            Event::Custom { name: "flushed".to_owned(), data: b"7".to_vec() },
        ];
        for event in events.clone() {
            assert_eq!(system.publish(event.clone()).await.handled, 1, "{event:?}");
        }
        assert_eq!(system.publish(Custom::new("flushed", "7")).await.handled, 1, "the typed form");
        assert_eq!(system.publish(Custom::new("other", "7")).await.ignored, 1);
        system.shutdown().await;
        let heard = heard.take();
        assert_eq!(heard[..4], events);
        assert_eq!(heard.last(), Some(&Event::Shutdown));
    });
}

/// Flags: each of the table's has its bit, and finds the object that has it.
#[test]
fn every_flag_of_the_table_finds_its_module() {
    use dms::ModuleFlags;
    use dms::adapter::{ModuleAdapter, ModuleInfo, ModuleTrait};

    const FLAGS: [(&str, ModuleFlags); 8] = [
        ("ESSENTIAL", ModuleFlags::ESSENTIAL),
        ("HOT_RELOADABLE", ModuleFlags::HOT_RELOADABLE),
        ("USERSPACE", ModuleFlags::USERSPACE),
        ("DRIVER", ModuleFlags::DRIVER),
        ("FILESYSTEM", ModuleFlags::FILESYSTEM),
        ("SCHEDULER", ModuleFlags::SCHEDULER),
        ("ALLOCATOR", ModuleFlags::ALLOCATOR),
        ("SECURITY", ModuleFlags::SECURITY),
    ];

    struct Flagged(&'static str, ModuleFlags);

    impl ModuleTrait for Flagged {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new(self.0).flags(self.1)
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        for (name, flag) in FLAGS {
            system.register_module(ModuleAdapter::new(Flagged(name, flag))).await.expect("it starts");
        }
        for (name, flag) in FLAGS {
            let found: Vec<_> = system.with_flags(flag).into_iter().map(|module| module.name).collect();
            assert_eq!(found, [name]);
        }
        system.shutdown().await;
    });
}

/// Module Lifecycle: the states of the picture, in its order.
#[test]
fn the_lifecycle_is_that_of_the_picture() {
    use dms::ModuleState::{Init, Running, Start, Stopped, Stopping};
    use dms::adapter::{Context, ModuleAdapter, ModuleInfo, ModuleTrait};
    use dms::{ModuleError, ModuleState, SystemRef};

    struct Looks {
        system: Option<SystemRef>,
        states: Log<ModuleState>,
    }

    impl Looks {
        fn look(&self) {
            let modules = self.system.as_ref().map(SystemRef::modules).unwrap_or_default();
            for module in modules {
                self.states.push(module.state);
            }
        }
    }

    impl ModuleTrait for Looks {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("looks")
        }

        fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
            self.system = Some(ctx.system());
            self.look();
            Ok(())
        }

        fn start(&mut self) -> Result<(), ModuleError> {
            self.look();
            Ok(())
        }

        fn stop(&mut self) -> Result<(), ModuleError> {
            self.look();
            Ok(())
        }
    }

    impl Drop for Looks {
        fn drop(&mut self) {
            self.look();
        }
    }

    on_every_runtime(|| async {
        let states = Log::new();
        let system = System::new();
        let module = ModuleAdapter::new(Looks { system: None, states: states.clone() });
        let module = system.register_module(module).await.expect("it starts");
        states.push(module.state());
        states.push(module.stop().await.unwrap().state);
        // In its destructor the module is still there, stopping: its cleanup comes before it is shown as stopped.
        assert_eq!(states.take(), [Init, Start, Running, Stopping, Stopping, Stopped]);
        system.shutdown().await;
    });
}

/// Migration from v1: a list of modules whose types are not known.
#[test]
fn a_boxed_object_is_adapted_as_any_other() {
    use dms::adapter::{ModuleAdapter, ModuleTrait};
    use quick_start::MyModule;

    on_every_runtime(|| async {
        let system = System::new();
        let v2_module: Box<dyn ModuleTrait> = Box::new(MyModule { active: false });
        let adapted = ModuleAdapter::new(v2_module);
        let module = system.register_module(adapted).await.expect("it starts");
        assert_eq!(module.name(), "my-module");
        system.shutdown().await;
    });
}
