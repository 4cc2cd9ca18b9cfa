//! Every bad habit, and which items have to catch it. The test of the provider suite's teeth reads this table too.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::frames::{
    ACK, DATA, END_STREAM, Frame, GOAWAY, HEADERS, PING, PRIORITY, SETTINGS, Setting, WINDOW_UPDATE, settings,
};

/// A way to misbehave.
pub(crate) struct Habit {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// The items that have to catch it.
    pub(crate) caught_by: &'static [&'static str],
    /// What is done.
    pub(crate) deed: Deed,
}

/// Where and how a habit strikes. All else is as the honest provider does it.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// Nowhere.
    None,
    /// In a frame of the provider that is no HEADERS; `false` swallows it.
    Says(fn(&mut Frame) -> bool),
    /// In the fields of a request.
    Asks(fn(&mut Vec<(String, String)>)),
    /// In how HPACK says a field: whether it may be indexed.
    Indexes(fn(&str) -> bool),
    /// In what the provider is told, a frame of the double that is no HEADERS; `false` swallows it. The number counts frames of this type.
    Hears(fn(&mut Frame, usize) -> bool),
    /// The provider is told this before the double says anything.
    HearsFirst(fn() -> Vec<u8>),
    /// The connection ends behind each answer.
    EndsAfterEach,
    /// Each request has a provider token that was signed for it.
    SignsEach,
    /// Whoever the server says it is, it is believed.
    TrustsAnyone,
    /// In what the adapter is told.
    IsTold(fn(&mut Value)),
    /// In what the adapter reports; `false` swallows it.
    Reports(fn(&mut Value) -> bool),
    /// What was reported so is sent again at once, and not told, so many times.
    SendsAgain(fn(&Value) -> bool, u32),
}

pub(crate) const HABITS: &[Habit] = &[
    habit("none", &[], Deed::None),
    habit("answers-no-ping", &["C-09"], Deed::Says(|frame| !(frame.is(PING) && frame.has(ACK)))),
    habit("acknowledges-no-settings", &["C-09"], Deed::Says(|frame| !(frame.is(SETTINGS) && frame.has(ACK)))),
    habit("allows-server-push", &["C-09"], Deed::Says(allows_push)),
    habit("sends-priorities", &["C-09"], Deed::Says(sends_priorities)),
    habit(
        "does-not-wait-for-settings",
        &["C-10"],
        Deed::HearsFirst(|| settings(&[Setting::MaxStreams(100)])),
    ),
    habit("opens-many-before-it-is-known", &["C-11"], Deed::Hears(many_streams_at_first)),
    habit(
        "overlooks-fewer-streams",
        &["C-12"],
        Deed::Hears(|frame, number| !(frame.is_new_settings() && number > 1)),
    ),
    habit("overlooks-windows", &["C-15"], Deed::Hears(endless_window)),
    habit("opens-no-window", &["C-17"], Deed::Says(|frame| !(frame.is(WINDOW_UPDATE) && frame.stream == 0))),
    habit("indexes-device-tokens", &["C-18"], Deed::Indexes(|_| true)),
    habit("indexes-nothing", &["C-18"], Deed::Indexes(|_| false)),
    habit(
        "pads-provider-tokens",
        &["C-20"],
        Deed::Asks(|fields| change(fields, "authorization", |it| it.push('='))),
    ),
    habit("signs-each-push", &["C-21", "C-22"], Deed::SignsEach),
    habit("trusts-anyone", &["C-05"], Deed::TrustsAnyone),
    habit("shows-provider-tokens", &["C-30"], Deed::Asks(show_provider_token)),
    habit("overlooks-goaway", &["C-31"], Deed::Hears(|frame, _| !frame.is(GOAWAY))),
    habit("replays-all-after-goaway", &["C-34"], Deed::Hears(|frame, _| last_stream(frame, 0))),
    habit("awaits-all-after-goaway", &["C-34"], Deed::Hears(|frame, _| last_stream(frame, 0x7fff_ffff))),
    habit("changes-apns-ids", &["C-45"], Deed::Asks(another_apns_id)),
    habit("calls-lost-answers-not-sent", &["C-40"], Deed::Reports(ambiguous_is_not_sent)),
    habit("sends-lost-answers-again", &["C-46"], Deed::SendsAgain(|it| it["outcome"] == "ambiguous", 1)),
    habit("sends-refusals-again", &["C-47"], Deed::SendsAgain(|it| it["outcome"] == "rejected", 2)),
    habit("loses-the-status", &["C-55"], Deed::Reports(lose_status)),
    habit("takes-ms-for-seconds", &["C-58"], Deed::Reports(timestamp_in_seconds)),
    habit("names-unknown-reasons-anew", &["C-54"], Deed::Reports(unknown_reason)),
    habit("cuts-what-is-too-large", &["C-65"], Deed::IsTold(cut_payload)),
    habit("writes-payloads-anew", &["C-66"], Deed::IsTold(write_payload_anew)),
    habit(
        "leaves-out-the-push-type",
        &["C-63"],
        Deed::Asks(|fields| fields.retain(|it| it.0 != "apns-push-type")),
    ),
    habit("opens-a-connection-for-each", &["C-01"], Deed::EndsAfterEach),
    habit("tells-nothing-of-what-is-lost", &["C-42"], Deed::Reports(|it| it["outcome"] != "ambiguous")),
];

