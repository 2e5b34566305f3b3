//! A request that is sent again changes nothing again: for every mutation that takes a key.

use std::collections::BTreeSet;

use chrono::Datelike as _;
use domain::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use reqwest::header::{COOKIE, SET_COOKIE};
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    answer::Answer,
    app::{PASSWORD, TestApp},
    picture,
    shop::{document, english, global_id},
};

/// Mutations of people, each with a test of its own at the end.
const OF_PEOPLE: [&str; 5] = [
    "apiTokenCreate",
    "apiTokenRevoke",
    "userCreate",
    "userPasswordChange",
    "userUpdate",
];

/// Tested where jobs are.
const OF_JOBS: [&str; 4] = [
    "deadLettersRedrive",
    "itemImagesRegenerate",
    "jobCancel",
    "jobRetry",
];

/// Those of retention, which are for owners: tested there.
const OF_OWNERS: [&str; 3] = ["legalHoldSet", "retentionPolicyUpdate", "retentionRun"];

/// Tested where backups are made.
const OF_BACKUPS: [&str; 2] = ["backupCreate", "backupVerify"];

/// A mutation to be sent more than once: its name, its input, and another input for the same key.
struct Case {
    mutation: &'static str,
    input: Value,
    other: Value,
}

impl Case {
    /// A case whose other input differs in one member.
    fn new(mutation: &'static str, input: Value, member: &str, value: Value) -> Self {
        let mut other = input.clone();
        other[member] = value;
        Self {
            mutation,
            input,
            other,
        }
    }

    async fn send(&self, actor: &Actor, input: &Value, key: &str) -> Answer {
        let mut input = input.clone();
        input["idempotencyKey"] = json!(key);
        if ![
            "itemImageUpload",
            "itemImportCreate",
            "journalAttachmentAdd",
            "journalImportCreate",
        ]
        .contains(&self.mutation)
        {
            return actor.change(self.mutation, input).await;
        }
        let shade = u8::try_from(input["shade"].take().as_u64().unwrap()).unwrap();
        let is_picture = self.mutation == "itemImageUpload";
        let file = File {
            bytes: if is_picture {
                picture::small(shade)
            } else {
                format!("sku\nRING-{shade}\n").into_bytes()
            },
            name: "ring".into(),
            content_type: "application/octet-stream".into(),
        };
        input.as_object_mut().unwrap().remove("shade");
        actor
            .upload(&document(self.mutation), json!({"input": input}), file)
            .await
    }
}

