//! Pictures that people upload: recognised and measured by their content before they are accepted
//! ([`inspect()`], [`inspect_file`]), and turned into clean renditions ([`render()`]) that carry no
//! metadata of the camera or the place.
//!
//! Everything here is synchronous and busy with the processor or the disk: call it where blocking
//! is allowed. Nothing trusts a file's name, its declared size or its own word about being whole.
//!
//! ```
//! use platform::image::{Limits, Rejection, inspect};
//!
//! assert_eq!(inspect(b"a text file", &Limits::default()), Err(Rejection::UnsupportedType));
//! ```
//!
//! How to add a size: a variant of [`Size`] with its name and longest side. How to add an input
//! format: a variant of [`Format`], its signature, and how a whole file of it ends (`complete`).

mod colour;
mod complete;
mod decode;
mod encode;
mod focus;
mod format;
mod inspect;
mod jpeg;
mod limits;
mod placeholder;
mod rejection;
mod render;
mod scale;
mod size;
#[cfg(test)]
mod tests;

pub use encode::Encoding;
pub use focus::Focus;
pub use format::Format;
pub use inspect::{InspectError, Inspected, inspect, inspect_file, inspect_open};
pub use limits::Limits;
pub use placeholder::Placeholder;
pub use rejection::Rejection;
pub(crate) use render::opaque;
pub use render::{RenderError, Rendered, Rendition, render};
pub use size::Size;
