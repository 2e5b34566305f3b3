//! The rows of pricing models. A fixed price has none: it is on the item itself, where filters find it.

use entity::{
    id::ItemId,
    item_pricing::{Entity, Model as ItemPricing, PricingModel},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QuerySelect};

use super::{Formula, Pricing, TimeBased, WeightBased, formula};
use crate::{
    attribute::Schema,
    error::{Error, Refusal, Result},
    money::Money,
    patch::Patch,
    sql::{statement, uuids},
};

/// Pricing that is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft(pub(super) Pricing);

impl Draft {
    /// The price, when it is fixed, or else the model.
    pub(crate) fn split(self) -> Result<Money, Self> {
        match self.0 {
            Pricing::Fixed(price) => Ok(price),
            model => Err(Self(model)),
        }
    }

    /// Whether the price depends on the item's attributes.
    pub(crate) fn uses_attributes(&self) -> bool {
        self.0.uses_attributes()
    }

    /// Whether a category's items have the attributes that the price depends on.
    pub(crate) fn check_attributes(&self, schema: &Schema) -> Result<(), Refusal> {
        match &self.0 {
            Pricing::Formula(Formula { text, .. }) => {
                formula::check_attributes("pricing.formula.text", text, schema)
            }
            Pricing::Fixed(_) | Pricing::WeightBased(_) | Pricing::TimeBased(_) => Ok(()),
        }
    }

    /// The row of the item with this id; none for a fixed price.
    pub(crate) fn of(&self, item_id: ItemId) -> Option<ItemPricing> {
        let empty = |model, currency: &String| ItemPricing {
            item_id,
            model,
            currency: currency.clone(),
            profit_percent: None,
            minimum_price: None,
            time_rate: None,
            time_unit: None,
            minimum_duration: None,
            duration_step: None,
            formula: None,
        };
        match &self.0 {
            Pricing::Fixed(_) => None,
            Pricing::WeightBased(model) => Some(ItemPricing {
                profit_percent: Some(model.profit_percent),
                minimum_price: model.minimum_price,
                ..empty(PricingModel::WeightBased, &model.currency)
            }),
            Pricing::TimeBased(model) => Some(ItemPricing {
                time_rate: Some(model.rate),
                time_unit: Some(model.unit),
                minimum_duration: model.minimum_duration,
                duration_step: model.step,
                ..empty(PricingModel::TimeBased, &model.currency)
            }),
            Pricing::Formula(model) => Some(ItemPricing {
                formula: Some(model.text.clone()),
                ..empty(PricingModel::Formula, &model.currency)
            }),
        }
    }
}

impl TryFrom<ItemPricing> for Pricing {
    type Error = Error;

    /// The database keeps every row filled as its model needs it.
    fn try_from(row: ItemPricing) -> Result<Self> {
        let ItemPricing {
            item_id: _,
            model,
            currency,
            profit_percent,
            minimum_price,
            time_rate,
            time_unit,
            minimum_duration,
            duration_step,
            formula,
        } = row;
        let pricing = match model {
            PricingModel::WeightBased => profit_percent.map(|profit_percent| {
                Self::WeightBased(WeightBased {
                    currency,
                    profit_percent,
                    minimum_price,
                })
            }),
            PricingModel::TimeBased => time_rate.zip(time_unit).map(|(rate, unit)| {
                Self::TimeBased(TimeBased {
                    currency,
                    rate,
                    unit,
                    minimum_duration,
                    step: duration_step,
                })
            }),
            PricingModel::Formula => formula.map(|text| Self::Formula(Formula { currency, text })),
        };
        pricing.ok_or_else(|| Error::internal("a pricing model lacks what it is made of"))
    }
}

/// Writes the models of new items, in one statement.
pub(crate) async fn insert_in_tx(tx: &DatabaseTransaction, rows: &[ItemPricing]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql =
        "INSERT INTO item_pricing SELECT * FROM jsonb_populate_recordset(NULL::item_pricing, $1)";
    tx.execute_raw(statement(sql, [serde_json::to_value(rows)?.into()]))
        .await?;
    Ok(())
}

/// Changes the model of an item that is locked; how it was and how it is. Nothing is read when nothing changes.
pub(crate) async fn patch_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
    patch: &Patch<Draft>,
) -> Result<(Option<ItemPricing>, Option<ItemPricing>)> {
    let after = match patch {
        Patch::Keep => return Ok((None, None)),
        Patch::Clear => None,
        Patch::Set(draft) => draft.of(id),
    };
    let before = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    if before.is_some() {
        Entity::delete_by_id(id).exec(tx).await?;
    }
    insert_in_tx(tx, after.as_slice()).await?;
    Ok((before, after))
}

/// The models of these items, of those that have one.
pub(crate) async fn of_items(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<(ItemId, Pricing)>> {
    let rows = rows_of(db, ids).await?;
    let model = |row: ItemPricing| Ok((row.item_id, row.try_into()?));
    rows.into_iter().map(model).collect()
}

/// The same as they are kept.
pub(crate) async fn rows_of(db: &impl ConnectionTrait, ids: &[ItemId]) -> Result<Vec<ItemPricing>> {
    let sql = "SELECT * FROM item_pricing WHERE item_id = ANY($1)";
    Ok(ItemPricing::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?)
}
