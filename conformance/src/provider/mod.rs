//! The suite that any APNs provider can be held to, through an adapter.
//!
//! ```text
//!   items ──▶ play ──▶ stage ─────────────────────▶ evidence ──▶ judge ──▶ report
//!             script    │ double · roads · adapter      ▲
//!                       └── recorder ───────────────────┘
//! ```
//!
//! An item of the checklist is a play or several. A play is a script, which arranges a bad day and tells the adapter what to send, and
//! a judge, which looks at what the double saw on the wire and what the adapter reported, and at nothing else. Each play has a double,
//! an address and an adapter of its own: nothing of one is seen in another.
//!
//! | module | what |
//! |---|---|
//! | `item` | `Item`, `Play`, `Finding` |
//! | `items` | every item of the checklist |
//! | `stage` | the double, the way to it, the adapter: what scripts act on |
//! | `road` | addresses that lead to the double, or do not |
//! | `adapter` | an adapter as a process: bounded, whatever it does |
//! | `protocol` | what is said to an adapter and by it |
//! | `recorder` | writes the evidence down as it comes |
//! | `evidence` | frames, requests, reports: what judges look at |
//! | `running` | items against an adapter, several at once |

mod adapter;
mod evidence;
mod item;
mod items;
mod protocol;
mod recorder;
mod road;
mod running;
mod shown;
mod stage;

use apns_spec::Spec;

use crate::{About, Selectable};
use item::Item;

pub(crate) use adapter::AdapterCommand;
pub(crate) use running::{Asked, Run, introduce, run};

/// Every item, with what the table says of it.
pub(crate) fn asked(spec: &Spec) -> Vec<Asked> {
    items::all().into_iter().map(|item| Asked { about: about(spec, &item), item }).collect()
}

fn about(spec: &Spec, item: &Item) -> About {
    let row = spec.provider_items().iter().find(|row| row.item == item.id);
    let row = row.expect("a test holds items and table together");
    About {
        id: row.item.clone(),
        title: row.title.clone(),
        tags: vec![row.group.as_str(), row.level.as_str()],
        rows: vec![row.id.clone()],
    }
}

impl Selectable for Asked {
    fn id(&self) -> &str {
        &self.about.id
    }

    fn tags(&self) -> &[&'static str] {
        &self.about.tags
    }

    fn rows(&self) -> &[String] {
        &self.about.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_of_the_table_is_asked_once_and_in_its_order() {
        let spec = Spec::load().unwrap();
        let asked: Vec<String> = asked(&spec).into_iter().map(|asked| asked.about.id).collect();
        let rows: Vec<String> = spec.provider_items().iter().map(|row| row.item.clone()).collect();
        assert_eq!(asked, rows);
    }
}
