//! Saved views: kept, shared, changed, used, and what becomes of one that means nothing any more.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp};

use crate::item::Shop;

const VIEWS: &str = "{ savedViews(list: ITEMS) { id name shared isOwn isDefault ownerName } }";
const USED: &str = "query($id: ID!) { savedView(id: $id) { name content { ... on SavedItemList {
    arguments columns items(first: 10) { nodes { sku category { name } } totalCount { count } }
} } } }";

fn input(name: &str, items: Value) -> Value {
    json!({"name": name, "content": {"items": items}})
}

async fn keep(actor: &Actor, name: &str, items: Value) -> Value {
    actor.done("savedViewCreate", input(name, items)).await["savedView"].take()
}

/// Names of the views that somebody sees.
async fn seen(actor: &Actor) -> Vec<String> {
    let data = actor.ok(VIEWS, json!({})).await;
    let views = data["savedViews"].as_array().unwrap().iter();
    views
        .map(|view| view["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_shows_what_its_list_would_and_gives_back_what_was_written() {
    let shop = Shop::open().await;
    let tools = shop.manager.category("Tools", None).await;
    shop.create("RING-1", json!({"tags": ["gold"]})).await;
    shop.create("RING-2", json!({"tags": ["gold"]})).await;
    shop.create("HAMMER", json!({"categoryId": tools})).await;
    let arguments = json!({
        "where": {"category": {"in": [shop.category]}, "tags": {"any": ["Gold"]}, "OR": [{"price": {"isNull": true}}, {"price": {"range": {"min": "1.50"}}}]},
        "search": "ring",
        "orderBy": [{"field": "SKU", "direction": "DESC"}],
    });
    let mut items = arguments.clone();
    items["columns"] = json!(["sku", "name", "price"]);
    let view = keep(&shop.manager, "Rings", items).await;
    assert_eq!(view["version"], 1);
    let data = shop.manager.ok(USED, json!({"id": view["id"]})).await;
    let content = &data["savedView"]["content"];
    assert_eq!(content["arguments"], arguments);
    assert_eq!(content["columns"], json!(["sku", "name", "price"]));
    assert_eq!(
        content["items"]["nodes"],
        json!([{"sku": "RING-2", "category": {"name": "Rings"}}, {"sku": "RING-1", "category": {"name": "Rings"}}])
    );
    // What comes back is what the list takes.
    let query = "query($where: ItemWhere, $search: String, $orderBy: [ItemOrder!]) {
        items(where: $where, search: $search, orderBy: $orderBy) { nodes { sku category { name } } } }";
    let list = shop.manager.ok(query, content["arguments"].clone()).await;
    assert_eq!(list["items"]["nodes"], content["items"]["nodes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_its_owners_until_it_is_shared() {
    let app = TestApp::start().await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let view = keep(&manager, "Mine", json!({})).await;
    keep(&clerk, "Theirs", json!({})).await;
    assert_eq!(seen(&manager).await, ["Mine"]);
    assert_eq!(seen(&clerk).await, ["Theirs"]);
    let id = json!({"id": view["id"]});
    let found = clerk.ok("query($id: ID!) { savedView(id: $id) { id } }", id.clone());
    assert_eq!(found.await["savedView"], Value::Null);
    let not_there = [("NOT_FOUND".to_owned(), "id".to_owned())];
    assert_eq!(
        clerk.not_done("savedViewUpdate", id.clone()).await,
        not_there
    );
    assert_eq!(
        clerk.not_done("savedViewDelete", id.clone()).await,
        not_there
    );

    let share = json!({"id": view["id"], "shared": true});
    manager.done("savedViewUpdate", share).await;
    let data = clerk.ok(VIEWS, json!({})).await;
    let shared = &data["savedViews"][0];
    assert_eq!(
        (&shared["name"], &shared["isOwn"], &shared["ownerName"]),
        (&json!("Mine"), &json!(false), &json!("Test manager"))
    );
    let change = json!({"id": view["id"], "name": "Ours"});
    for answer in [
        clerk.change("savedViewUpdate", change.clone()).await,
        clerk.change("savedViewDelete", id.clone()).await,
        clerk
            .change(
                "savedViewCreate",
                json!({"name": "All", "shared": true, "content": {"items": {}}}),
            )
            .await,
    ] {
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(
            answer.errors[0]["extensions"]["permission"],
            "catalogue.write"
        );
    }
    // Somebody has to be able to look after what its owner has left behind.
    let owner = app.owner().await;
    let changed = owner.done("savedViewUpdate", change).await;
    assert_eq!(changed["savedView"]["isOwn"], false);
    let back = json!({"id": view["id"], "shared": false});
    let taken = owner.done("savedViewUpdate", back).await;
    assert_eq!(taken["savedView"]["name"], "Ours");
    assert_eq!(seen(&owner).await, [""; 0]);
    assert_eq!(seen(&manager).await, ["Ours"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_a_first_view_of_their_own() {
    let app = TestApp::start().await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let mine = keep(&manager, "Mine", json!({})).await["id"].take();
    let all = json!({"name": "All", "shared": true, "content": {"items": {}}});
    let all = manager.done("savedViewCreate", all).await["savedView"]["id"].take();
    let first = |id: &Value| json!({"list": "ITEMS", "id": id});
    let refused = clerk.not_done("savedViewDefaultSet", first(&mine)).await;
    assert_eq!(refused, [("NOT_FOUND".into(), "id".into())]);
    clerk.done("savedViewDefaultSet", first(&all)).await;
    manager.done("savedViewDefaultSet", first(&all)).await;
    manager.done("savedViewDefaultSet", first(&mine)).await;
    let firsts = async |actor: &Actor| {
        let data = actor.ok(VIEWS, json!({})).await;
        let views = data["savedViews"].as_array().unwrap().clone();
        let firsts = views.into_iter().filter(|view| view["isDefault"] == true);
        let names = firsts.map(|view| view["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(firsts(&manager).await, ["Mine"]);
    assert_eq!(firsts(&clerk).await, ["All"]);
    // What is not shared any more is nobody else's first view, now or later.
    for shared in [false, true] {
        let change = json!({"id": all, "shared": shared});
        manager.done("savedViewUpdate", change).await;
    }
    assert_eq!(firsts(&clerk).await, [""; 0]);
    manager
        .done("savedViewDefaultSet", json!({"list": "ITEMS"}))
        .await;
    assert_eq!(firsts(&manager).await, [""; 0]);
    manager.done("savedViewDefaultSet", first(&mine)).await;
    manager.done("savedViewDelete", json!({"id": mine})).await;
    assert_eq!(firsts(&manager).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_list_would_refuse_is_not_kept() {
    let shop = Shop::open().await;
    let tola = json!({"categoryId": shop.category, "name": "weight", "label": tests::shop::english("Weight"), "type": "DECIMAL",
        "unitId": shop.manager.unit("tola").await});
    let _declared = shop.manager.done("attributeCreate", tola).await;
    let deep = (0..6).fold(json!({}), |inner, _| json!({ "NOT": inner }));
    let terms: Vec<_> = (0..11)
        .map(|_| json!({"field": "SKU", "direction": "ASC"}))
        .collect();
    for (items, code) in [
        (
            json!({"where": {"category": {"in": ["nonsense"]}}}),
            "INVALID_FORMAT",
        ),
        (json!({ "where": deep }), "TOO_MANY"),
        (
            json!({"where": {"sku": {"eq": "x".repeat(300)}}}),
            "TOO_LONG",
        ),
        (json!({"search": "a\u{0}"}), "INVALID_FORMAT"),
        (json!({ "orderBy": terms }), "TOO_MANY"),
        (json!({"columns": [""]}), "REQUIRED"),
        (json!({"columns": vec!["c"; 101]}), "TOO_MANY"),
        (
            json!({"where": {"attributes": [{"name": "weight", "eq": "heavy"}]}}),
            "WRONG_TYPE",
        ),
    ] {
        let refused = shop
            .manager
            .not_done("savedViewCreate", input("View", items.clone()))
            .await;
        assert_eq!(refused[0].0, code, "{items}: {refused:?}");
    }
    let unknown = input("View", json!({"where": {"luck": true}}));
    let answer = shop.manager.change("savedViewCreate", unknown).await;
    assert!(!answer.errors.is_empty());
    for name in ["", &"x".repeat(201)] {
        let refused = shop
            .manager
            .not_done("savedViewCreate", input(name, json!({})));
        assert_eq!(refused.await[0].1, "name");
    }
    assert_eq!(shop.app.count("SELECT count(*) FROM saved_view").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_versions_and_numbers_are_checked() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let view = keep(&manager, "Rings", json!({})).await;
    let other = keep(&manager, "Tools", json!({})).await;
    let taken = [("ALREADY_TAKEN".to_owned(), "name".to_owned())];
    let again = input(" Rings ", json!({}));
    assert_eq!(manager.not_done("savedViewCreate", again).await, taken);
    let rename = json!({"id": other["id"], "name": "Rings"});
    assert_eq!(manager.not_done("savedViewUpdate", rename).await, taken);
    keep(&app.clerk().await, "Rings", json!({})).await;
    let change =
        json!({"id": view["id"], "expectedVersion": 1, "content": {"items": {"search": "ring"}}});
    let changed = manager.done("savedViewUpdate", change.clone()).await;
    assert_eq!(changed["savedView"]["version"], 2);
    assert_eq!(
        changed["savedView"]["content"]["arguments"],
        json!({"search": "ring"})
    );
    let stale = [("STALE_VERSION".to_owned(), "expectedVersion".to_owned())];
    assert_eq!(manager.not_done("savedViewUpdate", change).await, stale);
    let delete = json!({"id": view["id"], "expectedVersion": 1});
    assert_eq!(manager.not_done("savedViewDelete", delete).await, stale);
    let trail = "SELECT count(*) FROM audit WHERE aggregate_type = 'saved_view' AND action = 'saved_view.update'
                 AND before->>'version' = '1' AND after->'request'->>'search' = 'ring'";
    assert_eq!(app.count(trail).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_keep_views_at_once_no_more_than_there_is_room_for_are_kept() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    keep(&manager, "First", json!({})).await;
    app.execute(
        "INSERT INTO saved_view (id, list, user_id, name, shared, request, columns, created_at, updated_at)
         SELECT gen_random_uuid(), list, user_id, 'V' || n, false, request, columns, now(), now()
         FROM saved_view, generate_series(1, 94) n",
    )
    .await;
    let inputs = (0..10).map(|n| input(&format!("N{n}"), json!({})));
    let answers = join_all(inputs.map(|input| manager.change("savedViewCreate", input))).await;
    let refused = answers
        .iter()
        .filter(|answer| !answer.user_errors().is_empty());
    assert_eq!(refused.count(), 5);
    assert_eq!(app.count("SELECT count(*) FROM saved_view").await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_means_nothing_any_more_says_so_and_can_be_mended() {
    let shop = Shop::open().await;
    let view = keep(&shop.manager, "Old", json!({"search": "ring"})).await;
    shop.app
        .execute(
            r#"UPDATE saved_view SET request = '{"where": {"sku": {"eq": "R"}, "colourOfTheMoon": {"eq": "blue"}}}'"#,
        )
        .await;
    let id = json!({"id": view["id"]});
    let answer = shop.manager.gql(USED, id.clone()).await;
    assert_eq!(answer.codes(), ["OUTDATED"]);
    assert!(
        answer.errors[0].to_string().contains("save it again"),
        "{answer:?}"
    );
    let shown =
        "query($id: ID!) { savedView(id: $id) { content { ... on SavedItemList { arguments } } } }";
    let data = shop.manager.ok(shown, id.clone()).await;
    assert_eq!(
        data["savedView"]["content"]["arguments"]["where"]["colourOfTheMoon"],
        json!({"eq": "blue"})
    );
    let mend = json!({"id": view["id"], "content": {"items": {"where": {"sku": {"eq": "R"}}}}});
    shop.manager.done("savedViewUpdate", mend).await;
    shop.manager.ok(USED, id).await;
}
