//! The lies: what each changes of what a double says, and which cases should catch it.

use crate::liar::{ACK, Frame, GOAWAY, Heard, PING, RST_STREAM, SETTINGS, Told, Tongue, WINDOW_UPDATE};

/// A bug of a target.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    pub(crate) tongue: Tongue,
    /// The tags of the cases that are asked.
    pub(crate) asked: &'static [&'static str],
    /// Those that should catch it, as ids with `*`.
    pub(crate) caught_by: &'static [&'static str],
    /// Whether it is told by leaving something out: those that should catch it wait in vain.
    pub(crate) is_silent: bool,
}

/// Changes nothing.
pub(crate) const HONEST: Tongue = Tongue { answer: |_, _| {}, frame: |_| true };

/// The groups of a few cases. Those of hundreds that differ in little are asked where the lie is theirs.
const FEW: &[&str] = &["answers", "connections", "device-tokens", "hosts", "payloads", "reasons", "settings"];
const HEADERS: &[&str] =
    &["answers", "connections", "device-tokens", "headers", "hosts", "payloads", "reasons", "settings"];
const TOKENS: &[&str] = &[
    "answers",
    "connections",
    "device-tokens",
    "hosts",
    "payloads",
    "provider-tokens",
    "reasons",
    "settings",
];

const fn answers(
    name: &'static str,
    asked: &'static [&'static str],
    caught_by: &'static [&'static str],
    answer: fn(&Heard, &mut Told),
) -> Lie {
    Lie { name, tongue: Tongue { answer, ..HONEST }, asked, caught_by, is_silent: false }
}

const fn frames(
    name: &'static str,
    asked: &'static [&'static str],
    caught_by: &'static [&'static str],
    frame: fn(&mut Frame) -> bool,
) -> Lie {
    Lie { name, tongue: Tongue { frame, ..HONEST }, asked, caught_by, is_silent: false }
}

/// A lie that is told by swallowing frames.
const fn silences(
    name: &'static str,
    asked: &'static [&'static str],
    caught_by: &'static [&'static str],
    frame: fn(&mut Frame) -> bool,
) -> Lie {
    Lie { is_silent: true, ..frames(name, asked, caught_by, frame) }
}

