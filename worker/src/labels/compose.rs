//! Puts what a label says into the room that it has.

use domain::label::{LabelCode, LabelSheet, Template};
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

/// A label with this content, in this width and height.
pub(super) fn label(
    content: &Content,
    sheet: &LabelSheet,
    typeface: &Typeface,
    (width, height): (Length, Length),
) -> Drawing {
    let mut composer = Composer {
        typeface,
        direction: super::direction(sheet.locale),
        drawing: Drawing::default(),
    };
    let whole = Room {
        left: 0,
        top: 0,
        width,
        height,
    };
    match sheet.template {
        Template::Jewellery => composer.jewellery(content, sheet.code, whole),
        Template::Shelf => {
            let price = content.price.as_deref().unwrap_or_default();
            composer.stacked(content, sheet.code, price, whole);
        }
        Template::Carton => composer.stacked(content, sheet.code, &content.sku, whole),
    }
    composer.drawing
}

struct Composer<'a> {
    typeface: &'a Typeface,
    direction: Direction,
    drawing: Drawing,
}

impl Composer<'_> {
    /// Two leaves: code and SKU on the first, the facts on the second.
    fn jewellery(&mut self, content: &Content, code: LabelCode, whole: Room) {
        let leaf = whole.width / 2;
        let (first, second) = (
            Room {
                width: leaf,
                ..whole
            }
            .within(),
            Room {
                left: leaf,
                width: leaf,
                ..whole
            }
            .within(),
        );
        self.code_with_sku(content, code, first);
        // Two short facts share a line, so that letters stay readable.
        let facts = content.facts.chunks(2).map(|pair| pair.join(" · "));
        let price = content.price.clone().filter(|_| content.facts.len() < 5);
        let lines: Vec<String> = [content.name.clone()]
            .into_iter()
            .chain(facts)
            .chain(price)
            .collect();
        self.lines(&lines, second);
    }

    /// The code, and the SKU below it when it is a barcode, beside it when it is a QR code.
    fn code_with_sku(&mut self, content: &Content, code: LabelCode, room: Room) {
        let caption = (room.height / 5).clamp(LETTERS_MIN, LETTERS_MAX / 2);
        let bars = (room.width, room.height - caption);
        match symbol(content, code, bars, room.height.min(room.width)) {
            Some(symbol) if symbol.is_barcode => {
                let below = room.bottom(caption);
                self.place(symbol, room.left + room.width / 2, room.top);
                self.centred(&content.sku, below);
            }
            Some(symbol) => {
                let side = symbol.width;
                self.place(symbol, room.left + side / 2, room.top);
                let beside = room.after(side);
                self.lines(std::slice::from_ref(&content.sku), beside);
            }
            None => self.lines(std::slice::from_ref(&content.sku), room),
        }
    }

    /// Name on top, then what people look for, then the code.
    fn stacked(&mut self, content: &Content, code: LabelCode, headline: &str, whole: Room) {
        let room = whole.within();
        let (name, rest) = room.split(room.height * 3 / 10);
        let size = (name.height * 2 / 5).clamp(LETTERS_MIN, LETTERS_MAX);
        let lines = self
            .typeface
            .wrapped(&content.name, self.direction, size, name.width, 2);
        for (line, baseline) in lines
            .into_iter()
            .zip([name.top + size, name.top + size * 9 / 4])
        {
            let left = self.aligned(line.width(size), name);
            self.drawing.texts.push(Text {
                line,
                size,
                left,
                baseline,
            });
        }
        let (middle, below) = rest.split(rest.height * 3 / 10);
        let caption = (below.height / 5).clamp(LETTERS_MIN, LETTERS_MAX / 2);
        let bars = (below.width, below.height - caption);
        match symbol(content, code, bars, rest.height.min(rest.width / 2)) {
            Some(symbol) if symbol.is_barcode => {
                self.lines(&[headline.to_owned()], middle);
                self.place(symbol, below.left + below.width / 2, below.top);
                self.centred(&content.barcode, below.bottom(caption));
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

    fn headline_and_sku(&mut self, content: &Content, headline: &str, room: Room) {
        let mut lines = vec![headline.to_owned()];
        if headline != content.sku {
            lines.push(content.sku.clone());
        }
        lines.retain(|line| !line.is_empty());
        self.lines(&lines, room);
    }

    /// Lines under each other, as large as they can be; one that is too long gets smaller letters, and is cut at last.
    fn lines(&mut self, lines: &[String], room: Room) {
        let Ok(count) = Length::try_from(lines.len().max(1)) else {
            return;
        };
        let step = room.height / count;
        for (text, index) in lines.iter().zip(0..) {
            let room = Room {
                top: room.top + step * index,
                height: step,
                ..room
            };
            self.line(text, room, false);
        }
    }

    /// What a code says, in Latin order whatever the language.
    fn centred(&mut self, text: &str, room: Room) {
        self.line(text, room, true);
    }

    fn line(&mut self, text: &str, room: Room, is_centred: bool) {
        let direction = if is_centred {
            Direction::LeftToRight
        } else {
            self.direction
        };
        let largest = (room.height * 7 / 10).clamp(LETTERS_MIN, LETTERS_MAX);
        let natural = self.typeface.line(text, direction).width(largest).max(1);
        let fitting = i64::from(largest) * i64::from(room.width) / i64::from(natural);
        let size = Length::try_from(fitting)
            .unwrap_or(largest)
            .clamp(LETTERS_MIN, largest);
        let line = self.typeface.fitted(text, direction, size, room.width);
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
