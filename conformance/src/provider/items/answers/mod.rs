//! Answers, and what they say of device tokens: C-54 to C-62.

mod bodies;
mod reasons;
mod removals;
mod suspension;
mod timestamp;

use crate::provider::item::Item;

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-54", reasons::plays()),
        Item::new("C-55", bodies::plays_without()),
        Item::new("C-56", bodies::plays_in_pieces()),
        Item::new("C-57", bodies::plays_of_hostile_ones()),
        Item::new("C-58", timestamp::plays()),
        Item::new("C-59", removals::plays_of_registrations()),
        Item::new("C-60", removals::plays_of_later_registrations()),
        Item::new("C-61", suspension::plays()),
        Item::new("C-62", removals::plays_of_mistakes()),
    ]
}
