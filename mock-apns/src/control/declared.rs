//! What a state declares, and how a double is brought to it.

use std::collections::BTreeMap;

use apns_certs::AuthKey;
use mock_apns_core::{
    BundleId, DeviceId, DeviceState, DeviceToken, Environment, InstalledApp, KeyId, ProviderKey, Team,
    TeamAt, TeamId, TokenKind, fault::Fault,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Control,
    apps::App,
    clock,
    error::{ApiError, ApiResult, ErrorCode},
    faults,
    keys::Scope,
    schema, settings, tokens,
};
use crate::clock::now;

/// What is to be there. Whatever it does not mention stays as it is; declared twice, it changes nothing more.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Teams, each of which is made if it is not there.
    #[serde(default)]
    teams: Vec<DeclaredTeam>,
    /// Faults for everyone. One of the same name that is another is replaced.
    #[schema(value_type = Vec<faults::Described>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
}

/// A team as it is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclaredTeam {
    /// Its ID, ten letters or digits.
    #[schema(value_type = String, example = "TEAM000042")]
    id: TeamId,
    /// Its keys. A new team without any gets one that is good for everything.
    #[serde(default)]
    keys: Vec<DeclaredKey>,
    /// Its apps.
    #[serde(default)]
    apps: Vec<App>,
    /// Its devices.
    #[serde(default)]
    devices: Vec<DeclaredDevice>,
    /// Settings by their names; what is not mentioned stays as it is. With `profile` all of them begin anew, as it has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, settings::Value>,
    /// How its time goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<clock::Set>,
    /// Its faults. One of the same name that is another is replaced.
    #[schema(value_type = Vec<faults::Described>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
}

/// A key as it is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DeclaredKey {
    /// Its ID, ten letters or digits.
    #[schema(value_type = String, example = "KEY0000042")]
    key_id: KeyId,
    /// The private key, as Apple's .p8 has it; left out, one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p8: Option<String>,
    /// The one environment that it is good for; left out, both.
    #[schema(value_type = Option<schema::Environment>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    /// The only apps that it is good for; left out, all of the team's.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apps: Option<Vec<BundleId>>,
    /// The one other key for certain apps that may be used on the same connection.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    related: Option<KeyId>,
    /// Whether it is revoked.
    #[serde(default)]
    revoked: bool,
}

/// A device as it is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclaredDevice {
    /// Its name.
    #[schema(value_type = String, example = "phone")]
    name: DeviceId,
    /// Whether it can be reached; left out, a new one is online.
    #[schema(value_type = Option<schema::DeviceState>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<DeviceState>,
    /// The apps on it.
    #[serde(default)]
    apps: Vec<DeclaredInstallation>,
}

/// An app on a device as it is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DeclaredInstallation {
    /// Its bundle ID, of an app of the team.
    #[schema(value_type = String, example = "com.example.app")]
    bundle_id: BundleId,
    /// The environment of the build; left out, the sandbox.
    #[schema(value_type = Option<schema::Environment>)]
    #[serde(default = "sandbox")]
    environment: Environment,
    /// Whether the user lets it show notifications; left out, a new one may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permission: Option<bool>,
    /// What it is registered for.
    #[serde(default)]
    tokens: Vec<DeclaredToken>,
}

/// A registration as it is to be.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclaredToken {
    /// What the token is for; left out, the app itself.
    #[schema(value_type = Option<schema::TokenKind>)]
    #[serde(default = "app")]
    kind: TokenKind,
    /// The token in hexadecimal; left out, one is minted.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<DeviceToken>,
    /// What APNs knows of it; left out, it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<tokens::Status>,
}

const fn sandbox() -> Environment {
    Environment::Sandbox
}

const fn app() -> TokenKind {
    TokenKind::App
}

