//! The rows that are sealed, read anew: hashed by what PostgreSQL itself brings, and by no function that somebody could replace.

use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::{chain::Leaf, seal};
use crate::{error::Result, sql::statement};

/// Rows that are numbered together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    /// `audit`, `change`, `stock`, `journal` or `cost`.
    pub(super) name: String,
    /// The fiscal year of entries of the books; otherwise nil.
    pub(super) part: Uuid,
}

#[derive(FromQueryResult)]
struct Row {
    number: i64,
    line: i32,
    hash: Vec<u8>,
}

const AUDIT: &str = "
    SELECT number, 0 AS line, sha256(record_send(ROW('audit'::text, at, actor_kind, actor_id, actor_name, request_id, reason, action, aggregate_type,
           aggregate_id, before, after, tx, written_at))) AS hash
    FROM audit WHERE number > $2 AND number <= $3 AND $1::uuid IS NOT NULL ORDER BY 1";

const CHANGE: &str = "
    SELECT number, 0 AS line, sha256(record_send(ROW('trail_change'::text, source, operation, about, key, after, who, role, tx, written_at))) AS hash
    FROM trail_change WHERE number > $2 AND number <= $3 AND $1::uuid IS NOT NULL ORDER BY 1";

const STOCK: &str = "
    SELECT number, 0 AS line, sha256(record_send(ROW('stock_entry'::text, id, kind, reason, document, note, effective_at, recorded_at, actor_kind,
           actor_id, actor_name, reverses_id, lines))) AS hash
    FROM stock_entry WHERE number > $2 AND number <= $3 AND $1::uuid IS NOT NULL
    UNION ALL
    SELECT e.number, m.line, sha256(record_send(ROW('stock_movement'::text, m.number, m.item_id, m.lot_id, m.from_location_id, m.to_location_id,
           m.quantity, m.weight, m.fine_weight, m.unit_cost, m.effective_at)))
    FROM stock_entry e JOIN stock_movement m ON m.entry_id = e.id WHERE e.number > $2 AND e.number <= $3
    ORDER BY 1, 2";

const JOURNAL: &str = "
    SELECT number, 0 AS line, sha256(record_send(ROW('journal_entry'::text, id, date, kind, description, document_type, document_id, reverses_id,
           lines, recorded_at, actor_kind, actor_id, actor_name))) AS hash
    FROM journal_entry WHERE fiscal_year_id = $1 AND number > $2 AND number <= $3
    UNION ALL
    SELECT e.number, l.line, sha256(record_send(ROW('journal_line'::text, l.account_id, l.commodity, l.is_debit, l.amount, l.base_amount,
           l.quantity, l.location_id, l.subsidiary_id, l.cost_center_id, l.project_id, l.description, l.date, l.number)))
    FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id WHERE e.fiscal_year_id = $1 AND e.number > $2 AND e.number <= $3
    ORDER BY 1, 2";

const COST: &str = "
    SELECT number, 0 AS line, sha256(record_send(ROW('stock_cost'::text, entry_id, line, item_id, layer_id, amount, value, effective_at,
           recorded_at, corrects))) AS hash
    FROM stock_cost WHERE number > $2 AND number <= $3 AND $1::uuid IS NOT NULL ORDER BY 1";

impl Stream {
    fn sql(&self) -> Option<&'static str> {
        match self.name.as_str() {
            "audit" => Some(AUDIT),
            "change" => Some(CHANGE),
            "stock" => Some(STOCK),
            "journal" => Some(JOURNAL),
            "cost" => Some(COST),
            _ => None,
        }
    }

    /// Its rows above the one number and up to the other, in their order; none of a stream that does not exist.
    pub(super) async fn rows(
        &self,
        db: &impl ConnectionTrait,
        after: i64,
        until: i64,
    ) -> Result<Option<Vec<Leaf>>> {
        let Some(sql) = self.sql() else {
            return Ok(None);
        };
        let values = [self.part.into(), after.into(), until.into()];
        let rows = Row::find_by_statement(statement(sql, values));
        let leaf = |row: Row| {
            Ok(Leaf {
                number: row.number,
                line: row.line,
                hash: seal::hash(&row.hash)?,
            })
        };
        let rows = rows.all(db).await?.into_iter();
        rows.map(leaf).collect::<Result<_>>().map(Some)
    }

    /// The table that a row is in.
    pub(super) fn table(&self, line: i32) -> &'static str {
        match (self.name.as_str(), line) {
            ("audit", _) => "audit",
            ("change", _) => "trail_change",
            ("stock", 0) => "stock_entry",
            ("stock", _) => "stock_movement",
            ("journal", 0) => "journal_entry",
            ("journal", _) => "journal_line",
            ("cost", _) => "stock_cost",
            _ => "trail_seal",
        }
    }
}

#[derive(FromQueryResult)]
struct Key {
    id: Uuid,
}

/// The id of the entry with this number, when there is one.
pub(super) async fn entry_id(
    db: &impl ConnectionTrait,
    stream: &Stream,
    number: i64,
) -> Result<Option<Uuid>> {
    let sql = match stream.name.as_str() {
        "stock" => "SELECT id FROM stock_entry WHERE number = $2 AND $1::uuid IS NOT NULL",
        "journal" => "SELECT id FROM journal_entry WHERE fiscal_year_id = $1 AND number = $2",
        _ => return Ok(None),
    };
    let found = Key::find_by_statement(statement(sql, [stream.part.into(), number.into()]));
    Ok(found.one(db).await?.map(|row| row.id))
}

