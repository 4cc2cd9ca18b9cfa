use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;
use crate::{
    json,
    problem::{Field, FieldErrors, Problem},
};

/// 2027-03-01T00:00:00Z
const NOW: UnixTime = UnixTime::from_secs(1_803_859_200);

fn check(body: &str) -> Result<Schedule, Problem> {
    let request: ScheduleRequest = json::read(body.as_bytes())?;
    let mut errors = FieldErrors::default();
    let schedule = request.check(Field::new("schedule"), NOW, &mut errors);
    errors.finish(schedule)
}

fn zone(name: &str) -> TimeZoneName {
    TimeZoneName::parse(name).unwrap()
}

fn moment(text: &str) -> UnixTime {
    let timestamp: jiff::Timestamp = text.parse().unwrap();
    UnixTime::from_millis(u64::try_from(timestamp.as_millisecond()).unwrap())
}

fn local(text: &str, name: &str) -> UnixTime {
    LocalTime::parse(text).unwrap().in_zone(&zone(name))
}

#[test]
fn now_is_now_and_a_moment_is_not_before_it() {
    assert_eq!(check("{}").unwrap().start(NOW, None), Start::At(NOW));
    let later = check(r#"{"not-before":"2027-03-01T02:00:00+01:00"}"#).unwrap();
    assert_eq!(later.start(NOW, Some(&zone("Asia/Tokyo"))), Start::At(moment("2027-03-01T01:00:00Z")));
    let over = check(r#"{"not-before":"2020-01-01T00:00:00Z"}"#).unwrap();
    assert_eq!(over.start(NOW, None), Start::At(NOW), "what is over is now");
}

#[test]
fn nine_in_the_morning_is_another_moment_everywhere() {
    let schedule =
        check(r#"{"local-time":"2027-03-05T09:00","fallback-time-zone":"Europe/Zurich"}"#).unwrap();
    assert!(schedule.depends_on_zone());
    let at = |name| schedule.start(NOW, Some(&zone(name)));
    assert_eq!(at("Asia/Tokyo"), Start::At(moment("2027-03-05T00:00:00Z")));
    assert_eq!(at("America/New_York"), Start::At(moment("2027-03-05T14:00:00Z")));
    assert_eq!(schedule.start(NOW, None), at("Europe/Zurich"));
    assert_eq!(schedule.earliest(NOW), moment("2027-03-04T19:00:00Z"));
    assert_eq!(schedule.plan_at(NOW), moment("2027-03-04T18:55:00Z"));
}

#[test]
fn a_time_that_the_clocks_leave_out_is_as_much_later() {
    // In Zurich it is 03:00 after 01:59 on 28 March 2027, and in New York on 14 March.
    assert_eq!(local("2027-03-28T02:30", "Europe/Zurich"), moment("2027-03-28T03:30:00+02:00"));
    assert_eq!(local("2027-03-14T02:00", "America/New_York"), moment("2027-03-14T03:00:00-04:00"));
    // Lord Howe Island moves its clocks by half an hour.
    assert_eq!(local("2027-10-03T02:15", "Australia/Lord_Howe"), moment("2027-10-03T02:45:00+11:00"));
}

#[test]
fn a_time_that_is_there_twice_is_the_first() {
    assert_eq!(local("2027-10-31T02:30", "Europe/Zurich"), moment("2027-10-31T02:30:00+02:00"));
    assert_eq!(local("2027-11-07T01:30", "America/New_York"), moment("2027-11-07T01:30:00-04:00"));
}

#[test]
fn a_day_that_was_left_out_is_the_next() {
    // Samoa had no 30 December 2011.
    assert_eq!(local("2011-12-30T09:00", "Pacific/Apia"), moment("2011-12-31T09:00:00+14:00"));
}

#[test]
fn where_it_is_over_the_sender_decides() {
    // When it is handed in, it is 13:00 in Auckland and 01:00 in Zurich.
    let start = |if_passed: &str, name| {
        check(&format!(r#"{{"local-time":"2027-03-01T09:00","if-passed":"{if_passed}"}}"#))
            .unwrap()
            .start(NOW, Some(&zone(name)))
    };
    assert_eq!(start("send", "Pacific/Auckland"), Start::At(NOW));
    assert_eq!(start("skip", "Pacific/Auckland"), Start::Skipped);
    assert_eq!(start("next-day", "Pacific/Auckland"), Start::At(moment("2027-03-02T09:00:00+13:00")));
    for if_passed in ["send", "skip", "next-day"] {
        assert_eq!(start(if_passed, "Europe/Zurich"), Start::At(moment("2027-03-01T09:00:00+01:00")));
    }
}

#[test]
fn the_answer_does_not_depend_on_when_it_is_asked() {
    let schedule = check(r#"{"local-time":"2027-03-05T09:00","if-passed":"skip"}"#).unwrap();
    let start = schedule.start(NOW, Some(&zone("Asia/Tokyo")));
    assert_eq!(
        start,
        Start::At(moment("2027-03-05T00:00:00Z")),
        "also for a planner that was dead for a week"
    );
}

#[test]
fn what_makes_no_sense_is_named() {
    for (body, field) in [
        (r#"{"not-before":"tomorrow"}"#, "schedule.not-before"),
        (r#"{"not-before":"2027-03-05T09:00:00"}"#, "schedule.not-before"),
        (r#"{"not-before":"2028-06-01T00:00:00Z"}"#, "schedule.not-before"),
        (r#"{"not-before":"2027-03-05T09:00:00Z","local-time":"2027-03-05T09:00"}"#, "schedule.local-time"),
        (r#"{"local-time":"2027-03-05T09:00Z"}"#, "schedule.local-time"),
        (r#"{"local-time":"2027-03-05T25:00"}"#, "schedule.local-time"),
        (r#"{"local-time":"2027-02-30T09:00"}"#, "schedule.local-time"),
        (r#"{"local-time":"2027-02-27T09:00"}"#, "schedule.local-time"),
        (r#"{"local-time":"9999-12-31T09:00"}"#, "schedule.local-time"),
        (r#"{"local-time":"2027-03-05T09:00","fallback-time-zone":"x"}"#, "schedule.fallback-time-zone"),
        (r#"{"fallback-time-zone":"UTC"}"#, "schedule.fallback-time-zone"),
        (r#"{"if-passed":"skip"}"#, "schedule.if-passed"),
    ] {
        let problem = check(body).unwrap_err();
        assert_eq!(problem.fields()[0].field, field, "{body}: {problem}");
    }
}

#[test]
fn a_schedule_is_stored_as_json() {
    for body in ["{}", r#"{"not-before":"2027-03-05T09:00:00Z"}"#, r#"{"local-time":"2027-03-05T09:00:30"}"#]
    {
        let schedule = check(body).unwrap();
        let stored = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&stored).unwrap(), schedule, "{stored}");
    }
}

const ZONES: [&str; 12] = [
    "Africa/Casablanca",
    "America/New_York",
    "America/Sao_Paulo",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/Zurich",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
];

prop_compose! {
    fn any_local_time()(minutes in 0_i64..120 * 366 * 24 * 60) -> (LocalTime, DateTime) {
        let begin: DateTime = "1970-01-02T00:00".parse().unwrap();
        let time = begin + jiff::SignedDuration::from_mins(minutes);
        (LocalTime::parse(&time.strftime("%Y-%m-%dT%H:%M").to_string()).unwrap(), time)
    }
}

proptest! {
    #[test]
    fn a_clock_there_shows_the_time_or_one_that_was_moved_over_it(
        (time, wanted) in any_local_time(), name in prop::sample::select(&ZONES),
    ) {
        let moment = time.in_zone(&zone(name));
        let shown = zone(name).rules().to_datetime(local_time::timestamp(moment));
        let moved = wanted.duration_until(shown);
        let a_day = jiff::SignedDuration::from_hours(24);
        prop_assert!(!moved.is_negative() && moved <= a_day, "{time} in {name}: {shown}");
        prop_assert!(moment >= time.earliest() && moment <= UnixTime::from_secs(time.latest().as_secs() + 86_400));
        // A minute before, the clock showed less: there is no earlier moment of that name.
        let before = UnixTime::from_millis(moment.as_millis().saturating_sub(60_000));
        let shown_before = zone(name).rules().to_datetime(local_time::timestamp(before));
        prop_assert!(shown_before < wanted || moved.is_positive(), "{time} in {name}: {shown_before}");
    }

    #[test]
    fn the_next_day_is_within_two_and_at_that_time_of_day_unless_the_clocks_move(
        (time, _) in any_local_time(), name in prop::sample::select(&ZONES), after in 1_000_000_000_u64..4_000_000_000,
    ) {
        let after = UnixTime::from_secs(after);
        let next = time.on_a_day_after(after, &zone(name));
        prop_assert!(next >= after);
        prop_assert!(next.saturating_since(after).as_secs() <= 49 * 3600, "{time} in {name}: {next:?}");
    }
}
