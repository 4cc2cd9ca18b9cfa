//! Every form of every field: accepted, refused, absent, repeated.

use apns_spec::{HeaderNeed, HeaderRow, Spec};

use super::{reason_row, slug, status};
use crate::{Case, Request};

const TAG: &str = "headers";

pub(super) fn cases(spec: &Spec) -> Vec<Case> {
    spec.headers().iter().flat_map(|row| of_row(spec, row)).collect()
}

fn of_row(spec: &Spec, row: &HeaderRow) -> Vec<Case> {
    let name = row.field_name();
    let mut cases = Vec::new();
    for value in &row.accepted {
        let case = case(&cases, row, "accepts", value, format!("{name}: {} is accepted", shown(value)));
        cases.push(case.accepted(Request::good().with(name, value)));
    }
    for value in &row.refused {
        let title = format!("{name}: {} is {}", shown(value), row.reason);
        let case = case(&cases, row, "refuses", value, title);
        let case = case.rests_on(&[&reason_row(spec, &row.reason)]);
        cases.push(case.refused(Request::good().with(name, value), status(spec, &row.reason), &row.reason));
    }
    cases.extend(absent(spec, row));
    cases.extend(repeated(spec, row));
    cases
}

/// A push without the field. Without a pseudo-field it would be no request.
fn absent(spec: &Spec, row: &HeaderRow) -> Option<Case> {
    let name = row.field_name();
    if row.need == HeaderNeed::Always || name != row.header {
        return None;
    }
    let request = Request::good().without(name);
    let id = format!("{}-absent", row.id);
    Some(match &row.absent_reason {
        Some(reason) => Case::new(TAG, id, format!("a push without {name} is {reason}"))
            .rests_on(&[&row.id, &reason_row(spec, reason)])
            .refused(request, status(spec, reason), reason),
        None => Case::new(TAG, id, format!("a push without {name} is accepted"))
            .rests_on(&[&row.id])
            .accepted(request),
    })
}

/// A push with the field twice, with the same value.
fn repeated(spec: &Spec, row: &HeaderRow) -> Option<Case> {
    const REASON: &str = "DuplicateHeaders";
    let name = row.field_name();
    let value = row.accepted.first().filter(|_| !name.starts_with(':') && name == row.header)?;
    let request = Request::good().with(name, value).and(name, value);
    let case = Case::new(TAG, format!("{}-repeated", row.id), format!("{name} twice is {REASON}"));
    let case = case.rests_on(&[&row.id, "reason-duplicate-headers", "check-headers-are-single"]);
    Some(case.refused(request, status(spec, REASON), REASON))
}

fn case(earlier: &[Case], row: &HeaderRow, what: &str, value: &str, title: String) -> Case {
    let slug = slug(value);
    let slug = if slug.is_empty() { "no-word".to_owned() } else { slug };
    let id = format!("{}-{what}-{slug}", row.id);
    let same = earlier.iter().filter(|case| case.id.starts_with(&id)).count();
    let id = if same == 0 { id } else { format!("{id}-{}", same + 1) };
    let case = Case::new(TAG, id, title).rests_on(&[&row.id]);
    if row.id == "header-collapse-id" { case.rests_on(&["limit-collapse-id"]) } else { case }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { value.to_owned() }
}
