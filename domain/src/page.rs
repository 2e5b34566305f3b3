//! Pages of long lists: a bounded number of rows before or after a cursor.

use crate::error::{Code, Refusal};

/// Most rows of one page.
pub const PAGE_MAX: u32 = 100;
/// Rows of a page when the client does not say.
pub const PAGE_DEFAULT: u32 = 20;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// This many rows from the beginning, or from `after`.
    pub first: Option<i32>,
    /// This many rows from the end, or from `before`.
    pub last: Option<i32>,
    /// Only rows behind this cursor.
    pub after: Option<String>,
    /// Only rows in front of this cursor.
    pub before: Option<String>,
}

/// Arguments that make sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many rows at most.
    pub size: u32,
    /// Whether they are counted from the end.
    pub backward: bool,
}

impl Window {
    /// How many rows at most.
    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }
}

impl PageArgs {
    /// How many rows, and from which end.
    ///
    /// # Errors
    /// When a number is out of range or both ends are asked for.
    pub fn window(&self) -> Result<Window, Refusal> {
        match (self.first, self.last) {
            (Some(_), Some(_)) => Err(Refusal::new(Code::InvalidFormat, "last")),
            (None, Some(last)) => Ok(Window {
                size: bounded("last", last)?,
                backward: true,
            }),
            (Some(first), None) => Ok(Window {
                size: bounded("first", first)?,
                backward: false,
            }),
            (None, None) => Ok(Window {
                size: PAGE_DEFAULT,
                backward: false,
            }),
        }
    }
}

fn bounded(path: &str, count: i32) -> Result<u32, Refusal> {
    u32::try_from(count)
        .ok()
        .filter(|count| *count <= PAGE_MAX)
        .ok_or_else(|| {
            Refusal::new(Code::OutOfRange, path)
                .with("min", 0)
                .with("max", PAGE_MAX)
        })
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Rows with the cursor of each, in the list's order.
    pub edges: Vec<(String, T)>,
    /// Whether the list goes on behind the page.
    pub has_next: bool,
    /// Whether the list has rows in front of the page.
    pub has_previous: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            edges: Vec::new(),
            has_next: false,
            has_previous: false,
        }
    }
}

/// How many rows a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalCount {
    /// The number.
    pub count: u64,
    /// Whether it is exact; beyond [`COUNT_EXACT_MAX`] it is PostgreSQL's estimate.
    pub exact: bool,
}

/// Up to here lists are counted; beyond, they are estimated.
pub const COUNT_EXACT_MAX: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::{PAGE_DEFAULT, PageArgs, Window};

    fn window(first: Option<i32>, last: Option<i32>) -> Option<Window> {
        PageArgs {
            first,
            last,
            ..PageArgs::default()
        }
        .window()
        .ok()
    }

    #[test]
    fn pages_are_bounded_and_have_one_direction() {
        assert_eq!(
            window(None, None),
            Some(Window {
                size: PAGE_DEFAULT,
                backward: false
            })
        );
        assert_eq!(
            window(None, Some(100)),
            Some(Window {
                size: 100,
                backward: true
            })
        );
        assert_eq!(
            window(Some(0), None),
            Some(Window {
                size: 0,
                backward: false
            })
        );
        assert_eq!(window(Some(101), None), None);
        assert_eq!(window(Some(-1), None), None);
        assert_eq!(window(Some(1), Some(1)), None);
    }
}
