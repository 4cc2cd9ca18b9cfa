//! Whose journal what was turned away goes into, and where it is read there.
//!
//! ```text
//!   refused push ──▶ the team that it was judged for
//!                    else the team that its credentials name, proven or not     ──▶ a team's journal
//!                    else the team whose device token stands in its path
//!                    else nobody's                                              ──▶ the service's own
//! ```

use crate::{
    DeviceToken, FieldName, Filter, Push, Pushes, Record, Request, Service, TeamId, Timestamp,
    connection::{self, Admission, Connection},
    journal::{Compact, TurnedAway},
    provider_token,
    rules::DEVICE_PATH,
    team::{TeamIndex, Teams},
};

impl Service {
    /// What was turned away and concerns no team, from this cursor on: pushes whose credentials and device token are
    /// nobody's, and connections whose certificate is. It is bounded like a team's journal, by the service's setting
    /// `journal-entries`, and has cursors of its own.
    pub fn unclaimed(&self, since: u64) -> impl DoubleEndedIterator<Item = Record<'_>> {
        self.unclaimed.since(since).map(|(cursor, entry)| Record::unclaimed(cursor, entry))
    }

    /// The cursors of [those](Self::unclaimed) that are still there.
    pub fn unclaimed_cursors(&self) -> std::ops::Range<u64> {
        self.unclaimed.cursors()
    }

    /// As [`Team::pushes`](crate::Team::pushes): those that concern no team.
    pub fn unclaimed_pushes(&self, filter: &Filter, after: Option<u64>, limit: usize) -> Pushes<'_> {
        Pushes::find(&self.unclaimed.cursors(), |since| self.unclaimed(since), filter, after, limit)
    }

    /// As [`Team::push`](crate::Team::push), of the first team that has it, and whose it is; `None` in place of the team:
    /// it concerns none.
    pub fn push(&self, id: &str) -> Option<(Option<TeamId>, Push<'_>)> {
        let teams = self.teams.indices().filter_map(|index| self.teams.get(index));
        let mut found = teams.filter_map(|team| Some((Some(team.id()), team.push(id)?)));
        found.next().or_else(|| Some((None, Push::newest(self.unclaimed(0), id)?)))
    }

    /// A team whose journal has grown since it was named last, or `None`: to be called until it returns `None`, after
    /// each call or each batch of them, for whoever waits for something to happen. The one that grew first comes first.
    pub fn poll_changed(&mut self) -> Option<TeamId> {
        loop {
            let id = self.changed.pop_front()?;
            // A team may have been removed since, and be there again.
            let team = self.teams.index_of(id).and_then(|index| self.teams.get_mut(index));
            if team.is_some_and(|team| std::mem::take(&mut team.is_changed)) {
                return Some(id);
            }
        }
    }

    /// Whether the journal of what concerns no team has grown since this was asked last.
    pub fn poll_unclaimed(&mut self) -> bool {
        std::mem::take(&mut self.unclaimed_changed)
    }

    /// Writes down what was turned away: in the journal of this team, if there is one.
    pub(crate) fn file(&mut self, now: Timestamp, team: Option<TeamIndex>, turned_away: TurnedAway) {
        if let Some(mut team) = team.and_then(|index| self.at(now, index)) {
            team.log(Compact::TurnedAway(turned_away));
        } else {
            let evictions = &mut self.totals.journal_evictions;
            self.unclaimed.add(self.settings.journal_entries, now, turned_away, |_| *evictions += 1);
            self.unclaimed_changed = true;
        }
    }
}

/// The team that a request concerns whose credentials are not proven.
pub(crate) fn concerned(connection: &Connection, request: &Request, teams: &Teams) -> Option<TeamIndex> {
    named(connection, request, teams).or_else(|| owner_of_device_token(request, teams))
}

/// The team that the credentials name: the connection's certificate, else the provider token.
fn named(connection: &Connection, request: &Request, teams: &Teams) -> Option<TeamIndex> {
    match &connection.admission {
        Admission::ByCertificate { certificate, .. } => connection::team_of(certificate, teams),
        Admission::ByToken | Admission::Refused(_) => {
            let issuer = provider_token::issuer(request.get(FieldName::Authorization)?)?;
            teams.index_of(issuer)
        }
    }
}

