//! The contract: `schema.graphql` is what the program would print, and keeps the promises made to those who read it.

use serde_json::{Value, json};
use tests::app::TestApp;

/// Mutations that change nothing which a repeated request could change twice.
const WITHOUT_KEY: [&str; 3] = ["login", "logout", "sessionRevoke"];

const INTROSPECTION: &str = "{ __schema { types {
    name kind description
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { name description } }
    inputFields(includeDeprecated: true) { name description }
    enumValues(includeDeprecated: true) { name description }
} } }";

/// What a playground asks for the whole schema: types are nested nine levels deep.
const PLAYGROUND: &str = "query IntrospectionQuery {
    __schema {
        description queryType { name } mutationType { name } subscriptionType { name }
        types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
    }
}
fragment FullType on __Type {
    kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) {
        name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
    }
    inputFields(includeDeprecated: true) { ...InputValue }
    interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}";

#[test]
fn the_checked_in_schema_is_what_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == api::graphql::schema::sdl(),
        "schema.graphql is stale: run `make schema`"
    );
}

#[test]
fn nothing_in_the_schema_is_a_float() {
    let sdl = api::graphql::schema::sdl();
    let floats: Vec<_> = sdl
        .lines()
        .filter(|line| {
            line.split(|c: char| !c.is_alphanumeric())
                .any(|word| word == "Float")
        })
        .collect();
    assert_eq!(floats, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let data = app.anonymous().ok(INTROSPECTION, json!({})).await;
    let mut silent = Vec::new();
    for kind in data["__schema"]["types"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        // What introspection needs, and the scalar that the GraphQL specification describes itself.
        if !name.starts_with("__") && name != "ID" {
            note_silent(&mut silent, name, kind);
            for list in ["fields", "inputFields", "enumValues"] {
                for member in kind[list].as_array().into_iter().flatten() {
                    note_members(&mut silent, name, member);
                }
            }
        }
    }
    assert_eq!(silent, [""; 0]);
}

fn note_members(silent: &mut Vec<String>, kind: &str, member: &Value) {
    let name = format!("{kind}.{}", member["name"].as_str().unwrap());
    note_silent(silent, &name, member);
    for argument in member["args"].as_array().into_iter().flatten() {
        note_silent(
            silent,
            &format!("{name}({})", argument["name"].as_str().unwrap()),
            argument,
        );
    }
}

fn note_silent(silent: &mut Vec<String>, name: &str, described: &Value) {
    if described["description"]
        .as_str()
        .unwrap_or_default()
        .trim()
        .is_empty()
    {
        silent.push(name.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_has_one_input_with_an_idempotency_key_and_one_payload_with_user_errors() {
    let app = TestApp::start().await;
    let query = "{ __schema { mutationType { fields {
        name
        args { name type { kind ofType { name inputFields { name } } } }
        type { kind ofType { name fields { name } } }
    } } } }";
    let data = app.anonymous().ok(query, json!({})).await;
    let mutations = data["__schema"]["mutationType"]["fields"]
        .as_array()
        .unwrap();
    assert!(mutations.len() >= 13);
    for mutation in mutations {
        let name = mutation["name"].as_str().unwrap();
        let payload = &mutation["type"]["ofType"];
        assert_eq!(
            payload["name"],
            json!(format!("{}{}Payload", name[..1].to_uppercase(), &name[1..])),
            "{name}"
        );
        assert!(has(&payload["fields"], "userErrors"), "{name}");
        let arguments = mutation["args"].as_array().unwrap();
        if WITHOUT_KEY.contains(&name) {
            continue;
        }
        assert_eq!(arguments.len(), 1, "{name}");
        assert_eq!(
            (&arguments[0]["name"], &arguments[0]["type"]["kind"]),
            (&json!("input"), &json!("NON_NULL")),
            "{name}"
        );
        assert!(
            has(
                &arguments[0]["type"]["ofType"]["inputFields"],
                "idempotencyKey"
            ),
            "{name}"
        );
    }
}

fn has(members: &Value, name: &str) -> bool {
    members
        .as_array()
        .into_iter()
        .flatten()
        .any(|member| member["name"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playground_can_load_the_schema() {
    let app = TestApp::start().await;
    let schema = app.anonymous().ok(PLAYGROUND, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 50);
}
