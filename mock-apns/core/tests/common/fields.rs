//! Fields of requests as a generator makes them up.

use proptest::prelude::*;

/// A field that the rules read, with a value that is nonsense, nearly right, or right, if perhaps not for this field.
pub(crate) fn field() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    (name(), value())
}

/// The name of a field that the rules read, or of one that they do not.
pub(crate) fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        ":method",
        ":path",
        ":authority",
        "host",
        "authorization",
        "apns-topic",
        "apns-push-type",
        "apns-id",
        "apns-expiration",
        "apns-priority",
        "apns-collapse-id",
        "x-other",
    ])
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        ".{0,80}",
        "[0-9a-fA-F./ -]{0,250}",
        "bearer [A-Za-z0-9_=.-]{0,90}",
        "bearer [A-Za-z0-9_-]{0,90}\\.[A-Za-z0-9_-]{0,90}\\.[A-Za-z0-9_-]{0,90}",
        "/3/device/[0-9a-f]{0,210}",
    ];
    let right = prop::sample::select(vec![
        "",
        "0",
        "5",
        "10",
        "alert",
        "voip",
        "background",
        "com.example.app",
        "com.example.app.voip",
        "com.example.second",
        "/3/device/80ff",
        "api.push.apple.com",
        "GET",
    ]);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        4 => text.prop_map(String::into_bytes),
        2 => right.prop_map(|value| value.as_bytes().to_vec()),
    ]
}
