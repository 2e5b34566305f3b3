//! What one request about the tree may cost, and what it must keep to.

use domain::{Viewer, category::CategoryRow};
use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy};

/// Twelve fields of each category.
const TREE: &str = "id parentId depth position name icon colour externalReference archivedAt version createdAt updatedAt";

/// A parent with as many children.
async fn family(app: &TestApp, children: i32) {
    let row = |number: i32, parent: Option<&str>| CategoryRow {
        external_reference: format!("c{number}"),
        parent: parent.map(str::to_owned),
        name: [("en".to_owned(), format!("Category {number}"))].into(),
        icon: None,
        colour: None,
        position: number,
    };
    let children = (1..=children).map(|number| row(number, Some("c0")));
    let rows: Vec<_> = [row(0, None)].into_iter().chain(children).collect();
    let imported = app
        .domain()
        .categories()
        .import(&Viewer::system("test"), &rows)
        .await;
    imported.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_can_be_had_once_and_nothing_in_it_row_by_row() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    manager
        .ok(&format!("{{ categoryTree {{ {TREE} }} }}"), json!({}))
        .await;
    for query in [
        format!("{{ a: categoryTree {{ {TREE} }} b: categoryTree {{ {TREE} }} }}"),
        "{ a: categoryTree { id } b: categoryTree { id } c: categoryTree { id } d: categoryTree { id } e: categoryTree { id } }".to_owned(),
        "{ categoryTree { ancestors { id } } }".to_owned(),
        "{ categoryTree(of: {limit: 10}) { descendants(first: 1) { nodes { id } } } }".to_owned(),
        "{ categories(first: 10) { nodes { descendants(first: 1) { nodes { id } } } } }".to_owned(),
    ] {
        let answer = manager.gql(&query, json!({})).await;
        assert_eq!(answer.codes(), ["QUERY_TOO_COMPLEX"], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ancestors_of_many_rows_cost_one_statement() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    family(&app, 1_500).await;
    let manager = app.manager().await;
    let query =
        "{ categoryTree(of: {limit: 2000}) { externalReference ancestors { externalReference } } }";
    manager.ok(query, json!({})).await;
    let mut data = Value::Null;
    let executed = proxy
        .during(async || data = manager.ok(query, json!({})).await)
        .await;
    assert_eq!(executed.len(), 2, "{executed:#?}");
    let tree = data["categoryTree"].as_array().unwrap();
    assert_eq!(tree.len(), 1_501);
    assert_eq!(tree[0]["ancestors"], json!([]));
    let root = json!([{"externalReference": "c0"}]);
    assert!(tree[1..].iter().all(|row| row["ancestors"] == root));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_shows_its_first_children_and_the_tree_has_them_all() {
    let app = TestApp::start().await;
    family(&app, 250).await;
    let manager = app.manager().await;
    let query =
        "{ category(by: {externalReference: \"c0\"}) { id children { externalReference } } }";
    let parent = manager.ok(query, json!({})).await["category"].take();
    let children = parent["children"].as_array().unwrap();
    let references: Vec<_> = children
        .iter()
        .map(|row| row["externalReference"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = (1..=200).map(|number| format!("c{number}")).collect();
    assert_eq!(references, expected);
    let query = "query($id: ID!) { categoryTree(of: {rootId: $id, maxDepth: 1}) { id } }";
    let tree = manager.ok(query, json!({"id": parent["id"]})).await;
    assert_eq!(tree["categoryTree"].as_array().unwrap().len(), 251);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_out_of_range_are_all_told() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let query = "query($of: CategoryTreeInput) { categoryTree(of: $of) { id } }";
    for (of, arguments) in [
        (json!({"limit": -1}), vec!["limit"]),
        (
            json!({"limit": 0, "maxDepth": -1}),
            vec!["limit", "maxDepth"],
        ),
        (json!({"limit": 50_000}), vec!["limit"]),
        (json!({"maxDepth": 101}), vec!["maxDepth"]),
    ] {
        let answer = manager.gql(query, json!({"of": of})).await;
        assert_eq!(answer.codes(), ["OUT_OF_RANGE"], "{of}");
        let refusals = answer.errors[0]["extensions"]["refusals"]
            .as_array()
            .unwrap();
        let told: Vec<_> = refusals
            .iter()
            .map(|refusal| refusal["argument"].as_str().unwrap())
            .collect();
        assert_eq!(told, arguments, "{of}");
    }
}
