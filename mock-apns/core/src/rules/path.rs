//! `:path` and `:method`.

use super::{Checking, Group, Rule, Subject, Verdict};
use crate::{FieldName, Reason};

/// Another path than those that APNs has is 404. An empty device token is not: its path is the right one.
pub(super) const PATH_IS_KNOWN: Rule = Rule {
    id: "path-is-known",
    group: Group::Path,
    title: "The path is /3/device/ and a device token.",
    reason: Reason::BadPath,
    source: "Apple, \"Sending notification requests to APNs\"",
    usual_mistake: "The version is missing from the path, or the path has another segment behind the token.",
    builds_on: &[],
    looks_at: Subject::Field(FieldName::Path),
    check: path_is_known,
};

/// `POST` is the only method. The path is looked at first: what another path takes is not known.
pub(super) const METHOD_IS_POST: Rule = Rule {
    id: "method-is-post",
    group: Group::Path,
    title: "The method is POST.",
    reason: Reason::MethodNotAllowed,
    source: "Apple, \"Sending notification requests to APNs\"",
    usual_mistake: "A health check asks with GET, or a client follows curl's default without a body.",
    builds_on: &[&PATH_IS_KNOWN],
    looks_at: Subject::Field(FieldName::Method),
    check: |checking| Verdict::require(checking.input.request.get(FieldName::Method) == Some(b"POST")),
};

fn path_is_known(checking: &mut Checking<'_>) -> Verdict {
    let path = checking.input.request.path().unwrap_or_default();
    match path.strip_prefix(DEVICE_PATH) {
        Some(digits) if !digits.contains(&b'/') => {
            checking.device_token_digits = digits;
            Verdict::Pass
        }
        _ => Verdict::Refuse,
    }
}

/// What stands before the device token.
pub(crate) const DEVICE_PATH: &[u8] = b"/3/device/";

#[cfg(test)]
mod tests {
    use crate::{
        Reason,
        bench::{Bench, TOKEN},
    };

    #[test]
    fn path_is_known() {
        let mut bench = Bench::new();
        let paths =
            ["", "/", "/3/device", "/3/devices/00", "/2/device/00", "3/device/00", "/3/Device/00", "*"];
        for path in paths {
            let push = bench.push().with(":path", path);
            assert_eq!(bench.reason(&push), Some(Reason::BadPath), "{path}");
        }
        let push = bench.push().with(":path", &format!("/3/device/{TOKEN}/more"));
        assert_eq!(bench.reason(&push), Some(Reason::BadPath));
        let push = bench.push().without(":path");
        assert_eq!(bench.reason(&push), Some(Reason::BadPath));
    }

    #[test]
    fn method_is_post() {
        let mut bench = Bench::new();
        for method in ["GET", "PUT", "post", "HEAD"] {
            let push = bench.push().with(":method", method);
            assert_eq!(bench.reason(&push), Some(Reason::MethodNotAllowed), "{method}");
        }
        let push = bench.push().with(":method", "GET").with(":path", "/");
        assert_eq!(bench.reason(&push), Some(Reason::BadPath));
    }
}
