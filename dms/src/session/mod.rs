//! Concurrent stateful protocols outside modules: channels, background tasks, transports (feature `session`).
