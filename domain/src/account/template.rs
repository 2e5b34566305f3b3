//! Charts of accounts to begin with.
//!
//! Codes say where an account lies: one digit is a group of the chart, two a group in it, four an account. So a line names no parent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{
    account::{Kind, Model as Account, Side},
    id::AccountId,
};
use sea_orm::{ActiveEnum as _, DatabaseTransaction, FromQueryResult, Value};
use serde::Serialize;

use crate::{
    audit::Actor,
    clock::new_id,
    db,
    error::{Code, Refusal, Result},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Which chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Of a shop that buys and sells.
    GeneralRetail,
    /// Of a jeweller: metal, ojrat and sood are apart, and metal is kept by weight beside money.
    Jeweller,
}

impl Template {
    fn lines(self) -> impl Iterator<Item = &'static Line> {
        let own = match self {
            Self::GeneralRetail => GENERAL_RETAIL,
            Self::Jeweller => JEWELLER,
        };
        COMMON.iter().chain(own)
    }
}

/// A code, on which side it grows, its only commodity or nothing, and its names in English and Persian.
struct Line(
    &'static str,
    Grows,
    &'static str,
    &'static str,
    &'static str,
);

/// On which side an account grows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grows {
    /// On its kind's.
    Usual,
    /// On the other one.
    Contra,
}

use Grows::{Contra, Usual};

#[rustfmt::skip]
const COMMON: &[Line] = &[
    Line("1", Usual, "", "Assets", "دارایی‌ها"),
    Line("11", Usual, "", "Current assets", "دارایی‌های جاری"),
    Line("1101", Usual, "", "Cash", "صندوق"),
    Line("1102", Usual, "", "Petty cash", "تنخواه‌گردان"),
    Line("1103", Usual, "", "Banks", "بانک‌ها"),
    Line("1104", Usual, "", "Card payments to be settled", "وجوه در راه کارت‌خوان"),
    Line("1105", Usual, "", "Trade receivables", "حساب‌های دریافتنی تجاری"),
    Line("1106", Usual, "", "Cheques receivable", "اسناد دریافتنی"),
    Line("1107", Usual, "", "Cheques in collection", "اسناد در جریان وصول"),
    Line("1110", Usual, "", "Advances to suppliers", "پیش‌پرداخت به تأمین‌کنندگان"),
    Line("1111", Usual, "", "Tax on purchases", "مالیات بر ارزش افزودهٔ خرید"),
    Line("1112", Usual, "", "Advances to employees", "مساعدهٔ کارکنان"),
    Line("1113", Usual, "", "Work in progress", "کالای در جریان ساخت"),
    Line("12", Usual, "", "Non-current assets", "دارایی‌های غیرجاری"),
    Line("1201", Usual, "", "Furniture and equipment", "اثاثه و تجهیزات"),
    Line("1202", Contra, "", "Accumulated depreciation", "استهلاک انباشته"),
    Line("1203", Usual, "", "Deposits given", "ودیعه‌های پرداختی"),
    Line("2", Usual, "", "Liabilities", "بدهی‌ها"),
    Line("21", Usual, "", "Current liabilities", "بدهی‌های جاری"),
    Line("2101", Usual, "", "Trade payables", "حساب‌های پرداختنی تجاری"),
    Line("2102", Usual, "", "Cheques payable", "اسناد پرداختنی"),
    Line("2103", Usual, "", "Advances from customers", "پیش‌دریافت از مشتریان"),
    Line("2104", Usual, "", "Tax on sales", "مالیات بر ارزش افزودهٔ فروش"),
    Line("2105", Usual, "", "Salaries payable", "حقوق پرداختنی"),
    Line("2106", Usual, "", "Social insurance payable", "بیمهٔ پرداختنی"),
    Line("2107", Usual, "", "Goods received and not invoiced", "کالای دریافت‌شدهٔ بدون فاکتور"),
    Line("2109", Usual, "", "Freight and duty not invoiced", "حمل و حقوق گمرکی بدون فاکتور"),
    Line("22", Usual, "", "Long-term liabilities", "بدهی‌های بلندمدت"),
    Line("2201", Usual, "", "Loans", "وام‌های پرداختنی"),
    Line("3", Usual, "", "Equity", "حقوق مالکانه"),
    Line("31", Usual, "", "Capital and results", "سرمایه و نتایج"),
    Line("3101", Usual, "", "Owner's capital", "سرمایهٔ مالک"),
    Line("3102", Contra, "", "Owner's drawings", "برداشت مالک"),
    Line("3103", Usual, "", "Retained earnings", "سود انباشته"),
    Line("3104", Usual, "", "Opening balances", "تراز افتتاحیه"),
    Line("4", Usual, "", "Revenue", "درآمدها"),
    Line("41", Usual, "", "Sales", "فروش"),
    Line("4102", Contra, "", "Returns", "برگشت از فروش"),
    Line("4103", Contra, "", "Discounts", "تخفیفات فروش"),
    Line("42", Usual, "", "Other income", "سایر درآمدها"),
    Line("4201", Usual, "", "Stock found", "اضافات انبار"),
    Line("4202", Usual, "", "Exchange gains", "سود تسعیر ارز"),
    Line("5", Usual, "", "Expenses", "هزینه‌ها"),
    Line("51", Usual, "", "Cost of sales", "بهای تمام‌شدهٔ فروش"),
    Line("5102", Usual, "", "Stock lost or broken", "کسری و ضایعات انبار"),
    Line("52", Usual, "", "Operating expenses", "هزینه‌های عملیاتی"),
    Line("5201", Usual, "", "Salaries", "حقوق و دستمزد"),
    Line("5202", Usual, "", "Rent", "اجاره"),
    Line("5203", Usual, "", "Water, power and telephone", "آب، برق و تلفن"),
    Line("5204", Usual, "", "Depreciation", "هزینهٔ استهلاک"),
    Line("5205", Usual, "", "Bank and card charges", "کارمزد بانکی"),
    Line("5206", Usual, "", "Advertising", "تبلیغات"),
    Line("5207", Usual, "", "Other expenses", "سایر هزینه‌ها"),
    Line("53", Usual, "", "Financial expenses", "هزینه‌های مالی"),
    Line("5301", Usual, "", "Exchange losses", "زیان تسعیر ارز"),
    Line("5302", Usual, "", "Rounding differences", "تفاوت گرد کردن"),
    Line("5303", Usual, "", "Bad debts", "مطالبات سوخت‌شده"),
];

