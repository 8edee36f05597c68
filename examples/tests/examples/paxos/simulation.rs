//! Five replicas in a world where all goes wrong that may, at the worst moments, as a seed has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dms::session::{BackgroundMonitor, Endpoint, EventSender, EventSource, event};
use dms::testing::{Faults, Network};
use dms_examples::paxos::{Acceptor, Ballot, Message, Replica, ToAcceptor, ToProposer, Value};
use tokio::time::sleep;

use super::flaw::{AcceptorFlaw, Hearing, ProposerFlaw, Rules};
use super::history::{History, MAJORITY};

pub(super) const REPLICAS: u32 = 5;
/// How many values are decided on in a run, one after the other. Where one was accepted everywhere nothing is left that could go wrong.
const DECREES: u32 = 2;
/// Of how many scenes each of these storms is.
const SCENES: u32 = 8;
/// An acceptor has two addresses: so much higher is the second one, of which nobody was told.
const SECOND_ADDRESS: u32 = 10;

/// `SplitMix64`, for what is drawn beside the network's faults.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn probability(&mut self, percent: u64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "it is below 100")]
        let drawn = self.below(percent + 1) as f64;
        drawn / 100.0
    }

    /// Often few of them, so that something comes about that can go wrong.
    fn faults(&mut self) -> Faults {
        let most = if self.one_in(3) { 40 } else { 10 };
        let (loss, duplication, reordering) = (self.probability(most), self.probability(40), self.probability(40));
        let delay = Duration::ZERO..=Duration::from_millis(self.below(20));
        Faults::none().loss(loss).duplication(duplication).reordering(reordering).delay(delay)
    }

    /// All replicas in any order after this one.
    fn shuffled(&mut self, first: u32) -> Vec<u32> {
        let mut ids: Vec<u32> = [first].into_iter().chain((1..=REPLICAS).filter(|id| *id != first)).collect();
        for last in (2..ids.len()).rev() {
            ids.swap(last, 1 + usize::try_from(self.below(last as u64)).expect("it is below"));
        }
        ids
    }
}

/// What a run came to.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    pub(super) decrees: Vec<Decree>,
    pub(super) trace_hash: u64,
}

/// What it came to once.
#[derive(Debug, PartialEq)]
pub(super) struct Decree {
    /// All that any replica ever took for decided.
    pub(super) decided: BTreeSet<Value>,
    /// All that a majority of acceptors accepted under one ballot, whether or not anybody noticed.
    pub(super) chosen: BTreeSet<Value>,
    /// What was proposed and must not have been.
    pub(super) unsound: BTreeSet<(Ballot, Value)>,
    /// Which replicas know in the end.
    pub(super) informed: BTreeSet<u32>,
    /// Which acceptors broke a rule.
    pub(super) breaches: BTreeSet<u32>,
}

impl Decree {
    /// Whether two values were decided on, or one that no majority has accepted.
    pub(super) fn is_wrong(&self) -> bool {
        self.chosen.len() > 1 || !self.decided.is_subset(&self.chosen)
    }

    /// Whether anybody broke a rule, be it without harm.
    pub(super) fn is_against_the_rules(&self) -> bool {
        self.is_wrong() || !self.breaches.is_empty() || !self.unsound.is_empty()
    }
}

/// Whom bad luck follows: whenever it can be, this replica is the one that two majorities have in common.
fn hinge(seed: u64) -> u32 {
    1 + u32::try_from(seed % u64::from(REPLICAS)).expect("it is below")
}

/// Who is wrong in a run: so many acceptors, the hinge among them; or a proposer, which is not the hinge.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wrong {
    Nobody,
    Acceptors(u32, AcceptorFlaw),
    Proposer(ProposerFlaw),
}

impl Wrong {
    fn acceptor(self, id: u32, hinge: u32) -> Option<AcceptorFlaw> {
        match self {
            Self::Acceptors(count, flaw) if (id + REPLICAS - hinge) % REPLICAS < count => Some(flaw),
            _ => None,
        }
    }

    fn proposer(self, id: u32, hinge: u32) -> Option<ProposerFlaw> {
        match self {
            Self::Proposer(flaw) if (id + REPLICAS - hinge) % REPLICAS == 1 => Some(flaw),
            _ => None,
        }
    }
}

