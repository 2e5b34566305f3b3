//! Decisions about drafts that need nothing but their arguments.

use chrono::NaiveDate;
use entity::id::{AccountId, DimensionValueId, LocationId};
use rust_decimal::Decimal;

use super::{DraftChange, JournalDraft, JournalDraftLine, NewDraft, NewDraftLine, State};
use crate::{
    account::parse_commodity,
    error::{Code, Refusal, Refusals, Result},
    journal::{
        Document, Kind, LINES_MAX,
        rules::{
            Entry, LINE_DESCRIPTION_MAX, Line, parse_date, parse_description, parse_document,
            parse_quantity, parse_side,
        },
    },
    patch::Patch,
    text,
};

/// What is known of a line: valid, as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DraftLine {
    pub(super) account: Option<AccountId>,
    pub(super) commodity: Option<String>,
    /// Whether it is debited, and how much.
    pub(super) side: Option<(bool, Decimal)>,
    pub(super) quantity: Option<Decimal>,
    pub(super) location: Option<LocationId>,
    pub(super) subsidiary: Option<DimensionValueId>,
    pub(super) cost_center: Option<DimensionValueId>,
    pub(super) project: Option<DimensionValueId>,
    pub(super) description: Option<String>,
}

/// What a draft says besides its lines: valid.
pub(super) struct Facts {
    pub(super) date: Option<NaiveDate>,
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    pub(super) document: Option<Document>,
}

/// A draft that is to be begun: valid.
pub(super) struct Parsed {
    pub(super) facts: Facts,
    pub(super) lines: Vec<DraftLine>,
}

/// What becomes different of what a draft says besides its lines: valid.
pub(super) struct FactsChange {
    date: Patch<NaiveDate>,
    kind: Option<Kind>,
    description: Patch<String>,
    document: Patch<Document>,
}

impl FactsChange {
    /// What the draft says after the change.
    pub(super) fn apply(self, before: &JournalDraft) -> Facts {
        let document = before
            .document_type
            .clone()
            .zip(before.document_id.clone())
            .map(|(kind, id)| Document { kind, id });
        Facts {
            date: self.date.apply(before.date),
            kind: self.kind.unwrap_or(before.kind),
            description: self.description.apply(before.description.clone()),
            document: self.document.apply(document),
        }
    }
}

/// A change of a draft: valid.
pub(super) struct ParsedChange {
    pub(super) facts: FactsChange,
    pub(super) lines: Option<Vec<DraftLine>>,
}

pub(super) fn parse_new(new: &NewDraft) -> Result<Parsed> {
    let NewDraft {
        date,
        kind,
        description,
        document,
        lines,
    } = new;
    let mut refusals = Refusals::default();
    let date = date.map(|date| parse_date("date", date));
    let date = refusals.take(date.transpose());
    let description = refusals.take(parse_description("description", description.as_deref()));
    let document = document
        .as_ref()
        .map(|document| parse_document("", document));
    let document = refusals.take(document.transpose());
    let lines = parse_lines(lines, &mut refusals);
    let parsed = (|| {
        let facts = Facts {
            date: date?,
            kind: *kind,
            description: description?,
            document: document?,
        };
        Some(Parsed {
            facts,
            lines: lines?,
        })
    })();
    refusals.into_result(parsed)
}

pub(super) fn parse_change(change: &DraftChange) -> Result<ParsedChange> {
    let DraftChange {
        date,
        kind,
        description,
        document,
        lines,
    } = change;
    let mut refusals = Refusals::default();
    let date = refusals.take(date.try_map(|date| parse_date("date", date)));
    let description = description
        .clone()
        .try_map(|text| parse_description("description", Some(&text)));
    let description = refusals.take(description);
    let document = document
        .clone()
        .try_map(|document| parse_document("", &document));
    let document = refusals.take(document);
    let lines = lines
        .as_ref()
        .map(|lines| parse_lines(lines, &mut refusals));
    let parsed = (|| {
        let facts = FactsChange {
            date: date?,
            kind: *kind,
            description: description?.and_then(|text| text)?,
            document: document?,
        };
        let lines = match lines {
            Some(lines) => Some(lines?),
            None => None,
        };
        Some(ParsedChange { facts, lines })
    })();
    refusals.into_result(parsed)
}

fn parse_lines(lines: &[NewDraftLine], refusals: &mut Refusals) -> Option<Vec<DraftLine>> {
    let count = lines.len();
    if count > LINES_MAX {
        refusals.push(Refusal::new(Code::TooMany, "lines").with("max", LINES_MAX));
        return None;
    }
    let lines = lines.iter().enumerate();
    let lines: Vec<_> = lines
        .filter_map(|(index, line)| parse_line(&format!("lines.{index}"), line, refusals))
        .collect();
    (lines.len() == count).then_some(lines)
}

