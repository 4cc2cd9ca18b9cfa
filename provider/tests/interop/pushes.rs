//! What is sent, and what came of it.

use std::{collections::BTreeMap, sync::Arc};

use apns_provider::{
    Client, ClientBuilder,
    core::{AlertNotification, BundleId, DeviceToken, DispatchPolicy, Outcome},
};
use futures::future::join_all;

/// A device token whose end tells the server what to do.
pub(crate) fn device_token(end: &str) -> DeviceToken {
    DeviceToken::from_hex(&format!("00fc13adff785122b4ad28809a34{end}")).unwrap()
}

/// A client that opens no second connection, however long all streams of the first are in use.
pub(crate) fn on_one_connection(builder: ClientBuilder) -> Client {
    builder.dispatch(DispatchPolicy::default().with_connections(1..=1).unwrap()).build().unwrap()
}

/// One push.
pub(crate) async fn send(client: &Client, end: &str) -> Outcome {
    send_many(client, end, 1).await.remove(0)
}

/// So many pushes at once.
pub(crate) async fn send_many(client: &Client, end: &str, count: usize) -> Vec<Outcome> {
    let app = BundleId::parse("com.example.app").unwrap();
    let text = "Hello from the other side. ".repeat(20);
    let hello = Arc::new(AlertNotification::new(app).alert(text.as_str()).build().unwrap());
    join_all((0..count).map(|_| client.send(Arc::clone(&hello), device_token(end)))).await
}

/// How many ended in which way, in short.
pub(crate) fn tally(outcomes: &[Outcome]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for outcome in outcomes {
        *tally.entry(short(outcome)).or_default() += 1;
    }
    tally
}

pub(crate) fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(_) => "200".to_owned(),
        Outcome::Rejected(rejection) => match &rejection.reason {
            Some(reason) => format!("{} {reason}", rejection.status),
            None => rejection.status.to_string(),
        },
        Outcome::NotSent(why) => format!("{why:?}"),
        Outcome::Expired => "expired".to_owned(),
        Outcome::Ambiguous(why) => format!("{why:?}"),
    }
}

/// All of them ended so.
#[track_caller]
pub(crate) fn assert_all(outcomes: &[Outcome], how: &str) {
    assert_eq!(tally(outcomes), BTreeMap::from([(how.to_owned(), outcomes.len())]));
}
