//! What is restarted together.

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

impl Strategy {
    /// Who is stopped where `failed` is to be started again: of its supervisor's children in the order of their first start, the youngest first; started again they are
    /// in the opposite order, those that can be. Nobody is where the failure [escalates](Self::Escalate). It is what OTP does.
    ///
    /// ```
    /// use dms::recovery::Strategy;
    ///
    /// assert_eq!(Strategy::RestForOne.stops(["a", "b", "c", "d"], &"b"), ["d", "c"]);
    /// ```
    #[must_use]
    pub fn stops<K: PartialEq>(self, children: impl IntoIterator<Item = K>, failed: &K) -> Vec<K> {
        let children = children.into_iter();
        let mut stops: Vec<_> = match self {
            Self::OneForOne | Self::Escalate => Vec::new(),
            Self::OneForAll => children.filter(|key| key != failed).collect(),
            Self::RestForOne => children.skip_while(|key| key != failed).skip(1).collect(),
        };
        stops.reverse();
        stops
    }
}
