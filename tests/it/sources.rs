//! What the system tells by itself: ticks, and what it reads from the files of Linux, which these tests write into a folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dms::event::{CpuHotplug, MemoryPressure, PressureLevel, Tick};
use dms::prelude::*;
use dms_tests::{Flavor, Log, events_of, eventually, on_every_runtime, on_paused};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// Notes what the system tells.
#[module]
struct Watcher {
    pressure: Log<PressureLevel>,
    hotplug: Log<(u32, bool)>,
}

#[module]
impl Watcher {
    #[event]
    fn on_pressure(&mut self, event: &MemoryPressure) {
        self.pressure.push(event.level);
    }

    #[event]
    fn on_hotplug(&mut self, event: &CpuHotplug) {
        self.hotplug.push((event.cpu_id, event.online));
    }
}

fn watcher() -> Watcher {
    Watcher { pressure: Log::new(), hotplug: Log::new() }
}

#[module]
struct Clock {
    log: Log<u64>,
}

#[module]
impl Clock {
    #[event]
    fn on_tick(&mut self, event: &Tick) {
        self.log.push(event.timestamp_ns);
    }
}

/// A folder in the place of `/`, gone with the test.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// As the kernel writes it.
    fn stalled(&self, some: f64, full: f64) {
        self.write("proc/pressure/memory", &pressure(some, full));
    }

    fn online(&self, list: &str) {
        self.write("sys/devices/system/cpu/online", list);
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().expect("a file in the folder")).expect("the folder can be written");
        // All at once, as the kernel's files change.
        let new = path.with_extension("new");
        fs::write(&new, text).expect("the folder can be written");
        fs::rename(new, path).expect("the folder can be written");
    }

    fn system(&self) -> System {
        System::builder("watched").host_root(self.0.path()).build()
    }
}

fn pressure(some: f64, full: f64) -> String {
    format!(
        "some avg10={some:.2} avg60=0.31 avg300=0.04 total=1203921\nfull avg10={full:.2} avg60=0.11 avg300=0.01 total=882013\n"
    )
}

fn alive() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[test]
fn a_tick_comes_at_each_period_since_the_system_was_built_on_a_paused_clock_exactly() {
    on_paused(|| async {
        let system = System::builder("ticking").tick_every(250 * MS).build();
        sleep(100 * MS).await;
        let log = Log::new();
        let clock = system.register_module(Clock { log: log.clone() }).await.unwrap();
        sleep(1_000 * MS).await;
        let expected: Vec<_> = (1..=4).map(|number| number * 250_000_000).collect();
        assert_eq!(log.take(), expected);
        // While nobody subscribes there are none; the grid stays where it was.
        clock.stop().await.unwrap();
        sleep(310 * MS).await;
        system.register_module(Clock { log: log.clone() }).await.unwrap();
        sleep(341 * MS).await;
        assert_eq!(log.all(), [1_500_000_000, 1_750_000_000]);
        system.shutdown().await;
    });
}

#[test]
fn ticks_come_in_real_time_too_and_those_that_were_missed_come_as_one() {
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let system = System::builder("ticking").tick_every(10 * MS).build();
            let log = Log::new();
            let begun = Instant::now();
            system.register_module(Clock { log: log.clone() }).await.unwrap();
            eventually("ten ticks", || log.len() >= 10).await;
            assert!((95 * MS..5 * S).contains(&begun.elapsed()), "{:?}", begun.elapsed());
            system.shutdown().await;
        });
    }
    on_paused(|| async {
        let system = System::builder("ticking").tick_every(10 * MS).build();
        let log = Log::new();
        system.register_module(Clock { log: log.clone() }).await.unwrap();
        // Longer than many periods nothing runs at all.
        tokio::time::advance(1_005 * MS).await;
        sleep(16 * MS).await;
        assert_eq!(log.all(), [1_005, 1_010, 1_020].map(|ms| ms * 1_000_000));
        system.shutdown().await;
    });
}

#[test]
fn ticks_are_off_unless_the_builder_says_otherwise() {
    on_paused(|| async {
        let system = System::new();
        let log = Log::new();
        system.register_module(Clock { log: log.clone() }).await.unwrap();
        assert_eq!(alive(), 1, "the module alone");
        sleep(3_600 * S).await;
        assert!(log.is_empty());
        system.shutdown().await;
    });
}

