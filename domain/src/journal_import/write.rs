//! Posts a journal: everything in one transaction, which ends the import as well.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{AccountId, JobId},
    journal_entry::Kind,
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde_json::json;

use super::{
    Fault, Format, JournalImport, Options, beancount,
    book::{self, Entry, On, Scales},
    chart::{CONVERSIONS, Chart, ROUNDING},
    hledger,
    syntax::Journal,
};
use crate::{
    Domain,
    error::{Code, Error, Refusal, Result},
    idempotency::Claim,
    item_import::author,
    job::{self, NewJobFile},
    journal::{self, Document, ENTRIES_MAX, Failure, LINES_MAX, LINES_TOGETHER_MAX},
    period::{self, NewFiscalYear},
    report::tree,
    sql::statement,
    viewer::Viewer,
};

/// What the document of an imported entry is called.
const DOCUMENT: &str = "import";
/// Most things that are told.
const FAULTS_MAX: usize = 1_000;
/// What this transaction may do longer than others.
const PATIENCE: &str =
    "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '5min'";
/// One import after the other: what one has posted, the other finds.
const TURN: &str = "SELECT pg_advisory_xact_lock(7811623984205173613)";

/// What became of an import.
#[derive(Debug)]
pub enum Outcome {
    /// It is done, and its job as well.
    Done,
    /// Something is wrong: at least one thing. Nothing was written.
    Wrong(Vec<Fault>),
}

/// What an import has done.
#[derive(Default)]
struct Tally {
    posted: i64,
    lines: i64,
    present: i64,
    accounts: i64,
    rounding: BTreeMap<String, Decimal>,
}

/// Why it was not done.
enum Obstacle {
    Faults(Vec<Fault>),
    /// Entries from this place on were refused by the database; the lines of the file that they begin on.
    Refused(Failure, Vec<u32>),
    Error(Error),
}

impl<E: Into<Error>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

pub(super) async fn run(
    domain: &Domain,
    worker: &Viewer,
    job: (JobId, i32),
    import: &JournalImport,
    text: &str,
) -> Result<Outcome> {
    let read = match import.format {
        Format::Beancount => beancount::read(text),
        Format::Hledger => hledger::read(text),
    };
    let viewer = author(&domain.db, worker, import.user_id).await?;
    let tx = domain.begin().await?;
    tx.execute_unprepared(PATIENCE).await?;
    tx.execute_raw(statement(TURN, [])).await?;
    match post_in_tx(domain, &tx, &viewer, import, read).await {
        Ok(tally) => {
            if import.dry_run {
                // What was tried is taken back, and only the end of it is written.
                tx.rollback().await?;
                let tx = domain.begin().await?;
                return finish(domain, tx, worker, job, import, tally).await;
            }
            finish(domain, tx, worker, job, import, tally).await
        }
        Err(obstacle) => {
            tx.rollback().await?;
            wrong(domain, obstacle).await.map(Outcome::Wrong)
        }
    }
}

async fn wrong(domain: &Domain, obstacle: Obstacle) -> Result<Vec<Fault>> {
    let (failure, lines) = match obstacle {
        Obstacle::Faults(faults) => return Ok(faults),
        Obstacle::Error(Error::Refused(refusals)) => {
            let faults = refusals
                .into_iter()
                .map(|refusal| Fault { line: 1, refusal });
            return Ok(faults.collect());
        }
        Obstacle::Error(error) => return Err(error),
        Obstacle::Refused(failure, lines) => (failure, lines),
    };
    match journal::explain(&domain.reads, failure).await {
        Error::Refused(refusals) => Ok(refusals
            .into_iter()
            .map(|refusal| located(refusal, &lines))
            .collect()),
        error => Err(error),
    }
}

