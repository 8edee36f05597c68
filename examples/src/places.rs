//! The arguments of the examples that run as one process or as many: `--listen ADDR` and `--peer ADDR`.

use std::fmt;
use std::net::SocketAddr;

/// Where a process is, and where the others are. Neither is given where all of them are in one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--peer`, as often as it is given.
    pub peers: Vec<SocketAddr>,
    /// Whatever else was given.
    pub rest: Vec<String>,
}

/// An argument that is none. It says what to write.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongArgument(pub String);

impl Places {
    /// Reads arguments; `options` are those besides, each with a value.
    ///
    /// # Errors
    /// One is unknown, or lacks its value, or an address is none, or one at which nobody can be.
    pub fn read(mut arguments: impl Iterator<Item = String>, options: &[&str]) -> Result<Self, WrongArgument> {
        let mut places = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = |what: &str| {
                arguments.next().ok_or_else(|| WrongArgument(format!("`{argument}` wants {what} behind it")))
            };
            match argument.as_str() {
                "--listen" if places.listen.is_some() => {
                    return Err(WrongArgument("`--listen` is given twice: a process has one address".to_owned()));
                }
                "--listen" => places.listen = Some(address(&value("an address, as 127.0.0.1:7001")?)?),
                "--peer" => {
                    let peer = address(&value("an address, as 127.0.0.1:7001")?)?;
                    if peer.port() == 0 || peer.ip().is_unspecified() {
                        return Err(WrongArgument(format!(
                            "nobody is at `--peer {peer}`: give the IP address and the port at which it listens"
                        )));
                    }
                    if places.peers.contains(&peer) {
                        return Err(WrongArgument(format!("`--peer {peer}` is given twice: give each peer once")));
                    }
                    places.peers.push(peer);
                }
                option if options.contains(&option) => {
                    let value = value("a value")?;
                    places.rest.extend([argument, value]);
                }
                _ => {
                    let mut known = vec!["--listen ADDR".to_owned(), "--peer ADDR".to_owned()];
                    known.extend(options.iter().map(|option| format!("{option} VALUE")));
                    return Err(WrongArgument(format!(
                        "unknown argument `{argument}`: there are {}",
                        known.join(", ")
                    )));
                }
            }
        }
        Ok(places)
    }
}

fn address(text: &str) -> Result<SocketAddr, WrongArgument> {
    text.parse().map_err(|_| {
        WrongArgument(format!("`{text}` is no address: write an IP address and a port, as 127.0.0.1:7001"))
    })
}

/// Says that a process cannot be at an address, and what to do.
pub fn cannot_listen(addr: SocketAddr, error: impl fmt::Display) -> String {
    format!("cannot listen at {addr}: {error}: give an address of this machine with a port that no other process has")
}

impl fmt::Display for WrongArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongArgument {}
