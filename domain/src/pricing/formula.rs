//! Formulas: what people write about their prices, computed exactly.
//!
//! The language is Rhai's, cut down to arithmetic: one expression of numbers, names, `+ - * /`, brackets, `min` and `max`. Rhai parses and
//! walks it; every operation is ours and works on fractions, so that `7 / 2` is three and a half and nothing is rounded or overflows.

use std::sync::LazyLock;

use entity::{item_metal::Model as ItemMetal, metal_rate::Model as MetalRate};
use rhai::{AST, Dynamic, Engine, EvalAltResult, INT, Position, Scope};
use rust_decimal::Decimal;

use super::{Facts, Formula, Problem, weight};
use crate::{
    attribute::Schema,
    error::{Code, Refusal},
    exact::Exact,
    text,
};

/// Longest formula, in characters.
pub(super) const FORMULA_MAX: usize = 500;
/// Most digits of a number: with more it would be rounded where it is read.
const DIGITS_MAX: usize = 28;
/// Deepest nesting of brackets and operators; a sum of so many terms is as deep.
const DEPTH_MAX: usize = 64;
/// Most steps of one evaluation.
const STEPS_MAX: u64 = 2_000;
/// Longest fraction on the way, in bits.
const BITS_MAX: u64 = 2_048;
/// Most attributes that one formula uses.
const ATTRIBUTES_MAX: usize = 20;
/// What the name of an attribute begins with.
pub(super) const ATTRIBUTE: &str = "attr_";
/// The names that a formula may use besides.
const NAMES: [&str; 9] = [
    "net_weight",
    "gross_weight",
    "stone_weight",
    "fineness",
    "rate",
    "reference_fineness",
    "making",
    "quantity",
    "duration_hours",
];
/// What Rhai knows and formulas do not.
const REFUSED_WORDS: [&str; 37] = [
    "true",
    "false",
    "let",
    "const",
    "if",
    "else",
    "switch",
    "while",
    "until",
    "loop",
    "for",
    "in",
    "do",
    "continue",
    "break",
    "return",
    "throw",
    "try",
    "catch",
    "fn",
    "private",
    "import",
    "export",
    "as",
    "global",
    "this",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "type_of",
    "print",
    "debug",
    "eval",
    "Fn",
    "call",
    "curry",
    "null",
];
/// Operators that could be written with the characters that are allowed.
const REFUSED_OPERATORS: [&str; 4] = ["//", "/*", "**", ".."];

static ENGINE: LazyLock<Engine> = LazyLock::new(engine);

/// What Rhai hands on when a function of ours fails.
type Failed = Box<EvalAltResult>;

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    // Otherwise Rhai would compute with its own operators: `7 / 2` would be 3.
    engine.set_fast_operators(false);
    engine.set_max_expr_depths(DEPTH_MAX);
    engine.set_max_operations(STEPS_MAX);
    engine.set_max_string_size(64);
    for word in REFUSED_WORDS {
        engine.disable_symbol(word);
    }
    register(&mut engine);
    engine
}

/// Every operation, for each kind of number that Rhai may hold.
fn register(engine: &mut Engine) {
    macro_rules! binary {
        ($($name:literal = $operation:expr;)+) => {$(
            binary!(@of $name, $operation, INT: INT, Decimal, Exact);
            binary!(@of $name, $operation, Decimal: INT, Decimal, Exact);
            binary!(@of $name, $operation, Exact: INT, Decimal, Exact);
        )+};
        (@of $name:literal, $operation:expr, $left:ty: $($right:ty),+) => {$(
            engine.register_fn($name, |left: $left, right: $right| {
                bounded(($operation)(&left.into(), &right.into()))
            });
        )+};
    }
    binary! {
        "+" = |left: &Exact, right: &Exact| Some(left + right);
        "-" = |left: &Exact, right: &Exact| Some(left - right);
        "*" = |left: &Exact, right: &Exact| Some(left * right);
        "/" = Exact::checked_div;
        "min" = |left: &Exact, right: &Exact| Some(left.min(right).clone());
        "max" = |left: &Exact, right: &Exact| Some(left.max(right).clone());
    }
    engine.register_fn("-", |number: INT| -&Exact::from(number));
    engine.register_fn("-", |number: Decimal| -number);
    engine.register_fn("-", |number: Exact| -&number);
    engine.register_fn("+", |number: INT| Exact::from(number));
    engine.register_fn("+", |number: Decimal| number);
    engine.register_fn("+", |number: Exact| number);
}

/// Division by zero has no result, and what is longer than any price needs is given up.
fn bounded(result: Option<Exact>) -> Result<Exact, Failed> {
    result
        .filter(|number| number.bits() <= BITS_MAX)
        .ok_or_else(|| "not a number that can be computed with".into())
}

