//! Many who change the tree at the same time.

use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use tests::{actor::Actor, app::TestApp};

use super::assert_tree_is_sound;

const LOCATIONS: usize = 40;
const MOVERS: u64 = 8;
const MOVES: usize = 40;

/// Moves random locations to random places, and gives some another name; tells how many moves were done and how many would have made a cycle.
async fn move_about(actor: &Actor, ids: &[String], seed: u64) -> (usize, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut done, mut cycles) = (0, 0);
    for step in 0..MOVES {
        let id = &ids[random.random_range(0..ids.len())];
        if step % 8 == 0 {
            let code = format!("M{seed}-{step}");
            actor
                .done("locationUpdate", json!({"id": id, "code": code}))
                .await;
        }
        let parent = random
            .random_bool(0.9)
            .then(|| &ids[random.random_range(0..ids.len())]);
        let answer = actor
            .change("locationMove", json!({"id": id, "parentId": parent}))
            .await;
        if answer.errors.is_empty() && answer.user_errors().is_empty() {
            done += 1;
        } else {
            let cycle = [("CYCLE".to_owned(), "parentId".to_owned())];
            assert_eq!(answer.refused(), cycle, "seed {seed}");
            cycles += 1;
        }
    }
    (done, cycles)
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_random_moves_leave_every_path_right() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..LOCATIONS {
        let parent = (number > 0).then(|| ids[(number - 1) / 3].clone());
        let code = format!("L{number}");
        ids.push(manager.location(&code, "STORAGE", parent.as_deref()).await);
    }
    let outcomes = join_all((0..MOVERS).map(|seed| move_about(&manager, &ids, seed))).await;
    let (done, cycles) = outcomes
        .iter()
        .fold((0, 0), |sum, (done, cycles)| (sum.0 + done, sum.1 + cycles));
    assert_eq!(done + cycles, usize::try_from(MOVERS).unwrap() * MOVES);
    assert!(
        done > 150 && cycles > 0,
        "{done} moves were done, {cycles} would have made cycles"
    );
    assert_tree_is_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_code_one_gets_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let input = json!({"code": "SAFE", "name": tests::shop::english("Safe"), "kind": "SAFE"});
    let answers = (0..10).map(|_| manager.change("locationCreate", input.clone()));
    let answers = join_all(answers).await;
    let refused = answers.iter().flat_map(|answer| answer.user_errors());
    let codes: Vec<_> = refused.map(|error| error.code.clone()).collect();
    assert_eq!(codes, ["ALREADY_TAKEN"; 9]);
}
