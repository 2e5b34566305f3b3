//! What accounts have, whenever it changes: for whoever shows balances and wants them to be those of now.

use std::collections::BTreeSet;

use entity::id::{AccountId, JournalEntryId};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;

use super::Journal;
use crate::{
    error::{Code, Error, Refusal, Result},
    event::{Event, Interest},
    permission::Permission,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Most accounts and groups that are watched at once.
pub const WATCHED_MAX: usize = 100;

/// Accounts and groups that somebody watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    accounts: BTreeSet<AccountId>,
    /// What is in a group may become other accounts: then the database is asked.
    has_groups: bool,
}

/// What may have changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// These accounts.
    accounts: BTreeSet<AccountId>,
    /// And those of these entries, which are very many.
    entries: Vec<JournalEntryId>,
}

impl Watched {
    /// The events that may concern them.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let mut accounts = self.accounts.iter().copied();
        let account = match (accounts.next(), accounts.next()) {
            (Some(only), None) if !self.has_groups => Some(only),
            _ => None,
        };
        Interest::Journal { account }
    }

    /// What these events of the journal may have changed of them; none when certainly nothing.
    #[must_use]
    pub fn touched(&self, events: &[Event]) -> Option<Touched> {
        let mut touched = Touched::default();
        for event in events {
            let named = event.payload.get("accounts").cloned();
            let named =
                named.and_then(|named| serde_json::from_value::<Vec<AccountId>>(named).ok());
            match named {
                Some(named) => touched.accounts.extend(named),
                None => touched.entries.push(JournalEntryId(event.aggregate_id)),
            }
        }
        if !self.has_groups {
            touched.accounts.retain(|id| self.accounts.contains(id));
        }
        let is_nothing = touched.accounts.is_empty() && touched.entries.is_empty();
        (!is_nothing).then_some(touched)
    }
}

/// What went to each side of an account in a commodity, up to now.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct WatchedBalance {
    /// Which account.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// How much was debited.
    pub debit: Decimal,
    /// How much was credited.
    pub credit: Decimal,
}

impl WatchedBalance {
    /// What the account has: on its debit side, or, negative, on its credit side.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.debit - self.credit
    }
}

#[derive(FromQueryResult)]
struct Found {
    id: AccountId,
    is_group: bool,
}

impl Journal<'_> {
    /// Watches accounts, and all accounts below groups.
    ///
    /// # Errors
    /// When the viewer may not see the books, these are none or too many, or one is unknown.
    pub async fn watch(&self, viewer: &Viewer, ids: &[AccountId]) -> Result<Watched> {
        viewer.require(Permission::BooksRead)?;
        let path = "accountIds";
        if ids.is_empty() {
            return Err(Refusal::new(Code::Required, path).into());
        }
        if ids.len() > WATCHED_MAX {
            let refusal = Refusal::new(Code::TooMany, path);
            return Err(refusal.with("max", WATCHED_MAX).into());
        }
        let sql = "SELECT id, is_group FROM account WHERE id = ANY($1)";
        let found = Found::find_by_statement(statement(sql, [uuids(ids)]));
        let found = found.all(&self.domain.reads).await?;
        let accounts: BTreeSet<_> = found.iter().map(|account| account.id).collect();
        let unknown = ids.iter().enumerate();
        let unknown = unknown.filter(|(_, id)| !accounts.contains(id));
        let unknown: Vec<_> = unknown
            .map(|(place, _)| Refusal::new(Code::NotFound, &format!("{path}.{place}")))
            .collect();
        if !unknown.is_empty() {
            return Err(Error::Refused(unknown));
        }
        Ok(Watched {
            accounts,
            has_groups: found.iter().any(|account| account.is_group),
        })
    }

    /// What those of the accounts have by now, on whatever day, that are watched, by the codes of accounts and commodities: one statement.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn watched_balances(
        &self,
        viewer: &Viewer,
        watched: &Watched,
        touched: &Touched,
    ) -> Result<Vec<WatchedBalance>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "WITH touched AS (
                       SELECT unnest($2::uuid[]) AS id UNION SELECT account_id FROM journal_line WHERE entry_id = ANY($3)
                   ), changed AS MATERIALIZED (
                       SELECT a.id, a.code FROM touched t JOIN account a ON a.id = t.id
                       WHERE EXISTS (SELECT FROM account w WHERE w.id = ANY($1) AND w.path @> a.path)
                   )
                   SELECT c.id AS account_id, t.commodity, sum(t.debit) AS debit, sum(t.credit) AS credit
                   FROM changed c JOIN account_turnover t ON t.account_id = c.id AND t.span = 'month'
                   GROUP BY c.id, c.code, t.commodity
                   ORDER BY c.code, t.commodity";
        let ids: Vec<_> = watched.accounts.iter().copied().collect();
        let accounts: Vec<_> = touched.accounts.iter().copied().collect();
        let values = [uuids(&ids), uuids(&accounts), uuids(&touched.entries)];
        let rows = WatchedBalance::find_by_statement(statement(sql, values));
        Ok(rows.all(&self.domain.reads).await?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const ONE: AccountId = AccountId(Uuid::from_u128(1));
    const TWO: AccountId = AccountId(Uuid::from_u128(2));
    const ENTRY: Uuid = Uuid::from_u128(9);

    fn watched(has_groups: bool) -> Watched {
        Watched {
            accounts: BTreeSet::from([ONE]),
            has_groups,
        }
    }

    fn event(payload: Value) -> Event {
        Event {
            number: 1,
            position: Some(1),
            kind: String::new(),
            aggregate_type: String::new(),
            aggregate_id: ENTRY,
            aggregate_version: 1,
            payload,
            request_id: None,
            created_at: DateTime::default(),
        }
    }

    #[test]
    fn the_database_is_asked_only_about_what_may_have_changed() {
        let other = [event(json!({"accounts": [TWO]}))];
        assert_eq!(watched(false).touched(&other), None);
        let touched = watched(true).touched(&other).unwrap();
        assert_eq!(touched.accounts, BTreeSet::from([TWO]));
        let both = [
            event(json!({"accounts": [TWO, ONE]})),
            event(json!({"action": "journal.post"})),
        ];
        let touched = watched(false).touched(&both).unwrap();
        assert_eq!(touched.accounts, BTreeSet::from([ONE]));
        assert_eq!(touched.entries, [JournalEntryId(ENTRY)]);
    }

    #[test]
    fn whoever_watches_one_account_is_told_of_no_other() {
        let only = Interest::Journal { account: Some(ONE) };
        assert_eq!(watched(false).interest(), only);
        let all = Interest::Journal { account: None };
        assert_eq!(watched(true).interest(), all);
    }
}
