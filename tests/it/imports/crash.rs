//! A worker that is killed in the middle of an import, and another one that goes on.

use serde_json::json;
use tests::{
    app::TestApp,
    wait::{PATIENCE, until},
};

use super::{Shop, counts, rings};

/// How many rows are dealt with.
const BEHIND: &str = "SELECT next_row FROM item_import";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_goes_on_where_it_stopped() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)
        .start()
        .await;
    let shop = Shop::of(app).await;
    // Every tenth row is bad, and the last chunk has to wait for as long as we like.
    let file = rings(1..8001);
    let rows = file.lines().enumerate().map(|(index, line)| {
        let line = if index > 0 && index % 10 == 0 {
            line.replace("> Rings", "> None")
        } else {
            line.to_owned()
        };
        line + "\n"
    });
    let file: String = rows.collect();
    shop.import_held(file).await;
}

impl Shop {
    async fn import_held(&self, file: String) {
        let mut worker = self.app.worker_process().await;
        let id = self.ask(&self.manager, file.clone(), json!({})).await;
        until(PATIENCE, "some chunks are written", async || {
            self.app.count(BEHIND).await > 1500
        })
        .await;
        worker.kill();
        let behind = self.app.count(BEHIND).await;
        let written = self.app.count("SELECT count(*) FROM item").await;
        assert!(behind < 8001, "it was killed in the middle");
        // A chunk and its place in the file are one: 900 of each 1,000 rows are good.
        assert_eq!(
            written,
            self.app.count("SELECT created FROM item_import").await
        );

        let _heir = self.app.worker_process().await;
        let import = self.ended(&id).await;
        assert_eq!(counts(&import), [8000, 7200, 0, 0, 800], "{import}");
        assert_eq!(self.app.count("SELECT count(*) FROM item").await, 7200);
        let audited = "SELECT count(DISTINCT aggregate_id) FROM audit WHERE action = 'item.import'";
        assert_eq!(self.app.count(audited).await, 7200);
        let audited = "SELECT count(*) FROM audit WHERE action = 'item.import'";
        assert_eq!(self.app.count(audited).await, 7200);
        let versions = "SELECT count(*) FROM item WHERE version <> 1";
        assert_eq!(self.app.count(versions).await, 0);
        let errors = self.errors(&import).await;
        let rows: Vec<usize> = errors
            .iter()
            .map(|error| error[0].parse().unwrap())
            .collect();
        let expected: Vec<usize> = (1..=800).map(|tenth| tenth * 10 + 1).collect();
        assert_eq!(rows, expected);
        assert!(self.app.jobs().await[0].attempts >= 2);
        // And nothing of the file is left.
        let folder = self.app.media().join("import");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        assert_eq!(files.count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_look_at_all_rows_begins_anew_and_tells_all() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)
        .start()
        .await;
    let shop = Shop::of(app).await;
    shop.declare("huid", "TEXT", json!({"unique": true})).await;
    // The last row wants what the second one has; the first is bad in itself.
    let rows = (1..8001).map(|number| match number {
        1 => "R-1,Ring,Nowhere,piece,A\n".to_owned(),
        8000 => "R-8000,Ring,Rings,piece,H-2\n".to_owned(),
        number => format!("R-{number},Ring,Rings,piece,H-{number}\n"),
    });
    let file = format!(
        "sku,name.en,category,unit,attributes.huid\n{}",
        rows.collect::<String>()
    );
    let mut worker = shop.app.worker_process().await;
    let all = json!({"policy": "REJECT_ALL"});
    let id = shop.ask(&shop.manager, file, all).await;
    until(PATIENCE, "some chunks are looked at", async || {
        shop.app.count(BEHIND).await > 1500
    })
    .await;
    worker.kill();
    assert!(shop.app.count(BEHIND).await < 8001, "in the middle");
    let _heir = shop.app.worker_process().await;
    let import = shop.ended(&id).await;
    assert_eq!(counts(&import), [8000, 7998, 0, 0, 2], "{import}");
    assert_eq!(import["phase"], "REJECTED");
    let rows: Vec<_> = shop.errors(&import).await;
    let rows: Vec<_> = rows.iter().map(|error| error[0].as_str()).collect();
    assert_eq!(rows, ["2", "8001"]);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_a_worker_does_not_grow_with_the_file() {
    let shop = Shop::of(TestApp::start().await).await;
    let worker = shop.app.worker_process().await;
    // 150 megabytes: rows that are too long, a cell that is never closed, some thousand rows of eight kilobytes, and some hundred in
    // whose category there is nothing to be told of but its length.
    let text = "x".repeat(8000);
    let endless = "y".repeat(1024 * 1024);
    let rows = (0..5000).map(|number| format!("R-{number},Ring,Rings,piece,{text}\n"));
    let mut file: String = "sku,name.en,category,unit,description.en\n".to_owned();
    file.extend(rows);
    for _ in 0..40 {
        file.push_str(&format!("L,{endless},Rings,piece,\n"));
    }
    for number in 0..250 {
        let nowhere = &endless[..200_000];
        file.push_str(&format!("N-{number},Ring,{nowhere},piece,\n"));
    }
    file.push_str(&format!("E,\"{}", endless.repeat(20)));
    let id = shop.ask(&shop.manager, file, json!({})).await;
    let import = shop.ended(&id).await;
    assert_eq!(counts(&import), [5291, 5000, 0, 0, 291], "{import}");
    let export = shop.export(json!({})).await;
    assert_eq!(export["rows"], 5000);
    let peak = worker.memory("VmHWM");
    assert!(peak < 200 * 1024 * 1024, "{peak} bytes");
}
