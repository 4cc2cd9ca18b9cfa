//! Taking notifications: what is looked at before the store has them.

use apns_provider_server_core::{
    audience::Who,
    ids::NotificationId,
    limits::{AppLimits, QueueBounds, Rates},
    notification::Intake,
    plan::{Plan, STEP_USERS},
    problem::{Code, Field, Problem},
};

use super::{
    Api,
    access::Caller,
    apps,
    error::{ApiError, ApiResult},
    extract::IDEMPOTENCY_KEY,
    now, templates, tenants,
};
use crate::store::{self, Idempotency, NewNotification, Submission, Submitted};

/// Names in an audience that are planned at once, so that a push to one user waits for no planner; more are planned step by step.
const PLANNED_AT_ONCE: usize = 100;

/// What may be queued: the app's own bound, the tenant's, or the usual ones. And how often there may be more.
pub(super) fn limits(api: &Api, app: &store::App, terms: &store::Terms) -> ApiResult<(QueueBounds, Rates)> {
    let usual = api.parts().bounds;
    let tenant = tenants::limits(&terms.tenant_settings)?.queued;
    let AppLimits { queued, rates, .. } = apps::limits(app)?;
    Ok((QueueBounds { app: queued.unwrap_or(usual.app), tenant: tenant.unwrap_or(usual.tenant) }, rates))
}

/// Hands it to the store; the IDs are those of the notifications, or of the same request's before.
pub(super) async fn take(api: &Api, submission: Submission) -> ApiResult<Vec<NotificationId>> {
    if !api.parts().pipeline.tuning().takes_notifications {
        return Err(Problem::plain(Code::NotTaking).with_retry_after(NOT_TAKING_PAUSE).into());
    }
    let ids = submission.notifications.iter().map(|notification| notification.id).collect();
    answer(ids, api.store().submit(submission).await?)
}

/// What the same request was answered before, if it came before: to be asked before anything is looked at that may have changed.
pub(super) async fn repetition(
    api: &Api,
    app: &store::App,
    idempotency: Option<&Idempotency>,
) -> ApiResult<Option<Vec<NotificationId>>> {
    let Some(idempotency) = idempotency else { return Ok(None) };
    let before = api.store().repetition(app.id, idempotency, now()).await?;
    before.map(|submitted| answer(Vec::new(), submitted)).transpose()
}

/// The answer to a request that hands in notifications of these IDs.
fn answer(ids: Vec<NotificationId>, submitted: Submitted) -> ApiResult<Vec<NotificationId>> {
    match submitted {
        Submitted::Stored => Ok(ids),
        Submitted::Known(ids) => Ok(ids),
        Submitted::KeyReused => {
            let error = "another request came with this idempotency key";
            Err(Problem::new(Code::IdempotencyKeyReused, format!("{IDEMPOTENCY_KEY}: {error}")).into())
        }
        Submitted::AlreadyReplayed(_) => {
            let message = "a dead letter was sent again or forgotten by somebody else meanwhile";
            Err(ApiError::new(Code::Conflict, message))
        }
        Submitted::Refused(problem) => Err(problem.into()),
    }
}

/// Somebody has to say otherwise.
const NOT_TAKING_PAUSE: std::time::Duration = std::time::Duration::from_mins(1);

/// Makes of what was handed in what is stored: finds the template, writes the message out, plans what is small.
async fn prepare(api: &Api, app: &store::App, at: Field<'_>, intake: Intake) -> ApiResult<NewNotification> {
    let template = match intake.message.template() {
        Some(name) => templates::load(api, app, name).await?,
        None => None,
    };
    let message = intake.message.compose(at.key("message"), &app.bundle_id, template.as_ref())?;
    let Intake { audience, schedule, lane, delivery, campaign, handed_in, .. } = intake;
    let plan = Plan {
        message: &message,
        audience: &audience,
        schedule: &schedule,
        handed_in,
        pace: campaign.as_ref().and_then(|campaign| campaign.pace),
    };
    let mut progress = plan.begin();
    let is_small = match &audience.who {
        Who::All | Who::Tags(_) => false,
        Who::Tokens(tokens) => tokens.len() <= PLANNED_AT_ONCE,
        Who::Users(users) => users.len() <= PLANNED_AT_ONCE.min(STEP_USERS),
    };
    let mut shards = Vec::new();
    if is_small {
        let found = api.store().find_candidates(app.id, &plan, &progress).await?;
        shards = plan.step(&mut progress, &found.candidates());
    }
    let id = NotificationId::new(handed_in, rand::random());
    Ok(NewNotification {
        id,
        message,
        audience,
        schedule,
        lane,
        delivery,
        campaign,
        handed_in,
        shards,
        progress,
    })
}

/// Where nothing is authenticated with, nothing could ever be sent.
fn check_credentials(terms: &store::Terms, intakes: &[Intake]) -> ApiResult<()> {
    for intake in intakes {
        let wanted = intake.audience.environment;
        if !terms.credentials.iter().any(|environment| wanted.is_none_or(|wanted| wanted == *environment)) {
            let message = match wanted {
                Some(environment) => format!("the app has no credential for {environment}"),
                None => "the app has no credential".to_owned(),
            };
            return Err(ApiError::new(Code::NoCredential, message));
        }
    }
    Ok(())
}

/// What a request hands in.
pub(super) struct HandedIn<R> {
    /// For which app.
    pub(super) bundle_id: String,
    /// What it is known by, if it is sent again.
    pub(super) idempotency: Option<Idempotency>,
    /// Whether it is a list.
    pub(super) is_batch: bool,
    /// Reads it, unless the same request came before.
    pub(super) read: R,
}

/// Checks what was handed in against the app, and hands it to the store.
pub(super) async fn submit<R>(
    api: &Api,
    caller: &Caller,
    handed_in: HandedIn<R>,
) -> ApiResult<Vec<NotificationId>>
where
    R: FnOnce() -> Result<Vec<Intake>, Problem>,
{
    let HandedIn { bundle_id, idempotency, is_batch, read } = handed_in;
    let app = apps::find(api, caller, &bundle_id).await?;
    if let Some(ids) = repetition(api, &app, idempotency.as_ref()).await? {
        return Ok(ids);
    }
    let intakes = read()?;
    let terms = api.store().terms(app.id).await?;
    check_credentials(&terms, &intakes)?;
    let (bounds, rates) = limits(api, &app, &terms)?;
    let list = Field::new("notifications");
    let mut notifications = Vec::with_capacity(intakes.len());
    for (index, intake) in intakes.into_iter().enumerate() {
        let at = if is_batch { list.at(index) } else { Field::ROOT };
        notifications.push(prepare(api, &app, at, intake).await?);
    }
    let tenant = caller.tenant()?;
    let submission = Submission {
        tenant,
        app: app.id,
        idempotency,
        bounds,
        rates,
        notifications,
        replayed: Vec::new(),
        now: now(),
    };
    take(api, submission).await
}
