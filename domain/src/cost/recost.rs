//! Computing anew what an item has cost, from the moment on at which something happened that was written down later.
//!
//! One item at a time, in one transaction that holds the item's value: nobody changes it meanwhile. Movements are read some at a time, so
//! memory is bounded however many there are; only what comes out differently is written, beside what was written before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::id::{ItemId, StockEntryId, StockLandedCostId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde_json::json;
use uuid::Uuid;

use super::{
    landed::{self, Landed},
    made::{self, Made},
    model::{Change, In, Key, Layer, Method, Out, State, Worth, unit_cost, worth},
};
use crate::{
    Domain,
    error::{Error, Result},
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// How many movements are read at a time.
const BATCH: i64 = 5_000;
/// Of an item as a whole, where layers are named.
const NO_LAYER: Uuid = Uuid::nil();

/// Items whose costs are to be computed anew, those first that have to be from the earliest moment on.
pub(super) async fn due(domain: &Domain, most: u32) -> Result<Vec<ItemId>> {
    let sql = "SELECT item_id FROM stock_value WHERE recost_from IS NOT NULL ORDER BY recost_from, item_id LIMIT $1";
    let rows = domain
        .db
        .query_all_raw(statement(sql, [i64::from(most).into()]))
        .await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<std::result::Result<_, _>>()?)
}

/// Computes the item anew, unless somebody else does or has. Tells how many movements have another cost now.
pub(super) async fn recost(
    domain: &Domain,
    viewer: &Viewer,
    item: ItemId,
) -> Result<Option<usize>> {
    let now = domain.now();
    let tx = domain.begin().await?;
    let Some(replay) = replay_in_tx(&tx, item).await? else {
        return Ok(None);
    };
    let changed = replay.differences.len();
    write_in_tx(&tx, now, None, &[replay]).await?;
    tell_in_tx(&tx, viewer, now, item).await?;
    domain.commit(tx).await?;
    Ok(Some(changed))
}

/// Computes these items anew at once that a landed cost has marked, in the transaction that holds them. What comes of it is written together.
pub(crate) async fn recost_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    cause: StockLandedCostId,
    items: &[ItemId],
) -> Result<()> {
    let mut replays = Vec::with_capacity(items.len());
    for item in items {
        replays.extend(replay_in_tx(tx, *item).await?);
    }
    if replays.is_empty() {
        return Ok(());
    }
    write_in_tx(tx, now, Some(cause), &replays).await
}

/// What comes of computing the item anew; none when it is not due, or somebody else is at it.
async fn replay_in_tx(tx: &DatabaseTransaction, item: ItemId) -> Result<Option<Replay>> {
    let Some(head) = Head::lock_in_tx(tx, item).await? else {
        return Ok(None);
    };
    let mut replay = Replay::begin_in_tx(tx, head).await?;
    replay.run_in_tx(tx).await?;
    Ok(Some(replay))
}

/// What is known of the item beside its movements.
#[derive(FromQueryResult)]
struct Head {
    item_id: ItemId,
    amount: Decimal,
    value: Decimal,
    recost_from: DateTime<Utc>,
    is_weighed: bool,
    method: String,
    currency_scale: i16,
}

impl Head {
    async fn lock_in_tx(tx: &DatabaseTransaction, item: ItemId) -> Result<Option<Self>> {
        let sql = "SELECT stock_recost_begin($1) AS begun";
        let begun = tx.query_one_raw(statement(sql, [item.into()])).await?;
        let begun = begun.map(|row| row.try_get("", "begun")).transpose()?;
        if begun != Some(true) {
            return Ok(None);
        }
        let sql = "SELECT v.item_id, v.amount, v.value, v.recost_from, COALESCE(k.is_weighed, false) AS is_weighed, s.currency_scale,
                          COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' ELSE 'average' END) AS method
                   FROM stock_value v
                   JOIN item i ON i.id = v.item_id
                   LEFT JOIN item_stocking k ON k.item_id = v.item_id
                   CROSS JOIN shop s
                   WHERE v.item_id = $1";
        let head = Self::find_by_statement(statement(sql, [item.into()]));
        Ok(head.one(tx).await?)
    }

    fn method(&self) -> Result<Method> {
        match self.method.as_str() {
            "average" => Ok(Method::Average),
            "fifo" => Ok(Method::Fifo),
            "specific" => Ok(Method::Specific),
            _ => Err(Error::internal("a cost method that nobody knows")),
        }
    }
}

