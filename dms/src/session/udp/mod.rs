//! Sessions over datagrams (feature `udp`).
//!
//! Reading order: [`socket`] is the place in the network, [`message`] what it carries, [`codec`] turns that into datagrams and back, [`counts`] says what became of them, and [`failure`] whom an error concerns.

mod codec;
mod counts;
mod failure;
mod message;
mod socket;

pub use codec::DatagramCodec;
pub use counts::UdpCounts;
pub use message::UdpMessage;
pub use socket::Udp;