impl State {
    /// Brings a double to what is declared. At a mistake it stops: what stands before it is there, what stands behind it is not.
    pub(super) fn carry_out(&self, control: &Control) -> ApiResult<()> {
        self.teams
            .iter()
            .enumerate()
            .try_for_each(|(at, team)| team.carry_out(control, &format!("teams[{at}]")))?;
        faults::declare_for_everyone(&self.faults, control)
    }

    /// What there is now, as it would be declared.
    pub(super) fn of(control: &Control) -> ApiResult<Self> {
        let ids: Vec<TeamId> = control.shared().batch().service().team_ids().collect();
        let teams = ids
            .into_iter()
            .map(|id| control.in_team::<_, ApiError>(Some(id), |team| Ok(DeclaredTeam::of(team, control))));
        let teams = teams.collect::<Result<_, _>>()?;
        let mut batch = control.shared().batch();
        let faults = batch.service().faults(now()).map(|known| known.fault.clone()).collect();
        Ok(Self { teams, faults })
    }
}

impl DeclaredTeam {
    fn carry_out(&self, control: &Control, path: &str) -> ApiResult<()> {
        let id = self.id;
        let is_new = control.shared().batch().service().team(id).is_none();
        if is_new && self.keys.is_empty() {
            control.credentials().create_team(control.shared(), Some(id), &[])?;
        } else if is_new {
            control.shared().batch().service().add_team(Team::new(id))?;
        }
        for (at, key) in self.keys.iter().enumerate() {
            key.carry_out(control, id).map_err(|error| error.at(&format!("{path}.keys[{at}]")))?;
        }
        control.in_team(Some(id), |team| {
            for (at, app) in self.apps.iter().enumerate() {
                app.declare(team).map_err(|error| error.at(&format!("{path}.apps[{at}]")))?;
            }
            let settings = settings::changed(team.team().settings(), &self.settings);
            team.set_settings(
                settings.map_err(|error| ApiError::from(error).at(&format!("{path}.settings")))?,
            );
            for (at, device) in self.devices.iter().enumerate() {
                device.carry_out(team, &format!("{path}.devices[{at}]"))?;
            }
            if let Some(clock) = &self.clock {
                clock.carry_out(team).map_err(|error| ApiError::from(error).at(&format!("{path}.clock")))?;
            }
            faults::declare_in_team(&self.faults, team, &format!("{path}.faults"))
        })
    }

    fn of(team: &TeamAt<'_>, control: &Control) -> Self {
        let id = team.team().id();
        Self {
            id,
            keys: team.team().keys().map(|key| DeclaredKey::of(key, id, control)).collect(),
            apps: team.team().apps().map(App::of).collect(),
            devices: team.team().devices().map(|device| DeclaredDevice::of(team, device)).collect(),
            settings: settings::declared(team.team().settings()),
            clock: clock::Set::of(team),
            faults: team.faults().map(|known| known.fault.clone()).collect(),
        }
    }
}

impl DeclaredKey {
    fn carry_out(&self, control: &Control, team: TeamId) -> ApiResult<()> {
        let id = self.key_id;
        let scope = Scope { environment: self.environment, apps: self.apps.clone(), related: self.related };
        let scope = scope.read()?;
        let known = control.in_team::<_, ApiError>(Some(team), |team| {
            Ok(team.team().keys().find(|key| key.id == id).cloned())
        })?;
        let given = self
            .p8
            .as_deref()
            .map(|p8| AuthKey::from_p8(apns_certs::KeyId::new(id.as_str())?, p8))
            .transpose()?;
        if let Some(known) = known {
            let is_another = given.is_some_and(|given| given.private_key.public_key() != known.public_key);
            if is_another || known.scope != scope {
                let message = format!("the team {team} has another key {id}: a key does not change");
                return Err(ApiError::new(ErrorCode::Conflict, message));
            }
        } else {
            let key = match given {
                Some(key) => key,
                None => control.credentials().new_key(Some(id))?.1,
            };
            let provider_key = ProviderKey::new(id, key.private_key.public_key(), scope);
            control.in_team(Some(team), |team| team.add_key(provider_key))?;
            control.credentials().remember(team, id, key);
        }
        if self.revoked {
            control.in_team::<_, ApiError>(Some(team), |team| Ok(team.revoke_key(id)))?;
        }
        Ok(())
    }

