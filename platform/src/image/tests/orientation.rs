//! Eight photographs of one scene, held in the eight ways a camera can be held.

use std::fs;
use std::path::Path;

use super::{decoded, difference, jpeg, rendered, rendition};
use crate::image::{Encoding, Focus, Limits, Rendered, Size, render};

fn photograph(number: u8) -> Rendered {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/exif");
    let bytes = fs::read(folder.join(format!("Landscape_{number}.jpg"))).unwrap();
    render(&bytes, &Limits::default(), &[Size::Small], Focus::default()).unwrap()
}

#[test]
fn all_eight_come_out_upright() {
    let upright = photograph(1);
    for number in 2..=8 {
        let turned = photograph(number);
        assert_eq!(
            (turned.width, turned.height),
            (upright.width, upright.height)
        );
        for encoding in Encoding::ALL {
            let [one, other] = [&upright, &turned]
                .map(|rendered| decoded(rendition(rendered, Size::Small, encoding)));
            let difference = difference(&one, &other);
            assert!(
                difference < 400,
                "photograph {number}, {encoding:?}: {difference}"
            );
        }
    }
}

#[test]
fn a_picture_that_is_not_turned_would_be_noticed() {
    let upright = decoded(rendition(&photograph(1), Size::Small, Encoding::Jpeg));
    for turned in [upright.fliph(), upright.flipv(), upright.rotate180()] {
        assert!(difference(&upright, &turned) > 1500);
    }
}

#[test]
fn a_nonsensical_orientation_is_ignored() {
    for bytes in [
        &b"Exif\0\0"[..],
        b"Exif\0\0MM\0*\0\0\0\xff",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
    ] {
        let photo = super::privacy::with_segment(&jpeg(64, 48, false), 0xe1, bytes);
        let rendered = rendered(&photo);
        assert_eq!((rendered.width, rendered.height), (64, 48));
    }
}
