//! One server, ten clients that ask again until they are answered: each operation is executed once, though datagrams may be lost.
//!
//! ```sh
//! cargo run -p dms-examples --bin unreplicated
//! ```
//!
//! It prints
//!
//! ```text
//! the server is at 127.0.0.1:…
//! 10 clients got 1000 answers
//! the server has executed 1000 operations, and counts 5500
//! ```
//!
//! As several processes: a server, and ten clients each time the second is run.
//!
//! ```sh
//! cargo run -p dms-examples --bin unreplicated -- --listen 127.0.0.1:7000
//! cargo run -p dms-examples --bin unreplicated -- --peer 127.0.0.1:7000
//! ```
//!
//! The server runs until Ctrl-C. The protocol is in `examples/src/unreplicated/`. The exit code is 0; 1 where something fails, 2 for wrong arguments.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use dms::session::{BackgroundMonitor, Endpoint, Udp, event, event_within, submit};
use dms_examples::places::{Places, WrongArgument, cannot_listen};
use dms_examples::unreplicated::{Client, Message, Server};
use tokio::time::sleep;

type Failure = Box<dyn Error + Send + Sync>;

const CLIENTS: u64 = 10;
/// How many operations each of them has executed; the n-th client adds n each time.
const OPERATIONS: u64 = 100;
/// How many messages may wait; the system drops what is too much.
const WAITING: usize = 1_000;
/// After how long without an end the user hears that the clients go on to ask.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    let end = match role() {
        Ok(Role::Both) => serve(SocketAddr::from(([127, 0, 0, 1], 0)), ask).await,
        Ok(Role::Server(addr)) => serve(addr, async |_| Ok(tokio::signal::ctrl_c().await?)).await,
        Ok(Role::Clients(server)) => ask(server).await,
        Err(error) => {
            eprintln!("unreplicated: {error}\nusage: unreplicated [--listen ADDR | --peer ADDR]");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = end {
        eprintln!("unreplicated: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

enum Role {
    Both,
    Server(SocketAddr),
    Clients(SocketAddr),
}

fn role() -> Result<Role, WrongArgument> {
    let places = Places::read(std::env::args().skip(1), &[])?;
    match (places.listen, &places.peers[..]) {
        (None, []) => Ok(Role::Both),
        (Some(addr), []) => Ok(Role::Server(addr)),
        (None, [server]) => Ok(Role::Clients(*server)),
        (None, _) => Err(WrongArgument("there is one server: give one `--peer`".to_owned())),
        (Some(_), _) => Err(WrongArgument(
            "a process is the server, with `--listen`, or has the clients, with `--peer`: give one of them".to_owned(),
        )),
    }
}

/// The server, until `until` has ended, which gets its address.
async fn serve(addr: SocketAddr, until: impl AsyncFnOnce(SocketAddr) -> Result<(), Failure>) -> Result<(), Failure> {
    let udp = bind(addr).await?;
    let addr = udp.addr();
    println!("the server is at {addr}");
    let sessions = BackgroundMonitor::new();
    let (events, incoming) = event_within(WAITING);
    sessions.spawner().spawn("listen", udp.listen(events));
    let mut server = Server::default();
    tokio::select! {
        ended = until(addr) => ended?,
        ended = server.serve(udp, incoming) => ended?,
        error = sessions.failed() => return Err(error.into()),
    }
    println!("the server has executed {} operations, and counts {}", server.executed(), server.count());
    Ok(())
}

/// The clients, until each of their operations is answered.
async fn ask(server: SocketAddr) -> Result<(), Failure> {
    let sessions = BackgroundMonitor::new();
    let (done, mut answered) = event();
    // On the way to the server, from an address of its kind.
    let ours: SocketAddr = if server.is_ipv4() { "0.0.0.0:0".parse()? } else { "[::]:0".parse()? };
    for number in 1..=CLIENTS {
        let udp = bind(ours).await?;
        let (events, incoming) = event_within(WAITING);
        let (handle, operations) = submit();
        // Another name each time, so that the server takes nobody for an earlier client.
        let client = Client { id: RandomState::new().hash_one(number), server };
        let spawner = sessions.spawner();
        spawner.spawn(format!("listen for client {number}"), udp.listen(events));
        spawner.spawn(format!("client {number}"), client.run(udp, incoming, operations));
        let operations = async move {
            for _ in 0..OPERATIONS {
                handle.submit(number).await?;
            }
            Ok::<_, Failure>(OPERATIONS)
        };
        spawner.spawn_then(format!("operations of client {number}"), operations, &done, |answers| answers);
    }
    let mut answers = 0;
    let patience = sleep(PATIENCE);
    tokio::pin!(patience);
    let mut ended = 0;
    while ended < CLIENTS {
        tokio::select! {
            // What happened is told before what follows from it. That all have ended is no failure.
            biased;
            error = sessions.failed() => return Err(error.into()),
            client = answered.recv() => {
                answers += client.ok_or("a client is gone")??;
                ended += 1;
            }
            () = &mut patience, if !patience.is_elapsed() => {
                eprintln!("unreplicated: not all is answered yet by {server}, the clients go on: is a server there, run with `--listen {server}`?");
            }
        }
    }
    println!("{CLIENTS} clients got {answers} answers");
    Ok(())
}

async fn bind(addr: SocketAddr) -> Result<Udp<Message>, Failure> {
    Udp::bind(addr).await.map_err(|error| cannot_listen(addr, error).into())
}