/// Every mutation of the catalogue and of rates, on rows of its own, so that the cases do not get into each other's way.
async fn cases(manager: &Actor) -> Vec<Case> {
    let shelf = manager.category("Shelf", None).await;
    let unit = manager.unit("piece").await;
    let mut names = 0;
    let mut category = async || {
        names += 1;
        manager.category(&format!("Category {names}"), None).await
    };
    let (updated, moved, archived, restored, parent) = (
        category().await,
        category().await,
        category().await,
        category().await,
        category().await,
    );
    let children = [
        manager.category("A", Some(&parent)).await,
        manager.category("B", Some(&parent)).await,
    ];
    manager
        .done("categoryArchive", json!({"id": restored}))
        .await;
    let skus = ["U", "A", "R", "P", "Q", "O", "X", "Y", "Z", "T"];
    let items = join_all(skus.map(|sku| manager.item(sku, &shelf))).await;
    for away in [&items[2], &items[8]] {
        manager.done("itemArchive", json!({"id": away})).await;
    }
    manager
        .done("itemUpdate", json!({"id": items[9], "tags": ["old"]}))
        .await;
    manager.done("queuePause", json!({"queue": "bulk"})).await;
    let view = async |name: &str| {
        let input = json!({"name": name, "content": {"items": {"search": "ring"}}});
        manager.done("savedViewCreate", input).await["savedView"]["id"].take()
    };
    let (viewed, gone, first) = (
        view("Viewed").await,
        view("Gone").await,
        view("First").await,
    );
    let removable = manager.picture(&items[4], picture::small(1)).await["image"]["id"].take();
    let front = manager.picture(&items[5], picture::small(2)).await["image"]["id"].take();
    let second = manager.picture(&items[5], picture::small(3)).await["image"]["id"].take();
    let places = ["HERE", "THERE", "AWAY", "BACK"];
    let places = join_all(places.map(|code| manager.location(code, "SAFE", None))).await;
    manager
        .done("locationArchive", json!({"id": places[3]}))
        .await;
    let new_item =
        json!({"sku": "NEW-1", "name": english("New"), "categoryId": shelf, "unitId": unit});
    let row = json!({"sku": "NEW-3", "name": english("New"), "categoryId": shelf, "unitId": unit});
    let declared = category().await;
    let attribute = async |name: &str| {
        let input =
            json!({"categoryId": declared, "name": name, "label": english(name), "type": "TEXT"});
        manager.done("attributeCreate", input).await["attribute"]["id"].take()
    };
    let (changed, retired, back) = (
        attribute("changed").await,
        attribute("retired").await,
        attribute("back").await,
    );
    manager.done("attributeRetire", json!({"id": back})).await;
    let ring = async |sku: &str| {
        let input =
            json!({"sku": sku, "name": english(sku), "categoryId": declared, "unitId": unit});
        manager.done("itemCreate", input).await["item"]["id"].take()
    };
    let (ring, template) = (ring("RING").await, ring("TEMPLATE").await);
    let options = json!([{"attribute": "changed", "values": ["a", "b"]}]);
    let one = json!([{"attribute": "changed", "values": ["a"]}]);
    let set = json!({"id": template, "options": one});
    manager.done("itemOptionsSet", set).await;
    let mut cases = stock_cases(manager, &shelf).await;
    cases.extend(books_cases(manager).await);
    cases.extend(schedule_cases(manager).await);
    cases.extend(vec![
        // Before what changes the attributes of the category.
        Case::new(
            "itemOptionsSet",
            json!({"id": ring, "options": options}),
            "options",
            json!([{"attribute": "changed", "values": ["a"]}]),
        ),
        Case::new(
            "itemVariantsGenerate",
            json!({"templateId": template}),
            "skuSeparator",
            json!("/"),
        ),
        Case::new(
            "attributeCreate",
            json!({"categoryId": declared, "name": "new", "label": english("New"), "type": "TEXT"}),
            "name",
            json!("other"),
        ),
        Case::new(
            "attributeUpdate",
            json!({"id": changed, "required": true}),
            "required",
            json!(false),
        ),
        Case::new(
            "attributeRetire",
            json!({"id": retired}),
            "id",
            changed.clone(),
        ),
        Case::new(
            "attributeRestore",
            json!({"id": back}),
            "id",
            changed.clone(),
        ),
        Case::new(
            "itemsCreate",
            json!({"rows": [row]}),
            "policy",
            json!("REJECT_FAILED_ROWS"),
        ),
        Case::new(
            "itemsUpdate",
            json!({"rows": [{"id": items[6], "tags": ["new"]}]}),
            "rows",
            json!([{"id": items[6], "tags": []}]),
        ),
        Case::new(
            "itemsArchive",
            json!({"rows": [{"id": items[7]}]}),
            "rows",
            json!([{"id": items[6]}]),
        ),
        Case::new(
            "itemsRestore",
            json!({"rows": [{"id": items[8]}]}),
            "rows",
            json!([{"id": items[6]}]),
        ),
        Case::new(
            "savedViewCreate",
            json!({"name": "New", "content": {"items": {"where": {"archived": true}}}}),
            "content",
            json!({"items": {}}),
        ),
        Case::new(
            "savedViewUpdate",
            json!({"id": viewed, "shared": true}),
            "shared",
            json!(false),
        ),
        Case::new("savedViewDelete", json!({"id": gone}), "id", viewed.clone()),
        Case::new(
            "savedViewDefaultSet",
            json!({"list": "ITEMS", "id": first}),
            "id",
            Value::Null,
        ),
        Case::new(
            "tagRename",
            json!({"from": "old", "to": "new"}),
            "to",
            json!("newer"),
        ),
        Case::new(
            "itemImportCreate",
            json!({"dryRun": true, "shade": 1}),
            "shade",
            json!(2),
        ),
        Case::new(
            "itemExportCreate",
            json!({"format": "JSON_LINES"}),
            "format",
            json!("CSV"),
        ),
        Case::new(
            "codeBatchCreate",
            json!({"itemIds": [items[6]], "format": "ZIP", "picture": "PNG"}),
            "level",
            json!("Q"),
        ),
        Case::new(
            "labelSheetCreate",
            json!({"itemIds": [items[6]], "kind": "SHELF", "layout": "A4_L7160"}),
            "copies",
            json!(2),
        ),
        Case::new(
            "locationCreate",
            json!({"code": "NEW", "name": english("New"), "kind": "TRAY"}),
            "code",
            json!("OTHER"),
        ),
        Case::new(
            "locationUpdate",
            json!({"id": places[0], "code": "CHANGED"}),
            "code",
            json!("OTHER"),
        ),
        Case::new(
            "locationMove",
            json!({"id": places[1], "parentId": places[0]}),
            "parentId",
            Value::Null,
        ),
        Case::new(
            "locationArchive",
            json!({"id": places[2]}),
            "id",
            json!(places[1]),
        ),
        Case::new(
            "locationRestore",
            json!({"id": places[3]}),
            "id",
            json!(places[2]),
        ),
        Case::new(
            "categoryCreate",
            json!({"name": english("New")}),
            "name",
            english("Other"),
        ),
        Case::new(
            "categoryUpdate",
            json!({"id": updated, "name": english("Changed")}),
            "name",
            english("Other"),
        ),
        Case::new(
            "categoryMove",
            json!({"id": moved, "parentId": shelf}),
            "parentId",
            Value::Null,
        ),
        Case::new(
            "categoryReorder",
            json!({"parentId": parent, "order": [children[1], children[0]]}),
            "order",
            json!([children[0], children[1]]),
        ),
        Case::new(
            "categoryArchive",
            json!({"id": archived}),
            "id",
            json!(updated),
        ),
        Case::new(
            "categoryRestore",
            json!({"id": restored}),
            "id",
            json!(archived),
        ),
        Case::new("itemCreate", new_item, "sku", json!("NEW-2")),
        Case::new(
            "itemUpdate",
            json!({"id": items[0], "tags": ["new"]}),
            "tags",
            json!([]),
        ),
        Case::new(
            "itemArchive",
            json!({"id": items[1]}),
            "id",
            json!(items[0]),
        ),
        Case::new(
            "itemRestore",
            json!({"id": items[2]}),
            "id",
            json!(items[1]),
        ),
        Case::new(
            "itemImageUpload",
            json!({"itemId": items[3], "shade": 9}),
            "shade",
            json!(10),
        ),
        Case::new(
            "itemImageRemove",
            json!({"itemId": items[4], "imageId": removable}),
            "itemId",
            json!(items[5]),
        ),
        Case::new(
            "itemImageReorder",
            json!({"itemId": items[5], "order": [second, front]}),
            "order",
            json!([front, second]),
        ),
        Case::new(
            "itemImageFocus",
            json!({"itemId": items[5], "imageId": front, "x": 10, "y": 90}),
            "x",
            json!(11),
        ),
        Case::new(
            "metalRateRecord",
            json!({"metal": "GOLD", "fineness": "750", "currency": "IRR", "pricePerGram": "81234567", "source": "Bazaar"}),
            "pricePerGram",
            json!("81234568"),
        ),
        Case::new(
            "unitOfMeasureCreate",
            json!({"code": "nokhod", "name": english("nokhod"), "dimension": "MASS", "numerator": 192, "denominator": 1000}),
            "code",
            json!("gandom"),
        ),
        Case::new(
            "unitOfMeasureUpdate",
            json!({"id": unit, "spellings": ["piece", "stück"]}),
            "spellings",
            json!(["piece"]),
        ),
    ]);
    cases
}

