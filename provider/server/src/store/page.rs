/// Rows that are returned at once at most: more that are asked for are asked for again, behind the last one.
pub const PAGE_MAX: usize = 1000;

/// As many as were asked for, as far as may be.
pub(super) fn at_most(asked: usize) -> usize {
    asked.clamp(1, PAGE_MAX)
}

/// Declares numbers of rows that the core has no name for.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(i64);

        impl $name {
            /// The row with this number.
            pub const fn new(row: i64) -> Self {
                Self(row)
            }

            /// Its number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<$name> for $crate::store::sql::Value {
            fn from(row: $name) -> Self {
                row.0.into()
            }
        }
    )*};
}
pub(super) use rows;
