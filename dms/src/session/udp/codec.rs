//! Messages as datagrams, and back.

use std::error::Error;
use std::io;
use std::panic::{self, AssertUnwindSafe};

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::{claims, guard, guarded};
use crate::session::transport::TransportError;

/// How messages are written in datagrams. Both sides must have the same.
///
/// # Memory
/// Whoever sends a datagram decides what it is read as. Nothing is allocated for elements that are merely promised, but those that come may take more memory than they have bytes: a `u64` may be one byte, and
/// so may be the variant of an enum without its largest. What takes more than 4 MiB, and 8 bytes for each byte of the datagram, is no message: 4.5 MiB where that has 64 KiB. Counted is what collections
/// make room for, which is up to twice what is in a vector, and eleven entries for the first of a `BTreeMap`, and what lies behind pointers. While a vector moves to where it has more room there
/// may be 2 MiB more. So much a datagram of another kind takes too that begins as such a message and ends in something else; all others take what their bytes become.
///
/// Elements of 32 bytes are never too many. Of larger ones there may be less than 65,507 in a datagram: of 256 bytes 8,192.
///
/// What nests is read by functions that call each other, and each holds the value that it reads: so a type that holds itself behind a pointer, or in a collection, could take up the stack. Values that are read
/// one within the other, from the first that is behind a pointer or in a collection, have 32 KiB in all at most, and each level takes 128 bytes of these, or what was sent is no message. Of nodes with 4 KiB in
/// place there may be seven, of an enum half as many. The message itself does not count, with all that is in place in it: every message of the type needs stack for that, in debug some 40 times its size.
///
/// What a type makes of what it has read is its own affair, as with serde's `from` or `default`; `untagged` and `flatten` read everything into a buffer first, and only that is counted, in memory and on the stack; and a
/// `HashSet` is taken for a vector, but has room for 4 where it has one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DatagramCodec {
    /// [MessagePack](https://msgpack.org) with the names of fields: what has other fields than expected can still be read, as serde's attributes say. Other languages can read it.
    #[default]
    MessagePack,
    /// [Postcard](https://docs.rs/postcard): fields one behind the other, without names, as short as it gets. Both sides must have the same types.
    Postcard,
}

/// How much memory a message may take beside the 8 bytes for each of its own: 4 MiB.
const MEMORY: usize = guard::memory_for(1 << 16);

/// The bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl DatagramCodec {
    /// Writes one message, of at most `limit` bytes.
    pub(super) fn write<V: Serialize>(self, message: &V, limit: usize) -> Result<Vec<u8>, TransportError> {
        let mut datagram = Datagram { bytes: Vec::with_capacity(128), limit, size: 0 };
        match self {
            Self::MessagePack => {
                let mut serializer = rmp_serde::Serializer::new(&mut datagram).with_struct_map();
                message.serialize(&mut serializer).map_err(|error| TransportError::Encode(error.into()))?;
            }
            Self::Postcard => postcard::serialize_with_flavor(message, &mut datagram)
                .map_err(|error| TransportError::Encode(reason(message, error)))?,
        }
        if datagram.size > limit {
            return Err(TransportError::MessageTooLarge { size: datagram.size, limit });
        }
        Ok(datagram.bytes)
    }

    /// Reads one message, which takes up all of the bytes. They may be anything: nothing is allocated for what they merely promise, and a panic of the type's own `Deserialize` is no message.
    pub(super) fn read<V: DeserializeOwned>(self, bytes: &[u8]) -> Result<V, Malformed> {
        let read = AssertUnwindSafe(|| match self {
            Self::MessagePack => {
                claims::check(bytes).map_err(|_| Malformed)?;
                let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
                guarded::read(&mut deserializer, MEMORY).map_err(|_| Malformed)
            }
            Self::Postcard => {
                let mut deserializer = postcard::Deserializer::from_bytes(bytes);
                let message = guarded::read(&mut deserializer, MEMORY).map_err(|_| Malformed)?;
                let rest = deserializer.finalize().map_err(|_| Malformed)?;
                if rest.is_empty() { Ok(message) } else { Err(Malformed) }
            }
        });
        panic::catch_unwind(read).unwrap_or(Err(Malformed))
    }
}

/// Why a message cannot be written. Postcard keeps no text of the type's own, and MessagePack does.
fn reason<V: Serialize>(message: &V, error: postcard::Error) -> Box<dyn Error + Send + Sync> {
    if error == postcard::Error::SerdeSerCustom {
        let mut nowhere = rmp_serde::Serializer::new(io::sink());
        if let Err(error @ rmp_serde::encode::Error::Syntax(_)) = message.serialize(&mut nowhere) {
            return error.into();
        }
    }
    error.into()
}

