//! paxos: agreement and validity over a network that loses, repeats, reorders, delays and parts, with replicas that crash; those who break its rules; and the program as several processes.

mod flaw;
mod history;
mod simulation;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::flaw::{AcceptorFlaw, ProposerFlaw};
use self::simulation::{Decree, REPLICAS, Wrong, run};
use super::Process;
use dms::session::{BackgroundMonitor, Endpoint, EventSender, Transport, TransportError, Udp, event, event_within};
use dms::testing::{Faults, Network};
use dms_examples::paxos::{
    Ballot, Decided, Message, Promises, Proposer, Replica, ToAcceptor, ToProposer, Value, acceptor,
};
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_paxos");

/// How many seeds: 10,000 with `DMS_LONG=1`.
fn seeds() -> u64 {
    if std::env::var_os("DMS_LONG").is_some_and(|value| !value.is_empty() && value != "0") { 10_000 } else { 200 }
}

#[test]
fn replicas_agree_on_a_value_that_was_proposed_whatever_goes_wrong() {
    let proposed: BTreeSet<Value> = (1..=REPLICAS).map(|id| format!("value {id}")).collect();
    for seed in 0..seeds() {
        for decree in run(seed, Wrong::Nobody).decrees {
            assert_eq!(decree.chosen.len(), 1, "seed {seed}: majorities do not agree: {decree:?}");
            assert_eq!(decree.decided, decree.chosen, "seed {seed}: decided is what a majority accepted, and no other");
            assert!(decree.decided.is_subset(&proposed), "seed {seed}: nobody proposed that: {decree:?}");
            assert_eq!(decree.informed.len(), 5, "seed {seed}: some never learn it: {decree:?}");
            assert!(decree.breaches.is_empty(), "seed {seed}: acceptors break their word: {decree:?}");
            assert!(decree.unsound.is_empty(), "seed {seed}: proposers may not propose that: {decree:?}");
        }
    }
}

#[test]
fn the_same_seed_is_the_same_run_and_another_seed_another() {
    let mut hashes = BTreeSet::new();
    for seed in 0..30 {
        let (first, second) = (run(seed, Wrong::Nobody), run(seed, Wrong::Nobody));
        assert_eq!(first, second, "seed {seed}");
        hashes.insert(first.trace_hash);
    }
    assert_eq!(hashes.len(), 30, "other seeds are other runs");
}

/// Who is wrong, and what has to show it. Of one acceptor among five the decisions show least, for the others make up for it where they can.
const MUTANTS: [(Wrong, Shown); 20] = [
    (Wrong::Acceptors(1, AcceptorFlaw::Pushover), Shown::ByDecisions),
    (Wrong::Acceptors(1, AcceptorFlaw::Unprincipled), Shown::ByWatch),
    (Wrong::Acceptors(1, AcceptorFlaw::IgnoresReplica), Shown::ByWatch),
    (Wrong::Acceptors(1, AcceptorFlaw::Secretive), Shown::ByDecisions),
    (Wrong::Acceptors(1, AcceptorFlaw::TellsFirst), Shown::ByWatch),
    (Wrong::Acceptors(1, AcceptorFlaw::ForgetsAll), Shown::ByWatch),
    (Wrong::Acceptors(1, AcceptorFlaw::ForgetsPromise), Shown::ByWatch),
    (Wrong::Acceptors(1, AcceptorFlaw::RaisesNoPromise), Shown::ByWatch),
    (Wrong::Acceptors(5, AcceptorFlaw::Pushover), Shown::ByDecisions),
    (Wrong::Acceptors(5, AcceptorFlaw::Unprincipled), Shown::ByWatch),
    (Wrong::Acceptors(5, AcceptorFlaw::IgnoresReplica), Shown::ByWatch),
    (Wrong::Acceptors(5, AcceptorFlaw::Secretive), Shown::ByDecisions),
    (Wrong::Acceptors(5, AcceptorFlaw::TellsFirst), Shown::ByWatch),
    (Wrong::Acceptors(5, AcceptorFlaw::ForgetsAll), Shown::ByDecisions),
    (Wrong::Acceptors(5, AcceptorFlaw::RaisesNoPromiseButTellsHighest), Shown::Harmless),
    (Wrong::Proposer(ProposerFlaw::MajorityMinusOne), Shown::ByWatch),
    (Wrong::Proposer(ProposerFlaw::CountsRepeated), Shown::ByWatch),
    (Wrong::Proposer(ProposerFlaw::CountsStrangers), Shown::ByWatch),
    (Wrong::Proposer(ProposerFlaw::IgnoresAccepted), Shown::ByDecisions),
    (Wrong::Proposer(ProposerFlaw::TakesLowest), Shown::ByWatch),
];

/// What shows that somebody is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    /// That two values are decided on, or one that no majority has accepted.
    ByDecisions,
    /// That an acceptor breaks its word, or a proposer proposes what it may not.
    ByWatch,
    /// It cannot do harm, and must not be taken for what does.
    Harmless,
}