pub(crate) const LIES: &[Lie] = &[
    // The form of an answer.
    answers("no apns-id", FEW, &["answer-echoes-*", "answer-makes-up-*", "answer-fresh-ids"], |_, told| {
        told.fields.retain(|field| field.0 != "apns-id");
    }),
    answers("apns-id in upper case", FEW, &["answer-echoes-id", "answer-echoes-id-on-error"], |_, told| {
        told.field("apns-id").unwrap().make_ascii_uppercase();
    }),
    answers("apns-id in lower case", FEW, &["answer-echoes-upper-case", "answer-makes-up-*"], |_, told| {
        told.field("apns-id").unwrap().make_ascii_lowercase();
    }),
    answers("always the same apns-id", FEW, &["answer-fresh-ids"], |heard, told| {
        if heard.field("apns-id").is_none() {
            "07C0F2E2-7CE0-71EC-D0D6-E7089220F778".clone_into(told.field("apns-id").unwrap());
        }
    }),
    answers(
        "no apns-id on errors",
        FEW,
        &["answer-echoes-id-on-error", "answer-makes-up-id-on-error", "answer-makes-up-id-for-bad-one"],
        |_, told| {
            if !told.is_accepted() {
                told.fields.retain(|field| field.0 != "apns-id");
            }
        },
    ),
    answers("no apns-unique-id", FEW, &["answer-unique-id"], |_, told| {
        told.fields.retain(|field| field.0 != "apns-unique-id");
    }),
    answers("apns-unique-id in upper case", FEW, &["answer-unique-id"], |_, told| {
        if let Some(id) = told.field("apns-unique-id") {
            id.make_ascii_uppercase();
        }
    }),
    answers(
        "no timestamp",
        FEW,
        &["answer-unregistered-timestamp", "answer-expired-timestamp"],
        |_, told| {
            if let Some((before, _)) = told.body.split_once(",\"timestamp\"") {
                told.body = format!("{before}}}");
            }
        },
    ),
    answers(
        "a timestamp in seconds",
        FEW,
        &["answer-unregistered-timestamp", "answer-expired-timestamp"],
        |_, told| {
            if let Some(short) = told.body.strip_suffix("}").filter(|body| body.contains("timestamp")) {
                told.body = format!("{}}}", &short[..short.len() - 3]);
            }
        },
    ),
    answers(
        "a timestamp on every refusal",
        FEW,
        &["answer-no-timestamp", "answer-compact-json"],
        |_, told| {
            if told.has_data && !told.body.contains("timestamp") {
                told.body = told.body.replace('}', ",\"timestamp\":1700000000000}");
            }
        },
    ),
    answers("JSON with spaces", FEW, &["answer-compact-json"], |_, told| {
        told.body = told.body.replace(':', ": ");
    }),
    answers("a content-type", FEW, &["answer-no-content-type"], |_, told| {
        told.fields.push(("content-type".into(), "application/json".into()));
    }),
    answers("retry-after", FEW, &["answer-no-retry-after"], |_, told| {
        told.fields.push(("retry-after".into(), "5".into()));
    }),
    answers("DATA behind 200", FEW, &["answer-accepted-ends"], |_, told| told.has_data = true),
    // Statuses and reasons.
    answers(
        "410 as 400",
        FEW,
        &["reason-unregistered", "reason-expired-token", "connection-survives-410"],
        |_, told| {
            if told.fields[0].1 == "410" {
                "400".clone_into(&mut told.fields[0].1);
            }
        },
    ),
    answers(
        "a reason of its own",
        HEADERS,
        &["reason-bad-topic", "header-topic-refuses-*", "answer-each"],
        |_, told| {
            told.body = told.body.replace("BadTopic", "InvalidTopic");
        },
    ),
    answers("200 with a body", FEW, &["payload-empty-dictionary"], |heard, told| {
        if told.is_accepted() && heard.body == b"{}" {
            told.has_data = true;
            "{}".clone_into(&mut told.body);
        }
    }),
    // Limits.
    answers(
        "a payload may be one byte longer",
        &["push-types", "payloads", "reasons"],
        &["push-type-*-payload-over-limit"],
        |heard, told| {
            if told.says("PayloadTooLarge") && matches!(heard.body.len(), 4097 | 5121) {
                told.accept();
            }
        },
    ),
    answers(
        "VoIP payloads are as short as others",
        &["push-types", "payloads"],
        &["push-type-voip-payload-at-limit"],
        |heard, told| {
            if heard.body.len() > 4096 && told.is_accepted() {
                told.refuse("413", "PayloadTooLarge");
            }
        },
    ),
    answers(
        "apns-collapse-id is counted in characters",
        HEADERS,
        &["header-collapse-id-refuses-no-word"],
        |heard, told| {
            let characters = heard.field("apns-collapse-id").map_or(0, |id| id.chars().count());
            if told.says("BadCollapseId") && characters <= 64 {
                told.accept();
            }
        },
    ),
    // Forms.
    answers(
        "a priority may begin with 0",
        HEADERS,
        &["header-priority-refuses-05", "header-priority-refuses-010"],
        |heard, told| {
            if told.says("BadPriority")
                && heard.field("apns-priority").is_some_and(|it| it.starts_with('0') && it.len() > 1)
            {
                told.accept();
            }
        },
    ),
    answers(
        "a repeated header is ignored",
        HEADERS,
        &["header-*-repeated", "reason-duplicate-headers"],
        |_, told| {
            if told.says("DuplicateHeaders") {
                told.accept();
            }
        },
    ),
    answers(
        "an empty payload is accepted",
        FEW,
        &["payload-absent", "payload-no-bytes", "reason-payload-empty"],
        |heard, told| {
            if heard.body.is_empty() && told.says("PayloadEmpty") {
                told.accept();
            }
        },
    ),
    answers(
        "device tokens in upper case are unknown",
        HEADERS,
        &["header-path-accepts-3-device-token-2"],
        |heard, told| {
            if told.is_accepted()
                && heard.field(":path").unwrap().bytes().any(|byte| byte.is_ascii_uppercase())
            {
                told.refuse("400", "BadDeviceToken");
            }
        },
    ),
    answers(
        "any method will do",
        HEADERS,
        &["header-method-refuses-*", "reason-method-not-allowed"],
        |_, told| {
            if told.says("MethodNotAllowed") {
                told.accept();
            }
        },
    ),
    answers("unknown fields are refused", FEW, &["connection-ignores-x-trace"], |heard, told| {
        if heard.field("x-trace").is_some() {
            told.refuse("400", "BadPath");
        }
    }),
    answers(
        "any push type on the VoIP topic",
        &["push-types"],
        &["push-type-*-on-topic-voip"],
        |heard, told| {
            if told.says("InvalidPushType")
                && heard.field("apns-topic").is_some_and(|topic| topic.rsplit('.').next() == Some("voip"))
            {
                told.accept();
            }
        },
    ),
    // Provider tokens.
    answers(
        "provider tokens never expire",
        TOKENS,
        &[
            "reason-expired-provider-token",
            "provider-token-over-an-hour-old",
            "provider-token-a-year-old",
            "provider-token-of-1970",
            "provider-token-ahead",
            "provider-token-in-milliseconds",
        ],
        |_, told| {
            if told.says("ExpiredProviderToken") {
                told.accept();
            }
        },
    ),
    answers(
        "provider tokens may change at will",
        TOKENS,
        &["provider-token-two-updates", "provider-token-refused-update"],
        |_, told| {
            if told.says("TooManyProviderTokenUpdates") {
                told.accept();
            }
        },
    ),
    // The order of the checks.
    answers(
        "the device token before the credentials",
        &["order"],
        &["order-provider-token-is-present-before-device-token-is-hex"],
        |heard, told| {
            if told.says("MissingProviderToken") && heard.field(":path") == Some("/3/device/zz") {
                told.refuse("400", "BadDeviceToken");
            }
        },
    ),
    answers(
        "the topic before the headers",
        &["order"],
        &["order-priority-is-allowed-before-topic-is-present"],
        |heard, told| {
            if told.says("BadPriority") && heard.field("apns-topic").is_none() {
                told.refuse("400", "MissingTopic");
            }
        },
    ),
    // SETTINGS.
    frames("100 streams in place of 1000", FEW, &["setting-streams-after-token"], |frame| {
        set(frame, 3, 1000, 100)
    }),
    frames("1000 streams from the start", FEW, &["setting-streams-before-token"], |frame| {
        set(frame, 3, 1, 1000)
    }),
    frames("a larger table of HPACK", HEADERS, &["setting-header-table-size"], |frame| {
        set(frame, 1, 4096, 8192)
    }),
    frames("larger lists of headers", HEADERS, &["setting-max-header-list-size"], |frame| {
        set(frame, 6, 8000, 16_000)
    }),
    silences(
        "SETTINGS are not acknowledged",
        &["connections", "settings"],
        &["connection-settings-ack"],
        |frame| frame.kind != SETTINGS || frame.flags & ACK == 0,
    ),
    // How a connection lives and ends.
    frames("no GOAWAY", &["connections"], &["connection-begins-with-*"], |frame| frame.kind != GOAWAY),
    frames("GOAWAY with NO_ERROR", &["connections"], &["connection-begins-with-*"], |frame| {
        if frame.kind == GOAWAY {
            frame.payload[4..8].fill(0);
        }
        true
    }),
    frames(
        "refused streams are cancelled",
        &["streams"],
        &["stream-second-before-token", "stream-second-after-bad-token", "stream-thousand-and-one"],
        |frame| {
            if frame.kind == RST_STREAM && frame.payload[3] == 7 {
                frame.payload[3] = 8;
            }
            true
        },
    ),
    silences(
        "malformed requests are not reset",
        &["streams"],
        &["stream-malformed-*", "stream-too-large-fields", "stream-data-behind-reset"],
        |frame| frame.kind != RST_STREAM || frame.payload[3] != 1,
    ),
    silences(
        "PING is answered with other bytes",
        &["connections"],
        &["connection-ping", "connection-ping-before-token"],
        |frame| {
            if frame.kind == PING {
                frame.payload[0] ^= 1;
            }
            true
        },
    ),
    silences("no window for the connection", &["connections"], &["connection-window"], |frame| {
        frame.kind != WINDOW_UPDATE || frame.stream != 0
    }),
];

/// Gives a setting another value where it has this one.
fn set(frame: &mut Frame, identifier: u8, from: u32, to: u32) -> bool {
    if frame.kind == SETTINGS {
        for parameter in frame.payload.chunks_exact_mut(6) {
            if parameter[1] == identifier && parameter[2..] == from.to_be_bytes() {
                parameter[2..].copy_from_slice(&to.to_be_bytes());
            }
        }
    }
    true
}
