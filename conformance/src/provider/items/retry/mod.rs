//! Retries: C-47 to C-53.

mod expiration;
mod load;
mod never;
mod pauses;
mod retry_after;
mod slow_token;

use crate::provider::item::Item;

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-47", never::plays()),
        Item::new("C-48", pauses::plays()),
        Item::new("C-49", slow_token::plays()),
        Item::new("C-50", load::plays_of_trouble()),
        Item::new("C-51", retry_after::plays()),
        Item::new("C-52", expiration::plays()),
        Item::new("C-53", load::plays_of_the_budget()),
    ]
}
