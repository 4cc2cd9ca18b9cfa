//! An app on a device.

use serde::{Deserialize, Serialize};

use crate::{
    Environment, Timestamp, TokenKind, app::AppIndex, bytes::is_default, delivery::Stored,
    device_token::TokenIdentity,
};

/// An app on a device, installed or gone: its permission, its tokens, and the one push that waits for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Installation {
    pub(crate) app: AppIndex,
    /// The environment of the build. A development build and one from the App Store are two installations: their tokens
    /// and pushes never meet.
    pub(crate) environment: Environment,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) installed: bool,
    /// Whether the user lets it show notifications.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) permission: bool,
    /// Whether APNs knows that the user does not. A device tells when it is online.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) known_disabled: bool,
    /// The kinds that it is registered for.
    #[serde(with = "kinds", default, skip_serializing_if = "is_default")]
    registered: u16,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) generation: u32,
    /// The push that waits: at most one for an app on a device.
    #[serde(skip)]
    pub(crate) slot: Option<Box<Stored>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    more: Option<Box<More>>,
}

/// What few installations have.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct More {
    pub(crate) activities: Vec<Activity>,
    /// The budget of background pushes.
    pub(crate) background: Timestamp,
    /// The rate limits of its tokens, but those of Live Activities.
    floods: Vec<(TokenKind, Timestamp)>,
}

/// A Live Activity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Activity {
    /// Its number among those of the app on the device, from 1.
    pub(crate) number: u32,
    pub(crate) ended: bool,
    /// The newest `timestamp` that reached it, in milliseconds.
    pub(crate) newest: Option<u64>,
    /// The rate limit of its token.
    flood: Timestamp,
}

/// Why a device cannot do anything with a push that reached it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unreachable {
    Uninstalled,
    NewToken,
    Unregistered,
    ActivityEnded,
}

impl Installation {
    /// An app that was just put on the device.
    pub(crate) fn new(app: AppIndex, environment: Environment) -> Self {
        Self {
            app,
            environment,
            installed: true,
            permission: true,
            known_disabled: false,
            registered: 0,
            generation: 1,
            slot: None,
            more: None,
        }
    }

    /// Puts the app back on the device: a new start, with new tokens.
    pub(crate) fn reinstall(&mut self) {
        self.installed = true;
        self.permission = true;
        self.forget_tokens();
    }

    pub(crate) fn uninstall(&mut self) {
        self.installed = false;
        self.end_activities();
    }

    /// From now on its tokens are others.
    pub(crate) fn forget_tokens(&mut self) {
        self.generation += 1;
        self.registered = 0;
        self.end_activities();
    }

    /// A bit for each kind that it is registered for.
    pub(super) fn registered_kinds(&self) -> u16 {
        self.registered
    }

    pub(crate) fn is_registered(&self, kind: TokenKind) -> bool {
        self.registered & (1 << kind as u16) != 0
    }

    pub(crate) fn set_registered(&mut self, kind: TokenKind, registered: bool) {
        let bit = 1 << kind as u16;
        self.registered = if registered { self.registered | bit } else { self.registered & !bit };
    }

    pub(crate) fn start_activity(&mut self) -> u32 {
        let activities = &mut self.more_mut().activities;
        let number = activities.last().map_or(1, |last| last.number + 1);
        if activities.len() >= ACTIVITIES_MAX {
            let ended = activities.iter().position(|activity| activity.ended);
            activities.remove(ended.unwrap_or(0));
        }
        activities.push(Activity { number, ended: false, newest: None, flood: Timestamp::default() });
        number
    }

    pub(crate) fn activity_mut(&mut self, number: u32) -> Option<&mut Activity> {
        self.more.as_mut()?.activities.iter_mut().find(|activity| activity.number == number)
    }

    fn end_activities(&mut self) {
        let activities = self.more.iter_mut().flat_map(|more| &mut more.activities);
        activities.for_each(|activity| activity.ended = true);
    }

    /// Whether the device knows what to do with a push to this token.
    pub(crate) fn reaches(&self, token: &TokenIdentity) -> Result<(), Unreachable> {
        if !self.installed {
            return Err(Unreachable::Uninstalled);
        }
        if token.generation != self.generation {
            return Err(Unreachable::NewToken);
        }
        if token.activity == 0 {
            return if self.is_registered(token.kind) { Ok(()) } else { Err(Unreachable::Unregistered) };
        }
        let activities = self.more.iter().flat_map(|more| &more.activities);
        let under_way = |activity: &Activity| activity.number == token.activity && !activity.ended;
        if activities.into_iter().any(under_way) { Ok(()) } else { Err(Unreachable::ActivityEnded) }
    }

    /// The rate limit of one of its tokens.
    pub(crate) fn flood(&self, kind: TokenKind, activity: u32) -> Timestamp {
        let found = self.more.as_ref().and_then(|more| match activity {
            0 => more.floods.iter().find(|it| it.0 == kind).map(|it| it.1),
            _ => more.activities.iter().find(|it| it.number == activity).map(|it| it.flood),
        });
        found.unwrap_or_default()
    }

