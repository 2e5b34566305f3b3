//! What stands in the file of an export, some thousand rows at a time: all as it was when the export was opened.

use chrono::NaiveDate;
use entity::{
    id::AccountId,
    report_export::{Format, Model as ReportExport},
};
use rust_decimal::Decimal;
use sea_orm::{AccessMode, ConnectionTrait, DatabaseTransaction, FromQueryResult, IsolationLevel};

use super::{
    NewReportExport, Report,
    plain::{Dialect, EntryLine, Writer},
    table::{self, Chart, Table},
    valuation::{self, Valued},
};
use crate::{
    Domain,
    error::Result,
    report::{self, Aged, Column, Scope, ageing, tree},
    sql::{Sql, statement},
};

/// Rows read at a time. Each kind of rows has a cursor of its own name: a connection remembers which columns the answer to a text has.
const JOURNAL: &str = "FETCH FORWARD 5000 FROM exported_journal";
const LEDGER: &str = "FETCH FORWARD 5000 FROM exported_ledger";
const AGED: &str = "FETCH FORWARD 5000 FROM exported_aged";
const VALUES: &str = "FETCH FORWARD 5000 FROM exported_values";

/// What this transaction may do longer than others: sort millions of lines, and wait for a slow store of files.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '5min'; \
    SET LOCAL cursor_tuple_fraction = 1.0";

/// A part of the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Rows of a table.
    Records(Vec<Vec<String>>),
    /// Text.
    Text(String),
}

/// A report being read. Its transaction ends when it is dropped.
pub struct Source {
    tx: DatabaseTransaction,
    format: Format,
    /// What is read already.
    ready: Option<Piece>,
    rest: Rest,
    /// Rows, or entries, so far.
    count: i64,
}

/// What is still to be read over the cursor.
enum Rest {
    Nothing,
    Valuation,
    Aged(Chart),
    Ledger(Chart),
    Journal(Chart),
    Plain(Box<Writer>),
}

/// A line of the ledgers, or of the journal.
#[derive(Debug, FromQueryResult)]
struct Posted {
    date: NaiveDate,
    number: i64,
    line: i32,
    year: String,
    description: Option<String>,
    line_description: Option<String>,
    account_id: AccountId,
    commodity: String,
    is_debit: bool,
    amount: Decimal,
    balance: Decimal,
}

impl Source {
    pub(super) async fn open(domain: &Domain, export: ReportExport) -> Result<Self> {
        let request: NewReportExport = serde_json::from_value(export.request)?;
        report::known::settle(domain, "asKnownAt", request.scope.known_at).await?;
        let isolation = Some(IsolationLevel::RepeatableRead);
        let tx = domain
            .db
            .begin_with_config(isolation, Some(AccessMode::ReadOnly))
            .await?;
        tx.execute_unprepared(PATIENCE).await?;
        let mut source = Self {
            tx,
            format: request.format,
            ready: None,
            rest: Rest::Nothing,
            count: 0,
        };
        source.begin(&request, &export.locale).await?;
        Ok(source)
    }

