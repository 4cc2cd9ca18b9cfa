//! Streams and flow control: C-10 to C-19.
//!
//! | module | items |
//! |---|---|
//! | `beginning` | C-10 and C-11: before anything is allowed, and before the first answer |
//! | `limits` | C-12 and C-13: fewer streams, and ever other numbers |
//! | `scaling` | C-14: more connections, and fewer again |
//! | `windows` | C-15 to C-17: what may be sent, and what may come |
//! | `fields` | C-18: HPACK |
//! | `framing` | C-19: odd forms of answers |

mod beginning;
mod fields;
mod framing;
mod limits;
mod scaling;
mod windows;

use crate::provider::item::Item;

pub(super) fn items() -> Vec<Item> {
    let mut items = beginning::items();
    items.extend(limits::items());
    items.push(scaling::item());
    items.extend(windows::items());
    items.push(fields::item());
    items.push(framing::item());
    items
}
