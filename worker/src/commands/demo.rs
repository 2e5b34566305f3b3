//! `worker demo`: loads the demo shop, through the same use cases as everybody else.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use clap::Args;
use domain::{
    Domain, Viewer,
    category::CategoryRow,
    item::{IMPORT_MAX, ItemRow, Kind, NewItem, Tracking},
    locale::Locale,
    money::Money,
    user::{NewUser, PasswordRules},
};
use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use platform::{config::Config, image::inspect};
use worker::{
    context::Context,
    demo::{self, DemoCategory, DemoItem, pictures},
    service::{StartError, context},
};

use super::say;

/// Login name of the demo shop's owner.
const EMAIL: &str = "owner@demo.goldshop.example";

/// How much of a demo shop.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Beside the demo shop, a catalogue of this many generated items, for benchmarks.
    #[arg(long, default_value_t = 0)]
    items: u64,
    /// Password of the demo shop's owner.
    #[arg(long, env = "DEMO_PASSWORD", hide_env_values = true, hide = true)]
    password: Option<String>,
}

/// What rows of items refer to.
struct References {
    categories: BTreeMap<String, CategoryId>,
    units: HashMap<String, UnitOfMeasureId>,
}

/// Loads it.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let context = context(config)?;
    let viewer = Viewer::system("demo");
    let references = references(&context.domain, &viewer).await?;
    load_shop(&context, &viewer, &references).await?;
    load_generated(&context.domain, &viewer, &references, arguments.items).await?;
    let password = arguments
        .password
        .ok_or("DEMO_PASSWORD is not set: the demo shop's owner needs a password")?;
    let rules = PasswordRules {
        min_length: config.auth.password_min_length,
    };
    let owner = NewUser {
        email: EMAIL.to_owned(),
        display_name: "Demo owner".to_owned(),
        password: password.into(),
        locale: Locale::En,
        roles: vec!["owner".to_owned()],
    };
    let owner = context
        .domain
        .users()
        .bootstrap(&viewer, owner, rules)
        .await?;
    say(&format!("login: {}", owner.email));
    Ok(())
}

async fn references(domain: &Domain, viewer: &Viewer) -> Result<References, StartError> {
    let rows: Vec<_> = demo::categories().into_iter().map(category_row).collect();
    say(&format!("{} categories", rows.len()));
    let categories = domain.categories().import(viewer, &rows).await?;
    let units = domain.units_of_measure().all(viewer).await?;
    Ok(References {
        categories,
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

/// The four businesses. Pictures are given to new items only, so that loading again adds none.
async fn load_shop(
    context: &Context,
    viewer: &Viewer,
    references: &References,
) -> Result<(), StartError> {
    let items: Vec<_> = demo::items().collect();
    let mut created = HashMap::new();
    for some in items.chunks(IMPORT_MAX) {
        let rows = some
            .iter()
            .map(|item| item_row(item, references, true))
            .collect::<Result<Vec<_>, _>>()?;
        created.extend(context.domain.items().import(viewer, &rows).await?.created);
    }
    say(&format!(
        "{} items, {} of them new",
        items.len(),
        created.len()
    ));
    let mut pictures = 0_u32;
    for item in items.iter().filter(|item| item.has_picture()) {
        if let Some(id) = created.get(&item.external_reference) {
            give_picture(context, viewer, item, *id).await?;
            pictures += 1;
        }
    }
    say(&format!(
        "{pictures} new pictures, left to the worker to render"
    ));
    Ok(())
}

fn item_row(
    item: &DemoItem,
    references: &References,
    draw_code: bool,
) -> Result<ItemRow, StartError> {
    let category = references
        .categories
        .get(&item.category)
        .ok_or_else(|| format!("no category {}", item.category))?;
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
        attributes: item.attributes.clone(),
        tags: item.tags.clone(),
        barcodes: vec![item.barcode.clone()],
        external_reference: Some(item.external_reference.clone()),
    };
    Ok(ItemRow { item, draw_code })
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
    item: &DemoItem,
    id: ItemId,
) -> Result<(), StartError> {
    let bytes = pictures::draw(item)?;
    let inspected = inspect(&bytes, &context.limits)?;
    let key = platform::blob::BlobKey::original(&platform::blob::Fingerprint::of_bytes(&bytes));
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

/// Chunk by chunk, so that a million items never are in memory together. Their QR codes are not drawn: a benchmark has no use for them.
async fn load_generated(
    domain: &Domain,
    viewer: &Viewer,
    references: &References,
    count: u64,
) -> Result<(), StartError> {
    let started = Instant::now();
    let categories = demo::categories();
    let mut items = demo::generated(count, &categories).peekable();
    let mut done = 0;
    while items.peek().is_some() {
        let rows = items
            .by_ref()
            .take(IMPORT_MAX)
            .map(|item| item_row(&item, references, false))
            .collect::<Result<Vec<_>, _>>()?;
        domain.items().import(viewer, &rows).await?;
        done += rows.len();
        if done.is_multiple_of(100_000) || items.peek().is_none() {
            say(&format!(
                "{done} generated items after {} s",
                started.elapsed().as_secs()
            ));
        }
    }
    Ok(())
}
