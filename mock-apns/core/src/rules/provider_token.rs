//! The provider token: whether it is one, whose it is, and how old.
//!
//! What never changes of a token is judged when its signature is verified, once; what does is judged for each push.

use std::time::Duration;

use super::{Checking, Group, Rule, Subject, Verdict, credentials};
use crate::{Reason, provider_token::ProviderToken, verified_tokens::VerifiedToken};

const TOKEN_PAGE: &str = "Apple, \"Establishing a token-based connection to APNs\"";

/// The rule every other one of a token rests on. A token whose signature was verified before is not read again.
pub(super) const PROVIDER_TOKEN_IS_READABLE: Rule = Rule {
    id: "provider-token-is-readable",
    group: Group::Credentials,
    title: "The provider token is a JWT with alg, kid, iss and iat.",
    reason: Reason::InvalidProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "Team ID and key ID are missing from the configuration.",
    builds_on: &[&credentials::PROVIDER_TOKEN_IS_PRESENT],
    looks_at: Subject::ProviderToken,
    check: provider_token_is_readable,
};

/// Padding and the standard alphabet are a policy: shipped clients write both, and that Apple takes them is not proven.
pub(super) const PROVIDER_TOKEN_IS_BASE64URL: Rule = Rule {
    id: "provider-token-is-base64url",
    group: Group::Credentials,
    title: "The provider token is base64url without padding, or the setting standard-base64 accepts other base64.",
    reason: Reason::InvalidProviderToken,
    source: "RFC 7515, 2; the crates a2 and apns-h2 write padded base64",
    usual_mistake: "The JWT was put together by hand with the standard library's base64.",
    builds_on: &[&PROVIDER_TOKEN_IS_READABLE],
    looks_at: Subject::Base64,
    check: |checking| match &checking.unverified {
        Some(token) if !token.is_base64url => checking.claimed_settings().standard_base64.into(),
        _ => Verdict::Pass,
    },
};

/// ES256 is the only algorithm; an unsigned token is refused alike.
pub(super) const PROVIDER_TOKEN_IS_ES256: Rule = Rule {
    id: "provider-token-is-es256",
    group: Group::Credentials,
    title: "The provider token's alg is ES256.",
    reason: Reason::InvalidProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "The JWT library signed with its default algorithm, often HS256.",
    builds_on: &[&PROVIDER_TOKEN_IS_READABLE],
    looks_at: Subject::Alg,
    check: |checking| Verdict::require(checking.unverified.as_ref().is_none_or(|token| token.is_es256)),
};

/// A string `iat` is a policy: shipped clients send one, and it is not proven that Apple takes it.
pub(super) const IAT_IS_A_NUMBER: Rule = Rule {
    id: "iat-is-a-number",
    group: Group::Credentials,
    title: "The provider token's iat is a number, or the setting string-iat accepts a string.",
    reason: Reason::InvalidProviderToken,
    source: "RFC 7519, 4.1.6; the sample token on Apple's page has a string",
    usual_mistake: "The claims were formatted as text.",
    builds_on: &[&PROVIDER_TOKEN_IS_READABLE],
    looks_at: Subject::Iat,
    check: |checking| match &checking.unverified {
        Some(token) if token.iat_is_string => checking.claimed_settings().string_iat.into(),
        _ => Verdict::Pass,
    },
};

/// The issuer is the team.
pub(super) const TEAM_IS_KNOWN: Rule = Rule {
    id: "team-is-known",
    group: Group::Credentials,
    title: "The provider token's iss is a team.",
    reason: Reason::InvalidProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "iss is the bundle ID or the key ID and not the team ID.",
    builds_on: &[&PROVIDER_TOKEN_IS_READABLE],
    looks_at: Subject::Iss,
    check: |checking| {
        let team = |token: &ProviderToken<'_>| checking.input.teams.index_of(token.team_id).is_some();
        Verdict::require(checking.unverified.as_ref().is_none_or(team))
    },
};

/// The key must be of the very team that `iss` names.
pub(super) const KEY_IS_KNOWN: Rule = Rule {
    id: "key-is-known",
    group: Group::Credentials,
    title: "The provider token's kid is a key of the team.",
    reason: Reason::InvalidProviderToken,
    source: "Apple, \"Handling notification responses from APNs\"",
    usual_mistake: "kid is of another key, or of another team, than the file that signs.",
    builds_on: &[&TEAM_IS_KNOWN],
    looks_at: Subject::KidAndIss,
    check: |checking| {
        let known = checking.unverified.as_ref().is_none_or(|token| claimed(checking, token).is_some());
        Verdict::require(known)
    },
};

/// Both encodings of a signature are taken: Apple's page on command-line tools signs with DER.
pub(super) const SIGNATURE_IS_GOOD: Rule = Rule {
    id: "signature-is-good",
    group: Group::Credentials,
    title: "The provider token's signature is the key's.",
    reason: Reason::InvalidProviderToken,
    source: "RFC 7518, 3.4; Apple, \"Sending push notifications using command-line tools\"",
    usual_mistake: "kid names another key than the file that signs, or the token was cut short.",
    builds_on: &[&PROVIDER_TOKEN_IS_ES256, &KEY_IS_KNOWN],
    looks_at: Subject::Signature,
    check: signature_is_good,
};

