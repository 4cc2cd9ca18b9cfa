//! What was done to a team at a point in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{from_json, to_json};
use crate::{
    App, BundleId, DeviceId, DeviceState, DeviceToken, Environment, KeyId, NewTokens, ProviderKey, Scenario,
    Settings, TeamAt, Timestamp, TokenKind, TokenStatus,
    fault::{Fault, FaultName},
};

/// A call to one of the public methods of [`TeamAt`]. Their order is that of the byte form.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum TeamCall {
    /// Nothing but that the team was looked at, and what was due has happened.
    Look,
    AddKey(ProviderKey),
    RevokeKey(KeyId),
    AddApp(App),
    SetSettings(Box<Settings>),
    SetTokenStatus(DeviceToken, TokenStatus),
    AddDevice(DeviceId),
    RemoveDevice(DeviceId),
    SetDeviceState(DeviceId, DeviceState),
    Install(Place),
    Uninstall(Place),
    SetPermission(Place, bool),
    Register(Place, TokenKind),
    RegisterAs(Place, TokenKind, DeviceToken),
    Unregister(Place, TokenKind),
    StartActivity(Place),
    EndActivity(Place, u32),
    NewTokens(DeviceId, NewTokens),
    SetClock(Timestamp),
    AdvanceClock(Duration),
    FollowMachine,
    Reset,
    /// The fault as JSON.
    AddFault(String),
    RemoveFault(FaultName),
    ClearFaults,
    /// The scenario as JSON.
    Play(String),
}

/// An app on a device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Place {
    device: DeviceId,
    app: BundleId,
    environment: Environment,
}

impl Place {
    pub(crate) fn new(device: &DeviceId, app: &BundleId, environment: Environment) -> Self {
        Self { device: device.clone(), app: app.clone(), environment }
    }
}

impl TeamCall {
    pub(crate) fn add_fault(fault: &Fault) -> Self {
        Self::AddFault(to_json(fault))
    }

    pub(crate) fn play(scenario: &Scenario) -> Self {
        Self::Play(to_json(scenario))
    }

    /// Does it again. What it returned at first, an error perhaps, it returns again.
    pub(super) fn apply(self, team: &mut TeamAt<'_>) {
        match self {
            Self::Look => {}
            Self::AddKey(key) => _ = team.add_key(key),
            Self::RevokeKey(id) => _ = team.revoke_key(id),
            Self::AddApp(app) => _ = team.add_app(app),
            Self::SetSettings(settings) => team.set_settings(*settings),
            Self::SetTokenStatus(token, status) => _ = team.set_token_status(&token, status),
            Self::AddDevice(id) => _ = team.add_device(id),
            Self::RemoveDevice(id) => _ = team.remove_device(&id),
            Self::SetDeviceState(id, state) => _ = team.set_device_state(&id, state),
            Self::Install(Place { device, app, environment }) => {
                _ = team.install(&device, &app, environment);
            }
            Self::Uninstall(Place { device, app, environment }) => {
                _ = team.uninstall(&device, &app, environment);
            }
            Self::SetPermission(Place { device, app, environment }, allowed) => {
                _ = team.set_permission(&device, &app, environment, allowed);
            }
            Self::Register(Place { device, app, environment }, kind) => {
                _ = team.register(&device, &app, environment, kind);
            }
            Self::RegisterAs(Place { device, app, environment }, kind, token) => {
                _ = team.register_as(&device, &app, environment, kind, token);
            }
            Self::Unregister(Place { device, app, environment }, kind) => {
                _ = team.unregister(&device, &app, environment, kind);
            }
            Self::StartActivity(Place { device, app, environment }) => {
                _ = team.start_activity(&device, &app, environment);
            }
            Self::EndActivity(Place { device, app, environment }, activity) => {
                _ = team.end_activity(&device, &app, environment, activity);
            }
            Self::NewTokens(id, cause) => _ = team.new_tokens(&id, cause),
            Self::SetClock(asked) => _ = team.set_clock(asked),
            Self::AdvanceClock(by) => _ = team.advance_clock(by),
            Self::FollowMachine => team.follow_machine(),
            Self::Reset => team.reset(),
            Self::AddFault(json) => {
                let _ = from_json(&json).map(|fault| team.add_fault(fault));
            }
            Self::RemoveFault(name) => _ = team.remove_fault(&name),
            Self::ClearFaults => team.clear_faults(),
            Self::Play(json) => {
                let _ = from_json(&json).map(|scenario| team.play(&scenario));
            }
        }
    }
}