/// A movement into the shop or out of it.
#[derive(Clone, Debug, FromQueryResult)]
struct Row {
    entry_id: StockEntryId,
    line: i32,
    lot_id: Option<Uuid>,
    layer_id: Uuid,
    kind: String,
    reverses_id: Option<StockEntryId>,
    is_reversed: bool,
    is_in: bool,
    quantity: Decimal,
    amount: Decimal,
    unit_cost: Option<Decimal>,
    effective_at: DateTime<Utc>,
    /// What the movement that it undoes was worth, as it was written.
    mirrored: Option<Decimal>,
}

impl Row {
    fn key(&self) -> Key {
        Key {
            entry: self.entry_id,
            line: self.line,
        }
    }
}

/// What comes out differently.
#[derive(Clone, Copy, Debug)]
struct Difference {
    change: Change,
    effective_at: DateTime<Utc>,
}

struct Replay {
    item: ItemId,
    since: DateTime<Utc>,
    is_weighed: bool,
    state: State,
    differences: Vec<Difference>,
    /// What movements are worth that are undone later.
    undone: HashMap<Key, Decimal>,
    /// Entries whose outcome is worth something else now.
    made_anew: BTreeSet<StockEntryId>,
    /// Movements of which something else is to be kept of landed cost than is, and what that makes them worth more.
    landed: Vec<(Key, Decimal)>,
}

impl Replay {
    async fn begin_in_tx(tx: &DatabaseTransaction, head: Head) -> Result<Self> {
        let mut state = State {
            item: head.item_id.0,
            method: head.method()?,
            scale: u32::try_from(head.currency_scale).unwrap_or_default(),
            total: Worth {
                amount: head.amount,
                value: head.value,
            },
            unit_cost: unit_cost_before_in_tx(tx, &head).await?,
            queue: BTreeMap::new(),
            places: HashMap::new(),
            lots: HashMap::new(),
        };
        rewind_in_tx(tx, &mut state, head.recost_from).await?;
        Ok(Self {
            item: head.item_id,
            since: head.recost_from,
            is_weighed: head.is_weighed,
            state,
            differences: Vec::new(),
            undone: HashMap::new(),
            made_anew: BTreeSet::new(),
            landed: Vec::new(),
        })
    }

