//! A GET that is answered.

use std::pin::pin;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Reason;

/// How many bytes the head of an answer may have.
const HEAD: usize = 16 << 10;

pub(super) async fn run(url: &str) -> Result<(), Reason> {
    let target = check(url)?;
    let failed = |error: String| format!("no answer from {url}: {error}");
    let stream =
        TcpStream::connect((target.host.as_str(), target.port)).await.map_err(|error| failed(error.to_string()))?;
    let mut builder = http1::Builder::new();
    let handshake = builder.max_buf_size(HEAD).handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(error.to_string()))?;
    let request = Request::get(target.path)
        .header(HOST, target.authority)
        .header(USER_AGENT, "dms-health")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| failed(error.to_string()))?;
    let (mut connection, mut answer) = (pin!(connection), pin!(sender.send_request(request)));
    // The connection works only while it is polled. What is left of the answer goes with it.
    let answered = tokio::select! {
        biased;
        answered = &mut answer => answered,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(error),
        },
    };
    let status = answered.map_err(|error| failed(error.to_string()))?.status();
    if status.is_success() || status.is_redirection() { Ok(()) } else { Err(format!("{url} answered {status}")) }
}

/// Where to ask, and for what.
pub(super) struct Target {
    host: String,
    port: u16,
    /// As in the header `Host`.
    authority: String,
    path: String,
}

/// Reads a URL.
pub(super) fn check(url: &str) -> Result<Target, Reason> {
    let uri: Uri = url.parse().map_err(|error| format!("which is no URL: {error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err("which is no URL with `http://`, and nothing else is asked".to_owned());
    }
    let authority = uri.authority().ok_or("which names no host")?;
    // Brackets are there for the port's sake.
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let named = authority.as_str().rsplit('@').next().unwrap_or_default().to_owned();
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Target { host, port: authority.port_u16().unwrap_or(80), authority: named, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_what() {
        let target = check("http://[::1]:8080/ready?now=1").expect("it is one");
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 8080, "/ready?now=1"));
        let target = check("http://name@localhost").expect("it is one");
        assert_eq!((target.authority.as_str(), target.port, target.path.as_str()), ("localhost", 80, "/"));
        for url in ["https://localhost", "localhost:80", "/ready", "http://", "http://a b"] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
