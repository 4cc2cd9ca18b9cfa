use serde::Serialize;

/// What the user hears.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sound {
    form: Form,
}

impl Sound {
    /// A sound file in the app's bundle, by name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { form: Form::Name(name.into()) }
    }

    /// The system's sound.
    pub fn system() -> Self {
        Self::named(SYSTEM)
    }

    /// A critical alert, which sounds even when the device is muted: the app needs Apple's entitlement for
    /// it. `volume` goes from 0 (silent) to 1 (full); anything else is refused when the notification is
    /// built.
    pub fn critical(name: impl Into<String>, volume: f64) -> Self {
        Self { form: Form::Critical { critical: 1, name: name.into(), volume } }
    }

    /// The volume of a critical sound.
    pub(crate) fn volume(&self) -> Option<f64> {
        match &self.form {
            Form::Critical { volume, .. } => Some(*volume),
            Form::Name(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Form {
    Critical { critical: u8, name: String, volume: f64 },
    Name(String),
}

/// Apple's name for the system's sound.
const SYSTEM: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sound_is_a_name_or_a_dictionary() {
        assert_eq!(serde_json::to_value(Sound::named("bell.aiff")).unwrap(), json!("bell.aiff"));
        assert_eq!(serde_json::to_value(Sound::system()).unwrap(), json!("default"));
        assert_eq!(
            serde_json::to_value(Sound::critical("siren.aiff", 0.5)).unwrap(),
            json!({"critical": 1, "name": "siren.aiff", "volume": 0.5})
        );
    }
}
