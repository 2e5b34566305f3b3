//! Facets, compared with what counting a list in memory gives.

use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

use super::Shop;

const FACETS: &str = "query($where: ItemWhere, $search: String, $facets: [ItemFacetInput!]) {
    itemFacets(where: $where, search: $search, facets: $facets) {
        field attributeName attribute { label } missing exact
        values { value label range { min max below } count }
    }
}";

impl Shop {
    async fn facets(&self, variables: Value) -> Vec<Value> {
        let facets = self.manager.ok(FACETS, variables).await["itemFacets"].take();
        let facets = facets.as_array().unwrap().clone();
        assert!(facets.iter().all(|facet| facet["exact"] == true));
        facets
    }

    /// One facet by an attribute, as pairs of label and count.
    async fn by_attribute(&self, name: &str, filter: Value) -> Vec<(String, u64)> {
        let facets = json!([{"by": {"attribute": name}}]);
        let facets = self
            .facets(json!({"where": filter, "facets": facets}))
            .await;
        pairs(&facets[0])
    }
}

fn pairs(facet: &Value) -> Vec<(String, u64)> {
    let values = facet["values"].as_array().unwrap();
    values
        .iter()
        .map(|value| {
            (
                value["label"].as_str().unwrap().to_owned(),
                value["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn counted(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs
        .iter()
        .map(|(label, count)| ((*label).to_owned(), *count))
        .collect()
}

async fn furnished() -> Shop {
    let shop = Shop::open().await;
    let options = json!([{"value": "gold", "label": english("Gold")}, {"value": "silver", "label": english("Silver")}]);
    shop.declare("metal", "ENUM", json!({"options": options, "facet": true}))
        .await;
    let stones = json!([{"value": "ruby"}, {"value": "opal"}]);
    shop.declare(
        "stones",
        "MULTI_ENUM",
        json!({"options": stones, "facet": true}),
    )
    .await;
    let tola = shop.manager.unit("tola").await;
    shop.declare("weight", "DECIMAL", json!({"unitId": tola, "facet": true}))
        .await;
    shop.declare("made", "DATE", json!({"facet": true})).await;
    shop.declare("maker", "TEXT", json!({})).await;
    let bands = shop.manager.category("Bands", Some(&shop.rings)).await;
    for (sku, category, price, attributes, tags) in [
        (
            "A",
            &shop.rings,
            Some("10"),
            json!({"metal": "gold", "stones": ["ruby", "opal"], "weight": "0.4", "made": "2024-12-31"}),
            json!(["new"]),
        ),
        (
            "B",
            &shop.rings,
            Some("20"),
            json!({"metal": "gold", "stones": ["ruby"], "weight": "0.5", "made": "2025-01-01"}),
            json!([]),
        ),
        (
            "C",
            &bands,
            Some("19.99"),
            json!({"metal": "silver", "weight": "3", "made": "2025-12-31", "maker": "Zargar"}),
            json!(["new", "sale"]),
        ),
        (
            "D",
            &shop.jewellery,
            None,
            json!({"maker": "Zargar"}),
            json!(["sale"]),
        ),
    ] {
        let price = price.map(|amount| json!({"amount": amount, "currency": "EUR"}));
        let item =
            json!({"categoryId": category, "price": price, "attributes": attributes, "tags": tags});
        shop.create(sku, item).await;
    }
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_to_be_chosen_by_is_counted() {
    let shop = furnished().await;
    let facets = shop.facets(json!({})).await;
    let told: Vec<_> = facets
        .iter()
        .map(|facet| {
            let name = facet["field"].as_str().or(facet["attributeName"].as_str());
            (
                name.unwrap(),
                pairs(facet),
                facet["missing"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("CATEGORY", counted(&[("Jewellery", 4)]), 0),
            ("KIND", counted(&[("GOODS", 4)]), 0),
            ("PRICE", counted(&[("10 – 20", 2), ("20 – 50", 1)]), 1),
            ("TAG", counted(&[("new", 2), ("sale", 2)]), 1),
            ("metal", counted(&[("Gold", 2), ("Silver", 1)]), 1),
            ("stones", counted(&[("ruby", 2), ("opal", 1)]), 2),
            // In the unit of the attribute, whatever it is kept in.
            (
                "weight",
                counted(&[("0.2 – 0.5", 1), ("0.5 – 1", 1), ("2 – 5", 1)]),
                1
            ),
            (
                "made",
                counted(&[
                    ("2024-01-01 – 2025-01-01", 1),
                    ("2025-01-01 – 2026-01-01", 2)
                ]),
                1
            ),
        ]
    );
    assert_eq!(facets[4]["attribute"]["label"], "metal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_facet_is_counted_without_its_own_conditions_and_with_all_others() {
    let shop = furnished().await;
    let gold = json!({"name": "metal", "eq": "gold"});
    let ruby = json!({"name": "stones", "eq": "ruby"});
    let filter = json!({"attributes": [gold, ruby], "price": {"range": {"max": "15"}}});
    let facets = json!([{"by": {"attribute": "metal"}}, {"by": {"attribute": "stones"}}, {"by": {"field": "PRICE"}}, {"by": {"field": "TAG"}}]);
    let facets = shop
        .facets(json!({"where": filter, "facets": facets}))
        .await;
    let told: Vec<_> = facets.iter().map(pairs).collect();
    assert_eq!(
        told,
        [
            counted(&[("Gold", 1)]),
            counted(&[("opal", 1), ("ruby", 1)]),
            counted(&[("10 – 20", 1), ("20 – 50", 1)]),
            counted(&[("new", 1)]),
        ]
    );
    // What stands in AND must hold as well, what stands in OR need not.
    let nested = json!({"AND": [{"attributes": [gold]}]});
    assert_eq!(
        shop.by_attribute("metal", nested).await,
        counted(&[("Gold", 2), ("Silver", 1)])
    );
    let either = json!({"OR": [{"attributes": [gold]}]});
    assert_eq!(
        shop.by_attribute("metal", either).await,
        counted(&[("Gold", 2)])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_facet_tells_filters_to_as_many_items_as_it_counted() {
    let shop = furnished().await;
    for facet in shop.facets(json!({})).await {
        for value in facet["values"].as_array().unwrap() {
            let mut range = value["range"].clone();
            if let Some(bounds) = range.as_object_mut() {
                bounds.retain(|_, bound| !bound.is_null());
            }
            let exactly = &value["value"];
            let filter = match (facet["field"].as_str(), facet["attributeName"].as_str()) {
                (Some("CATEGORY"), _) => json!({"category": {"descendantOf": exactly}}),
                (Some("KIND"), _) => json!({"kind": {"in": [exactly]}}),
                (Some("TAG"), _) => json!({"tags": {"all": [exactly]}}),
                (Some(_), _) => json!({"price": {"range": range}}),
                (None, name) if range.is_null() => {
                    json!({"attributes": [{"name": name, "eq": exactly}]})
                }
                (None, name) => json!({"attributes": [{"name": name, "range": range}]}),
            };
            let found = shop.filter(filter.clone()).await.len();
            assert_eq!(json!(found), value["count"], "{filter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_are_counted_with_all_below_them() {
    let shop = furnished().await;
    let facets = json!([{"by": {"field": "CATEGORY"}}]);
    for (top, expected, missing) in [
        (&shop.jewellery, &[("Rings", 3)][..], 1),
        (&shop.rings, &[("Bands", 1)], 2),
    ] {
        let filter = json!({"category": {"descendantOf": top}});
        let counts = shop
            .facets(json!({"where": filter, "facets": facets}))
            .await;
        assert_eq!(pairs(&counts[0]), counted(expected));
        assert_eq!(counts[0]["missing"], missing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_may_be_asked_for_and_may_overlap() {
    let shop = furnished().await;
    let ranges =
        json!([{"max": "19.99"}, {"min": "10", "below": "20"}, {"min": "20"}, {"min": "1000"}]);
    let weights = json!([{"min": "5 gram", "below": "1"}, {"min": "1"}]);
    let facets = json!([
        {"by": {"field": "PRICE"}, "ranges": ranges},
        {"by": {"attribute": "weight"}, "ranges": weights},
        {"by": {"attribute": "metal"}, "first": 1},
        {"by": {"attribute": "undeclared"}},
    ]);
    let facets = shop.facets(json!({"facets": facets})).await;
    let counts = |facet: &Value| {
        pairs(facet)
            .into_iter()
            .map(|(_, count)| count)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        counts(&facets[0]),
        [2, 2, 1],
        "a range that nothing falls into is left out"
    );
    assert_eq!(counts(&facets[1]), [1, 1]);
    assert_eq!(pairs(&facets[2]), counted(&[("Gold", 2)]));
    assert_eq!(
        (counts(&facets[3]), &facets[3]["missing"]),
        (vec![], &json!(4))
    );
    let found = shop
        .facets(json!({"search": "c", "facets": [{"by": {"field": "TAG"}}]}))
        .await;
    assert_eq!(pairs(&found[0]), counted(&[("new", 1), ("sale", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn referenced_rows_are_told_by_their_names() {
    let shop = furnished().await;
    shop.declare(
        "goes_with",
        "REFERENCE",
        json!({"refersTo": "ITEM", "facet": true}),
    )
    .await;
    let goes = json!({"attributes": {"goes_with": "A"}, "name": english("Case")});
    shop.create("E", goes).await;
    assert_eq!(
        shop.by_attribute("goes_with", json!({})).await,
        counted(&[("A", 1)])
    );
}

/// What a category's facets are read from, as their statement names it.
const FITS: &str = "octet_length(i.attributes::text) <= 400 AND cardinality(i.tags) <= 4";

/// A shop whose statements are seen, with 600 rings. One in ten is of silver, one in twelve has too many tags for the index, and one in
/// fifteen too much to say; one more has the number 7 for its metal, and one is put away.
async fn of_many_rings() -> (Shop, PostgresProxy, TestDatabase) {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let shop = Shop::of(TestApp::builder().database_url(proxy.url()).start().await).await;
    shop.declare("metal", "TEXT", json!({})).await;
    shop.declare("size", "NUMBER", json!({})).await;
    shop.create("FIRST", json!({})).await;
    shop.app.execute("INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, attributes, tags, created_at, updated_at)
        SELECT gen_random_uuid(), kind, 'R-' || n, '{\"en\": \"Ring\"}', category_id, unit_id, tracking,
               jsonb_build_object('metal', CASE n % 10 WHEN 0 THEN 'silver' ELSE 'gold' END, 'size', n % 3,
                                  'engraved', repeat('x', CASE n % 15 WHEN 0 THEN 500 ELSE 5 END)),
               CASE n % 12 WHEN 0 THEN ARRAY['a', 'b', 'c', 'd', 'e'] ELSE ARRAY['a'] END, created_at, updated_at
        FROM item, generate_series(1, 600) n").await;
    // A number that reads like a text which is asked for is not that text.
    for sql in [
        "UPDATE item SET attributes = '{\"metal\": 7, \"size\": 0}' WHERE sku = 'FIRST'",
        "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, attributes, archived_at, created_at, updated_at)
         SELECT gen_random_uuid(), kind, 'GONE', name, category_id, unit_id, tracking, attributes, now(), created_at, updated_at
         FROM item WHERE sku = 'R-1'",
        "VACUUM ANALYZE item",
    ] {
        shop.app.execute(sql).await;
    }
    (shop, proxy, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn facets_are_the_same_from_an_index_and_from_the_table() {
    let (shop, proxy, _database) = of_many_rings().await;
    let facets = json!([{"by": {"attribute": "metal"}}, {"by": {"attribute": "size"}}, {"by": {"field": "TAG"}}]);
    for (metal, of_each_size) in [("gold", 180), ("silver", 20)] {
        // Only the table tells what an item is found by, or how it is called.
        let one = json!({"name": "metal", "eq": metal});
        let conditions = [
            (json!({}), one.clone(), json!(null), true, false),
            (json!({}), one.clone(), json!("ring"), false, false),
            (
                json!({"sku": {"startsWith": "R"}}),
                one,
                json!(null),
                false,
                false,
            ),
            (
                json!({}),
                json!({"name": "metal", "in": [metal, "7"]}),
                json!(null),
                true,
                true,
            ),
        ];
        for (mut filter, condition, search, is_of_entries, is_of_many) in conditions {
            filter["attributes"] = json!([condition]);
            let asked = json!({"where": filter, "search": search, "facets": facets});
            let mut told = Vec::new();
            let statements = proxy
                .during(async || told = shop.facets(asked.clone()).await)
                .await;
            let counting = statements
                .iter()
                .filter(|sql| sql.starts_with("WITH items"));
            let counting: Vec<_> = counting.collect();
            assert_eq!(
                counting.len(),
                2,
                "one for the facet with a condition of its own: {asked}"
            );
            let of_entries = counting.iter().all(|sql| sql.contains(FITS));
            assert_eq!(of_entries, is_of_entries, "{asked}");
            let by_one_look = counting
                .iter()
                .any(|sql| sql.contains("::text[]) AND jsonb_typeof("));
            // Few are found by the index of attributes, which knows no such look.
            assert_eq!(by_one_look, is_of_many && metal == "gold", "{asked}");
            let told: Vec<_> = told.iter().map(pairs).collect();
            let all = [("gold", 540), ("silver", 60), ("7", 1)];
            let found = if filter["sku"].is_null() && search.is_null() {
                &all[..]
            } else {
                &all[..2]
            };
            assert_eq!(told[0], counted(found), "{asked}");
            let sizes = ["0", "1", "2"].map(|size| (size, of_each_size));
            assert_eq!(told[1], counted(&sizes), "{asked}");
            let tagged = if metal == "gold" { (540, 40) } else { (60, 10) };
            let tags = ["b", "c", "d", "e"].map(|tag| (tag, tagged.1));
            let tags = [&[("a", tagged.0)][..], &tags].concat();
            assert_eq!(told[2], counted(&tags), "{asked}");
        }
    }
    // Ranges look at another table, but name the item by its id.
    let range = json!({"name": "size", "range": {"min": "1", "max": "2"}});
    let asked =
        json!({"where": {"attributes": [range]}, "facets": [{"by": {"attribute": "metal"}}]});
    let mut told = Vec::new();
    let statements = proxy.during(async || told = shop.facets(asked).await).await;
    assert!(statements.iter().any(|sql| sql.contains(FITS)));
    assert_eq!(pairs(&told[0]), counted(&[("gold", 360), ("silver", 40)]));
    // What is put away is in no index of what is in use.
    let asked = json!({"where": {"archived": true}, "facets": [{"by": {"attribute": "metal"}}]});
    assert_eq!(pairs(&shop.facets(asked).await[0]), counted(&[("gold", 1)]));
}

/// The statement's words are those by which PostgreSQL knows the index, and entries are enough for it.
#[tokio::test(flavor = "multi_thread")]
async fn facets_of_a_category_are_read_from_an_index_alone() {
    let (shop, proxy, _database) = of_many_rings().await;
    let asked = json!({"facets": [{"by": {"attribute": "metal"}}]});
    let statements = proxy.during(async || drop(shop.facets(asked).await)).await;
    let counting = statements.iter().find(|sql| sql.starts_with("WITH items"));
    let (_, source) = counting.unwrap().split_once(" FROM (SELECT").unwrap();
    let (source, _) = source.split_once(") i WHERE").unwrap();
    let mut connection = shop.app.sql().acquire().await.unwrap();
    for setting in ["enable_seqscan", "enable_bitmapscan"] {
        let off = format!("SET {setting} = off");
        sqlx::raw_sql(AssertSqlSafe(off))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    let explain = format!(
        "EXPLAIN (COSTS OFF)
         SELECT i.category_id, i.kind, i.price_amount, i.tags, i.attributes FROM (SELECT{source}) i
         WHERE i.archived_at IS NULL AND i.category_id IN (SELECT id FROM category)"
    );
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("Index Only Scan using item_facets on item i"),
        "{plan}"
    );
    assert!(plan.contains("using item_facets_large on item i"), "{plan}");
}

/// The largest item that still has an entry, and what is larger: whatever the item, it can be written.
#[tokio::test(flavor = "multi_thread")]
async fn items_of_any_size_are_counted() {
    let shop = Shop::open().await;
    // Numbers take four times as much as their digits, and the characters of the tags have four bytes.
    let numbers = |count: usize| (0..count).map(|n| n * n * 7 % 10).collect::<Vec<_>>();
    let tags = |count: usize| {
        (0..count)
            .map(|n| {
                (0..50)
                    .map(|place| {
                        char::from_u32(
                            0x1F300 + u32::try_from((n * 977 + place * place * 31) % 700).unwrap(),
                        )
                        .unwrap()
                    })
                    .collect::<String>()
            })
            .collect::<Vec<_>>()
    };
    let text = "x".repeat(1000);
    for (sku, attributes, tags) in [
        ("FITS", json!({"n": numbers(131)}), tags(4)),
        ("LONG", json!({"n": numbers(132)}), tags(4)),
        ("TAGS", json!({"n": numbers(131)}), tags(5)),
        (
            "HUGE",
            json!({"n": numbers(131), "text": [text, text, text]}),
            tags(50),
        ),
    ] {
        let price = json!({"amount": "999999999999999998.999999", "currency": "EUR"});
        let item = json!({"attributes": attributes, "tags": tags, "price": price});
        shop.create(sku, item).await;
    }
    let of_entries = format!("SELECT string_agg(sku, ' ' ORDER BY sku) FROM item i WHERE {FITS}");
    let of_entries: String = sqlx::query_scalar(AssertSqlSafe(of_entries))
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(of_entries, "FITS");
    let facets = json!([{"by": {"field": "KIND"}}, {"by": {"attribute": "n"}, "first": 1}]);
    let facets = shop.facets(json!({"facets": facets})).await;
    assert_eq!(pairs(&facets[0]), counted(&[("GOODS", 4)]));
    assert_eq!(facets[1]["values"][0]["count"], 3);
    // Lists are gathered from the same entries.
    let found = shop.filter(json!({"kind": {"in": ["GOODS"]}})).await;
    assert_eq!(found.len(), 4);
}
