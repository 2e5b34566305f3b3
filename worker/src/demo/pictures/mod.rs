//! Product pictures drawn by code, so that the demo shop needs no photographs: simple still lifes whose colours
//! come from the item's attributes. The same item always gets the same picture.
#![expect(
    clippy::float_arithmetic,
    reason = "drawing is geometry; no money, weight or quantity is computed here"
)]

mod bullion;
mod canvas;
mod gem;
mod goods;
mod kitchen;
mod metal;
mod necklace;
mod paint;
mod ring;
mod tableware;
mod workshop;

use image::{DynamicImage, RgbaImage, codecs::jpeg::JpegEncoder};

use self::canvas::Canvas;
use self::paint::Look;
use super::item::DemoItem;

/// Width of every picture in pixels.
pub const WIDTH: u32 = 960;
/// Height of every picture in pixels.
pub const HEIGHT: u32 = 720;
const JPEG_QUALITY: u8 = 90;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A finger ring with a stone, or a plain band.
    Ring,
    /// A rigid bangle.
    Bangle,
    /// A chain laid in a loop, as bracelet or necklace.
    Chain,
    /// A chain with a pendant.
    Necklace,
    /// A pair of earrings.
    Earrings,
    /// A minted coin.
    Coin,
    /// A cast bar.
    Bar,
    /// A wrist watch.
    Watch,
    /// A faceted loose stone.
    Gem,
    /// A round pearl.
    Pearl,
    /// A folding carton with a label.
    Carton,
    /// A bottle with a screw cap.
    Bottle,
    /// A hexagon bolt.
    Bolt,
    /// A ball bearing.
    Bearing,
    /// An open-ended spanner.
    Spanner,
    /// A plate of rice with kebab.
    Plate,
    /// A plate of rice with stew.
    Stew,
    /// A bowl of something liquid.
    Bowl,
    /// A bowl of leaves.
    Salad,
    /// A glass of a cold drink.
    Glass,
    /// A cup with a hot drink.
    Cup,
}

/// First match wins: the finer category stands before the coarser.
const SHAPES: [(&str, Shape); 31] = [
    ("jeweller:rings", Shape::Ring),
    ("jeweller:bracelets:bangles", Shape::Bangle),
    ("jeweller:bracelets", Shape::Chain),
    ("jeweller:chains", Shape::Chain),
    ("jeweller:necklaces", Shape::Necklace),
    ("jeweller:sets", Shape::Necklace),
    ("jeweller:earrings", Shape::Earrings),
    ("jeweller:children:bangles", Shape::Bangle),
    ("jeweller:children", Shape::Earrings),
    ("jeweller:silver:rings", Shape::Ring),
    ("jeweller:silver:bracelets", Shape::Chain),
    ("jeweller:silver", Shape::Necklace),
    ("jeweller:bullion:coins", Shape::Coin),
    ("jeweller:bullion", Shape::Bar),
    ("jeweller:watches", Shape::Watch),
    ("jeweller:stones:pearls", Shape::Pearl),
    ("jeweller:stones", Shape::Gem),
    ("pharmacy:eye", Shape::Bottle),
    ("pharmacy", Shape::Carton),
    ("workshop:fasteners:bolts", Shape::Bolt),
    ("workshop:bearings", Shape::Bearing),
    ("workshop:oils", Shape::Bottle),
    ("workshop:handtools:spanners", Shape::Spanner),
    ("restaurant:kebabs", Shape::Plate),
    ("restaurant:rice", Shape::Plate),
    ("restaurant:stews", Shape::Stew),
    ("restaurant:salads", Shape::Salad),
    ("restaurant:soups", Shape::Bowl),
    ("restaurant:desserts", Shape::Bowl),
    ("restaurant:hot", Shape::Cup),
    ("restaurant:cold", Shape::Glass),
];

