//! What clients cannot make us do.

use serde_json::{Value, json};

use super::{SEARCH, Shop};

const FACETS: &str = "query($search: String, $facets: [ItemFacetInput!], $where: ItemWhere) {
    itemFacets(search: $search, facets: $facets, where: $where) { missing } }";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_or_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let gram = shop.manager.unit("gram").await;
    shop.declare("weight", "DECIMAL", json!({"unitId": gram}))
        .await;
    let options = json!([{"value": "gold"}]);
    shop.declare("metal", "ENUM", json!({"options": options}))
        .await;
    let attribute = |condition: Value| json!({"where": {"attributes": [condition]}});
    let wide: Vec<_> = (0..101)
        .map(|number| json!({"name": "x", "eq": number.to_string()}))
        .collect();
    for (variables, code) in [
        (json!({"search": "x".repeat(201)}), "TOO_LONG"),
        (json!({"search": "a\u{0}b"}), "INVALID_FORMAT"),
        (json!({"where": {"attributes": wide}}), "TOO_MANY"),
        (
            attribute(json!({"name": "weight", "eq": "heavy"})),
            "WRONG_TYPE",
        ),
        (
            attribute(json!({"name": "weight", "eq": "2 stones"})),
            "UNKNOWN_UNIT",
        ),
        (
            attribute(json!({"name": "weight", "range": {"min": "2 metre"}})),
            "INCOMPATIBLE_UNITS",
        ),
        (
            attribute(json!({"name": "weight", "contains": "2"})),
            "WRONG_TYPE",
        ),
        (
            attribute(json!({"name": "metal", "eq": "wood"})),
            "NOT_AN_OPTION",
        ),
        (
            attribute(json!({"name": "metal", "range": {"min": "a"}})),
            "WRONG_TYPE",
        ),
        (
            attribute(json!({"name": "x".repeat(201), "isNull": true})),
            "TOO_LONG",
        ),
        (
            json!({"search": "x", "after": "WyJ4IiwieSJd"}),
            "INVALID_FORMAT",
        ),
    ] {
        let answer = shop.manager.gql(SEARCH, variables.clone()).await;
        assert_eq!(answer.codes(), [code], "{:.120}", variables.to_string());
    }
    let by = |field: Value| json!({"by": field});
    let ranges: Vec<_> = (0..51).map(|_| json!({"min": "1"})).collect();
    let facets: Vec<_> = (0..31).map(|_| by(json!({"field": "TAG"}))).collect();
    for (facets, code) in [
        (json!(facets), "TOO_MANY"),
        (
            json!([{"by": {"field": "PRICE"}, "ranges": ranges}]),
            "TOO_MANY",
        ),
        (
            json!([{"by": {"field": "KIND"}, "ranges": [{"min": "1"}]}]),
            "WRONG_TYPE",
        ),
        (
            json!([{"by": {"field": "PRICE"}, "ranges": [{"min": "cheap"}]}]),
            "WRONG_TYPE",
        ),
        (
            json!([{"by": {"attribute": "metal"}, "ranges": [{"min": "1"}]}]),
            "WRONG_TYPE",
        ),
        (
            json!([{"by": {"attribute": "weight"}, "first": 0}]),
            "OUT_OF_RANGE",
        ),
        (
            json!([{"by": {"attribute": "weight"}, "first": 101}]),
            "OUT_OF_RANGE",
        ),
    ] {
        let answer = shop.manager.gql(FACETS, json!({"facets": facets})).await;
        assert_eq!(answer.codes(), [code], "{:.120}", facets.to_string());
    }
    let first = "{ searchSuggestions(prefix: \"a\", first: 21) }";
    assert_eq!(
        shop.manager.gql(first, json!({})).await.codes(),
        ["OUT_OF_RANGE"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_catalogue_finds_nothing() {
    let shop = Shop::open().await;
    let nobody = shop.app.anonymous();
    for query in [
        "{ items(search: \"ring\") { nodes { sku } } }",
        "{ itemFacets { missing } }",
        "{ searchSuggestions(prefix: \"r\") }",
    ] {
        assert_eq!(
            nobody.gql(query, json!({})).await.codes(),
            ["UNAUTHENTICATED"]
        );
    }
}

/// A search costs a bounded number of statements, however many words and rows there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_costs_few_statements() {
    let database = tests::database::TestDatabase::create();
    let proxy = tests::proxy::PostgresProxy::start(database.url()).await;
    let app = tests::app::TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..15 {
        let _item = manager.item(&format!("RING-{number}"), &category).await;
    }
    let attributes = "attributes: [{name: \"a\", eq: \"1\"}, {name: \"b\", range: {min: \"1\"}}]";
    for (query, most) in [
        (
            "{ items(search: \"ring gold silver\") { nodes { sku } } }".to_owned(),
            4,
        ),
        (
            format!(
                "{{ items(where: {{category: {{descendantOf: \"{category}\"}}, {attributes}}}) {{ nodes {{ sku }} }} }}"
            ),
            4,
        ),
        (
            format!("{{ itemFacets(where: {{{attributes}}}) {{ missing }} }}"),
            4,
        ),
        ("{ searchSuggestions(prefix: \"ring r\") }".to_owned(), 2),
    ] {
        manager.ok(&query, json!({})).await;
        let executed = proxy
            .during(async || manager.ok(&query, json!({})).await)
            .await;
        assert!(
            (1..=most).contains(&executed.len()),
            "{query} took {}: {executed:#?}",
            executed.len()
        );
    }
}
