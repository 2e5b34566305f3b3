//! Reads a scanned code in every way that it can be meant.

use entity::id::{ItemId, LocationId, LotId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::gs1;
use crate::{
    barcode,
    error::{Code, Refusal},
    item::Marks,
    sku,
    text::ascii_digits,
};

/// Longest code, in characters: what our own QR codes hold at most, and by far more than any barcode.
pub const SCAN_MAX: usize = 1024;

/// What our own QR codes can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An item.
    Item,
    /// A lot, or a serial.
    Lot,
    /// A location.
    Location,
}

impl Subject {
    /// In front of the id, in the address that a code holds: what follows is such a thing.
    const fn path(self) -> &'static str {
        match self {
            Self::Item => "/item/",
            Self::Lot => "/lot/",
            Self::Location => "/location/",
        }
    }
}

/// What a QR code says: an address that leads a telephone to what it is about, tells by its path what sort of thing that is, and ends in
/// its id for those who know us. Codes are printed for ever, so this never changes.
#[must_use]
pub fn address(public_url: &str, subject: Subject, id: Uuid) -> String {
    format!("{public_url}{}{id}", subject.path())
}

/// A thing that is no item, and that only our own codes lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Lot(LotId),
    Location(LocationId),
}

/// What a code of ours leads to that is no item's.
pub(super) fn other(code: &str) -> Option<Other> {
    let text = ascii_digits(bare(code));
    let id = |subject: Subject| Uuid::try_parse(behind(&text, subject.path())?).ok();
    let lot = || id(Subject::Lot).map(|id| Other::Lot(LotId(id)));
    let location = || id(Subject::Location).map(|id| Other::Location(LocationId(id)));
    lot().or_else(location)
}

/// Everything that a code can mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) id: Option<ItemId>,
    pub(super) sku: Option<String>,
    /// Barcodes that are equal to it.
    pub(super) barcodes: Vec<String>,
    /// Barcodes of what is in the carton, when it is a carton's.
    pub(super) units: Vec<String>,
}

impl Wanted {
    pub(super) fn marks(&self) -> Marks {
        Marks {
            id: self.id,
            sku: self.sku.clone(),
            barcodes: [&self.barcodes[..], &self.units[..]].concat(),
        }
    }
}

/// What stands in a code where our QR codes have an item's id: what follows `/item/`, or else the whole.
#[must_use]
pub fn reference(code: &str) -> &str {
    let code = bare(code);
    behind(code, Subject::Item.path()).unwrap_or_else(|| first_part(code))
}

/// What follows this path, up to the next one.
fn behind<'a>(code: &'a str, path: &str) -> Option<&'a str> {
    let start = code.to_ascii_lowercase().rfind(path)? + path.len();
    code.get(start..).map(first_part)
}

fn first_part(text: &str) -> &str {
    text.split(['?', '#', '/']).next().unwrap_or(text)
}

pub(super) fn parse(code: &str, id: Option<ItemId>) -> Result<Wanted, Refusal> {
    if code.chars().count() > SCAN_MAX {
        return Err(Refusal::new(Code::TooLong, "code").with("max", SCAN_MAX));
    }
    let text = ascii_digits(bare(code));
    if text.is_empty() {
        return Err(Refusal::new(Code::Required, "code"));
    }
    let plain = gs1::without_identifier(&text);
    let gtins: Vec<_> = gs1::gtin(plain)
        .into_iter()
        .chain([plain.to_owned(), closed_up(plain)])
        .collect();
    let mut wanted = Wanted {
        id: id.or_else(|| Uuid::try_parse(reference(&text)).ok().map(ItemId)),
        sku: sku::parse("code", plain).ok(),
        barcodes: gtins.iter().flat_map(|code| barcode::forms(code)).collect(),
        units: gtins
            .iter()
            .filter_map(|code| barcode::unit_of(code))
            .flat_map(|unit| barcode::forms(&unit))
            .collect(),
    };
    // What is no GTIN may be on file as it is, also with what looks like an identifier in front.
    let as_they_are = [text.as_str(), plain].map(|text| text.trim().to_owned());
    let on_file = |code: &String| {
        code.len() <= barcode::BARCODE_MAX && code.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    wanted
        .barcodes
        .extend(as_they_are.into_iter().filter(on_file));
    for codes in [&mut wanted.barcodes, &mut wanted.units] {
        codes.sort_unstable();
        codes.dedup();
    }
    Ok(wanted)
}

/// Without what scanners, keyboards and messengers put around a code: blanks, line ends, control characters, marks of direction.
fn bare(code: &str) -> &str {
    code.trim_matches(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    })
}