    /// How the file is written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many rows, or entries, have been read.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The next part of the file; none at its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        if let Some(piece) = self.ready.take() {
            return Ok(Some(piece));
        }
        match &self.rest {
            Rest::Nothing => Ok(None),
            Rest::Plain(writer) => {
                let rows = EntryLine::find_by_statement(statement(JOURNAL, []));
                let rows = rows.all(&self.tx).await?;
                let mut text = String::new();
                for row in &rows {
                    writer.write(&mut text, row);
                    self.count += i64::from(row.line == 1);
                }
                Ok((!rows.is_empty()).then_some(Piece::Text(text)))
            }
            Rest::Valuation => {
                let rows = Valued::find_by_statement(statement(VALUES, []));
                let rows = rows.all(&self.tx).await?.into_iter();
                self.records(rows.map(Valued::cells).collect())
            }
            Rest::Aged(chart) => {
                let rows = Aged::find_by_statement(statement(AGED, []));
                let rows = rows.all(&self.tx).await?;
                let records = rows.iter().map(|row| table::of_aged(chart, row)).collect();
                self.records(records)
            }
            Rest::Ledger(chart) => {
                let records = self.posted(LEDGER, |row| ledger_row(chart, row)).await?;
                self.records(records)
            }
            Rest::Journal(chart) => {
                let records = self.posted(JOURNAL, |row| journal_row(chart, row)).await?;
                self.records(records)
            }
        }
    }

    async fn posted(
        &self,
        page: &'static str,
        cells: impl Fn(Posted) -> Vec<String>,
    ) -> Result<Table> {
        let rows = Posted::find_by_statement(statement(page, []));
        Ok(rows.all(&self.tx).await?.into_iter().map(cells).collect())
    }

    fn records(&mut self, records: Table) -> Result<Option<Piece>> {
        self.count += i64::try_from(records.len()).unwrap_or(i64::MAX);
        Ok((!records.is_empty()).then_some(Piece::Records(records)))
    }

    async fn begin(&mut self, request: &NewReportExport, locale: &str) -> Result<()> {
        let nodes = tree::nodes(&self.tx).await?;
        let scope = &request.scope;
        match (&request.report, request.format) {
            (Report::Journal { column }, Format::Hledger) => {
                self.begin_plain(Dialect::Hledger, nodes, column, scope)
                    .await?;
            }
            (Report::Journal { column }, Format::Beancount) => {
                self.begin_plain(Dialect::Beancount, nodes, column, scope)
                    .await?;
            }
            (Report::Journal { column }, Format::Csv) => {
                declare_journal(&self.tx, column, scope).await?;
                let headers = [
                    "year",
                    "number",
                    "date",
                    "description",
                    "line",
                    "account",
                    "name",
                    "commodity",
                    "debit",
                    "credit",
                    "about",
                ];
                self.ready = Some(Piece::Records(vec![headers.map(str::to_owned).into()]));
                self.rest = Rest::Journal(Chart::new(nodes, locale));
            }
            (Report::GeneralLedger { account_id, column }, _) => {
                declare_ledger(&self.tx, *account_id, column, scope).await?;
                let headers = [
                    "account",
                    "name",
                    "commodity",
                    "date",
                    "year",
                    "number",
                    "line",
                    "description",
                    "debit",
                    "credit",
                    "balance",
                ];
                self.ready = Some(Piece::Records(vec![headers.map(str::to_owned).into()]));
                self.rest = Rest::Ledger(Chart::new(nodes, locale));
            }
            (Report::InventoryValuation { as_of }, _) => {
                valuation::declare(&self.tx, *as_of, locale).await?;
                let headers = valuation::HEADERS.map(str::to_owned);
                self.ready = Some(Piece::Records(vec![headers.into()]));
                self.rest = Rest::Valuation;
            }
            (report @ Report::AgedBalances { limits, .. }, _) => {
                if let Some(of) = report.aged(scope.clone()) {
                    let sql = ageing::all("DECLARE exported_aged NO SCROLL CURSOR FOR ", &of);
                    self.tx.execute_raw(sql.build()).await?;
                }
                self.ready = Some(Piece::Records(vec![table::aged_headers(limits)]));
                self.rest = Rest::Aged(Chart::new(nodes, locale));
            }
            (report, _) => {
                let chart = Chart::new(nodes, locale);
                let table = read_table(&self.tx, &chart, report, scope).await?;
                // Without the headers.
                self.count = i64::try_from(table.len()).unwrap_or(i64::MAX) - 1;
                self.ready = Some(Piece::Records(table));
            }
        }
        Ok(())
    }

    async fn begin_plain(
        &mut self,
        dialect: Dialect,
        nodes: Vec<tree::Node>,
        column: &Column,
        scope: &Scope,
    ) -> Result<()> {
        let sql = "SELECT (SELECT min(date) FROM journal_entry) AS first,
                          ARRAY(SELECT DISTINCT commodity FROM account_turnover ORDER BY 1) AS commodities";
        let row = self.tx.query_one_raw(statement(sql, [])).await?;
        let (first, commodities): (Option<NaiveDate>, Vec<String>) = match row {
            Some(row) => (row.try_get("", "first")?, row.try_get("", "commodities")?),
            None => (None, Vec::new()),
        };
        let writer = Writer::new(dialect, &nodes);
        let first = first.unwrap_or(column.until);
        self.ready = Some(Piece::Text(writer.beginning(&nodes, &commodities, first)));
        self.rest = Rest::Plain(Box::new(writer));
        declare_journal(&self.tx, column, scope).await
    }
}

