//! An item's attributes, checked against what its category demands.
//!
//! The category's row is locked by whoever writes an item, and by whoever changes what is demanded: so what is written fits what is
//! demanded when the transaction commits.

use std::collections::HashMap;

use entity::{
    id::{CategoryId, ItemId},
    item::Model as Item,
};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

pub(super) use super::variant::Variant;
use super::{
    rules::{self, Draft, DraftChange},
    variant::{Template, read_templates_in_tx},
};
use crate::{
    attribute::{Checked, Schema, Schemas, resolve_in_tx, schemas},
    category::open_for_items_in_tx,
    error::{Code, Error, Refusal, Result},
    patch::Patch,
    pricing,
};

/// What somebody says of an item's attributes, by name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said<'a> {
    /// Nothing: they stay as they are.
    Nothing,
    /// Some of them, where null takes one away; the others stay.
    Some(&'a Value),
    /// All of them.
    All(&'a Value),
}

/// An item as somebody wants it to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    /// Where it shall stand.
    pub(super) category: CategoryId,
    /// How it is; none for a new one.
    pub(super) before: Option<&'a Item>,
    /// Of which template it shall be a variant.
    pub(super) template: Option<ItemId>,
    pub(super) said: Said<'a>,
    /// How it shall be priced; none when that stays as it is.
    pub(super) pricing: Option<&'a pricing::Draft>,
}

impl Wish<'_> {
    fn moves(&self) -> bool {
        let was = self.before.map(|before| before.category_id);
        was.is_some_and(|was| was != self.category)
    }

    /// Whether its attributes stay as they are.
    fn stays(&self) -> bool {
        self.before.is_some() && !self.moves() && matches!(self.said, Said::Nothing)
    }

    /// The template whose variant it becomes.
    fn joins(&self) -> Option<ItemId> {
        let was = self.before.and_then(|before| before.template_id);
        self.template.filter(|template| was != Some(*template))
    }

    /// The item itself, when others are its variants.
    fn own_template(&self) -> Option<ItemId> {
        self.before
            .filter(|before| before.is_template)
            .map(|before| before.id)
    }

    /// The templates that decide whether it can be so.
    fn templates(&self) -> impl Iterator<Item = ItemId> {
        let changes = self.joins().is_some() || !self.stays();
        let named = [self.template, self.own_template()];
        named.into_iter().flatten().filter(move |_| changes)
    }

    /// Its pricing, when it depends on attributes.
    fn formula(&self) -> Option<&pricing::Draft> {
        self.pricing.filter(|draft| draft.uses_attributes())
    }
}

/// The attributes of a new item. Its category is locked already.
pub(super) async fn of_new_in_tx(tx: &DatabaseTransaction, draft: &Draft) -> Result<Checked> {
    let wish = Wish {
        category: draft.category_id,
        before: None,
        template: draft.template_id,
        said: Said::All(&draft.attributes),
        pricing: draft.pricing.as_ref(),
    };
    Ok(of_one_in_tx(tx, wish).await?.facts.unwrap_or_default())
}

/// The attributes of an item after a change; none when they stay as they are.
pub(super) async fn of_change_in_tx(
    tx: &DatabaseTransaction,
    before: &Item,
    change: &DraftChange,
) -> Result<Option<Checked>> {
    let wish = Wish {
        category: change.category_id.unwrap_or(before.category_id),
        before: Some(before),
        template: change.template_id.apply(before.template_id),
        said: change.attributes.as_ref().map_or(Said::Nothing, Said::All),
        pricing: match &change.pricing {
            Patch::Set(draft) => Some(draft),
            Patch::Keep | Patch::Clear => None,
        },
    };
    if wish.stays() && wish.formula().is_none() && wish.joins().is_none() {
        return Ok(None);
    }
    // A move has locked the category already.
    if !wish.moves() && (!wish.stays() || wish.formula().is_some()) {
        open_for_items_in_tx(tx, wish.category).await?;
    }
    Ok(of_one_in_tx(tx, wish).await?.facts)
}

