//! How much may come of bytes that anybody may have sent: levels, memory, and stack.
//!
//! Counted is the room that std's collections make for what comes, which is more than what comes: a vector doubles its own, and a tree has nodes for eleven.

use std::cell::Cell;
use std::fmt;

use super::claims::DEPTH;

/// What an element costs at least, in bytes of memory: those without a size take time.
const LEAST: usize = 32;

/// How many bytes the values may have that are being read, one within the other, beyond the message itself.
///
/// While a value is read each function that has a part in it holds it, some more than once: measured in debug 25 to 41 times its size for MessagePack, and 9 to 20 times for postcard. So this comes to
/// less than 1.4 MiB of the 2 MiB that a worker of Tokio has for its stack, and leaves room for a message that is large itself.
const STACK: usize = 32 << 10;

/// What a level takes of that, however small its value is: in debug less than 6 KiB.
const LEVEL: usize = 128;

/// How much memory may come of `bytes` bytes, so that elements of 32 bytes each are never too many, in a vector whose room has just doubled.
pub(crate) const fn memory_for(bytes: usize) -> usize {
    2 * LEAST * bytes
}

/// The bytes are not a value of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a value of the type")
    }
}

impl std::error::Error for Refused {}

/// What may still come.
#[derive(Clone, Copy)]
pub(super) struct Guard<'g> {
    /// How many bytes of memory, in all.
    memory: &'g Cell<usize>,
    /// How many levels, from here.
    depth: usize,
    /// How many bytes the values may have that are being read, from here to what is innermost.
    stack: usize,
    /// Whether the next value is a part of the message itself, which every message of the type has the stack for.
    is_own: bool,
    /// The size of the place that the next value is for. One that is larger lies behind a pointer.
    place: usize,
}

impl<'g> Guard<'g> {
    /// For a `V`, which has a place, and `memory` bytes of memory elsewhere.
    pub(super) const fn new<V>(memory: &'g Cell<usize>) -> Self {
        Self { memory, depth: DEPTH, stack: STACK, is_own: true, place: size_of::<V>() }
    }

    pub(super) fn deeper(self) -> Result<Self, Refused> {
        Ok(Self { depth: self.depth.checked_sub(1).ok_or(Refused)?, ..self.held(LEVEL)? })
    }

    /// For what comes into a place for a `T`.
    pub(super) const fn place_for<T>(self) -> Self {
        Self { place: size_of::<T>(), ..self }
    }

    /// For an element of a collection that has as many as there are.
    pub(super) const fn element(self) -> Self {
        Self { is_own: false, ..self }
    }

    /// For the parts of a `T`, which comes here.
    pub(super) fn parts_of<T>(mut self) -> Result<Self, Refused> {
        if size_of::<T>() > self.place {
            self.charge(size_of::<T>())?;
            self.is_own = false;
        }
        let held = if self.is_own { 0 } else { size_of::<T>() };
        Ok(self.held(held)?.place_for::<T>())
    }

    /// While so many bytes more are held.
    fn held(self, bytes: usize) -> Result<Self, Refused> {
        Ok(Self { stack: self.stack.checked_sub(bytes).ok_or(Refused)?, ..self })
    }

    fn charge(self, bytes: usize) -> Result<(), Refused> {
        self.memory.set(self.memory.get().checked_sub(bytes).ok_or(Refused)?);
        Ok(())
    }
}

/// What collects elements, as far as it shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Collection {
    /// Its type says how many there are, and it has their places.
    Fixed,
    /// A sequence of as many as there are.
    Sequence,
    /// A map, the same.
    Map,
}

/// The room that a collection has made.
pub(super) struct Room {
    collection: Collection,
    /// Whether it has asked how many elements there are, to make room for them at once. A tree has not, nor a list: each makes its room piece by piece.
    pub(super) is_asked: Cell<bool>,
    /// How many elements have come.
    count: usize,
    /// For how many elements the last one made room.
    made: usize,
    /// The size and the alignment of the last one.
    layout: (usize, usize),
}

impl Room {
    /// For how many elements room is made before they come: a vector has room for as many in any case.
    pub(super) const AT_ONCE: usize = 4;

    pub(super) const fn new(collection: Collection) -> Self {
        Self { collection, is_asked: Cell::new(false), count: 0, made: 0, layout: (0, 1) }
    }

    /// Another element comes, or the key of another one, of type `T`.
    pub(super) fn another<T>(&mut self, guard: Guard<'_>) -> Result<(), Refused> {
        // For the first ones, and for each that follows.
        let (first, next): (&[usize], usize) = match (self.collection, self.is_asked.get()) {
            (Collection::Fixed, _) => return Ok(()),
            // A tree has nodes for eleven, of which more than two have five.
            (_, false) => (&[11, 0, 0, 0], 3),
            // A vector has room for 1, 2, 3, 4, 8 and so on. A set of hashes looks the same, and has more.
            (Collection::Sequence, true) => (&[1, 1, 1, 1, 4], 2),
            // A table of hashes has room for 4, 8, 16 and so on, of which an eighth stays free.
            (Collection::Map, true) => (&[4, 0, 0, 4], 3),
        };
        self.made = first.get(self.count).copied().unwrap_or(next);
        self.count += 1;
        self.layout = (size_of::<T>(), align_of::<T>());
        guard.charge((size_of::<T>() * self.made).max(LEAST))
    }

    /// The value of the key that came last, of type `T`. A pair is as large as both, and padded for the one that is aligned more.
    pub(super) fn value<T>(&self, guard: Guard<'_>) -> Result<(), Refused> {
        let (key, alignment) = self.layout;
        let pair = (key + size_of::<T>()).next_multiple_of(alignment.max(align_of::<T>()));
        guard.charge((pair - key) * self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(64))]
    struct Aligned([u8; 64]);

    fn charged<K, V>() -> usize {
        const ALL: usize = 1 << 20;
        let memory = Cell::new(ALL);
        let guard = Guard::new::<()>(&memory);
        let mut room = Room::new(Collection::Map);
        room.is_asked.set(true);
        room.another::<K>(guard).and_then(|()| room.value::<V>(guard)).expect("there is enough");
        ALL - memory.get()
    }

    #[test]
    fn the_padding_of_the_pairs_of_a_map_counts() {
        let aligned = Aligned([0; 64]);
        assert_eq!(size_of_val(&aligned.0), 64);
        // The first one makes room for four.
        assert_eq!(charged::<[u8; 65], Aligned>(), 4 * size_of::<([u8; 65], Aligned)>());
        assert_eq!(charged::<Aligned, u8>(), 4 * size_of::<(Aligned, u8)>());
        assert_eq!(charged::<u64, [u8; 9]>(), 4 * size_of::<(u64, [u8; 9])>());
        assert_eq!(charged::<u64, u64>(), 4 * 16);
    }
}
