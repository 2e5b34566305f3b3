//! Adding landed cost, and undoing it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, StockEntryId, StockLandedCostId},
    stock_entry::{Kind as EntryKind, Model as StockEntry},
    stock_landed_cost::{Kind, Method, Model as LandedCost},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};

use super::{
    NewLandedCost, Particulars,
    fault::{Paths, refused},
    query,
    rules::{self, Texts},
};
use crate::{
    Domain,
    audit::{self, Actor, Change},
    clock::new_id,
    cost,
    error::{Code, Error, Refusal, Refusals, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    sql::{statement, uuids},
    stock,
    viewer::Viewer,
};

/// Most items that are computed anew at once, and most of their movements: beyond, a worker does it.
const ITEMS_AT_ONCE: usize = 100;
const MOVEMENTS_AT_ONCE: i64 = 2_000;

/// What is written down of a landed cost.
struct Draft {
    operation: &'static str,
    entry_id: StockEntryId,
    kind: Kind,
    method: Method,
    amount: Decimal,
    texts: Texts,
    effective_at: DateTime<Utc>,
    reverses_id: Option<StockLandedCostId>,
    parts: Vec<Part>,
    paths: Paths,
}

/// What a line of the receipt bears.
struct Part {
    line: i32,
    item: ItemId,
    from: LocationId,
    to: LocationId,
    amount: Decimal,
}

pub(super) async fn add(
    domain: &Domain,
    viewer: &Viewer,
    new: NewLandedCost,
    particulars: Particulars,
    key: Option<&str>,
) -> Result<LandedCost> {
    let asked = (&new, &particulars);
    let texts = rules::parse(&particulars)?;
    new.lines.as_deref().map_or(Ok(()), rules::check_lines)?;
    let now = domain.now();
    let effective_at = stock::past(particulars.effective_at, now)?;
    let tx = domain.begin().await?;
    let operation = "stock.landed_cost.add";
    let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
        Claimed::Before(answer) => return Ok(answer),
        Claimed::Now(claim) => claim,
    };
    let scale = scale_in_tx(&tx).await?;
    rules::check_amount(new.amount, scale)?;
    let receipt = receipt_in_tx(&tx, new.entry_id).await?;
    let effective_at = not_before(receipt.effective_at, effective_at, now)?;
    let bases = bases_in_tx(&tx, &new, scale).await?;
    let parts = parts(&new, scale, bases)?;
    let draft = Draft {
        operation,
        entry_id: new.entry_id,
        kind: new.kind,
        method: new.method,
        amount: new.amount,
        texts,
        effective_at,
        reverses_id: None,
        parts,
        paths: Paths {
            subject: "entryId",
            amount: "amount",
        },
    };
    let added = write_in_tx(&tx, viewer, now, draft, claim).await?;
    domain.commit(tx).await?;
    Ok(added)
}

pub(super) async fn reverse(
    domain: &Domain,
    viewer: &Viewer,
    id: StockLandedCostId,
    particulars: Particulars,
    key: Option<&str>,
) -> Result<LandedCost> {
    let asked = (id, &particulars);
    let texts = rules::parse(&particulars)?;
    let now = domain.now();
    let effective_at = stock::past(particulars.effective_at, now)?;
    let tx = domain.begin().await?;
    let operation = "stock.landed_cost.reverse";
    let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
        Claimed::Before(answer) => return Ok(answer),
        Claimed::Now(claim) => claim,
    };
    let original = query::by_ids(&tx, &[id]).await?.pop();
    let original = original.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    if original.reverses_id.is_some() {
        return Err(Refusal::new(Code::NotReversible, "id").into());
    }
    let effective_at = not_before(original.effective_at, effective_at, now)?;
    let draft = Draft {
        operation,
        entry_id: original.entry_id,
        kind: original.kind,
        method: original.method,
        amount: -original.amount,
        texts,
        effective_at,
        reverses_id: Some(id),
        parts: mirror_in_tx(&tx, id).await?,
        paths: Paths {
            subject: "id",
            amount: "id",
        },
    };
    let undone = write_in_tx(&tx, viewer, now, draft, claim).await?;
    domain.commit(tx).await?;
    Ok(undone)
}

