//! Numbers that are given out once.

use super::{
    StoreError,
    sql::{Connection, Dialect, Statement, values},
};

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counter {
    Device,
    Notification,
    Registration,
}

impl Counter {
    /// The next number.
    pub(super) async fn next(self, transaction: &mut Connection) -> Result<i64, StoreError> {
        let numbers = self.take(1, transaction).await?;
        numbers.first().copied().ok_or_else(|| StoreError::Damaged("a counter does not count".into()))
    }

    /// The next numbers, in order.
    pub(super) async fn take(
        self,
        count: usize,
        transaction: &mut Connection,
    ) -> Result<Vec<i64>, StoreError> {
        if transaction.dialect() == Dialect::Sqlite {
            let row = transaction.one(&COUNT, values![self.name(), count]).await?;
            let end = row.int(0)?;
            return Ok((end - i64::try_from(count).unwrap_or(0)..end).collect());
        }
        let rows = transaction.rows(self.sequence(), values![count]).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Notification => "notification",
            Self::Registration => "registration",
        }
    }

    fn sequence(self) -> &'static Statement {
        match self {
            Self::Device => &DEVICE,
            Self::Notification => &NOTIFICATION,
            Self::Registration => &REGISTRATION,
        }
    }
}

static COUNT: Statement =
    Statement::new("UPDATE counter SET next = next + $2 WHERE name = $1 RETURNING next");
static DEVICE: Statement = Statement::new("SELECT nextval('counter_device') FROM generate_series(1, $1)");
static NOTIFICATION: Statement =
    Statement::new("SELECT nextval('counter_notification') FROM generate_series(1, $1)");
static REGISTRATION: Statement =
    Statement::new("SELECT nextval('counter_registration') FROM generate_series(1, $1)");