const fn habit(name: &'static str, caught_by: &'static [&'static str], deed: Deed) -> Habit {
    Habit { name, caught_by, deed }
}

fn allows_push(frame: &mut Frame) -> bool {
    if frame.is_new_settings() {
        frame.payload.clear();
    }
    true
}

/// PRIORITY in the place of the acknowledgement of SETTINGS would be caught for another reason: it goes out before a request's body.
fn sends_priorities(frame: &mut Frame) -> bool {
    if frame.is(DATA) {
        let mut priority = Frame::new(PRIORITY, 0, frame.stream, vec![0, 0, 0, 0, 15]);
        std::mem::swap(frame, &mut priority);
        frame.behind = Some(Box::new(priority));
    }
    true
}

fn many_streams_at_first(frame: &mut Frame, number: usize) -> bool {
    if frame.is_new_settings() && number == 1 {
        frame.payload = settings(&[Setting::MaxStreams(100)]).split_off(9);
    }
    true
}

fn endless_window(frame: &mut Frame, number: usize) -> bool {
    if frame.is_new_settings() && number == 1 {
        frame.behind =
            Some(Box::new(Frame::new(WINDOW_UPDATE, 0, 0, 0x1000_0000_u32.to_be_bytes().to_vec())));
    }
    true
}

fn last_stream(frame: &mut Frame, last: u32) -> bool {
    if frame.is(GOAWAY) {
        frame.payload[..4].copy_from_slice(&last.to_be_bytes());
    }
    true
}

fn change(fields: &mut [(String, String)], name: &str, how: impl FnOnce(&mut String)) {
    if let Some(field) = fields.iter_mut().find(|field| field.0 == name) {
        how(&mut field.1);
    }
}

fn show_provider_token(fields: &mut Vec<(String, String)>) {
    change(fields, "authorization", |it| {
        let _ = writeln!(std::io::stderr(), "sending with {it}"); // a show
    });
}

fn another_apns_id(fields: &mut Vec<(String, String)>) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    change(fields, "apns-id", |it| it.replace_range(..8, &format!("{number:08x}")));
}

fn ambiguous_is_not_sent(report: &mut Value) -> bool {
    if report["outcome"] == "ambiguous" {
        report["outcome"] = "not-sent".into();
    }
    true
}

fn lose_status(report: &mut Value) -> bool {
    if report["outcome"] == "rejected" && report["reason"].is_null() {
        let id = report["id"].take();
        *report = json!({"event": "result", "id": id, "outcome": "ambiguous", "why": "no body"});
    }
    true
}

fn timestamp_in_seconds(report: &mut Value) -> bool {
    if let Some(ms) = report["timestamp"].as_u64() {
        report["timestamp"] = (ms / 1000).into();
    }
    true
}

fn unknown_reason(report: &mut Value) -> bool {
    const KNOWN: [&str; 4] = ["BadDeviceToken", "Unregistered", "ServiceUnavailable", "TooManyRequests"];
    if report["reason"].as_str().is_some_and(|reason| !KNOWN.contains(&reason)) {
        report["reason"] = "Unknown".into();
    }
    true
}

fn cut_payload(order: &mut Value) {
    const BYTES_MAX: usize = 4096;
    if let Some(payload) = order["payload"].as_str().filter(|payload| payload.len() > BYTES_MAX) {
        let cut = payload.len() - BYTES_MAX;
        order["payload"] = payload.replacen(&"x".repeat(cut), "", 1).into();
    }
}

fn write_payload_anew(order: &mut Value) {
    let parsed = order["payload"].as_str().and_then(|payload| serde_json::from_str::<Value>(payload).ok());
    if let Some(parsed) = parsed {
        order["payload"] = format!("{parsed:#}").into();
    }
}

impl Frame {
    fn is_new_settings(&self) -> bool {
        self.is(SETTINGS) && !self.has(ACK)
    }
}

/// Whether a frame ends an answer.
pub(crate) fn ends_answer(frame: &Frame) -> bool {
    (frame.is(HEADERS) || frame.is(DATA)) && frame.has(END_STREAM)
}