#[test]
fn a_source_runs_while_somebody_subscribes_and_is_joined_at_the_shutdown() {
    on_paused(|| async {
        let host = Host::new();
        host.stalled(0.0, 0.0);
        host.online("0\n");
        let system = host.system();
        assert_eq!(alive(), 0);
        let first = system.register_module(watcher()).await.unwrap();
        assert_eq!(alive(), 2, "the module and the driver of the timers");
        let second = system.register_module(watcher()).await.unwrap();
        assert_eq!(alive(), 3, "there is one driver");
        first.stop().await.unwrap();
        assert_eq!(alive(), 2);
        second.stop().await.unwrap();
        sleep(MS).await;
        assert_eq!(alive(), 0, "nothing is looked at for nobody");
        system.register_module(watcher()).await.unwrap();
        assert_eq!(alive(), 2);
        system.shutdown().await;
        assert_eq!(alive(), 0);
    });
}

#[test]
fn memory_pressure_is_told_when_the_level_by_the_kernels_stalls_changes() {
    on_paused(|| async {
        let host = Host::new();
        host.stalled(0.0, 0.0);
        let system = host.system();
        let watcher = watcher();
        let log = watcher.pressure.clone();
        system.register_module(watcher).await.unwrap();
        let levels = [
            (9.99, 0.0, None),
            (10.0, 9.99, Some(PressureLevel::Low)),
            (12.0, 3.0, None),
            (40.0, 0.0, Some(PressureLevel::Medium)),
            (10.0, 10.0, None),
            (55.5, 40.0, Some(PressureLevel::Critical)),
            (0.0, 0.0, Some(PressureLevel::None)),
        ];
        for (some, full, expected) in levels {
            host.stalled(some, full);
            sleep(1_001 * MS).await;
            assert_eq!(log.take(), Vec::from_iter(expected), "{some} {full}");
        }
        // What cannot be read for once changes nothing.
        fs::remove_file(host.0.path().join("proc/pressure/memory")).unwrap();
        sleep(2 * S).await;
        assert!(log.is_empty());
        system.shutdown().await;
    });
}

#[test]
fn a_level_that_holds_already_is_told_to_the_first_who_subscribes() {
    on_every_runtime(|| async {
        let host = Host::new();
        host.stalled(12.0, 0.0);
        let system = host.system();
        let watcher = watcher();
        let log = watcher.pressure.clone();
        system.register_module(watcher).await.unwrap();
        eventually("it is told", || log.all() == [PressureLevel::Low]).await;
        system.shutdown().await;
    });
}

/// The level by a control group's files: of version 2 and of version 1, of the group itself and of one above.
#[test]
fn memory_pressure_is_told_by_the_fullest_control_group_on_the_way_up() {
    let files = [
        ("0::/shop.slice/till", "sys/fs/cgroup/shop.slice", "memory.current", "memory.max", "inactive_file", true),
        ("0::/unknown/till", "sys/fs/cgroup", "memory.current", "memory.max", "inactive_file", true),
        (
            "9:name=systemd:/\n4:cpu,memory:/docker/7f\n0::/",
            "sys/fs/cgroup/memory/docker/7f",
            "memory.usage_in_bytes",
            "memory.limit_in_bytes",
            "total_inactive_file",
            false,
        ),
    ];
    for (groups, directory, usage, limit, inactive, is_unified) in files {
        on_paused(|| async {
            let host = Host::new();
            host.write("proc/self/cgroup", &format!("{groups}\n"));
            if is_unified {
                host.write("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
                // The group's own limit is far away.
                host.write("sys/fs/cgroup/shop.slice/till/memory.max", "max\n");
                host.write("sys/fs/cgroup/shop.slice/till/memory.current", "950\n");
            }
            let number = |file: &str, bytes: u64| host.write(&format!("{directory}/{file}"), &format!("{bytes}\n"));
            number(limit, 1_000);
            number(usage, 500);
            let system = host.system();
            let watcher = watcher();
            let log = watcher.pressure.clone();
            system.register_module(watcher).await.unwrap();
            let levels = [
                (799, 0, None),
                (800, 0, Some(PressureLevel::Low)),
                (900, 0, Some(PressureLevel::Medium)),
                (950, 0, Some(PressureLevel::Critical)),
                // File pages that were not looked at for a while are as good as free.
                (990, 100, Some(PressureLevel::Low)),
                (990, 500, Some(PressureLevel::None)),
            ];
            for (bytes, droppable, expected) in levels {
                number(usage, bytes);
                let stat = format!("inactive_anon 7\n{inactive} {droppable}\nactive_file 3\n");
                host.write(&format!("{directory}/memory.stat"), &stat);
                sleep(1_001 * MS).await;
                assert_eq!(log.take(), Vec::from_iter(expected), "{groups} {bytes} {droppable}");
            }
            system.shutdown().await;
        });
    }
}

#[test]
fn processors_that_come_and_go_are_told() {
    on_paused(|| async {
        let host = Host::new();
        host.online("0-3\n");
        let system = System::builder("watched").host_root(host.0.path()).watch_host_every(50 * MS).build();
        let watcher = watcher();
        let log = watcher.hotplug.clone();
        system.register_module(watcher).await.unwrap();
        sleep(S).await;
        assert!(log.is_empty(), "those that are there from the beginning did not come");
        host.online("0,2-5\n");
        sleep(51 * MS).await;
        assert_eq!(log.take(), [(1, false), (4, true), (5, true)]);
        host.online("0-5\n");
        sleep(51 * MS).await;
        assert_eq!(log.take(), [(1, true)]);
        host.online("rubbish\n");
        sleep(S).await;
        assert!(log.is_empty());
        system.shutdown().await;
    });
}

#[test]
fn a_platform_without_figures_says_so_once_and_runs_no_source() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let host = Host::new();
            let system = host.system();
            for _ in 0..3 {
                system.register_module(watcher()).await.unwrap();
            }
            assert_eq!(alive(), 3, "the modules alone");
            system.shutdown().await;
        });
    });
    let texts: Vec<_> = events.iter().map(|event| event.text.split(" system=").next().unwrap_or_default()).collect();
    let expected = [
        "`MemoryPressure` events never come here: there is no `/proc/pressure/memory`, and no cgroup that limits memory",
        "`CpuHotplug` events never come here: there is no `/sys/devices/system/cpu/online`",
    ];
    assert_eq!(texts, expected);
}

