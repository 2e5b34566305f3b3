//! Items that differ in a few attributes: their template, and how they come of it.

mod attaching;
mod concurrency;
mod constraints;
mod files;
mod generation;
mod grouping;
mod options;
mod statements;

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

const ITEM: &str = "query($sku: String!) { item(by: {sku: $sku}) {
    id sku version isTemplate variantCount attributes nameTranslations { language text } price { amount currency } barcodes tags tracking archivedAt
    metal { fineness huid certificateNumber } category { id } unit { code } template { sku }
    options { attributeName attribute { name } values { value label } }
    variantOptions { attribute { name } value text }
    variants(first: 100) { nodes { sku } }
} }";
const GENERATE: &str = "mutation($input: ItemVariantsGenerateInput!) { itemVariantsGenerate(input: $input) {
    template { sku variantCount } created existing combinations { sku isNew options { attribute { name } value } item { sku version } }
    userErrors { code path message }
} }";

/// A shop that sells rings of sizes and colours.
struct Shop {
    app: TestApp,
    manager: Actor,
    rings: String,
    unit: String,
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::start().await).await
    }

    async fn of(app: TestApp) -> Self {
        let manager = app.manager().await;
        let shop = Self {
            rings: manager.category("Rings", None).await,
            unit: manager.unit("piece").await,
            app,
            manager,
        };
        let sizes: Vec<_> = ["50", "52", "54"]
            .iter()
            .map(|size| {
                let label = json!([{"language": "en", "text": format!("size {size}")}, {"language": "fa", "text": format!("سایز {size}")}]);
                json!({"value": size, "label": label})
            })
            .collect();
        shop.declare("size", "ENUM", json!({"options": sizes, "required": true}))
            .await;
        shop.declare("colour", "TEXT", json!({})).await;
        shop.declare("karat", "NUMBER", json!({})).await;
        shop
    }

    async fn declare(&self, name: &str, kind: &str, more: Value) -> String {
        let input =
            json!({"categoryId": self.rings, "name": name, "label": english(name), "type": kind});
        let declared = self
            .manager
            .done("attributeCreate", laid_over(input, more))
            .await;
        declared["attribute"]["id"].as_str().unwrap().to_owned()
    }

    /// Id of a new ring.
    async fn ring(&self, sku: &str, more: Value) -> String {
        let input = json!({"sku": sku, "name": english("Ring"), "categoryId": self.rings, "unitId": self.unit,
            "attributes": {"size": "50", "karat": 18}, "price": {"amount": "100", "currency": "EUR"}});
        let created = self
            .manager
            .done("itemCreate", laid_over(input, more))
            .await;
        created["item"]["id"].as_str().unwrap().to_owned()
    }

    /// Id of a new template with two sizes and two colours.
    async fn template(&self, sku: &str) -> String {
        let id = self.ring(sku, json!({})).await;
        self.options(
            &id,
            &[("size", &["50", "52"]), ("colour", &["white", "rose gold"])],
        )
        .await;
        id
    }

    async fn options(&self, id: &str, options: &[(&str, &[&str])]) -> Value {
        let input = json!({"id": id, "options": options_of(options)});
        self.manager.done("itemOptionsSet", input).await["item"].take()
    }

    async fn generate(&self, template: &str, more: Value) -> Value {
        let input = laid_over(json!({"templateId": template}), more);
        let done = self.manager.ok(GENERATE, json!({"input": input})).await;
        done["itemVariantsGenerate"].clone()
    }

    async fn not_generated(&self, template: &str, more: Value) -> Vec<(String, String)> {
        let input = laid_over(json!({"templateId": template}), more);
        self.manager
            .refused(GENERATE, json!({"input": input}))
            .await
    }

    async fn item(&self, sku: &str) -> Value {
        self.manager.ok(ITEM, json!({"sku": sku})).await["item"].take()
    }

    async fn id(&self, sku: &str) -> String {
        self.item(sku).await["id"].as_str().unwrap().to_owned()
    }
}

fn options_of(options: &[(&str, &[&str])]) -> Value {
    let options = options
        .iter()
        .map(|(attribute, values)| json!({"attribute": attribute, "values": values}));
    options.collect()
}

/// Choices as clients write them.
fn chosen(choices: &[(&str, &str)]) -> Value {
    let choices = choices
        .iter()
        .map(|(attribute, value)| json!({"attribute": attribute, "value": value}));
    choices.collect()
}

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

fn laid_over(mut input: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        for (name, value) in more {
            input[name] = value;
        }
    }
    input
}
