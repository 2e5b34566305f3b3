//! What the items of labels cost: derived for all of them from the same rates.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::ItemId;
use rust_decimal::Decimal;
use sea_orm::ConnectionTrait;

use crate::{
    attribute::{Schema, Schemas, schemas},
    error::{Error, Result},
    item::{Item, ItemMetal},
    metal_rate::{self, MetalRate, RateKey},
    money::Money,
    pricing::{self, Facts, ItemPrice, Pricing, price},
};

/// The prices of those items that have one, for one unit each.
pub(super) async fn prices(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    items: &[Item],
    metal: &HashMap<ItemId, ItemMetal>,
) -> Result<HashMap<ItemId, ItemPrice>> {
    let models = models(db, items).await?;
    let rates = rates(db, now, &models, metal).await?;
    let schemas = schemas_for(db, items, &models).await?;
    let none = Schema::default();
    let priced = items
        .iter()
        .filter_map(|item| models.get(&item.id).map(|pricing| (item, pricing)));
    let found = priced.map(|(item, pricing)| {
        let metal = metal.get(&item.id);
        let schema = schemas.get(&item.category_id).map(|schema| &**schema);
        let facts = Facts {
            pricing,
            metal,
            rate: pricing.rate_key(metal).and_then(|key| rates.get(&key)),
            schema: schema.unwrap_or(&none),
            attributes: &item.attributes,
            quantity: Decimal::ONE,
            duration_hours: None,
        };
        Ok((item.id, price(&facts).map_err(Error::from)?))
    });
    found.collect()
}

async fn models(db: &impl ConnectionTrait, items: &[Item]) -> Result<HashMap<ItemId, Pricing>> {
    let unfixed: Vec<_> = items
        .iter()
        .filter(|item| item.price_amount.is_none())
        .map(|item| item.id)
        .collect();
    let mut models: HashMap<_, _> = pricing::of_items(db, &unfixed).await?.into_iter().collect();
    for item in items {
        if let (Some(amount), Some(currency)) = (item.price_amount, &item.price_currency) {
            let currency = currency.clone();
            models.insert(item.id, Pricing::Fixed(Money { amount, currency }));
        }
    }
    Ok(models)
}

async fn rates(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    models: &HashMap<ItemId, Pricing>,
    metal: &HashMap<ItemId, ItemMetal>,
) -> Result<HashMap<RateKey, MetalRate>> {
    let keys: HashSet<_> = models
        .iter()
        .filter_map(|(id, pricing)| pricing.rate_key(metal.get(id)))
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    metal_rate::latest_by_key(db, &Vec::from_iter(keys), now).await
}

async fn schemas_for(
    db: &impl ConnectionTrait,
    items: &[Item],
    models: &HashMap<ItemId, Pricing>,
) -> Result<Schemas> {
    let uses = |item: &&Item| models.get(&item.id).is_some_and(Pricing::uses_attributes);
    let mut categories: Vec<_> = items
        .iter()
        .filter(uses)
        .map(|item| item.category_id)
        .collect();
    categories.sort_unstable();
    categories.dedup();
    if categories.is_empty() {
        return Ok(Schemas::default());
    }
    schemas(db, &categories).await
}
