//! Counts the tokens of a GraphQL document and how deep its brackets nest, without parsing it. The parser works
//! recursively, so this is checked before it sees the text.

/// What a document costs to parse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Names, numbers, strings and punctuation marks.
    pub(super) tokens: usize,
    /// The deepest nesting of `{`, `[` and `(`.
    pub(super) nesting: usize,
}

/// Measures a document. One pass, no allocation.
pub(super) fn measure(source: &str) -> Shape {
    let mut rest = source.as_bytes();
    let (mut shape, mut depth) = (Shape::default(), 0_usize);
    while let Some(&byte) = rest.first() {
        let (length, is_token) = lexeme(byte, rest);
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        shape.tokens += usize::from(is_token);
        shape.nesting = shape.nesting.max(depth);
        rest = rest.get(length..).unwrap_or_default();
    }
    shape
}

/// The length of the next lexeme and whether it counts as a token.
fn lexeme(byte: u8, rest: &[u8]) -> (usize, bool) {
    match byte {
        b' ' | b'\t' | b'\n' | b'\r' | b',' => (1, false),
        b'#' => (run(rest, |byte| byte != b'\n' && byte != b'\r'), false),
        b'"' => (string(rest), true),
        b'.' => (run(rest, |byte| byte == b'.'), true),
        b'-' | b'0'..=b'9' => (
            run(rest, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'_')
            }),
            true,
        ),
        _ if is_name(byte) => (run(rest, is_name), true),
        _ => (1, true),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    rest.iter().take_while(|byte| belongs(**byte)).count()
}

/// The length of a string or block string that begins here. An unterminated one ends at its line (or the
/// document's) end, and the parser refuses it.
fn string(rest: &[u8]) -> usize {
    if rest.starts_with(b"\"\"\"") {
        return 3 + until(rest, 3, b"\"\"\"", |_| false);
    }
    1 + until(rest, 1, b"\"", |byte| byte == b'\n' || byte == b'\r')
}

/// The distance from `start` to just behind the first unescaped `end`, or to a byte that breaks the string off.
fn until(rest: &[u8], start: usize, end: &[u8], breaks: impl Fn(u8) -> bool) -> usize {
    let mut at = start;
    while let Some(&byte) = rest.get(at) {
        if rest[at..].starts_with(end) {
            return at + end.len() - start;
        }
        if breaks(byte) {
            break;
        }
        at += escape(&rest[at..], end);
    }
    at - start
}

/// How many bytes to step: an escaped delimiter or an escaped character is stepped over whole.
fn escape(rest: &[u8], end: &[u8]) -> usize {
    let escaped_block = end.len() == 3 && rest.starts_with(b"\\\"\"\"");
    match (rest.first(), escaped_block) {
        (_, true) => 4,
        (Some(b'\\'), false) if end.len() == 1 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(source: &str) -> (usize, usize) {
        let Shape { tokens, nesting } = measure(source);
        (tokens, nesting)
    }

    #[test]
    fn punctuation_names_and_numbers_count() {
        assert_eq!(shape("{ a, b }"), (4, 1));
        assert_eq!(
            shape("query Q($x: [Int!]! = [1, -2.5e+3]) { f(x: $x) { ...F } }"),
            (30, 2)
        );
    }

    #[test]
    fn comments_and_strings_hide_brackets() {
        assert_eq!(shape("# {{{{\n{ a }"), (3, 1));
        assert_eq!(shape(r#"{ a(s: "{{ \" {{") }"#), (8, 2));
        assert_eq!(shape("{ a(s: \"\"\"{{ \\\"\"\" {{ \" \"\"\") }"), (8, 2));
        assert_eq!(shape(r#"{ a(s: "") b(s: "\\") { c } }"#), (17, 2));
    }

    #[test]
    fn an_unterminated_string_hides_only_its_line() {
        assert_eq!(shape("\"{{{\n{{"), (3, 2));
        assert_eq!(shape("\"\"\"{{{\n{{"), (1, 0));
        assert_eq!(shape("\"\\"), (1, 0));
    }

    #[test]
    fn unbalanced_and_foreign_text_is_survived() {
        assert_eq!(shape("}}}{"), (4, 1));
        assert_eq!(shape(""), (0, 0));
        assert!(shape("سلام { a }").1 == 1);
    }
}
