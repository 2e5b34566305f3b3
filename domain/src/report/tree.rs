//! Figures over the chart of accounts: each group with what all has that lies in it, in the order of codes.

use std::collections::{BTreeMap, HashMap};

use entity::{
    account::{Kind, Side},
    id::AccountId,
    translations::Translations,
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::figures::{Figures, Sides};
use crate::{error::Result, sql::statement};

/// An account, as far as reports need it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Node {
    pub(crate) id: AccountId,
    pub(crate) parent_id: Option<AccountId>,
    pub(crate) number: i64,
    pub(crate) code: String,
    pub(crate) name: Translations,
    pub(crate) kind: Kind,
    pub(crate) is_group: bool,
    pub(crate) external_reference: Option<String>,
}

/// All accounts, by their codes.
pub(crate) async fn nodes(db: &impl ConnectionTrait) -> Result<Vec<Node>> {
    let sql = "SELECT id, parent_id, number, code, name, kind, is_group, external_reference FROM account ORDER BY code";
    Ok(Node::find_by_statement(statement(sql, [])).all(db).await?)
}

/// What a line of a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// A group of accounts, with all that is in it.
    Group,
    /// An account.
    Account,
    /// What was earned in fiscal years before the present one, and has not been closed.
    EarlierResult,
    /// What was earned in the present fiscal year.
    CurrentResult,
    /// All of a section together.
    Total,
    /// What there was in the beginning.
    Opening,
    /// What has changed.
    Change,
    /// What there was in the end.
    Closing,
}

/// A part of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What the business has.
    Assets,
    /// What it owes.
    Liabilities,
    /// What belongs to its owners.
    Equity,
    /// What it earned.
    Revenue,
    /// What that cost.
    Expenses,
    /// All of it.
    Whole,
}

impl Section {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Asset => Self::Assets,
            Kind::Liability => Self::Liabilities,
            Kind::Equity => Self::Equity,
            Kind::Revenue => Self::Revenue,
            Kind::Expense => Self::Expenses,
        }
    }
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In which part of it.
    pub section: Section,
    /// What it is.
    pub line: Line,
    /// Of which account or group; none of what is added up otherwise.
    pub account_id: Option<AccountId>,
    /// How deep it lies in the tree; 0 for roots.
    pub depth: usize,
    /// A commodity's code.
    pub commodity: String,
    /// How much, column by column.
    pub amounts: Vec<Decimal>,
}

/// Amounts by commodity, column by column.
pub(super) type Amounts = BTreeMap<String, Vec<Decimal>>;

/// On which side an amount counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// On the side where accounts of that kind usually grow.
    Normal,
    /// Always the debit side.
    Debit,
    /// Always the credit side.
    Credit,
}

impl Sign {
    fn of(self, kind: Kind, sides: Sides) -> Decimal {
        let is_debit = match self {
            Self::Normal => kind.normal_side() == Side::Debit,
            Self::Debit => true,
            Self::Credit => false,
        };
        if is_debit {
            sides.balance()
        } else {
            -sides.balance()
        }
    }
}

/// The chart, as a tree.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// By the parent, places in `nodes`, in the order of codes.
    children: HashMap<Option<AccountId>, Vec<usize>>,
}

impl Tree {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        let mut children: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, node) in nodes.iter().enumerate() {
            children.entry(node.parent_id).or_default().push(place);
        }
        Self { nodes, children }
    }

    /// All accounts of these kinds.
    pub(super) fn of_kinds(&self, kinds: &[Kind]) -> impl Iterator<Item = AccountId> {
        let nodes = self.nodes.iter();
        nodes
            .filter(|node| kinds.contains(&node.kind))
            .map(|node| node.id)
    }

    /// The lines of one kind of accounts, and what they have altogether.
    pub(super) fn section(&self, kind: Kind, figures: &Figures, sign: Sign) -> (Vec<Row>, Amounts) {
        let mut by_account: HashMap<AccountId, Amounts> = HashMap::new();
        for ((account, commodity), cells) in figures {
            let amounts = cells.iter().map(|cell| sign.of(kind, *cell)).collect();
            let of_account = by_account.entry(*account).or_default();
            of_account.insert(commodity.clone(), amounts);
        }
        let mut rows = Vec::new();
        let mut total = Amounts::new();
        for place in self.children.get(&None).into_iter().flatten() {
            if self.nodes[*place].kind == kind {
                let amounts = self.walk(*place, 0, &by_account, &mut rows);
                add_all(&mut total, amounts);
            }
        }
        (rows, total)
    }

    fn walk(
        &self,
        place: usize,
        depth: usize,
        by_account: &HashMap<AccountId, Amounts>,
        rows: &mut Vec<Row>,
    ) -> Amounts {
        let node = &self.nodes[place];
        let begin = rows.len();
        let mut amounts = by_account.get(&node.id).cloned().unwrap_or_default();
        for child in self.children.get(&Some(node.id)).into_iter().flatten() {
            add_all(&mut amounts, self.walk(*child, depth + 1, by_account, rows));
        }
        let own = amounts.iter().map(|(commodity, amounts)| Row {
            section: Section::of(node.kind),
            line: if node.is_group {
                Line::Group
            } else {
                Line::Account
            },
            account_id: Some(node.id),
            depth,
            commodity: commodity.clone(),
            amounts: amounts.clone(),
        });
        rows.splice(begin..begin, own.collect::<Vec<_>>());
        amounts
    }
}

/// Adds all of it.
pub(super) fn add_all(sums: &mut Amounts, amounts: Amounts) {
    for (commodity, amounts) in amounts {
        let sum = sums.entry(commodity);
        let sum = sum.or_insert_with(|| vec![Decimal::ZERO; amounts.len()]);
        for (sum, amount) in sum.iter_mut().zip(amounts) {
            *sum += amount;
        }
    }
}

/// Lines that add something up.
pub(super) fn sums(section: Section, line: Line, amounts: &Amounts) -> impl Iterator<Item = Row> {
    amounts.iter().map(move |(commodity, amounts)| Row {
        section,
        line,
        account_id: None,
        depth: 0,
        commodity: commodity.clone(),
        amounts: amounts.clone(),
    })
}