    /// All movements from then on, entry by entry.
    async fn run_in_tx(&mut self, tx: &DatabaseTransaction) -> Result<()> {
        let mut after = (self.since, Uuid::nil(), 0);
        let mut waiting: Vec<Row> = Vec::new();
        loop {
            let rows = self.rows_in_tx(tx, after).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < BATCH);
            if let Some(last) = rows.last() {
                after = (last.effective_at, last.entry_id.0, last.line);
            }
            waiting.extend(rows);
            let whole = if is_last {
                waiting.len()
            } else {
                let last = waiting.last().map(|row| row.entry_id);
                waiting
                    .iter()
                    .rposition(|row| Some(row.entry_id) != last)
                    .map_or(0, |place| place + 1)
            };
            let later = waiting.split_off(whole);
            self.entries_in_tx(tx, &waiting).await?;
            waiting = later;
            if is_last {
                return Ok(());
            }
        }
    }

    async fn rows_in_tx(
        &self,
        tx: &DatabaseTransaction,
        (at, entry, line): (DateTime<Utc>, Uuid, i32),
    ) -> Result<Vec<Row>> {
        let sql = "SELECT m.entry_id, m.line, m.lot_id, md5(m.entry_id::text || ':' || m.line)::uuid AS layer_id, e.kind, e.reverses_id,
                          r.id IS NOT NULL AS is_reversed, t.keeps_stock AS is_in, m.quantity, CASE WHEN $6 THEN m.weight ELSE m.quantity END AS amount,
                          m.unit_cost, m.effective_at,
                          (SELECT abs(sum(c.value)) FROM stock_cost c WHERE c.entry_id = e.reverses_id AND c.line = m.line) AS mirrored
                   FROM stock_movement m
                   JOIN stock_entry e ON e.id = m.entry_id
                   LEFT JOIN stock_entry r ON r.reverses_id = m.entry_id
                   JOIN location f ON f.id = m.from_location_id
                   JOIN location t ON t.id = m.to_location_id
                   WHERE m.item_id = $1 AND m.effective_at >= $2 AND (m.effective_at, m.entry_id, m.line) > ($2, $3, $4)
                     AND f.keeps_stock <> t.keeps_stock AND CASE WHEN $6 THEN m.weight ELSE m.quantity END > 0
                   ORDER BY m.effective_at, m.entry_id, m.line LIMIT $5";
        let values = [
            self.item.into(),
            at.into(),
            entry.into(),
            line.into(),
            BATCH.into(),
            self.is_weighed.into(),
        ];
        Ok(Row::find_by_statement(statement(sql, values))
            .all(tx)
            .await?)
    }

    async fn entries_in_tx(&mut self, tx: &DatabaseTransaction, rows: &[Row]) -> Result<()> {
        let ids: BTreeSet<_> = rows.iter().map(|row| row.entry_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let written = written_in_tx(tx, self.item, &ids).await?;
        let made = made::read_in_tx(tx, self.item, &came_in(rows, "transform")).await?;
        let landed = landed::read_in_tx(tx, self.item, &came_in(rows, "receive")).await?;
        for entry in rows.chunk_by(|row, next| row.entry_id == next.entry_id) {
            self.entry(entry, &written, &made, &landed)?;
        }
        Ok(())
    }

    /// What an entry's movements are worth now, and where that is not what was written.
    fn entry(
        &mut self,
        rows: &[Row],
        written: &HashMap<Key, Vec<(Uuid, Worth)>>,
        made: &HashMap<StockEntryId, Made>,
        landed: &HashMap<Key, Landed>,
    ) -> Result<()> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let mut outs = Vec::new();
        for row in rows.iter().filter(|row| !row.is_in) {
            outs.push(Out {
                key: row.key(),
                lot: row.lot_id,
                amount: row.amount,
                mirrors: self.mirrored(row),
            });
        }
        let mut changes = self.state.take(&outs, first.reverses_id)?;
        let used: Decimal = changes.iter().map(|change| -change.worth.value).sum();
        let made = made.get(&first.entry_id);
        let mut ins = Vec::new();
        for row in rows.iter().filter(|row| row.is_in) {
            let landed = landed.get(&row.key()).map(|landed| landed.amount);
            ins.push(self.incoming(row, made, used, landed.unwrap_or_default())?);
        }
        self.take_account(first.effective_at, &ins, landed)?;
        changes.extend(self.state.bring(first.effective_at, &ins)?);
        let took_otherwise = self.compare(rows, &changes, written);
        if took_otherwise && first.kind == "transform" {
            self.made_anew.insert(first.entry_id);
        }
        Ok(())
    }

    /// Keeps what landed cost makes these worth more that are about to come in, where that is not what was written.
    fn take_account(
        &mut self,
        at: DateTime<Utc>,
        ins: &[In],
        known: &HashMap<Key, Landed>,
    ) -> Result<()> {
        let more = self.state.landed(at, ins)?;
        for incoming in ins {
            let more = more.get(&incoming.key).copied().unwrap_or_default();
            let known = known.get(&incoming.key).copied().unwrap_or_default();
            if known.applied != known.amount || known.value != more {
                self.landed.push((incoming.key, more));
            }
        }
        Ok(())
    }

    /// What the movement that it undoes was worth.
    fn mirrored(&self, row: &Row) -> Option<Decimal> {
        let key = Key {
            entry: row.reverses_id?,
            line: row.line,
        };
        self.undone.get(&key).copied().or(row.mirrored)
    }

    fn incoming(
        &self,
        row: &Row,
        made: Option<&Made>,
        used: Decimal,
        landed: Decimal,
    ) -> Result<In> {
        let is_made = row.kind == "transform";
        let said = row
            .unit_cost
            .filter(|_| !is_made && row.reverses_id.is_none() && row.quantity > Decimal::ZERO);
        let value = match (made, said) {
            (Some(made), _) if is_made => Some(made.worth_of(row.line, used, self.state.scale)?),
            (_, Some(cost)) => Some(worth(row.quantity, cost, self.state.scale)?),
            _ => self.mirrored(row),
        };
        let unit_cost = said.map(|cost| unit_cost(row.quantity, cost, row.amount));
        Ok(In {
            key: row.key(),
            lot: row.lot_id,
            layer: row.layer_id,
            amount: row.amount,
            value,
            landed,
            unit_cost: unit_cost.transpose()?,
        })
    }

    /// Keeps what differs from what was written. Whether what left is worth something else.
    fn compare(
        &mut self,
        rows: &[Row],
        changes: &[Change],
        written: &HashMap<Key, Vec<(Uuid, Worth)>>,
    ) -> bool {
        let mut by_line: HashMap<Key, BTreeMap<Uuid, Worth>> = HashMap::new();
        for change in changes {
            let layers = by_line.entry(change.key).or_default();
            let layer = layers.entry(change.layer.unwrap_or(NO_LAYER)).or_default();
            layer.add(change.worth);
        }
        let mut took_otherwise = false;
        for row in rows {
            let key = row.key();
            let mut layers = by_line.remove(&key).unwrap_or_default();
            let value: Decimal = layers.values().map(|worth| worth.value).sum();
            let mut before = Decimal::ZERO;
            for (layer, worth) in written.get(&key).into_iter().flatten() {
                let now = layers.entry(*layer).or_default();
                *now = now.minus(*worth);
                before += worth.value;
            }
            if row.is_reversed {
                self.undone.insert(key, value.abs());
            }
            took_otherwise |= !row.is_in && value != before;
            let differences = layers.into_iter().filter(|(_, worth)| !worth.is_nothing());
            self.differences
                .extend(differences.map(|(layer, worth)| Difference {
                    change: Change {
                        key,
                        layer: Some(layer),
                        worth,
                    },
                    effective_at: row.effective_at,
                }));
        }
        took_otherwise
    }
}