async fn of_one_in_tx(tx: &DatabaseTransaction, wish: Wish<'_>) -> Result<Settled> {
    let one = of_many_in_tx(tx, &[wish]).await?.pop();
    let one = one.ok_or_else(|| Error::internal("an item has been forgotten"))?;
    one.map_err(Error::Refused)
}

/// What is found about a wish that can be fulfilled.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    /// The attributes, unless they stay as they are.
    pub(super) facts: Option<Checked>,
    /// What the item shall be among the variants of its template, unless neither that nor the attributes change.
    pub(super) variant: Option<Variant>,
}

/// The attributes of many items, in their order: as many statements as for one. The categories are locked already.
///
/// # Errors
/// When the database fails; what is wrong with an item's values stands in its place.
pub(super) async fn of_many_in_tx(
    tx: &DatabaseTransaction,
    wishes: &[Wish<'_>],
) -> Result<Vec<Result<Settled, Vec<Refusal>>>> {
    let schemas = schemas(tx, &categories(wishes)).await?;
    let templates = wishes.iter().flat_map(Wish::templates).collect();
    let templates = read_templates_in_tx(tx, templates).await?;
    let mut checked: Vec<_> = wishes
        .iter()
        .map(|wish| check(wish, &schemas, &templates))
        .collect();
    let (mut places, mut valid) = (Vec::new(), Vec::new());
    for (place, it) in checked.iter_mut().enumerate() {
        if let Ok(Some(it)) = it {
            places.push(place);
            valid.push(it);
        }
    }
    let missing = resolve_in_tx(tx, &mut valid).await?;
    for (place, missing) in places.into_iter().zip(missing) {
        if !missing.is_empty() {
            checked[place] = Err(missing);
        }
    }
    let settled = wishes.iter().zip(checked).map(|(wish, facts)| {
        let facts = facts?;
        let variant = variant(wish, facts.as_ref(), &schemas, &templates)?;
        Ok(Settled { facts, variant })
    });
    Ok(settled.collect())
}

/// Those whose schemas are needed, each once.
fn categories(wishes: &[Wish<'_>]) -> Vec<CategoryId> {
    let mut categories = Vec::with_capacity(wishes.len());
    for wish in wishes {
        if !wish.stays() || wish.formula().is_some() || wish.joins().is_some() {
            categories.extend(wish.before.map(|before| before.category_id));
            categories.push(wish.category);
        }
    }
    categories.sort_unstable();
    categories.dedup();
    categories
}

/// What is wrong with the values, and with a formula that uses them.
fn check(
    wish: &Wish<'_>,
    schemas: &Schemas,
    templates: &Templates,
) -> Result<Option<Checked>, Vec<Refusal>> {
    let empty = Schema::default();
    let schema = |id| schemas.get(&id).map_or(&empty, |schema| &**schema);
    let own = schema(wish.category);
    let was = wish.before.map_or(own, |before| schema(before.category_id));
    let template = wish.own_template().and_then(|id| templates.get(&id));
    let checked = match template {
        Some(template) => check_template(wish, template, own, was),
        None => check_values(wish, own, was),
    };
    let formula = wish
        .formula()
        .map_or(Ok(()), |draft| draft.check_attributes(own));
    match (checked, formula) {
        (checked, Ok(())) => checked,
        (Ok(_), Err(refusal)) => Err(vec![refusal]),
        (Err(mut refused), Err(refusal)) => {
            refused.push(refusal);
            Err(refused)
        }
    }
}

/// These items, as templates.
type Templates = HashMap<ItemId, Template>;

/// A template has no values of its own in what its variants differ in, whatever is demanded of others; and where it stands, its variants must
/// be able to stand too.
fn check_template(
    wish: &Wish<'_>,
    template: &Template,
    own: &Schema,
    was: &Schema,
) -> Result<Option<Checked>, Vec<Refusal>> {
    let refuse = |code, path: &str, key: &str| {
        vec![Refusal::new(code, path).with("value", was.name_of(key))]
    };
    let in_use = |key: &str| own.in_use().any(|it| it.attribute.key == key);
    if wish.moves()
        && let Some(key) = template.keys().find(|key| !in_use(key))
    {
        return Err(refuse(Code::UnknownAttribute, "categoryId", key));
    }
    let checked = check_values(wish, &own.sparing(template.keys()), was)?;
    let valued = |key: &&str| {
        let mut values = checked.iter().map(|checked| &checked.values);
        values.any(|values| values.contains_key(*key))
    };
    match template.keys().find(valued) {
        Some(key) => {
            let path = format!("attributes.{}", own.name_of(key));
            Err(refuse(Code::Varies, &path, key))
        }
        None => Ok(checked),
    }
}

/// What the item will have chosen of what its template offers.
fn variant(
    wish: &Wish<'_>,
    facts: Option<&Checked>,
    schemas: &Schemas,
    templates: &Templates,
) -> Result<Option<Variant>, Vec<Refusal>> {
    let Some(id) = wish.template else {
        return Ok(None);
    };
    let joins = wish.joins().is_some();
    if !joins && facts.is_none() {
        return Ok(None);
    }
    if wish.own_template().is_some() {
        return Err(vec![Refusal::new(Code::IsTemplate, "templateId")]);
    }
    let missing = || vec![Refusal::new(Code::NotFound, "templateId")];
    let template = templates.get(&id).ok_or_else(missing)?;
    if joins {
        template.check().map_err(|refusal| vec![refusal])?;
    }
    let attributes = match (facts, wish.before) {
        (Some(facts), _) => facts.values.clone(),
        (None, before) => before.map_or_else(Map::new, |before| object(&before.attributes)),
    };
    let empty = Schema::default();
    let schema = schemas.get(&wish.category);
    let options = template.chosen(&attributes, schema.map_or(&empty, |schema| &**schema))?;
    Ok(Some(Variant {
        template: id,
        options,
        path: if facts.is_some() {
            "attributes"
        } else {
            "templateId"
        },
    }))
}

/// The schemas are those of the category where the item shall stand, and of the one where it stands.
fn check_values(
    wish: &Wish<'_>,
    own: &Schema,
    was: &Schema,
) -> Result<Option<Checked>, Vec<Refusal>> {
    let Some(before) = wish.before else {
        return own.check(&written(wish.said), None).map(Some);
    };
    let mut kept = object(&before.attributes);
    match wish.said {
        Said::Nothing if !wish.moves() => Ok(None),
        // Values come along by their names: the new category may keep them under other keys.
        Said::Nothing => own.check_kept(&own.rekeyed(was, &kept)).map(Some),
        Said::All(values) => own.check(&object(values), Some(&kept)).map(Some),
        Said::Some(values) => {
            let news = was.news(object(values), &kept);
            if !wish.moves() && news.is_empty() {
                return Ok(None);
            }
            kept.retain(|key, _| !news.get(was.name_of(key)).is_some_and(Value::is_null));
            let merged = own.check_merged(&news, &own.rekeyed(was, &kept))?;
            // What was little enough each time may have become too much.
            rules::check_attributes(&merged.values).map_err(|refusal| vec![refusal])?;
            Ok(Some(merged))
        }
    }
}

/// What a new item has: nothing is there that null could take away.
fn written(said: Said<'_>) -> Map<String, Value> {
    match said {
        Said::Nothing => Map::new(),
        Said::All(values) => object(values),
        Said::Some(values) => {
            let mut values = object(values);
            values.retain(|_, value| !value.is_null());
            values
        }
    }
}

fn object(attributes: &Value) -> Map<String, Value> {
    attributes.as_object().cloned().unwrap_or_default()
}
