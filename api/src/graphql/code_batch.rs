//! Codes of many things at once.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    code_batch::{
        CodeBatch as Row, CodeOptions, Format, Level, NewCodeBatch, Picture, Selection, Subject,
    },
};
use entity::id::{CodeBatchId, ItemId, JobId, LocationId, LotId};
use platform::qr::Logo;

use super::{
    context::ContextExt,
    error::OrGraphql,
    file::File,
    guard::Needs,
    id::GlobalId,
    item::filter::ItemWhere,
    item_import::visible_job,
    job::Job,
    payload::{UserError, settle},
};
use crate::upload;

/// What codes lead to.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Subject", name = "CodeSubject")]
pub enum CodeSubject {
    /// Items.
    Item,
    /// Lots and serials.
    Lot,
    /// Locations.
    Location,
}

/// Into what file codes are put.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFormat {
    /// An archive with a picture for each, named after its SKU, its SKU and lot number, or its location's code.
    Zip,
    /// Pages of A4 to print, twenty codes on each, with the same name below.
    Pdf,
}

/// As what a code is drawn.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Picture", name = "CodePicture")]
pub enum CodePicture {
    /// A drawing, for print of any size.
    Svg,
    /// 354 × 354 pixels: 3 cm with 300 dots an inch.
    Png,
}

/// How much of a code may be lost, because it is dirty or covered. Higher levels make finer codes.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Level", name = "CodeLevel")]
pub enum CodeLevel {
    /// Some 7 percent.
    L,
    /// Some 15 percent.
    M,
    /// Some 25 percent.
    Q,
    /// Some 30 percent.
    H,
}

/// Codes that somebody has asked for.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct CodeBatch {
    /// Opaque id.
    id: ID,
    /// What they lead to.
    subject: CodeSubject,
    /// Into what file they are put.
    format: CodeFormat,
    /// As what each is drawn; null in a PDF.
    picture: Option<CodePicture>,
    /// How much of each may be lost.
    level: CodeLevel,
    /// Whether there is a picture in their middle.
    has_logo: bool,
    /// How many there are.
    code_count: i32,
    /// When they were asked for.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    job_id: JobId,
}

impl CodeBatch {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            options,
            has_logo,
            code_count,
            created_at,
        } = row;
        let CodeOptions {
            subject,
            format,
            level,
        } = options;
        let (format, picture) = match format {
            Format::Zip(picture) => (CodeFormat::Zip, Some(picture.into())),
            Format::Pdf => (CodeFormat::Pdf, None),
        };
        Self {
            id: id.encode(),
            subject: subject.into(),
            format,
            picture,
            level: level.into(),
            has_logo,
            code_count,
            created_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl CodeBatch {
    /// The job that draws them, with its progress and, at the end, the file; null when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// Codes to be. Exactly one of `itemIds`, `where`, `lotIds` and `locationIds` says of what; they are 1,000 at most, and what is named twice
/// has one code.
#[derive(InputObject)]
pub struct CodeBatchCreateInput {
    /// Of these items, in this order.
    item_ids: Option<Vec<ID>>,
    /// Of the items that pass this filter now, by creation.
    r#where: Option<ItemWhere>,
    /// Of these lots and serials, in this order. Needs `stock.read`.
    lot_ids: Option<Vec<ID>>,
    /// Of these locations, in this order. Needs `stock.read`.
    location_ids: Option<Vec<ID>>,
    /// Into what file they are put.
    #[graphql(default_with = "CodeFormat::Zip")]
    format: CodeFormat,
    /// As what each is drawn in an archive, `SVG` without; a PDF has only one way.
    picture: Option<CodePicture>,
    /// How much of each may be lost: `M` without, and `H` with a picture in the middle, which needs at least `Q`.
    level: Option<CodeLevel>,
    /// A picture for the middle, sent after the GraphQL multipart request specification: JPEG, PNG, WebP or GIF, at most 512 KiB and
    /// 4 million pixels. It covers a fifth of the width.
    logo: Option<File>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for codes.
#[derive(SimpleObject)]
pub struct CodeBatchCreatePayload {
    /// The codes, which wait for a worker; null when it was refused.
    code_batch: Option<CodeBatch>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations that draw codes.
#[derive(Default)]
pub struct CodeBatchMutation;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl CodeBatchMutation {
    /// Asks for a file with QR codes of items, lots or locations, drawn in the background. It changes nothing of them. Needs
    /// `catalogue.read`, and `stock.read` for lots and locations.
    async fn code_batch_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which codes.")] input: CodeBatchCreateInput,
    ) -> async_graphql::Result<CodeBatchCreatePayload> {
        let (found, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(CodeBatchCreatePayload {
            code_batch: found.map(CodeBatch::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: CodeBatchCreateInput) -> domain::Result<Row> {
    let CodeBatchCreateInput {
        item_ids,
        r#where,
        lot_ids,
        location_ids,
        format,
        picture,
        level,
        logo,
        idempotency_key,
    } = input;
    let selection = selection(item_ids, r#where, lot_ids, location_ids)?;
    let format = chosen(format, picture)?;
    let logo = match logo {
        Some(file) => {
            let file = file.open(ctx, "logo")?;
            Some(upload::read_picture("logo", Logo::LIMITS, file).await?)
        }
        None => None,
    };
    let new = NewCodeBatch {
        selection,
        format,
        level: level.map(Into::into),
        logo,
    };
    let batches = ctx.domain().code_batches();
    batches
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

fn chosen(format: CodeFormat, picture: Option<CodePicture>) -> Result<Format, Refusal> {
    match (format, picture) {
        (CodeFormat::Zip, picture) => Ok(Format::Zip(picture.map_or(Picture::Svg, Into::into))),
        (CodeFormat::Pdf, None) => Ok(Format::Pdf),
        (CodeFormat::Pdf, Some(_)) => {
            Err(Refusal::new(Code::Exclusive, "picture").with("other", "format"))
        }
    }
}

/// What one of the four says.
fn selection(
    items: Option<Vec<ID>>,
    filter: Option<ItemWhere>,
    lots: Option<Vec<ID>>,
    locations: Option<Vec<ID>>,
) -> Result<Selection, Refusal> {
    let given = [
        ("itemIds", items.is_some()),
        ("where", filter.is_some()),
        ("lotIds", lots.is_some()),
        ("locationIds", locations.is_some()),
    ];
    let mut given = given.iter().filter(|(_, is_given)| *is_given);
    if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
        return Err(Refusal::new(Code::Exclusive, second).with("other", first));
    }
    match (items, filter, lots, locations) {
        (Some(ids), ..) => Ok(Selection::Items(ItemId::parse_all("itemIds", &ids)?)),
        (_, Some(filter), ..) => Ok(Selection::Filter(Box::new(filter.parse()?))),
        (_, _, Some(ids), _) => Ok(Selection::Lots(LotId::parse_all("lotIds", &ids)?)),
        (_, _, _, Some(ids)) => {
            let ids = LocationId::parse_all("locationIds", &ids)?;
            Ok(Selection::Locations(ids))
        }
        (None, None, None, None) => Err(Refusal::new(Code::NothingSelected, "itemIds")),
    }
}

/// Queries about codes.
#[derive(Default)]
pub struct CodeBatchQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl CodeBatchQuery {
    /// Codes that somebody has asked for; null when there are none such. Needs `catalogue.read`, and `stock.read` when they are of lots or
    /// locations.
    async fn code_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] id: ID,
    ) -> async_graphql::Result<Option<CodeBatch>> {
        let viewer = ctx.viewer();
        let id = CodeBatchId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().code_batches().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(CodeBatch::new))
    }
}
