//! What one request may cost, what it must not believe, and what it must not forget.

use domain::{Viewer, category::CategoryRow};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    database::TestDatabase,
    proxy::PostgresProxy,
    shop::{document, english},
};

/// What a playground asks for the whole schema: types are nested nine levels deep.
const INTROSPECTION: &str = "query IntrospectionQuery {
    __schema {
        description queryType { name } mutationType { name } subscriptionType { name }
        types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
    }
}
fragment FullType on __Type {
    kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) {
        name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
    }
    inputFields(includeDeprecated: true) { ...InputValue }
    interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}";

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
async fn a_playground_can_load_the_schema() {
    let app = TestApp::start().await;
    let schema = app.anonymous().ok(INTROSPECTION, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 50);
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

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_hears_so_before_their_ids_are_looked_at() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let nonsense = json!({"id": "nonsense"});
    for (actor, code) in [(&app.anonymous(), "UNAUTHENTICATED"), (&clerk, "FORBIDDEN")] {
        for mutation in [
            "itemArchive",
            "itemUpdate",
            "categoryArchive",
            "categoryMove",
        ] {
            let answer = actor.change(mutation, nonsense.clone()).await;
            assert_eq!(answer.codes(), [code], "{mutation}");
        }
    }
    for query in [
        "{ job(id: \"nonsense\") { id } }",
        "{ user(id: \"nonsense\") { id } }",
        "{ categories(descendantOf: \"nonsense\") { nodes { id } } }",
        "mutation { userUpdate(input: {id: \"nonsense\"}) { userErrors { code } } }",
        "mutation { apiTokenRevoke(input: {id: \"nonsense\"}) { userErrors { code } } }",
    ] {
        let answer = app.anonymous().gql(query, json!({})).await;
        assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_kept_to_the_last_digit_or_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Gold", None).await;
    let item = manager.item("BAR", &category).await;
    let price = async |amount: Value| {
        let input = json!({"id": item, "price": {"amount": amount, "currency": "EUR"}});
        manager
            .gql(
                "mutation($input: ItemUpdateInput!) { itemUpdate(input: $input) { item { price { amount } } userErrors { code path } } }",
                json!({"input": input}),
            )
            .await
    };
    for (amount, kept) in [
        (json!("1234567890123.45"), "1234567890123.45"),
        (json!(1_234_567_890_123_i64), "1234567890123"),
    ] {
        let data = price(amount).await.ok();
        assert_eq!(data["itemUpdate"]["item"]["price"]["amount"], kept);
    }
    let answer = price(json!(0.1)).await;
    assert!(answer.data["itemUpdate"].is_null());
    let message = answer.errors[0]["message"].as_str().unwrap();
    assert!(message.contains("send decimals as strings"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_mutation_of_a_request_sees_what_an_earlier_one_did() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Before", None).await;
    let item = manager.item("RING", &category).await;
    let query = "mutation($item: ItemUpdateInput!, $category: CategoryUpdateInput!) {
        first: itemUpdate(input: $item) { item { category { name } } }
        between: categoryUpdate(input: $category) { category { name } }
        last: itemUpdate(input: $item) { item { category { name } } }
    }";
    let variables = json!({
        "item": {"id": item, "tags": ["x"]},
        "category": {"id": category, "name": english("After")},
    });
    let data = manager.ok(query, variables).await;
    assert_eq!(data["first"]["item"]["category"]["name"], "Before");
    assert_eq!(data["between"]["category"]["name"], "After");
    assert_eq!(data["last"]["item"]["category"]["name"], "After");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_did_not_come_is_no_file() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING", &category).await;
    let refused = manager
        .not_done(
            "itemImageUpload",
            json!({"itemId": item, "file": "#__graphql_file__:9"}),
        )
        .await;
    assert_eq!(refused, [("REQUIRED".to_owned(), "file".to_owned())]);
    for reference in ["#__graphql_file__:", "#__graphql_file__:x", "photo.jpg"] {
        let answer = manager
            .change(
                "itemImageUpload",
                json!({"itemId": item, "file": reference}),
            )
            .await;
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{reference}");
    }
    let input = format!("{{itemId: \"{item}\", file: \"#__graphql_file__:0\"}}");
    let query = document("itemImageUpload")
        .replace("mutation($input: ItemImageUploadInput!)", "mutation")
        .replace("$input", &input);
    let answer = manager.gql(&query, json!({})).await;
    assert_eq!(
        answer.refused(),
        [("REQUIRED".to_owned(), "file".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_a_little_too_large_is_explained_to_the_person() {
    let app = TestApp::start().await;
    let config = app.config();
    let image = usize::try_from(config.image.max_bytes).unwrap();
    assert!(config.http.upload_limit_bytes > image + image / 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_leaves_a_category_is_heard_of_there() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (old, new) = (
        manager.category("Old", None).await,
        manager.category("New", None).await,
    );
    let item = manager.item("RING", &old).await;
    let after = app.position().await;
    let listener = async |category: &str| {
        let query = "subscription($after: EventPosition, $category: ID) {
            itemChanged(after: $after, categoryId: $category) { action item { sku category { name } } }
        }";
        manager
            .subscribe(query, json!({"after": after, "category": category}))
            .await
    };
    let (mut left, mut entered) = (listener(&old).await, listener(&new).await);
    manager
        .done("itemUpdate", json!({"id": item, "categoryId": new}))
        .await;
    let expected =
        json!({"action": "item.update", "item": {"sku": "RING", "category": {"name": "New"}}});
    assert_eq!(left.next().await["itemChanged"], expected);
    assert_eq!(entered.next().await["itemChanged"], expected);
}

/// Positions of the item events that this listener gets before the one of the last SKU.
async fn heard(manager: &Actor, after: &str, last: &str) -> usize {
    let query = "subscription($after: EventPosition) { itemChanged(after: $after) { item { sku category { name } } } }";
    let mut listener = manager.subscribe(query, json!({"after": after})).await;
    let mut count = 0;
    loop {
        count += 1;
        let event = listener.next().await["itemChanged"].take();
        assert_eq!(event["item"]["category"]["name"], "Rings");
        if event["item"]["sku"] == last {
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_read_together() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let after = app.position().await;
    for number in 0..30 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let mut count = 0;
    let executed = proxy
        .during(async || count = heard(&manager, &after, "RING-29").await)
        .await;
    assert_eq!(count, 30);
    let of_rows = executed
        .iter()
        .filter(|sql| sql.contains("FROM item ") || sql.contains("FROM category "));
    assert!(of_rows.count() <= 4, "{executed:#?}");
}
