//! The devices that a step of a plan wants, read in bounded pieces.

use std::collections::BTreeSet;

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    audience::{TagExpression, Who},
    device::{Environment, Kind},
    ids::{AppId, DeviceId, Locale, RegistrationNumber, Tag, UserId},
    plan::{Candidate, Plan, Want},
    schedule::TimeZoneName,
};

use crate::store::{
    StoreError,
    sql::{Column, Connection, Row, Statement, Table, values},
    tokens::token_bytes,
};

/// Devices that were found for a step of a plan.
#[derive(Debug, Default)]
pub struct Found {
    devices: Vec<FoundDevice>,
}

#[derive(Debug)]
struct FoundDevice {
    device: DeviceId,
    token: Vec<u8>,
    environment: Environment,
    number: RegistrationNumber,
    registered_at: UnixTime,
    locale: Option<Locale>,
    time_zone: Option<TimeZoneName>,
    kind: Kind,
}

impl Found {
    /// As a step takes them.
    pub fn candidates(&self) -> Vec<Candidate<'_>> {
        self.devices.iter().map(FoundDevice::candidate).collect()
    }
}

impl FoundDevice {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            device: self.device,
            token: &self.token,
            environment: self.environment,
            kind: self.kind,
            number: self.number,
            registered_at: self.registered_at,
            locale: self.locale.as_ref(),
            time_zone: self.time_zone.as_ref(),
        }
    }
}

/// Whose devices are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder {
    pub(super) app: AppId,
    pub(super) kind: Kind,
    pub(super) environment: Option<Environment>,
}

impl Finder {
    pub(super) async fn find(
        self,
        plan: &Plan<'_>,
        want: Want<'_>,
        reader: &mut Connection,
    ) -> Result<Found, StoreError> {
        match (want, &plan.audience.who) {
            (Want::After { after, limit }, Who::Tags(tags)) if !drivers(tags).is_empty() => {
                self.walk_tags(tags, after, limit, reader).await
            }
            (Want::After { after, limit }, Who::Tags(tags)) => {
                self.walk(Some(tags), after, limit, reader).await
            }
            (Want::After { after, limit }, _) => self.walk(None, after, limit, reader).await,
            (Want::OfUsers(users), _) => self.of_users(users, reader).await,
            (Want::WithTokens(tokens), _) => self.with_tokens(tokens, reader).await,
            (Want::Nothing, _) => Ok(Found::default()),
        }
    }

    /// Through all devices of the kind.
    async fn walk(
        self,
        tags: Option<&TagExpression>,
        after: DeviceId,
        limit: usize,
        reader: &mut Connection,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut after = after;
        while found.devices.len() < limit {
            let piece = PIECE.min(limit - found.devices.len());
            let values = values![self.app, self.kind.number(), self.environment_number(), after, piece];
            let rows = reader.rows(&WALK, values).await?;
            if let Some(row) = rows.last() {
                after = DeviceId::new(row.int(0)?);
            }
            self.take(&rows, tags, &mut found)?;
            if rows.len() < piece {
                break;
            }
        }
        Ok(found)
    }

    /// Through the devices that have one of the tags that count, in the order of rows.
    async fn walk_tags(
        self,
        tags: &TagExpression,
        after: DeviceId,
        limit: usize,
        reader: &mut Connection,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut after = after;
        while found.devices.len() < limit {
            let piece = PIECE.min(limit - found.devices.len());
            let mut rows_after = BTreeSet::new();
            for tag in drivers(tags) {
                let row = reader.one(&WALK_TAG, values![self.app, tag, after, piece]).await?;
                let ids = row.optional_text(0)?.unwrap_or_default();
                rows_after.extend(ids.split(',').filter_map(|id| id.parse::<i64>().ok()));
            }
            let piece_rows: Vec<i64> = rows_after.into_iter().take(piece).collect();
            let Some(last) = piece_rows.last() else { break };
            after = DeviceId::new(*last);
            let mut input = Table::new(1);
            for id in &piece_rows {
                input.push([(*id).into()]);
            }
            let values = values![self.app, self.kind.number(), self.environment_number()];
            let rows = reader.rows_with(&BY_IDS, values, &input).await?;
            self.take(&rows, Some(tags), &mut found)?;
            if piece_rows.len() < piece {
                break;
            }
        }
        Ok(found)
    }

