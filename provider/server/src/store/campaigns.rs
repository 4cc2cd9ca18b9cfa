use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, NotificationId, Sequence},
    lanes::{Lane, Pace},
};

use super::{
    NotificationState, Signal, Stop, Store, StoreError,
    notifications::{columns, read},
    page::at_most,
    settings::Weight,
    sql::{Connection, Statement, values},
    webhooks::{Told, tell_finished},
};

/// What cancelling has done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cancelled {
    /// It is cancelled: what is not sent yet is not sent any more.
    Cancelled,
    /// It was finished or cancelled before.
    TooLate,
    /// The app has no such notification.
    Unknown,
}

impl Store {
    /// An app's campaigns that were handed in before this one, the latest first.
    pub async fn campaigns(
        &self,
        app: AppId,
        before: Option<NotificationId>,
        limit: usize,
    ) -> Result<Vec<NotificationState>, StoreError> {
        let rows = self.reader().await?.rows(&PAGE, values![app, before, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Stops handing out shards of a campaign, or goes on with it. `false`: the app has no such campaign.
    pub async fn pause_campaign(
        &self,
        app: AppId,
        id: NotificationId,
        is_paused: bool,
    ) -> Result<bool, StoreError> {
        let is_there =
            self.database().execute(Weight::Promise, &PAUSE, values![app, id, is_paused]).await? > 0;
        if is_there {
            let stop = Signal::Stop(Stop::PauseCampaign(id));
            self.tell(if is_paused { stop } else { Signal::Work(Lane::Campaign) }).await;
        }
        Ok(is_there)
    }

    /// Makes a campaign faster or slower, or lets it go as fast as can be. Shards keep their size. `false`: the app has no such campaign.
    pub async fn set_pace(
        &self,
        app: AppId,
        id: NotificationId,
        pace: Option<Pace>,
    ) -> Result<bool, StoreError> {
        let values = values![app, id, pace.map(Pace::per_second)];
        let is_there = self.database().execute(Weight::Promise, &SET_PACE, values).await? > 0;
        if is_there {
            self.tell(Signal::Work(Lane::Campaign)).await;
        }
        Ok(is_there)
    }

    /// Cancels a notification. What nobody works on ends as cancelled soon, by [`Store::sweep`]; who works on some of it is told.
    pub async fn cancel(
        &self,
        app: AppId,
        id: NotificationId,
        now: UnixTime,
    ) -> Result<Cancelled, StoreError> {
        let (cancelled, told) = self
            .database()
            .write(Weight::Promise, (app, id, now), |data, transaction| Box::pin(cancel(data, transaction)))
            .await?;
        if cancelled == Cancelled::Cancelled {
            self.tell(Signal::Stop(Stop::Cancel(id))).await;
        }
        self.after_telling(told).await;
        Ok(cancelled)
    }
}

async fn cancel(
    (app, id, now): &(AppId, NotificationId, UnixTime),
    transaction: &mut Connection,
) -> Result<(Cancelled, Told), StoreError> {
    let Some(row) = transaction.first(&FIND, values![*app, *id]).await? else {
        return Ok((Cancelled::Unknown, Told::default()));
    };
    let sequence = row.int(0)?;
    if transaction.execute(&CANCEL, values![sequence, *now]).await? == 0 {
        return Ok((Cancelled::TooLate, Told::default()));
    }
    // Who is planning it finds that it is not theirs any more.
    transaction.execute(&END_PLAN, values![sequence]).await?;
    let told = tell_finished(*app, Sequence::new(sequence), *now, transaction).await?;
    Ok((Cancelled::Cancelled, told))
}

static PAGE: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM campaign c JOIN notification n ON n.sequence = c.sequence
     WHERE c.app_id = $1 AND c.sequence < COALESCE((SELECT sequence FROM notification WHERE id = $2), 9223372036854775807)
     ORDER BY c.sequence DESC LIMIT $3"
));
static PAUSE: Statement = Statement::new(
    "UPDATE campaign SET is_paused = $3
     WHERE app_id = $1 AND sequence = (SELECT sequence FROM notification WHERE id = $2)",
);
static SET_PACE: Statement = Statement::new(
    "UPDATE campaign SET pace = $3, next_at = NULL
     WHERE app_id = $1 AND sequence = (SELECT sequence FROM notification WHERE id = $2)",
);
static FIND: Statement = Statement::new("SELECT sequence FROM notification WHERE app_id = $1 AND id = $2");
static CANCEL: Statement = Statement::new(
    "UPDATE notification SET cancelled_at = $2, is_planned = 1, finished_at = CASE WHEN unended = 0 THEN $2 END
     WHERE sequence = $1 AND cancelled_at IS NULL AND finished_at IS NULL",
);
static END_PLAN: Statement = Statement::new("DELETE FROM plan WHERE sequence = $1");
