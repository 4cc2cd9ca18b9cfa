use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::{Certainty, Flaw, SpecError};

/// What all rows have in common.
pub(crate) trait Row: DeserializeOwned {
    /// What a row is called: `[[kind]]` in the file, and the beginning of its id.
    const KIND: &'static str;
    /// The column that says what a row is about.
    const NAME_COLUMN: &'static str;

    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn source(&self) -> &str;
    fn certainty(&self) -> Certainty;

    /// What the row's own columns must be, beyond their types.
    fn check(&self) -> Result<(), Flaw>;
}

/// The columns that all tables have; the argument is the one that says what a row is about.
macro_rules! columns {
    ($name:ident) => {
        fn id(&self) -> &str {
            &self.id
        }

        fn name(&self) -> &str {
            &self.$name
        }

        fn source(&self) -> &str {
            &self.source
        }

        fn certainty(&self) -> $crate::Certainty {
            self.certainty
        }
    };
}
pub(crate) use columns;

/// Reads the rows of a file, in its order.
pub(crate) fn read<R: Row>(file: &'static str, text: &str) -> Result<Vec<R>, SpecError> {
    let tables = tables::<R>(text).map_err(|message| SpecError::File { file, kind: R::KIND, message })?;
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut rows = Vec::with_capacity(tables.len());
    for (at, table) in tables.into_iter().enumerate() {
        let label = label(&table, at);
        let flawed = |flaw| SpecError::Row { file, row: label.clone(), flaw };
        let row: R = table.try_into().map_err(|error| flawed(Flaw::Columns(error.message().to_owned())))?;
        check(&row).map_err(flawed)?;
        unheard(&mut ids, "id", row.id()).map_err(flawed)?;
        unheard(&mut names, R::NAME_COLUMN, row.name()).map_err(flawed)?;
        rows.push(row);
    }
    Ok(rows)
}

fn tables<R: Row>(text: &str) -> Result<Vec<toml::Table>, String> {
    let mut file: BTreeMap<String, Vec<toml::Table>> =
        toml::from_str(text).map_err(|error| error.to_string())?;
    let rows = file.remove(R::KIND).ok_or("it has none")?;
    match file.into_keys().next() {
        Some(stray) => Err(format!("it has [[{stray}]] too")),
        None => Ok(rows),
    }
}

/// What an error calls the row: its id, even if that is not well-formed, or else its number.
fn label(table: &toml::Table, at: usize) -> String {
    let id = table.get("id").and_then(toml::Value::as_str);
    id.map_or_else(|| format!("row {}", at + 1), ToOwned::to_owned)
}

fn check<R: Row>(row: &R) -> Result<(), Flaw> {
    let words = row.id().strip_prefix(R::KIND).and_then(|id| id.strip_prefix('-')).unwrap_or_default();
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !words.split('-').all(is_word) {
        return Err(Flaw::Id { kind: R::KIND });
    }
    if row.source().trim().is_empty() {
        return Err(Flaw::Source);
    }
    row.check()
}

fn unheard(heard: &mut BTreeSet<String>, column: &'static str, value: &str) -> Result<(), Flaw> {
    if heard.insert(value.to_owned()) {
        return Ok(());
    }
    Err(Flaw::Repeated { column, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReasonRow;

    const ROW: &str = r#"
        [[reason]]
        id = "reason-bad-path"
        reason = "BadPath"
        status = 404
        certainty = "documented"
        source = "Apple"
    "#;

    fn reasons(text: &str) -> Result<Vec<ReasonRow>, SpecError> {
        read("reasons.toml", text)
    }

    /// What is said of one row, the good one but for this replacement.
    fn complaint(good: &str, bad: &str) -> String {
        assert!(ROW.contains(good), "nothing to replace");
        reasons(&ROW.replace(good, bad)).unwrap_err().to_string()
    }

    #[test]
    fn a_well_formed_row_is_read() {
        let rows = reasons(ROW).unwrap();
        assert_eq!(
            (rows[0].reason.as_str(), rows[0].status, rows[0].note.as_deref()),
            ("BadPath", 404, None)
        );
    }

    #[test]
    fn a_complaint_names_file_row_and_column() {
        for (good, bad, expected) in [
            (r#""documented""#, r#""certain""#, "unknown variant `certain`"),
            ("certainty", "certanty", "unknown field `certanty`"),
            ("status = 404", "", "missing field `status`"),
            ("404", r#""404""#, "invalid type: string"),
            (r#""Apple""#, r#"" ""#, "`source` is empty"),
            ("404", "200", "`status` must be"),
        ] {
            let complaint = complaint(good, bad);
            assert!(
                complaint.starts_with("conformance/spec/tables/reasons.toml, reason-bad-path: "),
                "{complaint}"
            );
            assert!(complaint.contains(expected), "{complaint}");
        }
    }

    #[test]
    fn an_id_is_the_kind_and_words() {
        for bad in
            ["bad-path", "reason", "reason-", "reason--path", "reason-BadPath", "push-type-bad-path", ""]
        {
            let text = ROW.replace("reason-bad-path", bad);
            let flaw = Flaw::Id { kind: "reason" };
            assert_eq!(reasons(&text), Err(SpecError::Row { file: "reasons.toml", row: bad.into(), flaw }));
        }
    }

    #[test]
    fn a_row_without_id_is_named_by_its_number() {
        let text = format!("{ROW}{}", ROW.replace(r#"id = "reason-bad-path""#, ""));
        let error = reasons(&text).unwrap_err().to_string();
        assert_eq!(error, "conformance/spec/tables/reasons.toml, row 2: missing field `id`");
    }

    #[test]
    fn nothing_is_said_twice() {
        let repeated = |second: &str| match reasons(&format!("{ROW}{second}")) {
            Err(SpecError::Row { flaw: Flaw::Repeated { column, .. }, .. }) => column,
            other => panic!("{other:?}"),
        };
        assert_eq!(repeated(&ROW.replace("BadPath", "BadTopic")), "id");
        assert_eq!(repeated(&ROW.replace("bad-path", "bad-path-2")), "reason");
    }

    #[test]
    fn a_file_is_rows_of_its_kind_and_nothing_else() {
        for (text, expected) in [
            ("", "it has none"),
            ("[[reasons]]\n", "it has none"),
            ("reason = 1", "invalid type"),
            ("[[reason]", "TOML parse error at line 1"),
            (&format!("{ROW}[[host]]\n"), "it has [[host]] too"),
        ] {
            let error = reasons(text).unwrap_err();
            assert!(matches!(error, SpecError::File { .. }), "{error:?}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
