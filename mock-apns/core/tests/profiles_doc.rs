//! docs/profiles.md says what the code does: its tables are those of the profiles, of what they choose, and of what is done to
//! providers.

use mock_apns_core::{Named as _, Profile, ProfileChoice, SETTINGS, Throttling};

const DOCUMENT: &str = include_str!("../../../docs/profiles.md");

#[test]
fn the_tables_are_those_of_the_code_no_more_and_no_less() {
    let rows: Vec<String> = profiles().chain(throttlings()).chain(choices()).collect();
    let documented: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, rows, "docs/profiles.md should have these rows:\n{}", rows.join("\n"));
}

fn profiles() -> impl Iterator<Item = String> {
    Profile::ALL.iter().map(|profile| format!("| `{}` | {} |", profile.name(), profile.meaning()))
}

fn throttlings() -> impl Iterator<Item = String> {
    Throttling::ALL.iter().map(|how| {
        format!("| `{}` | {} | `{}` | {} |", how.as_str(), how.meaning(), how.setting(), how.source())
    })
}

/// Those that a profile changes first, each half in the order of the settings.
fn choices() -> impl Iterator<Item = String> {
    let is_changed = |choice: &&ProfileChoice| choice.realistic.is_some() || choice.hostile.is_some();
    let (changed, same): (Vec<&ProfileChoice>, Vec<_>) = Profile::CHOICES.iter().partition(is_changed);
    changed.into_iter().chain(same).map(|choice| {
        let fast = SETTINGS.iter().find(|spec| spec.name == choice.setting).map_or("", |spec| spec.default);
        let [realistic, hostile] = [Profile::Realistic, Profile::Hostile].map(|profile| {
            let changed = choice.value(profile).filter(|value| *value != fast);
            changed.map_or_else(|| "the same".to_owned(), |value| format!("**{value}**"))
        });
        format!("| `{}` | {fast} | {realistic} | {hostile} | {}. |", choice.setting, choice.reason)
    })
}
