//! How an item becomes a template, and what there is to choose of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{id::ItemId, item_option};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::Serialize;
use serde_json::Value;

use super::{NewOption, query, rules, template::Choices};
use crate::{
    attribute::schemas,
    audit::{self, Change},
    category::open_for_items_in_tx,
    db::refuse_if_broken,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    item::{Item, Items, lock_in_use_in_tx, write},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

const ACTION: &str = "item.set_options";

/// What the trail shows of a change: beside the item what there is to choose, by the keys of the attributes.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    item: &'a Item,
    options: BTreeMap<&'a str, &'a Value>,
}

impl Items<'_> {
    /// Makes an item a template whose variants differ in these attributes, or changes what there is to choose. Without options it is an
    /// item like others again.
    ///
    /// # Errors
    /// When there is no such item, it is archived, a variant, or of another version; an attribute or a value is wrong; or variants have
    /// what would not be there any more.
    pub async fn set_options(
        &self,
        viewer: &Viewer,
        id: ItemId,
        options: &[NewOption],
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Item> {
        viewer.require(Permission::CatalogueWrite)?;
        rules::check_count(options)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (id, options, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, ACTION, &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // Categories are locked before items, as everywhere.
        if let Some(place) = query::place_in_tx(&tx, id).await? {
            open_for_items_in_tx(&tx, place).await?;
        }
        query::hold_in_tx(&tx, id).await?;
        let before = lock_in_use_in_tx(&tx, id, expected_version).await?;
        if before.template_id.is_some() {
            return Err(Refusal::new(Code::IsVariant, "id").into());
        }
        let category = open_for_items_in_tx(&tx, before.category_id).await?;
        let schemas = schemas(&tx, &[category.id]).await?;
        let schema = schemas.get(&category.id).cloned().unwrap_or_default();
        let options = rules::parse_options(&schema, options)?;
        let was = query::options_of(&tx, &[id]).await?;
        let is_so = was
            .iter()
            .cloned()
            .map(Choices::from)
            .eq(options.iter().cloned());
        let item = if is_so {
            before
        } else {
            rules::check_used(&schema, &options, &query::used_in_tx(&tx, id).await?)?;
            let rows = rows(id, options);
            let item = write_in_tx(&tx, now, before.clone(), &rows).await?;
            record_in_tx(&tx, viewer, now, (&before, &was), (&item, &rows)).await?;
            item
        };
        claim.keep_in_tx(&tx, &item).await?;
        self.domain.commit(tx).await?;
        Ok(item)
    }
}

fn rows(id: ItemId, options: Vec<Choices>) -> Vec<item_option::Model> {
    let rows = options.into_iter().zip(0..);
    rows.map(|(Choices { key, values }, position)| item_option::Model {
        template_id: id,
        key,
        position,
        choices: Value::Array(values),
    })
    .collect()
}

/// A template has no values of its own in what its variants differ in.
async fn write_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    item: Item,
    options: &[item_option::Model],
) -> Result<Item> {
    let sql = "DELETE FROM item_option WHERE template_id = $1";
    sea_orm::ConnectionTrait::execute_raw(tx, statement(sql, [item.id.into()])).await?;
    let mut attributes = item.attributes.clone();
    if let Some(values) = attributes.as_object_mut() {
        values.retain(|key, _| options.iter().all(|option| option.key != *key));
    }
    let mut row = write::touched(now, item);
    row.is_template = Set(!options.is_empty());
    row.attributes = Set(attributes);
    let in_use = Refusal::new(Code::InUse, "itemId");
    let item = row
        .update(tx)
        .await
        .map_err(|error| refuse_if_broken(error, &[("item_template_without_stock", in_use)]))?;
    let rows = options.iter().map(|option| item_option::ActiveModel {
        template_id: Set(option.template_id),
        key: Set(option.key.clone()),
        position: Set(option.position),
        choices: Set(option.choices.clone()),
    });
    if !options.is_empty() {
        item_option::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(item)
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: (&Item, &[item_option::Model]),
    after: (&Item, &[item_option::Model]),
) -> Result<()> {
    let [before, after] = [before, after].map(|(item, options)| Written {
        item,
        options: options
            .iter()
            .map(|option| (option.key.as_str(), &option.choices))
            .collect(),
    });
    let change = Change {
        action: ACTION,
        aggregate_type: "item",
        aggregate_id: after.item.id.0,
        before: Some(&before),
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    write::announce_in_tx(tx, viewer, now, ACTION, after.item).await
}
