//! Five replicas agree on one of the values that they propose: single-decree Paxos.
//!
//! ```sh
//! cargo run -p dms-examples --bin paxos
//! ```
//!
//! It prints
//!
//! ```text
//! replica 1 of 5 proposes `value of replica 1`
//! replica 2 of 5 proposes `value of replica 2`
//! replica 3 of 5 proposes `value of replica 3`
//! replica 4 of 5 proposes `value of replica 4`
//! replica 5 of 5 proposes `value of replica 5`
//! all have decided on `value of replica …`
//! ```
//!
//! As one process each, here of three replicas. A replica says what was decided when it knows, and goes on to answer others until Ctrl-C. `--propose VALUE` says what it proposes.
//!
//! ```sh
//! cargo run -p dms-examples --bin paxos -- --listen 127.0.0.1:7001 --peer 127.0.0.1:7002 --peer 127.0.0.1:7003
//! cargo run -p dms-examples --bin paxos -- --listen 127.0.0.1:7002 --peer 127.0.0.1:7001 --peer 127.0.0.1:7003
//! cargo run -p dms-examples --bin paxos -- --listen 127.0.0.1:7003 --peer 127.0.0.1:7001 --peer 127.0.0.1:7002
//! ```
//!
//! What a replica promised is in its memory: where one has ended, begin it again only when the others know what is decided; they tell it. The protocol is in `examples/src/paxos/`. The exit code is 0; 1 where
//! something fails, 2 for wrong arguments.

use std::collections::BTreeSet;
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use dms::session::{BackgroundMonitor, BackgroundSpawner, Endpoint, EventSender, Udp, event_within};
use dms_examples::paxos::{Message, Promises, Replica, Value};
use dms_examples::places::{Places, WrongArgument, cannot_listen};

type Failure = Box<dyn Error + Send + Sync>;

/// How many there are in one process.
const REPLICAS: u32 = 5;
/// How many messages may wait; the system drops what is too much.
const WAITING: usize = 1_000;

#[tokio::main]
async fn main() -> ExitCode {
    let end = match role() {
        Ok(Role::All) => all().await,
        Ok(Role::One { listen, peers, value }) => one(listen, peers, value).await,
        Err(error) => {
            eprintln!("paxos: {error}\nusage: paxos [--listen ADDR --peer ADDR --peer ADDR... [--propose VALUE]]");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = end {
        eprintln!("paxos: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

enum Role {
    All,
    One { listen: SocketAddr, peers: Vec<SocketAddr>, value: Option<Value> },
}

fn role() -> Result<Role, WrongArgument> {
    let places = Places::read(std::env::args().skip(1), &["--propose"])?;
    let value = places.rest.last().cloned();
    match (places.listen, places.peers) {
        (None, peers) if peers.is_empty() && value.is_none() => Ok(Role::All),
        (None, _) => {
            Err(WrongArgument("a process that is one replica has an address: give `--listen ADDR` too".to_owned()))
        }
        (Some(_), peers) if peers.len() < 2 => {
            let count = peers.len();
            Err(WrongArgument(format!(
                "there are at least three replicas: give each other one as `--peer ADDR`, here are {count}"
            )))
        }
        (Some(listen), _) if listen.port() == 0 || listen.ip().is_unspecified() => Err(WrongArgument(format!(
            "`--listen {listen}` is not where the others find it: give the address that they have as `--peer`"
        ))),
        (Some(listen), peers) if peers.contains(&listen) => {
            Err(WrongArgument(format!("`--peer {listen}` is this process itself: give the others")))
        }
        (Some(listen), peers) if peers.iter().any(|peer| peer.is_ipv4() != listen.is_ipv4()) => {
            Err(WrongArgument(format!("not all peers reach `--listen {listen}`: give all as IPv4, or all as IPv6")))
        }
        (Some(listen), peers) => Ok(Role::One { listen, peers, value }),
    }
}

/// All replicas in this process, each at an address of its own.
async fn all() -> Result<(), Failure> {
    let sessions = BackgroundMonitor::new();
    let mut places = Vec::new();
    for _ in 0..REPLICAS {
        places.push(bind("127.0.0.1:0".parse()?).await?);
    }
    let addrs: Vec<_> = places.iter().map(Endpoint::addr).collect();
    let mut decided = Vec::new();
    for (id, udp) in (1..).zip(places) {
        let (sender, source) = event_within(WAITING);
        start(&sessions.spawner(), id, None, udp, &addrs, sender);
        decided.push(source);
    }
    let mut values = BTreeSet::new();
    for source in &mut decided {
        tokio::select! {
            biased;
            error = sessions.failed() => return Err(error.into()),
            value = source.recv() => drop(values.insert(value.ok_or("a replica is gone")?)),
        }
    }
    match &values.into_iter().collect::<Vec<_>>()[..] {
        [value] => println!("all have decided on `{value}`"),
        values => return Err(format!("they disagree: {values:?}").into()),
    }
    Ok(())
}

/// One replica, until Ctrl-C.
async fn one(listen: SocketAddr, mut addrs: Vec<SocketAddr>, value: Option<Value>) -> Result<(), Failure> {
    let sessions = BackgroundMonitor::new();
    let udp = bind(listen).await?;
    addrs.push(listen);
    // All count in the same order.
    addrs.sort_unstable();
    let id = (1..).zip(&addrs).find(|(_, addr)| **addr == listen).map_or(0, |(id, _)| id);
    let (sender, mut decided) = event_within(WAITING);
    start(&sessions.spawner(), id, value, udp, &addrs, sender);
    let mut known = None;
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            error = sessions.failed() => return Err(error.into()),
            value = decided.recv() => {
                let value = value.ok_or("the replica is gone")?;
                if known.is_none() {
                    println!("replica {id} of {} knows that `{value}` is decided", addrs.len());
                }
                known = Some(value);
            }
        }
    }
}

fn start(
    spawner: &BackgroundSpawner,
    id: u32,
    value: Option<Value>,
    udp: Udp<Message>,
    addrs: &[SocketAddr],
    decided: EventSender<Value>,
) {
    let value = value.unwrap_or_else(|| format!("value of replica {id}"));
    println!("replica {id} of {} proposes `{value}`", addrs.len());
    let (events, incoming) = event_within(WAITING);
    let (rules, round, seed) = (Promises::default(), Arc::default(), RandomState::new().hash_one(id));
    let replica = Replica { id, value, rules, round, seed };
    spawner.spawn(format!("listen for replica {id}"), udp.listen(events));
    spawner.spawn(format!("replica {id}"), replica.run(udp, addrs.to_vec(), incoming, decided));
}

async fn bind(addr: SocketAddr) -> Result<Udp<Message>, Failure> {
    Udp::bind(addr).await.map_err(|error| cannot_listen(addr, error).into())
}
