//! Files that belong to entries and drafts.

use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    answer::Answer,
    database, picture,
    shop::{document, global_id},
};

use super::{Books, pair, text, told};

const FILES: &str =
    "query($id: ID!) { journalEntry(id: $id) { attachments { name mediaType bytes url } } }";

const PDF: &[u8] = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n";

/// Sends a file along with what it is to be attached to.
async fn add(actor: &Actor, input: Value, bytes: &[u8]) -> Answer {
    let file = File {
        bytes: bytes.to_vec(),
        name: "whatever.exe".into(),
        content_type: "application/x-whatever".into(),
    };
    let document = document("journalAttachmentAdd");
    actor.upload(&document, json!({"input": input}), file).await
}

async fn added(books: &Books, input: Value, bytes: &[u8]) -> Value {
    let answer = add(&books.manager, input, bytes).await;
    assert!(told(&answer).is_empty(), "{answer:?}");
    answer.ok()["journalAttachmentAdd"]["attachment"].take()
}

async fn files_of(books: &Books, entry: &Value) -> Vec<String> {
    let seen = books.manager.ok(FILES, json!({"id": entry})).await;
    let files = seen["journalEntry"]["attachments"].as_array().unwrap();
    files.iter().map(|file| text(&file["name"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_comes_back_as_it_was_sent_and_only_to_those_who_may_see_the_books() {
    let books = Books::open().await;
    let entry = books.post(books.sale("2026-05-01", "7")).await["id"].clone();
    let picture = picture::small(1);
    for (name, bytes, media_type) in [
        ("رسید.pdf", PDF, "application/pdf"),
        ("photo", &picture[..], "image/jpeg"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("note.html", b"<script>alert(1)</script>", "text/plain"),
    ] {
        let file = added(&books, json!({"entryId": entry, "name": name}), bytes).await;
        assert_eq!(
            (&file["mediaType"], &file["bytes"]),
            (&json!(media_type), &json!(bytes.len()))
        );
        let url = text(&file["url"]);
        let got = books.manager.get(&url).send().await.unwrap();
        assert_eq!(got.status(), 200);
        let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), media_type);
        assert!(header("content-disposition").starts_with("attachment;"));
        assert_eq!(header("cache-control"), "private, no-store");
        assert_eq!(got.bytes().await.unwrap(), bytes);
        for stranger in [books.app.clerk().await, books.app.anonymous()] {
            let got = stranger.get(&url).send().await.unwrap();
            assert_eq!(got.status(), 404, "{name}");
        }
    }
    assert_eq!(
        files_of(&books, &entry).await,
        ["رسید.pdf", "photo", "table.csv", "note.html"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_hidden_and_stays() {
    let books = Books::open().await;
    let entry = books.post(books.sale("2026-05-01", "7")).await["id"].clone();
    let file = added(&books, json!({"entryId": entry, "name": "a.pdf"}), PDF).await;
    // The same content once more is another file.
    let other = added(&books, json!({"entryId": entry, "name": "b.pdf"}), PDF).await;
    let input = json!({"id": file["id"]});
    books
        .manager
        .done("journalAttachmentRemove", input.clone())
        .await;
    assert_eq!(files_of(&books, &entry).await, ["b.pdf"]);
    let gone = books.manager.get(&text(&file["url"])).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    let there = books.manager.get(&text(&other["url"])).send().await;
    assert_eq!(there.unwrap().bytes().await.unwrap(), PDF);
    assert_eq!(
        books
            .manager
            .not_done("journalAttachmentRemove", input)
            .await,
        pair("NOT_FOUND", "id")
    );
    let kept = "SELECT count(*) FROM journal_attachment WHERE removed_at IS NOT NULL";
    assert_eq!(books.count(kept).await, 1);
    let audited = "SELECT count(*) FROM audit WHERE action = 'journal_attachment.remove' AND before->>'removed_at' IS NULL";
    assert_eq!(books.count(audited).await, 1);
    let db = database::pool(&books.app.database_url());
    for sql in [
        "UPDATE journal_attachment SET removed_at = NULL WHERE removed_at IS NOT NULL",
        "UPDATE journal_attachment SET name = 'x'",
        "DELETE FROM journal_attachment",
        "TRUNCATE journal_attachment",
    ] {
        let tried = sea_orm::sqlx::raw_sql(sql).execute(&db).await;
        assert!(tried.is_err(), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_draft_belongs_to_the_entry_that_becomes_of_it() {
    let books = Books::open().await;
    let draft = books.sale("2026-05-01", "7");
    let draft = books.manager.done("journalDraftCreate", draft).await["draft"]["id"].take();
    let input = json!({"draftId": draft, "name": "a.pdf"});
    added(&books, input.clone(), PDF).await;
    let query = "query($id: ID!) { journalDraft(id: $id) { attachments { name } } }";
    let seen = books.manager.ok(query, json!({"id": draft})).await;
    assert_eq!(
        seen["journalDraft"]["attachments"],
        json!([{"name": "a.pdf"}])
    );
    let posted = books
        .manager
        .done("journalDraftPost", json!({"id": draft}))
        .await;
    let entry = posted["entry"]["id"].clone();
    assert_eq!(files_of(&books, &entry).await, ["a.pdf"]);
    assert_eq!(
        told(&add(&books.manager, input, PDF).await),
        pair("WRONG_STATE", "draftId")
    );
    added(&books, json!({"entryId": entry, "name": "b.pdf"}), PDF).await;
    assert_eq!(files_of(&books, &entry).await, ["a.pdf", "b.pdf"]);
}

/// A picture of one dot.
const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_taken_are_refused_and_so_are_places_that_take_none() {
    let books = Books::open().await;
    let entry = books.post(books.sale("2026-05-01", "7")).await["id"].clone();
    let to = json!({"entryId": entry, "name": "a.pdf"});
    let large = vec![b'a'; 10 * 1024 * 1024 + 1];
    for (bytes, code) in [
        (&b"PK\x03\x04\x14\0\0\0"[..], "UNSUPPORTED_TYPE"),
        (GIF, "UNSUPPORTED_TYPE"),
        (b"GIF89a\x01\0\x01\0", "UNREADABLE"),
        (b"MZ\x90\0\x03", "UNSUPPORTED_TYPE"),
        (b"\xff\xd8\xff\xe0", "UNREADABLE"),
        (&large, "TOO_LARGE"),
    ] {
        let refused = told(&add(&books.manager, to.clone(), bytes).await);
        assert_eq!(refused, pair(code, "file"));
    }
    let stranger = global_id("JournalEntry", "01930000000070008000000000abcdef");
    for (input, code, path) in [
        (json!({"name": "a"}), "REQUIRED", "entryId"),
        (
            json!({"name": "a", "entryId": entry, "draftId": global_id("JournalDraft", "01930000000070008000000000abcdef")}),
            "EXCLUSIVE",
            "entryId",
        ),
        (
            json!({"name": "a", "entryId": stranger}),
            "NOT_FOUND",
            "entryId",
        ),
        (json!({"name": " ", "entryId": entry}), "REQUIRED", "name"),
    ] {
        let refused = told(&add(&books.manager, input, PDF).await);
        assert_eq!(refused, pair(code, path));
    }
    let clerk = books.app.clerk().await;
    let refused = add(&clerk, to, PDF).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    assert_eq!(
        books.count("SELECT count(*) FROM journal_attachment").await,
        0
    );
}
