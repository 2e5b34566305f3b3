//! `worker demo`: loads the demo shop, through the same use cases as everybody else. What is there already stays as it is.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use clap::Args;
use domain::{
    Domain, Viewer,
    attribute::{Kind as AttributeKind, Manner, NewAttribute, NewOption},
    category::{CategoryRow, ImportOutcome},
    item::{IMPORT_MAX, ItemRow, Kind, NewItem, Tracking},
    locale::Locale,
    money::Money,
    user::{Bootstrapped, NewUser, OWNER, PasswordRules},
};
use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use futures_util::{TryStreamExt as _, stream};
use platform::{blob, config::Config, image::inspect};
use tokio::task::spawn_blocking;
use worker::{
    context::Context,
    demo::{self, DemoAttribute, DemoAttributeKind, DemoCategory, DemoItem, pictures},
    service::{StartError, context},
};

use super::{say, say_login};

/// Login name of the demo shop's owner.
const EMAIL: &str = "owner@demo.goldshop.example";

/// The variable with the owner's password. There is no argument for it: a command line can be seen by others.
const PASSWORD: &str = "DEMO_PASSWORD";
/// What the references of the taxonomy's categories begin with.
const TAXONOMY: &str = "demo:taxonomy:";
/// Pictures drawn at the same time.
const DRAWN_AT_ONCE: usize = 2;

/// How much of a demo shop.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Beside the demo shop, a catalogue of this many generated items, for benchmarks.
    #[arg(long, default_value_t = 0)]
    items: u64,
}

/// What rows of items refer to.
struct References {
    categories: BTreeMap<String, CategoryId>,
    units: HashMap<String, UnitOfMeasureId>,
}

/// What became of items.
#[derive(Default)]
struct Tally {
    created: usize,
    existed: usize,
    skipped: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.existed += other.existed;
        self.skipped += other.skipped;
    }

    fn say(&self, what: &str) {
        say(&format!(
            "{} new {what}; {} are left as they are",
            self.created, self.existed
        ));
        if self.skipped > 0 {
            say(&format!(
                "{} {what} are left out: their category is not in use, or another item has their SKU or barcode",
                self.skipped
            ));
        }
    }
}

/// Loads it. The owner comes first: a password that is missing or too weak is noticed before the work.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let context = context(config)?;
    let viewer = Viewer::system("demo");
    let owner = owner(&context.domain, &viewer, config).await?;
    let references = references(&context.domain, &viewer).await?;
    load_shop(&context, &viewer, &references).await?;
    load_generated(&context.domain, &viewer, &references, arguments.items).await?;
    say_login(&owner);
    Ok(())
}

async fn owner(
    domain: &Domain,
    viewer: &Viewer,
    config: &Config,
) -> Result<Bootstrapped, StartError> {
    let password = std::env::var(PASSWORD).ok().filter(|text| !text.is_empty());
    let password = password
        .ok_or_else(|| format!("{PASSWORD} is not set: the demo shop's owner needs a password"))?;
    let rules = PasswordRules {
        min_length: config.auth.password_min_length,
    };
    let owner = NewUser {
        email: EMAIL.to_owned(),
        display_name: "Demo owner".to_owned(),
        password: password.into(),
        locale: Locale::En,
        roles: vec![OWNER.to_owned()],
    };
    Ok(domain.users().bootstrap(viewer, owner, rules).await?)
}

async fn references(domain: &Domain, viewer: &Viewer) -> Result<References, StartError> {
    let rows: Vec<_> = demo::categories().into_iter().map(category_row).collect();
    let ImportOutcome {
        ids,
        created,
        skipped,
    } = domain.categories().import(viewer, &rows).await?;
    let existed = rows.len() - created - skipped;
    say(&format!(
        "{created} new categories; {existed} are left as they are"
    ));
    if skipped > 0 {
        say(&format!(
            "{skipped} categories are left out: what they belong below is archived or too deep"
        ));
    }
    let units = domain.units_of_measure().all(viewer).await?;
    Ok(References {
        categories: ids,
        units: units.into_iter().map(|unit| (unit.code, unit.id)).collect(),
    })
}

