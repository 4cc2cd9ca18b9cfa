use std::fmt::Write as _;

use super::{Column, Value};

/// Rows that go into a statement as its input.
#[derive(Clone, Debug)]
pub(in crate::store) struct Table {
    width: usize,
    values: Vec<Value>,
}

/// One column of a table, as PostgreSQL takes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Array {
    Blob(Vec<Option<Vec<u8>>>),
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
}

impl Table {
    /// With rows of so many values.
    pub(in crate::store) const fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Adds a row.
    pub(in crate::store) fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.width, "a row is as wide as its table");
        self.values.extend(row);
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many rows there are.
    pub(in crate::store) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Each row.
    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = &[Value]> {
        self.values.chunks_exact(self.width)
    }

    /// As a list of lists. Bytes are hexadecimal.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.values.len() * 8 + 2);
        json.push('[');
        for (at, row) in self.rows().enumerate() {
            json.push_str(if at > 0 { ",[" } else { "[" });
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_json(value, &mut json);
            }
            json.push(']');
        }
        json.push(']');
        json
    }

    /// As columns.
    pub(super) fn into_arrays(self, columns: &[(&str, Column)]) -> Vec<Array> {
        let rows = self.len();
        let new = |(_, column): &(&str, Column)| match column {
            Column::Blob => Array::Blob(Vec::with_capacity(rows)),
            Column::Int => Array::Int(Vec::with_capacity(rows)),
            Column::Text => Array::Text(Vec::with_capacity(rows)),
        };
        let mut arrays: Vec<Array> = columns.iter().map(new).collect();
        for (at, value) in self.values.into_iter().enumerate() {
            match (&mut arrays[at % columns.len()], value) {
                (Array::Blob(array), Value::Blob(value)) => array.push(value),
                (Array::Int(array), Value::Int(value)) => array.push(value),
                (Array::Text(array), Value::Text(value)) => array.push(value),
                (array, value) => {
                    unreachable!("{value:?} is none of {array:?}: both are constants of one statement")
                }
            }
        }
        arrays
    }
}

fn write_json(value: &Value, json: &mut String) {
    match value {
        Value::Blob(None) | Value::Int(None) | Value::Text(None) => json.push_str("null"),
        Value::Blob(Some(bytes)) => {
            json.reserve(bytes.len() * 2 + 2);
            json.push('"');
            for byte in bytes {
                json.push(char::from(HEX_DIGITS[usize::from(byte >> 4)]));
                json.push(char::from(HEX_DIGITS[usize::from(byte & 0x0f)]));
            }
            json.push('"');
        }
        Value::Int(Some(number)) => {
            let _ = write!(json, "{number}");
        }
        Value::Text(Some(text)) => {
            json.push_str(&serde_json::to_string(text).expect("a text has a JSON form"));
        }
    }
}

const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(3);
        table.push([1_i64.into(), "a\"b".into(), vec![0x0f_u8, 0xa0].into()]);
        table.push([Value::Int(None), Value::Text(None), Value::Blob(None)]);
        table
    }

    #[test]
    fn rows_become_json() {
        assert_eq!(table().to_json(), r#"[[1,"a\"b","0fa0"],[null,null,null]]"#);
        assert_eq!((table().len(), Table::new(3).to_json().as_str()), (2, "[]"));
    }

    #[test]
    fn rows_become_columns() {
        let columns = [("a", Column::Int), ("b", Column::Text), ("c", Column::Blob)];
        let arrays = table().into_arrays(&columns);
        assert_eq!(arrays[0], Array::Int(vec![Some(1), None]));
        assert_eq!(arrays[2], Array::Blob(vec![Some(vec![0x0f, 0xa0]), None]));
    }
}
