//! What an answer tells of clock, credential, environment, topic and device token. Pure.

use apns_provider_core::{ClockSkew, Reason, ServerClock, UnixTime};

use super::{
    conversation::{Heard, Lost},
    step::{Step, Subject},
};

/// What was asked, as far as the answer's meaning depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Whether a provider token was sent, and no certificate.
    pub(super) by_token: bool,
    /// Whether the device token is one of a device, and not made up.
    pub(super) real_device: bool,
    /// When the answer came, by this machine's clock.
    pub(super) now: UnixTime,
}

/// The steps from the answer on.
pub(super) fn judge(asked: Asked, heard: &Result<Heard, Lost>) -> Vec<Step> {
    match heard {
        Ok(heard) => of_answer(asked, heard),
        Err(Lost::GoAway(Some(reason))) => {
            let says = format!("GOAWAY with the reason {reason}");
            match blamed(reason) {
                Some(subject) => vec![
                    Step::ok(Subject::Answer, says),
                    Step::failed(subject, meaning(reason), reason.likely_causes()),
                ],
                None => vec![Step::failed(Subject::Answer, says, reason.likely_causes())],
            }
        }
        Err(Lost::GoAway(None)) => {
            let says = "GOAWAY without a reason, and no answer";
            vec![Step::failed(
                Subject::Answer,
                says,
                &["The server is leaving, or something between ends connections."],
            )]
        }
        Err(Lost::Alert(alert)) => {
            let causes = [
                "The certificate has expired, was revoked or is not Apple's: make a new one.",
                "It is for something else than push notifications.",
            ];
            vec![Step::failed(
                Subject::Credential,
                format!("the server answered TLS with the alert {alert}"),
                &causes,
            )]
        }
        Err(Lost::Silence) => {
            let causes = [
                "The server or the network is overloaded: try again.",
                "A proxy or firewall holds back HTTP/2.",
            ];
            vec![Step::failed(Subject::Answer, "none came in time", &causes)]
        }
        Err(Lost::Trouble(why)) => {
            let causes = ["The network or a proxy ended the connection: try again, then without the proxy."];
            vec![Step::failed(Subject::Answer, why, &causes)]
        }
    }
}

fn of_answer(asked: Asked, heard: &Heard) -> Vec<Step> {
    let status = heard.status.unwrap_or_default();
    let reason = heard.reason.as_ref();
    let said = reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
    let accepted = status == ACCEPTED;
    let subject = reason.and_then(blamed);
    let mut steps = vec![clock(asked, heard)];
    if !accepted && subject.is_none() {
        let causes = match reason.map_or(&[][..], Reason::likely_causes) {
            [] if status >= FAILING => {
                &["The service, or something before it, is in trouble: try again later."]
            }
            [] => &["This reason is not known here: look for it in Apple's table of reasons."],
            causes => causes,
        };
        let meaning = reason.map_or_else(String::new, |reason| format!(": {}", meaning(reason)));
        steps.push(Step::failed(Subject::Answer, format!("{said}{meaning}"), causes));
        return steps;
    }
    steps.push(Step::ok(Subject::Answer, said));
    for step in CHECKED_IN_ORDER {
        let Some(reason) = reason.filter(|_| subject == Some(step)) else {
            steps.push(passed(asked, step));
            continue;
        };
        if step == Subject::DeviceToken && !asked.real_device {
            steps.push(Step::skipped(step, "a made-up one was used: give a device's to have it checked"));
        } else {
            steps.push(Step::failed(step, meaning(reason), reason.likely_causes()));
        }
        break;
    }
    steps
}

/// APNs was seen to look at the credential before all else, and topic before device token is the order that a
/// service can be expected to have: what comes before the one that is blamed is in order.
const CHECKED_IN_ORDER: [Subject; 4] =
    [Subject::Credential, Subject::Environment, Subject::PushTopic, Subject::DeviceToken];

