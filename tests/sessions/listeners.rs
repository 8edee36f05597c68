//! Who listens at a place of a network within the process comes and goes; what is sent there does not.

use std::collections::BTreeMap;
use std::time::Duration;

use dms::session::{Endpoint, EventSender, EventSource, Memory, MemoryNetwork, Transport, event, event_within};
use dms::testing::{Faults, Network};
use dms_tests::{Flavor, cases, on_every_runtime, on_paused, settle};
use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_message_under_way_comes_to_the_other_listener_when_the_one_that_waited_for_it_is_dropped() {
    on_paused(|| async {
        for dropped in 0..2 {
            let network = Network::<u64>::new(7, Faults::none().delay(MS * 5..=MS * 5));
            let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
            let (events, mut source) = event();
            let listeners = [(); 2].map(|()| tokio::spawn(there.listen(events.clone())));
            settle().await;
            here.send_to(2, 1_u64).await.unwrap();
            // Whoever is told of it now knows when it is due.
            settle().await;
            listeners[dropped].abort();
            let begun = Instant::now();
            assert_eq!(timeout(MS * 1_000, source.recv()).await, Ok(Some((1, 1))), "without the listener {dropped}");
            assert_eq!(begun.elapsed(), MS * 5);
        }
    });
}

#[test]
fn a_message_comes_to_the_other_listener_when_the_one_that_was_woken_for_it_is_dropped() {
    on_paused(|| async {
        for dropped in 0..2 {
            let network = MemoryNetwork::<u64>::new();
            let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
            let (events, mut source) = event();
            let listeners = [(); 2].map(|()| tokio::spawn(there.listen(events.clone())));
            settle().await;
            here.send_to(2, 1_u64).await.unwrap();
            listeners[dropped].abort();
            assert_eq!(timeout(MS, source.recv()).await, Ok(Some((1, 1))), "without the listener {dropped}");
        }
    });
}

#[test]
fn who_has_room_takes_all_for_which_another_listener_has_none() {
    on_paused(|| async {
        let network = MemoryNetwork::<u64>::new();
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let ((narrow, mut few), (wide, mut rest)) = (event_within(1), event());
        let _full = tokio::spawn(there.listen(narrow));
        let _free = tokio::spawn(there.listen(wide));
        settle().await;
        for number in 0..10_u64 {
            here.send_to(2, number).await.unwrap();
        }
        settle().await;
        assert_eq!((few.len(), rest.len()), (1, 9));
        let mut numbers: Vec<_> = std::iter::from_fn(|| few.try_recv().or_else(|| rest.try_recv())).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..10).map(|number| (1, number)).collect::<Vec<_>>());
    });
}

#[test]
fn who_stops_to_listen_while_there_is_no_room_loses_nothing() {
    on_paused(|| async {
        let network = MemoryNetwork::<u64>::new();
        let (here, there) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let (events, mut source) = event_within(1);
        for number in 0..3_u64 {
            here.send_to(2, number).await.unwrap();
        }
        for number in 0..3 {
            let listening = tokio::spawn(there.listen(events.clone()));
            settle().await;
            listening.abort();
            assert!(listening.await.unwrap_err().is_cancelled());
            assert_eq!(source.try_recv(), Some((1, number)));
            assert!(source.is_empty());
        }
    });
}

#[test]
fn each_message_arrives_once_while_listeners_come_and_go_on_many_threads() {
    const SENDERS: u32 = 4;
    const EACH: u64 = 2_000;
    on_every_runtime(|| async {
        let network = MemoryNetwork::<u64>::new();
        let there = network.bind(0).unwrap();
        let (events, mut source) = event_within(16);
        let mut senders = JoinSet::new();
        for addr in 1..=SENDERS {
            let here = network.bind(addr).unwrap();
            senders.spawn(async move {
                for number in 0..EACH {
                    here.send_to(0, number).await.unwrap();
                    tokio::task::yield_now().await;
                }
            });
        }
        let mut listeners = JoinSet::new();
        let mut arrived = Vec::new();
        for taken in 0..u64::from(SENDERS) * EACH {
            if taken % 10 == 0 {
                // Three at a time.
                if listeners.len() == 3 {
                    listeners.abort_all();
                }
                listeners.spawn(there.listen(events.clone()));
                while listeners.try_join_next().is_some() {}
            }
            arrived.push(source.recv().await.unwrap());
        }
        arrived.sort_unstable();
        let sent = (1..=SENDERS).flat_map(|addr| (0..EACH).map(move |number| (addr, number)));
        assert!(arrived.into_iter().eq(sent), "one was lost, or came twice");
    });
}

const PLACES: u32 = 3;