/// The paths of refusals begin with the place of the entry.
fn located(mut refusal: Refusal, lines: &[u32]) -> Fault {
    let place = refusal
        .path
        .get(1)
        .and_then(|place| place.parse::<usize>().ok());
    let line = place
        .and_then(|place| lines.get(place))
        .copied()
        .unwrap_or(1);
    refusal.path.drain(..refusal.path.len().min(2));
    Fault { line, refusal }
}

async fn finish(
    domain: &Domain,
    tx: DatabaseTransaction,
    worker: &Viewer,
    job: (JobId, i32),
    import: &JournalImport,
    tally: Tally,
) -> Result<Outcome> {
    let now = domain.now();
    let sql = "UPDATE journal_import SET state = 'done', posted = $2, lines = $3, present = $4, accounts = $5, rounding = $6, finished_at = $7
               WHERE id = $1";
    let rounding: BTreeMap<_, _> = tally
        .rounding
        .into_iter()
        .map(|(commodity, amount)| (commodity, amount.normalize().to_string()))
        .collect();
    let values = [
        import.id.into(),
        tally.posted.into(),
        tally.lines.into(),
        tally.present.into(),
        tally.accounts.into(),
        serde_json::to_value(rounding)?.into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    let result = json!({ "posted": tally.posted, "lines": tally.lines, "present": tally.present, "accounts": tally.accounts });
    job::succeed_with_in_tx(&tx, worker, now, job, &result).await?;
    domain.commit(tx).await?;
    Ok(Outcome::Done)
}

pub(super) async fn reject(
    domain: &Domain,
    worker: &Viewer,
    job: (JobId, i32),
    import: &JournalImport,
    faults: &[Fault],
    file: NewJobFile,
) -> Result<()> {
    let now = domain.now();
    let first = faults.first();
    let refusal = first.map(|fault| serde_json::to_value(&fault.refusal));
    let tx = domain.begin().await?;
    let sql = "UPDATE journal_import SET state = 'rejected', failed = $2, first_line = $3, first_refusal = $4, finished_at = $5 WHERE id = $1";
    let values = [
        import.id.into(),
        i64::try_from(faults.len()).unwrap_or(i64::MAX).into(),
        first.map(|fault| i64::from(fault.line)).into(),
        refusal.transpose()?.into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    let result = json!({ "failed": faults.len() });
    job::succeed_with_in_tx(&tx, worker, now, job, &result).await?;
    job::add_files_in_tx(&tx, now, job.0, &[file]).await?;
    domain.commit(tx).await
}

async fn post_in_tx(
    domain: &Domain,
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    import: &JournalImport,
    read: Journal,
) -> Result<Tally, Obstacle> {
    let options: Options = serde_json::from_value(import.options.clone())?;
    let now = domain.now();
    let scales = scales_in_tx(tx, &read, options).await?;
    let (entries, booked) = book::book(&read, &scales);
    let mut faults = read.faults;
    faults.extend(booked);
    if !faults.is_empty() {
        return Err(all(faults));
    }
    let mut tally = Tally::default();
    let entries = new_ones_in_tx(tx, entries, &mut tally).await?;
    years_in_tx(tx, viewer, now, &entries, options).await?;
    let chart = accounts_in_tx(tx, viewer, now, &entries, options, &mut tally).await?;
    for chunk in chunks(&entries) {
        let lines = chunk.iter().map(|entry| entry.line).collect();
        let parsed = chunk
            .iter()
            .enumerate()
            .map(|(place, entry)| to_post(place, entry, &chart))
            .collect::<Result<Vec<_>>>()?;
        for entry in chunk {
            count(&mut tally, entry);
        }
        let operation = ("journal.import", Claim::NONE);
        let posted = journal::write_in_tx(tx, viewer, now, operation, parsed).await;
        posted.map_err(|failure| Obstacle::Refused(failure, lines))?;
    }
    Ok(tally)
}

fn all(mut faults: Vec<Fault>) -> Obstacle {
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(FAULTS_MAX);
    Obstacle::Faults(faults)
}

fn count(tally: &mut Tally, entry: &Entry) {
    tally.posted += 1;
    tally.lines += i64::try_from(entry.lines.len()).unwrap_or(i64::MAX);
    for line in entry.lines.iter().filter(|line| line.on == On::Rounding) {
        *tally.rounding.entry(line.commodity.clone()).or_default() += line.amount;
    }
}

#[derive(FromQueryResult)]
struct Scale {
    code: String,
    scale: i16,
}

/// How fine commodities are. Those that are not known are created, when they may be.
async fn scales_in_tx(
    tx: &DatabaseTransaction,
    read: &Journal,
    options: Options,
) -> Result<Scales> {
    if options.create_commodities {
        let amounts = read.transactions.iter().flat_map(|transaction| {
            transaction.postings.iter().flat_map(|posting| {
                use super::syntax::Price::{Total, Unit};
                let price = posting.price.as_ref();
                let price = price.map(|price| match price {
                    Unit(amount) | Total(amount) => amount,
                });
                posting.amount.iter().chain(price)
            })
        });
        let codes: BTreeSet<_> = amounts.map(|amount| amount.commodity.clone()).collect();
        let codes: Vec<_> = codes.into_iter().collect();
        let sql = "SELECT count(*) FROM commodity_create($1)";
        tx.query_one_raw(statement(sql, [codes.into()])).await?;
    }
    let rows = Scale::find_by_statement(statement("SELECT code, scale FROM commodity", []));
    let rows = rows.all(tx).await?.into_iter();
    Ok(rows
        .map(|row| (row.code, u32::try_from(row.scale).unwrap_or_default()))
        .collect())
}

/// Those that no earlier import has posted.
async fn new_ones_in_tx(
    tx: &DatabaseTransaction,
    entries: Vec<Entry>,
    tally: &mut Tally,
) -> Result<Vec<Entry>> {
    let keys: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    let sql =
        "SELECT document_id FROM journal_entry WHERE document_type = $1 AND document_id = ANY($2)";
    let rows = tx
        .query_all_raw(statement(sql, [DOCUMENT.into(), keys.into()]))
        .await?;
    let present = rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<HashSet<String>, _>>()?;
    let all = entries.len();
    let new: Vec<_> = entries
        .into_iter()
        .filter(|entry| !present.contains(&entry.key))
        .collect();
    tally.present = i64::try_from(all - new.len()).unwrap_or(i64::MAX);
    Ok(new)
}

/// Begins fiscal years for days that lie in none, when it may.
async fn years_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    entries: &[Entry],
    options: Options,
) -> Result<()> {
    if !options.create_fiscal_years {
        return Ok(());
    }
    let days: BTreeSet<NaiveDate> = entries.iter().map(|entry| entry.date).collect();
    let days: Vec<_> = days.into_iter().collect();
    let sql = "SELECT DISTINCT date_part('year', d)::int4 AS year FROM unnest($1::date[]) d
               WHERE NOT EXISTS (SELECT FROM fiscal_year f WHERE d BETWEEN f.starts_on AND f.ends_on) ORDER BY 1";
    for row in tx.query_all_raw(statement(sql, [days.into()])).await? {
        let year: i32 = row.try_get_by_index(0)?;
        let day = |month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let new = NewFiscalYear {
            name: year.to_string(),
            starts_on: day(1, 1),
            ends_on: day(12, 31),
            periods: Vec::new(),
        };
        period::create_year_in_tx(tx, viewer, now, &new).await?;
    }
    Ok(())
}

/// What the names of accounts mean. Those that are not known are created, when they may be.
async fn accounts_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    entries: &[Entry],
    options: Options,
    tally: &mut Tally,
) -> Result<Chart, Obstacle> {
    let mut chart = Chart::new(&tree::nodes(tx).await?);
    let lines = || entries.iter().flat_map(|entry| &entry.lines);
    let unknown: BTreeSet<_> = lines()
        .map(|line| name_of(&line.on))
        .filter(|name| chart.find(name).is_none())
        .collect();
    let mut refused = BTreeMap::new();
    if options.create_accounts {
        refused = chart.plan(now, &unknown);
    }
    let mut told = HashSet::new();
    let faults: Vec<_> = lines()
        .filter(|line| {
            let name = name_of(&line.on);
            chart.find(name).is_none() && told.insert(name)
        })
        .map(|line| {
            let name = name_of(&line.on);
            let refusal = refused.remove(name);
            let unknown = || Refusal::new(Code::NotFound, "account").with("value", name);
            Fault::new(line.line, refusal.unwrap_or_else(unknown))
        })
        .collect();
    if !faults.is_empty() {
        return Err(all(faults));
    }
    tally.accounts = i64::try_from(chart.count()).unwrap_or(i64::MAX);
    chart.create_in_tx(tx, viewer, now).await?;
    for name in [CONVERSIONS, ROUNDING] {
        if let Some(id) = chart
            .find(name)
            .filter(|_| lines().any(|line| name_of(&line.on) == name))
        {
            make_fine_in_tx(tx, id).await?;
        }
    }
    Ok(chart)
}

