//! Who may do what: the whole schema is walked, so that nothing new is open by mistake.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Map, Value, json};
use tests::{
    actor::{Actor, File},
    answer::Answer,
    app::TestApp,
    picture,
    shop::{document, global_id},
    subscription::Received,
};

/// What nobody in particular may ask.
const PUBLIC: [&str; 2] = ["me", "login"];
/// What nobody in particular gets to see below that. `me` shows nothing: it is null as long as nobody has logged in.
const PUBLIC_BELOW: [&str; 5] = [
    "login.userErrors.code",
    "login.userErrors.message",
    "login.userErrors.params.name",
    "login.userErrors.params.value",
    "login.userErrors.path",
];
/// What every user may do to themselves.
const FOR_ONESELF: [&str; 6] = [
    "login",
    "logout",
    "sessionRevoke",
    "userPasswordChange",
    "apiTokenCreate",
    "apiTokenRevoke",
];

/// Mutations that come with a file.
const UPLOADS: [&str; 4] = [
    "itemImageUpload",
    "itemImportCreate",
    "journalAttachmentAdd",
    "journalImportCreate",
];
/// Mutations that change nothing of the catalogue.
const FOR_READERS: [&str; 7] = [
    "codeBatchCreate",
    "itemExportCreate",
    "labelSheetCreate",
    "savedViewCreate",
    "savedViewUpdate",
    "savedViewDelete",
    "savedViewDefaultSet",
];

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { name kind isOneOf possibleTypes { name } enumValues { name } inputFields { ...input } fields { name type { ...type } args { ...input } } }
} }
fragment input on __InputValue { name defaultValue type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The schema as introspection tells it.
struct Schema {
    roots: Value,
    types: Vec<Value>,
}

impl Schema {
    async fn read(actor: &Actor) -> Self {
        let mut data = actor.ok(INTROSPECTION, json!({})).await["__schema"].take();
        let types = data["types"].as_array().unwrap().clone();
        Self {
            roots: data.take(),
            types,
        }
    }

    fn kind(&self, name: &str) -> &Value {
        self.types.iter().find(|kind| kind["name"] == name).unwrap()
    }

    /// The fields of a root: `queryType` and so on.
    fn fields(&self, root: &str) -> &[Value] {
        self.kind(self.roots[root]["name"].as_str().unwrap())["fields"]
            .as_array()
            .unwrap()
    }

    /// A document that asks for one field with the least arguments that are valid, and their values.
    fn request(&self, operation: &str, field: &Value) -> (String, Value) {
        self.request_below(operation, &[field])
    }

    /// A document that asks for the last of these fields, each a member of the one in front of it.
    fn request_below(&self, operation: &str, path: &[&Value]) -> (String, Value) {
        let all: Vec<_> = path.iter().flat_map(needed).collect();
        let declared = all.iter().map(|(field, argument)| {
            format!(
                "${field}_{}: {}",
                name(argument),
                written(&argument["type"])
            )
        });
        let values = all.iter().map(|(field, argument)| {
            (
                format!("{field}_{}", name(argument)),
                self.value(field, argument),
            )
        });
        let innermost = if is_leaf(path[path.len() - 1]) {
            ""
        } else {
            "{ __typename }"
        };
        let selection = path
            .iter()
            .rev()
            .fold(innermost.to_owned(), |below, field| {
                let passed = needed(field)
                    .into_iter()
                    .map(|(field, argument)| format!("{0}: ${field}_{0}", name(argument)));
                format!("{{ {}{} {below} }}", name(field), in_brackets(passed))
            });
        let values = values.collect();
        (
            format!("{operation}{} {selection}", in_brackets(declared)),
            Value::Object(values),
        )
    }

    /// Every way from this field down to a value. No type is entered twice: its fields were asked for already.
    fn leaves<'a>(&'a self, field: &'a Value) -> Vec<Vec<&'a Value>> {
        let mut found = Vec::new();
        self.descend(&mut vec![field], &mut Vec::new(), &mut found);
        found
    }

    fn descend<'a>(
        &'a self,
        path: &mut Vec<&'a Value>,
        entered: &mut Vec<&'a str>,
        found: &mut Vec<Vec<&'a Value>>,
    ) {
        let field = path[path.len() - 1];
        if is_leaf(field) {
            found.push(path.clone());
            return;
        }
        let kind = name(named(&field["type"]));
        if entered.contains(&kind) {
            return;
        }
        entered.push(kind);
        // A union has no fields: the first that is public would have to be taught to this walk.
        for member in self.kind(kind)["fields"].as_array().unwrap() {
            path.push(member);
            self.descend(path, entered, found);
            path.pop();
        }
        entered.pop();
    }

    /// The least value that is valid for an argument or input field.
    fn value(&self, field: &str, input: &Value) -> Value {
        self.value_of(field, name(input), &input["type"])
    }

    fn value_of(&self, field: &str, name: &str, kind: &Value) -> Value {
        match kind["kind"].as_str().unwrap() {
            "NON_NULL" => self.value_of(field, name, &kind["ofType"]),
            "LIST" => json!([self.value_of(field, name, &kind["ofType"])]),
            "ENUM" => self.kind(self::name(kind))["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => self.object(field, self.kind(self::name(kind))),
            _ => scalar(field, name, self::name(kind)),
        }
    }

    fn object(&self, field: &str, kind: &Value) -> Value {
        let members = kind["inputFields"].as_array().unwrap();
        let taken: Vec<_> = match kind["isOneOf"].as_bool() {
            Some(true) => members.iter().take(1).collect(),
            _ => members.iter().filter(|member| is_needed(member)).collect(),
        };
        let values: Map<_, _> = taken
            .iter()
            .map(|member| (name(member).to_owned(), self.value(field, member)))
            .collect();
        Value::Object(values)
    }
}

/// The name of a field, an argument or a type.
fn name(named: &Value) -> &str {
    named["name"].as_str().unwrap()
}

/// Whether a field has no fields of its own.
fn is_leaf(field: &Value) -> bool {
    ["SCALAR", "ENUM"].contains(&named(&field["type"])["kind"].as_str().unwrap())
}

/// The arguments that a field needs, each with the field's name.
fn needed<'a>(field: &&'a Value) -> Vec<(&'a str, &'a Value)> {
    let arguments = field["args"].as_array().unwrap().iter();
    let needed = arguments.filter(|argument| is_needed(argument));
    needed.map(|argument| (name(field), argument)).collect()
}