/// Every mutation of the books.
async fn books_cases(manager: &Actor) -> Vec<Case> {
    let account = |code: &str| json!({"code": code, "name": english(code), "kind": "ASSET"});
    let mut accounts = Vec::new();
    for code in ["BOOKS-1", "BOOKS-2", "BOOKS-3", "BOOKS-4"] {
        let created = manager.done("accountCreate", account(code)).await;
        accounts.push(created["account"]["id"].clone());
    }
    manager
        .done("accountArchive", json!({"id": accounts[3]}))
        .await;
    let year = json!({"name": "2020", "startsOn": "2020-01-01", "endsOn": "2020-12-31", "periods": [
        {"name": "First half", "startsOn": "2020-01-01"}, {"name": "Second half", "startsOn": "2020-07-01"}]});
    let year = manager.done("fiscalYearCreate", year).await["fiscalYear"].take();
    let half = &year["periods"][0]["id"];
    let lines = json!([{"accountId": accounts[0], "debit": "1"}, {"accountId": accounts[1], "credit": "1"}]);
    let entry = json!({"date": "2020-08-01", "lines": lines});
    let posted = manager.done("journalPost", entry.clone()).await;
    let mut cases = ledger_cases(manager, &accounts).await;
    cases.extend(vec![
        Case::new(
            "journalImportCreate",
            json!({"format": "HLEDGER", "shade": 1}),
            "shade",
            json!(2),
        ),
        Case::new(
            "reportExportCreate",
            json!({"report": "BALANCE_SHEET", "asOf": ["2020-12-31"]}),
            "asOf",
            json!(["2020-11-30"]),
        ),
        Case::new(
            "accountCreate",
            account("BOOKS-5"),
            "code",
            json!("BOOKS-6"),
        ),
        Case::new(
            "accountUpdate",
            json!({"id": accounts[0], "name": english("Other")}),
            "name",
            english("Another"),
        ),
        Case::new(
            "accountArchive",
            json!({"id": accounts[2]}),
            "id",
            accounts[1].clone(),
        ),
        Case::new(
            "accountRestore",
            json!({"id": accounts[3]}),
            "id",
            accounts[1].clone(),
        ),
        Case::new(
            "accountTemplateApply",
            json!({"template": "GENERAL_RETAIL"}),
            "template",
            json!("JEWELLER"),
        ),
        Case::new(
            "fiscalYearCreate",
            json!({"name": "2021", "startsOn": "2021-01-01", "endsOn": "2021-12-31"}),
            "name",
            json!("2022"),
        ),
        Case::new("journalPost", entry.clone(), "description", json!("Why")),
        Case::new(
            "journalPostBulk",
            json!({"entries": [entry]}),
            "entries",
            json!([entry, entry]),
        ),
        Case::new(
            "journalReverse",
            json!({"id": posted["entry"]["id"], "date": "2020-08-02"}),
            "date",
            json!("2020-08-03"),
        ),
        Case::new(
            "periodClose",
            json!({"id": half}),
            "expectedVersion",
            json!(1),
        ),
        Case::new(
            "periodReopen",
            json!({"id": half, "reason": "Forgotten"}),
            "reason",
            json!("Mistaken"),
        ),
    ]);
    cases
}

