//! Checklist F, C-59 to C-62: an application that keeps its device tokens by what the double answers.

use apns_provider::{
    Client,
    core::{
        AlertNotification, BundleId, DeviceToken, HygienePolicy, Notification, Outcome, Reason, Rejection,
        TokenHygiene, TokenVerdict, UnixTime,
    },
};
use tokio::join;

use crate::world::{World, hello, until};

/// A token of the ready-made team, by its name.
fn token(world: &World, name: &str) -> DeviceToken {
    DeviceToken::from_hex(&world.mock.ready_made().device_token(name).unwrap().token).unwrap()
}

async fn rejection(client: &Client, notification: Notification, token: DeviceToken) -> Rejection {
    match client.send(notification, token).await {
        Outcome::Rejected(rejection) => *rejection,
        other => panic!("{other:?}"),
    }
}

fn judge(outcome: &Outcome, registered_at: Option<UnixTime>) -> TokenVerdict {
    TokenHygiene::new(HygienePolicy::default()).judge(
        UnixTime::from_secs(2_000_000_000),
        outcome,
        registered_at,
    )
}

fn second_off(moment: UnixTime, by: i64) -> UnixTime {
    UnixTime::from_secs(moment.as_secs().checked_add_signed(by).unwrap())
}

#[tokio::test]
async fn c59_a_410_that_is_older_than_the_registration_leaves_the_token() {
    let world = World::good().await;
    let dead = rejection(&world.client(), hello(), token(&world, "sandbox-unregistered")).await;
    let dead_since = dead.unregistered_since.expect("the double says since when");
    let outcome = Outcome::Rejected(Box::new(dead));
    assert_eq!(judge(&outcome, Some(second_off(dead_since, 1))), TokenVerdict::Keep);
    for registered_at in [Some(second_off(dead_since, -1)), None] {
        assert!(matches!(judge(&outcome, registered_at), TokenVerdict::Remove(_)), "{registered_at:?}");
    }
}

#[tokio::test]
async fn c60_a_token_that_is_registered_again_while_its_push_is_under_way_survives() {
    let world = World::with(&[r#"{"name":"slow","action":{"answer":{"delay":"300ms"}}}"#]).await;
    let (client, dead) = (world.client(), token(&world, "sandbox-unregistered"));
    let long_ago = UnixTime::from_secs(1_000_000_000);
    let again = async {
        until("the push is under way", || client.stats().under_way == 1).await;
        UnixTime::from_secs(1_999_999_999) // the app hands its token in once more
    };
    let (outcome, registered_again) = join!(client.send(hello(), dead), again);
    let TokenVerdict::Remove(removal) = judge(&outcome, Some(long_ago)) else { panic!("{outcome:?}") };
    assert!(removal.applies_to(Some(long_ago)), "had it not come again");
    assert!(!removal.applies_to(Some(registered_again)));
}

#[tokio::test]
async fn c61_a_list_of_dead_tokens_is_not_forgotten_at_once() {
    let world = World::good().await;
    let client = world.client();
    let (good, dead) = (token(&world, "sandbox"), token(&world, "sandbox-unregistered"));
    let mut hygiene = TokenHygiene::new(HygienePolicy::default());
    let mut verdicts = Vec::new();
    for number in 0..20 {
        let to = if number % 4 == 3 { &dead } else { &good };
        let outcome = client.send(hello(), to.clone()).await;
        verdicts.push(hygiene.judge(UnixTime::from_secs(2_000_000_000), &outcome, None));
    }
    let removed = verdicts.iter().filter(|verdict| matches!(verdict, TokenVerdict::Remove(_))).count();
    let withheld = verdicts.iter().filter(|verdict| matches!(verdict, TokenVerdict::Withheld { .. })).count();
    assert_eq!((removed, withheld), (2, 3), "a quarter is dead, and ten results are enough to see it");
}

#[tokio::test]
async fn c62_what_is_the_fault_of_configuration_or_service_leaves_the_token() {
    let app = BundleId::parse("com.example.of-another-team").unwrap();
    let of_another_team = AlertNotification::new(app).alert("Hello").build().unwrap();
    let world = World::good().await;
    let refused = rejection(&world.client(), of_another_team, token(&world, "sandbox")).await;
    let mut rejections = vec![(Reason::TopicDisallowed, refused)];
    for (status, reason) in [
        (400, Reason::DeviceTokenNotForTopic),
        (400, Reason::BadTopic),
        (403, Reason::Forbidden),
        (429, Reason::TooManyRequests),
        (500, Reason::InternalServerError),
        (503, Reason::ServiceUnavailable),
    ] {
        let answer = format!(r#"{{"status":{status},"reason":"{}"}}"#, reason.as_str());
        let world = World::with(&[&format!(r#"{{"name":"answer","action":{{"answer":{answer}}}}}"#)]).await;
        rejections.push((reason, rejection(&world.client(), hello(), token(&world, "sandbox")).await));
    }
    for (reason, rejection) in rejections {
        assert_eq!(rejection.reason.as_ref(), Some(&reason));
        let verdict = judge(&Outcome::Rejected(Box::new(rejection)), None);
        assert_eq!(verdict, TokenVerdict::Keep, "{reason:?}");
    }
}
