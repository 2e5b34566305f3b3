//! Who may do what: the whole schema is walked, so that nothing new is open by mistake.

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
/// What every user may do to themselves.
const FOR_ONESELF: [&str; 6] = [
    "login",
    "logout",
    "sessionRevoke",
    "userPasswordChange",
    "apiTokenCreate",
    "apiTokenRevoke",
];

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { name kind isOneOf enumValues { name } inputFields { ...input } fields { name type { ...type } args { ...input } } }
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
        let name = field["name"].as_str().unwrap();
        let needed: Vec<_> = field["args"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|argument| is_needed(argument))
            .collect();
        let list = |separator: &str, text: &dyn Fn(&Value) -> String| {
            let texts: Vec<_> = needed.iter().map(|argument| text(argument)).collect();
            if texts.is_empty() {
                String::new()
            } else {
                format!("({})", texts.join(separator))
            }
        };
        let declared = list(", ", &|argument| {
            format!(
                "${}: {}",
                argument["name"].as_str().unwrap(),
                written(&argument["type"])
            )
        });
        let passed = list(", ", &|argument| {
            format!("{0}: ${0}", argument["name"].as_str().unwrap())
        });
        let is_leaf = ["SCALAR", "ENUM"].contains(&named(&field["type"])["kind"].as_str().unwrap());
        let selection = if is_leaf { "" } else { "{ __typename }" };
        let values = needed.iter().map(|argument| {
            (
                argument["name"].as_str().unwrap().to_owned(),
                self.value(name, argument),
            )
        });
        (
            format!("{operation}{declared} {{ {name}{passed} {selection} }}"),
            Value::Object(values.collect()),
        )
    }

    /// The least value that is valid for an argument or input field.
    fn value(&self, field: &str, input: &Value) -> Value {
        let name = input["name"].as_str().unwrap();
        self.value_of(field, name, &input["type"])
    }

    fn value_of(&self, field: &str, name: &str, kind: &Value) -> Value {
        match kind["kind"].as_str().unwrap() {
            "NON_NULL" => self.value_of(field, name, &kind["ofType"]),
            "LIST" => json!([self.value_of(field, name, &kind["ofType"])]),
            "ENUM" => self.kind(kind["name"].as_str().unwrap())["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => self.object(field, self.kind(kind["name"].as_str().unwrap())),
            _ => scalar(field, name, kind["name"].as_str().unwrap()),
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
            .map(|member| {
                (
                    member["name"].as_str().unwrap().to_owned(),
                    self.value(field, member),
                )
            })
            .collect();
        Value::Object(values)
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
        _ => kind["name"].as_str().unwrap().to_owned(),
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
        "Decimal" | "EventPosition" => json!("1"),
        _ => json!("text"),
    }
}

/// Whose id an argument wants: the one in its own name, or else the one in the field's.
fn type_behind(field: &str, name: &str) -> &'static str {
    let of_name = [
        ("item", "Item"),
        ("image", "ItemImage"),
        ("categ", "Category"),
        ("parent", "Category"),
        ("unit", "UnitOfMeasure"),
    ];
    let of_field = [
        ("apiToken", "ApiToken"),
        ("itemImage", "ItemImage"),
        ("categor", "Category"),
        ("user", "User"),
        ("job", "Job"),
        ("unit", "UnitOfMeasure"),
    ];
    let of_name = of_name.iter().find(|(start, _)| name.starts_with(start));
    let found = of_name.or_else(|| of_field.iter().find(|(start, _)| field.starts_with(start)));
    found.map_or("Item", |(_, kind)| kind)
}

/// Asks for one field with valid arguments; files travel as files do.
async fn ask(actor: &Actor, schema: &Schema, operation: &str, field: &Value) -> Answer {
    let name = field["name"].as_str().unwrap();
    let (text, variables) = schema.request(operation, field);
    if name != "itemImageUpload" {
        return actor.gql(&text, variables).await;
    }
    let file = File {
        bytes: picture::small(1),
        name: "a.jpg".into(),
        content_type: "image/jpeg".into(),
    };
    actor.upload(&document(name), variables, file).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_public_is_open_to_nobody() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let schema = Schema::read(&nobody).await;
    for (operation, root) in [("query", "queryType"), ("mutation", "mutationType")] {
        let mut asked = 0;
        for field in schema.fields(root) {
            let name = field["name"].as_str().unwrap();
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
async fn a_clerk_changes_nothing_and_hears_which_permission_it_takes() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let schema = Schema::read(&clerk).await;
    for field in schema.fields("mutationType") {
        let name = field["name"].as_str().unwrap();
        if !FOR_ONESELF.contains(&name) {
            let answer = ask(&clerk, &schema, "mutation", field).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{name}: {answer:?}");
            let expected = match name {
                name if name.starts_with("user") => "user.manage",
                name if name.starts_with("job") => "job.manage",
                _ => "catalogue.write",
            };
            // Files are refused before anybody has read which mutation they are for.
            if name != "itemImageUpload" {
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
        let name = field["name"].as_str().unwrap();
        let answer = ask(&clerk, &schema, "query", field).await;
        match name {
            "user" | "users" | "roles" => assert_eq!(answer.codes(), ["FORBIDDEN"], "{name}"),
            // Only a person who has logged in looks at sessions and tokens.
            "sessions" | "apiTokens" => assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{name}"),
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
