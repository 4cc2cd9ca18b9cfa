//! Which requests were attempts to send which push, where pushes can be told apart.

use std::collections::{BTreeMap, HashMap};

use super::{Evidence, Request};

/// What a push with this id says, and no other.
pub(crate) fn word(id: u64) -> String {
    format!("{WORD}{id:0DIGITS$}")
}

impl Evidence {
    /// The requests of each push that was sent, by its id, in the order in which they came. They are known by the word in their body, or
    /// else by their `apns-id`, or else by a device token that no other push went to.
    pub(crate) fn attempts(&self) -> BTreeMap<u64, Vec<Request>> {
        let mut attempts: BTreeMap<u64, Vec<Request>> =
            self.sent.keys().map(|id| (*id, Vec::new())).collect();
        let with_id = self.sent.iter().filter_map(|(id, sent)| Some((sent.apns_id.as_deref()?, *id)));
        let by_apns_id: HashMap<&str, u64> = with_id.collect();
        let by_token = self.by_token();
        for request in self.requests() {
            let by_apns_id = || request.field("apns-id").and_then(|apns_id| by_apns_id.get(apns_id)).copied();
            let by_token = || *by_token.get(&request.device_token()?.to_ascii_lowercase())?;
            let id = number_in(&request.body).or_else(by_apns_id).or_else(by_token);
            if let Some(attempts) = id.and_then(|id| attempts.get_mut(&id)) {
                attempts.push(request);
            }
        }
        attempts
    }

    /// The push to each device token; none, where there are several.
    fn by_token(&self) -> HashMap<String, Option<u64>> {
        let mut by_token = HashMap::new();
        for (id, sent) in &self.sent {
            let token = sent.device_token.to_ascii_lowercase();
            by_token.entry(token).and_modify(|of| *of = None).or_insert(Some(*id));
        }
        by_token
    }
}

/// The id of the push whose word is in a body.
fn number_in(body: &[u8]) -> Option<u64> {
    let at = body.windows(WORD.len()).position(|bytes| bytes == WORD.as_bytes())? + WORD.len();
    str::from_utf8(body.get(at..at + DIGITS)?).ok()?.parse().ok()
}

/// What the words begin with.
const WORD: &str = "push-";
/// Digits of the number behind it: more than any play has pushes.
const DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_known_by_its_word() {
        let body = format!(r#"{{"aps":{{"alert":"{} and more"}}}}"#, word(42));
        assert_eq!(number_in(body.as_bytes()), Some(42));
        assert_eq!(number_in(&body.as_bytes()[..20]), None, "it is cut");
        assert_eq!(number_in(br#"{"aps":{"alert":"push-me"}}"#), None);
    }
}