fn in_brackets(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!("({})", texts.join(", "))
    }
}

fn is_needed(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

/// A type as documents write it.
fn written(kind: &Value) -> String {
    match kind["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&kind["ofType"])),
        "LIST" => format!("[{}]", written(&kind["ofType"])),
        _ => name(kind).to_owned(),
    }
}

fn named(kind: &Value) -> &Value {
    if kind["ofType"].is_null() {
        kind
    } else {
        named(&kind["ofType"])
    }
}

fn scalar(field: &str, name: &str, kind: &str) -> Value {
    match kind {
        "ID" => json!(global_id(
            type_behind(field, name),
            "01930000000070008000000000abcdef"
        )),
        "Int" => json!(1),
        "Boolean" => json!(true),
        "DateTime" => json!(DateTime::UNIX_EPOCH.to_rfc3339()),
        "Date" if name == "until" => json!("2026-03-22"),
        "Date" => json!("2026-03-21"),
        "Decimal" | "EventPosition" => json!("1"),
        "String" if name == "currency" => json!("IRR"),
        _ => json!("text"),
    }
}

/// Whose id an argument wants: the one in its own name, or else the one in the field's.
fn type_behind(field: &str, name: &str) -> &'static str {
    let of_name = [
        ("account", "Account"),
        ("retainedEarningsAccount", "Account"),
        ("valuationAccount", "Account"),
        ("subsidiary", "DimensionValue"),
        ("costCenter", "DimensionValue"),
        ("project", "DimensionValue"),
        ("fiscalYear", "FiscalYear"),
        ("entry", "StockEntry"),
        ("item", "Item"),
        ("image", "ItemImage"),
        ("location", "Location"),
        ("lot", "Lot"),
        ("within", "Location"),
        ("categ", "Category"),
        (
            "parent",
            if field.starts_with("account") {
                "Account"
            } else {
                "Category"
            },
        ),
        ("unit", "UnitOfMeasure"),
    ];
    let of_field = [
        ("accountFloor", "AccountFloor"),
        ("account", "Account"),
        ("dimensionValue", "DimensionValue"),
        ("fiscalYear", "FiscalYear"),
        ("journalAttachment", "JournalAttachment"),
        ("journalDraft", "JournalDraft"),
        ("journalHold", "JournalHold"),
        ("apiToken", "ApiToken"),
        ("auditVerification", "TrailVerification"),
        ("history", "Item"),
        ("stateAt", "Item"),
        ("backup", "Backup"),
        ("codeBatch", "CodeBatch"),
        ("itemExport", "ItemExport"),
        ("itemImage", "ItemImage"),
        ("itemImport", "ItemImport"),
        ("categor", "Category"),
        ("location", "Location"),
        ("retentionRun", "RetentionRun"),
        ("savedView", "SavedView"),
        ("schedule", "Schedule"),
        ("user", "User"),
        ("job", "Job"),
        ("journalImport", "JournalImport"),
        ("agedBalance", "Account"),
        ("journalLines", "Account"),
        ("journal", "JournalEntry"),
        ("labelSheet", "LabelSheet"),
        ("ledgerVerification", "LedgerVerification"),
        ("lot", "Lot"),
        ("period", "Period"),
        ("reportExport", "ReportExport"),
        ("stockCount", "StockCount"),
        ("stockEntr", "StockEntry"),
        ("stockLandedCost", "StockLandedCost"),
        ("stockReconciliation", "StockReconciliation"),
        ("stockReservation", "StockReservation"),
        ("stockTransfer", "StockTransfer"),
        ("unit", "UnitOfMeasure"),
    ];
    let of_name = of_name.iter().find(|(start, _)| name.starts_with(start));
    let found = of_name.or_else(|| of_field.iter().find(|(start, _)| field.starts_with(start)));
    found.map_or("Item", |(_, kind)| kind)
}

