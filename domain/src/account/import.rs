//! A chart of accounts from a table: all of its rows, or none.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{dimension_value::Kind as DimensionKind, id::AccountId};
use sea_orm::{ActiveEnum, DatabaseTransaction, FromQueryResult, Value};
use serde::Serialize;

use super::{Account, Accounts, Kind, NewAccount, Side, rules};
use crate::{
    audit::Actor,
    clock::new_id,
    db,
    error::{Code, Error, Refusal, Refusals, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    sku,
    sql::{statement, uuids},
    tree::{self, DEPTH_MAX},
    viewer::Viewer,
};

/// Most accounts of one table.
pub const IMPORTED_MAX: usize = 5_000;
/// What its columns are called, as [`ImportRow`] has them.
pub const COLUMNS: [&str; 9] = [
    "code",
    "parent_code",
    "name_en",
    "name_fa",
    "kind",
    "normal_side",
    "group",
    "commodity",
    "subsidiary_kind",
];

/// A row of the table, each cell as it was written; empty where there is none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportRow {
    /// Which line of the table it is, from 1, the headers included.
    pub line: usize,
    /// What bookkeepers call it.
    pub code: String,
    /// The code of the group it lies in: of the table, or one that is there already.
    pub parent_code: String,
    /// Name in English.
    pub name_en: String,
    /// Name in Persian.
    pub name_fa: String,
    /// What it is about: of roots; of all others what their group is about.
    pub kind: String,
    /// On which side it usually grows.
    pub normal_side: String,
    /// Whether it is a group: `yes`, `true` or `1`; or not.
    pub group: String,
    /// The only commodity that is posted to it.
    pub commodity: String,
    /// Of which kind its subsidiary accounts are.
    pub subsidiary_kind: String,
}

impl ImportRow {
    fn path(&self, column: &str) -> String {
        format!("lines.{}.{column}", self.line)
    }
}

/// A row, valid by itself.
struct Parsed<'a> {
    row: &'a ImportRow,
    parent: Option<String>,
    kind: Option<Kind>,
    facts: rules::Facts,
}

/// A group that is there already.
#[derive(FromQueryResult)]
struct Above {
    id: AccountId,
    code: String,
    kind: Kind,
    is_group: bool,
    is_archived: bool,
    levels: i32,
}

/// What an account lies in: where in the table, or outside of it, and what it is about.
#[derive(Clone, Copy)]
struct Placed {
    kind: Kind,
    /// How many groups are above it.
    level: usize,
}

impl Accounts<'_> {
    /// Creates all accounts of a table, in whatever order they are in.
    ///
    /// # Errors
    /// All that is wrong with its lines. Then nothing is created.
    pub async fn import(
        &self,
        viewer: &Viewer,
        rows: Vec<ImportRow>,
        key: Option<&str>,
    ) -> Result<Vec<Account>> {
        viewer.require(Permission::BooksManage)?;
        let parsed = parse(&rows)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "account.import";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &rows, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Account>(&tx).await?;
        let above = above_in_tx(&tx, &parsed).await?;
        let placed = place(&parsed, &above)?;
        let accounts = insert_in_tx(&tx, viewer, now, (&parsed, &above, &placed)).await?;
        claim.keep_in_tx(&tx, &accounts).await?;
        self.domain.commit(tx).await?;
        Ok(accounts)
    }
}

fn parse(rows: &[ImportRow]) -> Result<Vec<Parsed<'_>>> {
    if rows.is_empty() {
        return Err(Refusal::new(Code::Required, "lines").into());
    }
    if rows.len() > IMPORTED_MAX {
        let refusal = Refusal::new(Code::TooMany, "lines").with("max", IMPORTED_MAX);
        return Err(refusal.into());
    }
    let mut refusals = Refusals::default();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut parsed = Vec::new();
    for row in rows {
        let Some(one) = parse_row(row, &mut refusals) else {
            continue;
        };
        if lines.insert(one.facts.code.clone(), row.line).is_some() {
            let refusal = Refusal::new(Code::AlreadyTaken, &row.path("code"));
            refusals.push(refusal.with("value", &one.facts.code));
        }
        parsed.push(one);
    }
    refusals.into_result(Some(parsed))
}