impl Shape {
    /// What an item of a category looks like; none for what has no looks, such as a service.
    pub(super) fn of(category: &str) -> Option<Self> {
        let below = category.strip_prefix("demo:")?;
        if below.ends_with(":services") || below.ends_with(":supplies") {
            return None;
        }
        SHAPES
            .iter()
            .find(|(prefix, _)| below.starts_with(prefix))
            .map(|(_, shape)| *shape)
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// [`DemoItem::has_picture`] says no.
    #[error("item {0} has no picture")]
    NotPictured(String),
    /// The canvas or the encoder failed.
    #[error("the picture of item {0} could not be encoded")]
    Encoding(String, #[source] Option<image::ImageError>),
}

/// The picture of an item as a JPEG file of [`WIDTH`] x [`HEIGHT`] pixels.
///
/// # Errors
/// When the item has no picture, or encoding fails.
pub fn draw(item: &DemoItem) -> Result<Vec<u8>, PictureError> {
    let reference = || item.external_reference.clone();
    let shape = item
        .picture
        .ok_or_else(|| PictureError::NotPictured(reference()))?;
    let look = Look::of(item);
    let mut canvas = Canvas::new(&look).ok_or_else(|| PictureError::Encoding(reference(), None))?;
    paint(shape, &mut canvas, &look);
    encode(canvas).map_err(|error| PictureError::Encoding(reference(), error))
}

fn paint(shape: Shape, canvas: &mut Canvas, look: &Look) {
    match shape {
        Shape::Ring => ring::ring(canvas, look),
        Shape::Bangle => ring::bangle(canvas, look),
        Shape::Chain => necklace::chain(canvas, look),
        Shape::Necklace => necklace::necklace(canvas, look),
        Shape::Earrings => necklace::earrings(canvas, look),
        Shape::Coin => bullion::coin(canvas, look),
        Shape::Bar => bullion::bar(canvas, look),
        Shape::Watch => bullion::watch(canvas, look),
        Shape::Gem => gem::loose(canvas, look),
        Shape::Pearl => gem::pearl(canvas, look),
        Shape::Carton => goods::carton(canvas, look),
        Shape::Bottle => goods::bottle(canvas, look),
        Shape::Bolt => workshop::bolt(canvas, look),
        Shape::Bearing => workshop::bearing(canvas, look),
        Shape::Spanner => workshop::spanner(canvas, look),
        Shape::Plate => kitchen::kebab(canvas, look),
        Shape::Stew => kitchen::stew(canvas, look),
        Shape::Bowl => tableware::soup(canvas, look),
        Shape::Salad => tableware::salad(canvas, look),
        Shape::Glass => tableware::glass(canvas, look),
        Shape::Cup => tableware::cup(canvas, look),
    }
}

fn encode(canvas: Canvas) -> Result<Vec<u8>, Option<image::ImageError>> {
    let pixels = RgbaImage::from_raw(WIDTH, HEIGHT, canvas.into_pixels()).ok_or(None)?;
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
    DynamicImage::from(DynamicImage::from(pixels).to_rgb8())
        .write_with_encoder(encoder)
        .map_err(Some)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{PictureError, SHAPES, draw};
    use crate::demo::{DemoItem, items};

    /// One pictured item of each shape.
    fn samples() -> Vec<DemoItem> {
        let mut first = HashMap::new();
        for item in items().filter(DemoItem::has_picture) {
            first.entry(item.picture).or_insert(item);
        }
        first.into_values().collect()
    }

    #[test]
    fn every_shape_is_shown_by_some_item_and_drawn_as_a_jpeg_of_full_size() {
        let samples = samples();
        for (_, shape) in SHAPES {
            assert!(
                samples.iter().any(|item| item.picture == Some(shape)),
                "{shape:?}"
            );
        }
        for item in samples {
            let picture = image::load_from_memory(&draw(&item).unwrap()).unwrap();
            assert_eq!(
                (picture.width(), picture.height()),
                (super::WIDTH, super::HEIGHT)
            );
        }
    }

    #[test]
    fn a_picture_is_always_the_same_and_never_that_of_another_item() {
        let rings: Vec<_> = items().filter(DemoItem::has_picture).take(6).collect();
        let drawn: Vec<_> = rings.iter().map(|item| draw(item).unwrap()).collect();
        assert_eq!(drawn[0], draw(&rings[0]).unwrap());
        for (index, picture) in drawn.iter().enumerate() {
            assert!(!drawn[..index].contains(picture), "{}", rings[index].sku);
        }
    }

    #[test]
    fn an_item_without_a_picture_is_refused() {
        let plain = items().find(|item| !item.has_picture()).unwrap();
        assert!(matches!(draw(&plain), Err(PictureError::NotPictured(_))));
    }
}
