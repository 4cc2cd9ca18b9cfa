//! The SETTINGS that are announced, and when.

use apns_spec::{Sent, SettingRow, Spec};

use crate::{Case, Expected, Request};

const TAG: &str = "settings";

pub(super) fn cases(spec: &Spec) -> Vec<Case> {
    spec.settings().iter().map(of_row).collect()
}

fn of_row(row: &SettingRow) -> Case {
    let (identifier, value) = (row.identifier(), row.value);
    let case =
        |when| Case::new(TAG, row.id.clone(), format!("{}={value} {when}", row.setting)).rests_on(&[&row.id]);
    let first = Expected::FirstSetting { identifier, value };
    match row.sent {
        Sent::First => case("in the first SETTINGS").expect(first),
        Sent::FirstWithToken => case("in the first SETTINGS without a certificate")
            .rests_on(&["limit-streams-before-token"])
            .expect(first),
        Sent::FirstWithCertificate => {
            case("in the first SETTINGS with a certificate").with_certificate("topic").expect(first)
        }
        Sent::AfterToken => case("before the answer to the first valid provider token")
            .rests_on(&["limit-streams"])
            .accepted(Request::good())
            .expect(Expected::SettingBeforeAnswer { identifier, value, request: 0 }),
    }
}
