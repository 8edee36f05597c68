//! Sessions over datagrams (feature `udp`).
//!
//! Reading order: [`socket`] is the place in the network, [`codec`] turns messages into datagrams and back, [`counts`] says what became of them, and [`failure`] whom an error concerns.

mod codec;
mod counts;
mod failure;
mod socket;

pub use codec::DatagramCodec;
pub use counts::UdpCounts;
pub use socket::Udp;
