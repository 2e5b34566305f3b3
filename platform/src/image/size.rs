//! The sizes in which a picture is offered.

/// One of the sizes every picture is offered in. A picture that is smaller keeps its own size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    /// For lists: 160 pixels.
    Thumbnail,
    /// For cards: 320 pixels.
    Small,
    /// For a page: 800 pixels.
    Medium,
    /// For the whole screen: 1,600 pixels.
    Large,
    /// For grids: 320 pixels either way, cut out around the focus. All others show the whole picture.
    Square,
}

impl Size {
    /// Every size, smallest first, and the square.
    pub const ALL: [Self; 5] = [
        Self::Thumbnail,
        Self::Small,
        Self::Medium,
        Self::Large,
        Self::Square,
    ];

    /// The length of the longer side, in pixels.
    #[must_use]
    pub fn longest_side(self) -> u32 {
        match self {
            Self::Thumbnail => 160,
            Self::Small | Self::Square => 320,
            Self::Medium => 800,
            Self::Large => 1600,
        }
    }

    /// The size's name in blob keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Square => "square",
        }
    }
}
