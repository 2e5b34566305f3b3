//! Writes of items.

use chrono::{DateTime, Utc};
use entity::{
    id::{CategoryId, ItemId},
    item::{ActiveModel, Model as Item},
    item_barcode, item_metal, item_pricing,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, IntoActiveModel,
};
use serde::Serialize;
use serde_json::json;

use super::{
    metal,
    rules::{Draft, DraftChange},
};
use crate::{
    attribute::{Checked, own_values_in_tx, owned},
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    patch::Patch,
    pricing,
    sql::statement,
    viewer::Viewer,
};

/// An item and what was written beside it: what the trail shows of a change. What is not there was not touched.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Written {
    #[serde(flatten)]
    pub(super) item: Item,
    #[serde(skip_serializing_if = "Option::is_none")]
    metal: Option<item_metal::Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<item_pricing::Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barcodes: Option<Vec<String>>,
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    draft: Draft,
    facts: &Checked,
) -> Result<Written> {
    let barcodes = draft.barcodes.clone();
    let (metal, pricing) = (draft.metal.clone(), draft.pricing.clone());
    let (sku, reference) = (draft.sku.clone(), draft.external_reference.clone());
    let draft = Draft {
        attributes: facts.values.clone().into(),
        ..draft
    };
    let item = new_row(now, draft)
        .insert(tx)
        .await
        .map_err(|error| taken(error, &sku, reference.as_deref()))?;
    insert_barcodes_in_tx(tx, item.id, &barcodes).await?;
    if !facts.unique.is_empty() {
        own_values_in_tx(tx, &[], owned(item.id, facts).collect()).await?;
    }
    let metal = metal.map(|draft| draft.of(item.id));
    metal::insert_in_tx(tx, metal.as_slice(), "metal.huid").await?;
    let pricing = pricing.and_then(|draft| draft.of(item.id));
    pricing::insert_in_tx(tx, pricing.as_slice()).await?;
    Ok(Written {
        item,
        metal,
        pricing,
        barcodes: Some(barcodes).filter(|barcodes| !barcodes.is_empty()),
    })
}

fn new_row(now: DateTime<Utc>, draft: Draft) -> ActiveModel {
    let Draft {
        kind,
        sku,
        name,
        description,
        category_id,
        unit_id,
        tracking,
        price,
        pricing: _,
        metal: _,
        attributes,
        tags,
        barcodes: _,
        external_reference,
        template_id,
    } = draft;
    ActiveModel {
        id: Set(ItemId(new_id(now))),
        kind: Set(kind),
        sku: Set(sku),
        name: Set(name),
        description: Set(description),
        category_id: Set(category_id),
        unit_id: Set(unit_id),
        tracking: Set(tracking),
        price_amount: Set(price.as_ref().map(|price| price.amount)),
        price_currency: Set(price.map(|price| price.currency)),
        attributes: Set(attributes),
        tags: Set(tags),
        primary_image_id: Set(None),
        qr_svg_key: Set(None),
        qr_png_key: Set(None),
        external_reference: Set(external_reference),
        is_template: Set(false),
        template_id: Set(template_id),
        variant_options: NotSet,
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    item: Item,
    change: DraftChange,
    facts: Option<Checked>,
) -> Result<(Written, Written)> {
    let (id, before) = (item.id, item.clone());
    let barcodes = change.barcodes.clone();
    let (metal, pricing) = (change.metal.clone(), change.pricing.clone());
    let (sku, reference) = (
        change.sku.clone().unwrap_or_default(),
        change.external_reference.clone().apply(None),
    );
    let change = DraftChange {
        attributes: facts.as_ref().map(|facts| facts.values.clone().into()),
        ..change
    };
    let row = changed_row(now, item, change);
    let item = row
        .update(tx)
        .await
        .map_err(|error| taken(error, &sku, reference.as_deref()))?;
    let barcodes = match barcodes {
        Some(barcodes) => {
            let before = take_barcodes_in_tx(tx, id).await?;
            insert_barcodes_in_tx(tx, id, &barcodes).await?;
            Some((before, barcodes)).filter(|(before, after)| before != after)
        }
        None => None,
    };
    if let Some(facts) = &facts {
        own_values_in_tx(tx, &[id], owned(id, facts).collect()).await?;
    }
    let metal = metal::patch_in_tx(tx, id, &metal).await?;
    let pricing = pricing::patch_in_tx(tx, id, &pricing).await?;
    let (barcodes_before, barcodes) = barcodes.unzip();
    Ok((
        Written {
            item: before,
            metal: metal.0,
            pricing: pricing.0,
            barcodes: barcodes_before,
        },
        Written {
            item,
            metal: metal.1,
            pricing: pricing.1,
            barcodes,
        },
    ))
}

fn changed_row(now: DateTime<Utc>, item: Item, change: DraftChange) -> ActiveModel {
    let DraftChange {
        kind,
        sku,
        name,
        description,
        category_id,
        unit_id,
        tracking,
        price,
        pricing: _,
        metal: _,
        attributes,
        tags,
        barcodes: _,
        external_reference,
        template_id,
    } = change;
    let reference = external_reference.apply(item.external_reference.clone());
    let mut row = touched(now, item.clone());
    row.kind = Set(kind.unwrap_or(item.kind));
    row.sku = Set(sku.unwrap_or(item.sku));
    row.name = Set(name.unwrap_or(item.name));
    row.description = Set(description.unwrap_or(item.description));
    row.category_id = Set(category_id.unwrap_or(item.category_id));
    row.unit_id = Set(unit_id.unwrap_or(item.unit_id));
    row.tracking = Set(tracking.unwrap_or(item.tracking));
    row.attributes = Set(attributes.unwrap_or(item.attributes));
    row.tags = Set(tags.unwrap_or(item.tags));
    row.external_reference = Set(reference);
    row.template_id = Set(template_id.apply(item.template_id));
    match price {
        Patch::Keep => {}
        Patch::Clear => (row.price_amount, row.price_currency) = (Set(None), Set(None)),
        Patch::Set(price) => {
            (row.price_amount, row.price_currency) =
                (Set(Some(price.amount)), Set(Some(price.currency)))
        }
    }
    row
}

/// The row as it will be: one version later, changed now.
pub(super) fn touched(now: DateTime<Utc>, item: Item) -> ActiveModel {
    let version = item.version + 1;
    let mut row = item.into_active_model();
    row.version = Set(version);
    row.updated_at = Set(now);
    row
}

pub(super) async fn set_archived_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    item: Item,
    archived: bool,
) -> Result<Item> {
    let mut row = touched(now, item);
    row.archived_at = Set(archived.then_some(now));
    Ok(row.update(tx).await?)
}