/// Digits as people write them, in groups, closed up.
fn closed_up(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-')).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7";

    fn wanted(code: &str) -> Wanted {
        parse(code, None).unwrap_or_default()
    }

    fn id() -> Option<ItemId> {
        Uuid::try_parse(ID).ok().map(ItemId)
    }

    #[test]
    fn our_own_codes_lead_to_the_id() {
        for code in [
            format!("https://shop.example/item/{ID}"),
            format!("http://127.0.0.1:8000/some/where/item/{ID}"),
            format!("HTTPS://SHOP.EXAMPLE/ITEM/{}", ID.to_uppercase()),
            format!(" https://shop.example/item/{ID}?from=label#top\r\n"),
            format!("https://shop.example/item/{ID}/"),
            ID.to_owned(),
            ID.replace('-', ""),
        ] {
            assert_eq!(wanted(&code).id, id(), "{code}");
        }
        for code in [
            "https://shop.example/item/",
            "https://shop.example/items",
            "x",
        ] {
            assert_eq!(wanted(code).id, None, "{code}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again_and_codes_of_other_things_are_no_items() {
        let item = id().unwrap_or_else(|| ItemId(Uuid::nil()));
        let ours = address("https://shop.example/a", Subject::Item, item.0);
        assert_eq!((wanted(&ours).id, other(&ours)), (id(), None));
        for kind in ["lot", "location", "document", "items"] {
            let code = format!("https://shop.example/{kind}/{ID}");
            assert_eq!(wanted(&code).id, None, "{code}");
        }
    }

    #[test]
    fn codes_of_lots_and_locations_lead_to_them() {
        let id = Uuid::try_parse(ID).unwrap_or_default();
        let lot = address("https://shop.example", Subject::Lot, id);
        let location = address("http://127.0.0.1:8000/a", Subject::Location, id);
        assert_eq!(other(&lot), Some(Other::Lot(LotId(id))));
        assert_eq!(other(&location), Some(Other::Location(LocationId(id))));
        let shouted = format!("\u{200F}{}?from=label\r\n", lot.to_uppercase());
        assert_eq!(other(&shouted), Some(Other::Lot(LotId(id))));
        for code in ["https://shop.example/lot/", "/location/7", ID, "/lots/x"] {
            assert_eq!(other(code), None, "{code}");
        }
    }

    #[test]
    fn a_gtin_is_known_in_all_its_clothes() {
        let plain = wanted("4006381333931").barcodes;
        assert_eq!(plain, ["04006381333931", "4006381333931"]);
        for code in [
            " ۴۰۰۶۳۸۱۳۳۳۹۳۱\n",
            "\u{200F}4006381333931\u{200F}",
            "4 006381 333931",
            "]E04006381333931",
            "(01)04006381333931(17)261231",
            "]C10104006381333931",
            "]d2010400638133393121ABC\u{1D}1726",
            "\u{1D}0104006381333931",
            "https://id.gs1.org/01/04006381333931/21/12",
        ] {
            let barcodes = wanted(code).barcodes;
            for form in &plain {
                assert!(barcodes.contains(form), "{code}: {barcodes:?}");
            }
        }
    }

    #[test]
    fn a_carton_also_means_what_is_in_it() {
        let carton = wanted("]C10114006381333938");
        assert!(carton.barcodes.contains(&"14006381333938".to_owned()));
        assert!(carton.units.contains(&"4006381333931".to_owned()));
        assert_eq!(wanted("4006381333931").units, [""; 0]);
    }

    #[test]
    fn other_codes_are_barcodes_and_skus() {
        let ring = wanted(" ring-۱ ");
        assert_eq!(ring.barcodes, ["ring-1"]);
        assert_eq!(ring.sku.as_deref(), Some("RING-1"));
        assert_eq!(wanted("]C1x").barcodes, ["]C1x", "x"]);
        let persian = wanted("طلا");
        assert_eq!((persian.barcodes.len(), persian.sku.is_some()), (0, true));
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        let refused = |code: &str| parse(code, None).map_err(|refusal| refusal.code);
        assert_eq!(refused(" \u{200E}\n"), Err(Code::Required));
        assert_eq!(refused(&"1".repeat(SCAN_MAX + 1)), Err(Code::TooLong));
        assert!(refused(&"۱".repeat(SCAN_MAX)).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_is_scanned_the_database_can_be_asked(code in any::<String>()) {
            if let Ok(wanted) = parse(&code, None) {
                let Marks { id: _, sku, barcodes } = wanted.marks();
                prop_assert!(barcodes.len() <= 40);
                let texts = barcodes.iter().chain(&sku);
                prop_assert!(texts.into_iter().all(|text| text.len() <= 400 && !text.contains('\0')));
            }
            let _any = (reference(&code), other(&code));
        }
    }
}
