//! Versions of rows: whoever changes one may say which version they have seen, so that nobody overwrites what they do not know of.

use crate::error::{Code, Refusal};

/// Refuses when the row is of another version than is expected; whoever expects none takes any.
pub(crate) fn check(actual: i64, expected: Option<i64>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != actual => {
            let refusal = Refusal::new(Code::StaleVersion, "expectedVersion");
            Err(refusal.with("expected", expected).with("actual", actual))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, check};

    #[test]
    fn another_version_than_was_seen_is_refused() {
        assert!(check(3, None).is_ok());
        assert!(check(3, Some(3)).is_ok());
        let refusal = check(3, Some(2)).unwrap_err();
        assert_eq!(refusal.code, Code::StaleVersion);
        assert_eq!(refusal.path, ["expectedVersion"]);
    }
}