/// Takes its barcodes away from an item: those that it had, in their order.
async fn take_barcodes_in_tx(tx: &DatabaseTransaction, id: ItemId) -> Result<Vec<String>> {
    let sql = "DELETE FROM item_barcode WHERE item_id = $1 RETURNING *";
    let taken = item_barcode::Model::find_by_statement(statement(sql, [id.into()]));
    let mut taken = taken.all(tx).await?;
    taken.sort_unstable_by_key(|row| row.position);
    Ok(taken.into_iter().map(|row| row.barcode).collect())
}

async fn insert_barcodes_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
    barcodes: &[String],
) -> Result<()> {
    // In the order of the index: two who insert the same barcodes wait for each other, but never in a circle.
    let mut in_order: Vec<_> = barcodes.iter().zip(0..).collect();
    in_order.sort_unstable();
    let rows = in_order
        .into_iter()
        .map(|(barcode, position)| item_barcode::ActiveModel {
            barcode: Set(barcode.clone()),
            item_id: Set(id),
            position: Set(position),
        });
    if barcodes.is_empty() {
        return Ok(());
    }
    let inserted = item_barcode::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await;
    inserted.map_err(|error| {
        refuse_if_broken(
            error,
            &[(
                "item_barcode_unique",
                Refusal::new(Code::AlreadyTaken, "barcodes"),
            )],
        )
    })?;
    Ok(())
}

fn taken(error: DbErr, sku: &str, reference: Option<&str>) -> Error {
    refuse_if_broken(
        error,
        &[
            (
                "item_sku_unique",
                Refusal::new(Code::AlreadyTaken, "sku").with("value", sku),
            ),
            (
                "item_external_reference_unique",
                Refusal::new(Code::AlreadyTaken, "externalReference")
                    .with("value", reference.unwrap_or_default()),
            ),
            ("item_unit_id_fkey", Refusal::new(Code::NotFound, "unitId")),
            ("item_tracking_stays", Refusal::new(Code::InUse, "tracking")),
            ("item_unit_stays", Refusal::new(Code::InUse, "unitId")),
            ("item_kind_stays", Refusal::new(Code::InUse, "kind")),
            (
                "item_category_id_fkey",
                Refusal::new(Code::NotFound, "categoryId"),
            ),
            (
                "item_variant_unique",
                Refusal::new(Code::VariantExists, "attributes"),
            ),
            // The template has become another since we looked at it.
            (
                "item_variant_options",
                Refusal::new(Code::StaleVersion, "templateId"),
            ),
            (
                "item_variant_whole",
                Refusal::new(Code::NotATemplate, "templateId"),
            ),
            (
                "item_template",
                Refusal::new(Code::NotATemplate, "templateId"),
            ),
        ],
    )
}

/// The trail and the event of a change to one item.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Item>,
    after: &Item,
) -> Result<()> {
    let alone = |item: &Item| Written {
        item: item.clone(),
        metal: None,
        pricing: None,
        barcodes: None,
    };
    let (before, after) = (before.map(alone), alone(after));
    record_written_in_tx(tx, viewer, now, action, before.as_ref(), &after).await
}

/// The same, with what was written beside the item.
pub(super) async fn record_written_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Written>,
    after: &Written,
) -> Result<()> {
    let item = &after.item;
    let change = Change {
        action,
        aggregate_type: "item",
        aggregate_id: item.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let previous = before
        .map(|before| before.item.category_id)
        .filter(|category| *category != item.category_id);
    announce_move_in_tx(tx, viewer, now, action, item, previous).await
}

/// The event alone, for what the machine adds to an item by itself.
pub(super) async fn announce_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    item: &Item,
) -> Result<()> {
    announce_move_in_tx(tx, viewer, now, action, item, None).await
}

/// Those who listen to a category hear of items that leave it too.
async fn announce_move_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    item: &Item,
    previous: Option<CategoryId>,
) -> Result<()> {
    let payload =
        json!({ "action": action, "categoryId": item.category_id, "previousCategoryId": previous });
    let event = NewEvent {
        kind: Kind::ItemChanged,
        aggregate_id: item.id.0,
        aggregate_version: item.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
