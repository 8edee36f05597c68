//! paxos: agreement and validity over a network that loses, repeats, reorders, delays and parts, with replicas that crash; and the program as one process and as three.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Process;
use dms::session::{BackgroundMonitor, Endpoint, EventSender, event};
use dms::testing::{Faults, Network};
use dms_examples::paxos::{Acceptor, Message, Promises, Replica, ToAcceptor, ToProposer, Value};
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_paxos");
const REPLICAS: u32 = 5;

/// How many seeds: 10,000 with `DMS_LONG=1`.
fn seeds() -> u64 {
    if std::env::var_os("DMS_LONG").is_some_and(|value| !value.is_empty() && value != "0") { 10_000 } else { 200 }
}

/// `SplitMix64`, for what is drawn beside the network's faults.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn probability(&mut self, percent: u64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "it is below 100")]
        let drawn = self.below(percent + 1) as f64;
        drawn / 100.0
    }

    fn faults(&mut self) -> Faults {
        let (loss, duplication, reordering) = (self.probability(40), self.probability(40), self.probability(40));
        let delay = Duration::ZERO..=Duration::from_millis(self.below(30));
        Faults::none().loss(loss).duplication(duplication).reordering(reordering).delay(delay)
    }
}

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Run {
    /// All that any replica ever took for decided.
    decided: BTreeSet<Value>,
    /// Which replicas did.
    informed: BTreeSet<u32>,
    trace_hash: u64,
}

/// A replica's place, and what outlives its crashes.
struct Place<A> {
    id: u32,
    disk: Arc<Mutex<A>>,
    round: Arc<AtomicU64>,
    lives: Option<BackgroundMonitor>,
}

struct World<A> {
    network: Network<Message>,
    places: Vec<Place<A>>,
    random: Random,
    informed: EventSender<(u32, Value)>,
}

impl<A: Acceptor> World<A> {
    fn start(&mut self, index: usize) {
        let place = &mut self.places[index];
        let seed = self.random.below(u64::MAX);
        let memory = self.network.bind(place.id).expect("it is free after a crash");
        let monitor = BackgroundMonitor::new();
        let (events, incoming) = event();
        let (decided, mut values) = event();
        let replica = Replica {
            id: place.id,
            value: format!("value {}", place.id),
            rules: Arc::clone(&place.disk),
            round: Arc::clone(&place.round),
            seed,
        };
        let (id, informed) = (place.id, self.informed.clone());
        monitor.spawner().spawn("listen", memory.listen(events));
        monitor.spawner().spawn("replica", replica.run(memory, (1..=REPLICAS).collect(), incoming, decided));
        monitor.spawner().spawn("note", async move {
            while let Some(value) = values.recv().await {
                informed.send((id, value)).await?;
            }
            Ok::<_, dms::session::Closed<_>>(())
        });
        place.lives = Some(monitor);
    }

    async fn crash(&mut self, index: usize) {
        if let Some(mut monitor) = self.places[index].lives.take() {
            monitor.cancel();
            monitor.wait().await.expect("no replica fails");
        }
    }

    /// One of the things that go wrong.
    async fn misfortune(&mut self) {
        let index = usize::try_from(self.random.below(u64::from(REPLICAS))).unwrap();
        match self.random.below(6) {
            0 => {
                let sides = self.random.below(1 << REPLICAS);
                let (one, other): (Vec<u32>, Vec<u32>) = (1..=REPLICAS).partition(|id| sides >> (id - 1) & 1 == 1);
                self.network.partition([&one[..], &other[..]]);
            }
            1 => self.network.heal(),
            2 => self.network.set_faults(self.random.faults()),
            3 => self.crash(index).await,
            _ if self.places[index].lives.is_none() => self.start(index),
            _ => {}
        }
    }
}

/// Runs five replicas for half a second in which everything goes wrong, and then until all know what is decided.
fn run<A: Acceptor>(seed: u64, acceptor: impl Fn() -> A) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut random = Random(seed ^ 0x5eed);
        let network = Network::<Message>::new(seed, random.faults());
        let (informed, mut news) = event();
        let place = |id| Place { id, disk: Arc::new(Mutex::new(acceptor())), round: Arc::default(), lives: None };
        let places = (1..=REPLICAS).map(place).collect();
        let mut world = World { network: network.clone(), places, random, informed };
        for index in 0..world.places.len() {
            world.start(index);
        }
        for _ in 0..40 {
            let pause = Duration::from_millis(world.random.below(25));
            sleep(pause).await;
            world.misfortune().await;
        }
        network.heal();
        network.set_faults(Faults::none().loss(0.1).delay(Duration::ZERO..=Duration::from_millis(5)));
        for index in 0..world.places.len() {
            if world.places[index].lives.is_none() {
                world.start(index);
            }
        }
        let (mut decided, mut informed) = (BTreeSet::new(), BTreeSet::new());
        while informed.len() < world.places.len() {
            let Ok(Some((id, value))) = timeout(Duration::from_mins(1), news.recv()).await else { break };
            informed.insert(id);
            decided.insert(value);
        }
        for index in 0..world.places.len() {
            world.crash(index).await;
        }
        while let Some((_, value)) = news.try_recv() {
            decided.insert(value);
        }
        Run { decided, informed, trace_hash: network.trace_hash() }
    })
}

