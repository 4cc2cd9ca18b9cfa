//! Profiles: sets of settings by name. One table says of every setting what each profile makes of it, and why.

use crate::{Named, SettingError};

/// A set of settings by name: how hard APNs is on a provider. Which reading of an open question is taken is no part of it.
///
/// One more profile is one more variant here, and one more column of [`CHOICES`](Self::CHOICES).
///
/// ```
/// use mock_apns_core::{Profile, Settings};
///
/// let mut settings = Settings::of(Profile::parse("realistic")?);
/// assert_eq!(settings.get("background-pushes-per-hour").as_deref(), Some("3"));
/// settings.set("background-pushes-per-hour", "0")?; // a setting by itself wins over the profile
/// assert_eq!(settings.profile(), Profile::Realistic);
/// # Ok::<(), mock_apns_core::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// Every setting has its default: nothing is slowed down, and a test sees at once what it waits for.
    #[default]
    Fast,
    /// What Apple documents of limits and penalties is in force, with numbers of ours where it publishes none.
    Realistic,
    /// As [`Realistic`](Self::Realistic), and things go wrong by chance, for everyone: what a correct provider survives. The
    /// settings are the core's; the faults are added by whoever starts the service.
    Hostile,
}

/// What the profiles make of one setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProfileChoice {
    /// The setting's name.
    pub setting: &'static str,
    /// Its value in [`Profile::Realistic`]; `None`: its default, as in [`Profile::Fast`].
    pub realistic: Option<&'static str>,
    /// Its value in [`Profile::Hostile`]; `None`: that of [`Profile::Realistic`].
    pub hostile: Option<&'static str>,
    /// Why.
    pub reason: &'static str,
}

impl Profile {
    /// Every one. The first is what a service has unless it is told otherwise.
    pub const ALL: &'static [Self] = &[Self::Fast, Self::Realistic, Self::Hostile];

    /// What it is for, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Fast => {
                "Every setting has its default: nothing is slowed down, and a test sees at once what it waits for."
            }
            Self::Realistic => {
                "What Apple documents of limits and penalties is in force, with numbers of ours where it publishes none."
            }
            Self::Hostile => {
                "As realistic, and things go wrong by chance, for everyone: what a correct provider survives. The seed decides what and when."
            }
        }
    }

    /// The profile of this name. Fails with [`SettingError::UnknownProfile`].
    pub fn parse(name: &str) -> Result<Self, SettingError> {
        Self::from_name(name).ok_or_else(|| SettingError::UnknownProfile(name.to_owned()))
    }

    /// The settings that differ from their defaults, each with its value.
    pub fn changes(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        CHOICES.iter().filter_map(move |choice| Some((choice.setting, choice.value(self)?)))
    }

    /// What is chosen of each setting and why, in the order of [`SETTINGS`](crate::SETTINGS).
    pub const CHOICES: &'static [ProfileChoice] = CHOICES;
}

impl Named for Profile {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Realistic => "realistic",
            Self::Hostile => "hostile",
        }
    }
}

impl ProfileChoice {
    /// The value in a profile; `None`: the default.
    pub const fn value(&self, profile: Profile) -> Option<&'static str> {
        match profile {
            Profile::Fast => None,
            Profile::Realistic => self.realistic,
            Profile::Hostile => match self.hostile {
                Some(value) => Some(value),
                None => self.realistic,
            },
        }
    }

    /// The same with another value in [`Profile::Hostile`].
    const fn hostile(self, value: &'static str) -> Self {
        Self { hostile: Some(value), ..self }
    }
}

const fn choice(
    setting: &'static str,
    realistic: Option<&'static str>,
    reason: &'static str,
) -> ProfileChoice {
    ProfileChoice { setting, realistic, hostile: None, reason }
}

/// Why a setting that says which answer is given is the same in all profiles.
const A_READING: &str = "A reading of what is not known: it is no more likely under load";

