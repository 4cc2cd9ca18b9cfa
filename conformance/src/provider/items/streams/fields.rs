//! HPACK: C-18.

use crate::provider::{
    evidence::{Connection, Evidence, Field, Form, Headers, SETTINGS_HEADER_TABLE_SIZE, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    items::{
        changes::change_settings,
        outcomes::{all_accepted, all_reported},
    },
    protocol::{Options, Push},
    stage::{PATIENCE, Stage},
};

pub(super) fn item() -> Item {
    let plays = vec![
        Play::new("two-hundred-pushes", two_hundred_pushes, indexes_what_stays),
        Play::new("other-tables", other_tables, obeys_the_table_size),
        Play::new("too-large", too_large, sends_no_list_that_is_too_large),
    ];
    Item::new("C-18", plays)
}

/// Each push with an id of its own, which fill any table if they go into it.
fn two_hundred_pushes(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        for number in 0..PUSHES {
            let apns_id = format!("{:08x}-0000-4000-8000-{number:012x}", number * SPREAD);
            let push = Push { apns_id: Some(apns_id), ..stage.push() };
            if !stage.send_and_wait(PATIENCE, push).await? {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

fn indexes_what_stays(evidence: &Evidence) -> Result<(), Finding> {
    all_accepted(evidence)?;
    let requests = evidence.requests();
    for request in &requests {
        let fields = request.headers.fields.iter().filter(|field| UNINDEXED.contains(&field.name.as_str()));
        for field in fields {
            ensure(
                matches!(field.form, Form::WithoutIndexing | Form::NeverIndexed),
                format!("{} as a literal that is not indexed", field.name),
                || format!("{:?} on stream {}", field.form, request.stream),
            )
            .map_err(|finding| finding.at(request.connection, request.at))?;
        }
    }
    let Some(last) = requests.last() else { return Err(Finding::wrong("requests", "none")) };
    for name in ["apns-topic", "apns-push-type"] {
        let form = last.headers.fields.iter().find(|field| field.name == name).map(|field| field.form);
        ensure(form == Some(Form::Indexed(1)), format!("{name} in one byte after {PUSHES} pushes"), || {
            format!("{form:?}")
        })
        .map_err(|finding| finding.at(last.connection, last.at))?;
    }
    sends_no_list_that_is_too_large(evidence)
}

/// No table at all, and the usual one again.
fn other_tables(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        for size in [Some(0), Some(4096), None] {
            for _ in 0..SOME {
                stage.send_and_wait(PATIENCE, stage.push()).await?;
            }
            if let Some(size) = size {
                change_settings(stage, &format!(r#"{{"header-table-size":{size}}}"#)).await?;
            }
        }
        Ok(())
    })
}

fn obeys_the_table_size(evidence: &Evidence) -> Result<(), Finding> {
    for (place, connection) in evidence.connections.iter().enumerate() {
        // The double reads fields by the size that was acknowledged, and ends the connection over what has no entry.
        let complains = |what: &What| matches!(what, What::GoAway { code, .. } if *code == COMPRESSION_ERROR);
        if let Some(said) = connection.by_double().find(|said| complains(&said.what)) {
            return Err(Finding::wrong("no COMPRESSION_ERROR", said.what.to_string()).at(place, said.at));
        }
        if let Some(headers) = first_without_table(connection) {
            ensure(
                headers.table_sizes.contains(&0),
                "a table of 0 bytes said first (RFC 7541, 4.2)",
                || format!("{:?} on stream {}", headers.table_sizes, headers.stream),
            )?;
        }
    }
    all_accepted(evidence)
}

/// The first fields behind the acknowledgement of a table of 0 bytes, of a provider that has had one of more until then.
fn first_without_table(connection: &Connection) -> Option<&Headers> {
    let mut settings = connection.by_double().filter_map(|said| match &said.what {
        What::Settings(settings) => Some(settings),
        _ => None,
    });
    let mut is_there = false;
    for said in connection.said.iter().filter(|said| said.side == Side::Provider) {
        match &said.what {
            What::SettingsAck => is_there |= settings.next()?.contains(&(SETTINGS_HEADER_TABLE_SIZE, 0)),
            What::Headers(headers) if is_there => return Some(headers),
            What::Headers(headers) if headers.table_sizes.contains(&0) => return None,
            _ => {}
        }
    }
    None
}

/// A topic that makes the fields larger than the double takes, whatever else there is.
fn too_large(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        let push = stage.push();
        let topic = format!("{}.{}", push.topic, "x".repeat(LIST_BYTES_MAX));
        stage.send_and_wait(PATIENCE, Push { topic, ..push }).await?;
        Ok(())
    })
}

fn sends_no_list_that_is_too_large(evidence: &Evidence) -> Result<(), Finding> {
    for request in evidence.requests() {
        let bytes = list_bytes(&request.headers);
        ensure(bytes <= LIST_BYTES_MAX, format!("fields of {LIST_BYTES_MAX} bytes at most"), || {
            format!("{bytes}")
        })
        .map_err(|finding| finding.at(request.connection, request.at))?;
    }
    all_reported(evidence)
}

/// As MAX_HEADER_LIST_SIZE counts them (RFC 9113, 6.5.2).
fn list_bytes(headers: &Headers) -> usize {
    let bytes = |field: &Field| field.name.len() + field.value.len() + FIELD_OVERHEAD;
    headers.fields.iter().map(bytes).sum()
}

/// What Apple wants to be literals.
const UNINDEXED: [&str; 2] = [":path", "authorization"];
const PUSHES: u64 = 200;
/// So that ids differ from their beginning on.
const SPREAD: u64 = 0x0101_0101;
/// Pushes with each table.
const SOME: usize = 3;
/// What the double announces, as Apple does.
const LIST_BYTES_MAX: usize = 8000;
/// What each field counts for beside its bytes.
const FIELD_OVERHEAD: usize = 32;
const COMPRESSION_ERROR: u32 = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::made;

    #[test]
    fn the_first_fields_without_a_table_are_those_behind_its_acknowledgement() {
        let settings = |size| (Side::Double, What::Settings(vec![(SETTINGS_HEADER_TABLE_SIZE, size)]));
        let acknowledged = || (Side::Provider, What::SettingsAck);
        let request = |stream| (Side::Provider, made::headers(stream, &[], true));
        let said =
            [settings(4096), settings(0), acknowledged(), request(1), acknowledged(), request(3), request(5)];
        assert_eq!(first_without_table(&made::connection(said)).map(|headers| headers.stream), Some(3));
        let never = [settings(4096), acknowledged(), request(1)];
        assert_eq!(first_without_table(&made::connection(never)), None);
        let What::Headers(mut without) = made::headers(1, &[], true) else { unreachable!() };
        without.table_sizes = vec![0];
        let always = [(Side::Provider, What::Headers(without)), settings(0), acknowledged(), request(3)];
        assert_eq!(first_without_table(&made::connection(always)), None, "it had none before");
    }

    #[test]
    fn a_list_is_as_large_as_http2_counts_it() {
        let What::Headers(headers) = made::headers(1, &[("a", "bc"), ("d", "")], true) else {
            unreachable!()
        };
        assert_eq!(list_bytes(&headers), 3 + 32 + 1 + 32);
    }
}
