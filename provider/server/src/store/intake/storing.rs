//! What is taken, in one transaction for many requests: a statement for each table, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::Environment,
    idempotency::{Kept, RequestHash},
    ids::{AppId, IdempotencyKey, Label, NotificationId, Sequence, TenantId},
    lanes::{Lane, Pace},
    webhook::{News, NotificationNews},
};

use super::{NewNotification, Submission, Submitted, deciding::Known, limiting};
use crate::store::{
    DeadLetterId, StoreError, allowances,
    collapsing::{self, Overtaking, collapse_key},
    numbers::Counter,
    planned::{NewShards, QueueKey, store_shards},
    plans::read_notification_id,
    sql::{Column, Connection, Row, Statement, Table, values},
    stored::{write_audience, write_json},
    webhooks::{Telling, Told},
};

/// Stores what can be taken, and says of each what became of it.
pub(super) async fn store(
    submissions: &[Submission],
    transaction: &mut Connection,
) -> Result<(Vec<Submitted>, Told), StoreError> {
    let mut known = look(submissions, transaction).await?;
    let decided: Vec<Submitted> = submissions.iter().map(|submission| known.decide(submission)).collect();
    let taken: Vec<&Submission> = submissions
        .iter()
        .zip(&decided)
        .filter_map(|(submission, decided)| (*decided == Submitted::Stored).then_some(submission))
        .collect();
    let notifications: Vec<&NewNotification> = taken.iter().flat_map(|it| &it.notifications).collect();
    let sequences = Counter::Notification.take(notifications.len(), transaction).await?;
    let apps = taken.iter().flat_map(|it| it.notifications.iter().map(|_| it.app));
    let new: Vec<New<'_>> = notifications
        .into_iter()
        .zip(sequences)
        .zip(apps)
        .map(|((notification, sequence), app)| New { notification, sequence: Sequence::new(sequence), app })
        .collect();
    store_notifications(&new, transaction).await?;
    allowances::store(&known.rates, transaction).await?;
    forget_keys(&known.over, transaction).await?;
    remember_keys(&taken, transaction).await?;
    take_dead_letters(&taken, transaction).await?;
    let told = tell_finished(&new, transaction).await?;
    Ok((decided, told))
}

/// A notification with its place.
struct New<'a> {
    notification: &'a NewNotification,
    sequence: Sequence,
    app: AppId,
}

async fn look(submissions: &[Submission], transaction: &mut Connection) -> Result<Known, StoreError> {
    let mut known = Known::default();
    let mut keys = Table::new(2);
    let mut tenants = BTreeSet::new();
    let mut dead_letters = Table::new(4);
    for submission in submissions {
        if let Some(idempotency) = &submission.idempotency {
            keys.push([submission.app.into(), idempotency.key.as_str().into()]);
        }
        tenants.insert(submission.tenant);
        for DeadLetterId { shard, position } in &submission.replayed {
            dead_letters.push([
                submission.app.into(),
                shard.notification.into(),
                shard.number.into(),
                (*position).into(),
            ]);
        }
    }
    known.keys = find_keys(&keys, transaction).await?;
    for row in transaction.rows_with(&FIND_DEAD_LETTERS, values![], &dead_letters).await? {
        known.dead_letters.insert(read_dead_letter(&row)?);
    }
    look_at_queues(&tenants, &mut known, transaction).await?;
    if known.may_be_full(submissions)
        && let Some(now) = submissions.iter().map(|it| it.now).max()
    {
        known.finished_per_second = limiting::finished_per_second(&tenants, now, transaction).await?;
    }
    known.rates = limiting::look(submissions, transaction).await?;
    Ok(known)
}

/// What is kept under a key.
pub(super) async fn kept(
    app: AppId,
    key: &IdempotencyKey,
    reader: &mut Connection,
) -> Result<Option<Kept<Vec<NotificationId>>>, StoreError> {
    let mut keys = Table::new(2);
    keys.push([app.into(), key.as_str().into()]);
    Ok(find_keys(&keys, reader).await?.into_values().next())
}

