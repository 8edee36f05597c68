//! paxos: agreement and validity over a network that loses, repeats, reorders, delays and parts, with replicas that crash; and the program as one process and as three.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Process;
use dms::session::{
    BackgroundMonitor, Endpoint, EventSender, EventSource, Transport, TransportError, Udp, event, event_within,
};
use dms::testing::{Faults, Network};
use dms_examples::paxos::{
    Acceptor, Ballot, Decided, Message, Promises, Proposer, Replica, ToAcceptor, ToProposer, Value,
};
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
    /// All that any replica ever took for decided, and all that a majority of acceptors accepted under one ballot, whether or not anybody noticed.
    decided: BTreeSet<Value>,
    /// Which replicas took something for decided.
    informed: BTreeSet<u32>,
    /// Which acceptors broke a rule.
    breaches: BTreeSet<u32>,
    trace_hash: u64,
}

/// How an acceptor can be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    /// Says that it has accepted, whatever comes, and keeps nothing.
    Pushover,
    /// Accepts a lower ballot than it has promised.
    Unprincipled,
    /// Does not say what it has accepted.
    Secretive,
    /// Has forgotten all after a crash.
    Forgets,
    /// Does not promise what it accepts.
    RaisesNoPromise,
    /// Says what it accepted first, not last.
    TellsFirst,
}

/// Acceptors as they are to be, and others.
struct Rules {
    kept: Promises,
    flaw: Option<Flaw>,
    promised: Option<Ballot>,
    accepted: Option<(Ballot, Value)>,
}

impl Rules {
    fn new(flaw: Option<Flaw>) -> Self {
        Self { kept: Promises::default(), flaw, promised: None, accepted: None }
    }

    fn begin_again(&mut self) {
        if self.flaw == Some(Flaw::Forgets) {
            *self = Self::new(self.flaw);
        }
    }

    fn answer_wrongly(&mut self, flaw: Flaw, asked: ToAcceptor) -> ToProposer {
        let (ToAcceptor::Prepare(ballot) | ToAcceptor::Accept(ballot, _)) = asked;
        let refused = self.promised.filter(|promised| *promised > ballot);
        match (asked, refused) {
            (ToAcceptor::Accept(..), _) if flaw == Flaw::Pushover => ToProposer::Accepted(ballot),
            (ToAcceptor::Accept(..), Some(promised)) if flaw != Flaw::Unprincipled => {
                ToProposer::Refused(ballot, promised)
            }
            (ToAcceptor::Accept(_, value), _) => {
                if flaw != Flaw::RaisesNoPromise {
                    self.promised = Some(ballot);
                }
                if flaw != Flaw::TellsFirst || self.accepted.is_none() {
                    self.accepted = Some((ballot, value));
                }
                ToProposer::Accepted(ballot)
            }
            (ToAcceptor::Prepare(_), Some(promised)) => ToProposer::Refused(ballot, promised),
            (ToAcceptor::Prepare(_), None) => {
                self.promised = Some(ballot);
                let told = if flaw == Flaw::Secretive { None } else { self.accepted.clone() };
                ToProposer::Promised(ballot, told)
            }
        }
    }
}

impl Acceptor for Rules {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        match self.flaw {
            // One that has crashed and forgets nothing else keeps the rules.
            None | Some(Flaw::Forgets) => self.kept.answer(asked),
            Some(flaw) => self.answer_wrongly(flaw, asked),
        }
    }
}

/// What all acceptors have answered, as nobody within sees it.
#[derive(Default)]
struct History {
    /// Who has accepted what.
    votes: BTreeMap<(Ballot, Value), BTreeSet<u32>>,
    /// The highest ballot that each has promised or accepted.
    highest: BTreeMap<u32, Ballot>,
    /// Who has broken its word.
    breaches: BTreeSet<u32>,
}

impl History {
    fn note(&mut self, id: u32, asked: ToAcceptor, answer: &ToProposer) {
        let (ToAcceptor::Prepare(ballot) | ToAcceptor::Accept(ballot, _)) = asked;
        let last = self.votes.iter().rev().find(|(_, voters)| voters.contains(&id)).map(|(vote, _)| vote.clone());
        match (asked, answer) {
            (_, ToProposer::Refused(..)) => return,
            (ToAcceptor::Prepare(_), ToProposer::Promised(_, told)) if *told == last => {}
            (ToAcceptor::Accept(_, value), ToProposer::Accepted(_)) => {
                self.votes.entry((ballot, value)).or_default().insert(id);
            }
            _ => drop(self.breaches.insert(id)),
        }
        let highest = self.highest.entry(id).or_insert(ballot);
        if *highest > ballot {
            self.breaches.insert(id);
        }
        *highest = ballot.max(*highest);
    }
}

