//! Attributes that categories declare: what they demand of items, and what holds however they change.

mod changes;
mod concurrency;
mod inheritance;
mod refusals;
mod values;

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

/// An app, a manager, and two categories, one below the other.
struct Shop {
    app: TestApp,
    manager: Actor,
    jewellery: String,
    rings: String,
    piece: String,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let manager = app.manager().await;
        let jewellery = manager.category("Jewellery", None).await;
        let rings = manager.category("Rings", Some(&jewellery)).await;
        let piece = manager.unit("piece").await;
        Self {
            app,
            manager,
            jewellery,
            rings,
            piece,
        }
    }

    /// The input for an attribute of jewellery, with `more` laid over it.
    fn attribute(&self, name: &str, kind: &str, more: Value) -> Value {
        let input = json!({"categoryId": self.jewellery, "name": name, "label": english(name), "type": kind});
        laid_over(input, more)
    }

    /// Declares an attribute of jewellery.
    async fn declare(&self, name: &str, kind: &str, more: Value) -> Value {
        let input = self.attribute(name, kind, more);
        self.manager.done("attributeCreate", input).await["attribute"].take()
    }

    /// The input for a ring.
    fn ring(&self, sku: &str, attributes: Value) -> Value {
        json!({"sku": sku, "name": english(sku), "categoryId": self.rings, "unitId": self.piece, "attributes": attributes})
    }

    async fn create_ring(&self, sku: &str, attributes: Value) -> Value {
        self.manager
            .done("itemCreate", self.ring(sku, attributes))
            .await["item"]
            .take()
    }

    /// Codes and paths of what is wrong with a ring.
    async fn not_a_ring(&self, sku: &str, attributes: Value) -> Vec<(String, String)> {
        self.manager
            .not_done("itemCreate", self.ring(sku, attributes))
            .await
    }

    /// What an item has.
    async fn attributes_of(&self, sku: &str) -> Value {
        let data = self
            .manager
            .ok(
                "query($sku: String!) { item(by: {sku: $sku}) { attributes } }",
                json!({"sku": sku}),
            )
            .await;
        data["item"]["attributes"].clone()
    }
}

fn laid_over(mut input: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        for (name, value) in more {
            input[name] = value;
        }
    }
    input
}

fn wrong(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}
