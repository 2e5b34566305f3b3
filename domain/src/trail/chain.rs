//! How seals are hashed, computed a second time: whoever verifies does not take the database's word for it.

use sha2::{Digest as _, Sha256};

use super::seal::Seal;

/// What SHA-256 makes.
pub(super) type Hash = [u8; 32];

/// The place of a row, and the hash of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) number: i64,
    pub(super) line: i32,
    pub(super) hash: Hash,
}

impl Leaf {
    pub(super) fn place(&self) -> (i64, i32) {
        (self.number, self.line)
    }

    fn digest(&self) -> Hash {
        let mut sha = Sha256::new();
        sha.update([0]);
        sha.update(self.number.to_be_bytes());
        sha.update(self.line.to_be_bytes());
        sha.update(self.hash);
        sha.finalize().into()
    }
}

/// The root of the Merkle tree over these.
pub(super) fn root(leaves: &[Leaf]) -> Option<Hash> {
    let mut level: Vec<Hash> = leaves.iter().map(Leaf::digest).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(above).collect();
    }
    level.first().copied()
}

/// Whoever has no neighbour goes up as it is.
fn above(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => {
            let mut sha = Sha256::new();
            sha.update([1]);
            sha.update(left);
            sha.update(right);
            sha.finalize().into()
        }
        [alone] => *alone,
        _ => Hash::default(),
    }
}

/// What a seal's hash should be.
pub(super) fn hash_of(seal: &Seal) -> Hash {
    let text = format!(
        "goldshop seal|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}",
        seal.format,
        seal.number,
        seal.stream,
        seal.part,
        seal.after,
        seal.until,
        seal.rows,
        seal.sealed_at.timestamp_micros(),
        hex(&seal.root),
        hex(&seal.previous),
    );
    Sha256::digest(text.as_bytes()).into()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let pair = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(number: i64) -> Leaf {
        Leaf {
            number,
            line: 0,
            hash: [u8::try_from(number).unwrap(); 32],
        }
    }

    #[test]
    fn a_root_depends_on_each_leaf_and_on_their_order() {
        let leaves: Vec<_> = (1..=7).map(leaf).collect();
        let whole = root(&leaves);
        assert_eq!(root(&leaves[..1]), Some(leaves[0].digest()));
        for place in 0..leaves.len() {
            let mut other = leaves.clone();
            other.remove(place);
            assert_ne!(root(&other), whole);
            let mut other = leaves.clone();
            other[place].line = 1;
            assert_ne!(root(&other), whole);
            let mut other = leaves.clone();
            other.swap(place, (place + 1) % 7);
            assert_ne!(root(&other), whole);
        }
        assert_eq!(root(&[]), None);
    }

    #[test]
    fn digits_are_hexadecimal() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