async fn scale_in_tx(tx: &DatabaseTransaction) -> Result<u32> {
    let sql = "SELECT currency_scale FROM shop";
    let row = tx.query_one_raw(statement(sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("there is no shop"))?;
    let scale: i16 = row.try_get("", "currency_scale")?;
    u32::try_from(scale).map_err(Error::internal)
}

async fn receipt_in_tx(tx: &DatabaseTransaction, id: StockEntryId) -> Result<StockEntry> {
    let sql = "SELECT * FROM stock_entry WHERE id = $1";
    let entry = StockEntry::find_by_statement(statement(sql, [id.into()]));
    let entry = entry.one(tx).await?;
    let entry = entry.ok_or_else(|| Refusal::new(Code::NotFound, "entryId"))?;
    if entry.kind == EntryKind::Receive {
        Ok(entry)
    } else {
        Err(Refusal::new(Code::NotAReceipt, "entryId").into())
    }
}

/// When it arose: not before what it is about, whatever the clocks say.
fn not_before(
    earliest: DateTime<Utc>,
    effective_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    match effective_at {
        Some(at) if at < earliest => Err(Refusal::new(Code::TimeOutOfRange, "effectiveAt")
            .with("min", earliest.to_rfc3339())
            .with("max", now.to_rfc3339())),
        Some(at) => Ok(at),
        None => Ok(now.max(earliest)),
    }
}

/// A line of the receipt, and in proportion to what it bears.
#[derive(FromQueryResult)]
struct Base {
    line: i32,
    item_id: ItemId,
    from_location_id: LocationId,
    to_location_id: LocationId,
    sku: String,
    base: Decimal,
}

/// Of the lines that are chosen, in their order. What nobody has said the cost of costs what it is worth without landed cost, and late prices
/// count; what was not weighed weighs what its lot or its item says.
async fn bases_in_tx(
    tx: &DatabaseTransaction,
    new: &NewLandedCost,
    scale: u32,
) -> Result<Vec<Base>> {
    let sql = "SELECT m.line, m.item_id, m.from_location_id, m.to_location_id, i.sku,
                      CASE $2
                          WHEN 'value' THEN GREATEST(COALESCE(round(m.quantity * m.unit_cost, $3),
                              (SELECT sum(c.value) FROM stock_cost c WHERE c.entry_id = m.entry_id AND c.line = m.line)
                              - (SELECT COALESCE(sum(v.value), 0) FROM stock_landed_value v WHERE v.entry_id = m.entry_id AND v.line = m.line), 0)
                              + (SELECT COALESCE(sum(p.amount), 0) FROM stock_landed_cost_line p JOIN stock_landed_cost c ON c.id = p.landed_cost_id
                                 WHERE p.entry_id = m.entry_id AND p.line = m.line AND c.kind = 'price'), 0)
                          WHEN 'quantity' THEN m.quantity
                          WHEN 'weight' THEN COALESCE(NULLIF(m.weight, 0), m.quantity * COALESCE(l.gross_weight, l.net_weight, w.gross_weight, w.net_weight), 0)
                          ELSE 1
                      END AS base
               FROM stock_movement m
               JOIN item i ON i.id = m.item_id
               LEFT JOIN lot l ON l.id = m.lot_id
               LEFT JOIN item_metal w ON w.item_id = m.item_id
               WHERE m.entry_id = $1 AND (cardinality($4::int[]) = 0 OR m.line = ANY($4))
               ORDER BY m.line";
    let values = [
        new.entry_id.into(),
        new.method.to_value().into(),
        i32::try_from(scale).map_err(Error::internal)?.into(),
        new.lines.clone().unwrap_or_default().into(),
    ];
    let bases = Base::find_by_statement(statement(sql, values));
    Ok(bases.all(tx).await?)
}

/// What each line bears.
fn parts(new: &NewLandedCost, scale: u32, bases: Vec<Base>) -> Result<Vec<Part>> {
    let mut refusals = Refusals::default();
    let known: BTreeSet<_> = bases.iter().map(|base| base.line).collect();
    for (place, line) in new.lines.iter().flatten().enumerate() {
        if !known.contains(line) {
            refusals.push(Refusal::new(Code::NotFound, &format!("lines.{place}")));
        }
    }
    if new.method == Method::Weight {
        for base in bases.iter().filter(|base| base.base.is_zero()) {
            let refusal = Refusal::new(Code::WithoutWeight, &path_of(new, base.line));
            refusals.push(refusal.with("sku", &base.sku));
        }
    }
    refusals.into_result(Some(()))?;
    let shares: Vec<_> = bases.iter().map(|base| base.base).collect();
    let amounts = rules::spread(new.amount, scale, &shares)?;
    let amounts = amounts.ok_or_else(|| Refusal::new(Code::WithoutCost, "method"))?;
    let parts = bases.into_iter().zip(amounts).map(|(base, amount)| Part {
        line: base.line,
        item: base.item_id,
        from: base.from_location_id,
        to: base.to_location_id,
        amount,
    });
    Ok(parts.collect())
}

/// Where the input names the line, if it names lines.
fn path_of(new: &NewLandedCost, line: i32) -> String {
    let place = new.lines.iter().flatten().position(|named| *named == line);
    place.map_or_else(|| "method".to_owned(), |place| format!("lines.{place}"))
}

/// What it undoes, the other way round.
async fn mirror_in_tx(tx: &DatabaseTransaction, id: StockLandedCostId) -> Result<Vec<Part>> {
    let sql = "SELECT l.line, l.item_id, m.from_location_id, m.to_location_id, -l.amount AS amount
               FROM stock_landed_cost_line l JOIN stock_movement m ON m.entry_id = l.entry_id AND m.line = l.line
               WHERE l.landed_cost_id = $1 ORDER BY l.line";
    let rows = tx.query_all_raw(statement(sql, [id.into()])).await?;
    let parts = rows.iter().map(|row| {
        Ok(Part {
            line: row.try_get("", "line")?,
            item: row.try_get("", "item_id")?,
            from: row.try_get("", "from_location_id")?,
            to: row.try_get("", "to_location_id")?,
            amount: row.try_get("", "amount")?,
        })
    });
    Ok(parts.collect::<Result<_, DbErr>>()?)
}

/// Writes it with its lines, and computes anew what they are of, where that is little.
async fn write_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    draft: Draft,
    claim: Claim,
) -> Result<LandedCost> {
    let written = match insert_in_tx(tx, viewer, now, &draft).await {
        Ok(written) => written,
        Err(error) => return Err(refused(error, draft.paths)),
    };
    let borne = draft.parts.iter().filter(|part| !part.amount.is_zero());
    let items: BTreeSet<_> = borne.map(|part| part.item).collect();
    let items: Vec<_> = items.into_iter().collect();
    if is_little_in_tx(tx, &items).await? {
        cost::recost_in_tx(tx, now, written.id, &items).await?;
    }
    let change = Change::of_new(draft.operation, "stock_landed_cost", written.id.0, &written);
    audit::write_in_tx(tx, viewer, now, change).await?;
    let places = draft
        .parts
        .iter()
        .map(|part| (part.item, part.from, part.to));
    stock::tell_in_tx(tx, viewer, now, draft.operation, written.id.0, places).await?;
    claim.keep_in_tx(tx, &written).await?;
    Ok(written)
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    draft: &Draft,
) -> Result<LandedCost, DbErr> {
    let sql = "WITH part AS MATERIALIZED (
                   SELECT * FROM unnest($14::int[], $15::uuid[], $16::numeric[]) p (line, item_id, amount)
               ), cost AS (
                   INSERT INTO stock_landed_cost (id, entry_id, kind, method, amount, document, description, effective_at, recorded_at, actor_kind,
                                                  actor_id, actor_name, reverses_id, lines)
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, GREATEST($9, $8), $10, $11, $12, $13, (SELECT count(*) FROM part)
                   RETURNING *
               ), line AS (
                   INSERT INTO stock_landed_cost_line (landed_cost_id, line, entry_id, item_id, amount)
                   SELECT cost.id, part.line, cost.entry_id, part.item_id, part.amount FROM cost, part
               )
               SELECT * FROM cost";
    let Actor { kind, id, name } = Actor::of(viewer);
    let parts = &draft.parts;
    let items: Vec<_> = parts.iter().map(|part| part.item).collect();
    let values = [
        StockLandedCostId(new_id(now)).into(),
        draft.entry_id.into(),
        draft.kind.to_value().into(),
        draft.method.to_value().into(),
        draft.amount.into(),
        draft.texts.document.clone().into(),
        draft.texts.description.clone().into(),
        draft.effective_at.into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
        draft.reverses_id.map(|id| id.0).into(),
        parts
            .iter()
            .map(|part| part.line)
            .collect::<Vec<_>>()
            .into(),
        uuids(&items),
        parts
            .iter()
            .map(|part| part.amount)
            .collect::<Vec<_>>()
            .into(),
    ];
    let written = LandedCost::find_by_statement(statement(sql, values));
    let written = written.one(tx).await?;
    written.ok_or(DbErr::RecordNotInserted)
}

/// Whether it can be computed at once what these items have cost. Not where something was made of them: what was made would have to be
/// held, too, and who sells it may wait for something that is held here.
async fn is_little_in_tx(tx: &DatabaseTransaction, items: &[ItemId]) -> Result<bool> {
    if items.len() > ITEMS_AT_ONCE {
        return Ok(false);
    }
    let sql = "SELECT count(*) AS movements, COALESCE(bool_or(e.kind = 'transform'), false) AS is_made_of
               FROM (SELECT m.entry_id FROM stock_value v JOIN stock_movement m ON m.item_id = v.item_id AND m.effective_at >= v.recost_from
                     WHERE v.item_id = ANY($1) LIMIT $2) m
               JOIN stock_entry e ON e.id = m.entry_id";
    let values = [uuids(items), (MOVEMENTS_AT_ONCE + 1).into()];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    let row = row.ok_or_else(|| Error::internal("a count without a row"))?;
    let movements: i64 = row.try_get("", "movements")?;
    let is_made_of: bool = row.try_get("", "is_made_of")?;
    Ok(movements <= MOVEMENTS_AT_ONCE && !is_made_of)
}
