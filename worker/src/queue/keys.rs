//! The names of a queue's keys. All of them share the hash tag `{prefix:name}`,
//! so that a Redis cluster keeps a queue on one node, where its scripts can reach all of it.

use redis::{Script, ScriptInvocation};
use uuid::Uuid;

use super::Error;

/// The keys of one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    tag: String,
}

impl Keys {
    pub(super) fn new(prefix: &str, name: &str) -> Result<Self, Error> {
        for (part, extra) in [(prefix, ":"), (name, "")] {
            if part.is_empty() || !part.chars().all(|c| is_plain(c) || extra.contains(c)) {
                return Err(Error::Name(part.to_owned()));
            }
        }
        Ok(Self {
            tag: format!("{{{prefix}:{name}}}"),
        })
    }

    /// Sorted set of the ids that wait for a worker; the score is the place in the line (priority, then age).
    #[must_use]
    pub fn ready(&self) -> String {
        self.of("ready")
    }

    /// Sorted set of the ids that wait for their time; the score is that time in Unix milliseconds.
    #[must_use]
    pub fn scheduled(&self) -> String {
        self.of("scheduled")
    }

    /// Sorted set of the ids that a worker holds; the score is the end of the lease in Unix milliseconds.
    #[must_use]
    pub fn leased(&self) -> String {
        self.of("leased")
    }

    /// Sorted set of the ids that failed for good; the score is the time of death in Unix milliseconds.
    #[must_use]
    pub fn dead(&self) -> String {
        self.of("dead")
    }

    /// Counter that numbers the places in the line.
    #[must_use]
    pub fn sequence(&self) -> String {
        self.of("sequence")
    }

    /// Counter of the acknowledgements that were refused because the lease was lost.
    #[must_use]
    pub fn fenced(&self) -> String {
        self.of("fenced")
    }

    /// Hash with the record of one task: payload, counters, state, lease token.
    #[must_use]
    pub fn task(&self, id: Uuid) -> String {
        format!("{}{id}", self.task_prefix())
    }

    /// Channel (not a key) on which a push is announced to idle workers.
    #[must_use]
    pub fn wake(&self) -> String {
        self.of("wake")
    }

    /// Begins a call of `script` with the keys and arguments that every script expects.
    pub(super) fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.key(self.ready());
        call.key(self.scheduled())
            .key(self.leased())
            .key(self.dead())
            .key(self.sequence())
            .key(self.fenced())
            .arg(self.task_prefix())
            .arg(self.wake());
        call
    }

    fn task_prefix(&self) -> String {
        self.of("task:")
    }

    fn of(&self, what: &str) -> String {
        format!("{}:{what}", self.tag)
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_share_the_hash_tag() {
        let keys = Keys::new("shop:test", "mail").unwrap();
        for key in [keys.ready(), keys.wake(), keys.task(Uuid::nil())] {
            assert!(key.starts_with("{shop:test:mail}:"), "{key}");
        }
    }

    #[test]
    fn names_that_would_break_the_hash_tag_are_refused() {
        for (prefix, name) in [
            ("", "a"),
            ("a", ""),
            ("{a", "b"),
            ("a", "b}"),
            ("a", "b:c"),
            ("a b", "c"),
        ] {
            assert!(Keys::new(prefix, name).is_err(), "{prefix:?} {name:?}");
        }
    }
}
