//! Things that many tests need in their shop before they begin.

#![expect(
    clippy::expect_used,
    reason = "a shop that cannot be furnished has to fail the test"
)]

use serde_json::{Value, json};

use crate::actor::Actor;

/// The unit `piece`, which every database has. Global ids are the type's name and the UUID.
const PIECE: &str = "query { unitsOfMeasure { id code } }";

impl Actor {
    /// Id of the unit of measure with this code.
    ///
    /// # Panics
    /// When there is none such.
    pub async fn unit(&self, code: &str) -> String {
        let data = self.ok(PIECE, json!({})).await;
        let units = data["unitsOfMeasure"].as_array().expect("a list");
        let unit = units
            .iter()
            .find(|unit| unit["code"] == code)
            .expect("the unit exists");
        text(&unit["id"])
    }

    /// Id of a new category with this English name.
    pub async fn category(&self, name: &str, parent: Option<&str>) -> String {
        let input = json!({"name": [{"language": "en", "text": name}], "parentId": parent});
        let data = self.ok(CATEGORY_CREATE, json!({"input": input})).await;
        text(&data["categoryCreate"]["category"]["id"])
    }

    /// Id of a new item in this category.
    pub async fn item(&self, sku: &str, category: &str) -> String {
        let input = json!({"sku": sku, "name": [{"language": "en", "text": sku}], "categoryId": category, "unitId": self.unit("piece").await});
        let data = self.ok(ITEM_CREATE, json!({"input": input})).await;
        text(&data["itemCreate"]["item"]["id"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Creates a category.
pub const CATEGORY_CREATE: &str = "mutation($input: CategoryCreateInput!) {
    categoryCreate(input: $input) { category { id version depth position name } userErrors { code path message } }
}";

/// Creates an item.
pub const ITEM_CREATE: &str = "mutation($input: ItemCreateInput!) {
    itemCreate(input: $input) { item { id version sku name } userErrors { code path message } }
}";
