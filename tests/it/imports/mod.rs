//! Many items at once: in one mutation, from a file, and into one.

mod attributes;
mod bulk;
mod concurrency;
mod crash;
mod export;
mod files;
mod prices;
mod refusals;
mod statements;

use platform::table::{Reader, Row};
use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    app::TestApp,
    shop::{document, english},
    wait::{PATIENCE, eventually},
};

const IMPORT: &str = "query($id: ID!) { itemImport(id: $id) {
    phase rowsRead created updated unchanged failed finishedAt job { state progress error files { name mediaType bytes url } }
} }";
const ITEM: &str = "query($sku: String!) { item(by: {sku: $sku}) {
    sku version kind tracking nameTranslations { language text } descriptionTranslations { language text } attributes tags barcodes
    externalReference price { amount currency } category { id } unit { code }
} }";

/// All that an import must leave alone when nothing has changed.
const CONTENT: &str = "SELECT concat_ws(' ',
    (SELECT md5(string_agg(i::text, '' ORDER BY i.id)) FROM item i),
    (SELECT md5(string_agg(b::text, '' ORDER BY b.barcode)) FROM item_barcode b),
    (SELECT count(*) FROM audit WHERE aggregate_type = 'item'), (SELECT count(*) FROM event WHERE kind = 'item.changed'))";

/// A shop with two levels of categories and a worker.
struct Shop {
    app: TestApp,
    manager: Actor,
    rings: String,
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::builder().with_worker().start().await).await
    }

    async fn of(app: TestApp) -> Self {
        let manager = app.manager().await;
        let names =
            json!([{"language": "en", "text": "Jewellery"}, {"language": "fa", "text": "زیورآلات"}]);
        let above =
            manager.done("categoryCreate", json!({"name": names})).await["category"]["id"].take();
        let names =
            json!([{"language": "en", "text": "Rings"}, {"language": "fa", "text": "انگشتر"}]);
        let rings = manager
            .done("categoryCreate", json!({"name": names, "parentId": above}))
            .await["category"]["id"]
            .take();
        Self {
            app,
            manager,
            rings: rings.as_str().unwrap().to_owned(),
        }
    }

    /// Asks for an import of this file.
    async fn ask(&self, actor: &Actor, bytes: impl Into<Vec<u8>>, options: Value) -> String {
        let file = File {
            bytes: bytes.into(),
            name: "items.csv".into(),
            content_type: "text/csv".into(),
        };
        let asked = actor
            .upload(
                &document("itemImportCreate"),
                json!({"input": options}),
                file,
            )
            .await
            .ok();
        let id = asked["itemImportCreate"]["itemImport"]["id"].as_str();
        id.unwrap().to_owned()
    }

    /// The import when it has come to its end.
    async fn ended(&self, id: &str) -> Value {
        eventually(PATIENCE, "the import ends", async || {
            let seen = self.manager.ok(IMPORT, json!({"id": id})).await["itemImport"].take();
            assert_eq!(seen["job"]["error"], Value::Null, "{seen}");
            seen["finishedAt"].is_string().then_some(seen)
        })
        .await
    }

    /// Imports this file to its end.
    async fn import(&self, bytes: impl Into<Vec<u8>>, options: Value) -> Value {
        let id = self.ask(&self.manager, bytes, options).await;
        self.ended(&id).await
    }

    /// The item with this SKU.
    async fn item(&self, sku: &str) -> Value {
        self.manager.ok(ITEM, json!({"sku": sku})).await["item"].take()
    }

    async fn content(&self) -> String {
        let content = sea_orm::sqlx::query_scalar(CONTENT).fetch_one(self.app.sql());
        content.await.unwrap()
    }

    /// The only file that the job has left behind.
    async fn bytes(&self, job: &Value) -> Vec<u8> {
        let [file] = &job["files"].as_array().unwrap()[..] else {
            panic!("one file, not {job}")
        };
        let answer = self.manager.get(file["url"].as_str().unwrap()).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        let bytes = answer.bytes().await.unwrap().to_vec();
        assert_eq!(file["bytes"], bytes.len());
        bytes
    }

    /// The rows of it.
    async fn file(&self, job: &Value) -> (Vec<u8>, Vec<Vec<String>>) {
        let bytes = self.bytes(job).await;
        let rows = read(&bytes);
        (bytes, rows)
    }

    /// What the file of errors says: row, column, code, message and value of each.
    async fn errors(&self, import: &Value) -> Vec<Vec<String>> {
        let (_, mut rows) = self.file(&import["job"]).await;
        assert_eq!(
            rows.remove(0),
            ["row", "column", "code", "message", "value"]
        );
        rows
    }
}

fn read(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = Reader::new(bytes, None, false);
    let mut rows = Vec::new();
    reader.feed(bytes, &mut rows);
    reader.finish(&mut rows);
    rows.into_iter()
        .map(|row| match row {
            Row::Cells(cells) => cells,
            other => panic!("{other:?} is no row of cells"),
        })
        .collect()
}

/// What an import did: rows read, created, updated, unchanged, failed.
fn counts(import: &Value) -> [i64; 5] {
    ["rowsRead", "created", "updated", "unchanged", "failed"]
        .map(|name| import[name].as_i64().unwrap())
}

/// A table of so many plain rings.
fn rings(numbers: impl Iterator<Item = usize>) -> String {
    let rows = numbers.map(|number| format!("R-{number},Ring {number},Jewellery > Rings,piece\n"));
    format!("sku,name.en,category,unit\n{}", rows.collect::<String>())
}

/// The input of a row of a bulk mutation.
fn row(shop: &Shop, unit: &str, sku: &str, more: Value) -> Value {
    let mut row =
        json!({"sku": sku, "name": english(sku), "categoryId": shop.rings, "unitId": unit});
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}
