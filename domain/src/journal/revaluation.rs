//! Revaluation: what assets and liabilities of other commodities are worth on a day, against what they are carried at.
//!
//! The difference lies wholly in the shop's currency: on an account that stands beside the one that is valued, against the account for exchange
//! differences. The database computes and posts it in one statement, behind the lock that keeps everybody else from posting
//! ([ADR 26](../docs/adr/0026-rates-and-revaluation.md)).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    account::Kind as AccountKind,
    id::{AccountId, JournalEntryId},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::{
    Journal, JournalEntry, LINES_MAX,
    fault::{self, Failure, Place},
    post, rules,
};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind as EventKind, NewEvent},
    exchange_rate::no_rate,
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Most accounts and groups that are named at once.
pub const REVALUED_MAX: usize = 1_000;

/// What is to be valued, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Valuation {
    /// At the end of which day.
    pub date: NaiveDate,
    /// These accounts, and all below these groups; all assets and liabilities without.
    pub accounts: Option<Vec<AccountId>>,
}

/// What an account has of a commodity, what that is worth, and at what it is carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromQueryResult)]
pub struct RevaluedAccount {
    /// Which account.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// On the account's debit side, or, negative, on its credit side.
    pub balance: Decimal,
    /// So much of that was posted when nobody had recorded a rate: it is carried at nothing.
    pub unvalued: Decimal,
    /// The day of the rate; none where nothing is left to be valued.
    pub since: Option<NaiveDate>,
    /// What one of it is worth, rounded to 15 digits.
    pub rate: Option<Decimal>,
    /// In the shop's currency; none when there is no rate.
    pub value: Option<Decimal>,
    /// In the shop's currency.
    pub carried: Decimal,
    /// The account that stands beside it, if somebody has said which.
    pub valuation_id: Option<AccountId>,
}

impl RevaluedAccount {
    /// By how much the value is other than what it is carried at: what a revaluation posts.
    #[must_use]
    pub fn difference(&self) -> Decimal {
        self.value.unwrap_or_default() - self.carried
    }
}

/// What came out, and what was posted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revaluation {
    /// Each account and commodity, by their codes, also where nothing is different.
    pub accounts: Vec<RevaluedAccount>,
    /// What was posted; nothing when nothing is different.
    pub entry: Option<JournalEntry>,
}

/// What was kept of a revaluation for an account and a commodity.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RevaluationLine {
    /// Of which entry.
    pub entry_id: JournalEntryId,
    /// Which of its lines.
    pub line: i32,
    /// Which account was valued.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// What the account had of it.
    pub balance: Decimal,
    /// What it was worth, in the shop's currency.
    pub value: Decimal,
    /// At what it was carried, in the shop's currency.
    pub carried: Decimal,
    /// What was posted: the value less what it was carried at.
    pub difference: Decimal,
}

