//! A message over `Udp` beside the same over a socket of Tokio's with the same codec, both on the loopback interface:
//! `cargo bench -p dms --features udp --bench udp`.
//!
//! Both run by turns in one process, each on a current-thread runtime, with its loops as tasks; what is printed are medians of the time for one message, and that of the ratios of the rounds, which holds
//! where the machine is now slower and now quicker. *throughput* sends 32 messages and takes them; *latency* is a message and its echo.

#![expect(clippy::disallowed_methods, reason = "tasks end with their set, and that with the benchmark")]

use std::future::Future;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use dms::session::{DatagramCodec, Endpoint, EventSource, Transport, Udp, event};
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Message {
    Prepare { ballot: u64, from: u32 },
    Text(String),
}

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
/// As many as a socket's buffer has room for.
const BURST: u32 = 32;

/// What a program without dms has.
struct Raw {
    socket: UdpSocket,
    codec: DatagramCodec,
    buffer: Vec<u8>,
}

impl Raw {
    async fn bind(codec: DatagramCodec) -> Self {
        let socket = UdpSocket::bind(LOOPBACK).await.expect("a socket");
        Self { socket, codec, buffer: vec![0; 65_536] }
    }

    fn addr(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    async fn send(&self, to: SocketAddr, message: &Message) {
        let bytes = match self.codec {
            DatagramCodec::Postcard => postcard::to_stdvec(message).expect("postcard"),
            _ => rmp_serde::to_vec_named(message).expect("MessagePack"),
        };
        self.socket.send_to(&bytes, to).await.expect("it is sent");
    }

    async fn receive(&mut self) -> (SocketAddr, Message) {
        let (length, from) = self.socket.recv_from(&mut self.buffer).await.expect("it arrives");
        let bytes = &self.buffer[..length];
        let message = match self.codec {
            DatagramCodec::Postcard => postcard::from_bytes(bytes).expect("postcard"),
            _ => rmp_serde::from_slice(bytes).expect("MessagePack"),
        };
        (from, message)
    }
}

async fn raw_throughput(codec: DatagramCodec, message: Message, bursts: u32) -> Duration {
    let (here, mut there) = (Raw::bind(codec).await, Raw::bind(codec).await);
    let to = there.addr();
    let begun = Instant::now();
    for _ in 0..bursts {
        for _ in 0..BURST {
            here.send(to, &message.clone()).await;
        }
        for _ in 0..BURST {
            black_box(there.receive().await);
        }
    }
    begun.elapsed() / (bursts * BURST)
}

async fn raw_latency(codec: DatagramCodec, message: Message, count: u32) -> Duration {
    let (mut here, mut there) = (Raw::bind(codec).await, Raw::bind(codec).await);
    let to = there.addr();
    let mut echo = JoinSet::new();
    echo.spawn(async move {
        loop {
            let (from, message) = there.receive().await;
            there.send(from, &message).await;
        }
    });
    let begun = Instant::now();
    for _ in 0..count {
        here.send(to, &message.clone()).await;
        black_box(here.receive().await);
    }
    begun.elapsed() / (2 * count)
}

async fn bind(codec: DatagramCodec) -> Udp<Message> {
    Udp::bind(LOOPBACK).await.expect("a socket").with_codec(codec)
}

/// Where the messages that come to `place` come out, while `tasks` is there.
fn listen(place: &Udp<Message>, tasks: &mut JoinSet<()>) -> EventSource<(SocketAddr, Message)> {
    let (events, source) = event();
    let listening = place.listen(events);
    tasks.spawn(async { listening.await.expect("it listens") });
    source
}

async fn udp_throughput(codec: DatagramCodec, message: Message, bursts: u32) -> Duration {
    let (here, there) = (bind(codec).await, bind(codec).await);
    let mut tasks = JoinSet::new();
    let mut source = listen(&there, &mut tasks);
    let begun = Instant::now();
    for _ in 0..bursts {
        for _ in 0..BURST {
            here.send_to(there.addr(), message.clone()).await.expect("it is sent");
        }
        for _ in 0..BURST {
            black_box(source.recv().await);
        }
    }
    begun.elapsed() / (bursts * BURST)
}

async fn udp_latency(codec: DatagramCodec, message: Message, count: u32) -> Duration {
    let (here, there) = (bind(codec).await, bind(codec).await);
    let mut tasks = JoinSet::new();
    let (mut source, mut echoes) = (listen(&here, &mut tasks), listen(&there, &mut tasks));
    let to = there.addr();
    tasks.spawn(async move {
        while let Some((from, message)) = echoes.recv().await {
            there.send_to(from, message).await.expect("it is sent");
        }
    });
    let begun = Instant::now();
    for _ in 0..count {
        here.send_to(to, message.clone()).await.expect("it is sent");
        black_box(source.recv().await);
    }
    begun.elapsed() / (2 * count)
}

/// Runs it as a task, as programs do.
fn on_a_runtime(body: impl Future<Output = Duration> + Send + 'static) -> Duration {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        tasks.spawn(body);
        tasks.join_next().await.expect("there is one").expect("it does not panic")
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn compare(name: &str, rounds: usize, raw: impl Fn() -> Duration, udp: impl Fn() -> Duration) {
    let (mut of_raw, mut of_udp) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            of_raw.push(raw());
            of_udp.push(udp());
        } else {
            of_udp.push(udp());
            of_raw.push(raw());
        }
    }
    let mut ratios: Vec<_> =
        of_raw.iter().zip(&of_udp).map(|(raw, udp)| udp.as_secs_f64() / raw.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let (raw, udp, ratio) = (median(of_raw), median(of_udp), ratios[rounds / 2]);
    println!("{name:<40} UdpSocket {raw:>10.2?}   Udp {udp:>10.2?}   {ratio:.3} x");
}

fn main() {
    // `cargo test` runs each once, to see that it works.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (rounds, bursts) = if is_measured { (201, 20) } else { (1, 1) };
    let messages = [("small", Message::Prepare { ballot: 7, from: 3 }), ("1 KiB", Message::Text("x".repeat(1_024)))];
    for codec in [DatagramCodec::MessagePack, DatagramCodec::Postcard] {
        for (size, message) in &messages {
            compare(
                &format!("throughput, {codec:?}, {size}"),
                rounds,
                || on_a_runtime(raw_throughput(codec, message.clone(), bursts)),
                || on_a_runtime(udp_throughput(codec, message.clone(), bursts)),
            );
            compare(
                &format!("latency, {codec:?}, {size}"),
                rounds,
                || on_a_runtime(raw_latency(codec, message.clone(), bursts * 8)),
                || on_a_runtime(udp_latency(codec, message.clone(), bursts * 8)),
            );
        }
    }
}
