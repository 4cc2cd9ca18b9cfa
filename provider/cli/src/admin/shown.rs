//! What the server answers, for people.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::{Map, Value};

/// An answer for people: lists as tables, one thing as a line for each member; what is no JSON as it is.
pub(super) fn for_people(body: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return body.trim_end().to_owned() };
    match &value {
        Value::Object(members) => object(members),
        other => inline(other),
    }
}

/// Why the server did not do it: what it says, the fields that are wrong, and what to do.
pub(super) fn refused(status: StatusCode, body: &str) -> String {
    let Ok(problem) = serde_json::from_str::<Value>(body) else {
        return format!("the server answered {status}: {}", body.trim());
    };
    let problem = &problem["error"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut told = format!("{} ({}, {})", text(&problem["message"]), status.as_u16(), text(&problem["code"]));
    for field in problem["fields"].as_array().into_iter().flatten() {
        let _ = write!(told, "\n  {}: {}", text(&field["field"]), text(&field["message"])); // a String takes all
    }
    if let Some(hint) = problem["hint"].as_str() {
        let _ = write!(told, "\n{hint}");
    }
    told
}

fn object(members: &Map<String, Value>) -> String {
    let lists = members.iter().filter_map(|(_, value)| value.as_array());
    let objects = lists.filter(|list| !list.is_empty() && list.iter().all(Value::is_object));
    let rest = members.iter().filter(|(_, value)| !is_table(value));
    let width = rest.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = rest.map(|(name, value)| format!("{name:width$}  {}", inline(value)));
    let tables = objects.map(|list| table(list));
    tables.chain(lines).collect::<Vec<_>>().join("\n")
}

fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
}

/// Rows under the names of their members, in the order in which those come.
fn table(list: &[Value]) -> String {
    let rows: Vec<&Map<String, Value>> = list.iter().filter_map(Value::as_object).collect();
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let cells =
        rows.iter().map(|row| names.iter().map(|name| row.get(*name).map_or_else(String::new, inline)));
    let cells: Vec<Vec<String>> = cells.map(Iterator::collect).collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|at| cells.iter().map(|row| row[at].chars().count()).chain([names[at].len()]).max().unwrap_or(0))
        .collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(names.clone());
    let rest = cells.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    [head].into_iter().chain(rest).collect::<Vec<_>>().join("\n")
}

/// On one line: control characters do not reach a terminal.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect(),
        Value::Object(members) => {
            let each = members.iter().map(|(name, value)| format!("{name}={}", inline(value)));
            each.collect::<Vec<_>>().join(" ")
        }
        Value::Array(list) => list.iter().map(inline).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_table_and_one_thing_is_lines() {
        let list = r#"{"apps":[{"bundle-id":"com.example.a","is-paused":false},{"bundle-id":"b","tags":["x","y"]}],"next":"7"}"#;
        let told = for_people(list);
        assert_eq!(
            told,
            "bundle-id      is-paused  tags\ncom.example.a  false\nb                         x,y\nnext  7"
        );
        assert_eq!(for_people(r#"{"id":"1","limits":{"a":1,"b":null}}"#), "id      1\nlimits  a=1 b=-");
        assert_eq!(for_people(r#"{"apps":[]}"#), "apps  ");
        assert_eq!(for_people("metric 1\n"), "metric 1");
        assert_eq!(for_people("{\"a\":\"x\\u001b[2J\"}"), "a  x\u{fffd}[2J");
    }

    #[test]
    fn a_refusal_names_fields_and_what_to_do() {
        let body = r#"{"error":{"code":"wrong-input","message":"2 fields are wrong","fields":[{"field":"url","message":"it is no URL"}],"hint":"Mend it."}}"#;
        let told = refused(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(told, "2 fields are wrong (422, wrong-input)\n  url: it is no URL\nMend it.");
        assert_eq!(refused(StatusCode::BAD_GATEWAY, "oops\n"), "the server answered 502 Bad Gateway: oops");
    }
}
