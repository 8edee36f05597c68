//! Integration tests, a file per room.
