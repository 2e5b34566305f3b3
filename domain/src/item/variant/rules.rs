//! Decisions about the options of templates.

use std::collections::{HashMap, HashSet};

use entity::attribute::Kind;
use serde_json::Value;

use super::{COMBINATIONS_MAX, NewOption, template::Choices};
use crate::{
    attribute::{Effective, Schema},
    error::{Code, Refusal, Refusals, Result},
};

/// Most options of a template.
const OPTIONS_MAX: usize = 5;
/// Most values of one option.
const VALUES_MAX: usize = 100;
/// Longest value, in characters: what a variant has chosen is a key in an index.
const VALUE_MAX: usize = 100;
/// Longest separator of the parts of a SKU, in characters.
const SEPARATOR_MAX: usize = 3;

/// Bounds what a client can make us look at.
pub(super) fn check_count(options: &[NewOption]) -> Result<(), Refusal> {
    if options.len() > OPTIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "options").with("max", OPTIONS_MAX));
    }
    for (index, option) in options.iter().enumerate() {
        let path = format!("options.{index}.values");
        if option.values.is_empty() {
            return Err(Refusal::new(Code::Required, &path));
        }
        if option.values.len() > VALUES_MAX {
            return Err(Refusal::new(Code::TooMany, &path).with("max", VALUES_MAX));
        }
    }
    Ok(())
}

/// The options as they are to be kept.
pub(super) fn parse_options(schema: &Schema, options: &[NewOption]) -> Result<Vec<Choices>> {
    let mut refusals = Refusals::default();
    let mut parsed: Vec<Choices> = Vec::with_capacity(options.len());
    for (index, option) in options.iter().enumerate() {
        let path = format!("options.{index}");
        let attribute = attribute(schema, &path, &option.attribute, &parsed);
        let Some(attribute) = refusals.take(attribute) else {
            continue;
        };
        parsed.push(Choices {
            key: attribute.attribute.key.clone(),
            values: values(schema, attribute, &path, &option.values, &mut refusals),
        });
    }
    let combinations: usize = parsed.iter().map(|option| option.values.len()).product();
    if combinations > COMBINATIONS_MAX {
        refusals.push(Refusal::new(Code::TooMany, "options").with("max", COMBINATIONS_MAX));
    }
    refusals.into_result(Some(parsed))
}

fn attribute<'a>(
    schema: &'a Schema,
    path: &str,
    name: &str,
    earlier: &[Choices],
) -> Result<&'a Effective, Refusal> {
    let path = format!("{path}.attribute");
    let refuse = |code| Refusal::new(code, &path).with("value", name);
    let found = schema.named(name.trim());
    let found = found.ok_or_else(|| refuse(Code::UnknownAttribute))?;
    let attribute = &found.attribute;
    let is_plain = !matches!(attribute.kind, Kind::MultiEnum | Kind::Reference);
    if !is_plain || attribute.is_unique {
        return Err(refuse(Code::CannotVary));
    }
    if earlier.iter().any(|other| other.key == attribute.key) {
        return Err(refuse(Code::AlreadyTaken));
    }
    Ok(found)
}

fn values(
    schema: &Schema,
    attribute: &Effective,
    path: &str,
    written: &[String],
    refusals: &mut Refusals,
) -> Vec<Value> {
    let mut values = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let path = format!("{path}.values.{index}");
        let value = schema
            .kept(attribute, &path, text)
            .and_then(|value| short(&path, value));
        let Some(value) = refusals.take(value) else {
            continue;
        };
        if values.contains(&value) {
            refusals.push(Refusal::new(Code::AlreadyTaken, &path).with("value", text.trim()));
        } else {
            values.push(value);
        }
    }
    values
}

fn short(path: &str, value: Value) -> Result<Value, Refusal> {
    let length = value.as_str().map_or(0, |text| text.chars().count());
    if length > VALUE_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", VALUE_MAX));
    }
    Ok(value)
}

/// Values that variants have, by the keys of their attributes; none without variants.
pub(super) type Used = HashMap<String, Vec<Value>>;

/// What variants have chosen must still be there to choose.
pub(super) fn check_used(schema: &Schema, after: &[Choices], used: &Used) -> Result<(), Refusal> {
    if used.is_empty() {
        return Ok(());
    }
    let keys: HashSet<_> = after.iter().map(|option| &option.key).collect();
    if keys != used.keys().collect() {
        return Err(Refusal::new(Code::HasVariants, "options"));
    }
    for (index, option) in after.iter().enumerate() {
        let mut missing = used.get(&option.key).into_iter().flatten();
        if let Some(value) = missing.find(|value| !option.values.contains(value)) {
            let path = format!("options.{index}.values");
            let value = schema.cell_of(&option.key, value);
            return Err(Refusal::new(Code::HasVariants, &path).with("value", value));
        }
    }
    Ok(())
}

/// What stands between the parts of a SKU: none of what the parts themselves are made of.
pub(in super::super) fn parse_separator(separator: Option<&str>) -> Result<&str, Refusal> {
    let separator = separator.unwrap_or("-");
    let length = separator.chars().count();
    if length > SEPARATOR_MAX {
        return Err(Refusal::new(Code::TooLong, "skuSeparator").with("max", SEPARATOR_MAX));
    }
    if length == 0 {
        return Err(Refusal::new(Code::Required, "skuSeparator"));
    }
    if separator.chars().all(|char| "-_./+#".contains(char)) {
        Ok(separator)
    } else {
        Err(Refusal::new(Code::InvalidFormat, "skuSeparator").with("value", separator))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn option(key: &str, values: &[&str]) -> Choices {
        Choices {
            key: key.into(),
            values: values.iter().map(|value| json!(value)).collect(),
        }
    }

    #[test]
    fn what_variants_have_chosen_stays() {
        let used = Used::from([("size".to_owned(), vec![json!("50")])]);
        let check = |after: &[Choices]| check_used(&Schema::default(), after, &used);
        assert!(check(&[option("size", &["52", "50"])]).is_ok());
        for after in [
            vec![],
            vec![option("size", &["52"])],
            vec![option("colour", &["50"])],
            vec![option("size", &["50"]), option("colour", &["red"])],
        ] {
            assert!(
                check(&after).is_err_and(|refusal| refusal.code == Code::HasVariants),
                "{after:?}"
            );
        }
        assert!(check_used(&Schema::default(), &[], &Used::new()).is_ok());
    }

    #[test]
    fn options_are_few_and_offer_something() {
        let new = |count: usize| NewOption {
            attribute: "size".into(),
            values: vec!["1".into(); count],
        };
        assert!(check_count(&[new(1), new(100)]).is_ok());
        assert!(check_count(&[new(0)]).is_err_and(|r| r.code == Code::Required));
        assert!(check_count(&[new(101)]).is_err_and(|r| r.code == Code::TooMany));
        assert!(check_count(&vec![new(1); 6]).is_err_and(|r| r.code == Code::TooMany));
    }

    #[test]
    fn a_separator_is_no_part_of_what_it_separates() {
        assert_eq!(parse_separator(None), Ok("-"));
        for wrong in ["", "x", "----", " "] {
            assert!(parse_separator(Some(wrong)).is_err(), "{wrong:?}");
        }
    }
}
