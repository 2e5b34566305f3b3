//! The cookie that holds a session's token.

use std::time::Duration;

use platform::{
    config::{self, Environment},
    session::SessionToken,
};
use poem::http::HeaderValue;

/// How the cookie looks: out of reach for scripts and for forms of other sites, and only over HTTPS where there is any.
pub(super) struct SessionCookie {
    name: String,
    secure: bool,
    max_age: Duration,
}

impl SessionCookie {
    /// The prefix of the name makes browsers insist on `Secure`, `Path=/` and no `Domain`, so that no neighbouring host can set it.
    pub(super) fn new(settings: &config::Auth, environment: Environment) -> Self {
        let secure = environment.secure_cookies();
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            name: format!("{prefix}{}", settings.cookie_name),
            secure,
            max_age: settings.session_max,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The `Set-Cookie` value that gives a browser its token.
    pub(super) fn holding(&self, token: &SessionToken) -> Option<HeaderValue> {
        self.header(token.expose(), self.max_age)
    }

    /// The `Set-Cookie` value that takes it away.
    pub(super) fn removal(&self) -> Option<HeaderValue> {
        self.header("", Duration::ZERO)
    }

    /// Neither the name nor the value holds anything that would have to be escaped.
    fn header(&self, value: &str, max_age: Duration) -> Option<HeaderValue> {
        let (name, seconds) = (&self.name, max_age.as_secs());
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut header = HeaderValue::from_str(&cookie).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(secure: bool) -> SessionCookie {
        let name = if secure { "__Host-shop" } else { "shop" };
        SessionCookie {
            name: name.into(),
            secure,
            max_age: Duration::from_secs(60),
        }
    }

    #[test]
    fn it_is_out_of_reach() {
        let token = SessionToken::parse(&"A".repeat(43)).unwrap();
        let header = cookie(true).holding(&token).unwrap();
        let expected = format!(
            "__Host-shop={}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure",
            "A".repeat(43)
        );
        assert_eq!(header.to_str().unwrap(), expected);
        assert!(
            !format!("{header:?}").contains("AAA"),
            "it does not show in a log"
        );
    }

    #[test]
    fn its_removal_has_the_same_attributes() {
        let header = cookie(false).removal().unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            "shop=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
