//! Files that belong to entries and drafts, as clients see them, attach them and take them away.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    journal::{AttachedTo, JournalAttachment as Row, NewAttachment},
};
use entity::id::{JournalAttachmentId, JournalDraftId, JournalEntryId};

use crate::{
    graphql::{
        context::ContextExt,
        file::File,
        guard::Needs,
        id::GlobalId,
        payload::{UserError, settle},
    },
    upload::{self, Storing},
};

/// A file that belongs to an entry, or to a draft and the entry that becomes of it.
#[derive(SimpleObject)]
pub struct JournalAttachment {
    /// Opaque id.
    pub id: ID,
    /// What to save it as.
    name: String,
    /// Media type that was found in its content, such as `application/pdf`.
    media_type: String,
    /// Bytes.
    bytes: i64,
    /// Where it can be fetched, with the same login or token. Only who may see the books finds it there.
    url: String,
    /// When it was attached.
    created_at: DateTime<Utc>,
    /// Who attached it.
    actor_name: String,
}

impl JournalAttachment {
    /// As clients see it. Where the file itself lies stays our secret.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            entry_id: _,
            draft_id: _,
            name,
            media_type,
            byte_size,
            content_hash: _,
            blob_key: _,
            created_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
            removed_at: _,
        } = row;
        Self {
            id: id.encode(),
            name,
            media_type,
            bytes: byte_size,
            url: format!("{}{}", ctx.addresses().files, id.encode().as_str()),
            created_at,
            actor_name,
        }
    }
}

/// A file to be attached, to an entry or to a draft.
#[derive(InputObject)]
pub struct JournalAttachmentAddInput {
    /// To which entry.
    entry_id: Option<ID>,
    /// To which draft: one that is open.
    draft_id: Option<ID>,
    /// What people save it as: at most 200 characters. A text whose name ends with `.csv` is a table.
    name: String,
    /// The file, sent after the GraphQL multipart request specification: a PDF, a JPEG, PNG or WebP picture, or a text, of at most 10 MiB.
    file: File,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A file to be taken away.
#[derive(InputObject)]
pub struct JournalAttachmentRemoveInput {
    /// Which file.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of attaching a file.
#[derive(SimpleObject)]
pub struct JournalAttachmentAddPayload {
    /// The file; null when it was refused.
    attachment: Option<JournalAttachment>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of taking a file away.
#[derive(SimpleObject)]
pub struct JournalAttachmentRemovePayload {
    /// The file; null when it was refused.
    attachment: Option<JournalAttachment>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of attachments.
#[derive(Default)]
pub struct JournalAttachmentMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl JournalAttachmentMutation {
    /// Attaches a file to an entry, or to a draft and what becomes of it. Needs `books.post`.
    async fn journal_attachment_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and to what it belongs.")] input: JournalAttachmentAddInput,
    ) -> async_graphql::Result<JournalAttachmentAddPayload> {
        let (row, user_errors) = settle(ctx, add(ctx, input).await)?;
        Ok(JournalAttachmentAddPayload {
            attachment: row.map(|row| JournalAttachment::new(ctx, row)),
            user_errors,
        })
    }

    /// Takes a file away: nobody finds it any more, and the trail keeps it. Needs `books.post`.
    async fn journal_attachment_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which file.")] input: JournalAttachmentRemoveInput,
    ) -> async_graphql::Result<JournalAttachmentRemovePayload> {
        let JournalAttachmentRemoveInput {
            id,
            idempotency_key,
        } = input;
        let removed = async {
            let id = JournalAttachmentId::parse("id", &id)?;
            let key = idempotency_key.as_deref();
            ctx.domain().journal().detach(ctx.viewer(), id, key).await
        };
        let (row, user_errors) = settle(ctx, removed.await)?;
        Ok(JournalAttachmentRemovePayload {
            attachment: row.map(|row| JournalAttachment::new(ctx, row)),
            user_errors,
        })
    }
}

async fn add(ctx: &Context<'_>, input: JournalAttachmentAddInput) -> domain::Result<Row> {
    ctx.viewer().require(Permission::BooksPost)?;
    let JournalAttachmentAddInput {
        entry_id,
        draft_id,
        name,
        file,
        idempotency_key,
    } = input;
    let to = attached_to(entry_id, draft_id)?;
    let file = file.open(ctx, "file")?;
    let (limits, domain, blobs) = (ctx.data_unchecked(), ctx.domain(), ctx.blobs());
    let mut storing = Storing::default();
    loop {
        let stored = upload::store_attachment(limits, domain, blobs, &name, &file).await?;
        let new = NewAttachment {
            to,
            name: name.clone(),
            media_type: stored.media_type,
            byte_size: stored.bytes,
            content_hash: stored.hash,
            blob_key: stored.key.as_str().to_owned(),
        };
        let (journal, key) = (domain.journal(), idempotency_key.as_deref());
        match journal.attach(ctx.viewer(), new, key).await {
            Err(error) if storing.again(&error) => {}
            attached => return attached,
        }
    }
}

fn attached_to(entry_id: Option<ID>, draft_id: Option<ID>) -> Result<AttachedTo, Refusal> {
    match (entry_id, draft_id) {
        (Some(id), None) => JournalEntryId::parse("entryId", &id).map(AttachedTo::Entry),
        (None, Some(id)) => JournalDraftId::parse("draftId", &id).map(AttachedTo::Draft),
        (None, None) => Err(Refusal::new(Code::Required, "entryId")),
        (Some(_), Some(_)) => {
            let refusal = Refusal::new(Code::Exclusive, "entryId");
            Err(refusal.with("other", "draftId"))
        }
    }
}