impl Journal<'_> {
    /// Posts by how much the values of accounts are other than what they are carried at, at the end of a day.
    ///
    /// # Errors
    /// When an account is unknown or neither of assets nor of liabilities, nobody has recorded a rate of something, nobody has said on which
    /// accounts it is posted, or all that is wrong with an entry. Then nothing is posted.
    pub async fn revalue(
        &self,
        viewer: &Viewer,
        of: &Valuation,
        description: Option<&str>,
        key: Option<&str>,
    ) -> Result<Revaluation> {
        viewer.require(Permission::BooksPost)?;
        let date = rules::parse_date("date", of.date)?;
        let about = rules::parse_description("description", description)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "journal.revalue";
        let asked = (of, description);
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // Nobody posts until it is posted: what is seen now is what is valued.
        tx.execute_raw(statement("SELECT books_own()", [])).await?;
        let wanted = wanted(&tx, of).await?;
        let accounts = valued(&tx, date, &wanted, now).await?;
        check(&tx, date, &accounts).await?;
        let changed = accounts.iter().any(|row| !row.difference().is_zero());
        let entry = if changed {
            match post_in_tx(&tx, viewer, now, (date, &wanted, about)).await {
                Ok(entry) => Some(entry),
                Err(failure) => {
                    tx.rollback().await?;
                    return Err(fault::explain(&self.domain.reads, failure).await);
                }
            }
        } else {
            None
        };
        if let Some(entry) = &entry {
            record_in_tx(&tx, viewer, now, operation, entry).await?;
        }
        let revaluation = Revaluation { accounts, entry };
        claim.keep_in_tx(&tx, &revaluation).await?;
        self.domain.commit(tx).await?;
        Ok(revaluation)
    }

    /// What a revaluation would come to now. Nothing is posted.
    ///
    /// # Errors
    /// When the viewer may not see the books, an account is unknown or neither of assets nor of liabilities, or nobody has recorded a rate of
    /// something.
    pub async fn preview_revaluation(
        &self,
        viewer: &Viewer,
        of: &Valuation,
    ) -> Result<Vec<RevaluedAccount>> {
        viewer.require(Permission::BooksRead)?;
        let date = rules::parse_date("date", of.date)?;
        let db = &self.domain.reads;
        let wanted = wanted(db, of).await?;
        let accounts = valued(db, date, &wanted, self.domain.now()).await?;
        check_rates(date, &accounts)?;
        Ok(accounts)
    }

    /// What was kept of these revaluations, by entry and line.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn revaluation_lines(
        &self,
        viewer: &Viewer,
        entries: &[JournalEntryId],
    ) -> Result<Vec<RevaluationLine>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT entry_id, line, account_id, commodity, balance, value, carried, difference FROM journal_revaluation
                   WHERE entry_id = ANY($1) ORDER BY entry_id, line";
        let lines = RevaluationLine::find_by_statement(statement(sql, [uuids(entries)]));
        Ok(lines.all(&self.domain.reads).await?)
    }
}

#[derive(FromQueryResult)]
struct Named {
    id: AccountId,
    kind: AccountKind,
}

/// The accounts and groups that are named: known, and of what can be valued. None stands for all.
async fn wanted(db: &impl ConnectionTrait, of: &Valuation) -> Result<Vec<AccountId>> {
    let Some(ids) = &of.accounts else {
        return Ok(Vec::new());
    };
    if ids.is_empty() {
        return Err(Refusal::new(Code::Required, "accountIds").into());
    }
    if ids.len() > REVALUED_MAX {
        let refusal = Refusal::new(Code::TooMany, "accountIds");
        return Err(refusal.with("max", REVALUED_MAX).into());
    }
    let sql = "SELECT id, kind FROM account WHERE id = ANY($1)";
    let found = Named::find_by_statement(statement(sql, [uuids(ids)]));
    let found = found.all(db).await?.into_iter();
    let kinds: BTreeMap<_, _> = found.map(|account| (account.id, account.kind)).collect();
    let refusals = ids.iter().enumerate().filter_map(|(place, id)| {
        let path = format!("accountIds.{place}");
        match kinds.get(id) {
            Some(AccountKind::Asset | AccountKind::Liability) => None,
            Some(_) => {
                let refusal = Refusal::new(Code::WrongAccountKind, &path);
                Some(refusal.with("expected", AccountKind::Asset.to_value()))
            }
            None => Some(Refusal::new(Code::NotFound, &path)),
        }
    });
    let refusals: Vec<_> = refusals.take(fault::TOLD_MAX).collect();
    if refusals.is_empty() {
        Ok(ids.clone())
    } else {
        Err(Error::Refused(refusals))
    }
}

async fn valued(
    db: &impl ConnectionTrait,
    date: NaiveDate,
    wanted: &[AccountId],
    now: DateTime<Utc>,
) -> Result<Vec<RevaluedAccount>> {
    let sql = "SELECT account_id, commodity, balance, unvalued, since, value, carried, valuation_id,
                      round(numerator / denominator, 14 - floor(log(numerator / denominator))::integer) AS rate
               FROM revaluation($1, $2, $3) ORDER BY code, commodity";
    let values = [date.into(), uuids(wanted), now.into()];
    let rows = RevaluedAccount::find_by_statement(statement(sql, values));
    Ok(rows.all(db).await?)
}

