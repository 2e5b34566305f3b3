//! Filters without the conditions that are about one facet.

use super::FacetOf;
use crate::item::ItemFilter;

/// The filter without the conditions on what is counted; none when it has none of them. Only conditions that must hold are about a
/// facet: what is one of several, or must not hold, stays.
pub(super) fn without(filter: &ItemFilter, of: &FacetOf) -> Option<ItemFilter> {
    let mut without = filter.clone();
    strip(&mut without, of).then_some(without)
}

fn strip(filter: &mut ItemFilter, of: &FacetOf) -> bool {
    let own = match of {
        FacetOf::Category => filter.category_in.take().is_some(),
        FacetOf::Kind => filter.kind_in.take().is_some(),
        FacetOf::Price => filter.price.take().is_some(),
        FacetOf::Tag => {
            let (all, any) = (filter.tags_all.take(), filter.tags_any.take());
            all.is_some() || any.is_some()
        }
        FacetOf::Attribute(name) => {
            let before = filter.attributes.len();
            filter.attributes.retain(|it| it.name != *name);
            filter.attributes.len() < before
        }
    };
    let parts = filter.and.iter_mut().flatten();
    parts.fold(own, |stripped, part| strip(part, of) || stripped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeFilter;

    fn colour() -> ItemFilter {
        ItemFilter {
            attributes: vec![AttributeFilter {
                name: "colour".into(),
                eq: Some("red".into()),
                ..AttributeFilter::default()
            }],
            ..ItemFilter::default()
        }
    }

    #[test]
    fn only_what_must_hold_is_left_out() {
        let of = FacetOf::Attribute("colour".into());
        let nested = ItemFilter {
            and: Some(vec![colour()]),
            not: Some(Box::new(colour())),
            ..ItemFilter::default()
        };
        let left = without(&nested, &of);
        assert!(left.is_some_and(|left| {
            left.and
                .iter()
                .flatten()
                .all(|part| part.attributes.is_empty())
                && left.not.is_some_and(|not| !not.attributes.is_empty())
        }));
        assert!(without(&nested, &FacetOf::Price).is_none());
        assert!(without(&colour(), &FacetOf::Attribute("size".into())).is_none());
    }
}
