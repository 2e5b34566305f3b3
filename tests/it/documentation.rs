//! What operators are told to do exists: commands are tried on the real program, queries on the real server, and names are looked up where they are
//! made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use api::graphql::schema::sdl;
use serde_json::json;
use tests::{app::TestApp, process::run, wait::PATIENCE};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A page for operators.
struct Page {
    name: String,
    /// What is between single backticks.
    spans: Vec<String>,
    /// What is between fences: the word behind the first one, and the lines.
    blocks: Vec<(String, Vec<String>)>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let (mut prose, mut blocks) = (String::new(), Vec::new());
        let mut block: Option<(String, Vec<String>)> = None;
        for line in text.lines() {
            match (line.trim().strip_prefix("```"), block.take()) {
                (Some(_), Some(whole)) => blocks.push(whole),
                (Some(language), None) => block = Some((language.to_owned(), Vec::new())),
                (None, Some((language, mut lines))) => {
                    lines.push(line.to_owned());
                    block = Some((language, lines));
                }
                (None, None) => {
                    prose.push_str(line);
                    prose.push('\n');
                }
            }
        }
        assert!(block.is_none(), "{}: a fence is open", path.display());
        let pieces: Vec<_> = prose.split('`').collect();
        assert!(
            pieces.len() % 2 == 1,
            "{}: a backtick too many",
            path.display()
        );
        let spans = pieces.iter().skip(1).step_by(2);
        let one_line = |span: &&str| span.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            spans: spans.map(one_line).collect(),
            blocks,
        }
    }

    /// What a person would type: spans, and lines of blocks that are not queries.
    fn typed(&self) -> impl Iterator<Item = &str> {
        let blocks = self
            .blocks
            .iter()
            .filter(|(language, _)| language != "graphql");
        let lines = blocks.flat_map(|(_, lines)| lines.iter().map(|line| line.trim()));
        self.spans.iter().map(String::as_str).chain(lines)
    }
}

