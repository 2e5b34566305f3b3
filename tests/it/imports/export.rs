//! Files with items, which can be imported again.

use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::PASSWORD,
    wait::{PATIENCE, eventually},
};

use super::{Shop, counts, row};

const EXPORT: &str = "query($id: ID!) { itemExport(id: $id) { id rows job { state error files { name mediaType bytes url } } } }";

/// The export that this actor has asked for, when it is done.
async fn exported(actor: &Actor, input: Value) -> Value {
    let asked = actor.done("itemExportCreate", input).await;
    let id = asked["itemExport"]["id"].clone();
    eventually(PATIENCE, "the export is done", async || {
        let seen = actor.ok(EXPORT, json!({"id": id})).await["itemExport"].take();
        assert_ne!(seen["job"]["state"], "DEAD", "{seen}");
        // The export was read before its job, which may have ended in between.
        (seen["job"]["state"] == "SUCCEEDED" && seen["rows"].is_i64()).then_some(seen)
    })
    .await
}

impl Shop {
    pub(super) async fn export(&self, input: Value) -> Value {
        exported(&self.manager, input).await
    }

    /// Items with everything that is hard to write into a table.
    async fn furnish(&self) {
        let unit = self.manager.unit("gram").await;
        let odd = self
            .manager
            .category("A > B | \"C\"", Some(&self.rings))
            .await;
        let rows = json!([
            row(self, &unit, "PLAIN", json!({})),
            row(
                self,
                &unit,
                "FULL",
                json!({
                    "name": [{"language": "en", "text": "Gold; \"ring\",\nwith a stone"}, {"language": "fa", "text": "انگشتر"}],
                    "description": [{"language": "fa", "text": "با نگین"}], "kind": "CONSUMABLE", "tracking": "LOT",
                    "categoryId": odd, "price": {"amount": "120.500000", "currency": "IRR"},
                    "attributes": {"karat": "18", "stones": 3, "set": ["a", 1], "certified": true, "note": "=HYPERLINK(\"x\")"},
                    "tags": ["a|b", "new"], "barcodes": ["A|B", "+1", "4006381333931"], "externalReference": "-till@1"
                })
            ),
            row(
                self,
                &unit,
                "FORMULA",
                json!({
                    "name": [{"language": "en", "text": "=1+1"}], "attributes": {"karat": "@x", "stones": 7, "note": "'=1"}
                })
            )
        ]);
        self.manager
            .done("itemsCreate", json!({"rows": rows}))
            .await;
        // Each gets a picture of its code, which is a change.
        self.app.until_done(PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_unchanged() {
    let shop = Shop::open().await;
    shop.furnish().await;
    for (format, locale) in [("CSV", "en"), ("CSV", "fa"), ("JSON_LINES", "en")] {
        let export = shop
            .export(json!({"format": format, "locale": locale}))
            .await;
        assert_eq!(export["rows"], 3);
        let bytes = shop.bytes(&export["job"]).await;
        // Into the same shop: nothing changes.
        let before = shop.content().await;
        let import = shop.import(bytes.clone(), json!({})).await;
        let told = String::from_utf8_lossy(&bytes);
        assert_eq!(
            counts(&import),
            [3, 0, 0, 3, 0],
            "{format}: {import}\n{told}"
        );
        assert_eq!(shop.content().await, before);
        // Into an empty one: the same items.
        let other = Shop::open().await;
        other
            .manager
            .category("A > B | \"C\"", Some(&other.rings))
            .await;
        let import = other.import(bytes, json!({})).await;
        assert_eq!(counts(&import), [3, 3, 0, 0, 0], "{format}: {import}");
        for sku in ["PLAIN", "FULL", "FORMULA"] {
            let (mut there, mut here) = (other.item(sku).await, shop.item(sku).await);
            there["category"].take();
            here["category"].take();
            assert_eq!(there, here, "{format}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_a_table_is_a_formula() {
    let shop = Shop::open().await;
    shop.furnish().await;
    let export = shop.export(json!({})).await;
    assert_eq!(
        (
            &export["job"]["files"][0]["name"],
            &export["job"]["files"][0]["mediaType"]
        ),
        (&json!("items.csv"), &json!("text/csv; charset=utf-8"))
    );
    let (bytes, rows) = shop.file(&export["job"]).await;
    assert!(bytes.starts_with(b"\xEF\xBB\xBF"));
    assert_eq!(rows.len(), 4);
    let cells: Vec<_> = rows.iter().flatten().collect();
    assert!(
        cells
            .iter()
            .all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
        "{cells:?}"
    );
    assert!(cells.contains(&&"'=HYPERLINK(\"x\")".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_items_and_order_can_be_chosen() {
    let shop = Shop::open().await;
    shop.furnish().await;
    let export = shop
        .export(json!({
            "columns": ["sku", "attributes.karat", "name.fa"], "where": {"sku": {"startsWith": "F"}},
            "orderBy": [{"field": "SKU", "direction": "DESC"}]
        }))
        .await;
    let (_, rows) = shop.file(&export["job"]).await;
    assert_eq!(
        rows,
        [
            ["sku", "attributes.karat", "name.fa"],
            ["FULL", "18", "انگشتر"],
            ["FORMULA", "'@x", ""]
        ]
    );
    let found = json!({"search": "انگشتر", "columns": ["sku"], "orderBy": [{"field": "NAME", "direction": "ASC"}]});
    let (_, rows) = shop.file(&shop.export(found).await["job"]).await;
    assert_eq!(rows, [["sku"], ["FULL"]]);
    let refused = shop
        .manager
        .not_done("itemExportCreate", json!({"columns": ["sku", "colour"]}))
        .await;
    assert_eq!(
        refused,
        [("UNKNOWN_COLUMN".to_owned(), "columns.1".to_owned())]
    );
    // Whoever reads the catalogue may take it along.
    let clerk = shop.app.clerk().await;
    clerk.done("itemExportCreate", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_see_no_jobs_sees_their_own_exports() {
    let shop = Shop::open().await;
    let blinded =
        "UPDATE role SET permissions = array_remove(permissions, 'job.read') WHERE code = 'clerk'";
    shop.app.execute(blinded).await;
    let mut clerks = Vec::new();
    for email in ["one@example.com", "two@example.com"] {
        let user = shop
            .app
            .new_user(email, "clerk", domain::locale::Locale::En)
            .await;
        let clerk = shop.app.anonymous().logged_in(&user.email, PASSWORD).await;
        clerks.push(clerk);
    }
    let export = exported(&clerks[0], json!({})).await;
    let url = export["job"]["files"][0]["url"].as_str().unwrap();
    let file = clerks[0].get(url).send().await.unwrap();
    assert_eq!(file.status(), 200);
    let others = clerks[1].ok(EXPORT, json!({"id": export["id"]})).await;
    assert_eq!(others["itemExport"]["job"], Value::Null);
}
