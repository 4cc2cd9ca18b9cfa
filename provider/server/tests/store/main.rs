//! What the store promises, on both databases.

mod campaigns;
mod devices;
mod intake;
mod opening;
mod outcomes;
mod planning;
mod set_up;
mod shards;
mod support;
mod sweeping;
