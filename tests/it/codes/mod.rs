//! Codes of many things at once, from the mutation that asks for them to what scanners read.

mod bounds;
mod jobs;
mod read_again;
mod refusals;

use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    app::TestApp,
    picture,
    shop::document,
    wait::{PATIENCE, eventually},
    work::uuid_of,
};

const BATCH: &str = "query($id: ID!) { codeBatch(id: $id) { codeCount job { state progress error files { name mediaType bytes url } } } }";

/// An app with a manager, and what codes can lead to.
struct Shop {
    app: TestApp,
    manager: Actor,
    items: Vec<String>,
    lots: Vec<String>,
    locations: Vec<String>,
}

/// What things are called in a file, and what their codes say: the path and the id.
type Named = Vec<(String, String)>;

impl Shop {
    /// With a worker.
    async fn open() -> Self {
        Self::of(TestApp::builder().with_worker().start().await).await
    }

    async fn of(app: TestApp) -> Self {
        let manager = app.manager().await;
        let category = manager.category("Pills", None).await;
        let mut locations = Vec::new();
        for code in ["TRAY-1", "TRAY/2", "TRAY#2"] {
            locations.push(manager.location(code, "TRAY", None).await);
        }
        let (mut items, mut lots) = (Vec::new(), Vec::new());
        for sku in ["PILL-1", "قرص/۲", "PILL#3"] {
            let item = manager.item_kept(sku, &category, "LOT").await;
            let line = json!({"itemId": item, "toId": locations[0], "quantity": 5, "unitCost": "3", "lot": {"number": "A/1"}});
            let input = json!({"reason": "PURCHASED", "lines": [line]});
            let entry = manager.done("stockReceive", input).await["entry"].take();
            lots.push(text(&entry["movements"]["nodes"][0]["lot"]["id"]));
            items.push(item);
        }
        Self {
            app,
            manager,
            items,
            lots,
            locations,
        }
    }

    /// For items, lots and locations: the field that names them, their ids, and what there is to be found.
    fn subjects(&self) -> [(&'static str, &[String], Named); 3] {
        let named = |path: &str, ids: &[String], names: [&str; 3]| {
            let says = ids.iter().map(|id| format!("/{path}/{}", uuid_of(id)));
            names.into_iter().map(str::to_owned).zip(says).collect()
        };
        let lots = ["PILL-1 A/1", "قرص/2 A/1", "PILL#3 A/1"];
        [
            (
                "itemIds",
                &self.items,
                named("item", &self.items, ["PILL-1", "قرص/2", "PILL#3"]),
            ),
            ("lotIds", &self.lots, named("lot", &self.lots, lots)),
            (
                "locationIds",
                &self.locations,
                named("location", &self.locations, ["TRAY-1", "TRAY/2", "TRAY#2"]),
            ),
        ]
    }

    /// What was answered to asking for codes, with this picture in the middle.
    async fn asked(&self, input: Value, logo: Option<Vec<u8>>) -> Value {
        let asked = json!({"input": input});
        let document = document("codeBatchCreate");
        let answer = match logo {
            None => self.manager.gql(&document, asked).await,
            Some(bytes) => {
                let file = File {
                    bytes,
                    name: "logo".into(),
                    content_type: "application/octet-stream".into(),
                };
                let uploaded = self.manager.upload_as("logo", &document, asked, file);
                uploaded.await
            }
        };
        assert_eq!(answer.codes(), [""; 0], "{answer:?}");
        answer.data["codeBatchCreate"].clone()
    }

    /// The id of the batch with these codes, which waits for a worker.
    async fn ask(&self, input: Value, logo: Option<Vec<u8>>) -> String {
        let answer = self.asked(input, logo).await;
        assert_eq!(answer["userErrors"], json!([]), "{answer}");
        assert_eq!(answer["codeBatch"]["job"]["kind"], "code.draw");
        text(&answer["codeBatch"]["id"])
    }

    /// Codes and paths of what was refused.
    async fn refused(&self, input: Value, logo: Option<Vec<u8>>) -> Vec<(String, String)> {
        let answer = self.asked(input, logo).await;
        assert_eq!(answer["codeBatch"], json!(null), "{answer}");
        let errors = answer["userErrors"].as_array().unwrap().iter();
        let path = |error: &Value| {
            let parts = error["path"].as_array().unwrap().iter().map(text);
            parts.collect::<Vec<_>>().join(".")
        };
        errors
            .map(|error| (text(&error["code"]), path(error)))
            .collect()
    }

    /// Name, media type and content of the file of this batch.
    async fn file(&self, batch: &str) -> (String, String, Vec<u8>) {
        let seen = eventually(PATIENCE, "the codes are drawn", async || {
            let asked = self.manager.ok(BATCH, json!({"id": batch}));
            let seen = asked.await["codeBatch"]["job"].take();
            assert_ne!(seen["state"], "DEAD", "{seen}");
            (seen["state"] == "SUCCEEDED").then_some(seen)
        })
        .await;
        assert_eq!(seen["progress"], 100);
        let [file] = &seen["files"].as_array().unwrap()[..] else {
            panic!("one file: {seen}")
        };
        let answer = self.manager.get(file["url"].as_str().unwrap());
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let bytes = answer.bytes().await.unwrap().to_vec();
        assert_eq!(file["bytes"], json!(bytes.len()));
        (text(&file["name"]), text(&file["mediaType"]), bytes)
    }
}

/// A picture for the middle of codes.
fn logo() -> Option<Vec<u8>> {
    Some(picture::small(200))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
