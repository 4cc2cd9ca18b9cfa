//! How often a device may have pushes, if its app says so: what is claimed is charged to the devices, and what is beyond waits.
//!
//! It waits without a place in a line. When there may be one more, whoever is claimed first gets it; a later notification with the same
//! collapse ID has replaced the one before it by then, and so goes in its place.

use std::collections::BTreeSet;

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::AppId,
    limits::{Limited, Rate, Rates},
    message::Deadline,
    worker::Exception,
};

use super::ClaimedShard;
use crate::store::{
    StoreError,
    allowances::{self, Account},
    collapsing::target,
    sql::Connection,
    times::later,
};

/// What a shard that was claimed is to be charged.
#[derive(Debug)]
pub(super) struct Charge {
    /// Which of those that were claimed.
    at: usize,
    app: AppId,
    rates: Vec<(Limited, Rate)>,
    sequence: i64,
    number: u32,
    deadline: Deadline,
    /// By position: whose devices.
    recipients: Vec<(u16, i64)>,
}

impl Charge {
    /// Those of a shard that may be sent now; nothing if there are none, or no limits.
    pub(super) fn of(
        at: usize,
        sequence: i64,
        shard: &ClaimedShard,
        rates: &Rates,
        now: UnixTime,
    ) -> Option<Self> {
        let rates = rates.of_device(shard.message.push_type());
        if rates.is_empty() || shard.deadline.has_passed(now) {
            return None;
        }
        // Whoever was tried before has paid before.
        let mut others: BTreeSet<u16> = shard.waiting.iter().map(|waiting| waiting.position).collect();
        others.extend(shard.done.iter().chain(shard.started.iter()));
        let ended = |(position, exception): (u16, Exception)| {
            matches!(exception, Exception::End(_)).then_some(position)
        };
        others.extend(shard.exceptions().into_iter().filter_map(ended));
        let recipients = (0_u16..).zip(shard.recipients.recipients());
        let recipients: Vec<_> = recipients
            .filter(|(position, _)| !others.contains(position))
            .map(|(position, recipient)| (position, target(&recipient)))
            .collect();
        let (app, number, deadline) = (shard.source.app, shard.key.number, shard.deadline);
        (!recipients.is_empty()).then_some(Self { at, app, rates, sequence, number, deadline, recipients })
    }

    fn accounts(&self, target: i64) -> impl Iterator<Item = (Account, Rate, u32)> {
        let app = self.app;
        self.rates.iter().map(move |(limited, rate)| (Account { limited: *limited, app, target }, *rate, 1))
    }
}

/// By shard, who has to wait, and until when to look again: not beyond the end of the push's time, so that it is told then.
type Waits = Vec<(usize, Vec<(u16, UnixTime)>)>;

pub(super) async fn charge(
    (charges, now): &(Vec<Charge>, UnixTime),
    transaction: &mut Connection,
) -> Result<Waits, StoreError> {
    let accounts = charges.iter().flat_map(|charge| {
        let targets = charge.recipients.iter().map(|(_, target)| *target);
        targets.flat_map(|target| charge.accounts(target).map(|(account, ..)| account))
    });
    let accounts: BTreeSet<Account> = accounts.collect();
    let mut ledger = allowances::look(&accounts, transaction).await?;
    let mut all = Vec::new();
    for charge in charges {
        let mut waits = Vec::new();
        for (position, target) in &charge.recipients {
            let asked: Vec<_> = charge.accounts(*target).collect();
            if let Err(over) = ledger.take_once(*now, &asked, (charge.sequence, charge.number, *position)) {
                let until = later(*now, over.retry_after);
                let until = charge.deadline.worthless_at.map_or(until, |end| until.min(end));
                waits.push((*position, until));
            }
        }
        if !waits.is_empty() {
            all.push((charge.at, waits));
        }
    }
    allowances::store(&ledger, transaction).await?;
    Ok(all)
}
