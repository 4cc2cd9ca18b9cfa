//! How often submissions may come, and how fast what is queued becomes less: asked only where an app has such limits, or a queue is
//! nearly full.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audience::Who,
    ids::{AppId, TenantId, UserId},
    limits::{Ledger, Limited, Rate},
    problem::Problem,
};
use sha2::{Digest as _, Sha256};

use super::{NewNotification, Submission};
use crate::store::{
    StoreError,
    allowances::{self, Account, Taker},
    collapsing::hash,
    outcomes::MINUTE_MS,
    sql::{Column, Connection, Statement, Table, values},
};

/// What a submission takes of one rate.
struct Asked<'a> {
    account: Account,
    rate: Rate,
    count: u32,
    user: Option<&'a UserId>,
}

/// What was taken of the rates that these submissions have to keep.
pub(super) async fn look(
    submissions: &[Submission],
    transaction: &mut Connection,
) -> Result<Ledger<Account, Taker>, StoreError> {
    let accounts: BTreeSet<Account> = submissions.iter().flat_map(asked).map(|it| it.account).collect();
    allowances::look(&accounts, transaction).await
}

/// Takes what a submission needs, all of it or nothing.
pub(super) fn take(ledger: &mut Ledger<Account, Taker>, submission: &Submission) -> Result<(), Problem> {
    let asked = asked(submission);
    let all: Vec<_> = asked.iter().map(|it| (it.account, it.rate, it.count)).collect();
    ledger.take(submission.now, &all, None).map_err(|over| {
        let Asked { account, rate, user, .. } = &asked[over.which];
        account.limited.problem(*rate, over.retry_after, *user)
    })
}

fn asked(submission: &Submission) -> Vec<Asked<'_>> {
    let account = |limited, target| Account { limited, app: submission.app, target };
    let mut asked = Vec::new();
    if let Some(rate) = submission.rates.pushes {
        let count = submission.notifications.iter().map(pushes).fold(0, u32::saturating_add);
        asked.push(Asked { account: account(Limited::App, 0), rate, count, user: None });
    }
    if let Some(rate) = submission.rates.pushes_per_user {
        // Somebody who is named several times has to have room for all of them.
        let mut named: BTreeMap<&UserId, u32> = BTreeMap::new();
        for notification in &submission.notifications {
            let Who::Users(users) = &notification.audience.who else { continue };
            for user in users {
                *named.entry(user).or_default() += 1;
            }
        }
        asked.extend(named.into_iter().map(|(user, count)| {
            let target = hash(Sha256::new().chain_update(user.as_str()));
            Asked { account: account(Limited::User, target), rate, count, user: Some(user) }
        }));
    }
    asked
}

/// How many pushes a notification is, as far as is known: one that is planned later is one for each name, or one.
fn pushes(notification: &NewNotification) -> u32 {
    let known = if notification.progress.is_complete() {
        notification.progress.planned
    } else {
        match &notification.audience.who {
            Who::All | Who::Tags(_) => 1,
            Who::Tokens(tokens) => tokens.len() as u64,
            Who::Users(users) => users.len() as u64,
        }
    };
    u32::try_from(known).unwrap_or(u32::MAX)
}

/// How many recipients of these tenants' apps were finished in a second, on average since the minute before this one began.
pub(super) async fn finished_per_second(
    tenants: &BTreeSet<TenantId>,
    now: UnixTime,
    transaction: &mut Connection,
) -> Result<BTreeMap<(TenantId, AppId), u64>, StoreError> {
    let since = (now.as_millis() / MINUTE_MS).saturating_sub(1);
    let secs = (now.as_millis().saturating_sub(since * MINUTE_MS) / 1000).max(1);
    let mut input = Table::new(1);
    for tenant in tenants {
        input.push([(*tenant).into()]);
    }
    let mut finished = BTreeMap::new();
    for row in transaction.rows_with(&FINISHED, values![since], &input).await? {
        let count: u64 = row.number(2)?;
        finished.insert((TenantId::new(row.int(0)?), AppId::new(row.int(1)?)), count / secs);
    }
    Ok(finished)
}

static FINISHED: Statement = Statement::with_input(
    "SELECT app.tenant_id, recent.app_id, CAST(sum(recent.count) AS BIGINT)
     FROM recent JOIN app ON app.id = recent.app_id
     WHERE recent.minute >= $1 AND app.tenant_id IN (SELECT tenant FROM {input})
     GROUP BY app.tenant_id, recent.app_id",
    &[("tenant", Column::Int)],
);
