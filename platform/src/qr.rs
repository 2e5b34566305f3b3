//! QR codes as SVG for print and as PNG for screens, with the quiet zone of four modules that scanners ask for, and if wanted with a
//! picture in the middle.

mod logo;
mod modules;
mod raster;
mod vector;

use std::sync::Arc;

use qrcode::EcLevel;

pub use logo::Logo;

/// The most content a code may carry, in bytes: denser codes are hard to scan from a label.
pub const MAX_CONTENT: usize = 1024;
/// The widest PNG that is drawn, in pixels.
pub const MAX_PIXELS: u32 = 4096;

/// The light margin on each side, in modules.
pub const QUIET_ZONE: u32 = 4;
/// The same, where modules are counted.
const QUIET: usize = QUIET_ZONE as usize;
/// The most of a code's width that a picture in the middle takes, its light margin included, in percent. That is less than a twentieth of
/// the modules, where level Q can do without a quarter of the codewords and H without three tenths.
const LOGO_PERCENT: usize = 22;

/// How much of a code may be lost, because it is dirty or covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Some 7 percent.
    L,
    /// Some 15 percent.
    M,
    /// Some 25 percent.
    Q,
    /// Some 30 percent.
    H,
}

/// Why a code could not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There is nothing to encode.
    #[error("a QR code needs content")]
    Empty,
    /// The content is longer than [`MAX_CONTENT`].
    #[error("a QR code holds at most {MAX_CONTENT} bytes here")]
    TooLong,
    /// Too little of a code of this level may be covered.
    #[error("a QR code with a picture in the middle needs level Q or H")]
    LevelTooLow,
    /// The size asked for has no room for the code's modules, or is beyond [`MAX_PIXELS`].
    #[error("a QR code of this content needs between {least} and {MAX_PIXELS} pixels")]
    BadSize {
        /// The fewest pixels this content can be drawn with.
        least: u32,
    },
    /// The picture could not be written.
    #[error("the QR code could not be written")]
    Encoding,
}

/// A code, ready to be drawn in any way.
#[derive(Clone, Debug)]
pub struct Qr {
    level: Level,
    width: usize,
    dark: Vec<bool>,
    middle: Option<(Hole, Arc<Logo>)>,
}

/// The square in the middle of a code that is left to a picture, in modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// How many modules are left of it, and above it.
    pub first: usize,
    /// How many modules wide and high it is. The picture leaves half of one free on each side.
    pub side: usize,
}

impl Qr {
    /// The code of `content`.
    ///
    /// # Errors
    ///
    /// [`QrError::Empty`] or [`QrError::TooLong`].
    pub fn new(content: &str, level: Level) -> Result<Self, QrError> {
        match content.len() {
            0 => return Err(QrError::Empty),
            1..=MAX_CONTENT => {}
            _ => return Err(QrError::TooLong),
        }
        let made = modules::modules(content, level.into());
        let (width, dark) = made.or(Err(QrError::TooLong))?;
        Ok(Self {
            level,
            width,
            dark,
            middle: None,
        })
    }

    /// The same code around this picture.
    ///
    /// # Errors
    ///
    /// [`QrError::LevelTooLow`] below level Q.
    pub fn around(mut self, logo: Arc<Logo>) -> Result<Self, QrError> {
        if self.level < Level::Q {
            return Err(QrError::LevelTooLow);
        }
        let hole = Hole::of(self.width);
        let rows = self.dark.chunks_mut(self.width);
        for row in rows.skip(hole.first).take(hole.side) {
            row[hole.first..hole.first + hole.side].fill(false);
        }
        self.middle = Some((hole, logo));
        Ok(self)
    }

    /// Its rows of modules, dark where they are true, without the light margin.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[bool]> {
        self.dark.chunks(self.width)
    }

    /// What is left to the picture, when there is one.
    #[must_use]
    pub fn hole(&self) -> Option<Hole> {
        self.middle.as_ref().map(|(hole, _)| *hole)
    }

    /// As an SVG document whose modules are `module` user units wide. It scales to any size, so `module` only sets the natural one.
    ///
    /// # Errors
    ///
    /// [`QrError::BadSize`] when the natural size is not between one unit a module and [`MAX_PIXELS`].
    pub fn svg(&self, module: u32) -> Result<String, QrError> {
        let least = self.least()?;
        if module == 0 || module.saturating_mul(least) > MAX_PIXELS {
            return Err(QrError::BadSize { least });
        }
        vector::svg(self, least, module)
    }

    /// As a square PNG of exactly `pixels` by `pixels`: black and white, or in colour with a picture in the middle. Modules are whole
    /// pixels; what is left over widens the white margin.
    ///
    /// # Errors
    ///
    /// [`QrError::BadSize`].
    pub fn png(&self, pixels: u32) -> Result<Vec<u8>, QrError> {
        let least = self.least()?;
        if !(least..=MAX_PIXELS).contains(&pixels) {
            return Err(QrError::BadSize { least });
        }
        raster::png(self, least, pixels)
    }

    /// Its width with its margin, in modules.
    fn least(&self) -> Result<u32, QrError> {
        let width = u32::try_from(self.width).or(Err(QrError::TooLong))?;
        Ok(width + 2 * QUIET_ZONE)
    }
}

impl Hole {
    /// The widest that may be, an odd number of modules as the code has.
    fn of(width: usize) -> Self {
        let most = width * LOGO_PERCENT / 100;
        let side = most - (most + 1) % 2;
        Self {
            first: (width - side) / 2,
            side,
        }
    }
}

impl From<Level> for EcLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::L => Self::L,
            Level::M => Self::M,
            Level::Q => Self::Q,
            Level::H => Self::H,
        }
    }
}

#[cfg(test)]
mod tests;
