//! How many streams were open when another one was opened, and how many the double allowed.

use std::{collections::HashMap, fmt, time::Duration};

use super::{
    Connection, SETTINGS_MAX_CONCURRENT_STREAMS,
    in_force::InForce,
    said::{Said, Side, What},
};

/// A stream that the provider has opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Opened {
    /// The stream.
    pub(crate) stream: u32,
    /// When.
    pub(crate) at: Duration,
    /// How many were open then, this one among them.
    pub(crate) open: usize,
    /// How many might be, at most: by the newest SETTINGS that the provider had acknowledged, or by those that were under way to it.
    pub(crate) allowed: u32,
}

impl Opened {
    /// Whether it was one too many (RFC 9113, 5.1.2).
    pub(crate) fn is_too_many(&self) -> bool {
        self.open > usize::try_from(self.allowed).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {} as number {}", self.stream, self.open)?;
        match self.allowed {
            u32::MAX => f.write_str(", where no limit was known"),
            allowed => write!(f, " of {allowed}"),
        }
    }
}

/// Which sides of a stream have ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    provider: bool,
    double: bool,
}

impl Connection {
    /// Every stream that the provider has opened, in order. The streams are counted as they are to the double, which knows of an end
    /// before the provider does: a provider that counts for itself never comes to less.
    pub(crate) fn opened_streams(&self) -> Vec<Opened> {
        let (mut opened, mut in_force) = (Vec::new(), InForce::default());
        let (mut open, mut newest) = (HashMap::<u32, Ended>::new(), 0);
        for said in &self.said {
            in_force.see(said);
            let Some(stream) = said.what.stream() else { continue };
            if stream > newest && said.side == Side::Provider && matches!(said.what, What::Headers(_)) {
                newest = stream;
                open.insert(stream, Ended::default());
                let allowed = in_force.most(SETTINGS_MAX_CONCURRENT_STREAMS, u32::MAX);
                opened.push(Opened { stream, at: said.at, open: open.len(), allowed });
            }
            let Some(ended) = open.get_mut(&stream) else { continue };
            ended.see(said);
            if ended.provider && ended.double {
                open.remove(&stream);
            }
        }
        opened
    }

    /// The first stream that was one too many.
    pub(crate) fn first_too_many(&self) -> Option<Opened> {
        self.opened_streams().into_iter().find(Opened::is_too_many)
    }
}

impl Ended {
    fn see(&mut self, said: &Said) {
        let is_end = match &said.what {
            What::Headers(headers) => headers.end,
            What::Data(data) => data.end,
            What::Reset { .. } => {
                *self = Self { provider: true, double: true };
                return;
            }
            _ => return,
        };
        match said.side {
            Side::Provider => self.provider |= is_end,
            Side::Double => self.double |= is_end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::made;

    const OK: [(&str, &str); 1] = [(":status", "200")];

    fn request(stream: u32) -> [(Side, What); 2] {
        let side = Side::Provider;
        [(side, made::headers(stream, &[(":method", "POST")], false)), (side, made::data(stream, 10, true))]
    }

    fn streams(count: u32) -> [(Side, What); 2] {
        let settings = What::Settings(vec![(SETTINGS_MAX_CONCURRENT_STREAMS, count)]);
        [(Side::Double, settings), (Side::Provider, What::SettingsAck)]
    }

    fn opened(said: impl IntoIterator<Item = (Side, What)>) -> Vec<(u32, usize, u32)> {
        let opened = made::connection(said).opened_streams();
        opened.into_iter().map(|it| (it.stream, it.open, it.allowed)).collect()
    }

    #[test]
    fn a_stream_is_open_until_both_sides_have_ended_it() {
        let mut said = streams(5).to_vec();
        said.extend(request(1));
        said.extend(request(3));
        said.push((Side::Double, made::headers(1, &OK, true)));
        said.extend(request(5));
        said.push((Side::Double, made::headers(3, &[(":status", "400")], false)));
        said.extend(request(7));
        said.push((Side::Double, made::data(3, 5, true)));
        said.extend(request(9));
        assert_eq!(opened(said), [(1, 1, 5), (3, 2, 5), (5, 2, 5), (7, 3, 5), (9, 3, 5)]);
    }

    #[test]
    fn a_reset_closes_it_whoever_sends_it_and_trailers_open_none() {
        let mut said = vec![(Side::Provider, made::headers(1, &[], false))];
        said.push((Side::Provider, made::headers(1, &[("x", "y")], true)));
        said.push((Side::Provider, What::Reset { stream: 1, code: 8 }));
        said.extend(request(3));
        said.push((Side::Double, What::Reset { stream: 3, code: 7 }));
        said.extend(request(5));
        assert_eq!(opened(said), [(1, 1, u32::MAX), (3, 1, u32::MAX), (5, 1, u32::MAX)]);
    }

    #[test]
    fn one_too_many_is_found_where_fewer_were_acknowledged() {
        let mut said = streams(2).to_vec();
        said.extend(request(1));
        said.extend(request(3));
        let [fewer, acknowledgement] = streams(1);
        said.push(fewer);
        said.push((Side::Double, made::headers(1, &OK, true)));
        said.extend(request(5));
        said.push(acknowledgement);
        said.push((Side::Double, made::headers(3, &OK, true)));
        said.extend(request(7));
        let found = made::connection(said).first_too_many().unwrap();
        assert_eq!(found.to_string(), "stream 7 as number 2 of 1");
    }
}