/// Amounts on this account are as fine as they come.
async fn make_fine_in_tx(tx: &DatabaseTransaction, id: AccountId) -> Result<()> {
    let sql = "INSERT INTO fine_account (account_id) SELECT $1 WHERE NOT EXISTS (SELECT FROM fine_account WHERE account_id = $1)";
    let done = tx.execute_raw(statement(sql, [id.into()])).await;
    let refusals = [(
        "fine_account_is_equity",
        Refusal::new(Code::WrongType, "account").with("expected", "equity"),
    )];
    done.map_err(|error| crate::db::refuse_if_broken(error, &refusals))?;
    Ok(())
}

fn name_of(on: &On) -> &str {
    match on {
        On::Named(name) => name,
        On::Conversions => CONVERSIONS,
        On::Rounding => ROUNDING,
    }
}

/// As many entries together as can be posted together.
fn chunks(entries: &[Entry]) -> Vec<&[Entry]> {
    let mut chunks = Vec::new();
    let (mut begin, mut lines) = (0, 0);
    for (place, entry) in entries.iter().enumerate() {
        let is_full =
            place - begin == ENTRIES_MAX || lines + entry.lines.len() > LINES_TOGETHER_MAX;
        if is_full && place > begin {
            chunks.push(&entries[begin..place]);
            (begin, lines) = (place, 0);
        }
        lines += entry.lines.len();
    }
    if begin < entries.len() {
        chunks.push(&entries[begin..]);
    }
    chunks
}

