//! How an attribute is changed: the change is made, looked at, and taken back when it must not stay.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{
    attribute::Model as Attribute,
    id::{AttributeId, UnitOfMeasureId},
};
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::{
    AttributeChange, Attributes, Changed, Manner, NewAttribute, check::Report,
    place::demands_in_tx, query, rules, value::Units, write,
};
use crate::{
    category::{Category, hold_items_in_tx, open_for_attributes_in_tx},
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    pricing::follow_rename_in_tx,
    version,
    viewer::Viewer,
};

/// What is to be done to an attribute.
#[derive(Debug)]
pub(super) enum Step {
    /// Declare it.
    Create(Box<NewAttribute>),
    /// Change it, when it is of the version that is expected.
    Update(AttributeId, Box<AttributeChange>, Option<i64>),
    /// Take it out of use (true) or into use again, when it is of the version that is expected.
    Retire(AttributeId, bool, Option<i64>),
}

impl Step {
    fn action(&self) -> &'static str {
        match self {
            Self::Create(_) => "attribute.create",
            Self::Update(..) => "attribute.update",
            Self::Retire(_, true, _) => "attribute.retire",
            Self::Retire(_, false, _) => "attribute.restore",
        }
    }

    /// The unit in which the attribute is to be told.
    fn unit(&self) -> Option<UnitOfMeasureId> {
        match self {
            Self::Create(new) => new.unit_id,
            Self::Update(_, change, _) => change.unit_id.apply(None),
            Self::Retire(..) => None,
        }
    }

    /// Where a refusal about the items that are there points to.
    fn path(&self) -> &'static str {
        match self {
            Self::Create(_) => "",
            Self::Update(..) | Self::Retire(..) => "id",
        }
    }

    /// Whether values may become invalid by it.
    fn demands(&self) -> bool {
        match self {
            Self::Create(_) | Self::Retire(_, false, _) => true,
            Self::Update(_, change, _) => rules::demands(change),
            // Where nothing is demanded nothing is missing.
            Self::Retire(_, true, _) => false,
        }
    }
}

impl Attributes<'_> {
    /// Every change takes the same way: it is made, looked at, and taken back when it must not stay.
    pub(super) async fn make(
        &self,
        viewer: &Viewer,
        step: Step,
        request: &Value,
        manner: Manner,
        key: Option<&str>,
    ) -> Result<Changed> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        // What changes nothing need not be remembered.
        let key = key.filter(|_| !manner.dry_run);
        let claim = match claim_in_tx(&tx, viewer, key, step.action(), request, now).await? {
            Claimed::Before((attribute, report)) => {
                return Ok(Changed {
                    attribute,
                    units: query::units(&tx).await?,
                    report,
                });
            }
            Claimed::Now(claim) => claim,
        };
        if let Some(unit) = step.unit() {
            query::hold_unit_in_tx(&tx, unit).await?;
        }
        let units = query::units(&tx).await?;
        let category = open_in_tx(&tx, &step).await?;
        let change = Change {
            tx: &tx,
            viewer,
            now,
            category: &category,
            units: &units,
        };
        let (earlier, attribute, report) = if step.demands() {
            if !manner.dry_run {
                hold_items_in_tx(&tx, &category).await?;
            }
            let before = demands_in_tx(&tx, &category.path).await?;
            let (earlier, attribute) = change.step(&step).await?;
            let report = before.report_in_tx(&tx, &category.path).await?;
            (earlier, attribute, report)
        } else {
            let (earlier, attribute) = change.step(&step).await?;
            (earlier, attribute, Report::default())
        };
        if manner.dry_run {
            tx.rollback().await?;
            return Ok(Changed {
                attribute,
                units,
                report,
            });
        }
        report.settle(step.path(), manner.on_invalid)?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            step.action(),
            &category,
            earlier.as_ref(),
            &attribute,
        )
        .await?;
        claim.keep_in_tx(&tx, &(&attribute, &report)).await?;
        self.domain.commit(tx).await?;
        Ok(Changed {
            attribute,
            units,
            report,
        })
    }
}

