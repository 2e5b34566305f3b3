//! What the database found wrong with entries, told so that a person understands it.

use chrono::NaiveDate;
use entity::journal_entry::Kind;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use uuid::Uuid;

use super::rules::Entry;
use crate::{
    db,
    error::{Code, Error, Refusal, Result},
    sql::statement,
};

/// Most refusals that are told at once.
pub(super) const TOLD_MAX: usize = 100;

/// Where in the input an entry is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) id: Uuid,
    pub(super) date: NaiveDate,
    prefix: String,
    /// The field that stands for its lines where those are not of the input, as of a reversal; none where they are.
    instead: Option<&'static str>,
    debits: Vec<bool>,
}

impl Place {
    pub(super) fn of(id: Uuid, entry: &Entry) -> Self {
        Self {
            id,
            date: entry.date,
            prefix: entry.prefix.clone(),
            instead: (entry.reverses.is_some() || entry.kind == Kind::Closing).then_some("id"),
            debits: entry.lines.iter().map(|line| line.is_debit).collect(),
        }
    }

    /// The place of an entry whose lines are not of the input: this field stands for them.
    pub(super) fn elsewhere(id: Uuid, date: NaiveDate, instead: &'static str) -> Self {
        Self {
            id,
            date,
            prefix: String::new(),
            instead: Some(instead),
            debits: Vec::new(),
        }
    }

    /// The path of one of its fields.
    pub(super) fn path(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    /// The path of a field of one of its lines, which are numbered from 1.
    fn line(&self, line: Option<usize>, field: &str) -> String {
        match (self.instead, line.and_then(|line| line.checked_sub(1))) {
            (Some(instead), _) => instead.to_owned(),
            (None, Some(index)) => self.path(&format!("lines.{index}.{field}")),
            (None, None) => self.path("lines"),
        }
    }

    /// On which side the amount of a line is.
    fn side(&self, line: Option<usize>) -> &'static str {
        let is_debit = line.and_then(|line| self.debits.get(line.checked_sub(1)?));
        match is_debit {
            Some(false) => "credit",
            _ => "debit",
        }
    }
}

/// Why entries were not posted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// For a reason that is known already.
    Known(Error),
    /// The database refused it.
    Faults {
        /// The constraint that it would break.
        constraint: String,
        /// What is wrong, as the database tells it.
        faults: Vec<Fault>,
        /// Where each entry is in the input.
        places: Vec<Place>,
        /// As it is for the log.
        error: DbErr,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl Failure {
    /// Why these entries were not written.
    pub(super) fn of(error: DbErr, places: Vec<Place>) -> Self {
        match db::broken(&error) {
            Some((constraint, detail)) if is_fault(&constraint) => {
                let faults = detail.and_then(|detail| serde_json::from_str(&detail).ok());
                Self::Faults {
                    constraint,
                    faults: faults.unwrap_or_default(),
                    places,
                    error,
                }
            }
            _ => Self::Known(error.into()),
        }
    }
}

/// Whether the constraint is one that people can break, and not only a fault of ours.
fn is_fault(constraint: &str) -> bool {
    matches!(
        constraint,
        FLOOR
            | "journal_entry_balanced"
            | "journal_entry_reversed_once"
            | "journal_entry_of_stock"
            | "journal_line_fit"
            | "journal_period_open"
    )
}

/// The constraint that floors are.
const FLOOR: &str = "account_floor_kept_up";

/// One thing that is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    code: String,
    /// Which entry or hold; none of what is wrong with all of them together.
    entry: Option<Uuid>,
    /// Which line, from 1.
    line: Option<usize>,
    account: Option<String>,
    commodity: Option<String>,
    expected: Option<String>,
    scale: Option<i16>,
    debit: Option<Decimal>,
    credit: Option<Decimal>,
    /// Of which kind a subsidiary account has to be.
    kind: Option<String>,
    subsidiary: Option<String>,
    available: Option<Decimal>,
    floor: Option<Decimal>,
}

/// The error that says why.
pub(crate) async fn explain(db: &impl ConnectionTrait, failure: Failure) -> Error {
    match failure {
        Failure::Known(error) => error,
        Failure::Faults {
            constraint,
            faults,
            places,
            error,
        } => match refusals(db, &constraint, &faults, &places).await {
            Ok(refusals) if refusals.is_empty() => error.into(),
            Ok(refusals) => Error::Refused(refusals),
            Err(error) => error,
        },
    }
}

