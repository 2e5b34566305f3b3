//! What labels stand on. Measures are micrometres, from a page's upper left corner; they are the makers', as `gLabels`' templates and the
//! makers' own data sheets have them, with the margins on both sides alike.

use serde::{Deserialize, Serialize};

use super::LabelKind;

/// What labels are printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A4 with 7 × 27 labels of 25.4 × 10 mm, such as Avery L4731.
    A4L4731,
    /// A4 with 3 × 7 labels of 63.5 × 38.1 mm, such as Avery L7160.
    A4L7160,
    /// A4 with 2 × 7 labels of 99.1 × 38.1 mm, such as Avery L7163.
    A4L7163,
    /// A4 with 5 × 13 labels of 38.1 × 21.2 mm, such as Avery L7651.
    A4L7651,
    /// Letter with 3 × 10 labels of 2⅝ × 1 inch, such as Avery 5160.
    Letter5160,
    /// Letter with 2 × 5 labels of 4 × 2 inches, such as Avery 5163.
    Letter5163,
    /// A roll of labels as large as their kind wants them: one a page.
    Roll,
}

/// Where the labels of a page stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Width and height of a page.
    pub page: (i32, i32),
    /// Width and height of what is printed on a label.
    pub label: (i32, i32),
    /// Labels beside each other.
    pub columns: i32,
    /// Labels under each other.
    pub rows: i32,
    /// Upper left corner of the first label.
    pub first: (i32, i32),
    /// From one label to the next, across and down.
    pub pitch: (i32, i32),
}

const A4: (i32, i32) = (210_000, 297_000);
const LETTER: (i32, i32) = (215_900, 279_400);

impl Layout {
    /// Every layout there is.
    pub const ALL: &[Self] = &[
        Self::A4L4731,
        Self::A4L7160,
        Self::A4L7163,
        Self::A4L7651,
        Self::Letter5160,
        Self::Letter5163,
        Self::Roll,
    ];

    /// Where labels of this kind stand on it.
    #[must_use]
    pub fn grid(self, kind: LabelKind) -> Grid {
        match self {
            Self::A4L4731 => Grid {
                page: A4,
                label: (25_400, 10_000),
                columns: 7,
                rows: 27,
                first: (8_600, 13_500),
                pitch: (27_900, 10_000),
            },
            Self::A4L7160 => Grid {
                page: A4,
                label: (63_500, 38_100),
                columns: 3,
                rows: 7,
                first: (7_210, 15_150),
                pitch: (66_040, 38_100),
            },
            Self::A4L7163 => Grid {
                page: A4,
                label: (99_100, 38_100),
                columns: 2,
                rows: 7,
                first: (4_630, 15_150),
                pitch: (101_640, 38_100),
            },
            Self::A4L7651 => Grid {
                page: A4,
                label: (38_100, 21_200),
                columns: 5,
                rows: 13,
                first: (4_750, 10_700),
                pitch: (40_600, 21_200),
            },
            Self::Letter5160 => Grid {
                page: LETTER,
                label: (66_675, 25_400),
                columns: 3,
                rows: 10,
                first: (4_762, 12_700),
                pitch: (69_850, 25_400),
            },
            Self::Letter5163 => Grid {
                page: LETTER,
                label: (101_600, 50_800),
                columns: 2,
                rows: 5,
                first: (3_969, 12_700),
                pitch: (106_362, 50_800),
            },
            Self::Roll => Self::roll(kind),
        }
    }

    fn roll(kind: LabelKind) -> Grid {
        let (page, label) = match kind {
            // A rat-tail tag: two leaves of 25 mm that are folded over each other, and the tail, on which nothing is printed.
            LabelKind::JewelleryTag => ((72_000, 12_000), (50_000, 12_000)),
            LabelKind::Shelf => ((60_000, 40_000), (60_000, 40_000)),
            LabelKind::Carton => ((100_000, 150_000), (100_000, 150_000)),
        };
        Grid {
            page,
            label,
            columns: 1,
            rows: 1,
            first: (0, 0),
            pitch: page,
        }
    }
}

impl Grid {
    /// How many labels a page has.
    #[must_use]
    pub fn labels(&self) -> i32 {
        self.columns * self.rows
    }

    /// The upper left corner of the label in this place, from 0, row by row; in languages that are written from the right, rows are
    /// read from there too.
    #[must_use]
    pub fn corner(&self, place: i32, from_the_right: bool) -> (i32, i32) {
        let (row, column) = (place / self.columns, place % self.columns);
        let column = if from_the_right {
            self.columns - 1 - column
        } else {
            column
        };
        (
            self.first.0 + self.pitch.0 * column,
            self.first.1 + self.pitch.1 * row,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_labels_lie_on_the_page_and_beside_each_other() {
        for layout in Layout::ALL {
            for kind in LabelKind::ALL {
                let grid = layout.grid(*kind);
                let (width, height) = grid.label;
                let last = grid.corner(grid.labels() - 1, false);
                let (right, bottom) = (last.0 + width, last.1 + height);
                assert!(right <= grid.page.0 && bottom <= grid.page.1, "{layout:?}");
                assert!(grid.columns == 1 || grid.pitch.0 >= width, "{layout:?}");
                assert!(grid.rows == 1 || grid.pitch.1 >= height, "{layout:?}");
                // Margins are the same on both sides, to a twentieth of a millimetre.
                if grid.columns > 1 {
                    let (across, down) = (
                        grid.first.0 - (grid.page.0 - right),
                        grid.first.1 - (grid.page.1 - bottom),
                    );
                    assert!(across.abs() <= 50 && down.abs() <= 50, "{layout:?}");
                }
            }
        }
    }

    #[test]
    fn rows_are_read_in_the_direction_of_the_language() {
        let grid = Layout::A4L7160.grid(LabelKind::Shelf);
        let (left, right) = ((7_210, 15_150), (7_210 + 2 * 66_040, 15_150));
        assert_eq!((grid.corner(0, false), grid.corner(0, true)), (left, right));
        assert_eq!(grid.corner(3, false), (7_210, 53_250));
    }
}
