//! Whether bytes that say they are MessagePack can be believed.
//!
//! A MessagePack array says how many elements follow, and a reader may make room for as many before it has seen one. What comes from outside is looked
//! through first: every length is paid for with bytes. JSON promises nothing, and its reader limits the depth itself.

use std::fmt;

/// How deep a value may nest; the JSON reader has the same limit.
pub(crate) const DEPTH: usize = 128;

/// What is wrong with the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// A length says that more follows than does.
    Short,
    /// It nests too deep.
    Deep,
    /// A byte that begins no value.
    Reserved,
    /// So many bytes follow the value.
    Rest(usize),
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("it ends before its lengths say so"),
            Self::Deep => write!(f, "it nests deeper than {DEPTH} levels"),
            Self::Reserved => f.write_str("the byte 0xc1 begins no value"),
            Self::Rest(count) => write!(f, "{count} bytes follow the value"),
        }
    }
}

/// Checks that the bytes are one value, whole and alone, in time that is linear in their number and without allocating.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Lie> {
    let mut rest = Rest(bytes);
    // How many values each open array or map still has, from the outermost; `left` is that of the innermost.
    let mut open = [0; DEPTH];
    let mut depth = 0;
    let mut left = 1_usize;
    loop {
        while left == 0 {
            if depth == 0 {
                return if rest.0.is_empty() { Ok(()) } else { Err(Lie::Rest(rest.0.len())) };
            }
            depth -= 1;
            left = open[depth];
        }
        left -= 1;
        let marker = rest.length(1)?;
        let low = |bits: usize| marker & bits;
        let values = match marker {
            // Small integers, nil and booleans.
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => continue,
            0x80..=0x8f => 2 * low(0x0f),
            0x90..=0x9f => low(0x0f),
            0xdc => rest.length(2)?,
            0xdd => rest.length(4)?,
            0xde => 2 * rest.length(2)?,
            0xdf => rest.length(4)?.saturating_mul(2),
            scalar => {
                let length = match scalar {
                    0xa0..=0xbf => low(0x1f),
                    // Binaries and strings.
                    0xc4 | 0xd9 => rest.length(1)?,
                    0xc5 | 0xda => rest.length(2)?,
                    0xc6 | 0xdb => rest.length(4)?,
                    // Extensions have a byte for their type.
                    0xc7 => 1 + rest.length(1)?,
                    0xc8 => 1 + rest.length(2)?,
                    0xc9 => rest.length(4)?.saturating_add(1),
                    0xd4..=0xd8 => 1 + (1 << (scalar - 0xd4)),
                    // Integers and floats.
                    0xcc | 0xd0 => 1,
                    0xcd | 0xd1 => 2,
                    0xca | 0xce | 0xd2 => 4,
                    0xcb | 0xcf | 0xd3 => 8,
                    _ => return Err(Lie::Reserved),
                };
                rest.skip(length)?;
                continue;
            }
        };
        // Every value takes a byte at least.
        if values > rest.0.len() {
            return Err(Lie::Short);
        }
        *open.get_mut(depth).ok_or(Lie::Deep)? = left;
        depth += 1;
        left = values;
    }
}

/// What has not been looked at.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// A number of `bytes` bytes, big-endian.
    fn length(&mut self, bytes: usize) -> Result<usize, Lie> {
        let (number, rest) = self.0.split_at_checked(bytes).ok_or(Lie::Short)?;
        self.0 = rest;
        Ok(number.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Lie> {
        self.0 = self.0.get(bytes..).ok_or(Lie::Short)?;
        Ok(())
    }
}

#[cfg(all(test, feature = "wire"))]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_values_pass() {
        let values = [
            json!(null),
            json!([
                1,
                -1,
                128,
                70_000,
                5_000_000_000_u64,
                -70_000,
                1.5,
                true,
                "text",
                ["x".repeat(40), "x".repeat(70_000)]
            ]),
            json!({ "a": { "b": [[], {}, [[0]]] }, "c": vec![0; 70_000], "d": "" }),
        ];
        for value in values {
            let bytes = rmp_serde::to_vec_named(&value).expect("it can be written");
            assert_eq!(check(&bytes), Ok(()));
            for end in (0..bytes.len()).step_by(bytes.len().div_ceil(100)) {
                assert_eq!(check(&bytes[..end]), Err(Lie::Short), "the first {end} bytes of {}", bytes.len());
            }
            let with_rest = [&bytes[..], &[0, 0]].concat();
            assert_eq!(check(&with_rest), Err(Lie::Rest(2)));
        }
        for whole in [
            &[0xd4, 9, 1][..],
            &[0xd8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xc7, 1, 9, 0],
            &[0xc4, 2, 0, 0],
            &[0xca, 0, 0, 0, 0],
        ] {
            assert_eq!(check(whole), Ok(()), "{whole:x?}");
            assert_eq!(check(&whole[..whole.len() - 1]), Err(Lie::Short), "{whole:x?}");
        }
    }

    #[test]
    fn lengths_are_not_believed() {
        for lie in [
            &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdf, 0xff, 0xff, 0xff, 0xff, 0, 0],
            &[0xdb, 0xff, 0xff, 0xff, 0xff, b'a'],
            &[0xc9, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xdc, 0, 3, 0, 0],
            &[0x81, 0],
            &[0x92, 0x91, 0],
        ] {
            assert_eq!(check(lie), Err(Lie::Short), "{lie:x?}");
        }
        assert_eq!(check(&[0xc1]), Err(Lie::Reserved));
        assert_eq!(check(&[]), Err(Lie::Short));
    }

    #[test]
    fn values_nest_as_deep_as_allowed_and_no_deeper() {
        let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
        assert_eq!(check(&nested(DEPTH)), Ok(()));
        assert_eq!(check(&nested(DEPTH + 1)), Err(Lie::Deep));
        assert_eq!(check(&nested(1_000_000)), Err(Lie::Deep));
    }
}
