//! A TCP connection that is accepted.

use tokio::net::TcpStream;

use super::Reason;

pub(super) async fn run(address: &str) -> Result<(), Reason> {
    let connected = TcpStream::connect(address).await;
    connected.map(drop).map_err(|error| format!("no connection to {address}: {error}"))
}
