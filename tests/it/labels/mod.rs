//! Labels to print, from the mutation that asks for them to what people and scanners read on paper.

mod bounds;
mod codes;
mod crash;
mod pages;
mod prices;
mod refusals;
mod words;

use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    wait::{PATIENCE, eventually},
    work::JobRow,
};

const SHEET: &str = "query($id: ID!) { labelSheet(id: $id) { labelCount job { state progress files { name mediaType bytes url } } } }";

/// An app with a manager, a category and a unit.
struct Shop {
    app: TestApp,
    manager: Actor,
    category: String,
    unit: String,
}

/// Name, media type and content of what a job has left behind.
type File = (String, String, Vec<u8>);

impl Shop {
    /// With a worker.
    async fn open() -> Self {
        Self::of(TestApp::builder().with_worker().start().await).await
    }

    async fn of(app: TestApp) -> Self {
        let manager = app.manager().await;
        let category = manager.category("Rings", None).await;
        let unit = manager.unit("piece").await;
        Self {
            app,
            manager,
            category,
            unit,
        }
    }

    /// A ring with a Persian name, metal details, a price and, unless it is empty, a barcode; changed by `more`.
    async fn ring(&self, sku: &str, barcode: &str, more: Value) -> String {
        let barcodes: Vec<_> = [barcode]
            .into_iter()
            .filter(|code| !code.is_empty())
            .collect();
        let mut input = json!({
            "sku": sku,
            "name": [{"language": "en", "text": "Ring"}, {"language": "fa", "text": "انگشتر"}],
            "categoryId": self.category,
            "unitId": self.unit,
            "price": {"amount": "12500000", "currency": "IRR"},
            "metal": {"metal": "GOLD", "fineness": "750", "grossWeight": "4.250", "netWeight": "3.9", "stoneWeight": "0.35"},
            "barcodes": barcodes,
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let item = self.manager.done("itemCreate", input).await["item"].take();
        item["id"].as_str().unwrap().to_owned()
    }

    /// The id of the sheet with these labels, which waits for a worker.
    async fn ask(&self, input: Value) -> String {
        let sheet = self.manager.done("labelSheetCreate", input).await["labelSheet"].take();
        assert_eq!(sheet["job"]["kind"], "label.print");
        sheet["id"].as_str().unwrap().to_owned()
    }

    /// What there is of this sheet when it is done.
    async fn files(&self, actor: &Actor, sheet: &str) -> Vec<File> {
        let seen = eventually(PATIENCE, "the labels are drawn", async || {
            let seen = actor.ok(SHEET, json!({"id": sheet})).await["labelSheet"]["job"].take();
            assert_ne!(seen["state"], "DEAD", "{seen}");
            (seen["state"] == "SUCCEEDED").then_some(seen)
        })
        .await;
        assert_eq!(seen["progress"], 100);
        let mut files = Vec::new();
        for file in seen["files"].as_array().unwrap() {
            let text = |name: &str| file[name].as_str().unwrap().to_owned();
            let answer = actor.get(&text("url")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let bytes = answer.bytes().await.unwrap().to_vec();
            assert_eq!(file["bytes"], json!(bytes.len()));
            files.push((text("name"), text("mediaType"), bytes));
        }
        files
    }

    /// The PDF with these labels, when there is nothing to be noted.
    async fn printed(&self, input: Value) -> Vec<u8> {
        let sheet = self.ask(input).await;
        let mut files = self.files(&self.manager, &sheet).await;
        let [(_, kind, _)] = &files[..] else {
            panic!("one file: {files:?}")
        };
        assert_eq!(kind, "application/pdf");
        files.remove(0).2
    }

    /// The label jobs there are.
    async fn label_jobs(&self) -> Vec<JobRow> {
        let mut jobs = self.app.jobs().await;
        jobs.retain(|job| job.kind == "label.print");
        jobs
    }
}

/// Labels for these items: for shelves, on A4 with 21 of them, changed by `more`.
fn input(ids: &[&str], more: Value) -> Value {
    let mut input = json!({"itemIds": ids, "kind": "SHELF", "layout": "A4_L7160"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// Micrometres as pixels.
fn pixels(length: i32, dots_per_inch: u32) -> usize {
    usize::try_from(i64::from(length) * i64::from(dots_per_inch) / 25_400).unwrap()
}
