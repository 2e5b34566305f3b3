//! Many who change the tree at the same time.

use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use tests::{actor::Actor, app::TestApp, shop::english};

use super::assert_tree_is_sound;

const CATEGORIES: usize = 60;
const MOVERS: u64 = 16;
const MOVES: usize = 64;

/// Moves random categories to random places; tells how many moves were done and how many would have made a cycle.
async fn move_about(actor: &Actor, ids: &[String], seed: u64) -> (usize, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut done, mut cycles) = (0, 0);
    for _ in 0..MOVES {
        let id = &ids[random.random_range(0..ids.len())];
        let parent = random
            .random_bool(0.9)
            .then(|| &ids[random.random_range(0..ids.len())]);
        let answer = actor
            .change("categoryMove", json!({"id": id, "parentId": parent}))
            .await;
        if answer.errors.is_empty() && answer.user_errors().is_empty() {
            done += 1;
        } else {
            assert_eq!(
                answer.refused(),
                [("CYCLE".to_owned(), "parentId".to_owned())],
                "seed {seed}"
            );
            cycles += 1;
        }
    }
    (done, cycles)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_concurrent_random_moves_leave_every_path_right() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..CATEGORIES {
        let parent = (number > 0).then(|| ids[(number - 1) / 3].clone());
        ids.push(
            manager
                .category(&format!("Category {number}"), parent.as_deref())
                .await,
        );
    }
    let outcomes = join_all((0..MOVERS).map(|seed| move_about(&manager, &ids, seed))).await;
    let (done, cycles) = outcomes
        .iter()
        .fold((0, 0), |sum, (done, cycles)| (sum.0 + done, sum.1 + cycles));
    assert_eq!(done + cycles, usize::try_from(MOVERS).unwrap() * MOVES);
    assert!(
        done > 500 && cycles > 0,
        "{done} moves were done, {cycles} would have made cycles"
    );
    assert_tree_is_sound(&app).await;
    let tree = manager.ok("{ categoryTree { id } }", json!({})).await;
    assert_eq!(
        tree["categoryTree"].as_array().unwrap().len(),
        CATEGORIES,
        "no category fell out of the tree"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_created_below_one_that_is_being_moved_moves_with_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (here, there) = (
        manager.category("Here", None).await,
        manager.category("There", None).await,
    );
    let moving = manager.category("Moving", Some(&here)).await;
    let move_about = async {
        for step in 0..40 {
            let to = if step % 2 == 0 { &there } else { &here };
            manager
                .done("categoryMove", json!({"id": moving, "parentId": to}))
                .await;
        }
    };
    let create = async |creator: usize| {
        for number in 0..20 {
            let name = english(&format!("New {creator} {number}"));
            manager
                .done("categoryCreate", json!({"name": name, "parentId": moving}))
                .await;
        }
    };
    tokio::join!(move_about, create(1), create(2), create(3));
    let children = manager
        .ok(
            "query($id: ID!) { category(by: {id: $id}) { depth children { depth } } }",
            json!({"id": moving}),
        )
        .await;
    assert_eq!(
        children["category"]["children"].as_array().unwrap().len(),
        60
    );
    assert_eq!(children["category"]["depth"], json!(1));
    assert_tree_is_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_external_reference_one_gets_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let inputs = (0..10).map(|number| json!({"name": english(&format!("Category {number}")), "externalReference": "ext-1"}));
    let answers = join_all(inputs.map(|input| manager.change("categoryCreate", input))).await;
    let refused: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .collect();
    assert_eq!(refused.len(), 9);
    assert!(
        refused
            .iter()
            .all(|error| error.code == "ALREADY_TAKEN" && error.path == "externalReference"),
        "{refused:?}"
    );
    assert_tree_is_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_expect_the_same_version_one_succeeds() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let inputs = (0..10).map(|number| json!({"id": rings, "name": english(&format!("Rings {number}")), "expectedVersion": 1}));
    let answers = join_all(inputs.map(|input| manager.change("categoryUpdate", input))).await;
    let refused: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .collect();
    assert_eq!(refused.len(), 9);
    assert!(
        refused.iter().all(|error| error.code == "STALE_VERSION"),
        "{refused:?}"
    );
}
