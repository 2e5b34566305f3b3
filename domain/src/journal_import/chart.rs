//! Which accounts the names of a journal mean, and those that are still to be created.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{account::Kind, id::AccountId};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction};
use sha2::{Digest as _, Sha256};

use crate::{
    account::Account,
    audit::Actor,
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    report::tree::Node,
    report_export::names,
    sku,
    sql::{statement, uuids},
    tree,
    viewer::Viewer,
};

/// Longest code of an account, in characters, without room for what makes it another.
const CODE_MAX: usize = 50;
/// Longest name of an account.
const NAME_MAX: usize = 200;

/// The names of conversions and of rounding.
pub(super) const CONVERSIONS: &str = "Equity:Conversions";
pub(super) const ROUNDING: &str = "Equity:Rounding";

/// An account or a group to be.
#[derive(Debug)]
struct New {
    id: AccountId,
    parent: Option<AccountId>,
    code: String,
    name: String,
    kind: Kind,
    is_group: bool,
    reference: Option<String>,
}

/// What names mean.
pub(super) struct Chart {
    by_name: HashMap<String, AccountId>,
    /// Groups, by their codes.
    groups: HashMap<String, (AccountId, Kind)>,
    codes: HashSet<String>,
    new: Vec<New>,
}

/// What an account is about, by the first step of its name, as both programs tell it.
fn kind_of(name: &str) -> Option<Kind> {
    let first = name.split(':').next()?.trim().to_lowercase();
    match first.as_str() {
        "asset" | "assets" => Some(Kind::Asset),
        "liability" | "liabilities" | "debt" | "debts" => Some(Kind::Liability),
        "equity" => Some(Kind::Equity),
        "income" | "incomes" | "revenue" | "revenues" => Some(Kind::Revenue),
        "expense" | "expenses" => Some(Kind::Expense),
        _ => None,
    }
}

