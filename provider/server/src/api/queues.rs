//! What waits, and what became of the rest lately.

use std::{collections::BTreeMap, time::Duration};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, TenantId},
    lanes::Lane,
    outcome::Ending,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ApiResult},
    extract::{Query, moment},
    now,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(queue))
        .routes(routes!(recent))
        .routes(routes!(queue_of_all))
        .routes(routes!(recent_of_all))
}

/// A queue with something in it.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
#[serde(rename_all = "kebab-case")]
struct QueueView {
    /// Of which app, by its bundle ID.
    app: String,
    /// Of which environment.
    environment: Environment,
    /// In which lane.
    lane: Lane,
    /// Of which campaign, if of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// Whether it, or its app, is paused.
    is_paused: bool,
    /// Recipients without an outcome, those that are to be sent later among them.
    depth: u64,
    /// Since when its first shard that nobody works on is due, or when it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
}

/// Queues with something in them, those that have been due longest first.
#[derive(Serialize, ToSchema)]
struct Queues {
    queues: Vec<QueueView>,
}

/// How many recipients of an app ended so.
#[derive(Serialize, ToSchema)]
#[schema(as = RecentOutcome)]
struct RecentView {
    /// Of which app, by its bundle ID.
    app: String,
    /// How they ended.
    ending: Ending,
    /// The HTTP status of the answer; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why: APNs' word, or one of ours in kebab-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// How many.
    count: u64,
}

/// What became of recipients, the most frequent first.
#[derive(Serialize, ToSchema)]
struct RecentOutcomes {
    /// Since when.
    since: String,
    recent: Vec<RecentView>,
}

/// How far back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Lately {
    /// How many minutes to look back, 1 to 2880; left out, 60.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 2880)]
    minutes: Minutes,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Minutes(u32);

impl Default for Minutes {
    fn default() -> Self {
        Self(60)
    }
}

impl TryFrom<u32> for Minutes {
    type Error = String;

    fn try_from(minutes: u32) -> Result<Self, String> {
        if (1..=MINUTES_MAX).contains(&minutes) {
            return Ok(Self(minutes));
        }
        Err(format!("{minutes} is not 1 to {MINUTES_MAX}"))
    }
}

/// As long as the store keeps numbers by minute.
const MINUTES_MAX: u32 = 2880;

/// Bundle IDs by the numbers that the store knows apps by.
#[derive(Default)]
struct Names(BTreeMap<AppId, String>);

impl Names {
    async fn of(&mut self, api: &Api, app: AppId) -> ApiResult<String> {
        if let Some(name) = self.0.get(&app) {
            return Ok(name.clone());
        }
        let found = api.store().app_by_id(app).await?;
        let name = found.map(|app| app.bundle_id.as_str().to_owned()).unwrap_or_default();
        self.0.insert(app, name.clone());
        Ok(name)
    }
}

async fn queues_of(api: &Api, tenant: Option<TenantId>) -> ApiResult<Json<Queues>> {
    let (mut names, mut queues) = (Names::default(), Vec::new());
    for queue in api.store().queues(tenant).await? {
        queues.push(QueueView {
            app: names.of(api, queue.source.app).await?,
            environment: queue.source.environment,
            lane: queue.lane,
            campaign: queue.campaign.map(|id| id.to_string()),
            is_paused: queue.is_paused,
            depth: queue.depth,
            due_at: queue.due_at.map(moment),
        });
    }
    Ok(Json(Queues { queues }))
}

async fn recent_of(api: &Api, tenant: Option<TenantId>, lately: &Lately) -> ApiResult<Json<RecentOutcomes>> {
    let back = Duration::from_mins(lately.minutes.0.into()).as_millis();
    let since = now().as_millis().saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
    let since = UnixTime::from_millis(since);
    let (mut names, mut recent) = (Names::default(), Vec::new());
    for row in api.store().recent(tenant, since).await? {
        recent.push(RecentView {
            app: names.of(api, row.app).await?,
            ending: row.ending,
            status: (row.status != 0).then_some(row.status),
            why: row.why.map(|why| why.to_string()),
            count: row.count,
        });
    }
    Ok(Json(RecentOutcomes { since: moment(since), recent }))
}

/// What waits of the tenant's apps
#[utoipa::path(get, path = "/v1/queue", tag = "queue", responses((status = 200, body = Queues), ApiError))]
async fn queue(State(api): State<Api>, caller: Caller) -> ApiResult<Json<Queues>> {
    queues_of(&api, Some(caller.tenant()?)).await
}

/// What became of recipients of the tenant's apps lately
#[utoipa::path(get, path = "/v1/recent", tag = "queue", params(Lately), responses((status = 200, body = RecentOutcomes), ApiError))]
async fn recent(
    State(api): State<Api>,
    caller: Caller,
    Query(lately): Query<Lately>,
) -> ApiResult<Json<RecentOutcomes>> {
    recent_of(&api, Some(caller.tenant()?), &lately).await
}

/// What waits of all tenants' apps
#[utoipa::path(get, path = "/v1/operator/queue", tag = "queue", responses((status = 200, body = Queues), ApiError))]
async fn queue_of_all(State(api): State<Api>) -> ApiResult<Json<Queues>> {
    queues_of(&api, None).await
}

/// What became of recipients of all tenants' apps lately
#[utoipa::path(
    get, path = "/v1/operator/recent", tag = "queue", params(Lately),
    responses((status = 200, body = RecentOutcomes), ApiError)
)]
async fn recent_of_all(
    State(api): State<Api>,
    Query(lately): Query<Lately>,
) -> ApiResult<Json<RecentOutcomes>> {
    recent_of(&api, None, &lately).await
}