/// Each commodity has a rate.
fn check_rates(date: NaiveDate, accounts: &[RevaluedAccount]) -> Result<()> {
    let unrated = accounts.iter().filter(|row| row.value.is_none());
    let unrated: BTreeSet<_> = unrated.map(|row| row.commodity.as_str()).collect();
    if unrated.is_empty() {
        return Ok(());
    }
    let refusals = unrated.iter().map(|code| no_rate("date", code, date));
    Err(Error::Refused(refusals.collect()))
}

/// What is different can be posted.
async fn check(
    tx: &DatabaseTransaction,
    date: NaiveDate,
    accounts: &[RevaluedAccount],
) -> Result<()> {
    check_rates(date, accounts)?;
    let moved = accounts.iter().filter(|row| !row.difference().is_zero());
    let moved: Vec<_> = moved.collect();
    if moved.is_empty() {
        return Ok(());
    }
    // All gains are one line, and all losses another.
    if moved.len() > LINES_MAX - 2 {
        let refusal = Refusal::new(Code::TooMany, "accountIds");
        return Err(refusal.with("max", LINES_MAX - 2).into());
    }
    let sql = "SELECT a.kind || '_valuation' AS role FROM account a WHERE a.id = ANY($1)
               UNION SELECT 'exchange_difference' WHERE NOT EXISTS (SELECT FROM account_role WHERE role = 'exchange_difference')
               ORDER BY role";
    let without = moved.iter().filter(|row| row.valuation_id.is_none());
    let without: Vec<_> = without.map(|row| row.account_id).collect();
    let rows = tx.query_all_raw(statement(sql, [uuids(&without)])).await?;
    let refusals = rows.iter().map(|row| {
        let role: String = row.try_get("", "role")?;
        Ok(Refusal::new(Code::NoAccountForRole, "").with("role", role))
    });
    let refusals = refusals.collect::<Result<Vec<_>>>()?;
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(refusals))
    }
}

async fn post_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (date, wanted, about): (NaiveDate, &[AccountId], Option<String>),
) -> Result<JournalEntry, Failure> {
    let entry = new_id(now);
    let Actor { kind, id, name } = Actor::of(viewer);
    let sql = "SELECT * FROM journal_revalue($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        entry.into(),
        date.into(),
        uuids(wanted),
        about.into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
    ];
    let place = || Place::elsewhere(entry, date, "accountIds");
    let posted = JournalEntry::find_by_statement(statement(sql, values));
    let posted = posted
        .all(tx)
        .await
        .map_err(|error| Failure::of(error, vec![place()]))?;
    if posted.is_empty() {
        let refusal = Refusal::new(Code::NoPeriod, "date").with("date", date);
        return Err(Error::from(refusal).into());
    }
    Ok(post::single(posted)?)
}

/// The trail and the event: it names the accounts that were posted to.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    entry: &JournalEntry,
) -> Result<()> {
    let change = Change::of_new(action, "journal_entry", entry.id.0, entry);
    audit::write_in_tx(tx, viewer, now, change).await?;
    let sql =
        "SELECT DISTINCT account_id FROM journal_line WHERE entry_id = $1 ORDER BY account_id";
    let rows = tx.query_all_raw(statement(sql, [entry.id.into()])).await?;
    let accounts = rows.iter().map(|row| row.try_get("", "account_id"));
    let accounts: Vec<AccountId> = accounts.collect::<Result<_, _>>()?;
    let payload = post::event_payload(action, &accounts.into_iter().collect());
    let event = NewEvent {
        kind: EventKind::JournalPosted,
        aggregate_id: entry.id.0,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