/// What somebody does.
#[derive(Debug, Clone)]
enum Step {
    /// Sends so many messages on end, each to all of these.
    Send { from: u32, to: Vec<u32>, count: usize },
    /// Begins to listen.
    Listen { at: u32 },
    /// Stops to listen, the so manieth of all.
    Stop { listener: usize },
    /// Takes so many of what came, if there are as many.
    Take { at: u32, count: usize },
    /// Lets the others run for so many turns.
    Turns { count: usize },
    /// Lets a time pass.
    Pass { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let place = || 0..PLACES;
    prop_oneof![
        // More than the messages after which Tokio has a task pause.
        (place(), prop::collection::vec(place(), 1..4), prop_oneof![1..5_usize, 100..300_usize])
            .prop_map(|(from, to, count)| Step::Send { from, to, count }),
        place().prop_map(|at| Step::Listen { at }),
        (0..100_usize).prop_map(|listener| Step::Stop { listener }),
        (place(), 1..200_usize).prop_map(|(at, count)| Step::Take { at, count }),
        (0..4_usize).prop_map(|count| Step::Turns { count }),
        (0..8_u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// What comes: from whom, and a number.
type Incoming = (u32, u64);

/// What was sent, or arrived: from whom, to whom, and the numbers in their order.
type Told = BTreeMap<(u32, u32), Vec<u64>>;

struct Run {
    places: Vec<Memory<u64>>,
    channels: Vec<(EventSender<Incoming>, EventSource<Incoming>)>,
    listeners: Vec<tokio::task::JoinHandle<()>>,
    sent: Told,
    arrived: Told,
}

impl Run {
    fn new(bind: impl Fn(u32) -> Memory<u64>, capacity: Option<usize>) -> Self {
        Self {
            places: (0..PLACES).map(bind).collect(),
            channels: (0..PLACES).map(|_| capacity.map_or_else(event, event_within)).collect(),
            listeners: Vec::new(),
            sent: Told::new(),
            arrived: Told::new(),
        }
    }

    fn listen(&mut self, at: u32) {
        let listening = self.places[at as usize].listen(self.channels[at as usize].0.clone());
        self.listeners.push(tokio::spawn(async { listening.await.unwrap() }));
    }

    fn take(&mut self, at: u32, message: Incoming) {
        self.arrived.entry((message.0, at)).or_default().push(message.1);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Send { from, to, count } => {
                let mut number = self.sent.values().map(Vec::len).sum::<usize>() as u64;
                for _ in 0..count {
                    number += 1;
                    self.places[from as usize].send_to_all(to.iter().copied(), number).await.unwrap();
                    for to in &to {
                        self.sent.entry((from, *to)).or_default().push(number);
                    }
                }
            }
            Step::Listen { at } => self.listen(at),
            Step::Stop { listener } if !self.listeners.is_empty() => {
                let listener = listener % self.listeners.len();
                self.listeners.swap_remove(listener).abort();
            }
            Step::Stop { .. } => {}
            Step::Take { at, count } => {
                for _ in 0..count {
                    let Some(message) = self.channels[at as usize].1.try_recv() else { break };
                    self.take(at, message);
                }
            }
            Step::Turns { count } => {
                for _ in 0..count {
                    tokio::task::yield_now().await;
                }
            }
            Step::Pass { ms } => tokio::time::sleep(MS * u32::try_from(ms).unwrap()).await,
        }
    }

    /// Takes all that is left: whoever listens now is there to stay.
    async fn end(&mut self) {
        for at in 0..PLACES {
            self.listen(at);
        }
        for at in 0..PLACES {
            while let Ok(Some(message)) = timeout(Duration::from_secs(1), self.channels[at as usize].1.recv()).await {
                self.take(at, message);
            }
        }
    }
}

fn run(steps: Vec<Step>, capacity: Option<usize>, delay: Option<u32>) -> (Told, Told) {
    Flavor::Paused.run(|| async {
        let (calm, delayed) = (
            MemoryNetwork::<u64>::new(),
            Network::new(7, Faults::none().delay(Duration::ZERO..=MS * delay.unwrap_or(0))),
        );
        let bind = |addr| if delay.is_none() { calm.bind(addr) } else { delayed.bind(addr) }.unwrap();
        let mut run = Run::new(bind, capacity);
        for step in steps {
            run.step(step).await;
        }
        run.end().await;
        (run.sent, run.arrived)
    })
}

proptest! {
    #![proptest_config(Config { cases: cases(256, 10_000), failure_persistence: None, ..Config::default() })]

    #[test]
    fn without_loss_each_message_arrives_once_and_in_order_whoever_comes_and_goes(
        steps in prop::collection::vec(step(), 0..40),
        capacity in prop::option::of(1..8_usize),
        delay in prop::option::of(0..10_u32),
    ) {
        let (sent, arrived) = run(steps, capacity, delay);
        prop_assert_eq!(arrived, sent);
    }
}
