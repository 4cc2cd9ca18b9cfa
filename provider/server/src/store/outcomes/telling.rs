//! What webhooks are told of a batch of outcomes.

use std::collections::BTreeSet;

use apns_provider_server_core::{
    ids::AppId,
    webhook::{DeviceNews, EventKind, News, RecipientNews},
};

use super::{preparing::Final, storing::Storing};
use crate::store::{
    RemovedDevice, ShardKey, StoreError,
    sql::{Connection, Table},
    webhooks::{Telling, Told},
};

/// What was stored of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happened<'a> {
    /// Outcomes that were not there before.
    pub(super) finals: &'a [&'a Final],
    pub(super) removed: &'a [RemovedDevice],
    pub(super) suspects: &'a [RemovedDevice],
}

/// Writes what is to be told. Where nobody wants to be told anything, one row is looked for and nothing else is done.
pub(super) async fn tell(
    it: &Storing,
    happened: Happened<'_>,
    transaction: &mut Connection,
) -> Result<Told, StoreError> {
    let Happened { finals, removed, suspects } = happened;
    let of_devices = removed.iter().chain(suspects).map(|device| device.source.app);
    let apps: BTreeSet<AppId> = finals.iter().map(|it| it.app).chain(of_devices).collect();
    let mut telling = Telling::of(&apps, it.now, transaction).await?;
    for app in apps {
        if telling.is_wanted(app, EventKind::Outcomes) {
            telling.tell(app, &News::Outcomes(recipients(it, app, finals, |_| true)));
        }
        if telling.is_wanted(app, EventKind::DeadLettersAdded) {
            let letters = recipients(it, app, finals, |it| it.letter.is_some());
            telling.tell(app, &News::DeadLettersAdded(letters));
        }
        telling.tell(app, &News::DevicesRemoved(devices(app, removed)));
        telling.tell(app, &News::DevicesSuspect(devices(app, suspects)));
    }
    if telling.is_wanted_of_any(EventKind::NotificationFinished) {
        let mut sequences = Table::new(1);
        let of_batch: BTreeSet<i64> = finals.iter().map(|it| it.sequence).collect();
        for sequence in of_batch {
            sequences.push([sequence.into()]);
        }
        telling.tell_finished(&sequences, transaction).await?;
    }
    telling.store(transaction).await
}

fn recipients(
    it: &Storing,
    app: AppId,
    finals: &[&Final],
    is_told: impl Fn(&Final) -> bool,
) -> Vec<RecipientNews> {
    let finals = finals.iter().filter(|it| it.app == app && is_told(it));
    finals
        .filter_map(|of| {
            let key = ShardKey { notification: of.notification, number: of.number };
            let shard = it.shards.get(&key)?;
            Some(RecipientNews {
                shard: key,
                position: of.position,
                environment: shard.source.environment,
                token: shard.recipients.recipient(of.position)?.device_token().as_str().to_owned(),
                outcome: of.outcome.clone(),
            })
        })
        .collect()
}

fn devices(app: AppId, devices: &[RemovedDevice]) -> Vec<DeviceNews> {
    let of_app = devices.iter().filter(|device| device.source.app == app);
    of_app
        .map(|RemovedDevice { source, token, user, .. }| DeviceNews {
            token: token.as_str().to_owned(),
            environment: source.environment,
            user: user.as_ref().map(|user| user.as_str().to_owned()),
        })
        .collect()
}