    pub(crate) fn set_flood(&mut self, kind: TokenKind, activity: u32, value: Timestamp) {
        if activity != 0 {
            self.activity_mut(activity).into_iter().for_each(|it| it.flood = value);
        } else {
            let floods = &mut self.more_mut().floods;
            floods.retain(|it| it.0 != kind);
            floods.push((kind, value));
        }
    }

    /// The budget of its background pushes.
    pub(crate) fn background(&self) -> Timestamp {
        self.more.as_ref().map(|more| more.background).unwrap_or_default()
    }

    pub(crate) fn set_background(&mut self, value: Timestamp) {
        self.more_mut().background = value;
    }

    /// Whether one that was read leaves room for what may still happen to it.
    pub(super) fn is_sound(&self) -> bool {
        let activities = self.more.as_ref().map_or(&[][..], |more| &more.activities);
        let numbers = activities.iter().map(|activity| activity.number);
        let in_order = numbers.clone().is_sorted_by(|number, next| number < next);
        let in_bounds = numbers.clone().all(|number| (1..=NUMBER_MAX).contains(&number));
        let floods = self.more.as_ref().map_or(0, |more| more.floods.len());
        in_order
            && in_bounds
            && activities.len() <= ACTIVITIES_MAX
            && floods <= TokenKind::ALL.len()
            && (1..=NUMBER_MAX).contains(&self.generation)
    }

    fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// Live Activities of an app on a device that are remembered. iOS lets an app have a handful; beyond these the oldest
/// that has ended is forgotten, and its token counts as that of an ended one.
const ACTIVITIES_MAX: usize = 100;

/// The greatest generation and the greatest number of a Live Activity that are believed of a snapshot: as many can follow.
const NUMBER_MAX: u32 = u32::MAX / 2;

/// The usual values are not written, since there may be a million of them.
fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_yes(value: &bool) -> bool {
    *value
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_one(value: &u32) -> bool {
    *value == 1
}

/// Kinds as a list of their names.
mod kinds {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::TokenKind;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn serialize<S: Serializer>(kinds: &u16, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(TokenKind::ALL.iter().filter(|kind| kinds & 1 << **kind as u16 != 0))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
        let kinds = Vec::<TokenKind>::deserialize(from)?;
        Ok(kinds.into_iter().fold(0, |kinds, kind| kinds | 1 << kind as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(kind: TokenKind, generation: u32, activity: u32) -> TokenIdentity {
        let (device, app) = (crate::device::DeviceIndex(0), AppIndex(0));
        TokenIdentity { device, app, environment: Environment::Sandbox, kind, generation, activity }
    }

    fn installation() -> Installation {
        Installation::new(AppIndex(0), Environment::Sandbox)
    }

    #[test]
    fn a_token_reaches_the_app_it_was_given_to_and_says_why_it_does_not() {
        let mut app = installation();
        let alert = token(TokenKind::App, 1, 0);
        assert_eq!(app.reaches(&alert), Err(Unreachable::Unregistered));
        app.set_registered(TokenKind::App, true);
        assert_eq!(app.reaches(&alert), Ok(()));
        assert_eq!(app.reaches(&token(TokenKind::Voip, 1, 0)), Err(Unreachable::Unregistered));
        app.uninstall();
        assert_eq!(app.reaches(&alert), Err(Unreachable::Uninstalled));
        app.reinstall();
        app.set_registered(TokenKind::App, true);
        assert_eq!(app.reaches(&alert), Err(Unreachable::NewToken));
        assert_eq!(app.reaches(&token(TokenKind::App, 2, 0)), Ok(()));
    }

    #[test]
    fn a_live_activity_is_reached_until_it_ends() {
        let mut app = installation();
        let [first, second] = [app.start_activity(), app.start_activity()];
        let reaches =
            |app: &Installation, activity| app.reaches(&token(TokenKind::LiveActivity, 1, activity));
        assert_eq!(reaches(&app, first), Ok(()));
        app.activity_mut(first).unwrap().ended = true;
        assert_eq!(reaches(&app, first), Err(Unreachable::ActivityEnded));
        assert_eq!(reaches(&app, second), Ok(()));
        app.uninstall();
        app.reinstall();
        assert_eq!(reaches(&app, second), Err(Unreachable::NewToken));
    }

    #[test]
    fn live_activities_are_numbered_for_ever_and_remembered_in_bounds() {
        let mut app = installation();
        for number in 1..=250 {
            assert_eq!(app.start_activity(), number);
        }
        assert_eq!(app.more_mut().activities.len(), ACTIVITIES_MAX);
        assert_eq!(app.reaches(&token(TokenKind::LiveActivity, 1, 250)), Ok(()));
    }

    #[test]
    fn every_token_has_a_rate_limit_of_its_own() {
        let mut app = installation();
        let activity = app.start_activity();
        let tokens = [
            (TokenKind::App, 0),
            (TokenKind::Voip, 0),
            (TokenKind::LiveActivity, 0),
            (TokenKind::LiveActivity, activity),
        ];
        for (at, (kind, activity)) in (1..).zip(tokens) {
            app.set_flood(kind, activity, Timestamp::from_secs(at));
            app.set_flood(kind, activity, Timestamp::from_secs(10 * at));
        }
        for (at, (kind, activity)) in (1..).zip(tokens) {
            assert_eq!(app.flood(kind, activity), Timestamp::from_secs(10 * at), "{kind:?} {activity}");
        }
    }
}
