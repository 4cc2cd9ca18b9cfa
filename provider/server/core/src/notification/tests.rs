use super::*;
use crate::{json, problem::Problem};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const MESSAGE: &str = r#""message":{"payload":{"aps":{"alert":"Hi"}}}"#;

fn check(rest: &str) -> Result<Intake, Problem> {
    json::read::<NotificationRequest>(format!("{{{MESSAGE},{rest}}}").as_bytes())?.check(NOW)
}

fn wrong_field(rest: &str) -> String {
    check(rest).unwrap_err().fields()[0].field.clone()
}

#[test]
fn a_notification_is_a_message_and_an_audience() {
    let intake = check(r#""audience":{"users":["ada"]}"#).unwrap();
    assert_eq!((intake.lane, intake.delivery, intake.campaign), (Lane::Normal, Delivery::AtLeastOnce, None));
    assert_eq!((intake.schedule, intake.handed_in), (Schedule::Now, NOW));
    let missing = json::read::<NotificationRequest>(b"{}").unwrap_err();
    assert!(missing.message().contains("missing field `message`"), "{missing}");
}

#[test]
fn a_campaign_has_a_lane_of_its_own() {
    let intake = check(r#""audience":{"all":true},"campaign":{"label":"Spring","pace":500}"#).unwrap();
    let campaign = intake.campaign.unwrap();
    assert_eq!((intake.lane, campaign.pace.unwrap().per_second()), (Lane::Campaign, 500));
    let intake = check(r#""audience":{"all":true},"lane":"campaign""#).unwrap();
    assert_eq!(intake.campaign, Some(Campaign::default()));
    assert_eq!(wrong_field(r#""audience":{"all":true},"lane":"urgent","campaign":{}"#), "lane");
    assert_eq!(wrong_field(r#""audience":{"all":true},"campaign":{"pace":0}"#), "campaign.pace");
}

#[test]
fn an_expiration_before_the_start_is_told() {
    let body = r#"{"message":{"payload":{},"expiration":1700003600},"audience":{"all":true},
                   "schedule":{"not-before":"2023-11-15T00:00:00Z"}}"#;
    let problem = json::read::<NotificationRequest>(body.as_bytes()).unwrap().check(NOW).unwrap_err();
    assert_eq!(problem.fields()[0].field, "message.expiration", "{problem}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let body = r#"{"message":{},"audience":{},"schedule":{"not-before":"x"},"campaign":{"pace":0}}"#;
    let problem = json::read::<NotificationRequest>(body.as_bytes()).unwrap().check(NOW).unwrap_err();
    let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["schedule.not-before", "message.payload", "audience", "campaign.pace"]);
}

#[test]
fn of_a_batch_all_are_taken_or_none() {
    let one = format!("{{{MESSAGE},\"audience\":{{\"users\":[\"ada\"]}}}}");
    let wrong = format!("{{{MESSAGE},\"audience\":{{\"users\":[\"ada\",\"\"]}}}}");
    let batch = |bodies: &[&str]| {
        json::read::<BatchRequest>(format!("{{\"notifications\":[{}]}}", bodies.join(",")).as_bytes())
            .and_then(|batch| batch.check(NOW))
    };
    assert_eq!(batch(&[&one, &one]).unwrap().len(), 2);
    let problem = batch(&[&one, &wrong]).unwrap_err();
    assert_eq!(problem.fields()[0].field, "notifications[1].audience.users[1]");
    assert_eq!(batch(&[]).unwrap_err().fields()[0].field, "notifications");
}