/// Writes what comes out differently of these items, all of it in one statement.
async fn write_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    cause: Option<StockLandedCostId>,
    replays: &[Replay],
) -> Result<()> {
    fn column<T>(replays: &[Replay], read: impl Fn(&Replay, &Difference) -> T) -> Vec<T> {
        let of = |replay: &Replay| -> Vec<T> {
            let all = replay.differences.iter();
            all.map(|one| read(replay, one)).collect()
        };
        replays.iter().flat_map(of).collect()
    }
    let items: Vec<_> = replays.iter().map(|replay| replay.item).collect();
    let costs = replays.iter().map(|replay| replay.state.unit_cost);
    let landed: Vec<_> = replays.iter().flat_map(|replay| &replay.landed).collect();
    let landed_entries: Vec<_> = landed.iter().map(|(key, _)| key.entry).collect();
    let landed_lines: Vec<_> = landed.iter().map(|(key, _)| key.line).collect();
    let landed_values: Vec<_> = landed.iter().map(|(_, value)| *value).collect();
    let sql = "SELECT stock_recost($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let values = [
        uuids(&items),
        costs.collect::<Vec<_>>().into(),
        now.into(),
        cause.map_or(Uuid::nil(), |cause| cause.0).into(),
        uuids(&column(replays, |replay, _| replay.item)),
        uuids(&column(replays, |_, one| one.change.key.entry)),
        column(replays, |_, one| one.change.key.line).into(),
        uuids(&column(replays, |_, one| {
            one.change.layer.unwrap_or(NO_LAYER)
        })),
        column(replays, |_, one| one.change.worth.amount).into(),
        column(replays, |_, one| one.change.worth.value).into(),
        column(replays, |_, one| one.effective_at).into(),
        uuids(&landed_entries),
        landed_lines.into(),
        landed_values.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    for replay in replays {
        made::follow_in_tx(tx, replay.item, &replay.made_anew).await?;
    }
    Ok(())
}

/// Entries of this kind that brought something.
fn came_in(rows: &[Row], kind: &str) -> Vec<StockEntryId> {
    let came = rows.iter().filter(|row| row.is_in && row.kind == kind);
    let came: BTreeSet<_> = came.map(|row| row.entry_id).collect();
    came.into_iter().collect()
}

