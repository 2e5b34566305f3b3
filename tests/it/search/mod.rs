//! How clients find items: by words, by values of attributes, by what there is to choose from.

mod attributes;
mod bounds;
mod facets;
mod plans;
mod ranking;
mod suggestions;
mod words;

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

const SEARCH: &str =
    "query($search: String, $where: ItemWhere, $orderBy: [ItemOrder!], $first: Int, $after: String) {
    items(search: $search, where: $where, orderBy: $orderBy, first: $first, after: $after) {
        edges { cursor node { sku } } pageInfo { hasNextPage endCursor } totalCount { count exact }
    }
}";

/// An app, a manager, and two categories, one below the other, which declare what a jeweller looks for.
struct Shop {
    app: TestApp,
    manager: Actor,
    jewellery: String,
    rings: String,
    piece: String,
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::start().await).await
    }

    async fn of(app: TestApp) -> Self {
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

    /// Declares an attribute of jewellery.
    async fn declare(&self, name: &str, kind: &str, more: Value) {
        let input = json!({"categoryId": self.jewellery, "name": name, "label": english(name), "type": kind});
        let _declared = self
            .manager
            .done("attributeCreate", laid_over(input, more))
            .await;
    }

    async fn create(&self, sku: &str, more: Value) -> Value {
        let input = json!({"sku": sku, "name": english(sku), "categoryId": self.rings, "unitId": self.piece});
        self.manager
            .done("itemCreate", laid_over(input, more))
            .await["item"]
            .take()
    }

    /// A ring of this name, in both languages.
    async fn ring(&self, sku: &str, en: &str, fa: &str) -> Value {
        let name = json!([{"language": "en", "text": en}, {"language": "fa", "text": fa}]);
        self.create(sku, json!({"name": name})).await
    }

    /// The SKUs of what is found, in order.
    async fn find(&self, search: &str) -> Vec<String> {
        skus(
            &self
                .manager
                .ok(SEARCH, json!({"search": search, "first": 100}))
                .await,
        )
    }

    /// The same by a filter.
    async fn filter(&self, filter: Value) -> Vec<String> {
        let found = self
            .manager
            .ok(SEARCH, json!({"where": filter, "first": 100}))
            .await;
        assert_eq!(
            found["items"]["totalCount"],
            json!({"count": skus(&found).len(), "exact": true})
        );
        skus(&found)
    }
}

fn skus(data: &Value) -> Vec<String> {
    let edges = data["items"]["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| edge["node"]["sku"].as_str().unwrap().to_owned())
        .collect()
}

fn laid_over(mut input: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        for (name, value) in more {
            input[name] = value;
        }
    }
    input
}
