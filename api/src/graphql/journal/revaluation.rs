//! Revaluations, as clients see them and ask for them.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission, Refusal,
    journal::{RevaluationLine as LineRow, RevaluedAccount as Row, Valuation},
};
use entity::id::AccountId;

use super::JournalEntry;
use crate::graphql::{
    account::Account,
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{load, preload},
    payload::{UserError, settle},
};

/// What an account has of a commodity, what that is worth on a day, and at what it is carried.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct RevaluedAccount {
    /// Of what: a commodity's code, other than the shop's currency.
    commodity: String,
    /// What the account had: debited without credited, so negative on the credit side.
    balance: Decimal,
    /// So much of that was posted when nobody had recorded a rate for its day: it is carried at nothing, and a revaluation posts all of its value.
    unvalued: Decimal,
    /// What one of it is worth, rounded to 15 digits; null where nothing is left to be valued.
    rate: Option<Decimal>,
    /// Of which day the rate is; likewise.
    rate_date: Option<Date>,
    /// What the balance is worth, in the shop's currency.
    value: Decimal,
    /// At what it is carried, in the shop's currency: the values that it was posted with, and earlier revaluations.
    carried: Decimal,
    /// The value less what it is carried at: what a revaluation posts.
    difference: Decimal,
    #[graphql(skip)]
    account_id: AccountId,
    #[graphql(skip)]
    valuation_id: Option<AccountId>,
}

impl RevaluedAccount {
    fn new(row: Row) -> Self {
        let difference = row.difference();
        let Row {
            account_id,
            commodity,
            balance,
            unvalued,
            since,
            rate,
            value,
            carried,
            valuation_id,
        } = row;
        Self {
            commodity,
            balance: Decimal::shown(balance),
            unvalued: Decimal::shown(unvalued),
            rate: rate.map(Decimal::shown),
            rate_date: since.map(Date),
            value: Decimal::shown(value.unwrap_or_default()),
            carried: Decimal::shown(carried),
            difference: Decimal::shown(difference),
            account_id,
            valuation_id,
        }
    }
}

#[ComplexObject]
impl RevaluedAccount {
    /// Which account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }

    /// The account that stands beside it and takes the difference; null as long as nobody has said which.
    async fn valuation_account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let Some(id) = self.valuation_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// What was posted by a revaluation for an account and a commodity.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalRevaluationLine {
    /// In which line of the entry it is.
    line: i32,
    /// Of what: a commodity's code.
    commodity: String,
    /// What the account had of it.
    balance: Decimal,
    /// What that was worth, in the shop's currency.
    value: Decimal,
    /// At what it was carried, in the shop's currency.
    carried: Decimal,
    /// What was posted: the value less what it was carried at.
    difference: Decimal,
    #[graphql(skip)]
    account_id: AccountId,
}

impl JournalRevaluationLine {
    /// As clients see it.
    #[must_use]
    pub fn new(row: LineRow) -> Self {
        let LineRow {
            entry_id: _,
            line,
            account_id,
            commodity,
            balance,
            value,
            carried,
            difference,
        } = row;
        Self {
            line,
            commodity,
            balance: Decimal::shown(balance),
            value: Decimal::shown(value),
            carried: Decimal::shown(carried),
            difference: Decimal::shown(difference),
            account_id,
        }
    }
}

#[ComplexObject]
impl JournalRevaluationLine {
    /// Which account was valued.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// Queries about revaluations.
#[derive(Default)]
pub struct RevaluationQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl RevaluationQuery {
    /// What `journalRevalue` would come to now, by account and commodity, also where nothing is different. Nothing is posted. Needs `books.read`.
    #[graphql(complexity = "cost::tree(None, child_complexity)")]
    async fn journal_revaluation_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At the end of which day.")] date: Date,
        #[graphql(
            desc = "These accounts, and all below these groups: at most 1,000. All assets and liabilities without."
        )]
        account_ids: Option<Vec<ID>>,
    ) -> async_graphql::Result<Vec<RevaluedAccount>> {
        let viewer = ctx.viewer();
        let of = valuation(date, account_ids).map_err(Into::into);
        let of = of.or_graphql(viewer)?;
        let journal = ctx.domain().journal();
        let rows = journal.preview_revaluation(viewer, &of).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.iter().map(|row| row.account_id)).await?;
        preload(ctx, rows.iter().filter_map(|row| row.valuation_id)).await?;
        Ok(rows.into_iter().map(RevaluedAccount::new).collect())
    }
}

/// What is to be valued.
#[derive(InputObject)]
pub struct JournalRevalueInput {
    /// At the end of which day: one of an open period.
    date: Date,
    /// These accounts, and all below these groups: at most 1,000. All assets and liabilities without.
    account_ids: Option<Vec<ID>>,
    /// What it is about: at most 2,000 characters.
    description: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of a revaluation.
#[derive(SimpleObject)]
pub struct JournalRevaluePayload {
    /// What was posted; null when nothing was different, or it was refused.
    entry: Option<JournalEntry>,
    /// What came out, by account and commodity; null when it was refused.
    accounts: Option<Vec<RevaluedAccount>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of values.
#[derive(Default)]
pub struct RevaluationMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl RevaluationMutation {
    /// Posts by how much assets and liabilities in other currencies, and in metals, are worth more or less than what they are carried at. It is posted
    /// in the shop's currency, on the accounts that stand beside them, against the account for exchange differences. Doing it again posts what is
    /// different since. Needs `books.post`.
    async fn journal_revalue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is valued, and when.")] input: JournalRevalueInput,
    ) -> async_graphql::Result<JournalRevaluePayload> {
        let JournalRevalueInput {
            date,
            account_ids,
            description,
            idempotency_key,
        } = input;
        let revalued = async {
            let of = valuation(date, account_ids)?;
            let key = idempotency_key.as_deref();
            let journal = ctx.domain().journal();
            journal
                .revalue(ctx.viewer(), &of, description.as_deref(), key)
                .await
        };
        let (revalued, user_errors) = settle(ctx, revalued.await)?;
        let (entry, accounts) = match revalued {
            Some(revalued) => (revalued.entry, Some(revalued.accounts)),
            None => (None, None),
        };
        Ok(JournalRevaluePayload {
            entry: entry.map(JournalEntry::new),
            accounts: accounts.map(|rows| rows.into_iter().map(RevaluedAccount::new).collect()),
            user_errors,
        })
    }
}

fn valuation(date: Date, account_ids: Option<Vec<ID>>) -> Result<Valuation, Refusal> {
    let accounts = account_ids.map(|ids| {
        let ids = ids.iter().enumerate();
        let ids = ids.map(|(place, id)| AccountId::parse(&format!("accountIds.{place}"), id));
        ids.collect::<Result<Vec<_>, _>>()
    });
    Ok(Valuation {
        date: date.0,
        accounts: accounts.transpose()?,
    })
}