    fn of(key: &ProviderKey, team: TeamId, control: &Control) -> Self {
        let Scope { environment, apps, related } = Scope::of(&key.scope);
        let p8 = control.credentials().get(team, key.id).map(|key| key.to_p8());
        Self { key_id: key.id, p8, environment, apps, related, revoked: key.revoked }
    }
}

impl DeclaredDevice {
    fn carry_out(&self, team: &mut TeamAt<'_>, path: &str) -> ApiResult<()> {
        if team.team().device(&self.name).is_none() {
            team.add_device(self.name.clone())?;
        }
        for (at, app) in self.apps.iter().enumerate() {
            app.carry_out(team, &self.name).map_err(|error| error.at(&format!("{path}.apps[{at}]")))?;
        }
        match self.state {
            Some(state) => Ok(team.set_device_state(&self.name, state)?),
            None => Ok(()),
        }
    }

    fn of(team: &TeamAt<'_>, device: mock_apns_core::Device<'_>) -> Self {
        let apps = device.apps().map(|app| DeclaredInstallation {
            bundle_id: app.bundle_id().clone(),
            environment: app.environment(),
            permission: Some(app.permission()),
            tokens: app.tokens().map(|(kind, token)| DeclaredToken::of(team, kind, token)).collect(),
        });
        Self { name: device.id().clone(), state: Some(device.state()), apps: apps.collect() }
    }
}

impl DeclaredInstallation {
    fn carry_out(&self, team: &mut TeamAt<'_>, device: &DeviceId) -> ApiResult<()> {
        let Self { bundle_id, environment, .. } = self;
        team.install(device, bundle_id, *environment)?;
        let installed = find(team, device, bundle_id, *environment).map(|app| app.permission());
        if let Some(allowed) = self.permission.filter(|allowed| installed != Some(*allowed)) {
            team.set_permission(device, bundle_id, *environment, allowed)?;
        }
        for declared in &self.tokens {
            let token = declared.register(team, device, bundle_id, *environment)?;
            if let Some(status) = declared.known {
                let status = status.read(team.now());
                team.set_token_status(&token, status);
            }
        }
        Ok(())
    }
}

impl DeclaredToken {
    /// Registers the app, unless it is registered under this token already: registering tells APNs that a token lives.
    fn register(
        &self,
        team: &mut TeamAt<'_>,
        device: &DeviceId,
        app: &BundleId,
        environment: Environment,
    ) -> ApiResult<DeviceToken> {
        let installed = find(team, device, app, environment).into_iter();
        let registered = installed.flat_map(InstalledApp::tokens).find(|(kind, _)| *kind == self.kind);
        match (registered, &self.token) {
            (Some((_, token)), None) => Ok(token),
            (Some((_, token)), Some(wanted)) if token == *wanted => Ok(token),
            (_, None) => Ok(team.register(device, app, environment, self.kind)?),
            (_, Some(wanted)) => {
                team.register_as(device, app, environment, self.kind, wanted.clone())?;
                Ok(wanted.clone())
            }
        }
    }

    fn of(team: &TeamAt<'_>, kind: TokenKind, token: DeviceToken) -> Self {
        let known = team.team().token_status(&token, team.now());
        let known = known.filter(|status| *status != mock_apns_core::TokenStatus::Active).map(Into::into);
        Self { kind, token: Some(token), known }
    }
}

/// An app on a device.
fn find<'a>(
    team: &'a TeamAt<'_>,
    device: &DeviceId,
    app: &BundleId,
    environment: Environment,
) -> Option<InstalledApp<'a>> {
    let mut apps = team.team().device(device)?.apps();
    apps.find(|it| it.bundle_id() == app && it.environment() == environment)
}
