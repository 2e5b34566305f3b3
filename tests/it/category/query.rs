//! How categories are found.

use serde_json::{Value, json};
use tests::{
    actor::Actor, app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english,
};

use super::outline;

const BY: &str = "query($by: CategoryBy!) { category(by: $by) { name depth externalReference } }";
const TREE: &str = "query($of: CategoryTreeInput) { categoryTree(of: $of) { name } }";

/// Jewellery > Rings > Wedding rings, and Tools.
struct Shop {
    app: TestApp,
    manager: Actor,
    jewellery: String,
    rings: String,
    wedding: String,
    tools: String,
}

async fn shop() -> Shop {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let names =
        json!([{"language": "en", "text": "Jewellery"}, {"language": "fa", "text": "جواهرات"}]);
    let created = manager
        .done(
            "categoryCreate",
            json!({"name": names, "externalReference": "ext-1"}),
        )
        .await;
    let jewellery = created["category"]["id"].as_str().unwrap().to_owned();
    let rings = manager.category("Rings", Some(&jewellery)).await;
    let wedding = manager.category("Wedding rings", Some(&rings)).await;
    let tools = manager.category("Tools", None).await;
    Shop {
        app,
        manager,
        jewellery,
        rings,
        wedding,
        tools,
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|category| category["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_is_found_by_id_path_and_external_reference() {
    let shop = shop().await;
    for (by, name, depth) in [
        (json!({"id": shop.wedding}), "Wedding rings", 2),
        (json!({"externalReference": "ext-1"}), "Jewellery", 0),
        (json!({"path": ["Jewellery"]}), "Jewellery", 0),
        (
            json!({"path": ["Jewellery", "Rings", "Wedding rings"]}),
            "Wedding rings",
            2,
        ),
        (json!({"path": ["جواهرات", "Rings"]}), "Rings", 1),
    ] {
        let found = shop.manager.ok(BY, json!({"by": by})).await;
        assert_eq!(
            (&found["category"]["name"], &found["category"]["depth"]),
            (&json!(name), &json!(depth)),
            "{by}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_null() {
    let shop = shop().await;
    for by in [
        json!({"externalReference": "ext-2"}),
        json!({"path": ["Rings"]}),
        json!({"path": ["Jewellery", "Wedding rings"]}),
        json!({"path": ["Jewellery", "Rings", "Wedding rings", "Platinum"]}),
    ] {
        assert_eq!(
            shop.manager.ok(BY, json!({"by": by})).await["category"],
            Value::Null,
            "{by}"
        );
    }
    let nothing = shop.manager.gql(BY, json!({"by": {"path": []}})).await;
    assert_eq!(nothing.codes(), ["REQUIRED"]);
    let two = shop
        .manager
        .gql(BY, json!({"by": {"path": ["Tools"], "id": shop.tools}}))
        .await;
    assert_eq!(two.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn relatives_are_found_in_their_order() {
    let shop = shop().await;
    shop.manager
        .category("Necklaces", Some(&shop.jewellery))
        .await;
    let query = "query($id: ID!) { category(by: {id: $id}) {
        parent { name } children { name children { name } } ancestors { name } descendants { edges { node { name } } }
    } }";
    let top = shop.manager.ok(query, json!({"id": shop.jewellery})).await["category"].take();
    assert_eq!(top["parent"], Value::Null);
    assert_eq!(names(&top["children"]), ["Rings", "Necklaces"]);
    assert_eq!(names(&top["children"][0]["children"]), ["Wedding rings"]);
    assert_eq!(top["ancestors"], json!([]));
    let below: Vec<_> = top["descendants"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["name"].clone())
        .collect();
    assert_eq!(below, ["Rings", "Wedding rings", "Necklaces"]);

    let leaf = shop.manager.ok(query, json!({"id": shop.wedding})).await["category"].take();
    assert_eq!(leaf["parent"]["name"], "Rings");
    assert_eq!(names(&leaf["ancestors"]), ["Jewellery", "Rings"]);
    assert_eq!(
        (&leaf["children"], &leaf["descendants"]["edges"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_in_the_viewers_language() {
    let shop = shop().await;
    let query =
        "query($id: ID!) { category(by: {id: $id}) { name nameTranslations { language text } } }";
    let found = shop.manager.ok(query, json!({"id": shop.jewellery})).await;
    let both =
        json!([{"language": "en", "text": "Jewellery"}, {"language": "fa", "text": "جواهرات"}]);
    assert_eq!(
        found["category"],
        json!({"name": "Jewellery", "nameTranslations": both})
    );
    let persian = shop.app.persian_manager().await;
    let found = persian.ok(query, json!({"id": shop.jewellery})).await;
    assert_eq!(found["category"]["name"], "جواهرات");
    let found = persian.ok(query, json!({"id": shop.rings})).await;
    assert_eq!(
        found["category"]["name"], "Rings",
        "what has no Persian name keeps the one it has"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_comes_in_one_list_parents_first_siblings_in_order() {
    let shop = shop().await;
    shop.manager
        .done(
            "categoryCreate",
            json!({"name": english("Bangles"), "parentId": shop.jewellery}),
        )
        .await;
    assert_eq!(
        outline(&shop.manager).await,
        [
            "Jewellery",
            "  Rings",
            "    Wedding rings",
            "  Bangles",
            "Tools"
        ]
    );
    shop.manager
        .done(
            "categoryReorder",
            json!({"order": [shop.tools, shop.jewellery]}),
        )
        .await;
    assert_eq!(
        outline(&shop.manager).await,
        [
            "Tools",
            "Jewellery",
            "  Rings",
            "    Wedding rings",
            "  Bangles"
        ]
    );
    for (of, expected) in [
        (
            json!({"rootId": shop.rings}),
            vec!["Rings", "Wedding rings"],
        ),
        (
            json!({"rootId": shop.jewellery, "maxDepth": 1}),
            vec!["Jewellery", "Rings", "Bangles"],
        ),
        (json!({"maxDepth": 1}), vec!["Tools", "Jewellery"]),
        (json!({"limit": 2}), vec!["Tools", "Jewellery"]),
    ] {
        let tree = shop.manager.ok(TREE, json!({"of": of})).await;
        assert_eq!(names(&tree["categoryTree"]), expected, "{of}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_siblings_and_more_keep_their_order() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut expected = Vec::new();
    for number in 1..=12 {
        let name = format!("Drawer {number}");
        manager.category(&name, None).await;
        expected.push(name);
    }
    assert_eq!(outline(&manager).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_categories_go_by_creation() {
    let shop = shop().await;
    let query =
        "query($after: String, $of: ID) { categories(first: 2, after: $after, descendantOf: $of) {
        nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor }
    } }";
    let first = shop.manager.ok(query, json!({})).await["categories"].take();
    assert_eq!(names(&first["nodes"]), ["Jewellery", "Rings"]);
    assert_eq!(
        (
            &first["pageInfo"]["hasNextPage"],
            &first["pageInfo"]["hasPreviousPage"]
        ),
        (&json!(true), &json!(false))
    );
    let second = shop
        .manager
        .ok(query, json!({"after": first["pageInfo"]["endCursor"]}))
        .await["categories"]
        .take();
    assert_eq!(names(&second["nodes"]), ["Wedding rings", "Tools"]);
    assert_eq!(
        (
            &second["pageInfo"]["hasNextPage"],
            &second["pageInfo"]["hasPreviousPage"]
        ),
        (&json!(false), &json!(true))
    );
    let below = shop.manager.ok(query, json!({"of": shop.jewellery})).await;
    assert_eq!(
        names(&below["categories"]["nodes"]),
        ["Rings", "Wedding rings"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_any_size_costs_one_statement_and_a_level_of_children_one() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    let root = manager.category("Root", None).await;
    for branch in 0..3 {
        let branch = manager
            .category(&format!("Branch {branch}"), Some(&root))
            .await;
        for leaf in 0..3 {
            manager
                .category(&format!("Leaf {leaf}"), Some(&branch))
                .await;
        }
    }
    for (query, statements) in [
        (
            "{ categoryTree { id name depth parentId nameTranslations { text } } }",
            1,
        ),
        ("{ categories(first: 20) { nodes { name } } }", 1),
        (
            "{ categories(first: 5) { nodes { name children { name children { name } } } } }",
            3,
        ),
        (
            "{ categories(first: 20) { nodes { parent { name parent { name } } } } }",
            2,
        ),
    ] {
        // The first time, the credential is checked, and the statements are prepared.
        manager.ok(query, json!({})).await;
        let executed = proxy
            .during(async || manager.ok(query, json!({})).await)
            .await;
        assert_eq!(executed.len(), statements, "{query}: {executed:#?}");
    }
}
