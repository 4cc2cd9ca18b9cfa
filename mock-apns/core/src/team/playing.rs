//! Playing a scenario.

use super::TeamAt;
use crate::{
    DeviceId, Scenario, ScenarioError, ScenarioEvent, SettingError, Settings, Timestamp, TokenStatus,
    fault::Faults,
    journal::Compact,
    recording::TeamCall,
    scenario::{EVENTS_MAX, SettingText},
};
use std::collections::BTreeMap;

impl TeamAt<'_> {
    /// Plays a scenario from now on: its settings and faults are there at once, and the rest happens at its time. What it brings
    /// about is gone with a [reset](Self::reset), faults for everyone among it, and not before.
    ///
    /// # Errors
    ///
    /// Something in it is wrong, or about a device, token or key that the team has not. Then nothing of it is played.
    pub fn play(&mut self, scenario: &Scenario) -> Result<(), ScenarioError> {
        self.record(|| TeamCall::play(scenario));
        let settings = self.rehearse(scenario)?;
        self.log(Compact::Scenario(scenario.name.clone()));
        if settings != self.team.settings {
            self.change_settings(settings);
        }
        for fault in &scenario.faults {
            self.team.faults.add(self.now, fault.clone()).expect("it was tried a moment ago");
        }
        for fault in &scenario.faults_for_everyone {
            let added = self.around.everyones_faults.play(self.machine, fault.clone(), self.team.id);
            added.expect("it was tried a moment ago");
        }
        for timed in &scenario.events {
            self.team.script.add(self.now.saturating_add(timed.at), timed.event.clone());
        }
        self.catch_up(self.now);
        self.wake_for_first_timer();
        self.wake_for_everyones_faults();
        Ok(())
    }

    /// Whether a scenario can be played, and what it makes of the settings. It changes nothing.
    fn rehearse(&self, scenario: &Scenario) -> Result<Settings, ScenarioError> {
        if self.team.script.len() + scenario.events.len() > EVENTS_MAX {
            return Err(ScenarioError::TooMany);
        }
        let settings = changed(&self.team.settings, &scenario.settings)?;
        let (own, everyones) = (self.team.faults.trial(), self.around.everyones_faults.trial());
        let mut trial = Trial { own, everyones };
        for (at, fault) in scenario.faults.iter().enumerate() {
            let added = trial.own.add(self.now, fault.clone());
            added.map_err(|error| ScenarioError::Fault { at, error })?;
        }
        for (at, fault) in scenario.faults_for_everyone.iter().enumerate() {
            let added = trial.everyones.play(self.machine, fault.clone(), self.team.id);
            added.map_err(|error| ScenarioError::FaultForEveryone { at, error })?;
        }
        // In the order in which they happen: a fault ends that has begun, wherever in the list that stands.
        let mut events: Vec<_> = scenario.events.iter().enumerate().collect();
        events.sort_by_key(|(_, timed)| timed.at);
        for (at, timed) in events {
            let [team, machine] = [self.now, self.machine].map(|now| now.saturating_add(timed.at));
            self.check(at, &timed.event, When { team, machine }, &mut trial)?;
        }
        Ok(settings)
    }

    /// Whether an event can happen, as far as that is known beforehand.
    fn check(
        &self,
        at: usize,
        event: &ScenarioEvent,
        when: When,
        trial: &mut Trial,
    ) -> Result<(), ScenarioError> {
        let bad = |what: String| ScenarioError::BadEvent { at, what };
        let there_is = |is_there: bool, what: String| {
            if is_there { Ok(()) } else { Err(ScenarioError::Unknown { at, what }) }
        };
        let device = |name: &DeviceId| there_is(self.team.device(name).is_some(), format!("device {name}"));
        match event {
            ScenarioEvent::TokenGone { token } | ScenarioEvent::TokenExpired { token } => {
                there_is(self.team.identify(token.as_bytes()).is_some(), format!("device token {token}"))
            }
            ScenarioEvent::Device { name, .. } => device(name),
            ScenarioEvent::Uninstall { device: name, app, .. } => {
                device(name)?;
                there_is(self.team.apps().any(|it| it.bundle_id == *app), format!("app {app}"))
            }
            ScenarioEvent::RevokeKey { key_id } => {
                there_is(self.team.keys().any(|key| key.id == *key_id), format!("key {key_id}"))
            }
            ScenarioEvent::Settings(settings) => {
                changed(&self.team.settings, settings).map(drop).map_err(|error| bad(error.to_string()))
            }
            ScenarioEvent::Fault(fault) => {
                trial.own.add(when.team, (**fault).clone()).map_err(|error| bad(error.to_string()))
            }
            ScenarioEvent::FaultEnds { name } => {
                there_is(trial.own.remove(name), format!("fault {name} then"))
            }
            ScenarioEvent::FaultForEveryone(fault) => {
                let added = trial.everyones.play(when.machine, (**fault).clone(), self.team.id);
                added.map_err(|error| bad(error.to_string()))
            }
            ScenarioEvent::FaultForEveryoneEnds { name } => {
                let is_there = trial.everyones.remove_played(name, self.team.id);
                there_is(is_there, format!("fault {name} for everyone then"))
            }
        }
    }

    /// Lets the next thing of the script happen. What has become impossible meanwhile does not.
    pub(super) fn happen(&mut self) {
        let Some(event) = self.team.script.take_first() else { return };
        // Nobody outside does it: it is not recorded, as playing the scenario was.
        let recorder = self.around.recorder.take();
        match event {
            ScenarioEvent::TokenGone { token } => {
                self.set_token_status(&token, TokenStatus::Unregistered { since: self.now });
            }
            ScenarioEvent::TokenExpired { token } => {
                self.set_token_status(&token, TokenStatus::Expired { since: self.now });
            }
            ScenarioEvent::Device { name, state } => drop(self.set_device_state(&name, state)),
            ScenarioEvent::Uninstall { device, app, environment } => {
                drop(self.uninstall(&device, &app, environment));
            }
            ScenarioEvent::RevokeKey { key_id } => _ = self.revoke_key(key_id),
            ScenarioEvent::Settings(settings) => {
                if let Ok(settings) = changed(&self.team.settings, &settings) {
                    self.change_settings(settings);
                }
            }
            ScenarioEvent::Fault(fault) => drop(self.team.faults.add(self.now, *fault)),
            ScenarioEvent::FaultEnds { name } => _ = self.team.faults.remove(&name),
            ScenarioEvent::FaultForEveryone(fault) => {
                let (then, team) = (self.machine_then(), self.team.id);
                drop(self.around.everyones_faults.play(then, *fault, team));
                self.wake_for_everyones_faults();
            }
            ScenarioEvent::FaultForEveryoneEnds { name } => {
                _ = self.around.everyones_faults.remove_played(&name, self.team.id);
            }
        }
        self.around.recorder = recorder;
    }
}

/// The faults that there are, to try whether those of a scenario can be added.
struct Trial {
    own: Faults,
    everyones: Faults,
}

/// When something happens: by the team's clock, and by the machine's.
#[derive(Clone, Copy)]
struct When {
    team: Timestamp,
    machine: Timestamp,
}

fn changed(settings: &Settings, changes: &BTreeMap<String, SettingText>) -> Result<Settings, SettingError> {
    settings.changed(changes.iter().map(|(name, value)| (name.as_str(), value.text())))
}