/// An acceptor whose answers are noted.
struct Watched {
    id: u32,
    disk: Arc<Mutex<Rules>>,
    history: Arc<Mutex<History>>,
}

impl Acceptor for Watched {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        let answer = self.disk.answer(asked.clone());
        self.history.lock().unwrap().note(self.id, asked, &answer);
        answer
    }
}

/// How a proposer can be wrong: this is done to the answers that it gets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mishearing {
    /// It proposes its own value, whatever was accepted.
    IgnoresAccepted,
    /// It counts each answer for two acceptors.
    CountsTwice,
}

impl Mishearing {
    fn hear(self, from: u32, message: Message) -> Vec<(u32, Message)> {
        match (self, message) {
            (Self::IgnoresAccepted, Message::ToProposer(ToProposer::Promised(ballot, _))) => {
                vec![(from, ToProposer::Promised(ballot, None).into())]
            }
            (Self::CountsTwice, message @ Message::ToProposer(_)) => {
                vec![(from, message.clone()), (from % REPLICAS + 1, message)]
            }
            (_, message) => vec![(from, message)],
        }
    }
}

/// Who is wrong in a run, of all who take part.
#[derive(Debug, Clone, Copy, Default)]
struct Wrong {
    /// Of the first so many acceptors.
    acceptors: Option<(u32, Flaw)>,
    /// Of the first so many proposers.
    proposers: Option<(u32, Mishearing)>,
}

/// A replica's place, and what outlives its crashes.
struct Place {
    id: u32,
    disk: Arc<Mutex<Rules>>,
    round: Arc<AtomicU64>,
    mishearing: Option<Mishearing>,
    lives: Option<BackgroundMonitor>,
    /// What it took for decided, in each of its lives.
    told: Vec<EventSource<Value>>,
}

struct World {
    network: Network<Message>,
    places: Vec<Place>,
    random: Random,
    history: Arc<Mutex<History>>,
    decided: BTreeSet<Value>,
    informed: BTreeSet<u32>,
}

impl World {
    fn start(&mut self, index: usize) {
        let place = &mut self.places[index];
        let seed = self.random.below(u64::MAX);
        let memory = self.network.bind(place.id).expect("it is free after a crash");
        let monitor = BackgroundMonitor::new();
        let (events, mut incoming) = event();
        let (decided, told) = event();
        place.disk.lock().unwrap().begin_again();
        let replica = Replica {
            id: place.id,
            value: format!("value {}", place.id),
            rules: Watched { id: place.id, disk: Arc::clone(&place.disk), history: Arc::clone(&self.history) },
            round: Arc::clone(&place.round),
            seed,
        };
        monitor.spawner().spawn("listen", memory.listen(events));
        if let Some(mishearing) = place.mishearing {
            let (heard, source) = event();
            let mut from_network = std::mem::replace(&mut incoming, source);
            monitor.spawner().spawn("mishear", async move {
                while let Some((from, message)) = from_network.recv().await {
                    for message in mishearing.hear(from, message) {
                        heard.send(message).await?;
                    }
                }
                Ok::<_, dms::session::Closed<_>>(())
            });
        }
        monitor.spawner().spawn("replica", replica.run(memory, (1..=REPLICAS).collect(), incoming, decided));
        place.lives = Some(monitor);
        place.told.push(told);
    }

    async fn crash(&mut self, index: usize) {
        if let Some(mut monitor) = self.places[index].lives.take() {
            monitor.cancel();
            monitor.wait().await.expect("no replica fails");
        }
    }