/// Mutations of subsidiary accounts, floors, holds, and of whole fiscal years.
async fn ledger_cases(manager: &Actor, accounts: &[Value]) -> Vec<Case> {
    let value = |code: &str| json!({"kind": "PARTY", "code": code, "name": english(code)});
    let mut values = Vec::new();
    for code in ["PARTY-1", "PARTY-2"] {
        let made = manager.done("dimensionValueCreate", value(code)).await;
        values.push(made["dimensionValue"]["id"].clone());
    }
    let archive = json!({"id": values[1]});
    manager.done("dimensionValueArchive", archive).await;
    let equity = json!({"code": "EQUITY", "name": english("Equity"), "kind": "EQUITY"});
    let equity = manager.done("accountCreate", equity).await["account"]["id"].take();
    let group =
        json!({"code": "GROUP", "name": english("Group"), "kind": "ASSET", "isGroup": true});
    let group = manager.done("accountCreate", group).await["account"]["id"].take();
    let inner = json!({"code": "INNER", "name": english("Inner"), "parentId": group});
    let inner = manager.done("accountCreate", inner).await["account"]["id"].take();
    let floor = json!({"accountId": inner, "amount": "0"});
    let floor = manager.done("accountFloorSet", floor).await["floor"]["id"].take();
    let mut years = Vec::new();
    // What stock is worth is booked today.
    let today = SystemClock.now().year().to_string();
    for name in ["2001", "2030", &today] {
        let year = json!({"name": name, "startsOn": format!("{name}-01-01"), "endsOn": format!("{name}-12-31")});
        years.push(manager.done("fiscalYearCreate", year).await["fiscalYear"]["id"].take());
    }
    let earned = json!({"code": "EARNED", "name": english("Earned"), "kind": "REVENUE"});
    let earned = manager.done("accountCreate", earned).await["account"]["id"].take();
    for day in ["2001-05-01", "2030-05-01"] {
        let lines =
            json!([{"accountId": accounts[0], "debit": "1"}, {"accountId": earned, "credit": "1"}]);
        manager
            .done("journalPost", json!({"date": day, "lines": lines}))
            .await;
    }
    let stock = json!({"code": "STOCK-1", "name": english("Stock"), "kind": "ASSET"});
    let stock = manager.done("accountCreate", stock).await["account"]["id"].take();
    let roles = [
        "GOODS_RECEIVED",
        "COST_OF_GOODS_SOLD",
        "STOCK_FOUND",
        "STOCK_LOST",
        "PRODUCTION",
        "OPENING",
    ];
    let roles = roles
        .iter()
        .map(|role| json!({"role": role, "accountId": equity}));
    let of_stock = [json!({"role": "INVENTORY", "accountId": stock})];
    let of_stock: Vec<_> = of_stock.into_iter().chain(roles).collect();
    let close = json!({"id": years[0], "retainedEarningsAccountId": equity});
    manager.done("fiscalYearClose", close).await;
    let lines = json!([{"accountId": accounts[0], "debit": "1"}, {"accountId": accounts[1], "credit": "1"}]);
    let mut holds = Vec::new();
    for _ in 0..2 {
        let hold = manager.done("journalHold", json!({"lines": lines})).await;
        holds.push(hold["hold"]["id"].clone());
    }
    // Something that is worth more by now than when it was posted.
    let dollars = json!([{"accountId": accounts[0], "debit": "1", "commodity": "USD"}, {"accountId": accounts[1], "credit": "1", "commodity": "USD"}]);
    let entry = json!({"date": "2030-05-02", "lines": dollars});
    manager.done("journalPost", entry).await;
    let beside = json!({"code": "BESIDE", "name": english("Beside"), "kind": "ASSET"});
    let beside = manager.done("accountCreate", beside).await["account"]["id"].take();
    for (role, account) in [
        ("EXCHANGE_DIFFERENCE", &earned),
        ("ASSET_VALUATION", &beside),
    ] {
        let role = json!({"role": role, "accountId": account});
        manager.done("accountRoleSet", role).await;
    }
    let rate =
        json!({"commodity": "USD", "rate": "1000000", "date": "2001-01-01", "source": "Bazaar"});
    manager.done("exchangeRateRecord", rate).await;
    let mut drafts = Vec::new();
    for _ in 0..3 {
        let draft = json!({"date": "2030-06-01", "lines": lines});
        let draft = manager.done("journalDraftCreate", draft).await;
        drafts.push(draft["draft"]["id"].clone());
    }
    let mut attached = Vec::new();
    for _ in 0..2 {
        let file = File {
            bytes: b"receipt".to_vec(),
            name: "a.txt".into(),
            content_type: "text/plain".into(),
        };
        let input = json!({"input": {"draftId": drafts[0], "name": "a.txt"}});
        let add = document("journalAttachmentAdd");
        let mut added = manager.upload(&add, input, file).await.ok();
        attached.push(added["journalAttachmentAdd"]["attachment"]["id"].take());
    }
    vec![
        Case::new(
            "journalDraftCreate",
            json!({"lines": lines}),
            "description",
            json!("Why"),
        ),
        Case::new(
            "journalDraftUpdate",
            json!({"id": drafts[0], "description": "Why"}),
            "description",
            json!("How"),
        ),
        Case::new(
            "journalDraftDiscard",
            json!({"id": drafts[1]}),
            "id",
            drafts[0].clone(),
        ),
        Case::new(
            "journalDraftPost",
            json!({"id": drafts[2]}),
            "id",
            drafts[0].clone(),
        ),
        Case::new(
            "journalAttachmentAdd",
            json!({"draftId": drafts[0], "name": "a.txt", "shade": 1}),
            "shade",
            json!(2),
        ),
        Case::new(
            "journalAttachmentRemove",
            json!({"id": attached[0]}),
            "id",
            attached[1].clone(),
        ),
        Case::new(
            "journalRevalue",
            json!({"date": "2030-06-01"}),
            "date",
            json!("2030-06-02"),
        ),
        Case::new(
            "accountValuationSet",
            json!({"accountId": accounts[0], "valuationAccountId": beside}),
            "valuationAccountId",
            json!(null),
        ),
        Case::new(
            "exchangeRateRecord",
            json!({"commodity": "USD", "rate": "1100000", "source": "Bazaar"}),
            "rate",
            json!("1100001"),
        ),
        Case::new(
            "dimensionValueCreate",
            value("PARTY-3"),
            "code",
            json!("PARTY-4"),
        ),
        Case::new(
            "dimensionValueUpdate",
            json!({"id": values[0], "name": english("Other")}),
            "name",
            english("Another"),
        ),
        Case::new(
            "dimensionValueArchive",
            json!({"id": values[0]}),
            "id",
            values[1].clone(),
        ),
        Case::new(
            "dimensionValueRestore",
            json!({"id": values[1]}),
            "id",
            values[0].clone(),
        ),
        Case::new(
            "accountMove",
            json!({"id": inner}),
            "expectedVersion",
            json!(7),
        ),
        Case::new(
            "accountImport",
            json!({"csv": "code,name_en,kind\nTABLE-1,One,asset\n"}),
            "csv",
            json!("code,name_en,kind\nTABLE-2,One,asset\n"),
        ),
        Case::new(
            "accountFloorSet",
            json!({"accountId": accounts[0], "amount": "-1000"}),
            "amount",
            json!("-2000"),
        ),
        Case::new(
            "accountFloorClear",
            json!({"id": floor}),
            "expectedVersion",
            json!(7),
        ),
        Case::new(
            "accountRoleSet",
            json!({"role": "RETAINED_EARNINGS", "accountId": equity}),
            "accountId",
            accounts[0].clone(),
        ),
        Case::new(
            "stockAccountsSet",
            json!({"accounts": of_stock}),
            "expectedVersion",
            json!(7),
        ),
        Case::new(
            "journalHold",
            json!({"lines": lines}),
            "description",
            json!("Why"),
        ),
        Case::new(
            "journalHoldPost",
            json!({"id": holds[0], "date": "2030-06-01"}),
            "date",
            json!("2030-06-02"),
        ),
        Case::new(
            "journalHoldVoid",
            json!({"id": holds[1]}),
            "id",
            holds[0].clone(),
        ),
        Case::new(
            "fiscalYearReopen",
            json!({"id": years[0], "reason": "Forgotten"}),
            "reason",
            json!("Mistaken"),
        ),
        Case::new(
            "fiscalYearClose",
            json!({"id": years[0], "retainedEarningsAccountId": equity}),
            "id",
            years[1].clone(),
        ),
    ]
}

