//! Sessions over datagrams (feature `udp`).
//!
//! Reading order: [`socket`] is the place in the network, [`codec`] turns messages into datagrams and back, [`counts`] says what became of them.

mod codec;
mod counts;
mod socket;

pub use codec::DatagramCodec;
pub use counts::UdpCounts;
pub use socket::Udp;