    /// Takes note of what was decided.
    fn note(&mut self) {
        for place in &mut self.places {
            for value in place.told.iter_mut().filter_map(EventSource::try_recv) {
                self.informed.insert(place.id);
                self.decided.insert(value);
            }
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
fn run(seed: u64, wrong: Wrong) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut random = Random(seed ^ 0x5eed);
        let network = Network::<Message>::new(seed, random.faults());
        let place = |id| Place {
            id,
            disk: Arc::new(Mutex::new(Rules::new(
                wrong.acceptors.filter(|(count, _)| id <= *count).map(|(_, flaw)| flaw),
            ))),
            round: Arc::default(),
            mishearing: wrong.proposers.filter(|(count, _)| id <= *count).map(|(_, mishearing)| mishearing),
            lives: None,
            told: Vec::new(),
        };
        let places = (1..=REPLICAS).map(place).collect();
        let (history, decided, informed) = (Arc::default(), BTreeSet::new(), BTreeSet::new());
        let mut world = World { network: network.clone(), places, random, history, decided, informed };
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
        for _ in 0..1_000 {
            world.note();
            if world.informed.len() == world.places.len() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        for index in 0..world.places.len() {
            world.crash(index).await;
        }
        // A source holds what one life has told, which is more than one value where they disagree.
        while world.places.iter().flat_map(|place| &place.told).any(|told| !told.is_empty()) {
            world.note();
        }
        let mut history = world.history.lock().unwrap();
        let majorities = history.votes.iter().filter(|(_, voters)| voters.len() * 2 > world.places.len());
        world.decided.extend(majorities.map(|((_, value), _)| value.clone()));
        let breaches = std::mem::take(&mut history.breaches);
        Run { decided: world.decided, informed: world.informed, breaches, trace_hash: network.trace_hash() }
    })
}

#[test]
fn replicas_agree_on_a_value_that_was_proposed_whatever_goes_wrong() {
    let proposed: BTreeSet<Value> = (1..=REPLICAS).map(|id| format!("value {id}")).collect();
    for seed in 0..seeds() {
        let run = run(seed, Wrong::default());
        assert_eq!(run.decided.len(), 1, "seed {seed}: they disagree: {run:?}");
        assert!(run.decided.is_subset(&proposed), "seed {seed}: nobody proposed that: {run:?}");
        assert_eq!(run.informed.len(), 5, "seed {seed}: some never learn it: {run:?}");
        assert!(run.breaches.is_empty(), "seed {seed}: acceptors break their word: {run:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let mut hashes = BTreeSet::new();
    for seed in 0..20 {
        let (first, second) = (run(seed, Wrong::default()), run(seed, Wrong::default()));
        assert_eq!(first, second, "seed {seed}");
        hashes.insert(first.trace_hash);
    }
    assert_eq!(hashes.len(), 20, "other seeds are other runs");
}

/// Of 200 seeds so many at least show a breach, and so many at least that two values are decided on: about half of what they were when this was written.
#[test]
fn whoever_breaks_a_rule_is_caught() {
    let acceptors = |count, flaw| Wrong { acceptors: Some((count, flaw)), proposers: None };
    let proposers = |count, mishearing| Wrong { acceptors: None, proposers: Some((count, mishearing)) };
    let table = [
        // Four others often make up for one.
        (acceptors(1, Flaw::Pushover), 70, 0),
        (acceptors(1, Flaw::Unprincipled), 45, 0),
        (acceptors(1, Flaw::Secretive), 55, 0),
        (acceptors(1, Flaw::Forgets), 30, 0),
        (acceptors(1, Flaw::RaisesNoPromise), 1, 0),
        (acceptors(1, Flaw::TellsFirst), 20, 0),
        (acceptors(REPLICAS, Flaw::Pushover), 90, 45),
        (acceptors(REPLICAS, Flaw::Unprincipled), 65, 18),
        (acceptors(REPLICAS, Flaw::Secretive), 90, 24),
        (acceptors(REPLICAS, Flaw::Forgets), 80, 6),
        (proposers(1, Mishearing::IgnoresAccepted), 0, 5),
        (proposers(1, Mishearing::CountsTwice), 0, 1),
    ];
    let mut missed = Vec::new();
    for (wrong, least_breaches, least_values) in table {
        let runs: Vec<_> = (0..200).map(|seed| run(seed, wrong)).collect();
        let breaches = runs.iter().filter(|run| !run.breaches.is_empty()).count();
        let values = runs.iter().filter(|run| run.decided.len() > 1).count();
        println!("{wrong:?}: {breaches} and {values} of 200");
        if breaches < least_breaches || values < least_values {
            missed.push((wrong, breaches, values));
        }
    }
    assert!(missed.is_empty(), "too few of 200 seeds show it: {missed:?}");
}

fn paused<O>(session: impl Future<Output = O>) -> O {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(session)
}

/// Gives a proposer, one of three, these answers to its first ballot; what it came to, and the last round that it has used.
fn propose(answers: Vec<(u32, ToProposer)>) -> (Option<Value>, u64) {
    paused(async {
        let memory = Network::<Message>::new(1, Faults::none()).bind(1).unwrap();
        let round = Arc::<AtomicU64>::default();
        let proposer = Proposer {
            replica: 1,
            value: "mine".to_owned(),
            acceptors: vec![1, 2, 3],
            round: Arc::clone(&round),
            seed: 1,
        };
        let (sender, source) = event();
        for answer in answers {
            sender.send(answer).await.unwrap();
        }
        let end = timeout(Duration::from_secs(1), proposer.run(memory, source)).await;
        (end.unwrap_or_default(), round.load(Ordering::Relaxed))
    })
}

const FIRST: Ballot = Ballot { round: 1, replica: 1 };

fn agreement(acceptors: [u32; 2]) -> Vec<(u32, ToProposer)> {
    let promised = acceptors.map(|from| (from, ToProposer::Promised(FIRST, None)));
    promised.into_iter().chain(acceptors.map(|from| (from, ToProposer::Accepted(FIRST)))).collect()
}

#[test]
fn answers_of_strangers_are_not_counted() {
    assert_eq!(propose(agreement([1, 3])), (Some("mine".to_owned()), 1));
    assert_eq!(propose(agreement([1, 4])).0, None);
}

#[test]
fn no_answer_makes_a_round_come_again() {
    // There is no round after the last: nobody who keeps the rules has promised it.
    let mut answers = vec![(2, ToProposer::Refused(FIRST, Ballot { round: u64::MAX, replica: 2 }))];
    answers.extend(agreement([1, 3]));
    assert_eq!(propose(answers), (Some("mine".to_owned()), 1));
    // The last is used, and then none.
    let answers = vec![(2, ToProposer::Refused(FIRST, Ballot { round: u64::MAX - 1, replica: 2 }))];
    assert_eq!(propose(answers), (None, u64::MAX));
}

fn replica(id: u32) -> Replica<Promises> {
    Replica { id, value: format!("value {id}"), rules: Promises::default(), round: Arc::default(), seed: u64::from(id) }
}

#[test]
fn what_a_stranger_says_is_decided_is_not_believed() {
    paused(async {
        let memory = Network::<Message>::new(1, Faults::none()).bind(1).unwrap();
        let (events, incoming) = event();
        let (decided, mut told) = event();
        for (from, value) in [(4, "forged"), (3, "true")] {
            events.send((from, Decided(value.to_owned()).into())).await.unwrap();
        }
        drop(events);
        replica(1).run(memory, vec![1, 2, 3], incoming, decided).await.unwrap();
        assert_eq!(told.recv().await.as_deref(), Some("true"));
        assert_eq!(told.recv().await, None);
    });
}

#[tokio::test]
async fn a_member_to_which_nothing_can_be_sent_ends_no_replica() {
    let bind = || Udp::<Message>::bind("127.0.0.1:0");
    let (one, other) = (bind().await.unwrap(), bind().await.unwrap());
    // The operating system sends nothing to port 0.
    let nowhere = "127.0.0.1:0".parse().unwrap();
    assert!(one.send_to(nowhere, Decided(String::new())).await.is_err());
    let addrs = vec![nowhere, one.addr(), other.addr()];
    let mut sessions = BackgroundMonitor::new();
    let mut sources = Vec::new();
    for (id, udp) in [(1, one), (2, other)] {
        let (events, incoming) = event();
        let (decided, told) = event();
        let asked = ToAcceptor::Prepare(Ballot { round: 0, replica: 0 });
        events.send((nowhere, asked.into())).await.unwrap();
        sessions.spawner().spawn("listen", udp.listen(events));
        sessions.spawner().spawn("replica", replica(id).run(udp, addrs.clone(), incoming, decided));
        sources.push(told);
    }
    let mut values = BTreeSet::new();
    for told in &mut sources {
        tokio::select! {
            error = sessions.failed() => panic!("{error}"),
            value = told.recv() => values.insert(value.expect("the replica goes on")),
        };
    }
    assert_eq!(values.len(), 1, "{values:?}");
    sessions.cancel();
    sessions.wait().await.unwrap();
}

/// A place whose messages to one other wait until it is opened.
#[derive(Clone)]
struct Gate {
    open: Arc<tokio::sync::Semaphore>,
    sent: Arc<AtomicU64>,
}

impl Endpoint for Gate {
    type Addr = u32;
    type Message = Message;

    fn addr(&self) -> u32 {
        1
    }

    fn listen(
        &self,
        _: EventSender<(u32, Message)>,
    ) -> impl Future<Output = Result<(), TransportError>> + Send + 'static {
        std::future::pending()
    }
}

impl<M: Send + 'static> Transport<M> for Gate {
    async fn send_to(&self, _: u32, _: M) -> Result<(), TransportError> {
        let _open = self.open.acquire().await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn send_to_all(
        &self,
        _: impl IntoIterator<Item = u32, IntoIter: Send> + Send,
        _: M,
    ) -> Result<(), TransportError> {
        Ok(())
    }
}

#[test]
fn a_flood_for_an_acceptor_that_is_held_up_is_dropped() {
    paused(async {
        let gate = Gate { open: Arc::new(tokio::sync::Semaphore::new(0)), sent: Arc::default() };
        let (events, incoming) = event_within(10);
        let (decided, _told) = event();
        let flood = async {
            for round in 0..5_000 {
                let asked = ToAcceptor::Prepare(Ballot { round, replica: 2 });
                events.send((2, asked.into())).await.unwrap();
            }
            gate.open.add_permits(1);
            sleep(Duration::from_millis(10)).await;
            drop(events);
        };
        let session = replica(1).run(gate.clone(), vec![1, 2, 3], incoming, decided);
        let (end, ()) = tokio::join!(session, flood);
        end.unwrap();
        let sent = gate.sent.load(Ordering::Relaxed);
        assert!((1_000..1_100).contains(&sent), "{sent} are answered");
    });
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
