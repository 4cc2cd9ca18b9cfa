//! What goes first.

mod lane;
mod pace;

pub use lane::Lane;
pub use pace::{InvalidPace, Pace, Paced};
