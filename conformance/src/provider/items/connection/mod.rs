//! Connections and TLS: C-01 to C-09.
//!
//! | module | items |
//! |---|---|
//! | `opening` | C-01 and C-02: how many connections, and how soon |
//! | `names` | C-03 and C-04: where a name leads |
//! | `tls` | C-05 to C-07: certificates, ALPN, versions |
//! | `proxy` | C-08 |
//! | `greeting` | C-09: the first frames |

mod greeting;
mod names;
mod opening;
mod proxy;
mod tls;

use crate::provider::item::Item;

pub(super) fn items() -> Vec<Item> {
    let mut items = opening::items();
    items.extend(names::items());
    items.extend(tls::items());
    items.push(proxy::item());
    items.push(greeting::item());
    items
}
