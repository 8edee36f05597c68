//! Whom an error of a socket concerns: one message, one destination, or everybody.

use std::io;

use crate::session::transport::TransportError;

/// The datagram is too large for the way that it would go.
const EMSGSIZE: i32 = if cfg!(windows) {
    10_040
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    90
} else {
    40
};
/// What should be a socket is closed.
const EBADF: i32 = if cfg!(windows) { 6 } else { 9 };
/// What should be a socket is something else.
const ENOTSOCK: i32 = if cfg!(windows) {
    10_038
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    88
} else {
    38
};

/// Whether a socket with this error has none but errors from now on. All else concerns one datagram or one destination, or passes: an attacker can have it reported.
pub(super) fn is_final(error: &io::Error) -> bool {
    // What is not of the operating system is of Tokio: the runtime that the socket belongs to has been shut down.
    error.raw_os_error().is_none_or(|code| code == EBADF || code == ENOTSOCK)
}

/// What it says of a datagram of `size` bytes that was not sent.
pub(super) fn of_sending(error: io::Error, size: usize) -> TransportError {
    if is_final(&error) {
        TransportError::Gone(error)
    } else if error.raw_os_error() == Some(EMSGSIZE) {
        // How much fits is not said.
        TransportError::MessageTooLarge { size, limit: size.saturating_sub(1) }
    } else {
        TransportError::Destination(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the numbers of Linux, so that the ones above are not held to themselves.
    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_socket_that_is_none_any_more_ends_everything() {
        let sending = |code| of_sending(io::Error::from_raw_os_error(code), 100);
        // EBADF, ENOTSOCK.
        for code in [9, 88] {
            let error = sending(code);
            assert!(matches!(error, TransportError::Gone(_)) && error.is_final(), "{error:?}");
        }
        let shut_down = of_sending(io::Error::other("the runtime is being shut down"), 100);
        assert!(matches!(shut_down, TransportError::Gone(_)) && shut_down.is_final(), "{shut_down:?}");
        // EMSGSIZE.
        let too_large = sending(90);
        assert!(matches!(too_large, TransportError::MessageTooLarge { size: 100, limit: 99 }), "{too_large:?}");
        assert!(!too_large.is_final());
        // EPERM, EINVAL, ENETDOWN, ENETUNREACH, ENOBUFS, ECONNREFUSED, EHOSTUNREACH.
        for code in [1, 22, 100, 101, 105, 111, 113] {
            let error = sending(code);
            assert!(matches!(error, TransportError::Destination(_)) && !error.is_final(), "{error:?}");
        }
    }
}