fn passed(asked: Asked, subject: Subject) -> Step {
    let says = match subject {
        Subject::PushTopic if !asked.real_device => {
            "not refused; whether APNs looks at it before a made-up device token is documented nowhere"
        }
        Subject::Credential if asked.by_token => "the provider token was accepted",
        Subject::Credential => "the certificate was accepted",
        Subject::Environment => "the credential is for this environment",
        Subject::PushTopic => "the credential may push to this topic",
        _ => "it belongs to this topic and environment",
    };
    Step::ok(subject, says)
}

/// The `date` of the answer is the server's clock; without one the provider token's fate tells.
fn clock(asked: Asked, heard: &Heard) -> Step {
    let causes = [
        "Time synchronisation (NTP) is off on this machine, or in its container's host: turn it on.",
        "The machine was suspended: its clock is set again after a while.",
    ];
    let expired = heard.reason == Some(Reason::ExpiredProviderToken);
    if let Some(date) = heard.date {
        let (behind, ahead) = (date.saturating_since(asked.now), asked.now.saturating_since(date));
        let skew = if behind > ahead { ClockSkew::Behind(behind) } else { ClockSkew::Ahead(ahead) };
        let told = skew.to_string();
        return if behind.max(ahead) > ServerClock::TOLERANCE {
            Step::failed(Subject::Clock, told, &causes)
        } else if expired {
            Step::failed(Subject::Clock, "the clock is right, and the provider token was too old", &[])
        } else {
            Step::ok(Subject::Clock, told)
        };
    }
    if expired {
        return Step::failed(Subject::Clock, meaning(&Reason::ExpiredProviderToken), &causes);
    }
    let token_was_read =
        asked.by_token && heard.reason.as_ref().and_then(blamed) != Some(Subject::Credential);
    if token_was_read && heard.status.is_some_and(|status| status < FAILING) {
        return Step::ok(Subject::Clock, "right enough for the provider token, whose age was accepted");
    }
    Step::skipped(Subject::Clock, "the answer has no date")
}

/// What a reason speaks against; nothing for what is about the request or the service.
fn blamed(reason: &Reason) -> Option<Subject> {
    match reason {
        Reason::BadCertificate
        | Reason::ExpiredProviderToken
        | Reason::Forbidden
        | Reason::InvalidProviderToken
        | Reason::MissingProviderToken
        | Reason::TooManyProviderTokenUpdates
        | Reason::UnrelatedKeyIdInToken => Some(Subject::Credential),
        Reason::BadCertificateEnvironment
        | Reason::BadEnvironmentKeyIdInToken
        | Reason::BadEnvironmentKeyInToken => Some(Subject::Environment),
        Reason::BadTopic
        | Reason::DeviceTokenNotForTopic
        | Reason::MissingTopic
        | Reason::TopicDisallowed => Some(Subject::PushTopic),
        Reason::BadDeviceToken | Reason::ExpiredToken | Reason::Unregistered => Some(Subject::DeviceToken),
        _ => None,
    }
}

fn meaning(reason: &Reason) -> String {
    match reason.meaning() {
        Some(meaning) => format!("{reason}: {meaning}"),
        None => reason.to_string(),
    }
}