async fn refusals(
    db: &impl ConnectionTrait,
    constraint: &str,
    faults: &[Fault],
    places: &[Place],
) -> Result<Vec<Refusal>> {
    if constraint == "journal_entry_reversed_once" {
        return Ok(vec![Refusal::new(Code::AlreadyReversed, "id")]);
    }
    if constraint == FLOOR {
        return Ok(faults.iter().map(below_floor).take(TOLD_MAX).collect());
    }
    let until = match constraint {
        "journal_period_open" => closed_until(db).await?,
        _ => String::new(),
    };
    let told = faults.iter().filter_map(|fault| {
        let place = places.iter().find(|place| Some(place.id) == fault.entry)?;
        Some(told(fault, place, &until))
    });
    Ok(told.take(TOLD_MAX).collect())
}

async fn closed_until(db: &impl ConnectionTrait) -> Result<String> {
    let sql = "SELECT max(ends_on) AS closed_until FROM period WHERE closed_at IS NOT NULL";
    let row = db.query_one_raw(statement(sql, [])).await?;
    let until = row.map(|row| row.try_get("", "closed_until")).transpose()?;
    let until: Option<NaiveDate> = until.flatten();
    Ok(until.map(|until| until.to_string()).unwrap_or_default())
}

/// What is wrong with the value of a dimension.
fn of_dimension(
    code: &str,
    at: impl Fn(Code, &str) -> Refusal,
    prefix: &str,
    field: &str,
) -> Refusal {
    let code = match code.strip_prefix(prefix).unwrap_or_default() {
        "missing" => Code::SubsidiaryRequired,
        "unwanted" => Code::SubsidiaryUnwanted,
        "wrong_kind" => Code::WrongDimension,
        "archived" => Code::Archived,
        _ => Code::NotFound,
    };
    at(code, field)
}

/// An account would have less than it has to.
fn below_floor(fault: &Fault) -> Refusal {
    let shown = |amount: Option<Decimal>| amount.unwrap_or_default().normalize();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let account = match &fault.subsidiary {
        Some(subsidiary) => format!("{} {subsidiary}", text(&fault.account)),
        None => text(&fault.account),
    };
    Refusal::new(Code::BelowFloor, "lines")
        .with("account", account)
        .with("commodity", text(&fault.commodity))
        .with("available", shown(fault.available))
        .with("floor", shown(fault.floor))
}

/// The fault as a refusal of the field that it is about.
fn told(fault: &Fault, place: &Place, closed_until: &str) -> Refusal {
    let Fault {
        code,
        entry: _,
        line,
        account,
        commodity,
        expected,
        scale,
        debit,
        credit,
        kind,
        subsidiary: _,
        available: _,
        floor: _,
    } = fault;
    let at = |code, field: &str| Refusal::new(code, &place.line(*line, field));
    let account = account.as_deref().unwrap_or_default();
    let commodity = commodity.as_deref().unwrap_or_default();
    let shown = |amount: &Option<Decimal>| amount.unwrap_or_default().normalize();
    match code.as_str() {
        "account_unknown" => at(Code::NotFound, "accountId"),
        "account_is_group" => at(Code::AccountIsGroup, "accountId").with("account", account),
        "account_archived" => at(Code::Archived, "accountId"),
        "account_of_stock" => at(Code::AccountOfStock, "accountId").with("account", account),
        "entry_of_stock" => Refusal::new(Code::EntryOfStock, "id"),
        "commodity_unknown" => at(Code::UnknownCommodity, "commodity").with("value", commodity),
        "commodity_unfit" => at(Code::WrongCommodity, "commodity")
            .with("account", account)
            .with("commodity", commodity)
            .with("expected", expected.as_deref().unwrap_or_default()),
        "too_fine" => at(Code::TooFine, place.side(*line)).with("max", scale.unwrap_or_default()),
        "location_unknown" => at(Code::NotFound, "locationId"),
        code if code.starts_with("subsidiary_") => {
            of_dimension(code, at, "subsidiary_", "subsidiaryId")
                .with("account", account)
                .with("expected", kind.as_deref().unwrap_or_default())
        }
        code if code.starts_with("cost_center_") => {
            of_dimension(code, at, "cost_center_", "costCenterId").with("expected", "cost_center")
        }
        code if code.starts_with("project_") => {
            of_dimension(code, at, "project_", "projectId").with("expected", "project")
        }
        "no_period" => Refusal::new(Code::NoPeriod, &place.path("date")).with("date", place.date),
        "period_closed" => {
            Refusal::new(Code::PeriodClosed, &place.path("date")).with("closedUntil", closed_until)
        }
        _ => at(Code::Unbalanced, "lines")
            .with("commodity", commodity)
            .with("debit", shown(debit))
            .with("credit", shown(credit)),
    }
}