fn category_row(category: DemoCategory) -> CategoryRow {
    let DemoCategory {
        reference,
        parent,
        name_en,
        name_fa,
        icon,
        colour,
        position,
    } = category;
    CategoryRow {
        external_reference: reference,
        parent,
        name: names(name_en, name_fa),
        icon: icon.map(str::to_owned),
        colour: colour.map(str::to_owned),
        position,
    }
}

fn names(english: String, persian: Option<String>) -> BTreeMap<String, String> {
    [
        Some(("en".to_owned(), english)),
        persian.map(|text| ("fa".to_owned(), text)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The four businesses. Pictures are given to items that nobody has changed since they were created: that makes good what an
/// interrupted load has left out, and brings back none that people have taken away.
async fn load_shop(
    context: &Context,
    viewer: &Viewer,
    references: &References,
) -> Result<(), StartError> {
    let items: Vec<_> = demo::items().collect();
    let mut tally = Tally::default();
    let mut bare = Vec::new();
    for some in items.chunks(IMPORT_MAX) {
        tally.add(&import(&context.domain, viewer, references, some, true).await?);
        bare.extend(without_picture(&context.domain, viewer, some).await?);
    }
    tally.say("items");
    let pictures = bare.len();
    stream::iter(bare.into_iter().map(Ok))
        .try_for_each_concurrent(DRAWN_AT_ONCE, |(item, id)| {
            give_picture(context, viewer, item, id)
        })
        .await?;
    say(&format!(
        "{pictures} new pictures, left to the worker to render"
    ));
    Ok(())
}

/// Items whose category is not there are left out like those whose category is archived.
async fn import(
    domain: &Domain,
    viewer: &Viewer,
    references: &References,
    items: &[DemoItem],
    draw_code: bool,
) -> Result<Tally, StartError> {
    let rows = items
        .iter()
        .filter_map(|item| item_row(item, references, draw_code).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let outcome = domain.items().import(viewer, &rows).await?;
    Ok(Tally {
        created: outcome.created.len(),
        existed: outcome.existed,
        skipped: outcome.skipped + items.len() - rows.len(),
    })
}

/// Those that should have a picture, and never had one.
async fn without_picture(
    domain: &Domain,
    viewer: &Viewer,
    items: &[DemoItem],
) -> Result<Vec<(DemoItem, ItemId)>, StartError> {
    let references: Vec<_> = items
        .iter()
        .filter(|item| item.has_picture())
        .map(|item| item.external_reference.clone())
        .collect();
    let bare = domain.items().never_pictured(viewer, &references).await?;
    let pair = |item: &DemoItem| Some((item.clone(), *bare.get(&item.external_reference)?));
    Ok(items.iter().filter_map(pair).collect())
}

/// None when its category is not there.
fn item_row(
    item: &DemoItem,
    references: &References,
    draw_code: bool,
) -> Result<Option<ItemRow>, StartError> {
    let Some(category) = references.categories.get(&item.category) else {
        return Ok(None);
    };
    let unit = references
        .units
        .get(item.unit)
        .ok_or_else(|| format!("no unit {}", item.unit))?;
    let item = NewItem {
        kind: kind(item.kind),
        sku: item.sku.clone(),
        name: names(item.name_en.clone(), Some(item.name_fa.clone())),
        description: item
            .description_en
            .clone()
            .map(|text| names(text, item.description_fa.clone()))
            .unwrap_or_default(),
        category_id: *category,
        unit_id: *unit,
        tracking: tracking(item.tracking),
        price: Some(Money {
            amount: item.price,
            currency: item.currency.to_owned(),
        }),
        pricing: None,
        metal: None,
        attributes: item.attributes.clone(),
        tags: item.tags.clone(),
        barcodes: vec![item.barcode.clone()],
        external_reference: Some(item.external_reference.clone()),
        template_id: None,
    };
    Ok(Some(ItemRow { item, draw_code }))
}

fn kind(kind: demo::Kind) -> Kind {
    match kind {
        demo::Kind::Goods => Kind::Goods,
        demo::Kind::Service => Kind::Service,
        demo::Kind::Digital => Kind::Digital,
        demo::Kind::Consumable => Kind::Consumable,
    }
}

fn tracking(tracking: demo::Tracking) -> Tracking {
    match tracking {
        demo::Tracking::None => Tracking::None,
        demo::Tracking::Lot => Tracking::Lot,
        demo::Tracking::Serial => Tracking::Serial,
    }
}

/// Draws a picture and gives it to the item like an upload: the worker makes its renditions.
async fn give_picture(
    context: &Context,
    viewer: &Viewer,
    item: DemoItem,
    id: ItemId,
) -> Result<(), StartError> {
    let bytes = spawn_blocking(move || pictures::draw(&item)).await??;
    let inspected = inspect(&bytes, &context.limits)?;
    let key = blob::BlobKey::original(&blob::Fingerprint::of_bytes(&bytes));
    let key = blob::fresh_one(&context.domain, key).await?;
    context.blobs.put_bytes(&key, bytes.into()).await?;
    let new = domain::item::NewImage {
        original_key: key.as_str().to_owned(),
        media_type: inspected.format.content_type().to_owned(),
        width: inspected.width,
        height: inspected.height,
        byte_size: inspected.bytes,
    };
    context
        .domain
        .items()
        .attach_image(viewer, id, new, None)
        .await?;
    Ok(())
}

/// Each root of the taxonomy declares what generated items have. What is declared already stays as it is.
async fn declare(
    domain: &Domain,
    viewer: &Viewer,
    references: &References,
) -> Result<(), StartError> {
    let roots: Vec<_> = demo::categories()
        .into_iter()
        .filter(|category| category.parent.is_none() && category.reference.starts_with(TAXONOMY))
        .filter_map(|category| references.categories.get(&category.reference).copied())
        .collect();
    let schemas = domain.attributes().schemas_of(viewer, &roots).await?;
    let attributes = demo::attributes();
    for root in roots {
        let declared = schemas.get(&root);
        for attribute in &attributes {
            let is_there = declared.is_some_and(|schema| {
                let mut all = schema.all().iter();
                all.any(|it| it.attribute.name == attribute.name)
            });
            if !is_there {
                let new = new_attribute(attribute, root, references);
                let manner = Manner::default();
                domain
                    .attributes()
                    .create(viewer, new, manner, None)
                    .await?;
            }
        }
    }
    Ok(())
}

fn new_attribute(
    attribute: &DemoAttribute,
    category_id: CategoryId,
    references: &References,
) -> NewAttribute {
    let both = |en: &str, fa: &str| names(en.to_owned(), Some(fa.to_owned()));
    let (kind, unit, options) = match &attribute.kind {
        DemoAttributeKind::Text => (AttributeKind::Text, None, Vec::new()),
        DemoAttributeKind::Number => (AttributeKind::Number, None, Vec::new()),
        DemoAttributeKind::Decimal(unit) => (AttributeKind::Decimal, Some(*unit), Vec::new()),
        DemoAttributeKind::Enum(words) => {
            let option = |(en, fa): &(String, String)| NewOption {
                value: en.clone(),
                label: both(en, fa),
            };
            let options = words.iter().map(option).collect();
            (AttributeKind::Enum, None, options)
        }
    };
    NewAttribute {
        category_id,
        name: attribute.name.to_owned(),
        label: both(attribute.label_en, attribute.label_fa),
        kind,
        unit_id: unit.and_then(|unit| references.units.get(unit).copied()),
        refers_to: None,
        required: false,
        is_unique: false,
        searchable: attribute.searchable,
        facet: attribute.facet,
        initial: None,
        min: None,
        max: None,
        pattern: None,
        options,
        position: None,
    }
}

/// Chunk by chunk, so that a million items never are in memory together. Their QR codes are not drawn: a benchmark has no use for them.
async fn load_generated(
    domain: &Domain,
    viewer: &Viewer,
    references: &References,
    count: u64,
) -> Result<(), StartError> {
    if count > 0 {
        declare(domain, viewer, references).await?;
    }
    let started = Instant::now();
    let categories = demo::categories();
    let mut items = demo::generated(count, &categories).peekable();
    let mut tally = Tally::default();
    let mut done = 0;
    while items.peek().is_some() {
        let some: Vec<_> = items.by_ref().take(IMPORT_MAX).collect();
        tally.add(&import(domain, viewer, references, &some, false).await?);
        done += some.len();
        if done.is_multiple_of(100_000) || items.peek().is_none() {
            say(&format!(
                "{done} generated items after {} s",
                started.elapsed().as_secs()
            ));
        }
    }
    if done > 0 {
        tally.say("generated items");
    }
    Ok(())
}
