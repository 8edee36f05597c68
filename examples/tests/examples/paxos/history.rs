//! What all replicas have done, as none of them sees it.

use std::collections::{BTreeMap, BTreeSet};

use dms_examples::paxos::{Ballot, ToAcceptor, ToProposer, Value};

use super::simulation::REPLICAS;

/// How many are a majority.
pub(super) const MAJORITY: usize = REPLICAS as usize / 2 + 1;

/// What an acceptor says that it has accepted.
type Told = Option<(Ballot, Value)>;

/// What acceptors were asked, and what they answered.
#[derive(Default)]
pub(super) struct History {
    /// Who has promised a ballot, and what they told of what they had accepted.
    promises: BTreeMap<Ballot, BTreeMap<u32, BTreeSet<Told>>>,
    /// Who has accepted what.
    votes: BTreeMap<(Ballot, Value), BTreeSet<u32>>,
    /// All that acceptors were asked to accept, and whether the proposer had the right to.
    proposals: BTreeMap<(Ballot, Value), bool>,
    /// The highest ballot that each has promised or accepted.
    highest: BTreeMap<u32, Ballot>,
    /// Which acceptors have broken their word.
    pub(super) breaches: BTreeSet<u32>,
}

impl History {
    /// Takes note of an answer. Gives those who have accepted the same where they are a majority now, with this answer.
    pub(super) fn note(&mut self, id: u32, asked: ToAcceptor, answer: &ToProposer) -> Option<Vec<u32>> {
        if let ToAcceptor::Accept(ballot, value) = &asked
            && !self.proposals.contains_key(&(*ballot, value.clone()))
        {
            let is_sound = self.may_propose(*ballot, value);
            self.proposals.insert((*ballot, value.clone()), is_sound);
        }
        let (ToAcceptor::Prepare(ballot) | ToAcceptor::Accept(ballot, _)) = asked;
        let last = self.votes.iter().rev().find(|(_, voters)| voters.contains(&id)).map(|(vote, _)| vote.clone());
        let mut majority = None;
        match (asked, answer) {
            (_, ToProposer::Refused(..)) => return None,
            (ToAcceptor::Prepare(_), ToProposer::Promised(_, told)) => {
                if *told != last {
                    self.breaches.insert(id);
                }
                self.promises.entry(ballot).or_default().entry(id).or_default().insert(told.clone());
            }
            (ToAcceptor::Accept(_, value), ToProposer::Accepted(_)) => {
                let voters = self.votes.entry((ballot, value)).or_default();
                if voters.insert(id) && voters.len() == MAJORITY {
                    majority = Some(voters.iter().copied().collect());
                }
            }
            _ => drop(self.breaches.insert(id)),
        }
        let highest = self.highest.entry(id).or_insert(ballot);
        if *highest > ballot {
            self.breaches.insert(id);
        }
        *highest = ballot.max(*highest);
        majority
    }

    /// Whether some majority has promised the ballot, and the value is the one with the highest ballot that they told, if any.
    fn may_propose(&self, ballot: Ballot, value: &Value) -> bool {
        let Some(promises) = self.promises.get(&ballot) else { return false };
        let told: BTreeSet<_> = promises.values().flatten().collect();
        // Those who told nothing higher are enough.
        told.into_iter().any(|highest| {
            let is_majority =
                promises.values().filter(|told| told.iter().any(|told| told <= highest)).count() >= MAJORITY;
            is_majority && highest.as_ref().is_none_or(|(_, told)| told == value)
        })
    }

    /// What a majority has accepted under one ballot: whether anybody knows it or not, it is decided.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &(Ballot, Value)> {
        self.votes.iter().filter(|(_, voters)| voters.len() >= MAJORITY).map(|(vote, _)| vote)
    }

    /// Which proposals should not have been: without the right to, a second one under one ballot, or another value than was chosen under a lower one.
    pub(super) fn unsound(&self) -> BTreeSet<(Ballot, Value)> {
        let is_second = |(ballot, value): &(Ballot, Value)| {
            self.proposals.keys().any(|(other, first)| other == ballot && first < value)
        };
        let overrules =
            |(ballot, value): &(Ballot, Value)| self.chosen().any(|(lower, chosen)| lower < ballot && chosen != value);
        let unsound = self
            .proposals
            .iter()
            .filter(|(proposal, is_sound)| !**is_sound || is_second(proposal) || overrules(proposal));
        unsound.map(|(proposal, _)| proposal.clone()).collect()
    }
}