/// A bad moment for something to go wrong.
enum Moment {
    /// This acceptor has answered.
    Answered(u32),
    /// This proposer has heard a majority promise, and proposes now.
    Proposes(u32),
    /// These are a majority who have accepted the same, since now.
    Chosen(Vec<u32>),
}

/// An acceptor whose answers are noted.
struct Watched {
    id: u32,
    disk: Arc<Mutex<Rules>>,
    history: Arc<Mutex<History>>,
    moments: EventSender<Moment>,
}

impl Acceptor for Watched {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        let answer = self.disk.answer(asked.clone());
        let majority = self.history.lock().unwrap().note(self.id, asked, &answer);
        let _ = self.moments.try_send(majority.map_or(Moment::Answered(self.id), Moment::Chosen));
        answer
    }
}

/// A replica's place, and what outlives its crashes.
struct Place {
    id: u32,
    disk: Arc<Mutex<Rules>>,
    round: Arc<AtomicU64>,
    flaw: Option<ProposerFlaw>,
    lives: Option<BackgroundMonitor>,
    /// To it, past the network.
    heard: Option<EventSender<(u32, Message)>>,
    /// What it took for decided, in each of its lives.
    told: Vec<EventSource<Value>>,
}

impl Place {
    /// Whether it knows in its last life what is decided.
    fn is_informed(&self) -> bool {
        self.told.last().is_some_and(|told| !told.is_empty())
    }
}

struct World {
    /// The one that bad luck follows.
    hinge: u32,
    network: Network<Message>,
    places: Vec<Place>,
    random: Random,
    history: Arc<Mutex<History>>,
    /// What acceptors were asked to accept, and by whom, for it to come late, or once more.
    late: Arc<Mutex<Vec<(u32, Message)>>>,
    moments: (EventSender<Moment>, EventSource<Moment>),
    /// Whose turn it is, a bit for each: what others ask acceptors to promise is lost, or all would be in each other's way.
    favoured: Arc<AtomicU32>,
    /// Whose proposal has reached few.
    lonely: Option<u32>,
    /// Until it is over nobody hears what is decided, so that all go on to propose.
    storm: Arc<AtomicBool>,
}

impl World {
    fn new(network: Network<Message>, random: Random, wrong: Wrong, hinge: u32) -> Self {
        let place = |id| Place {
            id,
            disk: Arc::new(Mutex::new(Rules::new(wrong.acceptor(id, hinge)))),
            round: Arc::default(),
            flaw: wrong.proposer(id, hinge),
            lives: None,
            heard: None,
            told: Vec::new(),
        };
        let places = (1..=REPLICAS).map(place).collect();
        Self {
            hinge,
            network,
            places,
            random,
            history: Arc::default(),
            late: Arc::default(),
            moments: event(),
            favoured: Arc::default(),
            lonely: None,
            storm: Arc::new(AtomicBool::new(true)),
        }
    }

