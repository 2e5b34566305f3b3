//! Where labels stand on the sheets that shops buy. The measures are the makers'.

use domain::label::{Layout, Template};
use platform::pdf::{Direction, Length};

/// Sheets of one kind: micrometres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    /// Width and height of a page.
    pub(super) page: (Length, Length),
    /// Width and height of what is printed on a label.
    pub(super) label: (Length, Length),
    columns: usize,
    rows: usize,
    /// Upper left corner of the first label.
    first: (Length, Length),
    /// From one label to the next, across and down.
    pitch: (Length, Length),
}

const A4: (Length, Length) = (210_000, 297_000);
const LETTER: (Length, Length) = (215_900, 279_400);

impl Paper {
    pub(super) fn of(layout: Layout, template: Template) -> Self {
        match layout {
            Layout::A4L7160 => Self {
                page: A4,
                label: (63_500, 38_100),
                columns: 3,
                rows: 7,
                first: (7_210, 15_150),
                pitch: (66_040, 38_100),
            },
            Layout::A4L7651 => Self {
                page: A4,
                label: (38_100, 21_200),
                columns: 5,
                rows: 13,
                first: (4_750, 10_700),
                pitch: (40_600, 21_200),
            },
            Layout::Letter5160 => Self {
                page: LETTER,
                label: (66_675, 25_400),
                columns: 3,
                rows: 10,
                first: (4_762, 12_700),
                pitch: (69_850, 25_400),
            },
            Layout::Roll => Self::roll(template),
        }
    }

    fn roll(template: Template) -> Self {
        let (page, label) = match template {
            // A rat-tail tag: two leaves of 25 mm that are folded over each other, and the tail, on which nothing is printed.
            Template::Jewellery => ((72_000, 12_000), (50_000, 12_000)),
            Template::Shelf => ((60_000, 40_000), (60_000, 40_000)),
            Template::Carton => ((100_000, 150_000), (100_000, 150_000)),
        };
        Self {
            page,
            label,
            columns: 1,
            rows: 1,
            first: (0, 0),
            pitch: page,
        }
    }

    /// How many labels a page has.
    pub(super) fn labels(&self) -> usize {
        self.columns * self.rows
    }

    /// The upper left corner of the label in this place, from 0, row by row. In Persian rows are read from the right.
    pub(super) fn corner(&self, place: usize, direction: Direction) -> (Length, Length) {
        let (row, column) = (place / self.columns, place % self.columns);
        let column = match direction {
            Direction::LeftToRight => column,
            Direction::RightToLeft => self.columns - 1 - column,
        };
        let along = |first: Length, pitch: Length, count: usize| {
            first + pitch * Length::try_from(count).unwrap_or(0)
        };
        (
            along(self.first.0, self.pitch.0, column),
            along(self.first.1, self.pitch.1, row),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUTS: [Layout; 4] = [
        Layout::A4L7160,
        Layout::A4L7651,
        Layout::Letter5160,
        Layout::Roll,
    ];

    #[test]
    fn all_labels_lie_on_the_page_and_beside_each_other() {
        for layout in LAYOUTS {
            for template in [Template::Jewellery, Template::Shelf, Template::Carton] {
                let paper = Paper::of(layout, template);
                assert_eq!(paper.labels(), layout.labels_a_sheet() as usize);
                let (width, height) = paper.label;
                let last = paper.corner(paper.labels() - 1, Direction::LeftToRight);
                let (right, bottom) = (last.0 + width, last.1 + height);
                assert!(
                    right <= paper.page.0 && bottom <= paper.page.1,
                    "{layout:?}"
                );
                assert!(paper.columns == 1 || paper.pitch.0 >= width, "{layout:?}");
                assert!(paper.rows == 1 || paper.pitch.1 >= height, "{layout:?}");
                // Margins are the same on both sides, to a tenth of a millimetre.
                if paper.columns > 1 {
                    let margins = (paper.first.0 - (paper.page.0 - right)).abs();
                    assert!(margins <= 100, "{layout:?}: {margins}");
                }
            }
        }
    }

    #[test]
    fn rows_are_read_in_the_direction_of_the_language() {
        let paper = Paper::of(Layout::A4L7160, Template::Shelf);
        let (left, right) = ((7_210, 15_150), (7_210 + 2 * 66_040, 15_150));
        assert_eq!(paper.corner(0, Direction::LeftToRight), left);
        assert_eq!(paper.corner(0, Direction::RightToLeft), right);
        assert_eq!(paper.corner(3, Direction::LeftToRight), (7_210, 53_250));
    }
}
