//! The syntax of APNs' own fields.

use super::{Checking, Group, Rule, Subject, Verdict};
use crate::{CollapseId, Expiration, FieldName, MessageId, Priority, PushType, Reason};

const REQUEST_PAGE: &str = "Apple, \"Sending notification requests to APNs\"";
const RESPONSE_PAGE: &str = "Apple, \"Handling notification responses from APNs\"";

/// Judged once the credentials are: a repeated `authorization` counts by its first value until here.
pub(super) const HEADERS_ARE_SINGLE: Rule = Rule {
    id: "headers-are-single",
    group: Group::Headers,
    title: "Neither authorization nor a header of APNs' own is repeated.",
    reason: Reason::DuplicateHeaders,
    source: RESPONSE_PAGE,
    usual_mistake: "A client adds its default header to one that the caller has set.",
    builds_on: &[],
    looks_at: Subject::RepeatedField,
    check: |checking| Verdict::require(checking.input.request.repeated().is_none()),
};

/// Documented in lower case; upper case is what APNs itself makes up, so both are taken.
pub(super) const APNS_ID_IS_A_UUID: Rule = Rule {
    id: "apns-id-is-a-uuid",
    group: Group::Headers,
    title: "apns-id, where present, is a UUID of 8-4-4-4-12 hexadecimal digits.",
    reason: Reason::BadMessageId,
    source: REQUEST_PAGE,
    usual_mistake: "A database key or a UUID without hyphens is sent.",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::ApnsId),
    check: |checking| valid_where_present(checking, FieldName::ApnsId, MessageId::parse),
};

/// A past time is no error: the push expires at once.
pub(super) const EXPIRATION_IS_A_TIME: Rule = Rule {
    id: "expiration-is-a-time",
    group: Group::Headers,
    title: "apns-expiration, where present, is Unix seconds in digits.",
    reason: Reason::BadExpirationDate,
    source: REQUEST_PAGE,
    usual_mistake: "An ISO date, a fraction, or a negative lifetime is sent.",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::ApnsExpiration),
    check: |checking| valid_where_present(checking, FieldName::ApnsExpiration, Expiration::parse),
};

/// Three priorities exist.
pub(super) const PRIORITY_IS_ALLOWED: Rule = Rule {
    id: "priority-is-allowed",
    group: Group::Headers,
    title: "apns-priority, where present, is 10, 5 or 1.",
    reason: Reason::BadPriority,
    source: REQUEST_PAGE,
    usual_mistake: "FCM's \"high\" or \"normal\" is passed on.",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::ApnsPriority),
    check: |checking| valid_where_present(checking, FieldName::ApnsPriority, Priority::parse),
};

/// The limit counts bytes.
pub(super) const COLLAPSE_ID_IS_SHORT: Rule = Rule {
    id: "collapse-id-is-short",
    group: Group::Headers,
    title: "apns-collapse-id, where present, is at most 64 bytes.",
    reason: Reason::BadCollapseId,
    source: REQUEST_PAGE,
    usual_mistake: "A URL, or text of 64 characters that are more bytes, is sent.",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::ApnsCollapseId),
    check: |checking| valid_where_present(checking, FieldName::ApnsCollapseId, CollapseId::parse),
};

/// A push without it is accepted: many shipped clients send none.
pub(super) const PUSH_TYPE_IS_KNOWN: Rule = Rule {
    id: "push-type-is-known",
    group: Group::Headers,
    title: "apns-push-type, where present, is one of the documented types.",
    reason: Reason::InvalidPushType,
    source: REQUEST_PAGE,
    usual_mistake: "The type is capitalised, or one of another service's, such as \"silent\".",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::ApnsPushType),
    check: |checking| match checking.input.request.get(FieldName::ApnsPushType) {
        Some(value) => {
            checking.push_type = PushType::parse(value);
            Verdict::require(checking.push_type.is_some())
        }
        None => Verdict::Pass,
    },
};

