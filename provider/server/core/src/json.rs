//! Reading a body: JSON into the type of a request, with the field that is wrong.

use serde::de::DeserializeOwned;

use crate::problem::{Code, FieldError, Problem};

/// Reads a body, and names the field that is wrong. No body is `{}`.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    // serde would read the fields of a list one after the other.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::new(Code::BadField, "the body is a list; send one object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.classify() == serde_json::error::Category::Data {
            let field = if path == "." { String::new() } else { path };
            let error = FieldError { field, message: error.to_string() };
            return Problem::new(Code::BadField, error.to_string()).with_fields(vec![error]);
        }
        not_json(&error)
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(read)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(Code::BadJson, format!("the body is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Wanted {
        #[serde(default)]
        user_ids: Vec<u32>,
    }

    fn refused(body: &str) -> Problem {
        read::<Wanted>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_wrong_field_is_named() {
        let problem = refused(r#"{"user-ids":[1,"two"]}"#);
        assert_eq!((problem.code(), problem.fields()[0].field.as_str()), (Code::BadField, "user-ids[1]"));
        let problem = refused(r#"{"user_ids":[]}"#);
        assert!(problem.message().contains("unknown field `user_ids`, expected `user-ids`"), "{problem}");
        assert_eq!(refused("[]").code(), Code::BadField);
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for body in ["{", "{} {}", "hello", "{\"user-ids\":[1,]}"] {
            let problem = refused(body);
            assert_eq!(problem.code(), Code::BadJson, "{body}: {problem}");
            assert!(problem.message().contains("line 1"), "{problem}");
        }
        let deep = "[".repeat(1_000_000);
        assert_eq!(refused(&format!("{{\"user-ids\":{deep}")).code(), Code::BadField);
    }

    #[test]
    fn no_body_is_an_empty_object() {
        assert!(read::<Wanted>(b"").unwrap().user_ids.is_empty());
    }
}