fn to_post(place: usize, entry: &Entry, chart: &Chart) -> Result<journal::Entry> {
    let told = |refusal: Refusal| Error::from(refusal.with("line", entry.line));
    if entry.lines.len() > LINES_MAX {
        return Err(told(
            Refusal::new(Code::TooMany, "lines").with("max", LINES_MAX),
        ));
    }
    let lines = entry.lines.iter().map(|line| {
        let account = chart.find(name_of(&line.on));
        let account =
            account.ok_or_else(|| Error::internal("an account of an import is missing"))?;
        Ok(journal::Line {
            account,
            commodity: Some(line.commodity.clone()),
            is_debit: line.amount.is_sign_positive(),
            amount: line.amount.abs().normalize(),
            base_amount: None,
            quantity: None,
            location: None,
            subsidiary: None,
            cost_center: None,
            project: None,
            description: None,
        })
    });
    let description = entry.description.chars().take(2_000).collect::<String>();
    Ok(journal::Entry {
        prefix: format!("entries.{place}."),
        date: entry.date,
        kind: Kind::General,
        description: Some(description).filter(|text| !text.is_empty()),
        document: Some(Document {
            kind: DOCUMENT.to_owned(),
            id: entry.key.clone(),
        }),
        reverses: None,
        lines: lines.collect::<Result<_>>()?,
    })
}
