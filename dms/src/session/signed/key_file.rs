//! Keys in files.
//!
//! ```text
//! dms signing key 1
//! id replica-1
//! algorithm ed25519
//! key 4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb
//! ```
//!
//! A file is written beside its place, with permissions for its owner alone, and gets its name when it lies on the disk whole; a name that something has is not taken over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{KeyError, KeyFileError};
use super::key::{Algorithm, KeyId, SigningKey, VerifyingKey, random};

/// More than a key file has.
const LIMIT: usize = 256;
const SIGNING: &str = "signing key";
const VERIFYING: &str = "verifying key";

impl SigningKey {
    /// Writes the key to a new file that only its owner can read (mode 600 on Unix). When this returns the file is on the disk; until then there is none.
    ///
    /// It blocks, as files do; keys are read and written where a program begins.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`]: something has the name; keys are not overwritten. Or the file cannot be written, also where the file system has no hard links.
    pub fn create_file(&self, path: impl AsRef<Path>) -> Result<(), KeyFileError> {
        let text = text(SIGNING, self.id(), self.algorithm(), self.secret_bytes());
        create(path.as_ref(), &text, true)
    }

    /// Reads the key from a file that [`create_file`](Self::create_file) wrote. It blocks.
    ///
    /// # Errors
    /// [`KeyFileError::Exposed`]: others than its owner have permissions for the file; on other systems than Unix permissions are not looked at. Or it cannot be read, or holds no
    /// signing key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let (text, mode) = read(path)?;
        refuse_exposed(path, mode)?;
        let (algorithm, id, bytes) = parse(SIGNING, &text).map_err(|fault| fault.of(path, SIGNING))?;
        Ok(Self::of(algorithm, id, &bytes))
    }
}

impl VerifyingKey {
    /// Writes the key to a new file. A public key may be read by everybody; the secret of HMAC by its owner alone, as that of a [`SigningKey`]. It blocks.
    ///
    /// # Errors
    /// As [`SigningKey::create_file`].
    pub fn create_file(&self, path: impl AsRef<Path>) -> Result<(), KeyFileError> {
        let text = text(VERIFYING, self.id(), self.algorithm(), &self.raw_bytes());
        create(path.as_ref(), &text, self.to_bytes().is_none())
    }

    /// Reads the key from a file that [`create_file`](Self::create_file) wrote. It blocks.
    ///
    /// # Errors
    /// As [`SigningKey::from_file`], but a file with a public key may be open to others.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let (text, mode) = read(path)?;
        let (algorithm, id, bytes) = parse(VERIFYING, &text).map_err(|fault| fault.of(path, VERIFYING))?;
        let key = Self::of(algorithm, id, &bytes).map_err(|error| Fault::Key(error).of(path, VERIFYING))?;
        if key.to_bytes().is_none() {
            refuse_exposed(path, mode)?;
        }
        Ok(key)
    }
}

/// What is wrong with the text of a file.
enum Fault {
    Form(&'static str),
    Key(KeyError),
}

impl Fault {
    fn of(self, path: &Path, expected: &'static str) -> KeyFileError {
        let path = path.to_owned();
        match self {
            Self::Form(reason) => KeyFileError::Broken { path, expected, reason },
            Self::Key(source) => KeyFileError::Key { path, source },
        }
    }
}

fn text(kind: &str, id: KeyId, algorithm: Algorithm, key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    // All of it at once: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LIMIT));
    text.extend_from_slice(format!("dms {kind} 1\nid {id}\nalgorithm {algorithm}\nkey ").as_bytes());
    text.extend(
        key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).map(|digit| b"0123456789abcdef"[usize::from(digit)]),
    );
    text.push(b'\n');
    text
}

fn parse(kind: &str, text: &[u8]) -> Result<(Algorithm, KeyId, Zeroizing<[u8; 32]>), Fault> {
    let text = str::from_utf8(text).map_err(|_| Fault::Form("it is no text"))?;
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    if line() != format!("dms {kind} 1") {
        return Err(Fault::Form("its first line is that of something else"));
    }
    let id = line().strip_prefix("id ").ok_or(Fault::Form("its second line is not `id ID`"))?;
    let id = KeyId::new(id).map_err(Fault::Key)?;
    let algorithm = match line() {
        "algorithm ed25519" => Algorithm::Ed25519,
        "algorithm hmac-sha256" => Algorithm::HmacSha256,
        _ => return Err(Fault::Form("its third line names no algorithm: ed25519 or hmac-sha256")),
    };
    let key = line().strip_prefix("key ").and_then(hexadecimal);
    let key = key.ok_or(Fault::Form("its fourth line is not `key` and 64 hexadecimal digits"))?;
    if lines.next().is_some() {
        return Err(Fault::Form("something follows its fourth line"));
    }
    Ok((algorithm, id, key))
}

fn hexadecimal(digits: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let mut bytes = Zeroizing::new([0; 32]);
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    Some(bytes)
}

/// The text of a file, and its permissions where the system has some.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Option<u32>), KeyFileError> {
    let read_error = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read_error)?;
    let metadata = file.metadata().map_err(read_error)?;
    let mut text = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    // A buffer that is full grows before it is known that nothing follows.
    file.take(LIMIT as u64).read_to_end(&mut text).map_err(read_error)?;
    Ok((text, permissions(&metadata)))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn permissions(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn permissions(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

fn refuse_exposed(path: &Path, mode: Option<u32>) -> Result<(), KeyFileError> {
    match mode {
        Some(mode) if mode & 0o077 != 0 => Err(KeyFileError::Exposed { path: path.to_owned(), mode }),
        _ => Ok(()),
    }
}

fn create(path: &Path, text: &[u8], is_secret: bool) -> Result<(), KeyFileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write_error = |source| KeyFileError::Write { path: path.to_owned(), source };
    let temporary = Temporary::write(folder, text, is_secret).map_err(write_error)?;
    // Unlike `rename` this never takes a name over.
    fs::hard_link(&temporary.0, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => write_error(source),
    })?;
    drop(temporary);
    sync_folder(folder).map_err(write_error)
}

/// A file that has not got its name yet; that name is removed in any case.
struct Temporary(PathBuf);

impl Temporary {
    fn write(folder: &Path, text: &[u8], is_secret: bool) -> io::Result<Self> {
        let mut number = [0; 8];
        random(&mut number).map_err(io::Error::other)?;
        let path = folder.join(format!(".key-{:016x}.tmp", u64::from_be_bytes(number)));
        let mut file = options(is_secret).open(&path)?;
        let temporary = Self(path);
        file.write_all(text)?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Whoever creates the file hears of the error that came before.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
fn options(is_secret: bool) -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(if is_secret { 0o600 } else { 0o644 });
    options
}

#[cfg(not(unix))]
fn options(_is_secret: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Has the names in a folder written to the disk. Elsewhere than on Unix folders are no files.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