/// Everything that is wrong with one row by itself.
fn parse_row<'a>(row: &'a ImportRow, refusals: &mut Refusals) -> Option<Parsed<'a>> {
    let kind = refusals.take(one_of::<Kind>(row, "kind", &row.kind));
    let side = refusals.take(one_of::<Side>(row, "normal_side", &row.normal_side));
    let group = refusals.take(yes_or_no(row));
    let subsidiaries = one_of::<DimensionKind>(row, "subsidiary_kind", &row.subsidiary_kind);
    let subsidiaries = refusals.take(subsidiaries);
    let parent = (!row.parent_code.trim().is_empty())
        .then(|| sku::parse(&row.path("parent_code"), &row.parent_code));
    let parent = refusals.take(parent.transpose());
    if let (Some(None), Some(None)) = (&parent, &kind) {
        refusals.push(Refusal::new(Code::Required, &row.path("kind")));
    }
    let names = [("en", &row.name_en), ("fa", &row.name_fa)];
    let names = names
        .into_iter()
        .filter(|(_, name)| !name.trim().is_empty());
    let new = NewAccount {
        parent_id: None,
        kind: None,
        code: row.code.clone(),
        name: names
            .map(|(language, name)| (language.to_owned(), name.clone()))
            .collect::<BTreeMap<_, _>>(),
        is_group: group?,
        normal_side: side?,
        commodity: given(&row.commodity).map(str::to_owned),
        external_reference: None,
        subsidiary_kind: subsidiaries?,
    };
    match rules::parse_new(&new) {
        Ok(facts) => Some(Parsed {
            row,
            parent: parent?,
            kind: kind?,
            facts,
        }),
        Err(Error::Refused(refused)) => {
            for refusal in refused {
                let path = column(&refusal.path);
                refusals.push(refusal.at(&row.path(&path)));
            }
            None
        }
        Err(_) => None,
    }
}

/// The column that a field of an account comes from.
fn column(path: &[String]) -> String {
    match path {
        [name, language] if name == "name" => format!("name_{language}"),
        [field] if field == "name" => "name_en".to_owned(),
        [field] if field == "subsidiaryKind" => "subsidiary_kind".to_owned(),
        path => path.join("_"),
    }
}

fn given(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|cell| !cell.is_empty())
}

/// A word of a closed list, whatever the case.
fn one_of<E: ActiveEnum<Value = String>>(
    row: &ImportRow,
    name: &str,
    cell: &str,
) -> Result<Option<E>, Refusal> {
    let Some(word) = given(cell) else {
        return Ok(None);
    };
    let found = E::try_from_value(&word.to_ascii_lowercase());
    found.map(Some).map_err(|_unknown| {
        let refusal = Refusal::new(Code::NotAnOption, &row.path(name)).with("value", word);
        refusal.with("options", E::values().join(", "))
    })
}

fn yes_or_no(row: &ImportRow) -> Result<bool, Refusal> {
    match row.group.trim().to_ascii_lowercase().as_str() {
        "" | "no" | "false" | "0" => Ok(false),
        "yes" | "true" | "1" => Ok(true),
        word => {
            let refusal = Refusal::new(Code::NotAnOption, &row.path("group")).with("value", word);
            Err(refusal.with("options", "yes, no"))
        }
    }
}

