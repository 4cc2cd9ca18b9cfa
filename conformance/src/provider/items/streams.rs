//! Streams and flow control: C-10 to C-19.

use super::super::item::Item;

pub(super) fn items() -> Vec<Item> {
    Vec::new()
}