/// Every mutation of stock.
async fn stock_cases(manager: &Actor, shelf: &str) -> Vec<Case> {
    let [tray, safe] = ["STOCK-TRAY", "STOCK-SAFE"];
    let tray = manager.location(tray, "TRAY", None).await;
    let safe = manager.location(safe, "SAFE", None).await;
    let item = manager.item_kept("STOCK", shelf, "NONE").await;
    let batch = manager.item_kept("BATCH", shelf, "LOT").await;
    let bought = |line: Value| json!({"reason": "PURCHASED", "lines": [line]});
    let many = bought(json!({"itemId": item, "toId": tray, "quantity": 100}));
    let received = manager.done("stockReceive", many.clone()).await;
    let freight = |entry: &Value| json!({"entryId": entry, "kind": "FREIGHT", "method": "QUANTITY", "amount": "1.01"});
    let borne = manager.done("stockReceive", many.clone()).await["entry"]["id"].take();
    let landed =
        manager.done("stockLandedCostAdd", freight(&borne)).await["landedCost"]["id"].take();
    let lot =
        bought(json!({"itemId": batch, "toId": tray, "quantity": 9, "lot": {"number": "B1"}}));
    let lot =
        manager.done("stockReceive", lot).await["entry"]["movements"]["nodes"][0]["lot"]["id"]
            .take();
    let held = json!({"consumer": "order", "lines": [{"itemId": item, "locationId": tray, "quantity": 5}]});
    let held = manager.done("stockReserve", held).await["reservations"][0]["id"].take();
    let one = json!([{"itemId": item, "fromId": tray, "quantity": 1}]);
    let two = json!([{"itemId": item, "fromId": tray, "quantity": 2}]);
    let moved = |quantity: i64| json!([{"itemId": item, "fromId": tray, "toId": safe, "quantity": quantity}]);
    let found = |quantity: i64| json!([{"itemId": item, "locationId": tray, "quantity": quantity}]);
    let parts = json!([{"itemId": batch, "lotId": lot, "fromId": tray, "quantity": 3}]);
    let made = |number: &str| json!([{"itemId": batch, "toId": tray, "quantity": 3, "lot": {"number": number}}]);
    let transfer = |quantity: i64| json!({"fromId": tray, "toId": safe, "lines": [{"itemId": item, "quantity": quantity}]});
    let mut wanted = Vec::new();
    for steps in [
        &[][..],
        &["stockTransferPick"],
        &["stockTransferPick", "stockTransferSend"],
        &[],
    ] {
        let asked = manager.done("stockTransferCreate", transfer(2)).await;
        let id = asked["transfer"]["id"].clone();
        for step in steps {
            manager.done(step, json!({"id": id})).await;
        }
        wanted.push(id);
    }
    let mut cases = vec![
        Case::new("stockReceive", many, "document", json!("D-1")),
        Case::new("stockMove", json!({"lines": moved(1)}), "lines", moved(2)),
        Case::new(
            "stockIssue",
            json!({"reason": "SOLD", "lines": one}),
            "lines",
            two,
        ),
        Case::new(
            "stockAdjust",
            json!({"reason": "FOUND", "lines": found(1)}),
            "lines",
            found(2),
        ),
        Case::new(
            "stockTransform",
            json!({"reason": "SPLIT", "inputs": parts, "outputs": made("B2")}),
            "outputs",
            made("B3"),
        ),
        Case::new(
            "stockReverse",
            json!({"id": received["entry"]["id"]}),
            "note",
            json!("other"),
        ),
        Case::new("stockLandedCostAdd", freight(&borne), "amount", json!("2")),
        Case::new(
            "stockLandedCostReverse",
            json!({"id": landed}),
            "description",
            json!("other"),
        ),
        Case::new(
            "stockReserve",
            json!({"consumer": "cart", "lines": [{"itemId": item, "locationId": safe, "quantity": 1}]}),
            "consumer",
            json!("order"),
        ),
        Case::new(
            "stockReservationRelease",
            json!({"id": held}),
            "quantity",
            json!("1"),
        ),
        Case::new("stockTransferCreate", transfer(1), "note", json!("Why")),
        Case::new(
            "stockTransferPick",
            json!({"id": wanted[0]}),
            "lines",
            json!([{"line": 1, "quantity": 0}]),
        ),
        Case::new(
            "stockTransferSend",
            json!({"id": wanted[1]}),
            "lines",
            json!([{"line": 1, "weight": 1}]),
        ),
        Case::new(
            "stockTransferReceive",
            json!({"id": wanted[2]}),
            "isLast",
            json!(true),
        ),
        Case::new(
            "stockTransferCancel",
            json!({"id": wanted[3]}),
            "id",
            json!(wanted[0]),
        ),
        Case::new(
            "jobEnqueue",
            json!({"errand": "RENDER_CODE", "itemId": item}),
            "priority",
            json!(5),
        ),
        Case::new(
            "queuePause",
            json!({"queue": "media"}),
            "queue",
            json!("codes"),
        ),
        Case::new(
            "queueResume",
            json!({"queue": "bulk"}),
            "queue",
            json!("codes"),
        ),
        Case::new("stockReconcile", json!({}), "note", json!("Why")),
        Case::new("auditVerify", json!({}), "note", json!("Why")),
        Case::new("ledgerVerify", json!({}), "note", json!("Why")),
        Case::new(
            "lotUpdate",
            json!({"id": lot, "certificateNumber": "C-1"}),
            "certificateNumber",
            json!("C-2"),
        ),
        Case::new(
            "shopSet",
            json!({"currency": "IRR"}),
            "currency",
            json!("EUR"),
        ),
        Case::new(
            "itemStockingSet",
            json!({"itemId": manager.item("WEIGHED", shelf).await, "isWeighed": true}),
            "weightTolerance",
            json!("0.01"),
        ),
    ];
    cases.extend(count_cases(manager, &item).await);
    cases
}

