//! Passwords: which will do, and how they are kept. Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, SaltString},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::PasswordChange;
use crate::{
    error::{Error, Result},
    viewer::Viewer,
};

/// Longest password, in bytes: more would only make us work.
pub(super) const PASSWORD_MAX: usize = 128;

/// Which passwords will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest characters.
    pub min_length: usize,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 10 }
    }
}

/// How many passwords are hashed at the same time: each takes 19 MiB and a processor.
static HASHING: Semaphore = Semaphore::const_new(2);

/// KiB of memory, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// The hash of a password that nobody knows, of the same cost as all others.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3MgcGFzc3dvcmQ$6gPm0nEw0f3cJ6f3V1u8D7mJp1qkq1m6Xw3o7r0vYxQ";

/// Whether nobody has this password.
pub(super) fn is_too_long(password: &SecretString) -> bool {
    password.expose_secret().len() > PASSWORD_MAX
}

/// Hashes a password, as a string that tells how.
pub(super) async fn hash(password: &SecretString) -> Result<String> {
    let password = password.clone();
    in_background(move || {
        let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
        Ok(argon2()?
            .hash_password(password.expose_secret().as_bytes(), &salt)?
            .to_string())
    })
    .await
}

/// Whether the password is the one that was hashed. Without a hash it is not, but finding that out takes as long.
pub(super) async fn verify(password: &SecretString, hash: Option<&str>) -> Result<bool> {
    let password = password.clone();
    let (hash, is_somebody) = (hash.unwrap_or(NOBODY).to_owned(), hash.is_some());
    in_background(move || {
        let hash = PasswordHash::new(&hash)?;
        match argon2()?.verify_password(password.expose_secret().as_bytes(), &hash) {
            Ok(()) => Ok(is_somebody),
            Err(password_hash::Error::Password) => Ok(false),
            Err(error) => Err(error),
        }
    })
    .await
}

/// The hash of the new password, if the old one is right.
pub(super) async fn replace(change: &PasswordChange, present: &str) -> Result<Option<String>> {
    if verify(&change.old, Some(present)).await? {
        hash(&change.new).await.map(Some)
    } else {
        Ok(None)
    }
}

/// What tells passwords apart when a request with an idempotency key comes again: as hard to guess the password from as its hash.
pub(super) async fn fingerprint(
    viewer: &Viewer,
    key: Option<&str>,
    password: &SecretString,
) -> Result<Option<Vec<u8>>> {
    let Some(key) = key else { return Ok(None) };
    let salt = Sha256::new()
        .chain_update(viewer.key())
        .chain_update([0])
        .chain_update(key)
        .finalize();
    let password = password.clone();
    in_background(move || {
        let mut fingerprint = vec![0; HASH_BYTES];
        argon2()?.hash_password_into(
            password.expose_secret().as_bytes(),
            &salt,
            &mut fingerprint,
        )?;
        Ok(Some(fingerprint))
    })
    .await
}

fn argon2() -> argon2::Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    Ok(Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(memory, passes, lanes, Some(HASH_BYTES))?,
    ))
}

/// Works on a thread that may be kept busy. The turn is kept until the work is done, even if nobody waits for it any more.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> password_hash::Result<T> + Send + 'static,
) -> Result<T> {
    let turn = HASHING.acquire().await.map_err(Error::internal)?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await
        .map_err(Error::internal)?
        .map_err(|error| Error::internal(format!("a password cannot be hashed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        text.into()
    }

    #[tokio::test]
    async fn a_password_opens_its_own_hash_and_no_other() {
        let kept = hash(&secret("correct horse")).await.unwrap();
        assert!(verify(&secret("correct horse"), Some(&kept)).await.unwrap());
        assert!(!verify(&secret("correct horsf"), Some(&kept)).await.unwrap());
        assert_ne!(
            hash(&secret("correct horse")).await.unwrap(),
            kept,
            "the salt is new each time"
        );
    }

    #[test]
    fn hashes_say_how_they_were_made_and_nobodys_costs_the_same() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), COST);
        assert_eq!(
            (nobody.algorithm, nobody.hash.unwrap().len()),
            (argon2::ARGON2ID_IDENT, HASH_BYTES)
        );
    }

    #[tokio::test]
    async fn a_fingerprint_depends_on_the_password_the_key_and_the_viewer() {
        let viewer = Viewer::system("test");
        let print = async |viewer: &Viewer, key, password| {
            fingerprint(viewer, Some(key), &secret(password))
                .await
                .unwrap()
        };
        let one = print(&viewer, "key", "password").await;
        assert_eq!(one, print(&viewer, "key", "password").await);
        assert_ne!(one, print(&viewer, "key", "passwore").await);
        assert_ne!(one, print(&viewer, "kez", "password").await);
        assert_ne!(one, print(&Viewer::anonymous(), "key", "password").await);
    }
}