/// Takes bytes up to a limit, and counts the others.
struct Datagram {
    bytes: Vec<u8>,
    limit: usize,
    /// How many came.
    size: usize,
}

impl Datagram {
    fn put(&mut self, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len());
        if self.size <= self.limit {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

impl io::Write for Datagram {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Flavor for &mut Datagram {
    type Output = ();

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.put(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.put(&[byte]);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::{BTreeMap, HashMap};

    use serde::Deserialize;

    use super::*;

    const CODECS: [DatagramCodec; 2] = [DatagramCodec::MessagePack, DatagramCodec::Postcard];
    const LIMIT: usize = 65_507;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        Node(Box<Tree>),
        Both { left: Box<Tree>, right: Option<Box<Tree>> },
    }

    /// A level that takes no byte in MessagePack, and one in postcard.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Chain(Option<Box<Chain>>);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct All {
        numbers: (u8, i8, u16, i16, u32, i32, u64, i64),
        large: (u128, i128),
        floats: (f32, f64),
        bool: bool,
        character: char,
        text: String,
        bytes: Vec<u8>,
        map: HashMap<String, Vec<u32>>,
        option: Option<u8>,
        unit: (),
        array: [u16; 3],
    }

    fn tree(depth: usize) -> Tree {
        (0..depth).fold(Tree::Leaf, |tree, _| Tree::Node(Box::new(tree)))
    }

    fn chain(depth: usize) -> Chain {
        (0..depth).fold(Chain(None), |chain, _| Chain(Some(Box::new(chain))))
    }

    #[test]
    fn every_kind_of_value_comes_back() {
        let all = All {
            numbers: (1, -2, 300, -300, 70_000, -70_000, u64::MAX, i64::MIN),
            large: (u128::MAX, i128::MIN),
            floats: (0.5, -1e300),
            bool: true,
            character: 'é',
            text: "x".repeat(300),
            bytes: (0..=255).collect(),
            map: HashMap::from([("a".into(), vec![]), ("b".into(), (0..1_000).collect())]),
            option: Some(7),
            unit: (),
            array: [1, 2, 3],
        };
        for codec in CODECS {
            let bytes = codec.write(&all, LIMIT).expect("it can be written");
            assert_eq!(codec.read::<All>(&bytes).as_ref(), Ok(&all), "{codec:?}");
            for end in 0..bytes.len() {
                assert_eq!(codec.read::<All>(&bytes[..end]), Err(Malformed), "{codec:?}: {end} bytes");
            }
            assert_eq!(codec.read::<All>(&[&bytes[..], &[0]].concat()), Err(Malformed), "{codec:?}: one more");
            let tree = Tree::Both { left: Box::new(tree(9)), right: Some(Box::new(Tree::Leaf)) };
            let bytes = codec.write(&tree, LIMIT).expect("it can be written");
            assert_eq!(codec.read(&bytes), Ok(tree), "{codec:?}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused_in_both_codecs() {
        for codec in CODECS {
            for (depth, is_read) in [(100, true), (127, true), (129, false), (1_000, false), (20_000, false)] {
                // Written by hand, so that the test does not nest either.
                let bytes = match codec {
                    DatagramCodec::MessagePack => {
                        let mut bytes = b"\x81\xa4Node".repeat(depth);
                        bytes.extend(b"\xa4Leaf");
                        bytes
                    }
                    DatagramCodec::Postcard => [vec![1; depth], vec![0]].concat(),
                };
                assert_eq!(codec.read::<Tree>(&bytes).is_ok(), is_read, "{codec:?}: {depth}");
            }
        }
        let codec = DatagramCodec::Postcard;
        for (depth, is_read) in [(60, true), (65, false), (60_000, false)] {
            let bytes = [vec![1; depth], vec![0]].concat();
            assert_eq!(codec.read::<Chain>(&bytes).is_ok(), is_read, "{depth}");
        }
        let bytes = codec.write(&chain(60), LIMIT).expect("it can be written");
        assert_eq!(codec.read(&bytes), Ok(chain(60)));
        // Each of its levels reads the same byte: without a guard this never ends.
        assert_eq!(DatagramCodec::MessagePack.read::<Chain>(&[1]), Err(Malformed));
    }

    #[test]
    fn elements_that_take_no_bytes_do_not_come_without_end() {
        let codec = DatagramCodec::Postcard;
        let bytes = codec.write(&vec![(); 1_000], LIMIT).expect("it can be written");
        assert_eq!(codec.read::<Vec<()>>(&bytes).map(|units| units.len()), Ok(1_000));
        let endless = [&[0xff; 9][..], &[1]].concat();
        assert_eq!(codec.read::<Vec<()>>(&endless), Err(Malformed));
        assert_eq!(codec.read::<Vec<Vec<()>>>(&[&[100][..], &[0xff, 0xff, 3].repeat(100)].concat()), Err(Malformed));
    }

    #[test]
    fn small_elements_are_never_too_many_and_large_ones_do_not_take_more_memory_than_they_may() {
        for codec in CODECS {
            let pairs = vec![(1_u8, 2_u8); if codec == DatagramCodec::Postcard { 32_700 } else { 21_800 }];
            let bytes = codec.write(&pairs, LIMIT).expect("it can be written");
            assert_eq!(codec.read(&bytes), Ok(pairs), "{codec:?}");
            let numbers = vec![7_u64; 65_500];
            let bytes = codec.write(&numbers, LIMIT).expect("it can be written");
            assert_eq!(codec.read(&bytes), Ok(numbers), "{codec:?}");
            let map: HashMap<u16, u8> = (0..16_000).map(|number| (number, 1)).collect();
            let bytes = codec.write(&map, LIMIT).expect("it can be written");
            assert_eq!(codec.read(&bytes), Ok(map), "{codec:?}");

            let tables = vec![[[0_u64; 8]; 4]; if codec == DatagramCodec::Postcard { 2_000 } else { 1_600 }];
            let bytes = codec.write(&tables, LIMIT).expect("it can be written");
            let fits = tables.len() * 256 <= 2 << 20;
            assert!(fits && codec.read::<Vec<[[u64; 8]; 4]>>(&bytes).is_ok(), "{codec:?}");
            // Each of its elements takes a byte, and 256 bytes of memory.
            let bytes = codec.write(&vec![Wide::default(); 9_000], LIMIT).expect("it can be written");
            assert_eq!(codec.read::<Vec<Wide>>(&bytes), Err(Malformed), "{codec:?}");
            let bytes = codec.write(&vec![Wide::default(); 8_000], LIMIT).expect("it can be written");
            assert!(codec.read::<Vec<Wide>>(&bytes).is_ok(), "{codec:?}");
        }
    }

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(from = "u8", into = "u8")]
    struct Wide([u64; 32]);

    impl From<u8> for Wide {
        fn from(_byte: u8) -> Self {
            Self::default()
        }
    }

    impl From<Wide> for u8 {
        fn from(_wide: Wide) -> Self {
            0
        }
    }

    #[test]
    fn the_size_of_what_is_too_large_is_said() {
        for codec in CODECS {
            let text = "x".repeat(100);
            let whole = codec.write(&text, LIMIT).expect("it can be written").len();
            assert_eq!(codec.write(&text, whole).map(|bytes| bytes.len()).ok(), Some(whole));
            for most in [whole - 1, 50, 0] {
                let error = codec.write(&text, most).expect_err("it is too large");
                let TransportError::MessageTooLarge { size, limit } = error else { panic!("{error:?}") };
                assert_eq!((size, limit), (whole, most), "{codec:?}");
            }
        }
    }

    #[test]
    fn a_panic_of_the_type_is_no_message() {
        #[derive(Debug, PartialEq)]
        struct Fragile;
        impl<'de> Deserialize<'de> for Fragile {
            fn deserialize<D: serde::Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
                panic!("what a day");
            }
        }
        for codec in CODECS {
            assert_eq!(codec.read::<Fragile>(&[0]), Err(Malformed));
        }
    }

    thread_local! {
        /// How far down the stack has been seen to be.
        static LOWEST: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    fn address_on_the_stack() -> usize {
        let here = 0_u8;
        std::ptr::from_ref(&here).addr()
    }

    /// A large part of a value, in one byte. Read, it notes where the stack is.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[serde(from = "u8", into = "u8")]
    struct Inline<const SIZE: usize>([u8; SIZE]);

    impl<const SIZE: usize> From<u8> for Inline<SIZE> {
        fn from(byte: u8) -> Self {
            LOWEST.set(LOWEST.get().min(address_on_the_stack()));
            Self([byte; SIZE])
        }
    }

    impl<const SIZE: usize> From<Inline<SIZE>> for u8 {
        fn from(inline: Inline<SIZE>) -> Self {
            inline.0[0]
        }
    }

    /// A type that holds itself.
    trait Nested: Serialize + DeserializeOwned {
        fn around(inner: Option<Self>) -> Self;
    }

    macro_rules! nested {
        ($($name:ident $fields:tt: $inner:ident => $around:expr;)*) => {$(
            #[derive(Serialize, Deserialize)]
            struct $name<const SIZE: usize> $fields
            impl<const SIZE: usize> Nested for $name<SIZE> {
                fn around($inner: Option<Self>) -> Self {
                    let data = Inline([1; SIZE]);
                    $around(data)
                }
            }
        )*};
    }

    nested! {
        InBox { data: Inline<SIZE>, inner: Option<Box<InBox<SIZE>>> }:
            inner => |data| Self { data, inner: inner.map(Box::new) };
        InVec { data: Inline<SIZE>, inner: Vec<InVec<SIZE>> }:
            inner => |data| Self { data, inner: Vec::from_iter(inner) };
        InMap { data: Inline<SIZE>, inner: HashMap<u8, InMap<SIZE>> }:
            inner => |data| Self { data, inner: inner.map(|inner| (1, inner)).into_iter().collect() };
        InTree { data: Inline<SIZE>, inner: BTreeMap<u8, InTree<SIZE>> }:
            inner => |data| Self { data, inner: inner.map(|inner| (1, inner)).into_iter().collect() };
        InPair { inner: Option<Box<(Inline<SIZE>, InPair<SIZE>)>> }:
            inner => |data| Self { inner: inner.map(|inner| Box::new((data, inner))) };
    }

    #[derive(Serialize, Deserialize)]
    enum InVariant<const SIZE: usize> {
        End,
        Both { data: Inline<SIZE>, inner: Box<InVariant<SIZE>> },
    }

    impl<const SIZE: usize> Nested for InVariant<SIZE> {
        fn around(inner: Option<Self>) -> Self {
            Self::Both { data: Inline([1; SIZE]), inner: Box::new(inner.unwrap_or(Self::End)) }
        }
    }

    /// Runs it on a stack of this size.
    fn with_stack<O: Send>(size: usize, run: impl FnOnce() -> O + Send) -> O {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(size).spawn_scoped(scope, run).expect("a thread");
            thread.join().expect("no panic")
        })
    }

    /// Reads `nodes` of these, one within the other: whether it is a message, and how much of the stack that took.
    fn read_nested<V: Nested>(codec: DatagramCodec, nodes: usize) -> (bool, usize) {
        let bytes = with_stack(256 << 20, || {
            let value = (1..nodes).fold(V::around(None), |value, _| V::around(Some(value)));
            codec.write(&value, LIMIT).expect("it can be written")
        });
        let read = || {
            let top = address_on_the_stack();
            LOWEST.set(top);
            let is_read = codec.read::<V>(&bytes).is_ok();
            (is_read, top - LOWEST.get())
        };
        // With room, so that what takes too much fails here, and does not end the process.
        let (is_read, taken) = with_stack(256 << 20, read);
        assert!(taken < 1_800 << 10, "{}, {codec:?}: {nodes} take {taken}", std::any::type_name::<V>());
        // That of a worker.
        with_stack(2 << 20, read);
        (is_read, taken)
    }

    #[test]
    fn large_values_within_each_other_do_not_overflow_the_stack_of_a_worker() {
        /// How many nodes are a message at most.
        fn most<V: Nested>(codec: DatagramCodec) -> usize {
            let nodes = (1..10).chain([20, 30, 40, 63]);
            nodes.filter(|nodes| read_nested::<V>(codec, *nodes).0).max().unwrap_or_default()
        }
        fn all<const SIZE: usize>(codec: DatagramCodec) -> [usize; 6] {
            [
                most::<InBox<SIZE>>(codec),
                most::<InVec<SIZE>>(codec),
                most::<InMap<SIZE>>(codec),
                most::<InTree<SIZE>>(codec),
                most::<InPair<SIZE>>(codec),
                most::<InVariant<SIZE>>(codec),
            ]
        }
        for codec in CODECS {
            // Small ones nest as deep as levels go: a pair is one more.
            assert_eq!(all::<8>(codec), [63, 63, 63, 63, 40, 63], "{codec:?}");
            assert_eq!(all::<1_024>(codec), [20, 20, 20, 20, 20, 9], "{codec:?}");
            assert_eq!(all::<4_096>(codec), [8, 8, 8, 8, 8, 4], "{codec:?}");
            assert_eq!(all::<12_000>(codec), [3, 3, 3, 3, 3, 1], "{codec:?}");
        }
    }

    #[test]
    fn a_message_that_is_large_itself_is_read() {
        type Rows = [[[u64; 16]; 16]; 8];
        for codec in CODECS {
            let rows: Rows = [[[7; 16]; 16]; 8];
            let bytes = codec.write(&rows, LIMIT).expect("it can be written");
            assert_eq!(with_stack(16 << 20, || codec.read::<Rows>(&bytes)), Ok(rows), "{codec:?}");
        }
    }
}