const CHOICES: &[ProfileChoice] = &[
    choice("future-iat", None, A_READING),
    choice("future-iat-tolerance", None, A_READING),
    choice("string-iat", None, A_READING),
    choice("standard-base64", None, A_READING),
    choice("environment-key-reason", None, A_READING),
    choice("second-team", None, A_READING),
    choice("provider-token-updates", None, "What is documented, in all profiles"),
    choice("provider-token-update-window", None, "What is documented, in all profiles"),
    choice("background-priority-10", None, A_READING),
    choice("body-not-json", None, A_READING),
    choice("body-not-object", None, A_READING),
    choice("error-content-type", None, A_READING),
    choice("apns-unique-id", None, A_READING),
    choice("max-concurrent-streams-before-token", None, "What is documented, in all profiles"),
    choice("max-concurrent-streams", None, "The number that was observed last"),
    choice(
        "errors-before-fewer-streams",
        Some("10"),
        "Documented without a number. One was enough in 2016, and Apple called that resolved; ten are no accident",
    ),
    choice("max-concurrent-streams-after-errors", None, "The one that was observed"),
    choice("fewer-streams-time", None, "What was observed: an accepted push restores the streams"),
    choice(
        "errors-before-disconnect",
        Some("100"),
        "Documented without a number: many more than lower the streams, and few enough for a test to reach",
    ),
    choice(
        "bad-device-token-errors",
        None,
        "In force because the setting above is: twenty BadDeviceToken end a connection",
    ),
    choice("error-window", None, "In force because the settings above are"),
    choice("error-disconnect", None, A_READING),
    choice(
        "short-connections-before-block",
        Some("20"),
        "Documented without a number; the number from which the metrics call it connection_churn. In hostile the double itself \
         ends connections, and a client must not be blocked for leaving those",
    )
    .hostile("0"),
    choice("connection-block", None, "In force because the setting above is"),
    choice("connection-block-answer", None, A_READING),
    choice(
        "device-token-length",
        None,
        "32 and 80 bytes are what was seen, on real devices too. That the length may be another is documented, and hostile holds \
         providers to it",
    )
    .hostile("varied"),
    choice(
        "unregistered-delay",
        Some("300"),
        "Reports say minutes at the least: a provider must not expect 410 at once",
    ),
    choice("ended-live-activity", None, A_READING),
    choice(
        "device-token-burst",
        Some("100"),
        "A limit is documented without a number: more than an app sends to one device on purpose",
    ),
    choice("device-token-refill", None, "In force because the setting above is: one push a second"),
    choice("background-pushes-per-hour", Some("3"), "Documented: not more than two or three an hour"),
    choice("unacknowledged-pushes", None, "A device that is online gets them all, under load too"),
    choice("pure", None, "A test wants to know that its fault has fired, on a realistic day too"),
    choice("journal-entries", None, "Apple has no journal that fills up"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SETTINGS, SettingSpec, Settings};

    #[test]
    fn of_every_setting_it_is_said_what_the_profiles_make_of_it() {
        let settings: Vec<_> = SETTINGS.iter().map(|spec| spec.name).collect();
        let chosen: Vec<_> = CHOICES.iter().map(|choice| choice.setting).collect();
        assert_eq!(chosen, settings);
        for ProfileChoice { setting, realistic, hostile, reason } in CHOICES {
            assert!(!reason.is_empty() && !reason.ends_with('.'), "{setting}");
            let default = SettingSpec::of(setting).unwrap().default;
            assert_ne!(*realistic, Some(default), "{setting} is no change");
            assert!(hostile.is_none() || *hostile != realistic.or(Some(default)), "{setting} is no change");
        }
    }

    #[test]
    fn fast_is_the_defaults_and_a_profile_is_its_changes() {
        assert_eq!(Settings::of(Profile::Fast), Settings::default());
        assert_eq!(Profile::Fast.changes().count(), 0);
        for &profile in &Profile::ALL[1..] {
            let settings = Settings::of(profile);
            for spec in SETTINGS {
                let changed = profile.changes().find(|(name, _)| *name == spec.name);
                let expected = changed.map_or(spec.default, |(_, value)| value);
                assert_eq!(settings.get(spec.name).as_deref(), Some(expected), "{}", spec.name);
            }
        }
        let hostile = Settings::of(Profile::Hostile);
        assert_eq!(hostile.get("unregistered-delay").as_deref(), Some("300"), "as in realistic");
        assert_eq!(hostile.get("short-connections-before-block").as_deref(), Some("0"));
    }

    #[test]
    fn an_unknown_profile_is_named_with_those_that_exist() {
        for &profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.name()), Ok(profile));
        }
        let error = Profile::parse("Fast").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no profile \"Fast\"; the profiles are fast, realistic, hostile"
        );
    }
}