/// What one of the item cost when some last came in before then of which it was said; nothing, when none did.
async fn unit_cost_before_in_tx(tx: &DatabaseTransaction, head: &Head) -> Result<Decimal> {
    let sql = "SELECT m.quantity, m.unit_cost, CASE WHEN $3 THEN m.weight ELSE m.quantity END AS amount
               FROM stock_movement m
               JOIN stock_entry e ON e.id = m.entry_id
               JOIN location f ON f.id = m.from_location_id
               JOIN location t ON t.id = m.to_location_id
               WHERE m.item_id = $1 AND m.effective_at < $2 AND m.unit_cost IS NOT NULL AND m.quantity > 0
                 AND t.keeps_stock AND NOT f.keeps_stock AND e.kind NOT IN ('reverse', 'transform')
               ORDER BY m.effective_at DESC, m.entry_id DESC, m.line DESC LIMIT 1";
    let values = [
        head.item_id.into(),
        head.recost_from.into(),
        head.is_weighed.into(),
    ];
    let Some(row) = tx.query_one_raw(statement(sql, values)).await? else {
        return Ok(Decimal::ZERO);
    };
    let (quantity, cost, amount) = (
        row.try_get_by_index(0)?,
        row.try_get_by_index(1)?,
        row.try_get_by_index(2)?,
    );
    unit_cost(quantity, cost, amount)
}

/// What each layer is worth, and where it stands.
#[derive(FromQueryResult)]
struct LayerRow {
    id: Uuid,
    entry_id: StockEntryId,
    line: i32,
    opened_at: DateTime<Utc>,
    amount: Decimal,
    value: Decimal,
}

/// From what is there now to what was there before `since`: without what was written of movements from then on.
async fn rewind_in_tx(
    tx: &DatabaseTransaction,
    state: &mut State,
    since: DateTime<Utc>,
) -> Result<()> {
    let sql = "SELECT c.layer_id, sum(c.amount) AS amount, sum(c.value) AS value
               FROM stock_cost c JOIN stock_movement m ON m.entry_id = c.entry_id AND m.line = c.line
               WHERE c.item_id = $1 AND c.effective_at >= $2 AND m.effective_at >= $2
               GROUP BY c.layer_id";
    let values = [state.item.into(), since.into()];
    let mut later: HashMap<Uuid, Worth> = HashMap::new();
    for row in tx.query_all_raw(statement(sql, values)).await? {
        let worth = Worth {
            amount: row.try_get("", "amount")?,
            value: row.try_get("", "value")?,
        };
        state.total = state.total.minus(worth);
        if let Some(layer) = row.try_get::<Option<Uuid>>("", "layer_id")? {
            later.insert(layer, worth);
        }
    }
    let sql = "SELECT id, entry_id, line, opened_at, amount, value FROM stock_cost_layer WHERE item_id = $1 AND (amount <> 0 OR id = ANY($2))";
    let layers: Vec<_> = later.keys().copied().collect();
    let values = [state.item.into(), uuids(&layers)];
    for row in LayerRow::find_by_statement(statement(sql, values))
        .all(tx)
        .await?
    {
        let worth = Worth {
            amount: row.amount,
            value: row.value,
        };
        let worth = worth.minus(later.get(&row.id).copied().unwrap_or_default());
        if worth.is_nothing() {
            continue;
        }
        if state.method == Method::Fifo && row.id != state.item {
            let key = Key {
                entry: row.entry_id,
                line: row.line,
            };
            state.open((row.opened_at, key), Layer { id: row.id, worth });
        } else {
            state.lots.insert(row.id, worth);
        }
    }
    Ok(())
}

/// What was written of the item's movements in these entries, layer by layer.
async fn written_in_tx(
    tx: &DatabaseTransaction,
    item: ItemId,
    entries: &[StockEntryId],
) -> Result<HashMap<Key, Vec<(Uuid, Worth)>>> {
    let sql = "SELECT entry_id, line, layer_id, sum(amount) AS amount, sum(value) AS value
               FROM stock_cost WHERE entry_id = ANY($2) AND item_id = $1 GROUP BY entry_id, line, layer_id";
    let values = [item.into(), uuids(entries)];
    let mut written: HashMap<Key, Vec<(Uuid, Worth)>> = HashMap::new();
    for row in tx.query_all_raw(statement(sql, values)).await? {
        let key = Key {
            entry: row.try_get("", "entry_id")?,
            line: row.try_get("", "line")?,
        };
        let layer: Option<Uuid> = row.try_get("", "layer_id")?;
        let worth = Worth {
            amount: row.try_get("", "amount")?,
            value: row.try_get("", "value")?,
        };
        let lines = written.entry(key).or_default();
        lines.push((layer.unwrap_or(NO_LAYER), worth));
    }
    Ok(written)
}

async fn tell_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    item: ItemId,
) -> Result<()> {
    let payload = json!({ "action": "stock.recost", "items": [item] });
    let event = NewEvent {
        kind: Kind::StockChanged,
        aggregate_id: item.0,
        aggregate_version: 1,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