/// A module that takes all kinds has all sources run.
#[test]
fn who_takes_any_event_of_the_systems_gets_those_of_every_source() {
    #[module]
    struct All {
        log: Log<Event>,
    }

    #[module(visibility = "")]
    impl All {
        #[event]
        fn on_event(&mut self, event: &Event) {
            self.log.push(event.clone());
        }
    }

    on_paused(|| async {
        let host = Host::new();
        host.stalled(0.0, 0.0);
        host.online("0-1\n");
        let system = System::builder("all").host_root(host.0.path()).tick_every(400 * MS).build();
        let log = Log::new();
        system.register_module(All { log: log.clone() }).await.unwrap();
        host.stalled(90.0, 90.0);
        host.online("0\n");
        sleep(1_100 * MS).await;
        let tick = |number: u64| Event::Tick { timestamp_ns: number * 400_000_000 };
        let expected = [
            tick(1),
            tick(2),
            Event::MemoryPressure { level: PressureLevel::Critical },
            Event::CpuHotplug { cpu_id: 1, online: false },
        ];
        assert_eq!(log.take(), expected);
        system.shutdown().await;
        assert_eq!(log.all(), [Event::Shutdown]);
    });
}

/// The files of the machine that runs the test: copied, since nobody takes its processors away for a test.
#[cfg(target_os = "linux")]
#[test]
fn the_files_of_this_machine_are_understood() {
    let ((), events) = events_of(|| {
        on_paused(|| async {
            let system = System::new();
            system.register_module(watcher()).await.unwrap();
            sleep(3 * S).await;
            system.shutdown().await;
        });
    });
    let has_figures = fs::read("/proc/pressure/memory").is_ok();
    let complaints = events.iter().filter(|event| event.text.contains("CpuHotplug") || has_figures).count();
    assert_eq!(complaints, 0, "{events:?}");

    on_paused(|| async {
        let host = Host::new();
        let online = fs::read_to_string("/sys/devices/system/cpu/online").expect("Linux lists its processors");
        host.online(&online);
        for file in ["proc/pressure/memory", "proc/self/cgroup"] {
            if let Ok(text) = fs::read_to_string(Path::new("/").join(file)) {
                host.write(file, &text);
            }
        }
        let system = host.system();
        let watcher = watcher();
        let log = watcher.hotplug.clone();
        system.register_module(watcher).await.unwrap();
        host.online(&format!("{},100000\n", online.trim()));
        sleep(1_001 * MS).await;
        assert_eq!(log.all(), [(100_000, true)], "{online}");
        system.shutdown().await;
    });
}
