//! Campaigns: notifications that have a progress and a pace, and can be paused.

use apns_provider_server_core::{
    audit::Action,
    ids::NotificationId,
    lanes::Pace,
    problem::{Code, Field, Problem},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{OneApp, find},
    error::{ApiError, ApiResult},
    extract::{self, Page, Path, Query, cursor, next},
    notifications::{Notification, cancel_one, id_of},
};
use crate::store;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
        .routes(routes!(set_pace))
}

/// Campaigns, the latest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaigns)]
struct List {
    campaigns: Vec<Notification>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How fast a campaign goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = PaceRequest)]
struct NewPace {
    /// Pushes a second, 1 to 100000; null is as many as can be.
    #[serde(deserialize_with = "Option::deserialize")]
    per_second: Option<u32>,
}

/// A campaign of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneCampaign {
    /// The app's bundle ID.
    bundle_id: String,
    /// The campaign's ID: that of its notification.
    campaign_id: String,
}

fn unknown(id: NotificationId) -> ApiError {
    ApiError::new(Code::UnknownCampaign, format!("the app has no campaign {id}"))
}

async fn named(api: &Api, caller: &Caller, one: &OneCampaign) -> ApiResult<(store::App, NotificationId)> {
    let id = id_of("campaign-id", &one.campaign_id)?;
    Ok((find(api, caller, &one.bundle_id).await?, id))
}

/// As it is after a change.
async fn changed(
    api: &Api,
    caller: &Caller,
    app: &store::App,
    id: NotificationId,
    action: Action,
    detail: serde_json::Value,
) -> ApiResult<Json<Notification>> {
    caller.audit(api, action, &id.to_string(), detail).await?;
    let state = api.store().notification(app.id, id).await?.ok_or_else(|| unknown(id))?;
    Ok(Json(Notification::of(&state)))
}

async fn set_paused(
    api: &Api,
    caller: &Caller,
    one: &OneCampaign,
    is_paused: bool,
) -> ApiResult<Json<Notification>> {
    let (app, id) = named(api, caller, one).await?;
    if !api.store().pause_campaign(app.id, id, is_paused).await? {
        return Err(unknown(id));
    }
    let action = if is_paused { Action::CampaignPaused } else { Action::CampaignResumed };
    changed(api, caller, &app, id, action, json!({ "app": app.bundle_id.as_str() })).await
}

/// An app's campaigns
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/campaigns", tag = "campaigns", params(OneApp, Page),
    responses((status = 200, body = List), ApiError)
)]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    Query(page): Query<Page>,
) -> ApiResult<Json<List>> {
    let before = cursor(page.after.as_deref(), |text| NotificationId::parse(text).ok())?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let campaigns = api.store().campaigns(app.id, before, page.limit.get()).await?;
    let next = next(&campaigns, page.limit, |campaign| campaign.id.to_string());
    Ok(Json(List { campaigns: campaigns.iter().map(Notification::of).collect(), next }))
}

/// Send nothing of a campaign until it is resumed
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pause", tag = "campaigns", params(OneCampaign),
    responses((status = 200, body = Notification), ApiError)
)]
async fn pause(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCampaign>,
) -> ApiResult<Json<Notification>> {
    set_paused(&api, &caller, &one, true).await
}

/// Go on with a campaign
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/campaigns/{campaign-id}/resume", tag = "campaigns", params(OneCampaign),
    responses((status = 200, body = Notification), ApiError)
)]
async fn resume(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCampaign>,
) -> ApiResult<Json<Notification>> {
    set_paused(&api, &caller, &one, false).await
}

/// Cancel a campaign
///
/// What is not sent yet is not sent any more.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/campaigns/{campaign-id}/cancel", tag = "campaigns", params(OneCampaign),
    responses((status = 200, body = Notification), ApiError)
)]
async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCampaign>,
) -> ApiResult<Json<Notification>> {
    let (app, id) = named(&api, &caller, &one).await?;
    let state = api.store().notification(app.id, id).await?;
    if state.is_none_or(|state| state.campaign.is_none()) {
        return Err(unknown(id));
    }
    cancel_one(&api, &caller, &app, id, Action::CampaignCancelled, unknown).await
}

/// Make a campaign faster or slower
#[utoipa::path(
    put, path = "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pace", tag = "campaigns", params(OneCampaign),
    request_body = NewPace, responses((status = 200, body = Notification), ApiError)
)]
async fn set_pace(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCampaign>,
    extract::Json(new): extract::Json<NewPace>,
) -> ApiResult<Json<Notification>> {
    let pace = match new.per_second {
        None => None,
        Some(pace) => Some(Pace::new(pace).map_err(|why| Problem::of_field(Field::new("per-second"), why))?),
    };
    let (app, id) = named(&api, &caller, &one).await?;
    if !api.store().set_pace(app.id, id, pace).await? {
        return Err(unknown(id));
    }
    changed(&api, &caller, &app, id, Action::CampaignPaced, json!({ "per-second": new.per_second })).await
}