/// The groups that the table names and does not have, locked against being archived.
async fn above_in_tx(
    tx: &DatabaseTransaction,
    parsed: &[Parsed<'_>],
) -> Result<HashMap<String, Above>> {
    let named: Vec<_> = parsed.iter().filter_map(|one| one.parent.clone()).collect();
    let sql = "SELECT id, code, kind, is_group, archived_at IS NOT NULL AS is_archived, nlevel(path) AS levels
               FROM account WHERE code = ANY($1) ORDER BY id FOR KEY SHARE";
    let found = Above::find_by_statement(statement(sql, [named.into()]));
    let found = found.all(tx).await?.into_iter();
    Ok(found.map(|above| (above.code.clone(), above)).collect())
}

/// Where each row lies, by its code: from the roots down, however the table is sorted.
fn place(parsed: &[Parsed<'_>], above: &HashMap<String, Above>) -> Result<HashMap<String, Placed>> {
    let mut refusals = Refusals::default();
    let own: HashMap<&str, &Parsed<'_>> = parsed
        .iter()
        .map(|one| (one.facts.code.as_str(), one))
        .collect();
    let mut placed: HashMap<String, Placed> = HashMap::new();
    let mut waiting: Vec<&Parsed<'_>> = parsed.iter().collect();
    loop {
        let before = waiting.len();
        waiting.retain(|one| match under(one, &own, above, &placed) {
            Ok(Some(place)) => {
                placed.insert(one.facts.code.clone(), place);
                false
            }
            Ok(None) => true,
            Err(refusal) => {
                refusals.push(refusal);
                false
            }
        });
        if waiting.len() == before {
            break;
        }
    }
    // What still waits lies in itself, or in something that was refused.
    for one in waiting {
        if leads_back(one, &own) {
            refusals.push(Refusal::new(Code::Cycle, &one.row.path("parent_code")));
        }
    }
    refusals.into_result(Some(placed))
}

/// Where a row lies; nothing as long as that of its group is not known.
fn under(
    one: &Parsed<'_>,
    own: &HashMap<&str, &Parsed<'_>>,
    above: &HashMap<String, Above>,
    placed: &HashMap<String, Placed>,
) -> Result<Option<Placed>, Refusal> {
    let path = one.row.path("parent_code");
    let Some(parent) = &one.parent else {
        let kind = one.kind;
        return Ok(kind.map(|kind| Placed { kind, level: 0 }));
    };
    let (group, is_group) = if let Some(row) = own.get(parent.as_str()) {
        match placed.get(parent) {
            Some(place) => (*place, row.facts.is_group),
            None => return Ok(None),
        }
    } else if let Some(found) = above.get(parent) {
        if found.is_archived {
            return Err(Refusal::new(Code::Archived, &path));
        }
        let level = usize::try_from(found.levels - 1).unwrap_or(0);
        let kind = found.kind;
        (Placed { kind, level }, found.is_group)
    } else {
        return Err(Refusal::new(Code::NotFound, &path).with("value", parent));
    };
    if !is_group {
        return Err(Refusal::new(Code::NotAGroup, &path).with("value", parent));
    }
    if one.kind.is_some_and(|kind| kind != group.kind) {
        let refusal = Refusal::new(Code::WrongAccountKind, &one.row.path("kind"));
        return Err(refusal.with("expected", group.kind.to_value()));
    }
    if group.level + 2 > DEPTH_MAX {
        return Err(Refusal::new(Code::TooDeep, &path).with("max", DEPTH_MAX));
    }
    Ok(Some(Placed {
        kind: group.kind,
        level: group.level + 1,
    }))
}

/// Whether one comes back to a row by going from group to group.
fn leads_back(one: &Parsed<'_>, own: &HashMap<&str, &Parsed<'_>>) -> bool {
    let mut at = one;
    for _ in 0..own.len() {
        let next = at.parent.as_deref().and_then(|parent| own.get(parent));
        match next {
            Some(next) if next.facts.code == one.facts.code => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

/// All in one statement, with the trail of each.
async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (parsed, above, placed): (
        &[Parsed<'_>],
        &HashMap<String, Above>,
        &HashMap<String, Placed>,
    ),
) -> Result<Vec<Account>> {
    let sql = "WITH RECURSIVE line AS MATERIALIZED (
                   SELECT l.*, nextval(pg_get_serial_sequence('account', 'number')) AS number
                   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::text[],
                               $10::text[])
                       AS l (id, code, parent, above, name, kind, normal_side, is_group, commodity, subsidiary_kind)
               ), placed AS (
                   SELECT l.*, a.id AS parent_id, COALESCE(a.path, ''::ltree) || l.number::text AS path
                   FROM line l LEFT JOIN account a ON a.id = l.above WHERE l.parent = ''
                   UNION ALL
                   SELECT l.*, p.id, p.path || l.number::text FROM line l JOIN placed p ON p.code = l.parent
               ), created AS (
                   INSERT INTO account (id, number, parent_id, path, code, name, kind, normal_side, is_group, commodity, subsidiary_kind, created_at,
                                        updated_at)
                   OVERRIDING SYSTEM VALUE
                   SELECT id, number, parent_id, path, code, name::jsonb, kind, normal_side, is_group, NULLIF(commodity, ''),
                          NULLIF(subsidiary_kind, ''), $11, $11 FROM placed
                   RETURNING id, number, parent_id, path::text AS path, code, name, kind, normal_side, is_group, commodity, external_reference,
                             archived_at, version, created_at, updated_at, subsidiary_kind, has_floor
               ), trail AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
                   SELECT $11, $12, $13, $14, $15, 'account.import', 'account', id, to_jsonb(created) FROM created
               )
               SELECT * FROM created ORDER BY code";
    let columns = Columns::of(now, parsed, above, placed)?;
    let Actor { kind, id, name } = Actor::of(viewer);
    let values: [Value; 15] = [
        uuids(&columns.ids),
        columns.codes.into(),
        columns.parents.into(),
        uuids(&columns.above),
        columns.names.into(),
        columns.kinds.into(),
        columns.sides.into(),
        columns.groups.into(),
        columns.commodities.into(),
        columns.subsidiaries.into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
        viewer.request_id.clone().into(),
    ];
    let created = Account::find_by_statement(statement(sql, values)).all(tx);
    created.await.map_err(|error| refused(error, parsed))
}

/// What the database refuses, told of its line.
fn refused(error: sea_orm::DbErr, parsed: &[Parsed<'_>]) -> Error {
    let Some((constraint, Some(detail))) = db::broken(&error) else {
        return error.into();
    };
    // `Key (code)=(11) already exists.`, `Key (commodity)=(ABC) is not present in table …`
    let value = detail
        .split_once("=(")
        .and_then(|(_, rest)| rest.split_once(')'));
    let Some((value, _)) = value else {
        return error.into();
    };
    let line_of = |is: &dyn Fn(&Parsed<'_>) -> bool| parsed.iter().find(|one| is(one));
    let (found, code, column) = match constraint.as_str() {
        "account_code_unique" => (
            line_of(&|one| one.facts.code == value),
            Code::AlreadyTaken,
            "code",
        ),
        "account_commodity_fkey" => (
            line_of(&|one| one.facts.commodity.as_deref() == Some(value)),
            Code::UnknownCommodity,
            "commodity",
        ),
        _ => return error.into(),
    };
    match found {
        Some(one) => Refusal::new(code, &one.row.path(column))
            .with("value", value)
            .into(),
        None => error.into(),
    }
}

#[derive(Default)]
struct Columns {
    ids: Vec<AccountId>,
    codes: Vec<String>,
    parents: Vec<String>,
    above: Vec<AccountId>,
    names: Vec<String>,
    kinds: Vec<String>,
    sides: Vec<String>,
    groups: Vec<bool>,
    commodities: Vec<String>,
    subsidiaries: Vec<String>,
}

impl Columns {
    fn of(
        now: DateTime<Utc>,
        parsed: &[Parsed<'_>],
        above: &HashMap<String, Above>,
        placed: &HashMap<String, Placed>,
    ) -> Result<Self> {
        let mut columns = Self::default();
        for one in parsed {
            let facts = &one.facts;
            let place = placed.get(&facts.code);
            let place = place.ok_or_else(|| Error::internal("an account has no place"))?;
            let outside = one.parent.as_ref().and_then(|parent| above.get(parent));
            columns.ids.push(AccountId(new_id(now)));
            columns.codes.push(facts.code.clone());
            // What lies in a group of the table waits for it; what lies in one that is there already does not.
            let inside = one.parent.clone().filter(|_| outside.is_none());
            columns.parents.push(inside.unwrap_or_default());
            let nobody = AccountId(uuid::Uuid::nil());
            columns.above.push(outside.map_or(nobody, |above| above.id));
            columns.names.push(serde_json::to_string(&facts.name)?);
            columns.kinds.push(place.kind.to_value());
            let side = facts.normal_side.unwrap_or(place.kind.normal_side());
            columns.sides.push(side.to_value());
            columns.groups.push(facts.is_group);
            columns
                .commodities
                .push(facts.commodity.clone().unwrap_or_default());
            let subsidiaries = facts.subsidiary_kind.map(|kind| kind.to_value());
            columns.subsidiaries.push(subsidiaries.unwrap_or_default());
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: usize, code: &str, parent: &str, kind: &str, group: &str) -> ImportRow {
        ImportRow {
            line,
            code: code.to_owned(),
            parent_code: parent.to_owned(),
            name_en: code.to_owned(),
            kind: kind.to_owned(),
            group: group.to_owned(),
            ..ImportRow::default()
        }
    }

    fn codes(rows: &[ImportRow]) -> Vec<(Code, String)> {
        let placed = parse(rows).and_then(|parsed| place(&parsed, &HashMap::new()).map(drop));
        match placed {
            Ok(()) => Vec::new(),
            Err(Error::Refused(refusals)) => refusals
                .iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn rows_come_in_any_order_and_what_is_wrong_is_told_by_line() {
        let good = [
            row(2, "A11", "A1", "", ""),
            row(3, "A1", "A", "asset", "yes"),
            row(4, "A", "", "Asset", "1"),
        ];
        assert!(codes(&good).is_empty());
        for (rows, code, path) in [
            (
                vec![row(2, "A", "", "", "")],
                Code::Required,
                "lines.2.kind",
            ),
            (
                vec![row(2, "A", "B", "asset", "")],
                Code::NotFound,
                "lines.2.parent_code",
            ),
            (
                vec![row(7, "A", "", "assets", "")],
                Code::NotAnOption,
                "lines.7.kind",
            ),
            (
                vec![row(2, "A", "", "asset", "maybe")],
                Code::NotAnOption,
                "lines.2.group",
            ),
            (
                vec![
                    row(2, "A", "", "asset", "yes"),
                    row(3, "B", "A", "expense", ""),
                ],
                Code::WrongAccountKind,
                "lines.3.kind",
            ),
            (
                vec![row(2, "A", "", "asset", ""), row(3, "B", "A", "", "")],
                Code::NotAGroup,
                "lines.3.parent_code",
            ),
            (
                vec![row(2, "A", "", "asset", ""), row(3, "a", "", "asset", "")],
                Code::AlreadyTaken,
                "lines.3.code",
            ),
        ] {
            assert_eq!(codes(&rows), [(code, path.to_owned())]);
        }
        let circle = [row(2, "A", "B", "", "yes"), row(3, "B", "A", "", "yes")];
        assert_eq!(codes(&circle).len(), 2);
    }
}
