//! Puts what a label says into the room that it has.

use domain::label::{LabelKind, LabelOptions, Layout};
use platform::pdf::{Direction, Length, Typeface};

use super::{
    Content, Drawing, Text,
    symbol::{Symbol, symbol},
};

/// The smallest letters that people can read, in micrometres: 4 points.
const LETTERS_MIN: Length = 1_400;
/// The largest letters of anything.
const LETTERS_MAX: Length = 9_000;

/// A part of a label.
#[derive(Clone, Copy, Debug)]
struct Room {
    left: Length,
    top: Length,
    width: Length,
    height: Length,
}

/// A line to be written.
#[derive(Clone, Copy, Debug)]
enum Words<'a> {
    /// In the language of the label.
    Said(&'a str),
    /// What is compared letter by letter, like an SKU: always from left to right, or `1-A` would be read as `A-1`.
    Code(&'a str),
}

/// A label with this content, in this width and height.
pub(super) fn label(
    content: &Content,
    options: &LabelOptions,
    typeface: &Typeface,
    (width, height): (Length, Length),
) -> Drawing {
    let mut composer = Composer {
        typeface,
        options,
        direction: super::direction(options.locale),
        drawing: Drawing::default(),
    };
    let whole = Room {
        left: 0,
        top: 0,
        width,
        height,
    };
    match options.kind {
        LabelKind::JewelleryTag => composer.jewellery(content, whole),
        LabelKind::Shelf => {
            let price = Words::Said(content.price.as_deref().unwrap_or_default());
            composer.stacked(content, price, whole);
        }
        LabelKind::Carton => composer.stacked(content, Words::Code(&content.sku), whole),
    }
    composer.drawing
}

struct Composer<'a> {
    typeface: &'a Typeface,
    options: &'a LabelOptions,
    direction: Direction,
    drawing: Drawing,
}