/// Every page for operators.
fn pages() -> Vec<Page> {
    let folder = fs::read_dir(Path::new(ROOT).join("docs/operations")).unwrap();
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

/// The words of a command, up to what only a shell understands.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for char in command.chars() {
        match char {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            '#' | '>' | '|' | ';' | '&' if !quoted && word.is_none() => return words,
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

/// What stands for a value that only the reader knows.
fn filled_in(word: &str) -> String {
    let bare = word.trim_end_matches('…');
    match bare
        .strip_prefix('<')
        .and_then(|name| name.strip_suffix('>'))
    {
        Some("uuid") => "01930000-0000-7000-8000-000000abcdef".to_owned(),
        Some(name) => name.to_owned(),
        None => word.to_owned(),
    }
}

/// Whether `worker` understands this. With `--help` behind it, it does nothing else than to look.
async fn is_understood(arguments: &[String]) -> bool {
    let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    arguments.push("--help");
    let ended = run("worker", &arguments, &BTreeMap::new(), "", PATIENCE).await;
    ended.status.success() && ended.output.contains("Usage: worker")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_worker_is_one() {
    let mut tried = BTreeSet::new();
    for page in pages() {
        for typed in page.typed() {
            let Some(command) = typed.strip_prefix("worker ") else {
                continue;
            };
            let command: Vec<_> = words(command).iter().map(|word| filled_in(word)).collect();
            if tried.insert(command.clone()) {
                assert!(
                    is_understood(&command).await,
                    "{}: worker {command:?}",
                    page.name
                );
            }
        }
    }
    assert!(tried.len() > 20, "{tried:?}");
    // It would be noticed.
    for wrong in [
        "sing",
        "jobs sing",
        "jobs list --song",
        "jobs list --state singing",
        "jobs show <nobody>",
        "ledger-verify aloud",
    ] {
        let command: Vec<_> = words(wrong).iter().map(|word| filled_in(word)).collect();
        assert!(!is_understood(&command).await, "{wrong}");
    }
}

/// Names of everything that can be asked for or given, in any type.
fn names_of_the_schema() -> BTreeSet<String> {
    let sdl = sdl();
    let names = sdl.lines().filter_map(|line| {
        let name: String = line
            .trim_start()
            .chars()
            .take_while(|char| char.is_alphanumeric() || *char == '_')
            .collect();
        (!name.is_empty()).then_some(name)
    });
    names.collect()
}

/// Names of the fields of the root types, such as `jobs`.
fn roots() -> BTreeSet<String> {
    let sdl = sdl();
    let mut names = BTreeSet::new();
    let mut is_root = false;
    for line in sdl.lines() {
        if let Some(name) = line.strip_prefix("type ") {
            is_root = ["Query ", "Mutation ", "Subscription "]
                .iter()
                .any(|root| name.starts_with(root));
        } else if line == "}" {
            is_root = false;
        } else if let Some(field) = line.strip_prefix('\t').filter(|_| is_root) {
            let name: String = field
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            if field[name.len()..].starts_with(['(', ':']) {
                names.insert(name);
            }
        }
    }
    names
}

/// The name in front of a parenthesis or a brace, where there is one.
fn called(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(['(', '{'])?;
    let name = name.trim_end();
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|char| char.is_ascii_alphanumeric());
    is_name.then_some(name)
}

#[test]
fn everything_that_is_asked_of_the_server_has_its_name_in_the_schema() {
    let (known, roots) = (names_of_the_schema(), roots());
    let mut met = BTreeSet::new();
    for page in pages() {
        for span in &page.spans {
            if let Some(name) = called(span) {
                assert!(known.contains(name), "{}: `{span}`", page.name);
                met.insert(name.to_owned());
            }
        }
    }
    assert!(met.intersection(&roots).count() > 30, "{met:?}");
    assert!(!known.contains("jobSing") && !roots.contains("id"));
    assert_eq!(called("jobSing(id:)"), Some("jobSing"));
}

/// Whether this looks like a code, a value of an enum or the name of a setting.
fn is_loud(span: &str) -> bool {
    span.len() > 3
        && span.contains('_')
        && span.starts_with(|first: char| first.is_ascii_uppercase())
        && span
            .chars()
            .all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_')
}

/// Everything that is written somewhere in the sources of the programs.
fn sources() -> String {
    let mut text = String::new();
    let mut folders: Vec<PathBuf> = [
        "api/src",
        "domain/src",
        "platform/src",
        "worker/src",
        "migration/src",
    ]
    .map(|folder| Path::new(ROOT).join(folder))
    .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

/// Whether a line of the sources has this, where `…` stands for what only the moment knows.
fn is_said(sources: &str, said: &str) -> bool {
    sources.lines().any(|line| {
        let mut rest = Some(line);
        for part in said.split('…') {
            rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
        }
        rest.is_some()
    })
}

/// What the runbook says that a log has, `"between quotes"`, is in the sources as it stands there; codes, values and settings are those there are.
#[test]
fn what_the_runbook_says_that_one_sees_is_what_programs_say() {
    let page = Page::read(&Path::new(ROOT).join("docs/operations/runbook.md"));
    let (sources, schema) = (sources(), names_of_the_schema());
    let settings = platform::config::env_example();
    let settings: BTreeSet<_> = settings
        .split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .collect();
    let codes = fs::read_to_string(Path::new(ROOT).join("api/src/locales/en.ftl")).unwrap();
    let codes: BTreeSet<_> = codes.split_whitespace().collect();
    let (mut sentences, mut loud) = (0, 0);
    for span in &page.spans {
        if let Some(said) = span
            .strip_prefix('"')
            .and_then(|span| span.strip_suffix('"'))
        {
            assert!(is_said(&sources, said), "nobody says {said:?}");
            sentences += 1;
        }
        let name = span.split('=').next().unwrap_or_default();
        if is_loud(name) {
            let is_known = schema.contains(name) || settings.contains(name) || codes.contains(name);
            assert!(is_known, "there is no {name}");
            loud += 1;
        }
    }
    assert!(
        sentences > 15 && loud > 10,
        "{sentences} sentences, {loud} names"
    );
    assert!(!is_said(&sources, "nobody ever … says this"));
}

#[test]
fn every_script_and_target_that_is_named_is_there() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    for page in pages() {
        for typed in page.typed() {
            for word in typed
                .split_whitespace()
                .filter(|word| word.starts_with("scripts/") && word.ends_with(".sh"))
            {
                assert!(Path::new(ROOT).join(word).exists(), "{}: {word}", page.name);
            }
            if let Some(target) = typed.strip_prefix("make ") {
                let target = target.split_whitespace().next().unwrap_or_default();
                assert!(
                    makefile.contains(&format!("\n{target}:")),
                    "{}: {typed}",
                    page.name
                );
            }
            if let Some(command) = typed.strip_prefix("migration ") {
                let command = command.split_whitespace().next().unwrap_or_default();
                assert!(
                    ["up", "status", "down"].contains(&command),
                    "{}: {typed}",
                    page.name
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_that_is_written_out_is_answered() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut asked = 0;
    for page in pages() {
        for (_, lines) in page
            .blocks
            .iter()
            .filter(|(language, _)| language == "graphql")
        {
            let query = lines.join("\n");
            // Variables stand below, as a comment.
            let variables = lines.iter().rev().find_map(|line| line.strip_prefix("# {"));
            let variables =
                variables.map(|rest| serde_json::from_str(&format!("{{{rest}")).unwrap());
            let answer = owner
                .gql(&query, variables.unwrap_or_else(|| json!({})))
                .await;
            assert!(
                answer.errors.is_empty(),
                "{}: {query}\n{:?}",
                page.name,
                answer.errors
            );
            asked += 1;
        }
    }
    assert!(asked > 5, "{asked}");
}
