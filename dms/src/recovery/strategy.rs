//! What is restarted together.

use super::policy::RestartPolicy;

/// Which children of a supervisor are restarted when one of them is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The one that failed.
    #[default]
    OneForOne,
    /// All: for children that are of no use without each other.
    OneForAll,
    /// The one that failed, and those that were started after it: for children that need the ones before them.
    RestForOne,
    /// None: the failure of a child is that of the supervisor. A child's own policy does not matter then.
    Escalate,
}

/// What a supervisor has to do: first stop, one after the other, then start, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPlan<K> {
    /// Those to be stopped, the youngest first. Some may be down already: to stop them is nothing.
    pub stop: Vec<K>,
    /// Those to be started, the oldest first.
    pub start: Vec<K>,
}

impl Strategy {
    /// What is to be stopped and started, of children in the order of their first start, when `failed` has ended and is to be started again; `None` if nothing
    /// is, because the failure [escalates](Self::Escalate).
    ///
    /// It is what OTP does. A child that is stopped on behalf of another is started again also if its policy is [`OnFailure`](RestartPolicy::OnFailure), and also if
    /// it had ended normally before; one with [`Never`](RestartPolicy::Never) is stopped, and stays so.
    ///
    /// ```
    /// use dms::recovery::{RestartPolicy, Strategy};
    ///
    /// let children = ["a", "b", "c"].map(|name| (name, RestartPolicy::OnFailure));
    /// let plan = Strategy::RestForOne.plan(children, &"b").unwrap();
    /// assert_eq!(plan.stop, ["c"]);
    /// assert_eq!(plan.start, ["b", "c"]);
    /// ```
    #[must_use]
    pub fn plan<K: Clone + PartialEq>(
        self,
        children: impl IntoIterator<Item = (K, RestartPolicy)>,
        failed: &K,
    ) -> Option<RestartPlan<K>> {
        let mut children = children.into_iter();
        let affected: Vec<_> = match self {
            Self::OneForOne => children.find(|(key, _)| key == failed).into_iter().collect(),
            Self::OneForAll => children.collect(),
            Self::RestForOne => children.skip_while(|(key, _)| key != failed).collect(),
            Self::Escalate => return None,
        };
        let is_started = |(key, policy): &(K, RestartPolicy)| key == failed || *policy != RestartPolicy::Never;
        Some(RestartPlan {
            stop: affected.iter().rev().map(|(key, _)| key).filter(|key| *key != failed).cloned().collect(),
            start: affected.iter().filter(|child| is_started(child)).map(|(key, _)| key.clone()).collect(),
        })
    }
}
