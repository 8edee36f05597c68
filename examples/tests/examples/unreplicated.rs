//! unreplicated: each request is answered and executed once, over a network that loses, repeats and reorders; and the program as one process and as two.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Process;
use dms::session::{BackgroundMonitor, Endpoint, Transport, TransportError, Udp, event, submit};
use dms::testing::{Faults, Network};
use dms_examples::unreplicated::{Client, MAX_CLIENTS, Message, Request, Server};
use tokio::time::timeout;

const PROGRAM: &str = env!("CARGO_BIN_EXE_unreplicated");
const CLIENTS: u32 = 10;
const OPERATIONS: u64 = 50;

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Run {
    /// The counter right after each operation, as its client was told.
    answers: Vec<u64>,
    executed: u64,
    trace: String,
}

fn run(seed: u64) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let delay = Duration::ZERO..=Duration::from_millis(30);
        let faults = Faults::none().loss(0.2).duplication(0.2).reordering(0.2).delay(delay);
        let network = Network::<Message>::with_trace(seed, faults);
        let mut sessions = BackgroundMonitor::new();
        let spawner = sessions.spawner();

        let mut server = Server::default();
        let place = network.bind(0).unwrap();
        let (events, incoming) = event();
        spawner.spawn("listen", place.listen(events));
        let (done, mut answered) = event();
        for number in 1..=CLIENTS {
            let place = network.bind(number).unwrap();
            let (events, incoming) = event();
            let (handle, operations) = submit();
            spawner.spawn("listen", place.listen(events));
            spawner.spawn("client", Client { id: u64::from(number), server: 0 }.run(place, incoming, operations));
            let operations = async move {
                let mut answers = Vec::new();
                for _ in 0..OPERATIONS {
                    answers.push(handle.submit(1).await.unwrap());
                }
                answers
            };
            spawner.spawn_then("operations", operations, &done, |answers| answers);
        }
        drop(done);
        let mut answers = Vec::new();
        tokio::select! {
            biased;
            () = async { while let Some(of_one) = answered.recv().await { answers.extend(of_one) } } => {}
            ended = server.serve(place, incoming) => panic!("the server ended: {ended:?}"),
            () = tokio::time::sleep(Duration::from_mins(10)) => panic!("a client has given up"),
        }
        sessions.cancel();
        sessions.wait().await.unwrap();
        let counts = network.counts();
        assert!(counts.lost > 100 && counts.duplicated > 100 && counts.reordered > 100, "{counts:?}");
        Run { answers, executed: server.executed(), trace: network.trace().unwrap() }
    })
}

