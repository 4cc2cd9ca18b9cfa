//! A column of numbers: the smallest of them, and how far each is above it in as few bytes as the farthest needs.
//!
//! Rows of one shard stand near one another in the store, and so do their registrations: two or three bytes hold what eight would. All
//! have the same width, so that any one is found without reading those before it.

use super::DamagedShard;

/// Where a column's values stand in the shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Column {
    base: u64,
    /// Bytes of each value, 0 to 8. With 0 all are the base.
    width: usize,
    /// Where the first value begins.
    start: usize,
}

/// Bytes of what is said of a column: its base and its width.
pub(super) const COLUMN_HEADER: usize = 9;

impl Column {
    /// Writes the values behind what is there.
    pub(super) fn write(into: &mut Vec<u8>, values: &[u64]) {
        let base = values.iter().copied().min().unwrap_or(0);
        let farthest = values.iter().copied().max().unwrap_or(0) - base;
        let width = (u64::BITS - farthest.leading_zeros()).div_ceil(8);
        into.push(width as u8);
        into.extend_from_slice(&base.to_le_bytes());
        for value in values {
            into.extend_from_slice(&(value - base).to_le_bytes()[..width as usize]);
        }
    }

    /// Reads what is said of the column at `at`, and gives it with where it ends.
    pub(super) fn read(bytes: &[u8], at: usize, count: usize) -> Result<(Self, usize), DamagedShard> {
        let header = bytes.get(at..at + COLUMN_HEADER).ok_or(DamagedShard::Cut)?;
        let (width, base) = header.split_first().ok_or(DamagedShard::Cut)?;
        let width = usize::from(*width);
        let base = base.try_into().map(u64::from_le_bytes).map_err(|_| DamagedShard::Cut)?;
        if width > size_of::<u64>() {
            return Err(DamagedShard::Width { width });
        }
        let start = at + COLUMN_HEADER;
        let end = start + width * count;
        if bytes.len() < end {
            return Err(DamagedShard::Cut);
        }
        let column = Self { base, width, start };
        let fits = |at| base.checked_add(column.above(bytes, at)).is_some();
        if !(0..count).all(fits) {
            return Err(DamagedShard::Number);
        }
        Ok((column, end))
    }

    /// The value at this place, which has to be within what was read.
    pub(super) fn get(&self, bytes: &[u8], at: usize) -> u64 {
        self.base.wrapping_add(self.above(bytes, at))
    }

    fn above(&self, bytes: &[u8], at: usize) -> u64 {
        let begin = self.start + at * self.width;
        // Eight bytes at once where there are so many, which is nearly always.
        if let Some(eight) = bytes.get(begin..).and_then(|rest| rest.first_chunk::<8>()) {
            return u64::from_le_bytes(*eight) & MASKS[self.width];
        }
        let mut eight = [0; 8];
        if let Some(value) = bytes.get(begin..begin + self.width) {
            eight[..self.width].copy_from_slice(value);
        }
        u64::from_le_bytes(eight)
    }
}

/// What is left of eight bytes by width.
const MASKS: [u64; 9] = {
    let mut masks = [u64::MAX; 9];
    let mut width = 0;
    while width < 8 {
        masks[width] = (1 << (width * 8)) - 1;
        width += 1;
    }
    masks
};

#[cfg(test)]
mod tests {
    use super::*;

    fn through(values: &[u64]) -> (usize, Vec<u64>) {
        let mut bytes = vec![0xee; 3];
        Column::write(&mut bytes, values);
        let (column, end) = Column::read(&bytes, 3, values.len()).unwrap();
        assert_eq!(end, bytes.len());
        (column.width, (0..values.len()).map(|at| column.get(&bytes, at)).collect())
    }

    #[test]
    fn a_column_is_as_wide_as_its_farthest_value() {
        for (values, width) in [
            (vec![7, 7, 7], 0),
            (vec![1_000_000, 1_000_255], 1),
            (vec![1_000_000, 1_000_256], 2),
            (vec![0, u64::MAX], 8),
            (vec![u64::MAX], 0),
        ] {
            assert_eq!(through(&values), (width, values));
        }
    }

    #[test]
    fn a_damaged_column_is_refused() {
        let mut bytes = Vec::new();
        Column::write(&mut bytes, &[1, 300]);
        for end in 0..bytes.len() {
            assert_eq!(Column::read(&bytes[..end], 0, 2), Err(DamagedShard::Cut));
        }
        bytes[0] = 9;
        assert_eq!(Column::read(&bytes, 0, 2), Err(DamagedShard::Width { width: 9 }));
        let mut bytes = vec![1];
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        bytes.push(1);
        assert_eq!(Column::read(&bytes, 0, 1), Err(DamagedShard::Number));
    }
}
