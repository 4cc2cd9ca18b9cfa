//! Settings as they are written: by their names, all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{SETTINGS, Settings};
use crate::{Named as _, Profile};

/// A map from the names to the texts of the values, and the profile's name, if it is not the usual one.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let profile = (self.profile != Profile::default()).then(|| (PROFILE, self.profile.name().to_owned()));
        let settings = SETTINGS.iter().map(|spec| (spec.name, self.get(spec.name).unwrap_or_default()));
        // A list, because some formats want to know the length before.
        serializer.collect_map(settings.chain(profile).collect::<Vec<_>>())
    }
}

/// A setting that is left out is as the profile has it.
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut values = BTreeMap::<String, String>::deserialize(deserializer)?;
        let profile = values.remove(PROFILE).map(|name| Profile::parse(&name));
        let profile = profile.transpose().map_err(de::Error::custom)?;
        let mut settings = Self::of(profile.unwrap_or_default());
        for (name, value) in values {
            settings.set(&name, &value).map_err(de::Error::custom)?;
        }
        Ok(settings)
    }
}

/// The name that the profile has among the settings where they are written.
pub(super) const PROFILE: &str = "profile";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_profile_with_it() {
        for &profile in Profile::ALL {
            let mut settings = Settings::of(profile);
            settings.set("background-pushes-per-hour", "2").unwrap();
            let json = serde_json::to_string(&settings).unwrap();
            assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
            assert_eq!(json.contains(PROFILE), profile != Profile::default(), "{json}");
            let bytes = postcard::to_extend(&settings, Vec::new()).unwrap();
            assert_eq!(postcard::from_bytes::<Settings>(&bytes).unwrap(), settings);
        }
    }

    #[test]
    fn what_is_left_out_is_as_the_profile_has_it() {
        let read = |json| serde_json::from_str::<Settings>(json).map_err(|error| error.to_string());
        assert_eq!(read("{}"), Ok(Settings::default()));
        assert_eq!(read(r#"{"profile":"realistic"}"#), Ok(Settings::of(Profile::Realistic)));
        assert!(read(r#"{"profile":"slow"}"#).unwrap_err().contains("there is no profile \"slow\""));
    }
}