/// The one status that means acceptance.
const ACCEPTED: u16 = 200;
/// From here on the service has failed, and nothing else is known.
const FAILING: u16 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::step::Verdict;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
    const ASKED: Asked = Asked { by_token: true, real_device: true, now: NOW };

    fn heard(status: u16, reason: &str) -> Heard {
        let reason = (!reason.is_empty()).then(|| Reason::from_wire(reason));
        Heard { status: Some(status), reason, ..Heard::default() }
    }

    fn verdicts(asked: Asked, heard: &Result<Heard, Lost>) -> Vec<(Subject, Verdict)> {
        let mut steps = judge(asked, heard);
        steps.sort_by_key(|step| step.subject);
        steps.iter().map(|step| (step.subject, step.verdict)).collect()
    }

    #[test]
    fn each_answer_blames_one_thing_and_clears_what_is_looked_at_before_it() {
        use Subject::{Answer, Clock, Credential, DeviceToken, Environment, PushTopic};
        use Verdict::{Failed, Ok as Fine, Skipped};
        let fine =
            [(Answer, Fine), (Clock, Fine), (Credential, Fine), (Environment, Fine), (PushTopic, Fine)];
        let with = |count: usize, last: (Subject, Verdict)| [&fine[..count], &[last]].concat();
        for (status, reason, expected) in [
            (200, "", with(5, (DeviceToken, Fine))),
            (400, "BadDeviceToken", with(5, (DeviceToken, Failed))),
            (410, "Unregistered", with(5, (DeviceToken, Failed))),
            (400, "TopicDisallowed", with(4, (PushTopic, Failed))),
            (400, "DeviceTokenNotForTopic", with(4, (PushTopic, Failed))),
            (403, "BadEnvironmentKeyIdInToken", with(3, (Environment, Failed))),
            (403, "InvalidProviderToken", vec![(Answer, Fine), (Clock, Skipped), (Credential, Failed)]),
            (403, "ExpiredProviderToken", vec![(Answer, Fine), (Clock, Failed), (Credential, Failed)]),
            (503, "ServiceUnavailable", vec![(Answer, Failed), (Clock, Skipped)]),
            (503, "", vec![(Answer, Failed), (Clock, Skipped)]),
            (400, "BrandNew2027", vec![(Answer, Failed), (Clock, Fine)]),
        ] {
            assert_eq!(verdicts(ASKED, &Ok(heard(status, reason))), expected, "{status} {reason}");
        }
    }

    #[test]
    fn a_made_up_device_token_that_is_refused_means_that_all_else_is_well() {
        let asked = Asked { real_device: false, ..ASKED };
        let steps = judge(asked, &Ok(heard(400, "BadDeviceToken")));
        assert!(steps.iter().all(|step| step.verdict != Verdict::Failed), "{steps:?}");
        let last = steps.last().unwrap();
        assert_eq!((last.subject, last.verdict), (Subject::DeviceToken, Verdict::Skipped));
    }

    #[test]
    fn the_servers_date_tells_the_clock() {
        let clock = |date: u64| {
            let heard = Heard { date: Some(UnixTime::from_secs(date)), ..heard(200, "") };
            judge(ASKED, &Ok(heard)).remove(0)
        };
        let now = NOW.as_secs();
        assert_eq!(clock(now + 59).verdict, Verdict::Ok);
        let late = clock(now + 90);
        assert_eq!((late.verdict, late.says.as_str()), (Verdict::Failed, "90 s behind the server's"));
        assert_eq!(clock(now - 7200).says, "120 min ahead of the server's");
    }

    #[test]
    fn without_an_answer_the_last_word_tells() {
        let goaway = |reason: &str| Err(Lost::GoAway(Some(Reason::from_wire(reason))));
        let step = |heard| {
            let steps = verdicts(Asked { by_token: false, ..ASKED }, &heard);
            *steps.last().unwrap()
        };
        assert_eq!(step(goaway("BadCertificateEnvironment")), (Subject::Environment, Verdict::Failed));
        assert_eq!(step(goaway("Shutdown")), (Subject::Answer, Verdict::Failed));
        assert_eq!(
            step(Err(Lost::Alert("CertificateExpired".into()))),
            (Subject::Credential, Verdict::Failed)
        );
        assert_eq!(step(Err(Lost::Silence)), (Subject::Answer, Verdict::Failed));
    }

    #[test]
    fn what_fails_says_what_to_do() {
        for reason in Reason::known() {
            let steps = judge(ASKED, &Ok(heard(reason.documented_status().unwrap(), reason.as_str())));
            let failed: Vec<&Step> = steps.iter().filter(|step| step.verdict == Verdict::Failed).collect();
            assert!(failed.iter().any(|step| !step.causes.is_empty()), "{reason}: {steps:?}");
        }
        for (status, reason) in [(502, ""), (400, "BrandNew2027"), (418, "")] {
            let steps = judge(ASKED, &Ok(heard(status, reason)));
            assert!(steps.iter().any(|step| !step.causes.is_empty()), "{status}: {steps:?}");
        }
    }
}
