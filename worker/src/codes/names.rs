//! What the files of an archive are called: names that every system takes, and no two of which are the same on any.

use std::collections::HashSet;

/// Longest name without its ending and its number, in bytes: file systems take 255.
const NAME_MAX: usize = 200;
/// What Windows keeps for devices, whatever stands behind a dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The names that are given away already, in small letters.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// The name of a file for what people call this, with this ending. The second of the same name has a number.
    pub(super) fn give(&mut self, title: &str, ending: &str) -> String {
        let name = safe(title);
        let mut given = name.clone();
        let mut number = 1;
        while !self.0.insert(given.to_lowercase()) {
            number += 1;
            given = format!("{name}-{number}");
        }
        format!("{given}.{ending}")
    }
}

/// Letters and digits of any script, and what separates them in names; everything else is an underscore.
fn safe(title: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let chars = title.chars().map(|c| if kept(c) { c } else { '_' });
    let mut length = 0;
    let fits = |c: &char| {
        length += c.len_utf8();
        length <= NAME_MAX
    };
    let name: String = chars.take_while(fits).collect();
    let start = name.split('.').next().unwrap_or_default().to_lowercase();
    let is_device = DEVICES.contains(&start.as_str()) || is_port(&start);
    // What begins with a dot is hidden.
    if is_device || name.is_empty() || name.starts_with('.') {
        format!("_{name}")
    } else {
        name
    }
}

/// `com1` to `com9`, and `lpt1` to `lpt9`.
fn is_port(name: &str) -> bool {
    let number = name.strip_prefix("com").or(name.strip_prefix("lpt"));
    number.is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_and_are_taken_everywhere() {
        for (title, expected) in [
            ("RING-1", "RING-1"),
            ("RING-1 L/7", "RING-1_L_7"),
            ("../../etc/passwd", "_.._.._etc_passwd"),
            ("..", "_.."),
            ("A\\B:C*D", "A_B_C_D"),
            ("طلا-۱", "طلا-۱"),
            ("CON", "_CON"),
            ("nul.X", "_nul.X"),
            ("COM3", "_COM3"),
            ("CONE", "CONE"),
            ("a\0b\r\n", "a_b__"),
            ("", "_"),
        ] {
            assert_eq!(
                Names::default().give(title, "svg"),
                format!("{expected}.svg")
            );
        }
        let long = Names::default().give(&"گ".repeat(500), "png");
        assert_eq!(long.len(), NAME_MAX + 4);
    }

    #[test]
    fn no_two_are_the_same_on_any_system() {
        let mut names = Names::default();
        let given = ["A/1", "A#1", "a 1", "A_1-2", "B"].map(|title| names.give(title, "svg"));
        assert_eq!(
            given,
            ["A_1.svg", "A_1-2.svg", "a_1-3.svg", "A_1-2-2.svg", "B.svg"]
        );
    }
}