/// Of 200 seeds ten are to show it, and most are enough to do so early; `DMS_LONG=1` counts how many do.
#[test]
fn whoever_breaks_a_rule_is_caught() {
    let is_long = seeds() > 200;
    let mut missed = Vec::new();
    for (wrong, shown) in MUTANTS {
        let (mut watched, mut decisions) = (0, 0);
        let most = if shown == Shown::Harmless && !is_long { 50 } else { 200 };
        for seed in 0..most {
            let decrees = run(seed, wrong).decrees;
            watched += u32::from(decrees.iter().any(Decree::is_against_the_rules));
            decisions += u32::from(decrees.iter().any(Decree::is_wrong));
            if shown == Shown::Harmless {
                assert!(decrees.iter().all(|decree| !decree.is_wrong() && decree.unsound.is_empty()), "seed {seed}");
            } else if !is_long && watched >= 10 && (decisions >= 10 || shown == Shown::ByWatch) {
                break;
            }
        }
        println!("{wrong:?}: {watched} are caught, {decisions} by decisions");
        if watched < 10 || (shown == Shown::ByDecisions && decisions < 10) {
            missed.push((wrong, watched, decisions));
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
        (end.map_or(None, |end| end.unwrap()), round.load(Ordering::Relaxed))
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

#[tokio::test]
async fn what_can_be_sent_to_nobody_ends_a_replica() {
    let bind = || Udp::<Message>::bind("127.0.0.1:0");
    let (udp, other) = (bind().await.unwrap().with_limit(5), bind().await.unwrap());
    let (_events, incoming) = event();
    let (decided, _told) = event();
    let session = replica(1).run(udp, vec![other.addr()], incoming, decided);
    let end = timeout(Duration::from_secs(10), session).await.expect("it ends by itself");
    let error = end.unwrap_err();
    assert!(error.to_string().contains("the message takes"), "{error}");
}

#[tokio::test]
async fn a_proposer_and_an_acceptor_that_can_send_to_nobody_say_so() {
    let narrow = async || Udp::<Message>::bind("127.0.0.1:0").await.unwrap().with_limit(5);
    let udp = narrow().await;
    let (_events, answers) = event();
    let proposer = Proposer {
        replica: 1,
        value: "mine".to_owned(),
        acceptors: vec![udp.addr()],
        round: Arc::<AtomicU64>::default(),
        seed: 1,
    };
    let limit = Duration::from_secs(10);
    let end = timeout(limit, proposer.run(udp.clone(), answers)).await.expect("it ends by itself");
    assert!(matches!(end, Err(TransportError::MessageTooLarge { .. })), "{end:?}");
    let (events, asked) = event();
    events.send((udp.addr(), ToAcceptor::Prepare(FIRST))).await.unwrap();
    let end = timeout(limit, acceptor(Promises::default(), udp, asked)).await.expect("it ends by itself");
    assert!(matches!(end, Err(TransportError::MessageTooLarge { .. })), "{end:?}");
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

/// Addresses that were free just now.
fn free_addrs(count: usize) -> Vec<String> {
    let sockets: Vec<_> = (0..count).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    sockets.iter().map(|socket| socket.local_addr().unwrap().to_string()).collect()
}

/// A replica as a process.
fn start(listen: &String, addrs: &[String]) -> Process {
    let mut command = Command::new(PROGRAM);
    command.args(["--listen", listen, "--propose", &format!("from {listen}")]);
    for peer in addrs.iter().filter(|addr| *addr != listen) {
        command.args(["--peer", peer]);
    }
    Process::new(command.stdout(Stdio::piped()).spawn().unwrap())
}

/// What a process says is decided.
fn decided(process: &mut Process) -> String {
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains(" proposes `from 127.0.0.1:"));
    let line = lines.next().unwrap();
    let (_, value) = line.split_once(" knows that ").unwrap();
    value.to_owned()
}

#[test]
fn three_processes_agree() {
    let addrs = free_addrs(3);
    let mut processes: Vec<_> = addrs.iter().map(|addr| start(addr, &addrs)).collect();
    let values: BTreeSet<_> = processes.iter_mut().map(decided).collect();
    assert_eq!(values.len(), 1, "{values:?}");
    assert!(addrs.iter().any(|addr| values.contains(&format!("`from {addr}` is decided"))), "{values:?}");
}

#[test]
fn one_of_five_processes_that_is_killed_is_not_missed_and_told_when_it_is_back() {
    let addrs = free_addrs(5);
    let mut processes: Vec<_> = addrs.iter().map(|addr| start(addr, &addrs)).collect();
    drop(processes.pop());
    let mut values: BTreeSet<_> = processes.iter_mut().map(decided).collect();
    values.insert(decided(&mut start(&addrs[4], &addrs)));
    assert_eq!(values.len(), 1, "{values:?}");
}

#[test]
fn a_process_whose_address_is_taken_says_what_to_do() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let arguments = ["--listen", &addr, "--peer", "127.0.0.1:7001", "--peer", "127.0.0.1:7002"];
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("cannot listen at {addr}: ")), "{errors}");
    assert!(errors.contains(": give an address of this machine with a port that no other process has"), "{errors}");
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
        (&["--listen", "127.0.0.1:7001", "--peer", "127.0.0.1:0"], "nobody is at `--peer 127.0.0.1:0`"),
        (&["--listen", "127.0.0.1:7001", "--peer", "[::1]:7002", "--peer", "127.0.0.1:7003"], "give all as IPv4"),
        (&["--propose"], "`--propose` wants a value"),
    ] {
        super::tells(PROGRAM, arguments, told);
    }
}
