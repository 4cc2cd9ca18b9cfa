//! Writing what happened for those who want to be told, within the transaction in which it happens.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    ids::{AppId, Sequence},
    outcome::Ending,
    webhook::{Event, EventId, EventKind, News, NotificationNews},
};

use super::WebhookId;
use crate::store::{
    Signal, Store, StoreError,
    plans::read_notification_id,
    settings::Weight,
    sql::{Column, Connection, Row, Statement, Table, values},
};

/// What may wait for one webhook; beyond, the oldest is dropped. It is half a gigabyte if each is as large as can be, and a campaign of two
/// million recipients whose outcomes somebody wants to be told.
pub const WAITING_MAX: usize = 5000;

/// What is to be told of a transaction. Who wants to be told what is looked up once.
#[derive(Debug)]
pub(in crate::store) struct Telling {
    now: UnixTime,
    apps: BTreeMap<AppId, Subscribers>,
    deliveries: Table,
    webhooks: BTreeSet<WebhookId>,
}

/// Who wants to be told what of an app.
#[derive(Debug)]
struct Subscribers {
    bundle_id: BundleId,
    webhooks: Vec<(WebhookId, Vec<String>)>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Told {
    deliveries: u64,
    dropped: u64,
}

impl Telling {
    /// What is told of these apps. Most have no webhook, and then this is all it costs.
    pub(in crate::store) async fn of(
        apps: &BTreeSet<AppId>,
        now: UnixTime,
        transaction: &mut Connection,
    ) -> Result<Self, StoreError> {
        let mut input = Table::new(1);
        for app in apps {
            input.push([(*app).into()]);
        }
        let mut apps: BTreeMap<AppId, Subscribers> = BTreeMap::new();
        for row in transaction.rows_with(&SUBSCRIBERS, values![], &input).await? {
            let bundle_id = row.parsed(1, BundleId::parse)?;
            // The API writes lists of names here. What is none must not keep outcomes from being stored.
            let kinds = serde_json::from_str(row.text(3)?).unwrap_or_default();
            let of_app = apps.entry(AppId::new(row.int(0)?));
            let of_app = of_app.or_insert(Subscribers { bundle_id, webhooks: Vec::new() });
            of_app.webhooks.push((WebhookId::new(row.int(2)?), kinds));
        }
        Ok(Self { now, apps, deliveries: Table::new(5), webhooks: BTreeSet::new() })
    }

    /// Whether anybody wants to be told this of an app.
    pub(in crate::store) fn is_wanted(&self, app: AppId, kind: EventKind) -> bool {
        self.apps.get(&app).is_some_and(|it| it.who_wants(kind).next().is_some())
    }

    /// Whether anybody wants to be told this of any of them.
    pub(in crate::store) fn is_wanted_of_any(&self, kind: EventKind) -> bool {
        self.apps.keys().any(|app| self.is_wanted(*app, kind))
    }

    /// Tells something to whoever wants to be told.
    pub(in crate::store) fn tell(&mut self, app: AppId, news: &News) {
        let kind = news.kind();
        let Some(subscribers) = self.apps.get(&app).filter(|it| it.who_wants(kind).next().is_some()) else {
            return;
        };
        let webhooks: Vec<WebhookId> = subscribers.who_wants(kind).collect();
        for event in news.events(&subscribers.bundle_id, self.now) {
            self.deliver(&event, EventId::new(self.now, rand::random()), &webhooks);
        }
    }

    fn deliver(&mut self, event: &Event, id: EventId, webhooks: &[WebhookId]) {
        let body = String::from_utf8(event.to_body()).expect("JSON is text");
        for webhook in webhooks {
            let (kind, body) = (event.kind.as_str(), body.as_str());
            self.deliveries.push([(*webhook).into(), id.into(), kind.into(), body.into(), self.now.into()]);
            self.webhooks.insert(*webhook);
        }
    }

    /// Tells of those of these notifications that have just been finished.
    pub(in crate::store) async fn tell_finished(
        &mut self,
        sequences: &Table,
        transaction: &mut Connection,
    ) -> Result<(), StoreError> {
        if !self.is_wanted_of_any(EventKind::NotificationFinished) {
            return Ok(());
        }
        let mut finished: BTreeMap<AppId, Vec<NotificationNews>> = BTreeMap::new();
        for row in transaction.rows_with(&FINISHED, values![self.now], sequences).await? {
            finished.entry(AppId::new(row.int(0)?)).or_default().push(read_finished(&row)?);
        }
        for (app, notifications) in finished {
            self.tell(app, &News::NotificationFinished(notifications));
        }
        Ok(())
    }

