//! Items: what clients can do to them, and how they find them.

mod archive;
mod duplicates;
mod filters;
mod history;
mod nodes;
mod pages;
mod refusals;
mod scan;
mod statements;
mod write;

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

/// An app, a manager, and what every item needs.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    pub(crate) manager: Actor,
    pub(crate) category: String,
    unit: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::of(TestApp::start().await).await
    }

    pub(crate) async fn of(app: TestApp) -> Self {
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

    /// The input for an item, with `more` laid over it.
    pub(crate) fn input(&self, sku: &str, more: Value) -> Value {
        let mut input = json!({"sku": sku, "name": english(sku), "categoryId": self.category, "unitId": self.unit});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    }

    pub(crate) async fn create(&self, sku: &str, more: Value) -> Value {
        self.manager.done("itemCreate", self.input(sku, more)).await["item"].take()
    }
}
