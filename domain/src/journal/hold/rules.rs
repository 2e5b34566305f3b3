//! Decisions about holds that need nothing but their arguments.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{HoldPosting, JournalHold, JournalHoldLine, NewHold, State};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    journal::{
        Document, Kind,
        rules::{Entry, Line, parse_date, parse_description, parse_document, parse_lines},
    },
};

/// Longest time that something is held, unless it is held for ever.
const HELD_MAX: TimeDelta = TimeDelta::days(3650);

/// A hold that is known in full, as far as the input says.
pub(super) struct Parsed {
    /// What it would be if it were posted at once; of no day yet.
    pub(super) entry: Entry,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

pub(super) fn parse(new: &NewHold, now: DateTime<Utc>) -> Result<Parsed> {
    let NewHold {
        description,
        document,
        expires_at,
        lines,
    } = new;
    let mut refusals = Refusals::default();
    let description = refusals.take(parse_description("description", description.as_deref()));
    let document = document
        .as_ref()
        .map(|document| parse_document("", document));
    let document = refusals.take(document.transpose());
    if expires_at.is_some_and(|at| at <= now || at > now + HELD_MAX) {
        let refusal = Refusal::new(Code::TimeOutOfRange, "expiresAt");
        refusals.push(
            refusal
                .with("min", now.to_rfc3339())
                .with("max", (now + HELD_MAX).to_rfc3339()),
        );
    }
    let lines = parse_lines("", lines, &mut refusals);
    let parsed = (|| {
        let entry = Entry {
            prefix: String::new(),
            date: NaiveDate::default(),
            kind: Kind::General,
            description: description?,
            document: document?,
            reverses: None,
            lines: lines?,
        };
        Some(Parsed {
            entry,
            expires_at: *expires_at,
        })
    })();
    refusals.into_result(parsed)
}

/// How a hold is posted: valid.
pub(super) struct Posting {
    date: NaiveDate,
    description: Option<String>,
    /// How much, by the number of the line; where in the input.
    amounts: Option<BTreeMap<i32, (usize, Decimal)>>,
}

pub(super) fn parse_posting(posting: &HoldPosting) -> Result<Posting> {
    let HoldPosting {
        date,
        description,
        amounts,
    } = posting;
    let mut refusals = Refusals::default();
    let date = refusals.take(parse_date("date", *date));
    let description = refusals.take(parse_description("description", description.as_deref()));
    let amounts = amounts.as_ref().map(|amounts| {
        let mut by_line = BTreeMap::new();
        for (place, (line, amount)) in amounts.iter().enumerate() {
            if by_line.insert(*line, (place, *amount)).is_some() {
                let refusal = Refusal::new(Code::AlreadyTaken, &format!("lines.{place}.line"));
                refusals.push(refusal.with("value", line));
            }
        }
        by_line
    });
    let parsed = (|| {
        Some(Posting {
            date: date?,
            description: description?,
            amounts,
        })
    })();
    refusals.into_result(parsed)
}

/// What has ended does not end again, and what is over is not posted.
pub(super) fn check_pending(hold: &JournalHold, now: DateTime<Utc>) -> Result<(), Refusal> {
    let state = match at(hold.clone(), now).state {
        State::Pending => return Ok(()),
        State::Posted => "posted",
        State::Voided => "voided",
        State::Expired => "expired",
    };
    Err(Refusal::new(Code::WrongState, "id").with("state", state))
}

/// As it is at this moment: one whose time is over holds nothing, whoever has noticed it.
pub(super) fn at(hold: JournalHold, now: DateTime<Utc>) -> JournalHold {
    if hold.state == State::Pending && hold.expires_at.is_some_and(|at| at <= now) {
        return JournalHold {
            state: State::Expired,
            ended_at: hold.expires_at,
            ..hold
        };
    }
    hold
}

/// What is posted of a hold: of each line as much as is said, and no more than is held.
pub(super) fn entry(
    hold: &JournalHold,
    lines: &[JournalHoldLine],
    posting: &Posting,
) -> Result<Entry> {
    let mut refusals = Refusals::default();
    if let Some(amounts) = &posting.amounts {
        for (line, (place, _)) in amounts {
            if !lines.iter().any(|held| held.line == *line) {
                let refusal = Refusal::new(Code::NotFound, &format!("lines.{place}.line"));
                refusals.push(refusal);
            }
        }
    }
    let posted = lines.iter().filter_map(|line| match &posting.amounts {
        None => Some(of(line, line.amount)),
        Some(amounts) => {
            let (place, amount) = amounts.get(&line.line)?;
            if *amount <= Decimal::ZERO || *amount > line.amount {
                let refusal = Refusal::new(Code::OutOfRange, &format!("lines.{place}.amount"));
                let least = Decimal::new(1, 6);
                let refusal = refusal.with("min", least);
                refusals.push(refusal.with("max", line.amount.normalize()));
                return None;
            }
            Some(of(line, *amount))
        }
    });
    let posted: Vec<_> = posted.collect();
    if posted.len() < 2 {
        let refusal = Refusal::new(Code::OutOfRange, "lines").with("min", 2);
        refusals.push(refusal.with("max", lines.len()));
    }
    let JournalHold {
        description,
        document_type,
        document_id,
        ..
    } = hold.clone();
    let document = document_type.zip(document_id);
    refusals.into_result(Some(Entry {
        prefix: String::new(),
        date: posting.date,
        kind: Kind::General,
        description: posting.description.clone().or(description),
        document: document.map(|(kind, id)| Document { kind, id }),
        reverses: None,
        lines: posted,
    }))
}

/// A line of the entry. How many things a part of an amount is for, nobody knows.
fn of(line: &JournalHoldLine, amount: Decimal) -> Line {
    let JournalHoldLine {
        hold_id: _,
        line: _,
        account_id,
        commodity,
        is_debit,
        amount: held,
        quantity,
        location_id,
        subsidiary_id,
        cost_center_id,
        project_id,
        description,
    } = line.clone();
    Line {
        account: account_id,
        commodity: Some(commodity),
        is_debit,
        amount,
        base_amount: None,
        quantity: quantity.filter(|_| amount == held),
        location: location_id,
        subsidiary: subsidiary_id,
        cost_center: cost_center_id,
        project: project_id,
        description,
    }
}