fn owner_of_device_token(request: &Request, teams: &Teams) -> Option<TeamIndex> {
    let token = DeviceToken::from_hex(request.path()?.strip_prefix(DEVICE_PATH)?).ok()?;
    teams.find(|team| team.identify(token.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Environment, Event, Opened, Reason, Settings, Team, TokenKind, Verdict,
        bench::{
            self, Bench, Jwt, NOW, OTHER_TEAM, PHONE, TEAM, TOKEN, bundle_id, certificate, certificate_for,
            device, sandbox,
        },
    };

    /// Whose journal has grown by this push, and by what: `TEAM000001 InvalidProviderToken`.
    fn filed(bench: &mut Bench, push: &bench::Push) -> String {
        while bench.service.poll_changed().is_some() {}
        bench.service.poll_unclaimed();
        bench.answer(push);
        last_filed(&mut bench.service)
    }

    fn last_filed(service: &mut Service) -> String {
        let unclaimed = service.poll_unclaimed();
        let changed: Vec<TeamId> = std::iter::from_fn(|| service.poll_changed()).collect();
        let (whose, event) = match (&changed[..], unclaimed) {
            ([], true) => ("nobody's".to_owned(), service.unclaimed(0).next_back().unwrap().event),
            ([team], false) => {
                let newest = service.team(*team).unwrap().journal(0).next_back().unwrap();
                (team.to_string(), newest.event)
            }
            other => panic!("{other:?}"),
        };
        match event {
            Event::Refused(refused) => format!("{whose} {}", refused.reason.as_str()),
            Event::GoAway { reason, .. } => format!("{whose} goaway {}", reason.as_str()),
            other => panic!("{other:?}"),
        }
    }

    /// A request of which nothing is anybody's.
    fn strange(bench: &Bench) -> bench::Push {
        bench.push().without("authorization").with(":path", "/3/device/00")
    }

    #[test]
    fn a_refused_push_is_filed_with_the_team_that_it_was_judged_for() {
        let mut bench = Bench::new();
        let push = bench.push().with("apns-priority", "7");
        assert_eq!(filed(&mut bench, &push), "TEAM000001 BadPriority");
    }

    #[test]
    fn a_refused_push_is_filed_with_the_team_that_its_token_names_proven_or_not() {
        let mut bench = Bench::new();
        let source = bench.push();
        let good = source.value("authorization");
        let bare = good.strip_prefix("bearer ").unwrap();
        let forged = |team: &str| source.clone().signed_by(&Jwt { team, signer: "forged", ..Jwt::default() });
        for (push, expected) in [
            (forged(TEAM), "TEAM000001 InvalidProviderToken"),
            (forged(OTHER_TEAM), "TEAM000002 InvalidProviderToken"),
            (source.clone().with("authorization", bare), "TEAM000001 MissingProviderToken"),
            (source.clone().with(":path", "/2"), "TEAM000001 BadPath"),
            (source.clone().with(":method", "GET"), "TEAM000001 MethodNotAllowed"),
        ] {
            assert_eq!(filed(&mut bench, &push), expected);
        }
    }

    #[test]
    fn a_certificate_names_the_team_and_the_provider_token_beside_it_does_not() {
        let mut bench = Bench::new();
        bench.connect_with(&certificate("development"));
        let id = TeamId::parse(TEAM).unwrap();
        bench.service.remove_team(id);
        bench.service.add_team(Team::new(id)).unwrap();
        let theirs = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
        assert!(filed(&mut bench, &theirs).starts_with("TEAM000001 "));
    }

    #[test]
    fn a_push_without_a_team_of_its_own_is_filed_with_that_of_its_device_token() {
        let mut bench = Bench::new();
        let (phone, app) = (device(PHONE), bundle_id("com.example.app"));
        let mut other = bench.service.team_at(NOW, TeamId::parse(OTHER_TEAM).unwrap()).unwrap();
        let token = other.register(&phone, &app, Environment::Sandbox, TokenKind::Voip).unwrap();
        let push = bench.push().without("authorization").with(":path", &format!("/3/device/{token}"));
        assert_eq!(filed(&mut bench, &push), "TEAM000002 MissingProviderToken");
        let named = push.clone().signed_by(&Jwt { signer: "forged", ..Jwt::default() });
        assert_eq!(filed(&mut bench, &named), "TEAM000001 InvalidProviderToken");
        let nobodys = named.signed_by(&Jwt { team: "NOSUCHTEAM", ..Jwt::default() });
        assert_eq!(filed(&mut bench, &nobodys), "TEAM000002 InvalidProviderToken");
    }

    #[test]
    fn what_is_nobodys_is_kept_by_the_service_as_far_as_there_is_room() {
        let mut bench = Bench::with_setting("journal-entries", "10");
        let push = strange(&bench);
        assert_eq!(filed(&mut bench, &push), "nobody's MissingProviderToken");
        for path in ["/3/device/", "/3/device/0g", "/", ""] {
            assert!(filed(&mut bench, &push.clone().with(":path", path)).starts_with("nobody's"), "{path}");
        }
        for _ in 0..20 {
            bench.answer(&push);
        }
        let cursors: Vec<u64> = bench.service.unclaimed(0).map(|record| record.cursor).collect();
        assert_eq!(cursors, (15..25).collect::<Vec<u64>>());
        let everything = Filter::default();
        let page = bench.service.unclaimed_pushes(&everything, Some(16), 3);
        assert!(page.pushes.iter().map(|push| push.cursor).eq(17..20) && page.next == Some(19));
        let newest = page.pushes[0].clone();
        assert_eq!(newest.request().text(FieldName::Path).unwrap(), "/3/device/00");
        assert!(matches!(newest.verdict(), Verdict::Refused { reason: Reason::MissingProviderToken, .. }));
        let json = serde_json::to_value(bench.service.unclaimed(24).next().unwrap()).unwrap();
        assert_eq!((&json["event"], &json["rule"]), (&"refused".into(), &"provider-token-is-present".into()));
    }

    #[test]
    fn filing_a_push_changes_no_answer() {
        let (mut with, mut without) = (Bench::new(), Bench::new());
        with.set(TEAM, "error-content-type", "application/json");
        let forged = with.push().signed_by(&Jwt { signer: "forged", ..Jwt::default() });
        assert_eq!(filed(&mut with, &forged), "TEAM000001 InvalidProviderToken");
        assert_eq!(with.answer(&forged).content_type, None);
        let [first, second] = [&mut with, &mut without].map(|bench| bench.answer(&bench.push()));
        assert_eq!(first, second);
    }

    #[test]
    fn a_goaway_is_filed_with_the_team_that_the_certificate_names_and_requests_behind_it_are_not() {
        let stranger = certificate_for("development", "com.stranger.app", "NOSUCHTEAM");
        for (der, expected) in [
            (&certificate("production")[..], "TEAM000001 goaway BadCertificateEnvironment"),
            (b"nonsense", "nobody's goaway BadCertificate"),
            (&stranger, "nobody's goaway BadCertificate"),
        ] {
            let mut service = bench::service(Settings::default(), 42);
            while service.poll_changed().is_some() {}
            let id = service.connected(NOW, Opened { certificate: Some(der), ..sandbox() });
            assert_eq!(last_filed(&mut service), expected);
            service.request(NOW, id, 1, &Bench::new().push().request(), b"{}");
            assert_eq!((service.poll_changed(), service.poll_unclaimed()), (None, false));
        }
        let mut bench = Bench::new();
        bench.connect_with(&certificate("production"));
        let team = bench.service.team(TeamId::parse(TEAM).unwrap()).unwrap();
        let record = team.journal(0).next_back().unwrap();
        let told = format!(
            r#"{{"cursor":{},"at":{NOW},"event":"goaway","reason":"BadCertificateEnvironment","connection":1}}"#,
            record.cursor
        );
        assert_eq!(serde_json::to_string(&record).unwrap(), told);
        for filter in ["event:goaway", "reason:BadCertificateEnvironment", "-status:200 -event:device"] {
            assert!(Filter::parse(filter).unwrap().matches(&record), "{filter}");
        }
        assert!(bench.service.unclaimed(0).next().is_none());
    }

    #[test]
    fn each_team_whose_journal_has_grown_is_named_once_in_order() {
        let mut bench = Bench::new();
        let mine = bench.push();
        let theirs = mine.clone().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
        while bench.service.poll_changed().is_some() {}
        for push in [&theirs, &mine, &theirs, &mine, &strange(&bench)] {
            bench.answer(push);
        }
        let mut changed = || bench.service.poll_changed().map(|id| id.as_str().to_owned());
        assert_eq!([changed(), changed(), changed()], [Some(OTHER_TEAM.into()), Some(TEAM.into()), None]);
        assert!(bench.service.poll_unclaimed() && !bench.service.poll_unclaimed());
        bench.answer(&mine);
        assert_eq!(bench.service.poll_changed().unwrap().as_str(), TEAM);
        bench.answer(&mine);
        bench.service.remove_team(TeamId::parse(TEAM).unwrap());
        assert_eq!(bench.service.poll_changed(), None);
    }

    #[test]
    fn a_team_that_is_there_again_is_named_once() {
        let mut bench = Bench::new();
        while bench.service.poll_changed().is_some() {}
        bench.answer(&bench.push());
        bench.service.remove_team(TeamId::parse(TEAM).unwrap());
        bench.service.add_team(bench::team()).unwrap();
        let push = bench.push().without("apns-topic");
        bench.answer(&push);
        let changed: Vec<_> = std::iter::from_fn(|| bench.service.poll_changed()).collect();
        assert_eq!(changed, [TeamId::parse(TEAM).unwrap()]);
    }

    #[test]
    fn a_push_is_found_by_its_id_whosever_it_is() {
        let mut bench = Bench::new();
        let theirs = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
        for (push, whose) in [(bench.push(), Some(TEAM)), (theirs, Some(OTHER_TEAM)), (strange(&bench), None)]
        {
            let id = bench.answer(&push).apns_id;
            let (team, found) = bench.service.push(&id.as_str().to_lowercase()).unwrap();
            assert_eq!((team.as_ref().map(TeamId::as_str), found.apns_id()), (whose, &id));
        }
        assert!(bench.service.push(TOKEN).is_none());
    }
}