/// A row that no seal can ever be about: one with a number that is not given, or a line without its entry.
#[derive(FromQueryResult)]
pub(super) struct Stray {
    pub(super) source: String,
    pub(super) key: String,
}

const STRAYS: &str = "
    SELECT source, key FROM (
        (SELECT 1 AS place, 'audit' AS source, number::text AS key FROM audit WHERE number <= 0 LIMIT 1)
        UNION ALL (SELECT 2, 'trail_change', number::text FROM trail_change WHERE number <= 0 LIMIT 1)
        UNION ALL (SELECT 3, 'stock_entry', id::text FROM stock_entry WHERE number <= 0 LIMIT 1)
        UNION ALL (SELECT 4, 'stock_movement', entry_id || '/' || line FROM stock_movement m
                   WHERE NOT EXISTS (SELECT FROM stock_entry e WHERE e.id = m.entry_id) LIMIT 1)
        UNION ALL (SELECT 5, 'journal_entry', id::text FROM journal_entry e
                   WHERE e.number <= 0 OR NOT EXISTS (SELECT FROM fiscal_year f WHERE f.id = e.fiscal_year_id) LIMIT 1)
        UNION ALL (SELECT 6, 'journal_line', entry_id || '/' || line FROM journal_line l
                   WHERE NOT EXISTS (SELECT FROM journal_entry e WHERE e.id = l.entry_id) LIMIT 1)
        UNION ALL (SELECT 7, 'stock_cost', number::text FROM stock_cost WHERE number <= 0 LIMIT 1)
    ) s ORDER BY place LIMIT 1";

pub(super) async fn stray(db: &impl ConnectionTrait) -> Result<Option<Stray>> {
    let found = Stray::find_by_statement(statement(STRAYS, []));
    Ok(found.one(db).await?)
}

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// How many rows are written and not sealed yet. An entry counts once, whatever its lines.
pub(super) async fn unsealed(db: &impl ConnectionTrait) -> Result<i64> {
    let sql = "
        WITH last AS (SELECT stream, part, max(until) AS until FROM trail_seal GROUP BY stream, part)
        SELECT (SELECT count(*) FROM audit WHERE number > COALESCE((SELECT until FROM last WHERE stream = 'audit'), 0))
             + (SELECT count(*) FROM trail_change WHERE number > COALESCE((SELECT until FROM last WHERE stream = 'change'), 0))
             + (SELECT count(*) FROM stock_entry WHERE number > COALESCE((SELECT until FROM last WHERE stream = 'stock'), 0))
             + (SELECT count(*) FROM stock_cost WHERE number > COALESCE((SELECT until FROM last WHERE stream = 'cost'), 0))
             + (SELECT COALESCE(sum((SELECT count(*) FROM journal_entry e
                                     WHERE e.fiscal_year_id = f.id
                                       AND e.number > COALESCE((SELECT until FROM last WHERE stream = 'journal' AND part = f.id), 0))), 0)::int8
                FROM fiscal_year f) AS count";
    let row = Count::find_by_statement(statement(sql, [])).one(db).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Whether there is any row of the stream with this number or a higher one, of those that are sealed.
pub(super) async fn goes_on(db: &impl ConnectionTrait, stream: &Stream, from: i64) -> Result<bool> {
    let table = match stream.name.as_str() {
        "audit" => {
            "SELECT count(*) FROM (SELECT FROM audit WHERE number >= $2 AND $1::uuid IS NOT NULL LIMIT 1) r"
        }
        "change" => {
            "SELECT count(*) FROM (SELECT FROM trail_change WHERE number >= $2 AND $1::uuid IS NOT NULL LIMIT 1) r"
        }
        "stock" => {
            "SELECT count(*) FROM (SELECT FROM stock_entry WHERE number >= $2 AND $1::uuid IS NOT NULL LIMIT 1) r"
        }
        "journal" => {
            "SELECT count(*) FROM (SELECT FROM journal_entry WHERE fiscal_year_id = $1 AND number >= $2 LIMIT 1) r"
        }
        _ => {
            "SELECT count(*) FROM (SELECT FROM stock_cost WHERE number >= $2 AND $1::uuid IS NOT NULL LIMIT 1) r"
        }
    };
    let row = Count::find_by_statement(statement(table, [stream.part.into(), from.into()]));
    Ok(row.one(db).await?.is_some_and(|row| row.count > 0))
}

#[derive(FromQueryResult)]
struct Range {
    stream: String,
    low: i64,
    high: i64,
    by_policy: bool,
}

/// Numbers whose rows were retired, as was written down when it was done: by a policy of retention, or by the owner of the database.
#[derive(Debug, Default)]
pub(super) struct Retired(Vec<Range>);

impl std::fmt::Debug for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}..{}", self.stream, self.low, self.high)
    }
}

impl Retired {
    /// Those between these numbers.
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        stream: &Stream,
        after: i64,
        until: i64,
    ) -> Result<Self> {
        let sql = "SELECT r.stream, lower(n.range) AS low, upper(n.range) AS high, r.kept_days IS NOT NULL AS by_policy
                   FROM trail_retired r CROSS JOIN LATERAL unnest(r.numbers * int8multirange(int8range($2, $3, '(]'))) n (range)
                   WHERE r.stream = $1";
        let values = [stream.name.clone().into(), after.into(), until.into()];
        let rows = Range::find_by_statement(statement(sql, values));
        Ok(Self(rows.all(db).await?))
    }

    /// Whether a row was retired, and then whether a policy did it.
    pub(super) fn by_policy(&self, number: i64) -> Option<bool> {
        let has = |range: &&Range| range.low <= number && number < range.high;
        self.0.iter().find(has).map(|range| range.by_policy)
    }
}
