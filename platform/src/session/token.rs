//! The secret that opens a session, and the id by which it is known everywhere else.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// The secret that a person's browser holds: 256 random bits in 43 characters of base64url.
#[derive(Clone, Debug)]
pub struct SessionToken(SecretString);

impl SessionToken {
    /// A new token.
    pub(super) fn random() -> Self {
        let bytes: [u8; TOKEN_BYTES] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The token that a client sent, if it can be one at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == TOKEN_BYTES).then(|| Self(text.into()))
    }

    /// The text for the client's cookie; it must go nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The id of the session that the token opens.
    #[must_use]
    pub fn id(&self) -> SessionId {
        SessionId(URL_SAFE_NO_PAD.encode(Sha256::digest(self.expose())))
    }
}

/// The name of a session. It is derived from the token and does not open the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// The id that a client sent, if it can be one at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        SessionToken::parse(text).map(|token| Self(token.expose().to_owned()))
    }

    /// An id that Redis held.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{SessionId, SessionToken};

    #[test]
    fn a_token_survives_the_cookie() {
        let token = SessionToken::random();
        assert_eq!(token.expose().len(), 43);
        assert_eq!(
            SessionToken::parse(token.expose()).unwrap().id(),
            token.id()
        );
        assert_eq!(SessionId::parse(token.id().as_str()), Some(token.id()));
    }

    #[test]
    fn tokens_differ_and_do_not_show() {
        let (one, other) = (SessionToken::random(), SessionToken::random());
        assert_ne!(one.id(), other.id());
        assert_ne!(one.id().as_str(), one.expose());
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        for text in [
            "",
            "short",
            &"A".repeat(42),
            &"A".repeat(44),
            &"A".repeat(1 << 20),
            &"*".repeat(43),
        ] {
            assert!(SessionToken::parse(text).is_none());
        }
    }
}
