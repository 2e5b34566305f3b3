//! Numbers that papers and hallmarks carry: unique, and scattered as real ones are.

use serde_json::{Value, json};

const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Six places of 36 signs.
const CODES: u64 = 36_u64.pow(6);
/// Shares no factor with [`CODES`], so that multiplying by it maps the numbers one to one.
const SCATTER: u64 = 1_274_126_177;

/// The hallmark's unique id: six capital letters or digits, another one for each number below 36^6.
pub(super) fn hallmark(number: u64) -> String {
    let mut rest = (number * SCATTER + 987_654_321) % CODES;
    let mut code = String::with_capacity(6);
    for _ in 0..6 {
        code.push(char::from(
            ALPHABET[usize::try_from(rest % 36).unwrap_or_default()],
        ));
        rest /= 36;
    }
    code
}

/// A stone's report by the demo's own, invented laboratory.
pub(super) fn report(number: u64) -> Value {
    json!({ "laboratory": "Demo Gem Laboratory", "number": format!("DGL-{:07}", 1_000_000 + number * 37) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hallmark;

    #[test]
    fn hallmarks_differ() {
        let codes: HashSet<_> = (0..100_000).map(hallmark).collect();
        assert_eq!(codes.len(), 100_000);
    }
}
