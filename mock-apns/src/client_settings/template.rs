//! Placeholders. `{{ca}}` is a string in the program's language, and a port a number; `{{ca:shell}}` is a word to paste
//! into a shell, and `{{topic:bare}}` the text alone, both for comments.

use super::{
    Target,
    language::{Language, one_line, shell_word},
};

/// The program with everything in its place. What is no placeholder stays as it is; the tests see that there is none.
pub(super) fn fill(template: &str, language: Language, target: &Target<'_>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, placeholder, after)) = next(rest) {
        filled.push_str(before);
        let value = value(placeholder, language, target);
        filled.push_str(&value.unwrap_or_else(|| format!("{{{{{placeholder}}}}}")));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What is before the first placeholder, what is in it, and what is after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, begun) = text.split_once("{{")?;
    let (placeholder, after) = begun.split_once("}}")?;
    Some((before, placeholder, after))
}

fn value(placeholder: &str, language: Language, target: &Target<'_>) -> Option<String> {
    let (name, form) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    let text = text(name, target)?;
    match form {
        "" if name.ends_with("_port") => Some(text),
        "" => Some(language.string(&text)),
        "bare" => Some(one_line(&text)),
        "shell" => Some(one_line(&shell_word(&text))),
        _ => None,
    }
}

fn text(name: &str, target: &Target<'_>) -> Option<String> {
    let &Target {
        host, sandbox_port, production_port, ca, key, key_id, team_id, topic, device_token, ..
    } = target;
    Some(match name {
        "host" => host.to_owned(),
        "origin" => format!("https://{host}"),
        "sandbox_port" => sandbox_port.to_string(),
        "production_port" => production_port.to_string(),
        "sandbox_url" => format!("https://{host}:{sandbox_port}"),
        "devices_url" => format!("https://{host}:{sandbox_port}/3/device/"),
        "push_url" => format!("https://{host}:{sandbox_port}/3/device/{device_token}"),
        "ca" => ca.to_owned(),
        "key" => key.to_owned(),
        "key_id" => key_id.to_owned(),
        "team_id" => team_id.to_owned(),
        "topic" => topic.to_owned(),
        "device_token" => device_token.to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'static> = Target {
        host: "localhost",
        sandbox_port: 2197,
        production_port: 2198,
        control: None,
        ca: "it's {{key}}",
        key: "key.p8",
        key_id: "K",
        team_id: "T",
        topic: "a.b",
        device_token: "00",
    };

    #[test]
    fn a_placeholder_is_a_value_of_the_language() {
        let filled = fill("{{host}}, {{sandbox_port}}; {{push_url}}", Language::Python, &TARGET);
        assert_eq!(filled, r#""localhost", 2197; "https://localhost:2197/3/device/00""#);
    }

    #[test]
    fn a_comment_gets_a_word_of_a_shell_or_the_text() {
        let filled = fill("// {{ca:shell}} {{topic:bare}}", Language::Rust, &TARGET);
        assert_eq!(filled, r"// 'it'\''s {{key}}' a.b");
    }

    #[test]
    fn a_value_is_not_filled_again_and_what_is_unknown_stays() {
        let template = "{{ca}} {{nothing}} {{ca:loud}} {{";
        assert_eq!(fill(template, Language::Go, &TARGET), r#""it's {{key}}" {{nothing}} {{ca:loud}} {{"#);
    }
}
