//! Colours and shapes: one for each contestant, on light and on dark pages.

use plotters::style::RGBColor;

use crate::contestant::Name;

/// What a plot is to be seen on. Its own background is transparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// A light page.
    Light,
    /// A dark page.
    Dark,
}

/// The shape of a contestant's mark, so that colours are not needed to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Cross,
}

impl Theme {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// How files are called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Of the page itself, as GitHub has it.
    pub(super) fn page(self) -> RGBColor {
        self.either(0xff_ff_ff, 0x0d_11_17)
    }

    /// Of titles and labels.
    pub(super) fn text(self) -> RGBColor {
        self.either(0x1f_23_28, 0xf0_f6_fc)
    }

    /// Of what explains.
    pub(super) fn faint_text(self) -> RGBColor {
        self.either(0x59_63_6e, 0x91_98_a1)
    }

    /// Of lines that guide the eye.
    pub(super) fn grid(self) -> RGBColor {
        self.either(0xe4_e8_ec, 0x26_2c_34)
    }

    /// Of the line that everybody is compared with.
    pub(super) fn floor(self) -> RGBColor {
        self.either(0x59_63_6e, 0x91_98_a1)
    }

    /// A contestant's: hues that those who see fewer colours can tell apart.
    pub(super) fn color(self, contestant: Name) -> RGBColor {
        match contestant {
            Name::Tokio => self.floor(),
            Name::Dms | Name::DmsOpen => self.either(0xd9_3a_00, 0xff_7b_45),
            Name::Kameo => self.either(0x00_69_b4, 0x58_b4_f0),
            Name::Ractor => self.either(0x00_8a_63, 0x2f_c8_98),
            Name::Actix => self.either(0xb0_4f_8e, 0xe6_9a_cb),
            Name::Xtra => self.either(0xb8_7d_00, 0xf0_bd_45),
            Name::Murmer => self.either(0x76_7d_86, 0x9a_a2_ab),
        }
    }

    fn either(self, light: u32, dark: u32) -> RGBColor {
        let [_, red, green, blue] = match self {
            Self::Light => light,
            Self::Dark => dark,
        }
        .to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// A contestant's shape.
pub(super) fn shape(contestant: Name) -> Shape {
    match contestant {
        Name::Tokio | Name::Dms | Name::DmsOpen => Shape::Circle,
        Name::Kameo => Shape::Square,
        Name::Ractor => Shape::Up,
        Name::Actix => Shape::Diamond,
        Name::Xtra => Shape::Down,
        Name::Murmer => Shape::Cross,
    }
}
