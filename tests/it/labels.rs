//! Labels to print, from the mutation that asks for them to the file in somebody's hands.

use apalis::prelude::Data;
use lopdf::Document;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    wait::PATIENCE,
    work::{JobRow, uuid_of},
};
use worker::runner::{self, Message};

const MEBIBYTE: u64 = 1024 * 1024;

const FILES: &str =
    "query($id: ID!) { job(id: $id) { state progress files { name mediaType bytes url } } }";

/// An app with a manager, a category and a unit.
struct Shop {
    app: TestApp,
    manager: Actor,
    category: String,
    unit: String,
}

impl Shop {
    async fn of(app: TestApp) -> Self {
        let manager = app.manager().await;
        let category = manager.category("Rings", None).await;
        let unit = manager.unit("piece").await;
        Self {
            app,
            manager,
            category,
            unit,
        }
    }

    /// A ring with a Persian name, weights, a price and a barcode.
    async fn ring(&self, sku: &str, barcode: &str) -> String {
        let input = json!({
            "sku": sku,
            "name": [{"language": "en", "text": "Ring"}, {"language": "fa", "text": "انگشتر"}],
            "categoryId": self.category,
            "unitId": self.unit,
            "price": {"amount": "12500000", "currency": "IRR"},
            "attributes": {"gross_weight": "4.250", "fineness": "750", "huid": "AB12CD"},
            "barcodes": [barcode],
        });
        let item = self.manager.done("itemCreate", input).await["item"].take();
        item["id"].as_str().unwrap().to_owned()
    }

    /// The id of the job that draws these labels.
    async fn sheet(&self, input: Value) -> String {
        let job = self.manager.done("labelSheetCreate", input).await["job"].take();
        assert_eq!(
            (&job["kind"], &job["state"]),
            (&json!("label.print"), &json!("QUEUED"))
        );
        job["id"].as_str().unwrap().to_owned()
    }

