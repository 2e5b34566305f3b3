//! How costs follow from movements, one entry after the other: what `stock_cost_settle` does in SQL with all lines of an entry at once.
//!
//! Values are in whole smallest units of the currency. Shares are exact fractions, rounded once, halves up; the last of something takes
//! what is left, so nothing is worth anything when there is nothing.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::id::StockEntryId;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    exact::Exact,
};

/// Digits behind the point of what one of something cost.
const UNIT_PLACES: u32 = 12;

/// How the cost of what goes is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Everything there is costs the same.
    Average,
    /// What came in first goes first.
    Fifo,
    /// Each lot has its own cost.
    Specific,
}

/// Some amount and what it has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worth {
    /// Units, or grams of what is weighed.
    pub(crate) amount: Decimal,
    pub(crate) value: Decimal,
}

impl Worth {
    pub(crate) fn add(&mut self, other: Self) {
        self.amount += other.amount;
        self.value += other.value;
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            amount: self.amount - other.amount,
            value: self.value - other.value,
        }
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.amount.is_zero() && self.value.is_zero()
    }
}

/// Which movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The entry that it is a line of.
    pub entry: StockEntryId,
    /// Which line, from 1.
    pub line: i32,
}

/// What came in together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) id: Uuid,
    pub(crate) worth: Worth,
}

/// Where a layer stands among those of its item.
pub(crate) type LayerKey = (DateTime<Utc>, Key);

/// What leaves the shop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    pub(crate) key: Key,
    pub(crate) lot: Option<Uuid>,
    pub(crate) amount: Decimal,
    /// What the movement that it undoes was worth.
    pub(crate) mirrors: Option<Decimal>,
}

/// What comes into it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct In {
    pub(crate) key: Key,
    pub(crate) lot: Option<Uuid>,
    /// The layer that it opens.
    pub(crate) layer: Uuid,
    pub(crate) amount: Decimal,
    /// What it is worth, where that is known.
    pub(crate) value: Option<Decimal>,
    /// What was added to that later: freight and the like.
    pub(crate) landed: Decimal,
    /// What one of the amount cost, where somebody said so.
    pub(crate) unit_cost: Option<Decimal>,
}

/// How a movement changed what a layer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: Key,
    /// None for all of an item together.
    pub(crate) layer: Option<Uuid>,
    pub(crate) worth: Worth,
}

/// What there is of an item, and what it has cost.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) item: Uuid,
    pub(crate) method: Method,
    /// Digits behind the point of the smallest unit of the currency.
    pub(crate) scale: u32,
    pub(crate) total: Worth,
    /// What one of the amount cost when some last came in of which it was said.
    pub(crate) unit_cost: Decimal,
    /// By what came in first.
    pub(crate) queue: BTreeMap<LayerKey, Layer>,
    /// Where each layer stands in it.
    pub(crate) places: HashMap<Uuid, LayerKey>,
    /// By lot. What was taken before it came in is kept here under the item.
    pub(crate) lots: HashMap<Uuid, Worth>,
}

impl State {
    /// What these have cost that leave at once, `reversed` being the entry that they undo.
    pub(crate) fn take(
        &mut self,
        outs: &[Out],
        reversed: Option<StockEntryId>,
    ) -> Result<Vec<Change>> {
        let changes = match self.method {
            Method::Average => {
                let pool = Pool::new(self.total, None);
                pool.take(outs, self)?
            }
            Method::Specific => self.take_lots(outs)?,
            Method::Fifo => self.take_first(outs, reversed)?,
        };
        self.settle(&changes);
        Ok(changes)
    }

    fn take_lots(&self, outs: &[Out]) -> Result<Vec<Change>> {
        let mut by_lot: BTreeMap<Uuid, Vec<Out>> = BTreeMap::new();
        for out in outs {
            by_lot.entry(self.lot(out.lot)).or_default().push(*out);
        }
        let mut changes = Vec::with_capacity(outs.len());
        for (lot, outs) in by_lot {
            let worth = self.lots.get(&lot).copied().unwrap_or_default();
            changes.extend(Pool::new(worth, Some(lot)).take(&outs, self)?);
        }
        Ok(changes)
    }

    /// What came in first goes first; but what undoes an entry takes what that brought.
    fn take_first(&self, outs: &[Out], reversed: Option<StockEntryId>) -> Result<Vec<Change>> {
        let own = |key: &LayerKey| Some(key.1.entry) == reversed;
        let first: Vec<_> = match reversed {
            Some(_) => self.queue.iter().filter(|(key, _)| own(key)).collect(),
            None => Vec::new(),
        };
        let others = self.queue.iter().filter(|(key, _)| !own(key));
        let mut layers = first.into_iter().chain(others).map(|(_, layer)| *layer);
        let mut layer = layers.next();
        let mut taken = Decimal::ZERO;
        let mut changes = Vec::with_capacity(outs.len());
        for out in outs {
            let mut rest = out.amount;
            while let (Some(from), true) = (layer, rest > Decimal::ZERO) {
                let part = rest.min(from.worth.amount - taken);
                let value =
                    self.cost_of(from.worth, taken + part)? - self.cost_of(from.worth, taken)?;
                changes.push(gone(out.key, Some(from.id), part, value));
                rest -= part;
                taken += part;
                if taken == from.worth.amount {
                    layer = layers.next();
                    taken = Decimal::ZERO;
                }
            }
            if rest > Decimal::ZERO {
                let value = self.cost_of(Worth::default(), rest)?;
                changes.push(gone(out.key, Some(self.item), rest, value));
            }
        }
        Ok(changes)
    }