async fn find_keys(
    keys: &Table,
    connection: &mut Connection,
) -> Result<BTreeMap<(AppId, IdempotencyKey), Kept<Vec<NotificationId>>>, StoreError> {
    let mut found = BTreeMap::new();
    for row in connection.rows_with(&FIND_KEYS, values![], keys).await? {
        let key = row.parsed(1, IdempotencyKey::parse)?;
        let kept =
            Kept { request: read_request(row.blob(2)?)?, answer: read_ids(row.blob(3)?)?, at: row.time(4)? };
        found.insert((AppId::new(row.int(0)?), key), kept);
    }
    Ok(found)
}

async fn look_at_queues(
    tenants: &BTreeSet<TenantId>,
    known: &mut Known,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let mut input = Table::new(1);
    for tenant in tenants {
        input.push([(*tenant).into()]);
    }
    for row in transaction.rows_with(&DEPTHS, values![], &input).await? {
        let (tenant, app) = (TenantId::new(row.int(0)?), AppId::new(row.int(1)?));
        let lane = row.numbered(2, Lane::from_number)?;
        let depth: u64 = row.number(3)?;
        *known.queued_of_app.entry((app, lane)).or_default() += depth;
        *known.queued_of_tenant.entry((tenant, lane)).or_default() += depth;
    }
    Ok(())
}

fn read_dead_letter(row: &Row) -> Result<(AppId, DeadLetterId), StoreError> {
    let shard = apns_provider_server_core::worker::ShardKey {
        notification: read_notification_id(row, 1)?,
        number: row.number(2)?,
    };
    Ok((AppId::new(row.int(0)?), DeadLetterId { shard, position: row.number(3)? }))
}

fn read_request(bytes: &[u8]) -> Result<RequestHash, StoreError> {
    let bytes =
        bytes.try_into().map_err(|_| StoreError::damaged("a request's hash", "it has not 32 bytes"))?;
    Ok(RequestHash::from_bytes(bytes))
}

fn read_ids(bytes: &[u8]) -> Result<Vec<NotificationId>, StoreError> {
    bytes.chunks(16).map(read_id).collect()
}

fn read_id(bytes: &[u8]) -> Result<NotificationId, StoreError> {
    let bytes =
        bytes.try_into().map_err(|_| StoreError::damaged("a notification's ID", "it has not 16 bytes"))?;
    Ok(NotificationId::from_bytes(bytes))
}