#[test]
fn at_20_percent_loss_duplication_and_reordering_each_request_is_answered_and_executed_once() {
    for seed in 0..20 {
        let run = run(seed);
        let operations = u64::from(CLIENTS) * OPERATIONS;
        assert_eq!(run.answers.len() as u64, operations, "seed {seed}: not all were answered");
        assert_eq!(run.executed, operations, "seed {seed}: not all were executed once");
        // Each adds 1, so each count was answered to one operation.
        let counts: BTreeSet<_> = run.answers.iter().copied().collect();
        assert_eq!(counts, (1..=operations).collect(), "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_run_byte_for_byte() {
    let (first, second) = (run(7), run(7));
    assert!(first.trace.len() > 100_000, "{} bytes", first.trace.len());
    assert!(first == second, "two traces of one seed differ");
    assert_ne!(first.trace, run(8).trace);
}

/// A runtime on paused time, and a session on it with a network that keeps all.
fn on_a_calm_network(session: impl AsyncFnOnce(Network<Message>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(session(Network::new(1, Faults::none())));
}

fn request(client: u64, sequence: u64, add: u64) -> Request {
    Request { client, sequence, add }
}

/// Has the server take these requests, all from address 1, and says what was answered.
async fn answered(server: &mut Server, network: Network<Message>, requests: Vec<Request>) -> Vec<(u64, u64)> {
    let (here, there) = (network.bind(0).unwrap(), network.bind(1).unwrap());
    let (events, incoming) = event();
    for request in requests {
        events.send((1, Message::Request(request))).await.unwrap();
    }
    drop(events);
    server.serve(here, incoming).await.unwrap();
    let (events, mut replies) = event();
    let _ = timeout(Duration::from_secs(1), there.listen(events)).await;
    let mut answers = Vec::new();
    while let Some((_, Message::Reply(reply))) = replies.try_recv() {
        answers.push((reply.client, reply.count));
    }
    answers
}

#[test]
fn an_operation_for_which_the_counter_has_no_room_is_not_executed() {
    on_a_calm_network(async |network| {
        let mut server = Server::default();
        let requests = vec![request(1, 1, u64::MAX), request(2, 1, 1), request(3, 1, 0)];
        assert_eq!(answered(&mut server, network, requests).await, [(1, u64::MAX), (3, u64::MAX)]);
        assert_eq!((server.executed(), server.count()), (2, u64::MAX));
    });
}

#[test]
fn a_server_knows_a_bounded_number_of_clients_and_goes_on_with_those() {
    on_a_calm_network(async |network| {
        let mut server = Server::default();
        let known = MAX_CLIENTS as u64;
        let mut requests: Vec<_> = (0..known + 100).map(|client| request(client, 1, 1)).collect();
        requests.push(request(0, 2, 1));
        let answers = answered(&mut server, network, requests).await;
        assert_eq!(answers.len() as u64, known + 1);
        assert_eq!(answers.last(), Some(&(0, known + 1)));
    });
}

#[tokio::test]
async fn a_reply_that_cannot_be_sent_ends_no_server() {
    let udp = Udp::<Message>::bind("127.0.0.1:0").await.unwrap();
    let there = Udp::<Message>::bind("127.0.0.1:0").await.unwrap();
    // The operating system sends nothing to port 0.
    let nowhere = "127.0.0.1:0".parse().unwrap();
    assert!(udp.send_to(nowhere, request(1, 1, 1)).await.is_err());
    let (events, incoming) = event();
    events.send((nowhere, Message::Request(request(1, 1, 1)))).await.unwrap();
    events.send((there.addr(), Message::Request(request(2, 1, 1)))).await.unwrap();
    let (events, mut source) = event();
    let mut server = Server::default();
    let reply = tokio::select! {
        ended = server.serve(udp, incoming) => panic!("the server has ended: {ended:?}"),
        ended = there.listen(events) => panic!("{ended:?}"),
        reply = source.recv() => reply,
    };
    assert!(matches!(reply, Some((_, Message::Reply(reply))) if reply.client == 2 && reply.count == 2));
}

#[tokio::test]
async fn what_can_be_sent_to_nobody_ends_a_server_and_a_client() {
    let narrow = async || Udp::<Message>::bind("127.0.0.1:0").await.unwrap().with_limit(2);
    let (server, client) = (narrow().await, narrow().await);
    let (events, incoming) = event();
    events.send((client.addr(), Message::Request(request(1, 1, 1)))).await.unwrap();
    let limit = Duration::from_secs(10);
    let addr = server.addr();
    let end = timeout(limit, Server::default().serve(server, incoming)).await.expect("it ends by itself");
    assert!(matches!(end, Err(TransportError::MessageTooLarge { .. })), "{end:?}");

    let (_events, incoming) = event();
    let (handle, operations) = submit::<u64, u64>();
    let session = Client { id: 1, server: addr }.run(client, incoming, operations);
    let (end, answer) = tokio::join!(timeout(limit, session), handle.submit(1));
    assert!(matches!(end, Ok(Err(TransportError::MessageTooLarge { .. }))), "{end:?}");
    answer.unwrap_err();
}

#[test]
fn a_server_and_clients_are_processes() {
    let server = Command::new(PROGRAM).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut server = Process::new(server);
    let mut printed = BufReader::new(server.0.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let addr = line.trim_end().strip_prefix("the server is at ").unwrap();
    for _ in 0..2 {
        let clients = Command::new(PROGRAM).args(["--peer", addr]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&clients.stdout), "10 clients got 1000 answers\n");
        assert!(clients.status.success());
    }
    interrupt(&mut server.0);
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    let status = server.0.wait().unwrap();
    if cfg!(unix) {
        assert_eq!(rest, "the server has executed 2000 operations, and counts 11000\n");
        assert!(status.success());
    }
}

#[cfg(unix)]
fn interrupt(process: &mut std::process::Child) {
    assert!(Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap().success());
}

#[cfg(not(unix))]
fn interrupt(process: &mut std::process::Child) {
    process.kill().unwrap();
}

#[test]
fn clients_without_a_server_say_so_and_go_on() {
    // The server begins when the clients have complained.
    let addr = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let clients = Command::new(PROGRAM).args(["--peer", &addr]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut clients = Process::new(clients.unwrap());
    let mut complaint = String::new();
    BufReader::new(clients.0.stderr.take().unwrap()).read_line(&mut complaint).unwrap();
    assert!(complaint.contains(&format!("is a server there, run with `--listen {addr}`?")), "{complaint}");
    let _server = Process::new(Command::new(PROGRAM).args(["--listen", &addr]).stdout(Stdio::null()).spawn().unwrap());
    let mut printed = String::new();
    clients.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "10 clients got 1000 answers\n");
}

#[test]
fn wrong_arguments_are_told() {
    for (arguments, told) in [
        (&["--peers"][..], "unknown argument `--peers`: there are --listen ADDR, --peer ADDR"),
        (&["--peer"], "`--peer` wants an address"),
        (&["--peer", "localhost"], "`localhost` is no address"),
        (&["--peer", "127.0.0.1:1", "--peer", "127.0.0.1:2"], "there is one server"),
        (&["--listen", "127.0.0.1:1", "--peer", "127.0.0.1:2"], "give one of them"),
        (&["--peer", "127.0.0.1:0"], "nobody is at `--peer 127.0.0.1:0`"),
    ] {
        super::tells(PROGRAM, arguments, told);
    }
}