/// A formula in the form in which it is kept. It is computed once with numbers made up for every name, so that what can never be computed
/// is refused here.
pub(super) fn parse(path: &str, text: &str) -> Result<String, Refusal> {
    let text = text::ascii_digits(text).replace('\u{066B}', ".");
    let text = text::line(path, &text, 1, FORMULA_MAX)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    check_characters(path, &text)?;
    let ast = ENGINE.compile_expression(&text).map_err(|error| {
        let character = error.1.position().unwrap_or(1);
        Refusal::new(Code::InvalidFormula, path).with("value", character)
    })?;
    try_out(path, &ast)?;
    Ok(text)
}

/// Arithmetic needs no other characters; what cannot be written cannot be misused.
fn check_characters(path: &str, text: &str) -> Result<(), Refusal> {
    let invalid = |index: usize| Refusal::new(Code::InvalidFormula, path).with("value", index + 1);
    let is_known = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '_' | '.' | ',' | '(' | ')' | '+' | '-' | '*' | '/')
    };
    let unknown = text.chars().position(|c| !is_known(c));
    let operator = REFUSED_OPERATORS
        .iter()
        .filter_map(|operator| text.find(operator))
        .min();
    // All in front of the first unknown character is ASCII, and one byte each.
    if let Some(index) = unknown.or(operator) {
        return Err(invalid(index));
    }
    for (index, number) in words(text).filter(|(_, word)| is_number(word)) {
        // Such as `1e9`, `0xff` and `1_000`: Rhai has numbers that people do not write.
        if let Some(letter) = number.find(|c: char| !c.is_ascii_digit() && c != '.') {
            return Err(invalid(index + letter));
        }
        if number.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX {
            return Err(Refusal::new(Code::TooLong, path).with("max", DIGITS_MAX));
        }
    }
    Ok(())
}

/// The numbers and names of a formula, each with its place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + text[end..].find(is_inside)?;
        let rest = &text[start..];
        end = start + rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        Some((start, &text[start..end]))
    })
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

/// The names of the attributes that a formula uses.
pub(super) fn attributes(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter_map(|(_, word)| word.strip_prefix(ATTRIBUTE))
}

/// Whether all attributes that the formula uses may be numbers.
pub(super) fn check_attributes(path: &str, text: &str, schema: &Schema) -> Result<(), Refusal> {
    match attributes(text).find(|name| !schema.has_number(name)) {
        Some(name) => {
            Err(Refusal::new(Code::UnknownName, path).with("value", format!("{ATTRIBUTE}{name}")))
        }
        None => Ok(()),
    }
}

/// Computes the formula with two sets of numbers: one alone might happen to divide by zero.
fn try_out(path: &str, ast: &AST) -> Result<(), Refusal> {
    let mut attributes = Vec::new();
    let mut samples = [(137, 0), (2_711, 3)].into_iter();
    let mut sample = samples.next();
    while let Some((mantissa, scale)) = sample {
        let names = NAMES.iter().copied().map(str::to_owned);
        let mut scope = scope(
            names
                .chain(attributes.iter().cloned())
                .zip(numbers(mantissa, scale)),
        );
        match evaluate(ast, &mut scope) {
            Ok(_) => return Ok(()),
            Err(Failure::UnknownName(name))
                if is_attribute(&name)
                    && !attributes.contains(&name)
                    && attributes.len() < ATTRIBUTES_MAX =>
            {
                attributes.push(name);
            }
            Err(Failure::UnknownName(name)) => {
                return Err(Refusal::new(Code::UnknownName, path).with("value", name));
            }
            Err(Failure::NoNumber(position)) => {
                let refusal = Refusal::new(Code::InvalidFormula, path);
                return Err(match position.position() {
                    Some(character) => refusal.with("value", character),
                    None => refusal,
                });
            }
            Err(Failure::Arithmetic) => sample = samples.next(),
        }
    }
    Err(Refusal::new(Code::InvalidFormula, path))
}

/// Numbers that hardly ever cancel each other out.
fn numbers(mantissa: i64, scale: u32) -> impl Iterator<Item = Exact> {
    (0..).map(move |index: i64| Decimal::new(mantissa + index * index * 7 + index, scale).into())
}

fn is_attribute(name: &str) -> bool {
    name.strip_prefix(ATTRIBUTE)
        .is_some_and(|name| !name.is_empty())
}

fn scope(values: impl Iterator<Item = (String, Exact)>) -> Scope<'static> {
    let mut scope = Scope::new();
    for (name, value) in values {
        scope.push_constant_dynamic(name, Dynamic::from(value));
    }
    scope
}