#[rustfmt::skip]
const GENERAL_RETAIL: &[Line] = &[
    Line("1108", Usual, "", "Stock", "موجودی کالا"),
    Line("1109", Usual, "", "Goods on their way", "کالای در راه"),
    Line("4101", Usual, "", "Sales of goods", "فروش کالا"),
    Line("5101", Usual, "", "Cost of goods sold", "بهای تمام‌شدهٔ کالای فروش‌رفته"),
];

#[rustfmt::skip]
const JEWELLER: &[Line] = &[
    Line("1121", Usual, "", "Made-up gold in stock", "موجودی طلای ساخته"),
    Line("1122", Usual, "", "Melted gold in stock", "موجودی طلای آب‌شده"),
    Line("1123", Usual, "", "Old gold in stock", "موجودی طلای مستعمل"),
    Line("1124", Usual, "", "Coins in stock", "موجودی سکه"),
    Line("1125", Usual, "", "Silver in stock", "موجودی نقره"),
    Line("1126", Usual, "", "Stones in stock", "موجودی سنگ‌های قیمتی"),
    Line("13", Usual, "", "Metal by weight", "فلزات وزنی"),
    Line("1301", Usual, "GOLD", "Gold in the shop, by weight", "طلای موجود (وزنی)"),
    Line("1302", Usual, "GOLD", "Gold owed by customers", "بدهکاران طلایی"),
    Line("1303", Usual, "GOLD", "Gold at workshops", "طلای نزد کارگاه‌ها"),
    Line("1304", Usual, "SILVER", "Silver in the shop, by weight", "نقرهٔ موجود (وزنی)"),
    Line("2108", Usual, "", "Tax on making charge and profit", "مالیات بر ارزش افزودهٔ اجرت و سود"),
    Line("23", Usual, "", "Metal owed, by weight", "بدهی‌های وزنی"),
    Line("2301", Usual, "GOLD", "Gold owed to suppliers", "بستانکاران طلایی"),
    Line("2302", Usual, "GOLD", "Customers' gold in our keeping", "طلای امانی مشتریان"),
    Line("32", Usual, "", "Metal position", "تراز وزنی"),
    Line("3201", Usual, "GOLD", "Own gold, by weight", "طلای مالک (وزنی)"),
    Line("3202", Usual, "SILVER", "Own silver, by weight", "نقرهٔ مالک (وزنی)"),
    Line("4111", Usual, "", "Metal sold", "فروش فلز"),
    Line("4112", Usual, "", "Making charge (ojrat)", "درآمد اجرت ساخت"),
    Line("4113", Usual, "", "Profit on sales (sood)", "درآمد سود فروش"),
    Line("4114", Usual, "", "Stones sold", "فروش سنگ"),
    Line("4115", Usual, "", "Coins sold", "فروش سکه"),
    Line("5111", Usual, "", "Cost of metal sold", "بهای تمام‌شدهٔ فلز فروش‌رفته"),
    Line("5112", Usual, "", "Making charges paid", "اجرت ساخت پرداختی"),
    Line("5113", Usual, "", "Cost of stones sold", "بهای تمام‌شدهٔ سنگ فروش‌رفته"),
    Line("5114", Usual, "", "Cost of coins sold", "بهای تمام‌شدهٔ سکهٔ فروش‌رفته"),
    Line("5115", Usual, "", "Metal lost in melting", "کسری ذوب"),
];

