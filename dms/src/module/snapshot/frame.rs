//! A snapshot as bytes that tell when they are not whole.
//!
//! All numbers are big-endian, and nothing stands between the parts:
//!
//! | bytes | what |
//! |--|--|
//! | 8 | `dms-snap` |
//! | 2 | the format: 1 |
//! | 8, 8, 8 | how long the module's name, its type's name and the payload are |
//! | 8, 8, 8 | the version of the module |
//! | 8, 4 | when it was taken: seconds and nanoseconds since 1970 |
//! | | the module's name, its type's name, the payload |
//! | 4 | the CRC-32 (IEEE) of all before |
//!
//! The lengths are held against the number of bytes before anything is made of them.

use std::time::{Duration, UNIX_EPOCH};

use super::error::SnapshotError;
use super::snapshot::Snapshot;
use crate::message::claims;
use crate::module::info::Version;

const MAGIC: &[u8; 8] = b"dms-snap";
const FORMAT: u16 = 1;
/// How many bytes stand before the names.
const HEAD: usize = 8 + 2 + 3 * 8 + 3 * 8 + 8 + 4;
const CHECKSUM: usize = 4;

/// Writes the snapshot.
pub(super) fn write(snapshot: &Snapshot) -> Vec<u8> {
    let Snapshot { module, type_name, version, taken_at, payload } = snapshot;
    let since = taken_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let parts = [module.as_bytes(), type_name.as_bytes(), payload];
    let mut bytes = Vec::with_capacity(HEAD + parts.iter().map(|part| part.len()).sum::<usize>() + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_be_bytes());
    for length in parts.map(<[u8]>::len) {
        bytes.extend((length as u64).to_be_bytes());
    }
    for number in [version.major, version.minor, version.patch, since.as_secs()] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(since.subsec_nanos().to_be_bytes());
    for part in parts {
        bytes.extend(part);
    }
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// Reads a snapshot, which takes up all of the bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let truncated = |expected: u64| SnapshotError::Truncated { expected, found: bytes.len() as u64 };
    let at_least = || truncated((HEAD + CHECKSUM) as u64);
    if !MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]) {
        return Err(SnapshotError::NotASnapshot);
    }
    let mut head = Head(bytes.get(MAGIC.len()..).ok_or_else(at_least)?);
    let format = u16::from_be_bytes(head.take().ok_or_else(at_least)?);
    if format != FORMAT {
        return Err(SnapshotError::UnknownFormat { found: format, known: FORMAT });
    }
    if bytes.len() < HEAD + CHECKSUM {
        return Err(at_least());
    }
    let mut number = || head.take().map(u64::from_be_bytes).ok_or_else(at_least);
    let lengths = [number()?, number()?, number()?];
    let version = Version { major: number()?, minor: number()?, patch: number()? };
    let seconds = number()?;
    let nanoseconds = u32::from_be_bytes(head.take().ok_or_else(at_least)?);

    let expected = lengths.iter().fold((HEAD + CHECKSUM) as u64, |sum, length| sum.saturating_add(*length));
    let found = bytes.len() as u64;
    if found < expected {
        return Err(truncated(expected));
    }
    if found > expected {
        return Err(SnapshotError::Trailing { extra: found - expected });
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or_else(at_least)?;
    let (written, computed) = (u32::from_be_bytes(*checksum), crc32fast::hash(content));
    if written != computed {
        return Err(SnapshotError::Checksum { written, computed });
    }

    // From here on only what somebody else wrote with care can be wrong.
    let [module, type_name, payload] = split(head.0, lengths).ok_or_else(at_least)?;
    let malformed = |reason: String| SnapshotError::Malformed { reason };
    let text = |bytes: &[u8]| {
        str::from_utf8(bytes).map(str::to_owned).map_err(|error| malformed(format!("a name is not UTF-8: {error}")))
    };
    let since = (nanoseconds < 1_000_000_000).then(|| Duration::new(seconds, nanoseconds));
    let taken_at = since.and_then(|since| UNIX_EPOCH.checked_add(since));
    let taken_at = taken_at.ok_or_else(|| malformed("its time cannot be one".to_owned()))?;
    claims::check(payload).map_err(|lie| malformed(format!("its payload is not MessagePack: {lie}")))?;
    Ok(Snapshot { module: text(module)?, type_name: text(type_name)?, version, taken_at, payload: payload.into() })
}

/// What has not been read of the head.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }
}

/// The parts, one behind the other.
fn split(mut rest: &[u8], lengths: [u64; 3]) -> Option<[&[u8]; 3]> {
    let mut parts = [&[][..]; 3];
    for (part, length) in parts.iter_mut().zip(lengths) {
        (*part, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let version = Version { major: 1, minor: 20, patch: 300 };
        Snapshot::new("orders", "Orders", version, &("state", [1_u64, 2, 3])).expect("it can be written")
    }

    #[test]
    fn what_was_written_is_read() {
        let snapshot = snapshot();
        assert_eq!(read(&write(&snapshot)), Ok(snapshot));
    }

    #[test]
    fn no_bit_can_be_flipped_unseen() {
        let bytes = write(&snapshot());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn no_byte_can_be_missing_or_too_many() {
        let bytes = write(&snapshot());
        for end in 0..bytes.len() {
            let found = end as u64;
            assert!(
                matches!(read(&bytes[..end]), Err(SnapshotError::Truncated { expected, found: told }) if told == found && expected > found),
                "{end} bytes"
            );
        }
        let more = [&bytes[..], b"12"].concat();
        assert_eq!(read(&more), Err(SnapshotError::Trailing { extra: 2 }));
        assert_eq!(
            read(&[&bytes[..], &bytes[..]].concat()),
            Err(SnapshotError::Trailing { extra: bytes.len() as u64 })
        );
    }

    #[test]
    fn lengths_are_not_believed() {
        let mut bytes = write(&snapshot());
        for length in 0..3 {
            bytes[10 + 8 * length..18 + 8 * length].fill(0xff);
            assert_eq!(read(&bytes), Err(SnapshotError::Truncated { expected: u64::MAX, found: bytes.len() as u64 }));
        }
    }

    /// Bytes with the checksum that they ought to have.
    fn forged(change: impl FnOnce(&mut [u8])) -> Result<Snapshot, SnapshotError> {
        let mut bytes = write(&snapshot());
        let end = bytes.len() - CHECKSUM;
        change(&mut bytes[..end]);
        let checksum = crc32fast::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_be_bytes());
        read(&bytes)
    }

    #[test]
    fn what_dms_does_not_write_is_not_read_though_its_checksum_is_right() {
        let reason = |forged| match forged {
            Err(SnapshotError::Malformed { reason }) => reason,
            other => panic!("it was read: {other:?}"),
        };
        assert!(reason(forged(|bytes| bytes[58..66].fill(0xff))).contains("time"));
        assert!(reason(forged(|bytes| bytes[66..70].fill(0xff))).contains("time"));
        assert!(reason(forged(|bytes| bytes[70] = 0xff)).contains("UTF-8"));
        assert!(reason(forged(|bytes| bytes[82] = 0xc1)).contains("MessagePack"));
        assert_eq!(forged(|bytes| bytes[9] = 2), Err(SnapshotError::UnknownFormat { found: 2, known: 1 }));
        assert_eq!(forged(|bytes| bytes[0] = b'D'), Err(SnapshotError::NotASnapshot));
        assert_eq!(forged(|_| {}).map(|snapshot| snapshot.module), Ok("orders".to_owned()));
    }
}