/// The category of the attribute, with the tree held as it is.
async fn open_in_tx(tx: &DatabaseTransaction, step: &Step) -> Result<Category> {
    match step {
        Step::Create(new) => open_for_attributes_in_tx(tx, "categoryId", new.category_id).await,
        Step::Update(id, ..) | Step::Retire(id, ..) => {
            let attribute = query::find(tx, *id)
                .await?
                .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
            open_for_attributes_in_tx(tx, "id", attribute.category_id).await
        }
    }
}

/// A change on its way, and what every part of it needs.
struct Change<'a> {
    tx: &'a DatabaseTransaction,
    viewer: &'a Viewer,
    now: DateTime<Utc>,
    /// The one that declares the attribute. The tree is held as it is.
    category: &'a Category,
    units: &'a Units,
}

impl Change<'_> {
    /// The attribute before and after.
    async fn step(&self, step: &Step) -> Result<(Option<Attribute>, Attribute)> {
        match step {
            Step::Create(new) => Ok((None, self.create(new).await?)),
            Step::Update(id, change, version) => {
                let before = lock_in_tx(self.tx, *id, *version).await?;
                let after = self.update(&before, change).await?;
                Ok((Some(before), after))
            }
            Step::Retire(id, retired, version) => {
                let before = lock_in_tx(self.tx, *id, *version).await?;
                let after = self.retire(&before, *retired).await?;
                Ok((Some(before), after))
            }
        }
    }

    async fn create(&self, new: &NewAttribute) -> Result<Attribute> {
        let declared = rules::parse_new(new, self.units)?;
        let above = query::above_in_tx(self.tx, &self.category.path).await?;
        if above.len() >= rules::SCHEMA_MAX {
            let refusal = Refusal::new(Code::TooMany, "categoryId");
            return Err(refusal.with("max", rules::SCHEMA_MAX).into());
        }
        let mut same = above.iter().filter(|other| other.name == declared.name);
        if same.any(|other| other.retired_at.is_some()) {
            return Err(Refusal::new(Code::Archived, "name").into());
        }
        let key = self.key(&declared.name).await?;
        let position = above
            .iter()
            .filter(|other| other.category_id == self.category.id)
            .count();
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        let attribute =
            write::insert_in_tx(self.tx, self.now, self.category, key, declared, position).await?;
        self.consistent(&attribute).await?;
        self.own_again(&attribute).await?;
        Ok(attribute)
    }

    /// That of the attribute with the same name above or below, or a new one.
    async fn key(&self, name: &str) -> Result<String> {
        let line = self.line().await?;
        let same: HashSet<_> = line
            .iter()
            .filter(|other| other.name == name)
            .map(|other| other.key.as_str())
            .collect();
        let mut same = same.into_iter();
        match (same.next(), same.next()) {
            (None, _) => {
                let taken = line.iter().map(|other| other.key.as_str()).collect();
                Ok(rules::new_key(name, &taken))
            }
            (Some(key), None) => Ok(key.to_owned()),
            // Two attributes below that only share their name cannot become one.
            (Some(_), Some(_)) => Err(Refusal::new(Code::AlreadyTaken, "name")
                .with("value", name)
                .into()),
        }
    }

    async fn update(&self, before: &Attribute, change: &AttributeChange) -> Result<Attribute> {
        let declared = rules::parse_change(before, change, self.units)?;
        if declared.name != before.name {
            self.rename(before, &declared.name).await?;
        }
        let after = write::update_in_tx(self.tx, self.now, before.clone(), declared).await?;
        if after.retired_at.is_none() {
            self.consistent(&after).await?;
        }
        Ok(after)
    }

    async fn retire(&self, before: &Attribute, retired: bool) -> Result<Attribute> {
        if before.retired_at.is_some() == retired {
            return Ok(before.clone());
        }
        if retired && self.is_topmost(before).await? {
            self.refuse_if_option(before).await?;
        }
        let after = write::set_retired_in_tx(self.tx, self.now, before.clone(), retired).await?;
        if !retired {
            self.consistent(&after).await?;
            self.own_again(&after).await?;
        }
        Ok(after)
    }

    /// Without the attribute the variants of a template would be all alike. Whoever makes a template waits for us.
    async fn refuse_if_option(&self, attribute: &Attribute) -> Result<()> {
        hold_items_in_tx(self.tx, self.category).await?;
        if query::is_option_in_tx(self.tx, &self.category.path, &attribute.key).await? {
            return Err(Refusal::new(Code::InUse, "id").into());
        }
        Ok(())
    }

    /// A new name must not be another attribute's, and is given where the attribute begins.
    async fn rename(&self, attribute: &Attribute, name: &str) -> Result<()> {
        let line = self.line().await?;
        if line.iter().any(|other| other.name == name) {
            return Err(Refusal::new(Code::AlreadyTaken, "name")
                .with("value", name)
                .into());
        }
        if !self.is_topmost(attribute).await? {
            return Err(Refusal::new(Code::InvalidFormat, "name")
                .with("value", name)
                .into());
        }
        write::rename_below_in_tx(self.tx, self.now, self.category, attribute, name).await?;
        // Whoever writes a formula waits for us, and knows the new name then.
        hold_items_in_tx(self.tx, self.category).await?;
        let names = (attribute.name.as_str(), name);
        follow_rename_in_tx(self.tx, self.viewer, self.now, &self.category.path, names).await
    }

    /// Where a unique attribute begins, or begins again, the values that items have already are theirs alone from now on.
    async fn own_again(&self, attribute: &Attribute) -> Result<()> {
        if attribute.is_unique && self.is_topmost(attribute).await? {
            write::take_up_unique_in_tx(self.tx, self.category, attribute).await?;
        }
        Ok(())
    }

    async fn is_topmost(&self, attribute: &Attribute) -> Result<bool> {
        let above = query::above_in_tx(self.tx, &self.category.path).await?;
        let mut same = above.iter().filter(|other| other.key == attribute.key);
        Ok(same.all(|other| other.id == attribute.id))
    }

    /// All declarations of categories above and below, those of the category itself included.
    async fn line(&self) -> Result<Vec<Attribute>> {
        let mut line = query::above_in_tx(self.tx, &self.category.path).await?;
        let within = query::within_in_tx(self.tx, &self.category.path).await?;
        let below = within.into_iter();
        line.extend(below.filter(|other| other.category_id != self.category.id));
        Ok(line)
    }

    /// An attribute demands at least what it demands above, and what it demands is demanded below.
    async fn consistent(&self, attribute: &Attribute) -> Result<()> {
        let is_other = |other: &&Attribute| {
            other.key == attribute.key && other.id != attribute.id && other.retired_at.is_none()
        };
        let above = query::above_in_tx(self.tx, &self.category.path).await?;
        for upper in above.iter().filter(is_other) {
            self.narrower(upper, attribute, upper).await?;
        }
        let within = query::within_in_tx(self.tx, &self.category.path).await?;
        for lower in within.iter().filter(is_other) {
            self.narrower(attribute, lower, lower).await?;
        }
        Ok(())
    }

    async fn narrower(
        &self,
        upper: &Attribute,
        lower: &Attribute,
        other: &Attribute,
    ) -> Result<()> {
        let Err(field) = rules::check_narrower(upper, lower, self.units) else {
            return Ok(());
        };
        Err(contradicts_in_tx(self.tx, self.viewer, field, other)
            .await?
            .into())
    }
}

/// The refusal of what does not go together with an attribute of another category.
pub(super) async fn contradicts_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    path: &str,
    other: &Attribute,
) -> Result<Refusal> {
    let category = crate::category::name_in_tx(tx, viewer, other.category_id).await?;
    let refusal = Refusal::new(Code::Contradicts, path);
    Ok(refusal
        .with("value", &other.name)
        .with("category", category))
}

async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: AttributeId,
    expected_version: Option<i64>,
) -> Result<Attribute> {
    let attribute = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(attribute.version, expected_version)?;
    Ok(attribute)
}
