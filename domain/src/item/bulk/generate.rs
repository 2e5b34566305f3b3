//! Variants of one template: all combinations of its options that are not there yet, at once.

use entity::{id::ItemId, item_import::Policy};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

use super::{
    super::{
        NewItem, reading, rules,
        variant::{
            Choices, Combination, Selection, VariantOverride, VariantRow, VariantsOutcome,
            VariantsRequest, chosen_text, existing_in_tx, names, parse_separator,
            read_templates_in_tx, select, skus,
        },
    },
    Obstacle, again_when_overtaken, categories_in_tx, change, check_category, check_places,
    conflict::Earlier,
    found::{self, By, Found},
    outcome::Refused,
    take_turn_in_tx,
    valid::{Extent, Valid, own_in_tx, settle_in_tx},
    write::{self, Trail},
};
use crate::{
    Domain,
    attribute::{Schema, schemas},
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    unit_of_measure::UnitTable,
    version,
    viewer::Viewer,
};

/// Most refusals that are told: what is wrong with a template is wrong with all of its variants.
const TOLD_MAX: usize = 100;

/// A request for variants.
pub(in super::super) struct Generation<'a> {
    pub(in super::super) domain: &'a Domain,
    pub(in super::super) viewer: &'a Viewer,
    pub(in super::super) request: &'a VariantsRequest,
    pub(in super::super) expected_version: Option<i64>,
    pub(in super::super) key: Option<&'a str>,
}

pub(in super::super) async fn generate(generation: Generation<'_>) -> Result<VariantsOutcome> {
    let separator = parse_separator(generation.request.sku_separator.as_deref())?;
    again_when_overtaken(|| try_generate(&generation, separator)).await
}

async fn try_generate(
    generation: &Generation<'_>,
    separator: &str,
) -> Result<VariantsOutcome, Obstacle> {
    let Generation {
        domain,
        viewer,
        request,
        expected_version,
        key,
    } = *generation;
    let now = domain.now();
    let tx = domain.begin().await?;
    // What changes nothing need not be remembered.
    let key = key.filter(|_| !request.dry_run);
    let asked = (request, expected_version);
    let claim = match claim_in_tx(&tx, viewer, key, "item.variants", &asked, now).await? {
        Claimed::Before(outcome) => return Ok(outcome),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let by = By::Id(vec![request.template_id]);
    let categories = categories_in_tx(&tx, Vec::new(), Some(&by)).await?;
    let found = found::lock_in_tx(&tx, &by).await?;
    check_places(&categories, &found)?;
    let template = found.get(&request.template_id);
    let template = open(template, expected_version)?;
    check_category(&categories, template.item.category_id)
        .map_err(|refusal| refusal.at("templateId"))?;
    let plan = Plan::read_in_tx(&tx, template, request, separator).await?;
    let (rows, mut new) = plan.rows(generation, now)?;
    let mut refused = Refused::default();
    settle_in_tx(&tx, &mut new, &mut refused).await?;
    own_in_tx(&tx, &Earlier::default(), &mut new, &mut refused).await?;
    // Somebody has made it since we looked at what is there.
    if refused.any(|_, refusal| refusal.code == Code::VariantExists) {
        return Err(Obstacle::Overtaken);
    }
    plan.judge(refused)?;
    let outcome = VariantsOutcome {
        template: template.item.clone(),
        combinations: rows,
    };
    if request.dry_run {
        tx.rollback().await?;
        return Ok(outcome);
    }
    let trail = Trail {
        viewer,
        now,
        action: "item.create",
    };
    write::insert_in_tx(&tx, trail, &new).await?;
    let tasks = new.iter().map(|row| Task::RenderCode { item_id: row.id });
    job::enqueue_in_tx(&tx, viewer, now, &tasks.collect::<Vec<_>>()).await?;
    let told: Vec<_> = new.iter().map(change::told).collect();
    write::announce_each_in_tx(&tx, trail, &told).await?;
    claim.keep_in_tx(&tx, &outcome).await?;
    domain.commit(tx).await?;
    Ok(outcome)
}

/// The template, when variants can be made of it.
fn open(template: Option<&Found>, expected_version: Option<i64>) -> Result<&Found, Refusal> {
    let template = template.ok_or_else(|| Refusal::new(Code::NotFound, "templateId"))?;
    let item = &template.item;
    version::check(item.version, expected_version)?;
    if item.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, "templateId"));
    }
    if !item.is_template {
        return Err(Refusal::new(Code::NotATemplate, "templateId"));
    }
    Ok(template)
}

/// All that is needed to know what the variants shall be.
struct Plan<'a> {
    template: &'a Found,
    request: &'a VariantsRequest,
    options: Vec<Choices>,
    schema: std::sync::Arc<Schema>,
    selection: Selection,
    separator: &'a str,
    /// SKU and id by what was chosen.
    existing: std::collections::HashMap<String, (String, ItemId)>,
}

impl<'a> Plan<'a> {
    async fn read_in_tx(
        tx: &DatabaseTransaction,
        template: &'a Found,
        request: &'a VariantsRequest,
        separator: &'a str,
    ) -> Result<Self> {
        let (id, category) = (template.item.id, template.item.category_id);
        let options = read_templates_in_tx(tx, vec![id]).await?.remove(&id);
        let options = options.unwrap_or_default().options;
        let schema = schemas(tx, &[category]).await?.remove(&category);
        let schema = schema.unwrap_or_default();
        Ok(Self {
            selection: select(request, &options, &schema)?,
            existing: existing_in_tx(tx, id).await?,
            template,
            request,
            options,
            schema,
            separator,
        })
    }