impl Line {
    fn code(&self) -> &'static str {
        self.0
    }

    /// The code of the group that it lies in; empty for a root.
    fn parent(&self) -> &'static str {
        match self.0.len() {
            4 => &self.0[..2],
            2 => &self.0[..1],
            _ => "",
        }
    }

    fn is_group(&self) -> bool {
        self.0.len() < 4
    }

    fn kind(&self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'1') => Kind::Asset,
            Some(b'2') => Kind::Liability,
            Some(b'3') => Kind::Equity,
            Some(b'4') => Kind::Revenue,
            _ => Kind::Expense,
        }
    }

    fn normal_side(&self) -> Side {
        match (self.kind().normal_side(), self.1) {
            (side, Usual) => side,
            (Side::Debit, Contra) => Side::Credit,
            (Side::Credit, Contra) => Side::Debit,
        }
    }

    fn name(&self) -> Result<String> {
        let name: BTreeMap<_, _> = [("en", self.3), ("fa", self.4)].into();
        Ok(serde_json::to_string(&name)?)
    }
}

/// All of them in one statement, with the trail of each.
pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    template: Template,
) -> Result<Vec<Account>> {
    let sql = "WITH RECURSIVE line AS MATERIALIZED (
                   SELECT l.*, nextval(pg_get_serial_sequence('account', 'number')) AS number
                   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[])
                       AS l (id, code, parent, name, kind, normal_side, is_group, commodity)
               ), placed AS (
                   SELECT l.*, NULL::uuid AS parent_id, l.number::text::ltree AS path FROM line l WHERE l.parent = ''
                   UNION ALL
                   SELECT l.*, p.id, p.path || l.number::text FROM line l JOIN placed p ON p.code = l.parent
               ), created AS (
                   INSERT INTO account (id, number, parent_id, path, code, name, kind, normal_side, is_group, commodity, created_at, updated_at)
                   OVERRIDING SYSTEM VALUE
                   SELECT id, number, parent_id, path, code, name::jsonb, kind, normal_side, is_group, NULLIF(commodity, ''), $9, $9 FROM placed
                   RETURNING id, number, parent_id, path::text AS path, code, name, kind, normal_side, is_group, commodity, external_reference,
                             archived_at, version, created_at, updated_at, subsidiary_kind, has_floor
               ), trail AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
                   SELECT $9, $10, $11, $12, $13, 'account.template', 'account', id, to_jsonb(created) FROM created
               )
               SELECT * FROM created ORDER BY code";
    let lines: Vec<_> = template.lines().collect();
    let ids: Vec<_> = lines.iter().map(|_| AccountId(new_id(now))).collect();
    let texts = |read: fn(&Line) -> String| -> Value {
        lines
            .iter()
            .map(|line| read(line))
            .collect::<Vec<_>>()
            .into()
    };
    let names: Result<Vec<_>> = lines.iter().map(|line| line.name()).collect();
    let groups: Vec<_> = lines.iter().map(|line| line.is_group()).collect();
    let Actor { kind, id, name } = Actor::of(viewer);
    let values = [
        uuids(&ids),
        texts(|line| line.code().to_owned()),
        texts(|line| line.parent().to_owned()),
        names?.into(),
        texts(|line| line.kind().to_value()),
        texts(|line| line.normal_side().to_value()),
        groups.into(),
        texts(|line| line.2.to_owned()),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
        viewer.request_id.clone().into(),
    ];
    let created = Account::find_by_statement(statement(sql, values)).all(tx);
    created.await.map_err(|error| match db::broken(&error) {
        Some((constraint, detail)) if constraint == "account_code_unique" => {
            let code = detail.as_deref().and_then(taken).unwrap_or_default();
            let refusal = Refusal::new(Code::AlreadyTaken, "template");
            refusal.with("value", code).into()
        }
        _ => error.into(),
    })
}

/// The code that PostgreSQL says is there already: `Key (code)=(11) already exists.`
fn taken(detail: &str) -> Option<&str> {
    let (_, rest) = detail.split_once("=(")?;
    Some(rest.split_once(')')?.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_told_apart_and_lie_in_groups_that_there_are() {
        for template in [Template::GeneralRetail, Template::Jeweller] {
            let codes: BTreeSet<_> = template.lines().map(Line::code).collect();
            assert_eq!(codes.len(), template.lines().count(), "{template:?}");
            for line in template.lines() {
                let parent = line.parent();
                assert!(
                    parent.is_empty() || codes.contains(parent),
                    "{}",
                    line.code()
                );
                assert!(!line.is_group() || line.2.is_empty(), "{}", line.code());
                assert!(!line.3.is_empty() && !line.4.is_empty(), "{}", line.code());
            }
        }
    }

    #[test]
    fn what_is_set_against_its_kind_grows_on_the_other_side() {
        let side = |code| {
            let line = COMMON.iter().find(|line| line.code() == code);
            line.map(Line::normal_side)
        };
        assert_eq!(side("1101"), Some(Side::Debit));
        assert_eq!(side("1202"), Some(Side::Credit));
        assert_eq!(side("4103"), Some(Side::Debit));
    }
}