impl Chart {
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut by_name = HashMap::new();
        for (id, name) in names::names(nodes) {
            by_name.insert(name, id);
        }
        // What somebody has called an account goes before what we would call it.
        for node in nodes.iter().filter(|node| !node.is_group) {
            if let Some(reference) = &node.external_reference {
                by_name.insert(reference.clone(), node.id);
            }
        }
        let groups = nodes.iter().filter(|node| node.is_group);
        Self {
            by_name,
            groups: groups
                .map(|node| (node.code.clone(), (node.id, node.kind)))
                .collect(),
            codes: nodes.iter().map(|node| node.code.clone()).collect(),
            new: Vec::new(),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<AccountId> {
        self.by_name.get(name).copied()
    }

    /// How many accounts and groups are to be created.
    pub(super) fn count(&self) -> usize {
        self.new.len()
    }

    /// Plans accounts for these names, which are not known yet, with groups around them.
    pub(super) fn plan(
        &mut self,
        now: DateTime<Utc>,
        unknown: &BTreeSet<&str>,
    ) -> BTreeMap<String, Refusal> {
        let mut refused = BTreeMap::new();
        for name in unknown {
            let kind = kind_of(name).filter(|_| name.contains(':') && name.len() <= NAME_MAX);
            match kind {
                Some(kind) => self.plan_one(now, name, kind),
                None => {
                    let refusal = Refusal::new(Code::InvalidFormat, "account").with("value", name);
                    refused.insert((*name).to_owned(), refusal);
                }
            }
        }
        refused
    }

    fn plan_one(&mut self, now: DateTime<Utc>, name: &str, kind: Kind) {
        let steps: Vec<_> = name.split(':').map(str::trim).collect();
        let mut parent = None;
        for end in 1..steps.len() {
            let way = steps[..end].join("/");
            parent = Some(self.group(now, &way, steps[end - 1], kind, parent));
        }
        let id = AccountId(new_id(now));
        // Beside the groups: what is posted to may have accounts below it in a journal.
        let code = self.free_code(&format!("{}.", steps.join("/")), name);
        let last = steps.last().copied().unwrap_or(name).to_owned();
        self.by_name.insert(name.to_owned(), id);
        self.new.push(New {
            id,
            parent,
            code,
            name: last,
            kind,
            is_group: false,
            reference: Some(name.to_owned()),
        });
    }

    fn group(
        &mut self,
        now: DateTime<Utc>,
        way: &str,
        name: &str,
        kind: Kind,
        parent: Option<AccountId>,
    ) -> AccountId {
        let code = code(way, &format!("{}:{way}", kind.to_value()));
        if let Some((id, of)) = self.groups.get(&code)
            && *of == kind
        {
            return *id;
        }
        let code = self.free_code(way, &format!("{}:{way}", kind.to_value()));
        let id = AccountId(new_id(now));
        self.groups.insert(code.clone(), (id, kind));
        self.new.push(New {
            id,
            parent,
            code,
            name: name.to_owned(),
            kind,
            is_group: true,
            reference: None,
        });
        id
    }

    fn free_code(&mut self, way: &str, whole: &str) -> String {
        let mut free = code(way, whole);
        if self.codes.contains(&free) {
            free = format!(
                "{}#{}",
                free.chars().take(CODE_MAX).collect::<String>(),
                digest(whole)
            );
        }
        self.codes.insert(free.clone());
        free
    }

    /// Creates what was planned: one statement for all, and one for the trail.
    pub(super) async fn create_in_tx(
        &mut self,
        tx: &DatabaseTransaction,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let new = std::mem::take(&mut self.new);
        if new.is_empty() {
            return Ok(());
        }
        tree::share_in_tx::<Account>(tx).await?;
        let Actor {
            kind: actor_kind,
            id: actor,
            name: actor_name,
        } = Actor::of(viewer);
        let texts = |read: fn(&New) -> String| -> Vec<String> { new.iter().map(read).collect() };
        let ids: Vec<_> = new.iter().map(|it| it.id).collect();
        let parents: Vec<_> = new
            .iter()
            .map(|it| it.parent.unwrap_or(AccountId(uuid::Uuid::nil())))
            .collect();
        let values = [
            uuids(&ids),
            uuids(&parents),
            texts(|it| it.code.clone()).into(),
            texts(|it| it.name.clone()).into(),
            texts(|it| it.kind.to_value()).into(),
            texts(|it| it.kind.normal_side().to_value()).into(),
            new.iter().map(|it| it.is_group).collect::<Vec<_>>().into(),
            texts(|it| it.reference.clone().unwrap_or_default()).into(),
            now.into(),
            actor_kind.into(),
            actor.into(),
            actor_name.into(),
            viewer.request_id.clone().into(),
        ];
        let done = tx.execute_raw(statement(CREATE, values)).await;
        let done = done.map_err(|error| {
            let taken = Refusal::new(Code::AlreadyTaken, "account");
            let refusals = [
                ("account_code_unique", taken.clone()),
                ("account_external_reference_unique", taken),
                (
                    "account_below_archived",
                    Refusal::new(Code::Archived, "account"),
                ),
            ];
            crate::db::refuse_if_broken(error, &refusals)
        })?;
        if usize::try_from(done.rows_affected()).ok() == Some(ids.len()) {
            Ok(())
        } else {
            Err(Error::internal(
                "not all accounts of an import were created",
            ))
        }
    }
}

/// Parents come before children, so each path can be told from those that came before.
const CREATE: &str = "WITH RECURSIVE asked AS MATERIALIZED (
        SELECT a.*, nextval(pg_get_serial_sequence('account', 'number')) AS number
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[]) WITH ORDINALITY
            AS a (id, parent, code, name, kind, side, is_group, reference, place)
    ), placed AS (
        SELECT a.id, COALESCE(p.path, ''::ltree) || a.number::text AS path
        FROM asked a LEFT JOIN account p ON p.id = a.parent
        WHERE p.id IS NOT NULL OR a.parent = '00000000-0000-0000-0000-000000000000'
        UNION ALL
        SELECT a.id, p.path || a.number::text FROM placed p JOIN asked a ON a.parent = p.id
    ), made AS (
        INSERT INTO account (id, number, parent_id, path, code, name, kind, normal_side, is_group, external_reference, created_at, updated_at)
        OVERRIDING SYSTEM VALUE
        SELECT a.id, a.number, NULLIF(a.parent, '00000000-0000-0000-0000-000000000000'), p.path, a.code, jsonb_build_object('en', a.name),
               a.kind, a.side, a.is_group, NULLIF(a.reference, ''), $9, $9
        FROM asked a JOIN placed p ON p.id = a.id ORDER BY a.place
        RETURNING *
    )
    INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
    SELECT $9, $10, $11, $12, $13, 'account.create', 'account', id, to_jsonb(made) FROM made ORDER BY number";

/// A code for this way through the chart; of one that makes none, what it is hashed to.
fn code(way: &str, whole: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_./+#".contains(letter);
    let plain: String = way
        .chars()
        .map(|letter| if allowed(letter) { letter } else { '-' })
        .collect();
    let is_whole = plain == way && plain.chars().count() <= CODE_MAX;
    let cut: String = plain.chars().take(CODE_MAX).collect();
    let text = if is_whole {
        cut
    } else {
        format!("{cut}#{}", digest(whole))
    };
    sku::parse("code", &text).unwrap_or_else(|_| digest(whole))
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest
        .iter()
        .take(5)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    hex
}