#[test]
fn replicas_agree_on_a_value_that_was_proposed_whatever_goes_wrong() {
    let proposed: BTreeSet<Value> = (1..=REPLICAS).map(|id| format!("value {id}")).collect();
    for seed in 0..seeds() {
        let run = run(seed, Promises::default);
        assert_eq!(run.decided.len(), 1, "seed {seed}: they disagree: {run:?}");
        assert!(run.decided.is_subset(&proposed), "seed {seed}: nobody proposed that: {run:?}");
        assert_eq!(run.informed.len(), 5, "seed {seed}: some never learn it: {run:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let mut hashes = BTreeSet::new();
    for seed in 0..20 {
        let (first, second) = (run(seed, Promises::default), run(seed, Promises::default));
        assert_eq!(first, second, "seed {seed}");
        hashes.insert(first.trace_hash);
    }
    assert_eq!(hashes.len(), 20, "other seeds are other runs");
}

/// Keeps no promise: it accepts whatever comes.
#[derive(Default)]
struct Pushover(Promises);

impl Acceptor for Pushover {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        match asked {
            ToAcceptor::Accept(ballot, _) => ToProposer::Accepted(ballot),
            prepare @ ToAcceptor::Prepare(_) => self.0.answer(prepare),
        }
    }
}

/// Promises, and does not say what it has accepted.
#[derive(Default)]
struct Secretive(Promises);

impl Acceptor for Secretive {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        match self.0.answer(asked) {
            ToProposer::Promised(ballot, _) => ToProposer::Promised(ballot, None),
            other => other,
        }
    }
}

/// Accepts a lower ballot than it has promised, as if it had never been asked.
#[derive(Default)]
struct Unprincipled(Promises);

impl Acceptor for Unprincipled {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        match asked {
            ToAcceptor::Accept(ballot, value) => {
                let mut fresh = Promises::default();
                let accepted = fresh.answer(ToAcceptor::Accept(ballot, value));
                self.0 = fresh;
                accepted
            }
            prepare @ ToAcceptor::Prepare(_) => self.0.answer(prepare),
        }
    }
}

fn disagreements<A: Acceptor + Default>() -> usize {
    (0..200).filter(|seed| run(*seed, A::default).decided.len() > 1).count()
}

#[test]
fn a_broken_acceptor_is_caught() {
    let caught = [disagreements::<Pushover>(), disagreements::<Secretive>(), disagreements::<Unprincipled>()];
    println!("of 200 seeds these show it: {caught:?}");
    assert!(caught.iter().all(|caught| *caught > 0), "{caught:?}");
}

#[test]
fn three_processes_agree() {
    // Addresses that were free just now.
    let sockets: Vec<_> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let addrs: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap().to_string()).collect();
    drop(sockets);
    let start = |listen: &String| {
        let mut command = Command::new(PROGRAM);
        command.args(["--listen", listen, "--propose", &format!("from {listen}")]);
        for peer in addrs.iter().filter(|addr| *addr != listen) {
            command.args(["--peer", peer]);
        }
        Process(command.stdout(Stdio::piped()).spawn().unwrap())
    };
    let mut processes: Vec<_> = addrs.iter().map(start).collect();
    let mut values = BTreeSet::new();
    for process in &mut processes {
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.next().unwrap().contains(" of 3 proposes `from 127.0.0.1:"));
        let line = lines.next().unwrap();
        let (_, value) = line.split_once(" of 3 knows that ").unwrap();
        values.insert(value.to_owned());
    }
    assert_eq!(values.len(), 1, "{values:?}");
    assert!(addrs.iter().any(|addr| values.contains(&format!("`from {addr}` is decided"))), "{values:?}");
}

#[test]
fn wrong_arguments_are_told() {
    for (arguments, told) in [
        (&["--lisen"][..], "unknown argument `--lisen`: there are --listen ADDR, --peer ADDR, --propose VALUE"),
        (&["--listen"], "`--listen` wants an address"),
        (&["--listen", "here"], "`here` is no address: write an IP address and a port"),
        (&["--listen", "127.0.0.1:7001", "--listen", "127.0.0.1:7002"], "`--listen` is given twice"),
        (&["--peer", "127.0.0.1:7001", "--peer", "127.0.0.1:7001"], "`--peer 127.0.0.1:7001` is given twice"),
        (&["--peer", "127.0.0.1:7001"], "give `--listen ADDR` too"),
        (&["--listen", "127.0.0.1:7001", "--peer", "127.0.0.1:7002"], "at least three replicas"),
        (
            &["--listen", "0.0.0.0:7001", "--peer", "127.0.0.1:7002", "--peer", "127.0.0.1:7003"],
            "is not where the others find it",
        ),
        (
            &["--listen", "127.0.0.1:7001", "--peer", "127.0.0.1:7001", "--peer", "127.0.0.1:7003"],
            "is this process itself",
        ),
        (&["--propose"], "`--propose` wants a value"),
    ] {
        super::tells(PROGRAM, arguments, told);
    }
}