fn parse_line(path: &str, line: &NewDraftLine, refusals: &mut Refusals) -> Option<DraftLine> {
    let NewDraftLine {
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
    // No amount is fine; two are one too many, whatever is added later.
    let side = (debit.is_some() || credit.is_some()).then(|| parse_side(path, *debit, *credit));
    let side = refusals.take(side.transpose());
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
    Some(DraftLine {
        account: *account_id,
        commodity: commodity?,
        side: side?,
        quantity: quantity?,
        location: *location_id,
        subsidiary: *subsidiary_id,
        cost_center: *cost_center_id,
        project: *project_id,
        description: description?,
    })
}

/// What has ended neither changes nor ends again.
pub(super) fn check_open(draft: &JournalDraft) -> Result<(), Refusal> {
    let state = match draft.state {
        State::Open => return Ok(()),
        State::Posted => "posted",
        State::Discarded => "discarded",
    };
    Err(Refusal::new(Code::WrongState, "id").with("state", state))
}

/// The entry that a draft becomes, if nothing is missing.
pub(super) fn entry(draft: &JournalDraft, lines: Vec<JournalDraftLine>) -> Result<Entry> {
    let JournalDraft {
        date,
        kind,
        description,
        document_type,
        document_id,
        ..
    } = draft.clone();
    let mut refusals = Refusals::default();
    let date = refusals.take(date.ok_or_else(|| Refusal::new(Code::Required, "date")));
    if lines.len() < 2 {
        let refusal = Refusal::new(Code::OutOfRange, "lines");
        refusals.push(refusal.with("min", 2).with("max", LINES_MAX));
    }
    let lines = lines.into_iter().enumerate();
    let lines = lines
        .filter_map(|(index, line)| complete(&format!("lines.{index}"), line, &mut refusals))
        .collect();
    let document = document_type.zip(document_id);
    let entry = date.map(|date| Entry {
        prefix: String::new(),
        date,
        kind,
        description,
        document: document.map(|(kind, id)| Document { kind, id }),
        reverses: None,
        lines,
    });
    refusals.into_result(entry)
}

fn complete(path: &str, line: JournalDraftLine, refusals: &mut Refusals) -> Option<Line> {
    let JournalDraftLine {
        draft_id: _,
        line: _,
        account_id,
        commodity,
        is_debit,
        amount,
        quantity,
        location_id,
        subsidiary_id,
        cost_center_id,
        project_id,
        description,
    } = line;
    let missing = |code, field: &str| Refusal::new(code, &format!("{path}{field}"));
    let account = account_id.ok_or_else(|| missing(Code::Required, ".accountId"));
    let account = refusals.take(account);
    let side = is_debit.zip(amount);
    let side = refusals.take(side.ok_or_else(|| missing(Code::OneSide, "")));
    let (is_debit, amount) = side?;
    Some(Line {
        account: account?,
        commodity,
        is_debit,
        amount,
        base_amount: None,
        quantity,
        location: location_id,
        subsidiary: subsidiary_id,
        cost_center: cost_center_id,
        project: project_id,
        description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn codes<T>(result: Result<T>) -> Vec<(Code, String)> {
        match result {
            Ok(_) => Vec::new(),
            Err(Error::Refused(refusals)) => refusals
                .iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn draft(lines: Vec<NewDraftLine>) -> NewDraft {
        NewDraft {
            date: None,
            kind: Kind::General,
            description: None,
            document: None,
            lines,
        }
    }

    #[test]
    fn anything_may_be_missing_and_nothing_may_be_impossible() {
        assert!(codes(parse_new(&draft(vec![NewDraftLine::default(); 3]))).is_empty());
        let wrong = NewDraftLine {
            debit: Some(Decimal::ONE),
            credit: Some(Decimal::ONE),
            ..NewDraftLine::default()
        };
        let none = NewDraftLine {
            credit: Some(Decimal::ZERO),
            quantity: Some(Decimal::ZERO),
            ..NewDraftLine::default()
        };
        assert_eq!(
            codes(parse_new(&draft(vec![wrong, none]))),
            [
                (Code::OneSide, "lines.0".to_owned()),
                (Code::OutOfRange, "lines.1.credit".to_owned()),
                (Code::OutOfRange, "lines.1.quantity".to_owned()),
            ]
        );
        let many = vec![NewDraftLine::default(); LINES_MAX + 1];
        assert_eq!(
            codes(parse_new(&draft(many))),
            [(Code::TooMany, "lines".to_owned())]
        );
    }
}