/// Every mutation of schedules, each of one of its own.
async fn schedule_cases(manager: &Actor) -> Vec<Case> {
    let new = |name: &str| json!({"name": name, "cron": "0 2 * * *", "errand": "VERIFY_TRAIL"});
    let mut made = Vec::new();
    for name in ["Changed", "Resting", "Going on", "Gone", "Run", "Other"] {
        let created = manager.done("scheduleCreate", new(name)).await;
        made.push(created["schedule"]["id"].clone());
    }
    manager.done("schedulePause", json!({"id": made[2]})).await;
    let other = &made[5];
    let of = |mutation: &'static str, place: usize| {
        Case::new(mutation, json!({"id": made[place]}), "id", other.clone())
    };
    let change = json!({"id": made[0], "cron": "0 3 * * *"});
    vec![
        Case::new("scheduleCreate", new("New"), "cron", json!("0 4 * * *")),
        Case::new("scheduleUpdate", change, "cron", json!("0 5 * * *")),
        of("schedulePause", 1),
        of("scheduleResume", 2),
        of("scheduleDelete", 3),
        of("scheduleRunNow", 4),
    ]
}

/// Every mutation of counts, each of a count and a place of its own.
async fn count_cases(manager: &Actor, item: &str) -> Vec<Case> {
    let mut counts = Vec::new();
    let mut places = Vec::new();
    for number in 0..6 {
        let place = manager
            .location(&format!("COUNTED-{number}"), "TRAY", None)
            .await;
        manager.receive(item, &place, 1).await;
        places.push(place);
    }
    let scans = |place: usize, id: &str| json!([{"scanId": id, "itemId": item, "locationId": places[place]}]);
    for (place, steps) in [
        &[][..],
        &[],
        &["stockCountFinish"],
        &["stockCountFinish"],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        let opened = json!({"locationId": places[place]});
        let id = manager.done("stockCountOpen", opened).await["count"]["id"].take();
        for step in steps {
            manager.done(step, json!({"id": id})).await;
        }
        counts.push(id);
    }
    vec![
        Case::new(
            "stockCountOpen",
            json!({"locationId": places[5]}),
            "note",
            json!("Why"),
        ),
        Case::new(
            "stockCountScan",
            json!({"id": counts[0], "scans": scans(0, "1")}),
            "scans",
            scans(0, "2"),
        ),
        Case::new(
            "stockCountFinish",
            json!({"id": counts[1]}),
            "id",
            json!(counts[0]),
        ),
        Case::new(
            "stockCountRecount",
            json!({"id": counts[2]}),
            "lines",
            json!([1]),
        ),
        Case::new(
            "stockCountApprove",
            json!({"id": counts[3]}),
            "id",
            json!(counts[0]),
        ),
        Case::new(
            "stockCountCancel",
            json!({"id": counts[4]}),
            "id",
            json!(counts[0]),
        ),
    ]
}

