//! Decisions about entries that need nothing but their arguments. Whether an entry balances, and what its accounts take, is for the
//! database to say: it knows the commodities.

use chrono::{Datelike, NaiveDate};
use entity::{
    id::{AccountId, DimensionValueId, JournalEntryId, LocationId},
    journal_entry::Kind,
};
use rust_decimal::Decimal;

use super::{Document, ENTRIES_MAX, LINES_MAX, LINES_TOGETHER_MAX, NewEntry, NewLine};
use crate::{
    account::parse_commodity,
    decimal,
    error::{Code, Refusal, Refusals, Result},
    text,
};

/// Decimal places of any amount.
const PLACES: u32 = 6;
/// Largest amount, in millionths: the column holds as much, and ten thousand lines of it can be added.
const AMOUNT_MAX: i128 = 999_999_999_999_999_999_999_999;
/// Largest quantity, in millionths.
const QUANTITY_MAX: i64 = 9_999_999_999_999_999;
/// Longest description of an entry, in characters.
const DESCRIPTION_MAX: usize = 2_000;
/// Longest description of a line, in characters.
pub(super) const LINE_DESCRIPTION_MAX: usize = 500;
/// Longest type of a document, in characters.
const DOCUMENT_KIND_MAX: usize = 50;
/// Longest id of a document, in characters.
const DOCUMENT_ID_MAX: usize = 200;

/// A line that is known in full, as far as the input says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) account: AccountId,
    /// The shop's currency without.
    pub(crate) commodity: Option<String>,
    pub(crate) is_debit: bool,
    pub(crate) amount: Decimal,
    pub(crate) base_amount: Option<Decimal>,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) location: Option<LocationId>,
    pub(crate) subsidiary: Option<DimensionValueId>,
    pub(crate) cost_center: Option<DimensionValueId>,
    pub(crate) project: Option<DimensionValueId>,
    pub(crate) description: Option<String>,
}

/// An entry that is known in full, and where in the input it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// In front of the paths of its fields: nothing, or `entries.0.`.
    pub(crate) prefix: String,
    pub(crate) date: NaiveDate,
    pub(crate) kind: Kind,
    pub(crate) description: Option<String>,
    pub(crate) document: Option<Document>,
    pub(crate) reverses: Option<JournalEntryId>,
    pub(crate) lines: Vec<Line>,
}

pub(super) fn parse_one(entry: &NewEntry) -> Result<Vec<Entry>> {
    let mut refusals = Refusals::default();
    let parsed = parse(String::new(), entry, &mut refusals);
    refusals.into_result(parsed.map(|entry| vec![entry]))
}

pub(super) fn parse_many(entries: &[NewEntry]) -> Result<Vec<Entry>> {
    if entries.is_empty() {
        return Err(Refusal::new(Code::Required, "entries").into());
    }
    if entries.len() > ENTRIES_MAX {
        let refusal = Refusal::new(Code::TooMany, "entries").with("max", ENTRIES_MAX);
        return Err(refusal.into());
    }
    let lines: usize = entries.iter().map(|entry| entry.lines.len()).sum();
    if lines > LINES_TOGETHER_MAX {
        let refusal = Refusal::new(Code::TooMany, "entries").with("max", LINES_TOGETHER_MAX);
        return Err(refusal.into());
    }
    let mut refusals = Refusals::default();
    let parsed: Vec<_> = entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| parse(format!("entries.{index}."), entry, &mut refusals))
        .collect();
    refusals.into_result(Some(parsed))
}

fn parse(prefix: String, entry: &NewEntry, refusals: &mut Refusals) -> Option<Entry> {
    let NewEntry {
        date,
        kind,
        description,
        document,
        lines,
    } = entry;
    let date = refusals.take(parse_date(&format!("{prefix}date"), *date));
    let description = refusals.take(parse_description(
        &format!("{prefix}description"),
        description.as_deref(),
    ));
    let document = refusals.take(
        document
            .as_ref()
            .map(|document| parse_document(&prefix, document))
            .transpose(),
    );
    let lines = parse_lines(&prefix, lines, refusals)?;
    Some(Entry {
        prefix,
        date: date?,
        kind: *kind,
        description: description?,
        document: document?,
        reverses: None,
        lines,
    })
}

/// So many lines as an entry may have, each by itself.
pub(super) fn parse_lines(
    prefix: &str,
    lines: &[NewLine],
    refusals: &mut Refusals,
) -> Option<Vec<Line>> {
    let count = lines.len();
    if count < 2 {
        let refusal = Refusal::new(Code::OutOfRange, &format!("{prefix}lines"));
        refusals.push(refusal.with("min", 2).with("max", LINES_MAX));
        return None;
    }
    if count > LINES_MAX {
        let refusal = Refusal::new(Code::TooMany, &format!("{prefix}lines"));
        refusals.push(refusal.with("max", LINES_MAX));
        return None;
    }
    let lines: Vec<_> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| parse_line(&format!("{prefix}lines.{index}"), line, refusals))
        .collect();
    (lines.len() == count).then_some(lines)
}

/// A day that people mean: of the years 1000 to 9999.
pub(crate) fn parse_date(path: &str, date: NaiveDate) -> Result<NaiveDate, Refusal> {
    if (1000..=9999).contains(&date.year()) {
        return Ok(date);
    }
    let refusal = Refusal::new(Code::TimeOutOfRange, path);
    Err(refusal.with("min", "1000-01-01").with("max", "9999-12-31"))
}

pub(super) fn parse_description(
    path: &str,
    description: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let parsed = description.map(|text| text::line(path, text, 1, DESCRIPTION_MAX));
    parsed.transpose()
}