/// A report that is as long as the chart of accounts, whatever was posted.
async fn read_table(
    tx: &DatabaseTransaction,
    chart: &Chart,
    report: &Report,
    scope: &Scope,
) -> Result<Table> {
    let up_to = |days: &[NaiveDate]| -> Vec<Column> {
        let columns = days.iter().map(|day| Column {
            from: None,
            until: *day,
        });
        columns.collect()
    };
    Ok(match report {
        Report::TrialBalance { columns } => {
            let rows = report::trial_of(tx, columns, scope).await?;
            table::of_trial(chart, columns, &rows)
        }
        Report::BalanceSheet { days } => {
            let rows = report::balance_sheet_of(tx, days, scope).await?;
            table::of_statement(chart, &up_to(days), &rows)
        }
        Report::ProfitAndLoss { columns } => {
            let rows = report::profit_and_loss_of(tx, columns, scope).await?;
            table::of_statement(chart, columns, &rows)
        }
        Report::CashFlow { cash, columns } => {
            let rows = report::cash_flow_of(tx, cash, columns, scope).await?;
            table::of_statement(chart, columns, &rows)
        }
        Report::MetalBalance { days } => {
            let rows = report::metal_balance_of(tx, days, scope).await?;
            table::of_statement(chart, &up_to(days), &rows)
        }
        // These are read over a cursor.
        Report::AgedBalances { .. }
        | Report::InventoryValuation { .. }
        | Report::GeneralLedger { .. }
        | Report::Journal { .. } => Table::new(),
    })
}

const COLUMNS: &str = "SELECT l.date, l.number, l.line, y.name AS year, e.description, e.document_type, e.document_id, \
    l.description AS line_description, l.account_id, l.commodity, l.is_debit, l.amount";
const TABLES: &str = " FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN fiscal_year y ON y.id = e.fiscal_year_id WHERE true";

/// Entries in the order of days and numbers, whole ones: a location or a cost centre does not cut them.
async fn declare_journal(tx: &DatabaseTransaction, column: &Column, scope: &Scope) -> Result<()> {
    let mut sql = Sql::new("DECLARE exported_journal NO SCROLL CURSOR FOR ");
    sql.push(COLUMNS)
        .push(", 0::numeric AS balance")
        .push(TABLES);
    push_days(&mut sql, column);
    if scope.is_of_lines() {
        sql.push(" AND EXISTS (SELECT FROM journal_line l WHERE l.entry_id = e.id");
        scope.push_lines(&mut sql);
        sql.push(")");
    }
    scope.push_known(&mut sql);
    sql.push(" ORDER BY l.date, l.number, l.line");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Lines by account and commodity, each with what the account had after it.
async fn declare_ledger(
    tx: &DatabaseTransaction,
    account: Option<AccountId>,
    column: &Column,
    scope: &Scope,
) -> Result<()> {
    let mut sql = Sql::new("DECLARE exported_ledger NO SCROLL CURSOR FOR SELECT p.* FROM (");
    sql.push(COLUMNS)
        .push(
            ", a.code, sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END)
               OVER (PARTITION BY a.code, l.account_id, l.commodity ORDER BY l.date, l.number, l.line ROWS UNBOUNDED PRECEDING) AS balance",
        )
        .push(
            " FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN fiscal_year y ON y.id = e.fiscal_year_id
              JOIN account a ON a.id = l.account_id WHERE l.date <= ",
        )
        .bind(column.until);
    if let Some(account) = account {
        sql.push(" AND a.path <@ (SELECT path FROM account WHERE id = ")
            .bind(account)
            .push(")");
    }
    scope.push_lines(&mut sql);
    scope.push_known(&mut sql);
    sql.push(") p");
    if let Some(from) = column.from {
        sql.push(" WHERE p.date >= ").bind(from);
    }
    sql.push(" ORDER BY p.code, p.account_id, p.commodity, p.date, p.number, p.line");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

fn push_days(sql: &mut Sql, column: &Column) {
    if let Some(from) = column.from {
        sql.push(" AND l.date >= ").bind(from);
    }
    sql.push(" AND l.date <= ").bind(column.until);
}

/// The amount on the side where it is, and nothing on the other.
fn sides(row: &Posted) -> [String; 2] {
    let amount = table::amount(row.amount);
    if row.is_debit {
        [amount, String::new()]
    } else {
        [String::new(), amount]
    }
}

fn journal_row(chart: &Chart, row: Posted) -> Vec<String> {
    let [code, name] = chart.code_and_name(Some(row.account_id));
    let [debit, credit] = sides(&row);
    vec![
        row.year,
        row.number.to_string(),
        row.date.to_string(),
        row.description.unwrap_or_default(),
        row.line.to_string(),
        code,
        name,
        row.commodity,
        debit,
        credit,
        row.line_description.unwrap_or_default(),
    ]
}

fn ledger_row(chart: &Chart, row: Posted) -> Vec<String> {
    let [code, name] = chart.code_and_name(Some(row.account_id));
    let [debit, credit] = sides(&row);
    let about = row.line_description.or(row.description);
    vec![
        code,
        name,
        row.commodity,
        row.date.to_string(),
        row.year,
        row.number.to_string(),
        row.line.to_string(),
        about.unwrap_or_default(),
        debit,
        credit,
        table::amount(row.balance),
    ]
}
