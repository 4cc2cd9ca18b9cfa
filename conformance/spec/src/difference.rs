use std::{collections::BTreeMap, fmt::Debug};

use thiserror::Error;

/// A row of the spec that a program does without on purpose: the row's name, and why.
pub type LeftOut<'a> = (&'a str, &'a str);

/// Where a program's own table and the spec part.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Difference {
    /// The spec has a row that the program has not.
    #[error("{name} is missing")]
    Missing {
        /// The row's name.
        name: String,
    },
    /// The program has a row that the spec has not.
    #[error("{name} is not in the spec")]
    Extra {
        /// The row's name.
        name: String,
    },
    /// Both have the row and do not agree on it.
    #[error("{name} is {own}, in the spec {spec}")]
    Otherwise {
        /// The row's name.
        name: String,
        /// What the spec says of it.
        spec: String,
        /// What the program says of it.
        own: String,
    },
    /// The row need not be left out: the program has it, or the spec has it not.
    #[error("{name} is left out in vain ({why})")]
    LeftOutInVain {
        /// The row's name.
        name: String,
        /// Why it was left out.
        why: String,
    },
}

/// Compares a program's own table with the spec, both ways, and returns where they part, sorted by name.
///
/// Each row is a name, which is unique, and what is said of it. Rows of the spec in `left_out` are not asked for.
pub fn differences<'a, T: Debug + PartialEq>(
    spec: impl IntoIterator<Item = (&'a str, T)>,
    own: impl IntoIterator<Item = (&'a str, T)>,
    left_out: &[LeftOut<'_>],
) -> Vec<Difference> {
    let (mut spec, mut own) = (rows(spec), rows(own));
    let mut differences = BTreeMap::new();
    for &(name, why) in left_out {
        if spec.remove(name).is_none() || own.remove(name).is_some() {
            differences.insert(name, Difference::LeftOutInVain { name: name.into(), why: why.into() });
        }
    }
    for (name, spec) in spec {
        match own.remove(name) {
            None => differences.insert(name, Difference::Missing { name: name.into() }),
            Some(own) if own != spec => differences.insert(name, otherwise(name, &spec, &own)),
            Some(_) => None,
        };
    }
    differences.extend(own.into_keys().map(|name| (name, Difference::Extra { name: name.into() })));
    differences.into_values().collect()
}

fn rows<'a, T>(rows: impl IntoIterator<Item = (&'a str, T)>) -> BTreeMap<&'a str, T> {
    rows.into_iter().collect()
}

fn otherwise<T: Debug>(name: &str, spec: &T, own: &T) -> Difference {
    Difference::Otherwise { name: name.into(), spec: format!("{spec:?}"), own: format!("{own:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: [(&str, u16); 3] = [("a", 1), ("b", 2), ("c", 3)];

    fn said(own: &[(&str, u16)], left_out: &[LeftOut<'_>]) -> Vec<String> {
        differences(SPEC, own.iter().copied(), left_out).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_tables_do_not_differ_in_whatever_order() {
        assert!(said(&[("c", 3), ("a", 1), ("b", 2)], &[]).is_empty());
    }

    #[test]
    fn what_is_missing_too_much_or_otherwise_is_named() {
        let expected = ["a is missing", "b is 7, in the spec 2", "d is not in the spec"];
        assert_eq!(said(&[("b", 7), ("c", 3), ("d", 4)], &[]), expected);
    }

    #[test]
    fn what_is_left_out_on_purpose_is_not_missing() {
        assert!(said(&[("a", 1), ("b", 2)], &[("c", "unused")]).is_empty());
    }

    #[test]
    fn an_excuse_for_nothing_is_named() {
        let expected = ["c is left out in vain (unused)", "d is left out in vain (gone)"];
        assert_eq!(said(&SPEC, &[("c", "unused"), ("d", "gone")]), expected);
    }
}
