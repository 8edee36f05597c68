//! What datagrams can carry.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What [`Udp`](super::Udp) carries: all that serde writes and reads, and that owns what it holds. Nobody implements it. To listen takes no more than what serde reads.
///
/// The enum of a module's messages is one where the module has remote handlers, as with `#[module(remote)]`: see [`module`](macro@crate::module).
#[diagnostic::on_unimplemented(
    message = "`Udp` cannot carry `{Self}`",
    label = "not both `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above `{Self}`, and above the types that it is made of",
    note = "the enum of a module's messages has both where the module has remote handlers: write `#[module(remote)]` on the impl, or `remote` in `#[handler(..)]`"
)]
pub trait UdpMessage: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<N: Serialize + DeserializeOwned + Send + 'static> UdpMessage for N {}
