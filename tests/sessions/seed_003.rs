//! Seed 003: its names, and its example of sessions that share a transport.

use dms::prelude::*;
use dms::session::{
    BackgroundMonitor, BackgroundSpawner, Endpoint, EventSource, Memory, MemoryNetwork, Transport, TransportError, Udp,
    event,
};
use dms_tests::Flavor;
use serde::{Deserialize, Serialize};

/// Each name of the seed, or what it is called here.
#[test]
fn every_name_of_the_seed_is_there() {
    // `src/model.rs`: channel types, and the transportation.
    use dms::session::{
        EventSender, Promise, SubmitHandle, SubmitSource, SubscribeHandle, SubscribeSource, promise, submit, subscribe,
    };
    // `src/crypto.rs`: wire and in-memory format, signing and verifying.
    use dms::session::{Signed, Signer, Verified, Verifier};

    fn is_transport<M, T: Transport<M>>() {}
    fn is_given_away<T: Clone + Send + Sync + 'static>() {}
    fn is_there<T>() {}

    // `UdpTransport<N>` implements `Transport<M>` whenever `M: Into<N>`, and so does what is in its place in a test.
    is_transport::<BMessage, Udp<AMessage>>();
    is_transport::<CMessage, Udp<AMessage>>();
    is_transport::<BMessage, Memory<AMessage>>();
    is_transport::<CMessage, Memory<AMessage>>();
    is_given_away::<BackgroundSpawner>();
    is_given_away::<EventSender<u64>>();
    is_there::<(EventSource<u64>, ReplyTo<u64>, Promise<u64>)>();
    is_there::<(SubmitHandle<u64, u64>, SubmitSource<u64, u64>)>();
    is_there::<(SubscribeHandle<u64, u64>, SubscribeSource<u64, u64>)>();
    is_there::<(Signer, Signed<u64>, Verifier, Verified<u64>)>();
    let _made: (ReplyTo<u64>, Promise<u64>) = promise();
    let _made: (SubmitHandle<u64, u64>, SubmitSource<u64, u64>) = submit();
    let _made: (SubscribeHandle<u64, u64>, SubscribeSource<u64, u64>) = subscribe();
    is_there::<Session>();
}

/// A session that is a module: it drives its own loop.
#[module]
struct Session;

#[module]
impl Session {
    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        let spawner: BackgroundSpawner = ctx.background();
        spawner.spawn("nothing", async {});
        while inbox.recv().await.is_some() {}
    }
}

/// The on-wire message format of session A, which keeps sessions B and C.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum AMessage {
    B(BMessage),
    C(CMessage),
    // other variants that produced by A itself
    Done,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BMessage(u64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CMessage(u64);

impl From<BMessage> for AMessage {
    fn from(message: BMessage) -> Self {
        Self::B(message)
    }
}

impl From<CMessage> for AMessage {
    fn from(message: CMessage) -> Self {
        Self::C(message)
    }
}

/// Agnostic to what else travels: says each number that it hears, and one more, up to ten.
async fn session_b<T: Transport<BMessage>>(
    transport: T,
    mut events: EventSource<(T::Addr, BMessage)>,
) -> Result<(), TransportError> {
    while let Some((peer, BMessage(number))) = events.recv().await {
        if number < 10 {
            transport.send_to(peer, BMessage(number + 1)).await?;
        }
    }
    Ok(())
}

/// The same, in steps of three.
async fn session_c<T: Transport<CMessage>>(
    transport: T,
    mut events: EventSource<(T::Addr, CMessage)>,
) -> Result<(), TransportError> {
    while let Some((peer, CMessage(number))) = events.recv().await {
        if number < 30 {
            transport.send_to(peer, CMessage(number + 3)).await?;
        }
    }
    Ok(())
}

/// Relays what comes to its sub-sessions, and says what came. It ends when its peer is done and so is it.
async fn session_a<T>(transport: T, peer: T::Addr, begins: bool) -> Vec<AMessage>
where
    T: Endpoint<Message = AMessage> + Transport<AMessage> + Transport<BMessage> + Transport<CMessage>,
{
    let mut monitor = BackgroundMonitor::new();
    let spawner = monitor.spawner();
    let (sender, mut events) = event();
    let (b_sender, b_events) = event();
    let (c_sender, c_events) = event();
    spawner.spawn("listen", transport.listen(sender));
    spawner.spawn("session B", session_b(transport.clone(), b_events));
    spawner.spawn("session C", session_c(transport.clone(), c_events));
    if begins {
        transport.send_to(peer.clone(), BMessage(0)).await.unwrap();
        transport.send_to(peer.clone(), CMessage(0)).await.unwrap();
    }
    let (mut heard, mut last) = (Vec::new(), 0);
    while last < 3 {
        let (from, message) = tokio::select! {
            failed = monitor.wait() => panic!("{failed:?}"),
            event = events.recv() => event.unwrap(),
        };
        heard.push(message.clone());
        match message {
            AMessage::B(message) => {
                last += u32::from(message.0 >= 9);
                b_sender.send((from, message)).await.unwrap();
            }
            AMessage::C(message) => {
                last += u32::from(message.0 >= 27);
                c_sender.send((from, message)).await.unwrap();
            }
            AMessage::Done => last += 1,
        }
        if last == 2 {
            // What its sessions still have to say is said before.
            dms_tests::settle().await;
            transport.send_to(peer.clone(), AMessage::Done).await.unwrap();
        }
    }
    monitor.cancel();
    monitor.wait().await.unwrap();
    heard
}

fn is_what_was_said(heard: &[AMessage], begin: u64) {
    let b: Vec<_> =
        heard.iter().filter_map(|message| if let AMessage::B(b) = message { Some(b.0) } else { None }).collect();
    let c: Vec<_> =
        heard.iter().filter_map(|message| if let AMessage::C(c) = message { Some(c.0) } else { None }).collect();
    assert_eq!(b, (begin..=10).step_by(2).collect::<Vec<_>>());
    assert_eq!(c, (begin * 3..=30).step_by(6).collect::<Vec<_>>());
}

#[test]
fn sub_sessions_share_the_transport_of_their_session_in_memory() {
    Flavor::CurrentThread.run(|| async {
        let network = MemoryNetwork::new();
        let (one, other) = (network.bind(1).unwrap(), network.bind(2).unwrap());
        let (one, other) = tokio::join!(session_a(one, 2, true), session_a(other, 1, false));
        is_what_was_said(&one, 1);
        is_what_was_said(&other, 0);
    });
}

#[test]
fn sub_sessions_share_the_transport_of_their_session_over_udp() {
    Flavor::CurrentThread.run(|| async {
        let one = Udp::bind("127.0.0.1:0").await.unwrap();
        let other = Udp::bind("127.0.0.1:0").await.unwrap();
        let (one_addr, other_addr) = (one.addr(), other.addr());
        let (one, other) = tokio::join!(session_a(one, other_addr, true), session_a(other, one_addr, false));
        is_what_was_said(&one, 1);
        is_what_was_said(&other, 0);
    });
}
