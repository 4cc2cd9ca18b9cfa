//! How a field block says its fields, one by one (RFC 7541 section 6): what a decoder hides.

/// The form of one field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// A reference to a whole field; `len` is its bytes.
    Indexed { index: usize, len: usize },
    /// Goes into the table.
    Incremental,
    /// Goes into no table.
    WithoutIndexing,
    /// Goes into no table here nor further on.
    NeverIndexed,
    /// No field: the table has this size from now on.
    TableSize(usize),
}

/// The forms of a block, in order.
pub(crate) fn forms(mut block: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    while let Some(&first) = block.first() {
        let before = block.len();
        forms.push(if first & 0x80 != 0 {
            let index = integer(&mut block, 7);
            Form::Indexed { index, len: before - block.len() }
        } else if first & 0x40 != 0 {
            literal(&mut block, 6, Form::Incremental)
        } else if first & 0x20 != 0 {
            Form::TableSize(integer(&mut block, 5))
        } else if first & 0x10 != 0 {
            literal(&mut block, 4, Form::NeverIndexed)
        } else {
            literal(&mut block, 4, Form::WithoutIndexing)
        });
    }
    forms
}

/// Passes over a name, unless it is a reference, and over a value.
fn literal(block: &mut &[u8], prefix: u32, form: Form) -> Form {
    let strings = if integer(block, prefix) == 0 { 2 } else { 1 };
    for _ in 0..strings {
        let len = integer(block, 7);
        *block = &block[len..];
    }
    form
}

/// RFC 7541 section 5.1.
fn integer(block: &mut &[u8], prefix: u32) -> usize {
    let mut next = || {
        let (&first, rest) = block.split_first().unwrap();
        *block = rest;
        usize::from(first)
    };
    let max = (1 << prefix) - 1;
    let mut value = next() & max;
    if value == max {
        for shift in (0..).step_by(7) {
            let byte = next();
            value += (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    value
}
