//! Undoing an entry: its exact mirror, once.

use chrono::NaiveDate;
use entity::{
    id::JournalEntryId,
    journal_entry::{Kind, Model as JournalEntry},
    journal_line::Model as JournalLine,
};
use sea_orm::{DatabaseTransaction, FromQueryResult};

use super::{
    Journal, fault, post,
    rules::{self, Entry, Line},
};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    shop,
    sql::statement,
    viewer::Viewer,
};

impl Journal<'_> {
    /// Undoes an entry: what it debited is credited, to the last digit. An entry is undone once, and what undoes one is not undone itself.
    /// It is of today, or of the entry's day when that is later, unless another day is given.
    ///
    /// # Errors
    /// When there is no such entry, it was undone before, undoes one itself, or the day lies before it or in a closed period.
    pub async fn reverse(
        &self,
        viewer: &Viewer,
        id: JournalEntryId,
        date: Option<NaiveDate>,
        description: Option<&str>,
        key: Option<&str>,
    ) -> Result<JournalEntry> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_description("description", description)?;
        let asked = (id, date, description);
        let now = self.domain.now();
        let operation = "journal.reverse";
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(kept) => return post::single(post::again_in_tx(&tx, kept).await?),
            Claimed::Now(claim) => claim,
        };
        let original = original_in_tx(&tx, id).await?;
        let date = date_of(date, &original, shop::day_in_tx(&tx, now).await?)?;
        let mirror = mirror_in_tx(&tx, &original, date, parsed).await?;
        match post::write_in_tx(&tx, viewer, now, (operation, claim), vec![mirror]).await {
            Ok(posted) => {
                self.domain.commit(tx).await?;
                post::single(posted)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(fault::explain(&self.domain.reads, failure).await)
            }
        }
    }
}

/// The entry to be undone.
async fn original_in_tx(tx: &DatabaseTransaction, id: JournalEntryId) -> Result<JournalEntry> {
    let found = super::query::by_ids(tx, &[id]).await?.pop();
    let original = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    match original.kind {
        Kind::Reversal => return Err(Refusal::new(Code::NotReversible, "id").into()),
        // It goes with its year: the year is opened again.
        Kind::Closing => return Err(Refusal::new(Code::FiscalYearClosed, "id").into()),
        Kind::Stock => return Err(Refusal::new(Code::EntryOfStock, "id").into()),
        Kind::General | Kind::Opening | Kind::Revaluation => {}
    }
    Ok(original)
}

/// The day of the reversal: none before the entry's.
fn date_of(
    date: Option<NaiveDate>,
    original: &JournalEntry,
    today: NaiveDate,
) -> Result<NaiveDate, Refusal> {
    let Some(date) = date else {
        return Ok(today.max(original.date));
    };
    if date < original.date {
        let refusal = Refusal::new(Code::TimeOutOfRange, "date");
        return Err(refusal.with("min", original.date).with("max", "9999-12-31"));
    }
    rules::parse_date("date", date)
}

/// The entry's lines the other way round.
pub(super) async fn mirror_in_tx(
    tx: &DatabaseTransaction,
    original: &JournalEntry,
    date: NaiveDate,
    description: Option<String>,
) -> Result<Entry> {
    let sql = "SELECT * FROM journal_line WHERE entry_id = $1 ORDER BY line";
    let lines = JournalLine::find_by_statement(statement(sql, [original.id.into()]));
    let lines = lines.all(tx).await?.into_iter().map(|line| {
        let JournalLine {
            entry_id: _,
            line: _,
            account_id,
            commodity,
            is_debit,
            amount,
            base_amount,
            quantity,
            location_id,
            description,
            date: _,
            number: _,
            subsidiary_id,
            cost_center_id,
            project_id,
        } = line;
        Line {
            account: account_id,
            commodity: Some(commodity),
            is_debit: !is_debit,
            amount,
            base_amount,
            quantity,
            location: location_id,
            subsidiary: subsidiary_id,
            cost_center: cost_center_id,
            project: project_id,
            description,
        }
    });
    let document = original
        .document_type
        .clone()
        .zip(original.document_id.clone())
        .map(|(kind, id)| super::Document { kind, id });
    Ok(Entry {
        prefix: String::new(),
        date,
        kind: Kind::Reversal,
        description,
        document,
        reverses: Some(original.id),
        lines: lines.collect(),
    })
}