/// Only a priority that is written down is judged: scripts that send a background push without one, and so mean 10,
/// report success.
pub(super) const PRIORITY_FITS_PUSH_TYPE: Rule = Rule {
    id: "priority-fits-push-type",
    group: Group::Headers,
    title: "A background push does not ask for priority 10, or the setting background-priority-10 accepts it.",
    reason: Reason::BadPriority,
    source: REQUEST_PAGE,
    usual_mistake: "A client's default priority is 10 for every push type.",
    builds_on: &[&PRIORITY_IS_ALLOWED, &PUSH_TYPE_IS_KNOWN],
    looks_at: Subject::PriorityAndPushType,
    check: |checking| {
        let refused = checking.push_type.and_then(PushType::refused_priority);
        let asked = checking.input.request.get(FieldName::ApnsPriority).and_then(Priority::parse);
        match (asked, refused) {
            (Some(asked), Some(refused)) if asked == refused => {
                checking.settings().background_priority_10.into()
            }
            _ => Verdict::Pass,
        }
    },
};

fn valid_where_present<'a, T>(
    checking: &Checking<'a>,
    name: FieldName,
    parse: impl Fn(&'a [u8]) -> Option<T>,
) -> Verdict {
    Verdict::require(checking.input.request.get(name).is_none_or(|value| parse(value).is_some()))
}

#[cfg(test)]
mod tests {
    use crate::{Reason, bench::Bench};

    /// What is answered to a push with this field.
    fn reason(name: &str, value: &str) -> Option<Reason> {
        let mut bench = Bench::new();
        let push = bench.push().with(name, value);
        bench.reason(&push)
    }

    #[test]
    fn headers_are_single() {
        let mut bench = Bench::new();
        for (name, value) in [("apns-priority", "10"), ("apns-topic", "com.example.app"), ("apns-id", "")] {
            let push = bench.push().with(name, value).and(name, value);
            assert_eq!(bench.reason(&push), Some(Reason::DuplicateHeaders), "{name}");
        }
        let token = bench.push().value("authorization");
        let push = bench.push().and("authorization", &token);
        assert_eq!(bench.reason(&push), Some(Reason::DuplicateHeaders));
        let push = bench.push().and("x-trace", "1").and("x-trace", "2");
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn apns_id_is_a_uuid() {
        assert_eq!(reason("apns-id", "123E4567-e89b-12d3-a456-42665544000f"), None);
        for value in ["", "42", "123e4567e89b12d3a45642665544000f"] {
            assert_eq!(reason("apns-id", value), Some(Reason::BadMessageId), "{value}");
        }
    }

    #[test]
    fn expiration_is_a_time() {
        for value in ["0", "1", "1900000000"] {
            assert_eq!(reason("apns-expiration", value), None, "{value}");
        }
        for value in ["", "-1", "1.5", "2030-01-01"] {
            assert_eq!(reason("apns-expiration", value), Some(Reason::BadExpirationDate), "{value}");
        }
    }

    #[test]
    fn priority_is_allowed() {
        for value in ["10", "5", "1"] {
            assert_eq!(reason("apns-priority", value), None, "{value}");
        }
        for value in ["", "0", "7", "11", "high"] {
            assert_eq!(reason("apns-priority", value), Some(Reason::BadPriority), "{value}");
        }
    }

    #[test]
    fn collapse_id_is_short() {
        assert_eq!(reason("apns-collapse-id", ""), None);
        assert_eq!(reason("apns-collapse-id", &"a".repeat(64)), None);
        assert_eq!(reason("apns-collapse-id", &"a".repeat(65)), Some(Reason::BadCollapseId));
    }

    #[test]
    fn push_type_is_known() {
        assert_eq!(reason("apns-push-type", "background"), None);
        for value in ["", "Alert", "silent"] {
            assert_eq!(reason("apns-push-type", value), Some(Reason::InvalidPushType), "{value}");
        }
        let mut bench = Bench::new();
        let push = bench.push().without("apns-push-type");
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn priority_fits_push_type() {
        let mut lenient = Bench::new();
        let mut strict = Bench::with_setting("background-priority-10", "BadPriority");
        let background = lenient.push().with("apns-push-type", "background");
        let immediate = background.clone().with("apns-priority", "10");
        assert_eq!(lenient.reason(&immediate), None);
        assert_eq!(strict.reason(&immediate), Some(Reason::BadPriority));
        assert_eq!(strict.reason(&background), None);
        assert_eq!(strict.reason(&background.clone().with("apns-priority", "5")), None);
        assert_eq!(strict.reason(&strict.push().with("apns-priority", "10")), None);
    }
}