pub(super) fn parse_document(prefix: &str, document: &Document) -> Result<Document, Refusal> {
    let Document { kind, id } = document;
    let path = |field: &str| format!("{prefix}document.{field}");
    Ok(Document {
        kind: text::line(&path("type"), kind, 1, DOCUMENT_KIND_MAX)?,
        id: text::line(&path("id"), id, 1, DOCUMENT_ID_MAX)?,
    })
}

fn parse_line(path: &str, line: &NewLine, refusals: &mut Refusals) -> Option<Line> {
    let NewLine {
        account_id,
        commodity,
        debit,
        credit,
        quantity,
        location_id,
        subsidiary_id,
        cost_center_id,
        project_id,
        description,
    } = line;
    let at = |field: &str| format!("{path}.{field}");
    let side = refusals.take(parse_side(path, *debit, *credit));
    let commodity = commodity
        .as_deref()
        .map(|code| parse_commodity(&at("commodity"), code));
    let commodity = refusals.take(commodity.transpose());
    let quantity = quantity.map(|quantity| parse_quantity(&at("quantity"), quantity));
    let quantity = refusals.take(quantity.transpose());
    let description = description
        .as_deref()
        .map(|text| text::line(&at("description"), text, 1, LINE_DESCRIPTION_MAX));
    let description = refusals.take(description.transpose());
    let (is_debit, amount) = side?;
    Some(Line {
        account: *account_id,
        commodity: commodity?,
        is_debit,
        amount,
        base_amount: None,
        quantity: quantity?,
        location: *location_id,
        subsidiary: *subsidiary_id,
        cost_center: *cost_center_id,
        project: *project_id,
        description: description?,
    })
}

/// An amount is on exactly one side, and there is some.
pub(super) fn parse_side(
    path: &str,
    debit: Option<Decimal>,
    credit: Option<Decimal>,
) -> Result<(bool, Decimal), Refusal> {
    let (is_debit, amount, field) = match (debit, credit) {
        (Some(debit), None) => (true, debit, "debit"),
        (None, Some(credit)) => (false, credit, "credit"),
        _ => return Err(Refusal::new(Code::OneSide, path)),
    };
    let min = Decimal::new(1, PLACES);
    let max = Decimal::from_i128_with_scale(AMOUNT_MAX, PLACES);
    let amount = decimal::within(&format!("{path}.{field}"), amount, (min, max), PLACES)?;
    Ok((is_debit, amount))
}

pub(super) fn parse_quantity(path: &str, quantity: Decimal) -> Result<Decimal, Refusal> {
    let max = Decimal::new(QUANTITY_MAX, PLACES);
    if quantity.is_zero() {
        let refusal = Refusal::new(Code::OutOfRange, path);
        return Err(refusal
            .with("min", Decimal::new(1, PLACES))
            .with("max", max));
    }
    decimal::within(path, quantity, (-max, max), PLACES)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn line(debit: Option<&str>, credit: Option<&str>) -> NewLine {
        let read = |text: &str| text.parse().unwrap_or_default();
        NewLine {
            account_id: AccountId(Uuid::nil()),
            commodity: None,
            debit: debit.map(read),
            credit: credit.map(read),
            quantity: None,
            location_id: None,
            subsidiary_id: None,
            cost_center_id: None,
            project_id: None,
            description: None,
        }
    }

    fn entry(lines: Vec<NewLine>) -> NewEntry {
        NewEntry {
            date: NaiveDate::default(),
            kind: Kind::General,
            description: None,
            document: None,
            lines,
        }
    }

    fn codes(entry: &NewEntry) -> Vec<(Code, String)> {
        match parse_one(entry) {
            Ok(_) => Vec::new(),
            Err(crate::Error::Refused(refusals)) => refusals
                .iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn an_amount_is_on_exactly_one_side_and_above_nothing() {
        let good = line(Some("1"), None);
        for (wrong, code, path) in [
            (line(None, None), Code::OneSide, "lines.1"),
            (line(Some("1"), Some("1")), Code::OneSide, "lines.1"),
            (line(None, Some("0")), Code::OutOfRange, "lines.1.credit"),
            (line(Some("-1"), None), Code::OutOfRange, "lines.1.debit"),
            (
                line(Some("0.0000001"), None),
                Code::OutOfRange,
                "lines.1.debit",
            ),
            (
                line(Some("1.0000001"), None),
                Code::TooFine,
                "lines.1.debit",
            ),
            (
                line(Some("1000000000000000000"), None),
                Code::OutOfRange,
                "lines.1.debit",
            ),
        ] {
            assert_eq!(
                codes(&entry(vec![good.clone(), wrong])),
                [(code, path.to_owned())]
            );
        }
        assert!(codes(&entry(vec![good.clone(), line(None, Some("1"))])).is_empty());
        assert_eq!(
            codes(&entry(vec![good])),
            [(Code::OutOfRange, "lines".to_owned())]
        );
    }

    #[test]
    fn so_many_lines_and_entries_and_no_more() {
        let lines = |count| vec![line(Some("1"), None); count];
        assert!(codes(&entry(lines(LINES_MAX))).is_empty());
        assert_eq!(
            codes(&entry(lines(LINES_MAX + 1))),
            [(Code::TooMany, "lines".to_owned())]
        );
        assert!(parse_many(&[]).is_err());
        assert!(parse_many(&vec![entry(lines(2)); ENTRIES_MAX]).is_ok());
        assert!(parse_many(&vec![entry(lines(2)); ENTRIES_MAX + 1]).is_err());
        assert!(parse_many(&vec![entry(lines(LINES_MAX)); 5]).is_ok());
        assert!(parse_many(&vec![entry(lines(LINES_MAX)); 6]).is_err());
    }
}