    fn start(&mut self, id: u32) {
        let place = &mut self.places[id as usize - 1];
        if place.lives.is_some() {
            return;
        }
        let seed = self.random.below(u64::MAX);
        let memory = self.network.bind(id).expect("it is free after a crash");
        let monitor = BackgroundMonitor::new();
        let (events, mut arrived) = event();
        let (heard, incoming) = event();
        let (decided, told) = event();
        place.disk.lock().unwrap().begin_again();
        let replica = Replica {
            id,
            value: format!("value {id}"),
            rules: Watched {
                id,
                disk: Arc::clone(&place.disk),
                history: Arc::clone(&self.history),
                moments: self.moments.0.clone(),
            },
            round: Arc::clone(&place.round),
            seed,
        };
        let mut hearing = place.flaw.map(Hearing::new);
        let mut random = Random(seed);
        let storm = Arc::clone(&self.storm);
        let late = Arc::clone(&self.late);
        let favoured = Arc::clone(&self.favoured);
        let is_hinge = id == self.hinge;
        let moments = self.moments.0.clone();
        let mut promised: BTreeMap<Ballot, BTreeSet<u32>> = BTreeMap::new();
        place.heard = Some(heard.clone());
        monitor.spawner().spawn("listen", memory.listen(events));
        monitor.spawner().spawn("hear", async move {
            while let Some((from, message)) = arrived.recv().await {
                let is_lost = match message {
                    Message::Decided(_) => true,
                    Message::ToAcceptor(ToAcceptor::Prepare(_)) => {
                        favoured.load(Ordering::Relaxed) >> from & 1 == 0 || is_hinge && random.one_in(3)
                    }
                    _ => false,
                };
                if is_lost && storm.load(Ordering::Relaxed) {
                    continue;
                }
                if matches!(message, Message::ToAcceptor(ToAcceptor::Accept(..))) {
                    late.lock().unwrap().push((from, message.clone()));
                }
                if let Message::ToProposer(ToProposer::Promised(ballot, _)) = message {
                    let promised = promised.entry(ballot).or_default();
                    if promised.insert(from) && promised.len() == MAJORITY {
                        let _ = moments.try_send(Moment::Proposes(id));
                    }
                }
                let mut copies = vec![(from, message.clone())];
                if matches!(message, Message::ToProposer(_)) && random.one_in(2) {
                    copies.push((from + SECOND_ADDRESS, message));
                }
                for (from, message) in copies {
                    let taken = match &mut hearing {
                        None => vec![(from, message)],
                        Some(hearing) => hearing.hear(from, message),
                    };
                    for message in taken {
                        let _ = heard.try_send(message);
                    }
                }
            }
        });
        monitor.spawner().spawn("replica", replica.run(memory, (1..=REPLICAS).collect(), incoming, decided));
        place.lives = Some(monitor);
        place.told.push(told);
    }

    async fn crash(&mut self, id: u32) {
        let place = &mut self.places[id as usize - 1];
        place.heard = None;
        if let Some(mut monitor) = place.lives.take() {
            monitor.cancel();
            monitor.wait().await.expect("no replica fails");
        }
    }

    async fn restart(&mut self, id: u32) {
        self.crash(id).await;
        self.start(id);
    }

    /// Has these propose at once, and no others.
    async fn favour(&mut self, ids: &[u32]) {
        self.favoured.store(ids.iter().map(|id| 1 << id).sum(), Ordering::Relaxed);
        for id in ids {
            self.restart(*id).await;
        }
    }

    /// Some of what all acceptors were asked to accept comes to this one, late or once more.
    async fn repeat(&mut self, id: u32) {
        let Some(heard) = &self.places[id as usize - 1].heard else { return };
        let late = self.late.lock().unwrap().clone();
        for _ in 0..late.len().min(6) {
            let which = self.random.below(late.len() as u64);
            let _ = heard.send(late[usize::try_from(which).expect("it is below")].clone()).await;
        }
    }

    /// Who can reach whom now, and who proposes.
    async fn scene(&mut self) {
        let hinge = self.hinge;
        let ids = self.random.shuffled(hinge);
        if let Some(lonely) = self.lonely.take() {
            // Somebody else comes to a majority without it, and without the hinge.
            let (few, many): (Vec<u32>, Vec<u32>) = ids.iter().partition(|id| [lonely, hinge].contains(id));
            self.network.partition([&few[..], &many[..]]);
            (1..=REPLICAS).for_each(|id| self.start(id));
            return self.favour(&many[..1]).await;
        }
        match self.random.below(4) {
            0 => self.network.heal(),
            1 => {
                let sides = self.random.below(2 << REPLICAS);
                let (one, other): (Vec<u32>, Vec<u32>) = ids.iter().partition(|id| sides >> **id & 1 == 1);
                self.network.partition([&one[..], &other[..]]);
            }
            _ => self.network.partition([&ids[..3], &[hinge, ids[3], ids[4]]]),
        }
        if self.random.one_in(4) {
            self.network.set_faults(self.random.faults());
        }
        if self.random.one_in(4) {
            self.crash(ids[2]).await;
        }
        match self.random.below(4) {
            0 => self.favour(&ids[1..2]).await,
            1 => self.favour(&ids[..4]).await,
            _ => self.favour(&[ids[1], ids[3]]).await,
        }
        if !self.random.one_in(4) {
            (1..=REPLICAS).for_each(|id| self.start(id));
        }
        if self.random.one_in(2) {
            self.repeat(hinge).await;
        }
    }

