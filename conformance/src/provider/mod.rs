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
    let _ = spec;
    let about = |item: &Item| About {
        id: item.id.to_owned(),
        title: item.id.to_owned(),
        tags: vec!["provider"],
        rows: vec![format!("item-{}", item.id.to_lowercase())],
    };
    items::all().into_iter().map(|item| Asked { about: about(&item), item }).collect()
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