const MUTATIONS: &str = "{ __schema { mutationType { fields {
    name args { type { ofType { inputFields { name } } } }
} } } }";

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_that_takes_a_key_is_tested_here() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let schema = manager.ok(MUTATIONS, json!({})).await;
    let takes_key = |mutation: &&Value| {
        let fields = mutation["args"][0]["type"]["ofType"]["inputFields"].as_array();
        fields.is_some_and(|fields| fields.iter().any(|field| field["name"] == "idempotencyKey"))
    };
    let mutations = schema["__schema"]["mutationType"]["fields"]
        .as_array()
        .unwrap();
    let with_key: BTreeSet<_> = mutations
        .iter()
        .filter(takes_key)
        .map(|mutation| mutation["name"].as_str().unwrap())
        .collect();
    let cases = cases(&manager).await;
    let tested: BTreeSet<_> = cases
        .iter()
        .map(|case| case.mutation)
        .chain(OF_PEOPLE)
        .chain(OF_JOBS)
        .chain(OF_OWNERS)
        .chain(OF_BACKUPS)
        .collect();
    assert_eq!(with_key, tested);
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(app.sql())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_same_answer_and_changes_nothing_again() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for case in cases(&manager).await {
        let first = case.send(&manager, &case.input, case.mutation).await.ok();
        let before = (
            count(&app, "audit").await,
            count(&app, "event").await,
            count(&app, "job").await,
        );
        let again = case.send(&manager, &case.input, case.mutation).await.ok();
        assert_eq!(again, first, "{}", case.mutation);
        let after = (
            count(&app, "audit").await,
            count(&app, "event").await,
            count(&app, "job").await,
        );
        assert_eq!(after, before, "{}: audit rows, events, jobs", case.mutation);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_request_is_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut keys = Vec::new();
    for case in cases(&manager).await {
        let _first = case.send(&manager, &case.input, case.mutation).await.ok();
        let other = case.send(&manager, &case.other, case.mutation).await;
        assert_eq!(
            other.refused(),
            [("IDEMPOTENCY_KEY_REUSED".into(), "idempotencyKey".into())],
            "{}",
            case.mutation
        );
        keys.push(case.mutation);
    }
    let elsewhere = manager
        .not_done(
            "categoryCreate",
            json!({"name": english("New"), "idempotencyKey": keys[1]}),
        )
        .await;
    assert_eq!(
        elsewhere[0].0, "IDEMPOTENCY_KEY_REUSED",
        "a key of one mutation is no key of another"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_send_the_same_at_once_change_it_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for case in cases(&manager).await {
        let before = count(&app, "audit").await;
        let answers =
            join_all((0..10).map(|_| case.send(&manager, &case.input, case.mutation))).await;
        let mut answers = answers.into_iter().map(Answer::ok);
        let first = answers.next().unwrap();
        assert!(answers.all(|answer| answer == first), "{}", case.mutation);
        // Steps of a transfer or a count leave a trail of what they hold or move, too.
        let once = match case.mutation {
            "stockTransferPick"
            | "stockTransferSend"
            | "stockTransferReceive"
            | "stockCountApprove"
            // What a schedule asks for does.
            | "scheduleRunNow"
            // So do entries that end a hold or a draft, or close a year with its periods.
            | "journalHoldPost"
            | "journalDraftPost"
            | "fiscalYearClose"
            | "fiscalYearReopen" => 2,
            // Each account has a trail of its own.
            "accountTemplateApply" => first["accountTemplateApply"]["accounts"]
                .as_array()
                .map_or(0, Vec::len),
            _ => 1,
        };
        let after = count(&app, "audit").await;
        let once = i64::try_from(once).unwrap();
        assert_eq!(after, before + once, "{}", case.mutation);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_the_one_who_used_it() {
    let app = TestApp::start().await;
    let (manager, owner) = (app.manager().await, app.owner().await);
    let input = json!({"name": english("Rings"), "idempotencyKey": "key"});
    let one = manager.done("categoryCreate", input.clone()).await["category"]["id"].take();
    let other = owner.done("categoryCreate", input).await["category"]["id"].take();
    assert_ne!(one, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_its_key_free() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let refused = json!({"name": english(""), "idempotencyKey": "key"});
    assert_eq!(
        manager.not_done("categoryCreate", refused).await[0].0,
        "REQUIRED"
    );
    let rings = manager.category("Rings", None).await;
    let cycle = json!({"id": rings, "parentId": rings, "idempotencyKey": "key"});
    assert_eq!(manager.not_done("categoryMove", cycle).await[0].0, "CYCLE");
    manager
        .done(
            "categoryCreate",
            json!({"name": english("Tools"), "idempotencyKey": "key"}),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_checked() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (key, code) in [
        (String::new(), "REQUIRED"),
        ("x".repeat(256), "TOO_LONG"),
        ("a\u{0}".to_owned(), "INVALID_FORMAT"),
    ] {
        let refused = manager
            .not_done(
                "categoryCreate",
                json!({"name": english("Rings"), "idempotencyKey": key}),
            )
            .await;
        assert_eq!(refused, [(code.to_owned(), "idempotencyKey".to_owned())]);
    }
    manager
        .done(
            "categoryCreate",
            json!({"name": english("Rings"), "idempotencyKey": "گ".repeat(255)}),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_takes_its_key_too() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (rings, tools) = (
        manager.category("Rings", None).await,
        manager.category("Tools", None).await,
    );
    manager.done("categoryArchive", json!({"id": rings})).await;
    manager
        .done(
            "categoryArchive",
            json!({"id": rings, "idempotencyKey": "key"}),
        )
        .await;
    let other = manager
        .not_done(
            "categoryArchive",
            json!({"id": tools, "idempotencyKey": "key"}),
        )
        .await;
    assert_eq!(other[0].0, "IDEMPOTENCY_KEY_REUSED");
}

const USER_CREATE: &str = "mutation($input: UserCreateInput!) { userCreate(input: $input) { user { id } userErrors { code path } } }";
const TOKEN_CREATE: &str = "mutation($input: ApiTokenCreateInput!) {
    apiTokenCreate(input: $input) { apiToken { id } secret userErrors { code path } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn users_are_created_once_and_the_password_belongs_to_the_request() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let input = |password: &str| json!({"input": {"email": "new@example.com", "displayName": "New", "password": password, "roles": ["clerk"], "idempotencyKey": "key"}});
    let answers =
        join_all((0..10).map(|_| owner.ok(USER_CREATE, input("a long enough password")))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let other = owner
        .refused(USER_CREATE, input("another long password"))
        .await;
    assert_eq!(other[0].0, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tokens_secret_is_shown_once() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let expires = app.domain().now() + chrono::TimeDelta::days(1);
    let input = json!({"input": {"name": "Till", "permissions": ["catalogue.read"], "expiresAt": expires, "idempotencyKey": "key"}});
    let first = owner.ok(TOKEN_CREATE, input.clone()).await["apiTokenCreate"].take();
    let again = owner.ok(TOKEN_CREATE, input).await["apiTokenCreate"].take();
    assert_eq!(again["apiToken"], first["apiToken"]);
    assert!(first["secret"].is_string());
    assert_eq!(again["secret"], Value::Null);
}

const USER_UPDATE: &str = "mutation($input: UserUpdateInput!) { userUpdate(input: $input) { user { displayName version } userErrors { code path } } }";
const TOKEN_REVOKE: &str = "mutation($input: ApiTokenRevokeInput!) { apiTokenRevoke(input: $input) { apiToken { id revokedAt } userErrors { code path } } }";

#[tokio::test(flavor = "multi_thread")]
async fn users_are_changed_and_tokens_revoked_once() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let clerk = global_id("User", &app.user("clerk").await.id.0.simple().to_string());
    let token = json!({"input": {"name": "Till", "permissions": ["catalogue.read"], "expiresAt": app.domain().now() + chrono::TimeDelta::days(1)}});
    let token = owner.ok(TOKEN_CREATE, token).await["apiTokenCreate"]["apiToken"]["id"].take();
    for (mutation, input, other) in [
        (
            USER_UPDATE,
            json!({"id": clerk, "displayName": "One"}),
            json!({"id": clerk, "displayName": "Two"}),
        ),
        (
            TOKEN_REVOKE,
            json!({"id": token}),
            json!({"id": global_id("ApiToken", "01930000000070008000000000abcdef")}),
        ),
    ] {
        let before = count(&app, "audit").await;
        let with_key = |mut input: Value| {
            input["idempotencyKey"] = json!(&mutation[..40]);
            json!({"input": input})
        };
        let answers = join_all((0..10).map(|_| owner.ok(mutation, with_key(input.clone())))).await;
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{mutation}"
        );
        assert_eq!(count(&app, "audit").await, before + 1, "{mutation}");
        let refused = owner.refused(mutation, with_key(other)).await;
        assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED", "{mutation}");
    }
}

const PASSWORD_CHANGE: &str = "mutation($input: UserPasswordChangeInput!) {
    userPasswordChange(input: $input) { user { email version } userErrors { code path } }
}";
const NEW_PASSWORD: &str = "another long password";

fn password_change(new: &str) -> Value {
    json!({"input": {"oldPassword": PASSWORD, "newPassword": new, "idempotencyKey": "key"}})
}

/// The same actor with the session that the answer begins.
fn in_new_session(actor: &Actor, answer: &Answer) -> Actor {
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    actor.with_header(COOKIE.as_str(), cookie.split(';').next().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_once() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let before = count(&app, "audit").await;
    let first = owner
        .gql(PASSWORD_CHANGE, password_change(NEW_PASSWORD))
        .await;
    let owner = in_new_session(&owner, &first);
    let again = owner
        .gql(PASSWORD_CHANGE, password_change(NEW_PASSWORD))
        .await;
    let owner = in_new_session(&owner, &again);
    assert_eq!(again.ok(), first.ok());
    assert_eq!(count(&app, "audit").await, before + 1);
    let other = owner
        .refused(PASSWORD_CHANGE, password_change("yet another password"))
        .await;
    assert_eq!(other[0].0, "IDEMPOTENCY_KEY_REUSED");
    app.anonymous()
        .logged_in("owner@example.com", NEW_PASSWORD)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_ten_times_at_once_is_changed_once() {
    // Each counts as an attempt at a password for as long as it goes on.
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__LOGIN_ATTEMPTS", 20)
        .start()
        .await;
    let owner = app.owner().await;
    let before = count(&app, "audit").await;
    let change = || owner.gql(PASSWORD_CHANGE, password_change(NEW_PASSWORD));
    // The first to be done ends the session of those who have not yet shown it.
    let (late, done): (Vec<_>, Vec<_>) = join_all((0..10).map(|_| change()))
        .await
        .into_iter()
        .partition(|answer| answer.status == 401);
    assert!(
        late.iter()
            .all(|answer| answer.codes() == ["UNAUTHENTICATED"]),
        "{late:?}"
    );
    let done: Vec<_> = done.into_iter().map(Answer::ok).collect();
    assert!(
        !done.is_empty() && done.iter().all(|data| *data == done[0]),
        "{done:?}"
    );
    assert_eq!(count(&app, "audit").await, before + 1);
    app.anonymous()
        .logged_in("owner@example.com", NEW_PASSWORD)
        .await;
}