/// Asks for one field with valid arguments; files travel as files do.
async fn ask(actor: &Actor, schema: &Schema, operation: &str, field: &Value) -> Answer {
    let (text, mut variables) = schema.request(operation, field);
    if !UPLOADS.contains(&name(field)) {
        return actor.gql(&text, variables).await;
    }
    let input = format!("{}_input", name(field));
    let variables = json!({"input": variables[input].take()});
    let file = File {
        bytes: picture::small(1),
        name: "a.jpg".into(),
        content_type: "image/jpeg".into(),
    };
    actor.upload(&document(name(field)), variables, file).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_public_is_open_to_nobody() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let schema = Schema::read(&nobody).await;
    for (operation, root) in [("query", "queryType"), ("mutation", "mutationType")] {
        let mut asked = 0;
        for field in schema.fields(root) {
            let name = name(field);
            let answer = ask(&nobody, &schema, operation, field).await;
            if PUBLIC.contains(&name) {
                assert_eq!(answer.codes(), [""; 0], "{name}: {answer:?}");
            } else {
                assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{name}: {answer:?}");
                asked += 1;
            }
        }
        assert!(asked >= 5, "the walk has found the {operation} fields");
    }
}

/// What stands at this path of an answer: nothing, when it is null on the way. An empty list is an answer, too.
fn reached<'a>(data: &'a Value, path: &[&Value]) -> Option<&'a Value> {
    match (data, path) {
        (Value::Null, _) => None,
        (Value::Array(rows), _) if !rows.is_empty() => {
            rows.iter().find_map(|row| reached(row, path))
        }
        (Value::Object(fields), [field, rest @ ..]) => reached(&fields[name(field)], rest),
        (found, _) => Some(found),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_below_the_public_is_shown_to_nobody_but_what_is_public_too() {
    let app = TestApp::start().await;
    let _ids = one_of_each(&app).await;
    let nobody = app.anonymous();
    let schema = Schema::read(&nobody).await;
    let mut shown = BTreeSet::new();
    let mut asked = 0;
    for (operation, root) in [("query", "queryType"), ("mutation", "mutationType")] {
        let public = schema
            .fields(root)
            .iter()
            .filter(|field| PUBLIC.contains(&name(field)));
        for path in public.flat_map(|field| schema.leaves(field)) {
            let (text, variables) = schema.request_below(operation, &path);
            let answer = nobody.gql(&text, variables).await;
            let refused = answer.codes() == ["UNAUTHENTICATED"];
            assert!(refused || answer.errors.is_empty(), "{text}: {answer:?}");
            if reached(&answer.data, &path).is_some() {
                let names: Vec<_> = path.iter().map(|field| name(field)).collect();
                shown.insert(names.join("."));
            }
            asked += 1;
        }
    }
    assert!(asked > 20, "the walk has found the nested fields");
    assert_eq!(
        shown.iter().map(String::as_str).collect::<Vec<_>>(),
        PUBLIC_BELOW
    );
}

/// The ids of things there are, one of each type that can be asked for by its id alone.
async fn one_of_each(app: &TestApp) -> Vec<(&'static str, String)> {
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let job = app.job_about(&item).await.global_id();
    manager.picture(&item, picture::small(1)).await;
    let safe = manager.location("SAFE", "SAFE", None).await;
    let unit = manager.unit("piece").await;
    vec![
        ("Category", category),
        ("Item", item),
        ("Job", job),
        ("Location", safe),
        ("UnitOfMeasure", unit),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_is_open_to_nobody() {
    let app = TestApp::start().await;
    let (nobody, owner) = (app.anonymous(), app.actor("owner").await);
    let schema = Schema::read(&nobody).await;
    let nodes = one_of_each(&app).await;
    let mut possible: Vec<_> = schema.kind("Node")["possibleTypes"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect();
    possible.sort_unstable();
    let known: Vec<_> = nodes.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(possible, known, "each type of node has an id here");
    for (kind, id) in &nodes {
        for query in [
            "query($id: ID!) { node(id: $id) { __typename id } }",
            "query($id: ID!) { nodes(ids: [$id]) { __typename id } }",
        ] {
            let shown = owner.ok(query, json!({"id": id})).await.to_string();
            assert!(
                shown.contains(&format!("\"__typename\":\"{kind}\"")),
                "{shown}"
            );
            let answer = nobody.gql(query, json!({"id": id})).await;
            assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{kind}: {answer:?}");
            assert!(!answer.data.to_string().contains(id), "{kind}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_subscription_is_open_to_nobody() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let schema = Schema::read(&nobody).await;
    assert!(schema.fields("subscriptionType").len() >= 3);
    for field in schema.fields("subscriptionType") {
        let (text, variables) = schema.request("subscription", field);
        let mut subscription = nobody.subscribe(&text, variables).await;
        let received = subscription.receive().await;
        let (Received::Error(errors) | Received::Next(errors)) = &received else {
            panic!("{text}: {received:?}")
        };
        assert!(
            errors.to_string().contains("UNAUTHENTICATED"),
            "{text}: {received:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_changes_nothing_but_stock_and_hears_which_permission_it_takes() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let schema = Schema::read(&clerk).await;
    for field in schema.fields("mutationType") {
        let name = name(field);
        let is_of_stock = name.starts_with("stock") || name.starts_with("lot");
        let is_of_clerks = is_of_stock && !name.starts_with("stockLandedCost");
        if is_of_clerks && !["stockAccountsSet", "stockCountApprove"].contains(&name) {
            // A clerk moves stock.
            let answer = ask(&clerk, &schema, "mutation", field).await;
            assert_eq!(answer.codes(), [""; 0], "{name}: {answer:?}");
        } else if !FOR_ONESELF.contains(&name) && !FOR_READERS.contains(&name) {
            let answer = ask(&clerk, &schema, "mutation", field).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{name}: {answer:?}");
            let expected = match name {
                "auditVerify" => "audit.read",
                "fiscalYearClose" | "fiscalYearReopen" => "period.close",
                "itemImagesRegenerate" => "job.manage",
                "ledgerVerify" | "stockAccountsSet" => "books.manage",
                "stockLandedCostAdd" | "stockLandedCostReverse" => "cost.read",
                name if ["account", "fiscalYear", "dimensionValue"]
                    .iter()
                    .any(|start| name.starts_with(start)) =>
                {
                    "books.manage"
                }
                name if name.starts_with("journal") || name.starts_with("exchangeRate") => {
                    "books.post"
                }
                name if name.starts_with("backup") => "backup.manage",
                name if name.starts_with("report") => "books.read",
                name if name.starts_with("period") => "period.close",
                name if name.starts_with("user") => "user.manage",
                name if ["job", "queue", "deadLetters", "schedule"]
                    .iter()
                    .any(|start| name.starts_with(start)) =>
                {
                    "job.manage"
                }
                name if name.starts_with("retention") || name == "legalHoldSet" => {
                    "retention.manage"
                }
                name if name.starts_with("location") => "location.write",
                name if name.starts_with("metalRate") => "pricing.write",
                "stockCountApprove" => "stock.approve",
                "shopSet" => "shop.manage",
                _ => "catalogue.write",
            };
            // Files are refused before anybody has read which mutation they are for.
            if !UPLOADS.contains(&name) {
                assert_eq!(
                    answer.errors[0]["extensions"]["permission"], expected,
                    "{name}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_reads_the_catalogue_but_not_about_people() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let schema = Schema::read(&clerk).await;
    for field in schema.fields("queryType") {
        let name = name(field);
        let answer = ask(&clerk, &schema, "query", field).await;
        match name {
            "user"
            | "users"
            | "roles"
            | "stockValues"
            | "stockValueTotal"
            | "account"
            | "accounts"
            | "commodities"
            | "fiscalYears"
            | "generalLedger"
            | "journalEntries"
            | "journalEntry"
            | "ledgerVerification"
            | "ledgerVerify"
            | "trialBalance"
            | "accountRoles"
            | "dimensionValue"
            | "dimensionValues"
            | "exchangeRate"
            | "exchangeRates"
            | "journalDraft"
            | "journalDrafts"
            | "journalHold"
            | "journalHolds"
            | "subsidiaryBalances"
            | "subsidiaryLedger"
            | "stockBooking"
            | "inventoryAccounts"
            | "auditVerification"
            | "auditVerify"
            | "backup"
            | "backups"
            | "history"
            | "stateAt"
            | "stockLandedCost"
            | "stockLandedCosts"
            | "journalImport"
            | "agedBalances"
            | "agedBalanceTotals"
            | "journalLines"
            | "reportExport"
            | "trialBalanceReport"
            | "balanceSheet"
            | "profitAndLoss"
            | "cashFlow"
            | "metalBalance"
            | "accountValuations"
            | "journalRevaluationPreview"
            | "legalHold"
            | "retentionPolicies"
            | "retentionRun"
            | "retentionRuns" => {
                assert_eq!(answer.codes(), ["FORBIDDEN"], "{name}");
            }
            // Only a person who has logged in looks at sessions and tokens.
            "sessions" | "apiTokens" => assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{name}"),
            // Somebody's text is no time.
            "schedulePreview" => assert_eq!(answer.codes(), ["INVALID_CRON"], "{name}"),
            // Movements of nothing in particular are not asked for.
            "stockMovements" => assert_eq!(answer.codes(), ["REQUIRED"], "{name}"),
            _ => assert_eq!(answer.codes(), [""; 0], "{name}: {answer:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managers_token_does_not_manage_people() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let schema = Schema::read(&manager).await;
    let mutations = schema
        .fields("mutationType")
        .iter()
        .filter(|field| field["name"] == "userCreate" || field["name"] == "userUpdate");
    for field in mutations {
        let answer = ask(&manager, &schema, "mutation", field).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{}", field["name"]);
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