async fn store_notifications(new: &[New<'_>], transaction: &mut Connection) -> Result<(), StoreError> {
    let mut notifications = Table::new(13);
    let mut messages = Table::new(4);
    let mut campaigns = Table::new(4);
    let mut plans = Table::new(3);
    let mut shards: BTreeMap<QueueKey, NewShards<'_>> = BTreeMap::new();
    for New { notification: it, sequence, app } in new {
        let progress = &it.progress;
        let is_planned = progress.is_complete();
        let collapse = it.message.collapse_id().map(|id| collapse_key(*app, id));
        notifications.push([
            (*sequence).into(),
            it.id.into(),
            (*app).into(),
            it.lane.number().into(),
            it.delivery.number().into(),
            it.audience.is_for_users().into(),
            it.handed_in.into(),
            collapse.into(),
            is_planned.into(),
            progress.planned.into(),
            progress.left_out.into(),
            progress.planned.into(),
            it.is_for_nobody().then_some(it.handed_in).into(),
        ]);
        messages.push([
            (*sequence).into(),
            String::from_utf8_lossy(&it.message.to_bytes()).into_owned().into(),
            write_audience(&it.audience).into(),
            write_json(&it.schedule).into(),
        ]);
        if let Some(campaign) = &it.campaign {
            let pace = campaign.pace.map(Pace::per_second);
            let label = campaign.label.as_ref().map(Label::as_str);
            campaigns.push([(*sequence).into(), (*app).into(), label.into(), pace.into()]);
        }
        if !is_planned {
            let due_at = it.schedule.plan_at(it.handed_in);
            plans.push([(*sequence).into(), write_json(progress).into(), due_at.into()]);
        }
        for shard in &it.shards {
            let key = queue_key(*app, it, *sequence, shard.environment);
            shards.entry(key).or_default().push((*sequence, shard));
        }
    }
    transaction.execute_with(&ADD_NOTIFICATIONS, values![], &notifications).await?;
    transaction.execute_with(&ADD_MESSAGES, values![], &messages).await?;
    transaction.execute_with(&ADD_CAMPAIGNS, values![], &campaigns).await?;
    transaction.execute_with(&ADD_PLANS, values![], &plans).await?;
    store_shards(&shards, transaction).await?;
    overtake(new, transaction).await
}

/// Those that are for nobody are finished at once.
async fn tell_finished(new: &[New<'_>], transaction: &mut Connection) -> Result<Told, StoreError> {
    let mut finished: BTreeMap<AppId, Vec<NotificationNews>> = BTreeMap::new();
    let mut now = None;
    for New { notification: it, app, .. } in new {
        if it.is_for_nobody() {
            now = now.max(Some(it.handed_in));
            finished.entry(*app).or_default().push(NotificationNews {
                id: it.id.to_string(),
                recipients: 0,
                dead_letters: 0,
                ended: Vec::new(),
            });
        }
    }
    let Some(now) = now else { return Ok(Told::default()) };
    let mut telling = Telling::of(&finished.keys().copied().collect(), now, transaction).await?;
    for (app, notifications) in finished {
        telling.tell(app, &News::NotificationFinished(notifications));
    }
    telling.store(transaction).await
}

/// Older notifications with the same collapse ID that are not finished are overtaken by these.
async fn overtake(new: &[New<'_>], transaction: &mut Connection) -> Result<(), StoreError> {
    let collapse = |it: &New<'_>| Some(collapse_key(it.app, it.notification.message.collapse_id()?));
    let with_key: Vec<_> = new.iter().filter_map(|it| Some((it.sequence, collapse(it)?))).collect();
    let overtake = collapsing::overtake(&with_key, transaction).await?;
    let mut overtaking = Overtaking::default();
    for it in new.iter().filter(|it| overtake.contains(&it.sequence)) {
        for shard in &it.notification.shards {
            overtaking.add(it.sequence, collapse(it).unwrap_or_default(), shard)?;
        }
    }
    overtaking.store(transaction).await
}

fn queue_key(
    app: AppId,
    notification: &NewNotification,
    sequence: Sequence,
    environment: Environment,
) -> QueueKey {
    let campaign = notification.campaign.is_some().then_some(sequence);
    QueueKey { app, environment, lane: notification.lane, campaign }
}

/// Makes room for keys that are used again after their time. If another process was faster, its row is of another time and stays: it is
/// found when this is run again.
async fn forget_keys(
    over: &BTreeMap<(AppId, IdempotencyKey), UnixTime>,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let mut keys = Table::new(3);
    for ((app, key), at) in over {
        keys.push([(*app).into(), key.as_str().into(), (*at).into()]);
    }
    transaction.execute_with(&FORGET_KEYS, values![], &keys).await.map(drop)
}

async fn remember_keys(taken: &[&Submission], transaction: &mut Connection) -> Result<(), StoreError> {
    let mut keys = Table::new(5);
    for submission in taken {
        let Some(idempotency) = &submission.idempotency else { continue };
        let ids: Vec<u8> = submission.notifications.iter().flat_map(|it| *it.id.as_bytes()).collect();
        keys.push([
            submission.app.into(),
            idempotency.key.as_str().into(),
            idempotency.request.as_bytes().to_vec().into(),
            ids.into(),
            submission.now.into(),
        ]);
    }
    let added = transaction.execute_with(&ADD_KEYS, values![], &keys).await?;
    all_of(added, &keys, "an idempotency key was used by another process")
}

async fn take_dead_letters(taken: &[&Submission], transaction: &mut Connection) -> Result<(), StoreError> {
    let mut letters = Table::new(4);
    for submission in taken {
        for DeadLetterId { shard, position } in &submission.replayed {
            letters.push([
                submission.app.into(),
                shard.notification.into(),
                shard.number.into(),
                (*position).into(),
            ]);
        }
    }
    let removed = transaction.execute_with(&REMOVE_DEAD_LETTERS, values![], &letters).await?;
    all_of(removed, &letters, "a dead letter was taken by another process")
}

/// Whether what was looked at before still was so. Otherwise the transaction is run again, and sees it.
fn all_of(changed: u64, wanted: &Table, why: &str) -> Result<(), StoreError> {
    if changed == wanted.len() as u64 { Ok(()) } else { Err(StoreError::Conflict(why.into())) }
}

const DEAD_LETTER_COLUMNS: &[(&str, Column)] =
    &[("app", Column::Int), ("notification", Column::Blob), ("shard", Column::Int), ("place", Column::Int)];

static FIND_KEYS: Statement = Statement::with_input(
    "SELECT it.app_id, it.key, it.request, it.notifications, it.at FROM {input}
     CROSS JOIN idempotency it WHERE it.app_id = input.app AND it.key = input.name",
    &[("app", Column::Int), ("name", Column::Text)],
);
static FIND_DEAD_LETTERS: Statement = Statement::with_input(
    "SELECT it.app_id, n.id, it.number, it.position FROM {input}
     CROSS JOIN notification n CROSS JOIN dead_letter it
     WHERE n.id = input.notification
       AND it.app_id = input.app AND it.sequence = n.sequence AND it.number = input.shard AND it.position = input.place",
    DEAD_LETTER_COLUMNS,
);
static DEPTHS: Statement = Statement::with_input(
    "SELECT app.tenant_id, queue.app_id, queue.lane, queue.depth FROM queue JOIN app ON app.id = queue.app_id
     WHERE queue.depth > 0 AND app.tenant_id IN (SELECT tenant FROM {input})",
    &[("tenant", Column::Int)],
);
static ADD_NOTIFICATIONS: Statement = Statement::with_input(
    "INSERT INTO notification (sequence, id, app_id, lane, delivery, is_for_users, handed_in, collapse, is_planned, planned,
        left_out, unended, finished_at)
     SELECT sequence, id, app_id, lane, delivery, is_for_users, handed_in, collapse, is_planned, planned, left_out, unended,
        finished_at FROM {input}",
    &[
        ("sequence", Column::Int),
        ("id", Column::Blob),
        ("app_id", Column::Int),
        ("lane", Column::Int),
        ("delivery", Column::Int),
        ("is_for_users", Column::Int),
        ("handed_in", Column::Int),
        ("collapse", Column::Int),
        ("is_planned", Column::Int),
        ("planned", Column::Int),
        ("left_out", Column::Int),
        ("unended", Column::Int),
        ("finished_at", Column::Int),
    ],
);
static ADD_MESSAGES: Statement = Statement::with_input(
    "INSERT INTO message (sequence, message, audience, schedule) SELECT sequence, message, audience, schedule FROM {input}",
    &[
        ("sequence", Column::Int),
        ("message", Column::Text),
        ("audience", Column::Text),
        ("schedule", Column::Text),
    ],
);
static ADD_CAMPAIGNS: Statement = Statement::with_input(
    "INSERT INTO campaign (sequence, app_id, label, pace) SELECT sequence, app_id, label, pace FROM {input}",
    &[("sequence", Column::Int), ("app_id", Column::Int), ("label", Column::Text), ("pace", Column::Int)],
);
static ADD_PLANS: Statement = Statement::with_input(
    "INSERT INTO plan (sequence, progress, due_at) SELECT sequence, progress, due_at FROM {input}",
    &[("sequence", Column::Int), ("progress", Column::Text), ("due_at", Column::Int)],
);
static FORGET_KEYS: Statement = Statement::with_input(
    "DELETE FROM idempotency WHERE (app_id, key, at) IN (SELECT app, name, at FROM {input})",
    &[("app", Column::Int), ("name", Column::Text), ("at", Column::Int)],
);
static ADD_KEYS: Statement = Statement::with_input(
    "INSERT INTO idempotency (app_id, key, request, notifications, at)
     SELECT app, name, request, notifications, at FROM {input} WHERE true ON CONFLICT DO NOTHING",
    &[
        ("app", Column::Int),
        ("name", Column::Text),
        ("request", Column::Blob),
        ("notifications", Column::Blob),
        ("at", Column::Int),
    ],
);
static REMOVE_DEAD_LETTERS: Statement = Statement::with_input(
    "DELETE FROM dead_letter WHERE (app_id, sequence, number, position) IN (
        SELECT input.app, n.sequence, input.shard, input.place FROM {input}
        CROSS JOIN notification n WHERE n.id = input.notification)",
    DEAD_LETTER_COLUMNS,
);