    /// Name, media type and content of what the job has left behind, once it is done.
    async fn files(&self, job: &str) -> Vec<(String, String, Vec<u8>)> {
        self.app.until_done(PATIENCE).await;
        let mut files = Vec::new();
        let data = self.manager.ok(FILES, json!({"id": job})).await;
        for file in data["job"]["files"].as_array().unwrap() {
            let text = |name: &str| file[name].as_str().unwrap().to_owned();
            let answer = self.manager.get(&text("url")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let bytes = answer.bytes().await.unwrap().to_vec();
            assert_eq!(file["bytes"], json!(bytes.len()));
            files.push((text("name"), text("mediaType"), bytes));
        }
        files
    }
}

fn input(ids: &[&str], more: Value) -> Value {
    let mut input = json!({"itemIds": ids, "template": "SHELF", "layout": "A4_L7160"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The label jobs there are.
async fn label_jobs(app: &TestApp) -> Vec<JobRow> {
    let mut jobs = app.jobs().await;
    jobs.retain(|job| job.kind == "label.print");
    jobs
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_a_file_that_can_be_printed() {
    let shop = Shop::of(TestApp::builder().with_worker().start().await).await;
    let first = shop.ring("RING-1", "4006381333931").await;
    let second = shop.ring("RING-2", "6260152400019").await;
    let more = json!({"template": "JEWELLERY", "locale": "FA", "startAt": 21, "copies": 2});
    let job = shop.sheet(input(&[&second, &first], more)).await;
    let files = shop.files(&job).await;
    let [(name, media_type, pdf)] = &files[..] else {
        panic!("one file: {files:?}")
    };
    assert_eq!(
        (name.as_str(), media_type.as_str()),
        ("labels-a4-l7160.pdf", "application/pdf")
    );
    let document = Document::load_mem(pdf).unwrap();
    let pages: Vec<String> = [1, 2]
        .map(|page| document.extract_text(&[page]).unwrap())
        .into();
    assert_eq!(document.get_pages().len(), 2);
    let counted = |page: usize, sku: &str| pages[page].matches(sku).count();
    assert_eq!((counted(0, "RING-2"), counted(0, "RING-1")), (1, 0));
    assert_eq!((counted(1, "RING-2"), counted(1, "RING-1")), (1, 2));
    // Persian letters come as they stand on paper, from left to right; digits in the order of their number.
    for seen in ["رتشگنا", "رایع", "۷۵۰", "۴٫۲۵", "AB12CD"] {
        assert!(pages[0].contains(seen), "{seen} in {}", pages[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_speak_the_viewers_language_unless_another_is_wanted() {
    let shop = Shop::of(TestApp::builder().with_worker().start().await).await;
    let ring = shop.ring("RING-1", "4006381333931").await;
    let job = shop.sheet(input(&[&ring], json!({"code": "QR"}))).await;
    let files = shop.files(&job).await;
    let text = Document::load_mem(&files[0].2).unwrap().extract_text(&[1]);
    let text = text.unwrap();
    for seen in ["Ring", "12,500,000 IRR", "RING-1"] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_selects_what_passes_it_when_it_is_asked() {
    let shop = Shop::of(TestApp::start().await).await;
    for (number, barcode) in [(1, "A"), (2, "B"), (3, "C")] {
        shop.ring(&format!("RING-{number}"), barcode).await;
    }
    shop.ring("PEN-1", "D").await;
    let filter = json!({"where": {"sku": {"startsWith": "RING"}}, "template": "CARTON", "layout": "ROLL"});
    let job = shop.sheet(filter).await;
    shop.ring("RING-4", "E").await;
    let _worker = shop.app.worker();
    let files = shop.files(&job).await;
    let document = Document::load_mem(&files[0].2).unwrap();
    assert_eq!(document.get_pages().len(), 3);
    let texts: Vec<_> = [1, 2, 3]
        .map(|page| document.extract_text(&[page]).unwrap())
        .into();
    for (text, sku) in texts.iter().zip(["RING-1", "RING-2", "RING-3"]) {
        assert!(text.contains(sku), "{sku} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_away_meanwhile_is_skipped_and_told() {
    let shop = Shop::of(TestApp::start().await).await;
    let stays = shop.ring("STAYS", "A").await;
    let goes = shop.ring("GOES", "B").await;
    let both = shop
        .sheet(input(&[&stays, &goes], json!({"locale": "EN"})))
        .await;
    let none = shop.sheet(input(&[&goes], json!({"locale": "FA"}))).await;
    shop.manager.done("itemArchive", json!({"id": goes})).await;
    let _worker = shop.app.worker();
    let files = shop.files(&both).await;
    let names: Vec<_> = files.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["labels-a4-l7160.pdf", "skipped.txt"]);
    let told = String::from_utf8(files[1].2.clone()).unwrap();
    assert_eq!(told, "No label, because it is archived: GOES\n");
    let text = Document::load_mem(&files[0].2).unwrap().extract_text(&[1]);
    assert!(!text.unwrap().contains("GOES"));
    let files = shop.files(&none).await;
    assert_eq!(files.len(), 1, "no empty sheet is made");
    let told = String::from_utf8(files[0].2.clone()).unwrap();
    assert!(told.contains("بایگانی") && told.contains("GOES"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_is_refused() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "A").await;
    let unknown = tests::shop::global_id("Item", "01930000000070008000000000abcdef");
    let many = vec![ring.as_str(); 1_001];
    let thousand = vec![ring.as_str(); 1_000];
    for (input, expected) in [
        (input(&[], json!({})), vec![("NOTHING_SELECTED", "itemIds")]),
        (input(&[&ring], json!({"itemIds": null})), vec![("NOTHING_SELECTED", "itemIds")]),
        (input(&[&ring], json!({"where": {}})), vec![("AMBIGUOUS", "where")]),
        (input(&[&ring, &unknown], json!({})), vec![("NOT_FOUND", "itemIds.1")]),
        (input(&[&ring, &shop.category], json!({})), vec![("INVALID_FORMAT", "itemIds.1")]),
        (input(&many, json!({})), vec![("TOO_MANY", "itemIds")]),
        (input(&thousand, json!({"copies": 6})), vec![("OUT_OF_RANGE", "copies")]),
        (
            input(&[&ring], json!({"startAt": 22, "copies": 0})),
            vec![("OUT_OF_RANGE", "startAt"), ("OUT_OF_RANGE", "copies")],
        ),
        (
            input(&[&ring], json!({"layout": "ROLL", "startAt": 2})),
            vec![("OUT_OF_RANGE", "startAt")],
        ),
        (
            json!({"where": {"sku": {"eq": "NONE"}}, "template": "SHELF", "layout": "ROLL"}),
            vec![("NOTHING_SELECTED", "where")],
        ),
    ] {
        let refused = shop.manager.not_done("labelSheetCreate", input).await;
        let refused: Vec<_> = refused.iter().map(|(c, p)| (c.as_str(), p.as_str())).collect();
        assert_eq!(refused, expected);
    }
    assert_eq!(label_jobs(&shop.app).await, [], "nothing is half done");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_catalogue_prints_nothing() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "A").await;
    let user = shop.app.user("manager").await;
    let only_jobs = [domain::Permission::JobRead].into_iter().collect();
    let secret = shop
        .app
        .token(&user, Some(only_jobs), chrono::TimeDelta::hours(1))
        .await;
    let narrow = shop.app.anonymous().with_token(&secret);
    for (actor, code) in [
        (shop.app.anonymous(), "UNAUTHENTICATED"),
        (narrow, "FORBIDDEN"),
    ] {
        let answer = actor
            .change("labelSheetCreate", input(&[&ring], json!({})))
            .await;
        assert_eq!(answer.codes(), [code]);
    }
    assert_eq!(label_jobs(&shop.app).await, []);
    // Who sells may label what is sold.
    let clerk = shop.app.clerk().await;
    clerk
        .done("labelSheetCreate", input(&[&ring], json!({})))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_asks_for_nothing_new() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "A").await;
    let wanted = input(&[&ring], json!({"idempotencyKey": "k"}));
    let again = (0..5).map(|_| shop.manager.done("labelSheetCreate", wanted.clone()));
    let answers = futures_util::future::join_all(again).await;
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert_eq!(label_jobs(&shop.app).await.len(), 1);
    let other = input(&[&ring], json!({"idempotencyKey": "k", "copies": 2}));
    let refused = shop.manager.not_done("labelSheetCreate", other).await;
    assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_twice_has_one_file() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "4006381333931").await;
    shop.sheet(input(&[&ring], json!({}))).await;
    let job = label_jobs(&shop.app).await.remove(0);
    let context = worker::service::context(&shop.app.config()).unwrap();
    let message = || Message {
        job: job.id,
        request_id: None,
    };
    for _ in 0..2 {
        runner::handle(message(), Data::new(context.clone()))
            .await
            .unwrap();
    }
    let one = "SELECT count(*) FROM job_file";
    assert_eq!(shop.app.count(one).await, 1);
    // Had the first attempt been lost, the second would have made the same file.
    let blob = async || {
        let sql = "SELECT blob_key FROM job_file";
        let key: String = sqlx::query_scalar(sql).fetch_one(shop.app.sql()).await.unwrap();
        std::fs::read(shop.app.media().join(key)).unwrap()
    };
    let first = blob().await;
    for sql in [
        "DELETE FROM job_file",
        "UPDATE job SET state = 'running', finished_at = NULL, progress = 0 WHERE kind = 'label.print'",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    runner::handle(message(), Data::new(context)).await.unwrap();
    assert_eq!(shop.app.count(one).await, 1);
    assert!(blob().await == first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_one_file_and_no_trace() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)
        .start()
        .await;
    let shop = Shop::of(app).await;
    let ring = shop.ring("RING-1", "4006381333931").await;
    let job = shop.sheet(input(&[&ring], json!({}))).await;
    // Whoever wants to give a job its files waits, in the middle of the transaction that ends it.
    let mut held = shop.app.sql().begin().await.unwrap();
    sqlx::query("LOCK TABLE job_file IN SHARE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut worker = shop.app.worker_process().await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'job_file'::regclass";
    tests::wait::until(PATIENCE, "the file is about to be written", async || {
        shop.app.count(waiting).await > 0
    })
    .await;
    worker.kill();
    drop(held);
    let _heir = shop.app.worker_process().await;
    let files = shop.files(&job).await;
    assert_eq!(files.len(), 1);
    let about = label_jobs(&shop.app).await.remove(0);
    assert_eq!(about.standing(), ("succeeded", 2));
    assert_eq!(about.id, uuid_of(&job));
    assert_eq!(shop.app.count("SELECT count(*) FROM job_file").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_items_are_printed_in_little_memory_and_no_more_are_taken() {
    let shop = Shop::of(TestApp::start().await).await;
    shop.ring("RING-1", "4006381333931").await;
    let copies = "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, price_amount, price_currency, attributes,
            created_at, updated_at)
        SELECT gen_random_uuid(), kind, 'BULK-' || n, name, category_id, unit_id, tracking, price_amount, price_currency, attributes,
            created_at, updated_at
        FROM item, generate_series(1, 1000) n";
    sqlx::query(copies).execute(shop.app.sql()).await.unwrap();
    let all = json!({"where": {}, "template": "SHELF", "layout": "A4_L7651"});
    let refused = shop.manager.not_done("labelSheetCreate", all).await;
    assert_eq!(refused, [("TOO_MANY".to_owned(), "where".to_owned())]);
    let bulk = json!({"where": {"sku": {"startsWith": "BULK"}}, "template": "SHELF", "layout": "A4_L7651", "copies": 5});
    let job = shop.sheet(bulk).await;
    let worker = shop.app.worker_process().await;
    let files = shop.files(&job).await;
    let document = Document::load_mem(&files[0].2).unwrap();
    assert_eq!(document.get_pages().len(), 5_000_usize.div_ceil(65));
    let most = worker.memory("VmHWM");
    assert!(most < 200 * MEBIBYTE, "{} MiB", most / MEBIBYTE);
}