    /// What these are worth that come in at once, at `at`.
    pub(crate) fn bring(&mut self, at: DateTime<Utc>, ins: &[In]) -> Result<Vec<Change>> {
        let mut worths = Vec::with_capacity(ins.len());
        for incoming in ins {
            worths.push(Worth {
                amount: incoming.amount,
                value: self.value_of(incoming)? + incoming.landed,
            });
        }
        let changes = match self.method {
            Method::Average => self.bring_to_all(ins, &worths)?,
            Method::Specific => {
                let lots = ins.iter().zip(&worths);
                lots.map(|(incoming, worth)| Change {
                    key: incoming.key,
                    layer: Some(self.lot(incoming.lot)),
                    worth: *worth,
                })
                .collect()
            }
            Method::Fifo => self.bring_last(at, ins, &worths)?,
        };
        self.settle(&changes);
        for incoming in ins {
            self.unit_cost = incoming.unit_cost.unwrap_or(self.unit_cost);
        }
        Ok(changes)
    }

    /// By how much what was added to these makes them worth more, which are about to come in: as much as was added, less what falls on what
    /// was taken before they came.
    pub(crate) fn landed(&self, at: DateTime<Utc>, ins: &[In]) -> Result<BTreeMap<Key, Decimal>> {
        let mut more = BTreeMap::new();
        if ins.iter().all(|incoming| incoming.landed.is_zero()) {
            return Ok(more);
        }
        if !self.is_short() {
            more.extend(ins.iter().map(|incoming| (incoming.key, incoming.landed)));
            return Ok(more);
        }
        let bare = ins.iter().map(|incoming| In {
            landed: Decimal::ZERO,
            ..*incoming
        });
        let bare: Vec<_> = bare.collect();
        for change in self.clone().bring(at, ins)? {
            *more.entry(change.key).or_default() += change.worth.value;
        }
        for change in self.clone().bring(at, &bare)? {
            *more.entry(change.key).or_default() -= change.worth.value;
        }
        Ok(more)
    }

    /// Whether something was taken before it came in.
    fn is_short(&self) -> bool {
        let short = match self.method {
            Method::Average => Some(&self.total),
            Method::Fifo => self.lots.get(&self.item),
            Method::Specific => None,
        };
        short.is_some_and(|worth| worth.amount < Decimal::ZERO)
    }

    /// What was taken before it came has cost what this does: the last line bears the difference.
    fn bring_to_all(&self, ins: &[In], worths: &[Worth]) -> Result<Vec<Change>> {
        let mut changes: Vec<_> = ins
            .iter()
            .zip(worths)
            .map(|(incoming, worth)| Change {
                key: incoming.key,
                layer: None,
                worth: *worth,
            })
            .collect();
        if self.total.amount < Decimal::ZERO
            && let Some(last) = changes.last_mut()
        {
            let mut more = Worth::default();
            worths.iter().for_each(|worth| more.add(*worth));
            let after = self.filled(self.total, more)?;
            last.worth.value += after - self.total.value - more.value;
        }
        Ok(changes)
    }

    /// What is there is worth after `more` came to what was `short`.
    fn filled(&self, short: Worth, more: Worth) -> Result<Decimal> {
        let amount = short.amount + more.amount;
        if amount < Decimal::ZERO {
            Ok(-self.share(-short.value, -amount, -short.amount)?)
        } else {
            self.share(more.value, amount, more.amount)
        }
    }

    /// Each opens a layer, less what was taken before it came.
    fn bring_last(
        &mut self,
        at: DateTime<Utc>,
        ins: &[In],
        worths: &[Worth],
    ) -> Result<Vec<Change>> {
        let mut short = self.lots.get(&self.item).copied().unwrap_or_default();
        let mut changes = Vec::with_capacity(ins.len());
        for (incoming, worth) in ins.iter().zip(worths) {
            let mut kept = *worth;
            if short.amount < Decimal::ZERO {
                let filled = worth.amount.min(-short.amount);
                let value = self.share(-short.value, filled, -short.amount)?;
                let fill = Worth {
                    amount: filled,
                    value,
                };
                kept.amount -= filled;
                kept.value = self.share(worth.value, kept.amount, worth.amount)?;
                short.add(fill);
                changes.push(Change {
                    key: incoming.key,
                    layer: Some(self.item),
                    worth: fill,
                });
            }
            let layer = Layer {
                id: incoming.layer,
                worth: Worth::default(),
            };
            self.open((at, incoming.key), layer);
            changes.push(Change {
                key: incoming.key,
                layer: Some(incoming.layer),
                worth: kept,
            });
        }
        Ok(changes)
    }