    /// Writes it, and drops what is too much.
    pub(in crate::store) async fn store(self, transaction: &mut Connection) -> Result<Told, StoreError> {
        let deliveries = transaction.execute_with(&ADD, values![], &self.deliveries).await?;
        let mut dropped = 0;
        for webhook in self.webhooks {
            dropped += transaction.execute(&DROP_OLDEST, values![webhook, WAITING_MAX]).await?;
        }
        Ok(Told { deliveries, dropped })
    }
}

impl Subscribers {
    fn who_wants(&self, kind: EventKind) -> impl Iterator<Item = WebhookId> {
        let wants = move |kinds: &[String]| kinds.iter().any(|it| it == kind.as_str());
        self.webhooks.iter().filter(move |(_, kinds)| wants(kinds)).map(|(webhook, _)| *webhook)
    }
}

/// Tells of a notification if it has just been finished otherwise than by an outcome.
pub(in crate::store) async fn tell_finished(
    app: AppId,
    sequence: Sequence,
    now: UnixTime,
    transaction: &mut Connection,
) -> Result<Told, StoreError> {
    let mut telling = Telling::of(&[app].into(), now, transaction).await?;
    let mut sequences = Table::new(1);
    sequences.push([sequence.into()]);
    telling.tell_finished(&sequences, transaction).await?;
    telling.store(transaction).await
}

impl Store {
    /// Tells what happened to an app, and is written nowhere else.
    pub async fn tell_webhooks(&self, app: AppId, news: News, now: UnixTime) -> Result<(), StoreError> {
        let told = self
            .database()
            .write(Weight::Progress, (app, news, now), |(app, news, now), transaction| {
                Box::pin(async {
                    let mut telling = Telling::of(&[*app].into(), *now, transaction).await?;
                    telling.tell(*app, news);
                    telling.store(transaction).await
                })
            })
            .await?;
        self.after_telling(told).await;
        Ok(())
    }

    /// Tells a webhook an event that says nothing, whatever it wants to be told. `None`: there is no such webhook that is enabled.
    pub async fn test_webhook(
        &self,
        webhook: WebhookId,
        now: UnixTime,
    ) -> Result<Option<EventId>, StoreError> {
        let id = EventId::new(now, rand::random());
        let told = self
            .database()
            .write(Weight::Promise, (webhook, id, now), |(webhook, id, now), transaction| {
                Box::pin(async {
                    if transaction.first(&HOLD, values![*webhook]).await?.is_none() {
                        return Ok(None);
                    }
                    let mut telling = Telling::of(&BTreeSet::new(), *now, transaction).await?;
                    let event = Event { kind: EventKind::Test, at: *now, data: serde_json::json!({}) };
                    telling.deliver(&event, *id, &[*webhook]);
                    telling.store(transaction).await.map(Some)
                })
            })
            .await?;
        let Some(told) = told else { return Ok(None) };
        self.after_telling(told).await;
        Ok(Some(id))
    }

    /// To be called when it is committed.
    pub(in crate::store) async fn after_telling(&self, told: Told) {
        told.count();
        if told.deliveries > 0 {
            self.tell(Signal::Webhooks).await;
        }
    }
}

impl Told {
    /// To be called when it is committed, and nobody is told by a signal.
    pub(in crate::store) fn count(self) {
        crate::webhooks::count_dropped(self.dropped);
    }
}

fn read_finished(row: &Row) -> Result<NotificationNews, StoreError> {
    let mut ended = Vec::with_capacity(Ending::ALL.len());
    for (at, ending) in Ending::ALL.into_iter().enumerate() {
        ended.push((ending, row.number(FIRST_ENDING + at)?));
    }
    Ok(NotificationNews {
        id: read_notification_id(row, 1)?.to_string(),
        recipients: row.number(2)?,
        dead_letters: row.number(3)?,
        ended,
    })
}

/// The column of the first ending; the others follow in the order of their numbers.
const FIRST_ENDING: usize = 4;

static SUBSCRIBERS: Statement = Statement::with_input(
    "SELECT app.id, app.bundle_id, webhook.id, webhook.events FROM {input} CROSS JOIN app CROSS JOIN webhook
     WHERE app.id = input.app AND webhook.tenant_id = app.tenant_id AND webhook.is_enabled = 1
       AND (webhook.app_id IS NULL OR webhook.app_id = app.id)
     ORDER BY webhook.id{keep webhooks}",
    &[("app", Column::Int)],
);
static HOLD: Statement =
    Statement::new("SELECT id FROM webhook WHERE id = $1 AND is_enabled = 1{keep webhooks}");
static FINISHED: Statement = Statement::with_input(
    "SELECT n.app_id, n.id, n.planned, n.dead_letters,
        n.accepted, n.rejected, n.expired, n.replaced, n.cancelled, n.undeliverable, n.ambiguous, n.skipped
     FROM {input} CROSS JOIN notification n
     WHERE n.sequence = input.sequence AND n.finished_at = $1 ORDER BY n.sequence",
    &[("sequence", Column::Int)],
);
static ADD: Statement = Statement::with_input(
    "INSERT INTO delivery (webhook_id, event, kind, body, due_at)
     SELECT webhook_id, event, kind, body, due_at FROM {input} WHERE true",
    &[
        ("webhook_id", Column::Int),
        ("event", Column::Blob),
        ("kind", Column::Text),
        ("body", Column::Text),
        ("due_at", Column::Int),
    ],
);
static DROP_OLDEST: Statement = Statement::new(
    "DELETE FROM delivery WHERE webhook_id = $1 AND id <= (
        SELECT id FROM delivery WHERE webhook_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
);
