//! Hearing what other processes tell.

use std::time::Duration;

use sqlx::{Postgres, pool::Pool, postgres::PgListener};

use crate::store::{Signal, StoreError, signals::Bell};

pub(super) async fn connect(pool: &Pool<Postgres>, channel: &str) -> Result<PgListener, StoreError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    Ok(listener)
}

/// Rings for what is told, until it is aborted. Where something may have been missed, for anything.
pub(super) async fn run(pool: Pool<Postgres>, channel: String, mut listener: PgListener, bell: Bell) {
    loop {
        match listener.try_recv().await {
            Ok(Some(told)) => bell.ring(Signal::from_text(told.payload())),
            // The connection was lost; the next call makes another.
            Ok(None) => bell.ring(Signal::Anything),
            Err(error) => {
                tracing::warn!(%error, "the database cannot be listened to; it is tried again");
                listener = again(&pool, &channel).await;
                bell.ring(Signal::Anything);
            }
        }
    }
}

async fn again(pool: &Pool<Postgres>, channel: &str) -> PgListener {
    loop {
        tokio::time::sleep(PAUSE).await;
        match connect(pool, channel).await {
            Ok(listener) => return listener,
            Err(error) => tracing::debug!(%error, "the database cannot be listened to yet"),
        }
    }
}

/// Whoever hears nothing looks by itself as often.
const PAUSE: Duration = Duration::from_secs(1);
