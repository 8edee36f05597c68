//! The state of a module, as it was at a moment.

use std::any;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{self, DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::SnapshotError;
use super::frame;
use crate::message::claims;
use crate::module::info::Version;

/// The state of a module, as it was at a moment: bytes, with who wrote them, in which version and when.
///
/// The state is [MessagePack](https://msgpack.org) in which fields have their names, so that a version of the module that has more fields, or fewer, can read it.
/// [`to_bytes`](Self::to_bytes) adds a checksum: bytes that are not those that were written do not become a snapshot again.
///
/// ```
/// use dms::{Snapshot, SnapshotError, Version};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct Before { count: u64 }
///
/// #[derive(Deserialize, Debug, PartialEq)]
/// struct Now {
///     count: u64,
///     #[serde(default)]
///     names: Vec<String>,
/// }
///
/// let snapshot = Snapshot::new("visits", "Counter", Version { major: 1, minor: 0, patch: 0 }, &Before { count: 41 })?;
/// let mut bytes = snapshot.to_bytes();
/// let read = Snapshot::from_bytes(&bytes)?;
/// assert_eq!(read.decode::<Now>()?, Now { count: 41, names: Vec::new() });
///
/// bytes[80] ^= 1;
/// assert!(matches!(Snapshot::from_bytes(&bytes), Err(SnapshotError::Checksum { .. })));
/// # Ok::<(), SnapshotError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) module: String,
    pub(super) type_name: String,
    pub(super) version: Version,
    pub(super) taken_at: SystemTime,
    /// One MessagePack value whose lengths can be believed.
    pub(super) payload: Box<[u8]>,
}

impl Snapshot {
    /// Takes `state` for that of the module `module`, which is a `type_name` of this version; the time is now. Modules do it by `#[snapshot]`; this is for those who
    /// answer in a module's place, and for tests.
    ///
    /// # Errors
    /// The state has no form in MessagePack, or nests deeper than 128 levels.
    pub fn new(
        module: impl Into<String>,
        type_name: impl Into<String>,
        version: Version,
        state: &(impl Serialize + ?Sized),
    ) -> Result<Self, SnapshotError> {
        let module = module.into();
        let written = rmp_serde::to_vec_named(state).map_err(|error| error.to_string());
        let checked = written.and_then(|payload| match claims::check(&payload) {
            Ok(()) => Ok(payload),
            Err(lie) => Err(lie.to_string()),
        });
        match checked {
            Ok(payload) => Ok(Self {
                module,
                type_name: type_name.into(),
                version,
                // What is before 1970 is so by a clock that is wrong.
                taken_at: SystemTime::now().max(UNIX_EPOCH),
                payload: payload.into(),
            }),
            Err(reason) => Err(SnapshotError::Unwritable { module, reason }),
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// Nothing is allocated for what the bytes merely promise, and nothing but their number.
    ///
    /// # Errors
    /// The bytes are not those of a snapshot, whole and alone.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        frame::read(bytes)
    }

    /// The snapshot as bytes, with a checksum: for a file or a wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        frame::write(self)
    }

    /// Reads the state as an `S`, which may be another type than the one that was written: fields are found by their names.
    ///
    /// # Errors
    /// The state is no `S`.
    pub fn decode<S: DeserializeOwned>(&self) -> Result<S, SnapshotError> {
        rmp_serde::from_slice(&self.payload).map_err(|error| SnapshotError::Unreadable {
            module: self.module.clone(),
            version: self.version,
            wanted: any::type_name::<S>(),
            reason: error.to_string(),
        })
    }

    /// The name of the module whose state it is.
    #[must_use]
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The name of that module's type.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The version of that module.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// When it was taken, by the system's clock.
    #[must_use]
    pub fn taken_at(&self) -> SystemTime {
        self.taken_at
    }

    /// The state, in MessagePack.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("module", &self.module)
            .field("type_name", &self.type_name)
            .field("version", &format_args!("{}", self.version))
            .field("taken_at", &self.taken_at)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish()
    }
}

/// As its [bytes](Snapshot::to_bytes).
impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(FromBytes)
    }
}

/// Reads a snapshot from bytes, or from numbers where a format has no bytes.
struct FromBytes;

impl<'de> Visitor<'de> for FromBytes {
    type Value = Snapshot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a snapshot")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Snapshot, E> {
        Snapshot::from_bytes(bytes).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Snapshot, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}