    fn value_of(&self, incoming: &In) -> Result<Decimal> {
        if let Some(value) = incoming.value {
            return Ok(value);
        }
        let lot = match self.method {
            Method::Specific => self.lots.get(&self.lot(incoming.lot)).copied(),
            Method::Average | Method::Fifo => None,
        };
        let like = [lot, Some(self.total)].into_iter().flatten();
        let mut like = like.filter(|worth| worth.amount > Decimal::ZERO);
        match like.next() {
            Some(like) => self.share(like.value, incoming.amount, like.amount),
            None => self.cost_of(Worth::default(), incoming.amount),
        }
    }

    /// Without a lot, the item is one.
    fn lot(&self, lot: Option<Uuid>) -> Uuid {
        lot.unwrap_or(self.item)
    }

    fn settle(&mut self, changes: &[Change]) {
        for change in changes {
            self.total.add(change.worth);
            let Some(id) = change.layer else {
                continue;
            };
            let Some(place) = self.places.get(&id).copied() else {
                self.lots.entry(id).or_default().add(change.worth);
                continue;
            };
            if let Some(layer) = self.queue.get_mut(&place) {
                layer.worth.add(change.worth);
                if layer.worth.is_nothing() {
                    self.queue.remove(&place);
                    self.places.remove(&id);
                }
            }
        }
    }

    /// A layer that takes its place among those of its item.
    pub(crate) fn open(&mut self, place: LayerKey, layer: Layer) {
        self.places.insert(layer.id, place);
        self.queue.insert(place, layer);
    }

    /// What the first `x` of it have cost. What is taken beyond what there is has cost what the last did.
    fn cost_of(&self, worth: Worth, x: Decimal) -> Result<Decimal> {
        let beyond = |x: Decimal| {
            let cost = &Exact::from(x) * &Exact::from(self.unit_cost);
            rounded(&cost, self.scale)
        };
        if worth.amount <= Decimal::ZERO {
            beyond(x)
        } else if x < worth.amount {
            self.share(worth.value, x, worth.amount)
        } else {
            Ok(worth.value + beyond(x - worth.amount)?)
        }
    }

    /// The share of `part` in a value of `whole`.
    pub(crate) fn share(&self, value: Decimal, part: Decimal, whole: Decimal) -> Result<Decimal> {
        share(value, part, whole, self.scale)
    }
}

/// The share of `part` in a value of `whole`, in whole smallest units, halves up.
pub(crate) fn share(value: Decimal, part: Decimal, whole: Decimal, scale: u32) -> Result<Decimal> {
    let product = &Exact::from(value) * &Exact::from(part);
    let quotient = product.checked_div(&Exact::from(whole));
    let quotient = quotient.ok_or_else(|| Error::internal("a share of nothing"))?;
    rounded(&quotient, scale)
}

/// What one of `amount` cost, of which `quantity` cost `unit_cost` each.
pub(crate) fn unit_cost(quantity: Decimal, unit_cost: Decimal, amount: Decimal) -> Result<Decimal> {
    share(unit_cost, quantity, amount, UNIT_PLACES)
}

/// What `quantity` are worth of which each cost `unit_cost`.
pub(crate) fn worth(quantity: Decimal, unit_cost: Decimal, scale: u32) -> Result<Decimal> {
    rounded(&(&Exact::from(quantity) * &Exact::from(unit_cost)), scale)
}

fn rounded(exact: &Exact, scale: u32) -> Result<Decimal> {
    let rounded = exact.round_half_up(scale);
    rounded.ok_or_else(|| Error::internal("a value with too many digits"))
}

fn gone(key: Key, layer: Option<Uuid>, amount: Decimal, value: Decimal) -> Change {
    let worth = Worth {
        amount: -amount,
        value: -value,
    };
    Change { key, layer, worth }
}

/// Something from which several lines take one after the other.
struct Pool {
    worth: Worth,
    layer: Option<Uuid>,
    taken: Decimal,
    mirrored: Decimal,
}

impl Pool {
    fn new(worth: Worth, layer: Option<Uuid>) -> Self {
        Self {
            worth,
            layer,
            taken: Decimal::ZERO,
            mirrored: Decimal::ZERO,
        }
    }

    fn take(mut self, outs: &[Out], state: &State) -> Result<Vec<Change>> {
        let mut changes = Vec::with_capacity(outs.len());
        for out in outs {
            let before = self.cost(out, state)?;
            self.taken += out.amount;
            self.mirrored += out.mirrors.unwrap_or_default();
            let after = self.cost(out, state)?;
            changes.push(gone(out.key, self.layer, out.amount, after - before));
        }
        Ok(changes)
    }

    /// What was taken up to here has cost: what undoes something, as much as that brought, as far as there is so much.
    fn cost(&self, out: &Out, state: &State) -> Result<Decimal> {
        if out.mirrors.is_some() && self.taken < self.worth.amount {
            Ok(self.mirrored.min(self.worth.value))
        } else {
            state.cost_of(self.worth, self.taken)
        }
    }
}