/// Why there is no result.
#[derive(Debug)]
enum Failure {
    /// A name or a function is not known.
    UnknownName(String),
    /// The result is no number, or something in between is not what a formula works with.
    NoNumber(Position),
    /// A division by zero, or too large a number.
    Arithmetic,
}

fn evaluate(ast: &AST, scope: &mut Scope<'_>) -> Result<Exact, Failure> {
    match ENGINE.eval_ast_with_scope::<Dynamic>(scope, ast) {
        Ok(result) => number(result).ok_or(Failure::NoNumber(Position::NONE)),
        Err(error) => Err(failure(*error)),
    }
}

fn number(result: Dynamic) -> Option<Exact> {
    if let Ok(whole) = result.as_int() {
        return Some(whole.into());
    }
    if let Ok(decimal) = result.as_decimal() {
        return Some(decimal.into());
    }
    result.try_cast::<Exact>()
}

fn failure(error: EvalAltResult) -> Failure {
    match error {
        EvalAltResult::ErrorVariableNotFound(name, _) => Failure::UnknownName(name),
        // A signature: the name, then the types of the arguments.
        EvalAltResult::ErrorFunctionNotFound(signature, position) => {
            let name = signature.split('(').next().unwrap_or_default().trim();
            if name.starts_with(|c: char| c.is_ascii_alphabetic())
                && !["min", "max"].contains(&name)
            {
                Failure::UnknownName(name.to_owned())
            } else {
                Failure::NoNumber(position)
            }
        }
        EvalAltResult::ErrorRuntime(..) | EvalAltResult::ErrorTooManyOperations(_) => {
            Failure::Arithmetic
        }
        other => Failure::NoNumber(other.position()),
    }
}

/// Whether a price by this formula depends on the metal's rate: the making charge may, when it is a percentage.
pub(super) fn mentions_rate(text: &str) -> bool {
    words(text).any(|(_, word)| matches!(word, "rate" | "reference_fineness" | "making"))
}

/// What the formula says one unit costs.
pub(super) fn find(model: &Formula, facts: &Facts<'_>) -> Result<Exact, Problem> {
    // What is kept has been parsed before; only a Rhai that knows less than that one could refuse it.
    let ast = ENGINE
        .compile_expression(&model.text)
        .map_err(|_unknown_to_this_version| Problem::FormulaFailed)?;
    let known = NAMES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value(name, facts).ok()?)));
    let attributes = attributes(&model.text)
        .filter_map(|name| Some((format!("{ATTRIBUTE}{name}"), attribute(name, facts)?)));
    match evaluate(&ast, &mut scope(known.chain(attributes))) {
        Ok(price) => Ok(price),
        Err(Failure::UnknownName(name)) if is_attribute(&name) => Err(Problem::NoAttribute),
        Err(Failure::UnknownName(name)) => {
            Err(value(&name, facts).err().unwrap_or(Problem::FormulaFailed))
        }
        Err(Failure::NoNumber(_) | Failure::Arithmetic) => Err(Problem::FormulaFailed),
    }
}

/// What a name stands for, or why it stands for nothing.
fn value(name: &str, facts: &Facts<'_>) -> Result<Exact, Problem> {
    let metal = |weight: fn(&ItemMetal) -> Option<Decimal>| {
        let metal = facts.metal.ok_or(Problem::NoMetal)?;
        weight(metal).map(Exact::from).ok_or(Problem::NoWeight)
    };
    let rate = |number: fn(&MetalRate) -> Decimal| {
        facts.metal.ok_or(Problem::NoMetal)?;
        let rate = facts.rate.ok_or(Problem::NoRate)?;
        Ok(number(rate).into())
    };
    match name {
        "net_weight" => metal(|metal| metal.net_weight),
        "gross_weight" => metal(|metal| metal.gross_weight),
        // A piece without stones is of metal all the same.
        "stone_weight" => metal(|metal| Some(metal.stone_weight.unwrap_or_default())),
        "fineness" => metal(|metal| Some(metal.fineness)),
        "rate" => rate(|rate| rate.price_per_gram),
        "reference_fineness" => rate(|rate| rate.fineness),
        "making" => weight::making(facts.metal.ok_or(Problem::NoMetal)?, facts.rate),
        "quantity" => Ok(facts.quantity.into()),
        "duration_hours" => facts
            .duration_hours
            .map(Exact::from)
            .ok_or(Problem::NoDuration),
        _ => Err(Problem::FormulaFailed),
    }
}

fn attribute(name: &str, facts: &Facts<'_>) -> Option<Exact> {
    facts.schema.number(name, facts.attributes.as_object()?)
}

#[cfg(test)]
mod tests;