/// Revoking works at once, so it is asked of every push.
pub(super) const KEY_IS_NOT_REVOKED: Rule = Rule {
    id: "key-is-not-revoked",
    group: Group::Credentials,
    title: "The provider token's key is not revoked.",
    reason: Reason::InvalidProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "A key was revoked while a server still signs with it.",
    builds_on: &[&SIGNATURE_IS_GOOD],
    looks_at: Subject::KeyInForce,
    check: |checking| match checking.verified {
        Some(_) => Verdict::require(checking.key().is_some_and(|key| !key.revoked)),
        None => Verdict::Pass,
    },
};

/// Age is judged on arrival, by the service's clock.
pub(super) const PROVIDER_TOKEN_IS_RECENT: Rule = Rule {
    id: "provider-token-is-recent",
    group: Group::Credentials,
    title: "The provider token was issued within the last hour.",
    reason: Reason::ExpiredProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "The token is made once at start and never again, or the clock is behind.",
    builds_on: &[&SIGNATURE_IS_GOOD],
    looks_at: Subject::Age,
    check: |checking| {
        let recent =
            |token: VerifiedToken| checking.now().saturating_since(token.issued_at) <= PROVIDER_TOKEN_AGE_MAX;
        Verdict::require(checking.verified.is_none_or(recent))
    },
};

/// Apple's page asks for an `iat` no more than one hour from the current time, which does not say how far ahead it may
/// be.
pub(super) const PROVIDER_TOKEN_IS_NOT_FROM_THE_FUTURE: Rule = Rule {
    id: "provider-token-is-not-from-the-future",
    group: Group::Credentials,
    title: "The provider token was not issued in the future, beyond the setting future-iat-tolerance.",
    reason: Reason::ExpiredProviderToken,
    source: "Archived \"Communicating with APNs\": not within the last hour; node-apn#450 and #590",
    usual_mistake: "The clock is ahead, or iat is in milliseconds.",
    builds_on: &[&SIGNATURE_IS_GOOD],
    looks_at: Subject::Age,
    check: provider_token_is_not_from_the_future,
};

fn provider_token_is_readable(checking: &mut Checking<'_>) -> Verdict {
    let Some(bearer) = checking.bearer else { return Verdict::Pass };
    let known = checking.input.connection.recall(bearer).or_else(|| checking.tokens.get(bearer));
    // A team that was removed may be there again, with its keys in another place.
    checking.verified = known.filter(|known| checking.input.teams.key(known.key).is_some());
    if checking.verified.is_none() {
        checking.unverified = ProviderToken::parse(bearer);
        return Verdict::require(checking.unverified.is_some());
    }
    Verdict::Pass
}

fn signature_is_good(checking: &mut Checking<'_>) -> Verdict {
    let (Some(bearer), Some(token)) = (checking.bearer, &checking.unverified) else { return Verdict::Pass };
    let verified = claimed(checking, token).filter(|claimed| {
        let key = checking.input.teams.key(claimed.key);
        let verify = |(key, signature)| (checking.input.verify)(key, token.signed, &signature);
        key.map(|key| &key.public_key).zip(token.signature()).is_some_and(verify)
    });
    let Some(verified) = verified else { return Verdict::Refuse };
    checking.verified = Some(verified);
    checking.tokens.insert(bearer, verified);
    Verdict::Pass
}

/// What an unverified token says, if the team and the key that it names exist.
fn claimed(checking: &Checking<'_>, token: &ProviderToken<'_>) -> Option<VerifiedToken> {
    let team = checking.input.teams.index_of(token.team_id)?;
    let key = checking.input.teams.key_index_of(team, token.key_id)?;
    Some(VerifiedToken { key, issued_at: token.issued_at })
}

fn provider_token_is_not_from_the_future(checking: &mut Checking<'_>) -> Verdict {
    let tolerance = Duration::from_secs(checking.settings().future_iat_tolerance.into());
    let latest = checking.now().saturating_add(tolerance);
    match checking.verified {
        Some(token) if token.issued_at > latest => checking.settings().future_iat.into(),
        _ => Verdict::Pass,
    }
}

