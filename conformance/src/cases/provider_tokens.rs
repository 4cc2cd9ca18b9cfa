//! Provider tokens: each way to be good, each way not to be, and what they make of a connection.

use crate::{Case, Iat, Jwt, Request, Signature};

const TAG: &str = "provider-tokens";
const INVALID: &str = "InvalidProviderToken";
const EXPIRED: &str = "ExpiredProviderToken";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(invalid());
    cases.extend(ages());
    cases.extend(on_one_connection());
    cases.extend(keys());
    cases
}

fn case(id: &str, title: &str, rows: &[&str]) -> Case {
    Case::new(TAG, format!("provider-token-{id}"), title).rests_on(rows)
}

fn by(jwt: Jwt) -> Request {
    Request::good().signed(jwt)
}

fn accepted() -> Vec<Case> {
    let jwt = Jwt::default;
    [
        ("raw-signature", "a signature as in RFC 7518", "rule-token-signature-raw", jwt()),
        (
            "der-signature",
            "a signature in DER",
            "rule-token-signature-der",
            Jwt { signature: Signature::Der, ..jwt() },
        ),
        ("typ", "typ JWT", "rule-token-typ", Jwt { more_header: r#","typ":"JWT""#, ..jwt() }),
        (
            "extra-header",
            "an unknown member of the header",
            "rule-token-typ",
            Jwt { more_header: r#","x":[1]"#, ..jwt() },
        ),
        (
            "extra-claims",
            "unknown claims",
            "rule-token-extra-claims",
            Jwt { more_claims: r#","exp":1,"kid":"x""#, ..jwt() },
        ),
        ("string-iat", "iat as a string", "rule-token-iat-string", Jwt { iat: Iat::StringAgo(0), ..jwt() }),
        ("padded", "padded base64", "rule-token-padded-base64", Jwt { padded: true, ..jwt() }),
    ]
    .map(|(id, what, row, jwt)| {
        let case = case(id, &format!("{what} is accepted"), &[row]).accepted(by(jwt));
        match row {
            "rule-token-iat-string" => case.rests_on(&["check-iat-is-a-number"]),
            "rule-token-padded-base64" => {
                case.tagged("unsure").rests_on(&["check-provider-token-is-base64url"])
            }
            _ => case,
        }
    })
    .to_vec()
}

fn invalid() -> Vec<Case> {
    let jwt = Jwt::default;
    let alg = |alg| Jwt { alg, ..jwt() };
    let signed = |signature| Jwt { signature, ..jwt() };
    let of = |row: &'static str, check: &'static str| [row, check, "reason-invalid-provider-token"];
    let (readable, es256) = (
        of("rule-token-readable", "check-provider-token-is-readable"),
        of("rule-token-alg-es256", "check-provider-token-is-es256"),
    );
    let signature = of("rule-token-signature", "check-signature-is-good");
    let (kid, iss) =
        (of("rule-token-kid", "check-key-is-known"), of("rule-token-iss", "check-team-is-known"));
    let wrong = [
        ("alg-hs256", "HS256", es256, alg(Some("\"HS256\""))),
        ("alg-es384", "ES384", es256, alg(Some("\"ES384\""))),
        ("alg-rs256", "RS256", es256, alg(Some("\"RS256\""))),
        ("alg-none", "none", es256, Jwt { alg: Some("\"none\""), signature: Signature::Empty, ..jwt() }),
        ("alg-lower-case", "es256 in lower case", es256, alg(Some("\"es256\""))),
        ("alg-absent", "no alg", readable, alg(None)),
        ("alg-number", "alg that is a number", readable, alg(Some("256"))),
        ("kid-unknown", "a kid of no key", kid, Jwt { kid: Some("NOSUCHKEY0"), ..jwt() }),
        ("kid-absent", "no kid", readable, Jwt { kid: Some(""), ..jwt() }),
        ("kid-short", "a kid that is too short", kid, Jwt { kid: Some("ABC"), ..jwt() }),
        ("iss-unknown", "an iss of no team", iss, Jwt { iss: Some("NOSUCHTEAM"), ..jwt() }),
        ("iss-absent", "no iss", readable, Jwt { iss: Some(""), ..jwt() }),
        ("iss-bundle-id", "a bundle ID as iss", iss, Jwt { iss: Some("com.example.app"), ..jwt() }),
        ("iat-absent", "no iat", readable, Jwt { iat: Iat::Absent, ..jwt() }),
        ("iat-null", "iat that is null", readable, Jwt { iat: Iat::Json("null"), ..jwt() }),
        (
            "iat-date",
            "iat that is a date",
            readable,
            Jwt { iat: Iat::Json("\"2026-01-01T00:00:00Z\""), ..jwt() },
        ),
        ("signature-stranger", "the signature of another key", signature, signed(Signature::Stranger)),
        ("signature-cut", "a signature that was cut", signature, signed(Signature::Cut)),
        ("signature-flipped", "a signature with one bit changed", signature, signed(Signature::Flipped)),
        ("signature-empty", "no signature", signature, signed(Signature::Empty)),
    ];
    let texts = [
        ("text", "a token that is a word", "bearer nonsense"),
        ("two-parts", "a token of two parts", "bearer e30.e30"),
        ("four-parts", "a token of four parts", "bearer {jwt}.e30"),
        ("empty-json", "a token of empty dictionaries", "bearer e30.e30.e30"),
        ("no-base64", "a token that is not base64", "bearer !.!.!"),
    ];
    let wrong = wrong.map(|(id, what, rows, jwt)| refusal(id, what, &rows).refused(by(jwt), 403, INVALID));
    let texts = texts.map(|(id, what, value)| {
        refusal(id, what, &readable).refused(Request::good().with("authorization", value), 403, INVALID)
    });
    wrong.into_iter().chain(texts).collect()
}

fn refusal(id: &str, what: &str, rows: &[&str]) -> Case {
    case(id, &format!("{what} is {INVALID}"), rows)
}

/// A minute off each limit, so that no clock has to be right to the second.
fn ages() -> Vec<Case> {
    let of = |seconds| by(Jwt { iat: Iat::Ago(seconds), ..Jwt::default() });
    let age = ["rule-token-age", "limit-provider-token-age"];
    let too_old = [
        "rule-token-age",
        "limit-provider-token-age",
        "reason-expired-provider-token",
        "check-provider-token-is-recent",
    ];
    let future = ["rule-token-future", "check-provider-token-is-not-from-the-future"];
    vec![
        case("half-an-hour-old", "a token of half an hour ago is accepted", &age).accepted(of(1800)),
        case("nearly-an-hour-old", "a token of 59 minutes ago is accepted", &age).accepted(of(3540)),
        case("over-an-hour-old", "a token of 61 minutes ago is expired", &too_old).refused(
            of(3660),
            403,
            EXPIRED,
        ),
        case("a-year-old", "a token of a year ago is expired", &too_old).refused(
            of(31_536_000),
            403,
            EXPIRED,
        ),
        case("of-1970", "a token of 1970 is expired", &too_old).refused(
            by(Jwt { iat: Iat::Json("0"), ..Jwt::default() }),
            403,
            EXPIRED,
        ),
        case("slightly-ahead", "a token of 20 seconds ahead is accepted", &future)
            .tagged("unsure")
            .accepted(of(-20)),
        case("ahead", "a token of two minutes ahead is expired", &future).tagged("unsure").refused(
            of(-120),
            403,
            EXPIRED,
        ),
        case("in-milliseconds", "iat in milliseconds is expired", &future).tagged("unsure").refused(
            by(Jwt { iat: Iat::Milliseconds, ..Jwt::default() }),
            403,
            EXPIRED,
        ),
    ]
}

fn on_one_connection() -> Vec<Case> {
    const TOO_MANY: &str = "TooManyProviderTokenUpdates";
    let of = |seconds| by(Jwt { iat: Iat::Ago(seconds), ..Jwt::default() });
    let updates = [
        "rule-token-updates",
        "limit-provider-token-update-window",
        "reason-too-many-provider-token-updates",
        "check-provider-token-changes-seldom",
    ];
    let stranger = || by(Jwt { signature: Signature::Stranger, ..Jwt::default() });
    let pardon = ["rule-token-no-pardon"];
    vec![
        case("one-update", "a token may change once", &updates).accepted(of(9)).accepted(of(6)),
        case("two-updates", "a token that changes twice is refused", &updates)
            .accepted(of(9))
            .accepted(of(6))
            .refused(of(3), 429, TOO_MANY),
        case("refused-update", "the token before a refused one goes on working", &updates)
            .accepted(of(9))
            .accepted(of(6))
            .refused(of(3), 429, TOO_MANY)
            .accepted(of(6)),
        case("bad-then-good", "a good token behind a bad one is accepted", &pardon)
            .refused(stranger(), 403, INVALID)
            .accepted(Request::good()),
        case("good-then-bad", "a bad token behind a good one is refused", &pardon)
            .accepted(Request::good())
            .refused(stranger(), 403, INVALID),
        case(
            "good-then-none",
            "each push has to have its token",
            &["reason-missing-provider-token", "check-provider-token-is-present"],
        )
        .accepted(Request::good())
        .refused(Request::good().without("authorization"), 403, "MissingProviderToken"),
        case(
            "second-team",
            "a second team on a connection is refused",
            &["rule-token-second-team", "check-team-is-the-connections"],
        )
        .tagged("unsure")
        .accepted(Request::good())
        .refused(by(Jwt { key: "other-team", ..Jwt::default() }), 403, INVALID),
        case(
            "unrelated-key",
            "an unrelated key on a connection is refused",
            &["rule-token-unrelated-key", "reason-unrelated-key-id-in-token", "check-key-is-related"],
        )
        .accepted(Request::good())
        .refused(by(Jwt { key: "topic-specific", ..Jwt::default() }), 403, "UnrelatedKeyIdInToken"),
        case(
            "of-other-connections",
            "the token of all other connections of a run is good on this one",
            &["rule-token-many-connections"],
        )
        .accepted(Request::good()),
        case("two-topics", "one token is good for two apps", &["rule-token-many-topics"])
            .accepted(Request::good())
            .accepted(Request::good().to("other-topic").with("apns-topic", "{topic:other}")),
    ]
}

fn keys() -> Vec<Case> {
    let of = |key| by(Jwt { key, ..Jwt::default() });
    let topics = ["rule-token-key-topics", "reason-topic-disallowed", "check-topic-is-allowed"];
    vec![
        case(
            "team-scoped-key",
            "a key for this environment alone is accepted",
            &["rule-token-key-environment"],
        )
        .accepted(of("this-environment")),
        case(
            "key-of-other-environment",
            "a key for the other environment is refused",
            &[
                "rule-token-key-environment",
                "reason-bad-environment-key-in-token",
                "check-key-fits-environment",
            ],
        )
        .refused(of("other-environment"), 403, "BadEnvironmentKeyInToken"),
        case("topic-specific-key", "a key for this app alone is accepted", &topics)
            .accepted(of("topic-specific")),
        case("topic-specific-key-of-other-app", "a key for another app is refused", &topics)
            .tagged("unsure")
            .refused(
                of("topic-specific").to("other-topic").with("apns-topic", "{topic:other}"),
                400,
                "TopicDisallowed",
            ),
        case(
            "revoked-key",
            "a revoked key is refused",
            &["rule-token-revoked-key", "check-key-is-not-revoked"],
        )
        .tagged("unsure")
        .refused(of("revoked"), 403, INVALID),
        case(
            "key-of-other-team",
            "another team's app is not to be pushed to",
            &["reason-topic-disallowed", "check-topic-is-allowed"],
        )
        .refused(of("other-team"), 400, "TopicDisallowed"),
    ]
}