    async fn of_users(self, users: &[UserId], reader: &mut Connection) -> Result<Found, StoreError> {
        let mut input = Table::new(1);
        for user in users {
            input.push([user.into()]);
        }
        let values = values![self.app, self.kind.number(), self.environment_number()];
        let rows = reader.rows_with(&OF_USERS, values, &input).await?;
        let mut found = Found::default();
        self.take(&rows, None, &mut found)?;
        Ok(found)
    }

    async fn with_tokens(self, tokens: &[DeviceToken], reader: &mut Connection) -> Result<Found, StoreError> {
        let mut input = Table::new(1);
        for token in tokens {
            input.push([token_bytes(token).into()]);
        }
        let values = values![self.app, self.kind.number(), self.environment_number()];
        let rows = reader.rows_with(&WITH_TOKENS, values, &input).await?;
        let mut found = Found::default();
        self.take(&rows, None, &mut found)?;
        Ok(found)
    }

    fn take(self, rows: &[Row], tags: Option<&TagExpression>, found: &mut Found) -> Result<(), StoreError> {
        for row in rows {
            if let Some(wanted) = tags {
                let of_device: BTreeSet<Tag> = row.parsed(7, |text| serde_json::from_str(text))?;
                if !wanted.matches(&of_device) {
                    continue;
                }
            }
            found.devices.push(FoundDevice {
                device: DeviceId::new(row.int(0)?),
                token: row.blob(1)?.to_vec(),
                environment: row.numbered(2, Environment::from_number)?,
                number: RegistrationNumber::new(row.int(3)?),
                registered_at: row.time(4)?,
                locale: row.optional_parsed(5, Locale::parse)?,
                time_zone: row.optional_parsed(6, TimeZoneName::parse)?,
                kind: self.kind,
            });
        }
        Ok(())
    }

    /// 0 is both.
    fn environment_number(self) -> u8 {
        self.environment.map_or(0, Environment::number)
    }
}

/// Tags of which a device has to have one, as few as can be.
fn drivers(tags: &TagExpression) -> Vec<&Tag> {
    match tags.all.first() {
        Some(tag) => vec![tag],
        None => tags.any.iter().collect(),
    }
}

/// Devices that are read at once: the next step's pieces take the memory of the ones before.
const PIECE: usize = 2000;

macro_rules! columns {
    () => {
        "d.id, d.token, d.environment, d.number, d.registered_at, d.locale, d.time_zone, d.tags"
    };
}

static WALK: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device d
     WHERE d.app_id = $1 AND d.kind = $2 AND ($3 = 0 OR d.environment = $3) AND d.id > $4 ORDER BY d.id LIMIT $5"
));
// Numbers in one text: a row for each would be most of the work.
static WALK_TAG: Statement = Statement::new(
    "SELECT string_agg(CAST(device_id AS TEXT), ',') FROM (
        SELECT device_id FROM device_tag WHERE app_id = $1 AND tag = $2 AND device_id > $3 ORDER BY device_id LIMIT $4
     ) AS walked",
);
static BY_IDS: Statement = Statement::with_input(
    concat!(
        "SELECT ",
        columns!(),
        " FROM {input} CROSS JOIN device d
         WHERE d.id = input.id AND d.app_id = $1 AND d.kind = $2 AND ($3 = 0 OR d.environment = $3) ORDER BY d.id"
    ),
    &[("id", Column::Int)],
);
// The plus keeps SQLite from walking through all devices of the kind.
static OF_USERS: Statement = Statement::with_input(
    concat!(
        "SELECT ",
        columns!(),
        " FROM {input} CROSS JOIN device d
         WHERE d.app_id = $1 AND d.user_id = input.name AND +d.kind = $2 AND ($3 = 0 OR d.environment = $3)"
    ),
    &[("name", Column::Text)],
);
static WITH_TOKENS: Statement = Statement::with_input(
    concat!(
        "SELECT ",
        columns!(),
        " FROM {input} CROSS JOIN device d
         WHERE d.app_id = $1 AND d.token = input.token AND +d.kind = $2 AND ($3 = 0 OR d.environment = $3)"
    ),
    &[("token", Column::Blob)],
);
