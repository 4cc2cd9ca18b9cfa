//! Every item of the checklist, a room for each of its parts.

mod connection;
mod streams;

use super::item::Item;

/// All items, in the order of their numbers.
pub(crate) fn all() -> Vec<Item> {
    let mut items = connection::items();
    items.extend(streams::items());
    items
}