    /// What goes wrong at a bad moment.
    async fn seize(&mut self, moment: Moment) {
        match moment {
            Moment::Chosen(voters) => {
                if voters.contains(&self.hinge) && !self.random.one_in(4) {
                    self.hide_from_the_others(&voters).await;
                }
            }
            Moment::Proposes(proposer) => {
                // Those who have promised are not those who can accept.
                let mut ids = self.random.shuffled(self.hinge);
                ids.retain(|id| *id != proposer);
                ids.insert(0, proposer);
                let few = match self.random.below(6) {
                    0 => 1,
                    1 | 2 => 2,
                    3 | 4 => return self.network.partition([&ids[..3], &[ids[1], ids[3], ids[4]]]),
                    _ => return,
                };
                self.network.partition([&ids[..few], &ids[few..]]);
                self.lonely = Some(proposer);
            }
            Moment::Answered(acceptor) if self.random.one_in(30) => self.restart(acceptor).await,
            Moment::Answered(_) => {}
        }
    }

    /// Those who have not accepted what was chosen can come to know it by the hinge alone, which has the worst of luck.
    async fn hide_from_the_others(&mut self, voters: &[u32]) {
        let hinge = self.hinge;
        let (others, silent): (Vec<u32>, Vec<u32>) =
            (1..=REPLICAS).partition(|id| *id == hinge || !voters.contains(id));
        self.network.partition([voters, &others[..]]);
        self.network.set_faults(Faults::none().delay(Duration::ZERO..=Duration::from_millis(5)));
        if self.random.one_in(2) {
            self.restart(hinge).await;
        }
        self.repeat(hinge).await;
        if self.random.one_in(2) {
            for id in silent {
                self.crash(id).await;
            }
        }
        let others: Vec<u32> = others.into_iter().filter(|id| *id != hinge).collect();
        self.favour(&others).await;
    }

    async fn storm(&mut self) {
        self.network.set_faults(self.random.faults());
        (1..=REPLICAS).for_each(|id| self.start(id));
        for _ in 0..SCENES {
            self.scene().await;
            let pause = sleep(Duration::from_millis(20 + self.random.below(80)));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    biased;
                    Some(moment) = self.moments.1.recv() => self.seize(moment).await,
                    () = &mut pause => break,
                }
            }
        }
    }

    /// Until all know what is decided, or have had the time.
    async fn calm(&mut self) {
        self.storm.store(false, Ordering::Relaxed);
        self.network.heal();
        self.network.set_faults(Faults::none().loss(0.1).delay(Duration::ZERO..=Duration::from_millis(5)));
        (1..=REPLICAS).for_each(|id| self.start(id));
        for _ in 0..1_000 {
            if self.places.iter().all(Place::is_informed) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        for id in 1..=REPLICAS {
            self.crash(id).await;
        }
    }

    fn end(mut self) -> Decree {
        let informed = self.places.iter().filter(|place| place.is_informed()).map(|place| place.id).collect();
        let mut decided = BTreeSet::new();
        for told in self.places.iter_mut().flat_map(|place| &mut place.told) {
            while let Some(value) = told.try_recv() {
                decided.insert(value);
            }
        }
        let history = self.history.lock().unwrap();
        Decree {
            decided,
            chosen: history.chosen().map(|(_, value)| value.clone()).collect(),
            unsound: history.unsound(),
            informed,
            breaches: history.breaches.clone(),
        }
    }
}

/// Has five replicas decide a few times while all goes wrong, and then until all know what is decided.
pub(super) fn run(seed: u64, wrong: Wrong) -> Run {
    super::paused(async {
        let mut random = Random(seed ^ 0x5eed);
        let network = Network::new(seed, Faults::none());
        let mut decrees = Vec::new();
        for _ in 0..DECREES {
            let random = Random(random.below(u64::MAX));
            let mut world = World::new(network.clone(), random, wrong, hinge(seed));
            world.storm().await;
            world.calm().await;
            decrees.push(world.end());
        }
        Run { decrees, trace_hash: network.trace_hash() }
    })
}
