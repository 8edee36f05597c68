//! What signs, and what verifies.

use std::fmt;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::KeyError;

/// How a message is signed. A key is for one algorithm, and for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// [Ed25519](https://www.rfc-editor.org/rfc/rfc8032): one signs with a secret key, everybody verifies with the public one.
    Ed25519,
    /// [HMAC](https://www.rfc-editor.org/rfc/rfc2104) with SHA-256: both sides share one secret, so each can sign as the other. Much quicker.
    ///
    /// Whoever is between them can send a message back to the side that signed it, where it has the right signature too. So take one key for each direction, or one domain:
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use dms::session::{Algorithm, KeyRing, Signer, SigningKey, Verifier, VerifyError};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let shared = SigningKey::generate(Algorithm::HmacSha256, "bank-2026")?;
    /// let mut ring = KeyRing::new();
    /// ring.insert(shared.verifying_key())?;
    /// // At the client:
    /// let requests = Signer::new(shared, "bank/transfer/to-server")?;
    /// let replies = Verifier::new(ring, "bank/transfer/to-client")?;
    ///
    /// let request = requests.sign(&42, SystemTime::now())?;
    /// // Somebody sends it back.
    /// let reflected = replies.verify(&request, SystemTime::now());
    /// assert!(matches!(reflected, Err(VerifyError::BadSignature { .. })));
    /// # Ok(())
    /// # }
    /// ```
    HmacSha256,
}

impl Algorithm {
    /// Its number on the wire.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::HmacSha256 => 2,
        }
    }

    /// The algorithm of a number.
    pub(super) const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ed25519),
            2 => Some(Self::HmacSha256),
            _ => None,
        }
    }

    /// How many bytes a signature has.
    pub(super) const fn signature_length(self) -> usize {
        match self {
            Self::Ed25519 => 64,
            Self::HmacSha256 => 32,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ed25519 => "ed25519",
            Self::HmacSha256 => "hmac-sha256",
        })
    }
}

/// The name of a key: 1 to 32 visible ASCII characters. It travels with each message, and says in whose name the message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// The characters, and zeros behind them.
    characters: [u8; Self::MAX],
    length: u8,
}

impl KeyId {
    /// The most characters of an id.
    pub const MAX: usize = 32;

    /// An id of these characters.
    ///
    /// # Errors
    /// [`KeyError::Id`]: there are none, more than [`MAX`](Self::MAX), or others than visible ASCII.
    pub fn new(id: impl AsRef<str>) -> Result<Self, KeyError> {
        let id = id.as_ref();
        Self::from_bytes(id.as_bytes()).ok_or_else(|| KeyError::Id { id: id.chars().take(2 * Self::MAX).collect() })
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut characters = [0; Self::MAX];
        characters.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self { characters, length: u8::try_from(bytes.len()).ok()? })
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII comes in.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.characters[..usize::from(self.length)]
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A secret, and the id that it signs under. Nothing prints it. It is kept on the heap, where it stays when the key is moved, and is overwritten there when the key is dropped. That is as far as it
/// goes: a copy that the compiler has left on the stack while the key was made is not, nor one that the operating system has written to a disk.
///
/// ```
/// use dms::session::{Algorithm, SigningKey};
///
/// # fn main() -> Result<(), dms::session::KeyError> {
/// let key = SigningKey::generate(Algorithm::Ed25519, "replica-1")?;
/// assert_eq!(format!("{key:?}"), "SigningKey { id: \"replica-1\", algorithm: Ed25519, .. }");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: KeyId,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    HmacSha256(Shared),
}

/// A secret that both sides have.
#[derive(Clone)]
struct Shared {
    bytes: Box<Zeroizing<[u8; 32]>>,
    /// HMAC with the key taken in, so that this is not done for each message.
    keyed: Box<Hmac<Sha256>>,
}