impl Composer<'_> {
    /// Two leaves, which are folded over each other on a roll: code and SKU on the first, name and facts on the second. A QR code needs
    /// no more than its square.
    fn jewellery(&mut self, content: &Content, whole: Room) {
        let (leaf, other) = whole.halves();
        // The quiet zone of a QR code is all the margin that it needs.
        let square = leaf.height.min(leaf.width);
        let bars = leaf.within();
        let caption = caption(bars);
        let room = (bars.width, bars.height - caption);
        let sku = Words::Code(&content.sku);
        let is_folded = self.options.layout == Layout::Roll;
        let mut lines = Vec::new();
        let facts = match symbol(content, self.options, room, square) {
            Some(symbol) if symbol.is_barcode => {
                self.place(symbol, bars.left + bars.width / 2, bars.top);
                self.line(sku, bars.bottom(caption), true);
                other.within()
            }
            Some(symbol) => {
                let side = symbol.width;
                let top = whole.top + (whole.height - symbol.height) / 2;
                self.place(symbol, whole.left + side / 2, top);
                if is_folded {
                    self.line(sku, leaf.after(side).within(), false);
                    other.within()
                } else {
                    lines.push(sku);
                    whole.after(side).within()
                }
            }
            None => {
                self.line(sku, bars, false);
                other.within()
            }
        };
        lines.push(Words::Said(&content.name));
        // Two short facts share a line, so that letters stay readable.
        let pairs: Vec<_> = content
            .facts
            .chunks(2)
            .map(|pair| pair.join(" · "))
            .collect();
        lines.extend(pairs.iter().map(|pair| Words::Said(pair)));
        self.lines(&lines, facts);
    }

    /// Name on top, then what people look for, then the code.
    fn stacked(&mut self, content: &Content, headline: Words<'_>, whole: Room) {
        let room = whole.within();
        let (name, rest) = room.split(room.height * 3 / 10);
        self.name(&content.name, name);
        let (middle, below) = rest.split(rest.height * 3 / 10);
        let caption = caption(below);
        let bars = (below.width, below.height - caption);
        match symbol(content, self.options, bars, rest.height.min(rest.width / 2)) {
            Some(symbol) if symbol.is_barcode => {
                self.line(headline, middle, false);
                self.place(symbol, below.left + below.width / 2, below.top);
                self.line(Words::Code(&content.barcode), below.bottom(caption), true);
            }
            Some(symbol) => {
                let (side, height) = (symbol.width, symbol.height);
                let top = rest.top + (rest.height - height) / 2;
                // On the side where lines end.
                let (centre, beside) = match self.direction {
                    Direction::LeftToRight => {
                        (rest.left + rest.width - side / 2, rest.before(side))
                    }
                    Direction::RightToLeft => (rest.left + side / 2, rest.after(side)),
                };
                self.place(symbol, centre, top);
                self.headline_and_sku(content, headline, beside);
            }
            None => self.headline_and_sku(content, headline, rest),
        }
    }

    /// A name in up to two lines; what has no room in them is cut.
    fn name(&mut self, name: &str, room: Room) {
        let size = (room.height * 2 / 5).clamp(LETTERS_MIN, LETTERS_MAX);
        let lines = self
            .typeface
            .wrapped(name, self.direction, size, room.width, 2);
        for (line, baseline) in lines
            .into_iter()
            .zip([room.top + size, room.top + size * 9 / 4])
        {
            let left = self.aligned(line.width(size), room);
            self.drawing.texts.push(Text {
                line,
                size,
                left,
                baseline,
            });
        }
    }

    fn headline_and_sku(&mut self, content: &Content, headline: Words<'_>, room: Room) {
        let mut lines = vec![headline];
        if headline.text() != content.sku {
            lines.push(Words::Code(&content.sku));
        }
        lines.retain(|line| !line.text().is_empty());
        self.lines(&lines, room);
    }

    /// Lines under each other, as large as they can be; one that is too long gets smaller letters, and is cut at last.
    fn lines(&mut self, lines: &[Words<'_>], room: Room) {
        let Ok(count) = Length::try_from(lines.len().max(1)) else {
            return;
        };
        let step = room.height / count;
        for (words, index) in lines.iter().zip(0..) {
            let room = Room {
                top: room.top + step * index,
                height: step,
                ..room
            };
            self.line(*words, room, false);
        }
    }

    fn line(&mut self, words: Words<'_>, room: Room, is_centred: bool) {
        let (text, direction) = match words {
            Words::Said(text) => (text, self.direction),
            Words::Code(text) => (text, Direction::LeftToRight),
        };
        let largest = (room.height * 7 / 10).clamp(LETTERS_MIN, LETTERS_MAX);
        let mut line = self.typeface.line(text, direction);
        let natural = line.width(largest).max(1);
        let fitting = i64::from(largest) * i64::from(room.width) / i64::from(natural);
        let size = Length::try_from(fitting)
            .unwrap_or(largest)
            .clamp(LETTERS_MIN, largest);
        if line.width(size) > room.width {
            line = self.typeface.fitted(text, direction, size, room.width);
        }
        let width = line.width(size);
        let left = if is_centred {
            room.left + (room.width - width) / 2
        } else {
            self.aligned(width, room)
        };
        // Letters stand a little above the middle: some hang below the base line.
        let baseline = room.top + (room.height + size * 7 / 10) / 2;
        self.drawing.texts.push(Text {
            line,
            size,
            left,
            baseline,
        });
    }

    /// Where a line of this width begins, so that it stands at the side where lines begin.
    fn aligned(&self, width: Length, room: Room) -> Length {
        match self.direction {
            Direction::LeftToRight => room.left,
            Direction::RightToLeft => room.left + room.width - width,
        }
    }

    fn place(&mut self, symbol: Symbol, centre: Length, top: Length) {
        let left = centre - symbol.width / 2;
        let moved = symbol
            .dark
            .into_iter()
            .map(|[x, y, width, height]| [left + x, top + y, width, height]);
        self.drawing.dark.extend(moved);
    }
}

/// How high the line is below the bars in this room.
fn caption(room: Room) -> Length {
    (room.height / 5).clamp(LETTERS_MIN, LETTERS_MAX / 2)
}

impl<'a> Words<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Said(text) | Self::Code(text) => text,
        }
    }
}

impl Room {
    /// Without a margin, which printers need: a twelfth of the shorter side, up to 2 mm.
    fn within(self) -> Self {
        let margin = (self.width.min(self.height) / 12).min(2_000);
        Self {
            left: self.left + margin,
            top: self.top + margin,
            width: self.width - 2 * margin,
            height: self.height - 2 * margin,
        }
    }

    /// The left and the right one.
    fn halves(self) -> (Self, Self) {
        let width = self.width / 2;
        let left = Self { width, ..self };
        (left, self.after(width))
    }

    /// The upper part, this high, and the lower one.
    fn split(self, height: Length) -> (Self, Self) {
        let upper = Self { height, ..self };
        let lower = Self {
            top: self.top + height,
            height: self.height - height,
            ..self
        };
        (upper, lower)
    }

    /// The lowest part, this high.
    fn bottom(self, height: Length) -> Self {
        self.split(self.height - height).1
    }

    /// What is right of the first so many micrometres.
    fn after(self, width: Length) -> Self {
        Self {
            left: self.left + width,
            width: self.width - width,
            ..self
        }
    }

    /// What is left of the last so many micrometres.
    fn before(self, width: Length) -> Self {
        Self {
            width: self.width - width,
            ..self
        }
    }
}