/// How old a provider token may be.
const PROVIDER_TOKEN_AGE_MAX: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use crate::{
        Reason,
        bench::{Bench, HOUR, Jwt, KEY, NOW, OTHER_TEAM},
    };

    const INVALID: Option<Reason> = Some(Reason::InvalidProviderToken);
    const EXPIRED: Option<Reason> = Some(Reason::ExpiredProviderToken);

    #[test]
    fn provider_token_is_readable() {
        let mut bench = Bench::new();
        for token in ["nonsense", "a.b.c", "e30.e30.e30"] {
            let push = bench.push().with("authorization", &format!("bearer {token}"));
            assert_eq!(bench.reason(&push), INVALID, "{token}");
        }
        let padded = format!("{}===", bench.push().value("authorization"));
        let push = bench.push().with("authorization", &padded);
        assert_eq!(bench.reason(&push), INVALID);
    }

    #[test]
    fn provider_token_is_es256() {
        let mut bench = Bench::new();
        for alg in ["HS256", "ES384", "none", "es256"] {
            let push = bench.push().signed_by(&Jwt { alg, ..Jwt::default() });
            assert_eq!(bench.reason(&push), INVALID, "{alg}");
        }
    }

    #[test]
    fn provider_token_is_base64url() {
        let mut bench = Bench::new();
        let padded = format!("{}==", bench.push().value("authorization"));
        let push = bench.push().with("authorization", &padded);
        assert_eq!(bench.reason(&push), None);
        let mut bench = Bench::with_setting("standard-base64", "InvalidProviderToken");
        assert_eq!(bench.reason(&push), INVALID);
        let push = bench.push();
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn iat_is_a_number() {
        let string = format!("\"{}\"", NOW.as_secs());
        let jwt = Jwt { iat: &string, ..Jwt::default() };
        let mut bench = Bench::new();
        let push = bench.push().signed_by(&jwt);
        assert_eq!(bench.reason(&push), None);
        let mut bench = Bench::with_setting("string-iat", "InvalidProviderToken");
        assert_eq!(bench.reason(&push), INVALID);
        let push = bench.push();
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn team_is_known() {
        let mut bench = Bench::new();
        let push = bench.push().signed_by(&Jwt { team: "NOSUCHTEAM", ..Jwt::default() });
        assert_eq!(bench.reason(&push), INVALID);
    }

    #[test]
    fn key_is_known() {
        let mut bench = Bench::new();
        let push = bench.push().signed_by(&Jwt { kid: "NOSUCHKEY0", ..Jwt::default() });
        assert_eq!(bench.reason(&push), INVALID);
        // A key of one team says nothing for another.
        let push = bench.push().signed_by(&Jwt { team: OTHER_TEAM, ..Jwt::default() });
        assert_eq!(bench.reason(&push), INVALID);
    }

    #[test]
    fn signature_is_good() {
        let mut bench = Bench::new();
        let push = bench.push().signed_by(&Jwt { signer: "another key", ..Jwt::default() });
        assert_eq!(bench.reason(&push), INVALID);
        let cut = bench.push().value("authorization");
        let push = bench.push().with("authorization", &cut[..cut.len() - 4]);
        assert_eq!(bench.reason(&push), INVALID);
        let push = bench.push().signed_by(&Jwt { der: true, ..Jwt::default() });
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn one_bad_signature_is_not_forgiven_by_a_good_one() {
        let mut bench = Bench::new();
        let (good, bad) =
            (bench.push(), bench.push().signed_by(&Jwt { signer: "another key", ..Jwt::default() }));
        assert_eq!(bench.reason(&good), None);
        assert_eq!(bench.reason(&bad), INVALID);
        assert_eq!(bench.reason(&good), None);
        assert_eq!(bench.reason(&bad), INVALID);
    }

    #[test]
    fn key_is_not_revoked() {
        let mut bench = Bench::new();
        let push = bench.push();
        assert_eq!(bench.reason(&push), None);
        assert!(bench.team_at().revoke_key(crate::KeyId::parse(KEY).unwrap()));
        assert_eq!(bench.reason(&push), INVALID);
        bench.connect();
        assert_eq!(bench.reason(&push), INVALID);
    }

    #[test]
    fn provider_token_is_recent() {
        let mut bench = Bench::new();
        let push = bench.push();
        bench.now = NOW.saturating_add(HOUR);
        assert_eq!(bench.reason(&push), None);
        // It was good a moment ago, and is judged again.
        bench.now = crate::Timestamp::from_millis(bench.now.as_millis() + 1);
        assert_eq!(bench.reason(&push), EXPIRED);
    }

    #[test]
    fn provider_token_is_not_from_the_future() {
        let ahead = |seconds: u64| (NOW.as_secs() + seconds).to_string();
        let (minute, more) = (ahead(60), ahead(61));
        let mut bench = Bench::new();
        let minute = bench.push().signed_by(&Jwt { iat: &minute, ..Jwt::default() });
        let more = bench.push().signed_by(&Jwt { iat: &more, ..Jwt::default() });
        assert_eq!(bench.reason(&minute), None);
        assert_eq!(bench.reason(&more), EXPIRED);
        for (value, reason) in [("InvalidProviderToken", INVALID), ("accept", None)] {
            assert_eq!(Bench::with_setting("future-iat", value).reason(&more), reason);
        }
        assert_eq!(Bench::with_setting("future-iat-tolerance", "61").reason(&more), None);
        let milliseconds = format!("\"{}\"", NOW.as_millis());
        let push = bench.push().signed_by(&Jwt { iat: &milliseconds, ..Jwt::default() });
        assert_eq!(bench.reason(&push), EXPIRED);
    }
}
