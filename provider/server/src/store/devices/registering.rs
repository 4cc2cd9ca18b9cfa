//! Registering: what is there is read, the core decides, and its changes are made, in one transaction for many registrations.

mod changes;
mod locks;

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Device, Registering, Registration},
    ids::{AppId, DeviceId, RegistrationNumber, UserId},
};

use super::{
    RegisteredDevice,
    rows::{columns, read},
};
use crate::store::{
    StoreError,
    batcher::{Batcher, Size, Together},
    database::Database,
    numbers::Counter,
    settings::Weight,
    sql::{Column, Connection, Statement, Table, values},
    tokens::token_bytes,
};
use changes::Changes;

/// What is to be registered.
#[derive(Debug)]
pub(in crate::store) struct Request {
    pub(in crate::store) app: AppId,
    pub(in crate::store) registration: Registration,
    pub(in crate::store) devices_per_user: u16,
    pub(in crate::store) now: UnixTime,
}

/// Registrations that come at the same time.
pub(in crate::store) enum RegisteredTogether {}

/// The way to whoever registers devices.
pub(in crate::store) type Registrations = Batcher<RegisteredTogether>;

impl Together for RegisteredTogether {
    type Answer = Vec<RegisteredDevice>;
    type Request = Vec<Request>;

    fn size(requests: &Vec<Request>) -> Size {
        let tags: usize = requests.iter().map(|request| request.registration.tags.len()).sum();
        Size { parts: requests.len(), kib: (requests.len() * 512 + tags * 64) / 1024 }
    }

    async fn run(
        database: &Database,
        requests: Vec<Vec<Request>>,
    ) -> Result<Vec<Vec<RegisteredDevice>>, StoreError> {
        let counts: Vec<usize> = requests.iter().map(Vec::len).collect();
        let all: Vec<Request> = requests.into_iter().flatten().collect();
        let work = database.write(Weight::Promise, all, |all, it| Box::pin(register_all(all, it)));
        let mut registered = work.await?.into_iter();
        Ok(counts.into_iter().map(|count| registered.by_ref().take(count).collect()).collect())
    }
}

/// Registers all of them as if it were one after the other. Those that have nothing to do with each other, which is most, share statements.
async fn register_all(
    requests: &[Request],
    transaction: &mut Connection,
) -> Result<Vec<RegisteredDevice>, StoreError> {
    locks::take(requests, transaction).await?;
    // In the order of the requests, whichever round each is in: of devices that are too many the one with the least number goes.
    let numbers = Counter::Registration.take(requests.len(), transaction).await?;
    let mut registered: Vec<Option<RegisteredDevice>> = requests.iter().map(|_| None).collect();
    let mut left: Vec<usize> = (0..requests.len()).collect();
    // Of a thousand of one user each round does one: it must not look at all of them each time.
    let mut most = left.len();
    while !left.is_empty() {
        let those_behind = left.split_off(most.min(left.len()));
        let mut known = known(requests, &left, transaction).await?;
        let (round, later) = apart(requests, left, &known);
        let mut changes = Changes::default();
        let mut decided = Vec::with_capacity(round.len());
        for at in round {
            let request = &requests[at];
            let known: Vec<Device> = known.remove(&at).unwrap_or_default().into_values().collect();
            let number = RegistrationNumber::new(numbers[at]);
            let Registering { registered, changes: wanted } = Registering::decide(
                request.now,
                &request.registration,
                number,
                &known,
                request.devices_per_user,
            );
            decided.push((at, registered, changes.add(request.app, &known, wanted)));
        }
        most = decided.len().saturating_mul(2).max(ROUND_MIN);
        let done = changes.make(transaction).await?;
        for (at, what, wanted) in decided {
            registered[at] = Some(done.of(what, wanted)?);
        }
        left = later;
        left.extend(those_behind);
    }
    let lost = || StoreError::Broken("a registration neither adds nor changes a device".into());
    registered.into_iter().map(|registered| registered.ok_or_else(lost)).collect()
}

/// Registrations that are looked at together at least.
const ROUND_MIN: usize = 8;

/// What two registrations may have in common.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Name<'a> {
    Token(AppId, &'a DeviceToken),
    User(AppId, &'a UserId),
}

impl Request {
    fn names(&self) -> impl Iterator<Item = Name<'_>> {
        let Registration { token, previous_token, user, .. } = &self.registration;
        let tokens = [Some(token), previous_token.as_ref()].into_iter().flatten();
        tokens
            .map(|token| Name::Token(self.app, token))
            .chain(user.as_ref().map(|user| Name::User(self.app, user)))
    }
}

/// Devices that registrations may change, by the registration's place.
type KnownDevices = BTreeMap<usize, BTreeMap<DeviceId, Device>>;

/// Those that have nothing in common with any before them, neither what they name nor the devices that they may change, and the rest, each in
/// order. One that waits keeps those behind it waiting as well that have something in common with it.
fn apart(requests: &[Request], left: Vec<usize>, known: &KnownDevices) -> (Vec<usize>, Vec<usize>) {
    let (mut names, mut devices) = (BTreeSet::new(), BTreeSet::new());
    left.into_iter().partition(|at| {
        let mine: Vec<Name<'_>> = requests[*at].names().collect();
        let known: Vec<DeviceId> = known.get(at).into_iter().flat_map(BTreeMap::keys).copied().collect();
        let is_alone = mine.iter().all(|name| !names.contains(name))
            && known.iter().all(|device| !devices.contains(device));
        names.extend(mine);
        devices.extend(known);
        is_alone
    })
}

/// What the core wants to know of each.
async fn known(
    requests: &[Request],
    wanted: &[usize],
    transaction: &mut Connection,
) -> Result<KnownDevices, StoreError> {
    let (mut tokens, mut users) = (Table::new(3), Table::new(3));
    for at in wanted {
        let Request { app, registration, .. } = &requests[*at];
        for token in [Some(&registration.token), registration.previous_token.as_ref()].into_iter().flatten() {
            tokens.push([(*at).into(), (*app).into(), token_bytes(token).into()]);
        }
        if let Some(user) = &registration.user {
            users.push([(*at).into(), (*app).into(), user.into()]);
        }
    }
    let mut rows = transaction.rows_with(&WITH_TOKENS, values![], &tokens).await?;
    rows.extend(transaction.rows_with(&OF_USERS, values![], &users).await?);
    let mut known = KnownDevices::new();
    for row in &rows {
        let device = read(row)?;
        known.entry(row.number(PLACE)?).or_default().insert(device.id, device);
    }
    Ok(known)
}

/// The column behind a device's.
const PLACE: usize = 12;

static WITH_TOKENS: Statement = Statement::with_input(
    concat!(
        "SELECT ",
        columns!(),
        ", input.place FROM {input} CROSS JOIN device
         WHERE device.app_id = input.app AND device.token = input.token ORDER BY device.id{lock devices}"
    ),
    &[("place", Column::Int), ("app", Column::Int), ("token", Column::Blob)],
);
static OF_USERS: Statement = Statement::with_input(
    concat!(
        "SELECT ",
        columns!(),
        ", input.place FROM {input} CROSS JOIN device
         WHERE device.app_id = input.app AND device.user_id = input.user_name ORDER BY device.id{lock devices}"
    ),
    &[("place", Column::Int), ("app", Column::Int), ("user_name", Column::Text)],
);
