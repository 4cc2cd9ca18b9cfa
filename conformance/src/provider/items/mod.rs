//! Every item of the checklist, a room for each of its parts.

mod answers;
mod authentication;
mod changes;
mod connection;
mod content;
mod endings;
mod outcomes;
mod retry;
mod streams;

use super::item::Item;

/// All items, in the order of their numbers.
pub(crate) fn all() -> Vec<Item> {
    let mut items = connection::items();
    items.extend(streams::items());
    items.extend(authentication::items());
    items.extend(endings::items());
    items.extend(retry::items());
    items.extend(answers::items());
    items.extend(content::items());
    items
}