impl Shared {
    fn new(bytes: &[u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(bytes).expect("HMAC takes keys of every length");
        Self { bytes: Box::new(Zeroizing::new(*bytes)), keyed: Box::new(keyed) }
    }

    fn hmac(&self, text: [&[u8]; 2]) -> Hmac<Sha256> {
        let mut hmac = (*self.keyed).clone();
        for part in text {
            hmac.update(part);
        }
        hmac
    }
}

impl SigningKey {
    /// A new key, from random numbers of the operating system.
    ///
    /// # Errors
    /// [`KeyError::Id`] and [`KeyError::NoRandomness`].
    pub fn generate(algorithm: Algorithm, id: impl AsRef<str>) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random(&mut *secret)?;
        Self::from_bytes(algorithm, id, &secret)
    }

    /// The key of these 32 secret bytes: the private key of Ed25519 as RFC 8032 has it, or what both sides share for HMAC. They must come from a source of random
    /// numbers that is made for keys; a password is none.
    ///
    /// # Errors
    /// [`KeyError::Id`].
    pub fn from_bytes(algorithm: Algorithm, id: impl AsRef<str>, secret: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self::of(algorithm, KeyId::new(id)?, secret))
    }

    pub(super) fn of(algorithm: Algorithm, id: KeyId, secret: &[u8; 32]) -> Self {
        let secret = match algorithm {
            Algorithm::Ed25519 => Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(secret))),
            Algorithm::HmacSha256 => Secret::HmacSha256(Shared::new(secret)),
        };
        Self { id, secret }
    }

    /// The id that it signs under.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.secret {
            Secret::Ed25519(_) => Algorithm::Ed25519,
            Secret::HmacSha256(_) => Algorithm::HmacSha256,
        }
    }

    /// The key that verifies what this one signs. For Ed25519 it is public; for HMAC it is the same secret.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let key = match &self.secret {
            Secret::Ed25519(key) => Verifying::Ed25519(Box::new(key.verifying_key())),
            Secret::HmacSha256(shared) => Verifying::HmacSha256(shared.clone()),
        };
        VerifyingKey { id: self.id, key }
    }

    pub(super) fn secret_bytes(&self) -> &[u8; 32] {
        match &self.secret {
            Secret::Ed25519(key) => key.as_bytes(),
            Secret::HmacSha256(shared) => &shared.bytes,
        }
    }

    /// Puts the signature of `text` behind it.
    pub(super) fn sign(&self, text: &mut Vec<u8>) {
        match &self.secret {
            Secret::Ed25519(key) => text.extend(key.sign(text).to_bytes()),
            Secret::HmacSha256(shared) => text.extend(shared.hmac([text, &[]]).finalize().as_bytes()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

/// What verifies the messages of one key: a public key of Ed25519, or a shared secret of HMAC. Nothing prints it.
#[derive(Clone)]
pub struct VerifyingKey {
    id: KeyId,
    key: Verifying,
}

#[derive(Clone)]
enum Verifying {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    HmacSha256(Shared),
}

impl VerifyingKey {
    /// The key of 32 bytes: a public key of Ed25519, or a shared secret of HMAC.
    ///
    /// # Errors
    /// [`KeyError::Id`]; of Ed25519 also [`KeyError::NotAPoint`], and [`KeyError::Weak`] for keys under which anybody can sign.
    pub fn from_bytes(algorithm: Algorithm, id: impl AsRef<str>, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        Self::of(algorithm, KeyId::new(id)?, bytes)
    }

    pub(super) fn of(algorithm: Algorithm, id: KeyId, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = match algorithm {
            Algorithm::Ed25519 => {
                let key =
                    ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint { key: id })?;
                if key.is_weak() {
                    return Err(KeyError::Weak { key: id });
                }
                Verifying::Ed25519(Box::new(key))
            }
            Algorithm::HmacSha256 => Verifying::HmacSha256(Shared::new(bytes)),
        };
        Ok(Self { id, key })
    }

    /// The bytes of a public key; `None` for HMAC, whose key is secret.
    #[must_use]
    pub fn to_bytes(&self) -> Option<[u8; 32]> {
        match &self.key {
            Verifying::Ed25519(key) => Some(key.to_bytes()),
            Verifying::HmacSha256(_) => None,
        }
    }

    /// The id that messages must say to be verified with it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Verifying::Ed25519(_) => Algorithm::Ed25519,
            Verifying::HmacSha256(_) => Algorithm::HmacSha256,
        }
    }

    pub(super) fn raw_bytes(&self) -> Zeroizing<[u8; 32]> {
        match &self.key {
            Verifying::Ed25519(key) => Zeroizing::new(key.to_bytes()),
            Verifying::HmacSha256(shared) => (*shared.bytes).clone(),
        }
    }

    /// Whether the signature is that of this key over the parts of the text, one behind the other.
    ///
    /// Ed25519 is verified strictly: no second form of a signature is accepted, and no point of small order. HMAC is compared in constant time.
    pub(super) fn is_signature(&self, text: [&[u8]; 2], signature: &[u8]) -> bool {
        match &self.key {
            Verifying::Ed25519(key) => {
                let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
                key.verify_strict(&text.concat(), &signature).is_ok()
            }
            Verifying::HmacSha256(shared) => shared.hmac(text).verify_slice(signature).is_ok(),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// Fills bytes with random numbers of the operating system.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes).map_err(|error| KeyError::NoRandomness { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word_of_visible_characters() {
        for id in ["a", "replica-1", "2026-11/main@host:7", &"x".repeat(32)] {
            let key = KeyId::new(id).expect("an id");
            assert_eq!(key.as_str(), id);
            assert_eq!(format!("{key} {key:?}"), format!("{id} {id:?}"));
        }
        for id in ["", " ", "a b", "a\n", "\0", "é", &"x".repeat(33), &"x".repeat(300)] {
            assert!(matches!(KeyId::new(id), Err(KeyError::Id { .. })), "{id:?}");
        }
        let error = KeyId::new("x".repeat(300)).expect_err("too long");
        assert!(error.to_string().len() < 250, "{error}");
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let secret = [0xa5; 32];
        for algorithm in [Algorithm::Ed25519, Algorithm::HmacSha256] {
            let key = SigningKey::from_bytes(algorithm, "k", &secret).expect("a key");
            for text in [format!("{key:?} {key:#?}"), format!("{:?} {:#?}", key.verifying_key(), key.verifying_key())] {
                assert!(!text.contains("a5") && !text.contains("165"), "{text}");
            }
        }
    }

    #[test]
    fn no_secret_is_within_what_moves() {
        assert_eq!(size_of::<Shared>(), 2 * size_of::<usize>());
        assert!(size_of::<Secret>() <= 3 * size_of::<usize>());
    }

    #[test]
    fn weak_keys_and_no_keys_are_refused() {
        let key = |bytes| VerifyingKey::from_bytes(Algorithm::Ed25519, "k", &bytes).map(|key| key.id());
        let id = KeyId::new("k").expect("an id");
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(key(neutral), Err(KeyError::Weak { key: id }));
        assert_eq!(key([0; 32]), Err(KeyError::Weak { key: id }));
        let mut none = [0; 32];
        none[0] = 2;
        assert_eq!(key(none), Err(KeyError::NotAPoint { key: id }));
    }

    #[test]
    fn signatures_are_those_of_the_standards() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
        };
        // RFC 8032, section 7.1, test 2.
        let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key =
            SigningKey::from_bytes(Algorithm::Ed25519, "k", &secret.try_into().expect("32 bytes")).expect("a key");
        let mut text = vec![0x72];
        key.sign(&mut text);
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(text[1..], hex(expected));
        assert!(key.verifying_key().is_signature([&[0x72], &[]], &text[1..]));

        // RFC 4231, test case 1, has a key of 20 bytes; HMAC fills keys up with zeros.
        let mut secret = [0; 32];
        secret[..20].fill(0x0b);
        let key = SigningKey::from_bytes(Algorithm::HmacSha256, "k", &secret).expect("a key");
        let mut text = b"Hi There".to_vec();
        key.sign(&mut text);
        assert_eq!(text[8..], hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
        assert!(key.verifying_key().is_signature([b"Hi ", b"There"], &text[8..]));
    }
}
