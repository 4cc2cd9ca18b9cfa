//! Limits of what is in a path, and the hosts that are meant by `:authority`.

use crate::{Case, Request};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        bad_token("one-digit", "a", "a device token of one digit"),
        bad_token("odd", "abc", "a device token with an odd number of digits"),
        bad_token("no-hex", "zz", "a device token that is not hexadecimal"),
        bad_token("prefixed", "0xff00", "a device token with 0x before it"),
        bad_token("angle-brackets", "<00ff>", "a device token as an old NSData description"),
        bad_token("query", "00ff?topic=a", "a device token with a query behind it"),
        bad_token("unknown", &"0".repeat(64), "a device token that nobody has given out"),
        bad_token("at-limit", &"00".repeat(100), "an unknown device token of 100 bytes"),
        bad_token("over-limit", &"00".repeat(101), "a device token of 101 bytes"),
        bad_token("cut", "{token}00", "a device token with a byte too many"),
    ];
    cases.push(
        Case::new(
            "device-tokens",
            "device-token-of-other-environment",
            "a device token of the other environment",
        )
        .rests_on(&["reason-bad-device-token", "check-device-token-fits-environment"])
        .refused(Request::good().to("other-environment"), 400, "BadDeviceToken"),
    );
    cases.extend(["host-api", "host-api-sandbox", "host-api-development"].map(host));
    cases
}

fn bad_token(id: &str, token: &str, title: &str) -> Case {
    Case::new("device-tokens", format!("device-token-{id}"), format!("{title} is BadDeviceToken"))
        .rests_on(&[
            "limit-device-token",
            "reason-bad-device-token",
            "check-device-token-is-hex",
            "check-device-token-is-known",
        ])
        .refused(Request::good().with(":path", &format!("/3/device/{token}")), 400, "BadDeviceToken")
}

/// A target says which of Apple's hosts its address serves, and gives each a device token.
fn host(row: &'static str) -> Case {
    let request = Request::good().with(":authority", &format!("{{authority:{row}}}")).to(row);
    Case::new(
        "hosts",
        format!("{row}-is-served"),
        format!("a push to the host of {row} is for its environment"),
    )
    .rests_on(&[row])
    .accepted(request)
}