    /// What each combination is, and those that are to be created. A row's index is that of its combination.
    fn rows(
        &self,
        generation: &Generation<'_>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(Vec<VariantRow>, Vec<Valid<'static>>)> {
        let parts = skus(&self.options, &self.schema, self.separator);
        let combinations = &self.selection.combinations;
        let (mut rows, mut new) = (Vec::with_capacity(combinations.len()), Vec::new());
        let mut refused = Refused::default();
        for (index, combination) in combinations.iter().enumerate() {
            let options = combination.values(&self.options);
            let different = self.different(combination);
            if let Some((sku, id)) = self.existing.get(&chosen_text(&options.clone().into())) {
                if let Some((place, _)) = different {
                    let path = format!("overrides.{place}.options");
                    return Err(Refusal::new(Code::VariantExists, &path).into());
                }
                rows.push(VariantRow {
                    options,
                    sku: sku.clone(),
                    item_id: Some(*id),
                    is_new: false,
                });
                continue;
            }
            let sku = combination.sku(&self.template.item.sku, &parts, self.separator);
            let item = self.item(combination, &options, sku, different.map(|it| it.1))?;
            let units = UnitTable::default();
            let draft = rules::parse_new(item, reading(generation.viewer, &units));
            let Some(mut draft) = refused.take(index, draft)? else {
                continue;
            };
            // A hallmark and a certificate are those of one piece.
            draft.metal = self.template.metal.clone().map(|metal| {
                entity::item_metal::Model {
                    huid: None,
                    certificate_number: None,
                    ..metal
                }
                .into()
            });
            let id = ItemId(new_id(now));
            rows.push(VariantRow {
                options,
                sku: draft.sku.clone(),
                item_id: Some(id).filter(|_| !generation.request.dry_run),
                is_new: true,
            });
            new.push(Valid {
                index,
                id,
                before: None,
                draft,
                extent: Extent::All,
                facts: None,
                variant: None,
            });
        }
        self.judge(refused)?;
        Ok((rows, new))
    }

    /// What is different about a combination, and its place among the overrides.
    fn different(&self, combination: &Combination) -> Option<(usize, &VariantOverride)> {
        let place = *self.selection.overrides.get(combination)?;
        Some((place, self.request.overrides.get(place)?))
    }

    /// The template's values, with what was chosen. What only one item may have stays the template's.
    fn item(
        &self,
        combination: &Combination,
        options: &Map<String, Value>,
        sku: String,
        different: Option<&VariantOverride>,
    ) -> Result<NewItem> {
        let template = self.template.values()?;
        let mut attributes = self.template.item.attributes.clone();
        if let Some(kept) = attributes.as_object_mut() {
            let is_unique = |key: &str| {
                let it = self.schema.keyed(key);
                it.is_some_and(|it| it.attribute.is_unique)
            };
            kept.retain(|key, _| !is_unique(key));
            kept.extend(options.clone());
        }
        let empty = Map::new();
        let attributes = self
            .schema
            .shown(attributes.as_object().unwrap_or(&empty))
            .into();
        let name = &self.template.item.name;
        let price = different.and_then(|it| it.price.clone());
        let (price, pricing) = match price {
            Some(price) => (Some(price), None),
            None => (template.price, template.pricing),
        };
        Ok(NewItem {
            sku: different.and_then(|it| it.sku.clone()).unwrap_or(sku),
            name: names(name, combination, &self.options, &self.schema),
            price,
            pricing,
            attributes,
            barcodes: different
                .and_then(|it| it.barcodes.clone())
                .unwrap_or_default(),
            external_reference: None,
            template_id: Some(self.template.item.id),
            ..template
        })
    }

    /// Goes on when nothing is refused.
    ///
    /// # Errors
    /// What is, where somebody said so, or at the combination.
    fn judge(&self, refused: Refused) -> Result<()> {
        let Err(Error::Refused(refusals)) = refused.judged(Policy::RejectAll) else {
            return Ok(());
        };
        let refusals = refusals.into_iter().take(TOLD_MAX);
        Err(Error::Refused(
            refusals.map(|refusal| self.placed(refusal)).collect(),
        ))
    }

    /// The path begins with `rows` and the index of the combination.
    fn placed(&self, mut refusal: Refusal) -> Refusal {
        let index: Option<usize> = refusal.path.get(1).and_then(|index| index.parse().ok());
        let combination = index.and_then(|index| self.selection.combinations.get(index));
        let different = combination.and_then(|combination| self.different(combination));
        let said = different.filter(|(_, it)| match refusal.path.get(2).map(String::as_str) {
            Some("sku") => it.sku.is_some(),
            Some("barcodes") => it.barcodes.is_some(),
            Some("price") => it.price.is_some(),
            _ => false,
        });
        if let Some((place, _)) = said {
            refusal
                .path
                .splice(0..2, ["overrides".to_owned(), place.to_string()]);
        } else if let Some(first) = refusal.path.first_mut() {
            "combinations".clone_into(first);
        }
        refusal
    }
}
