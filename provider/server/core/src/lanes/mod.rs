//! What goes first: lanes, the room that each may take, and the pace of a campaign.

mod lane;
mod pace;
mod room;

pub use lane::Lane;
pub use pace::{InvalidPace, Pace, Paced};
pub use room::Room;
