//! Where in a request something stands.

use std::fmt;

/// The place of a value in a request, such as `audience.users[3]`. It is a chain of borrowed steps, so that naming the place of a
/// value that is right costs nothing.
///
/// ```
/// use apns_provider_server_core::problem::Field;
///
/// assert_eq!(Field::new("audience").key("users").at(3).to_string(), "audience.users[3]");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    /// The request itself.
    Root,
    Key(&'a str),
    At(usize),
}

impl<'a> Field<'a> {
    /// The whole request.
    pub const ROOT: Field<'static> = Field { parent: None, step: Step::Root };

    /// A field of the request.
    pub const fn new(key: &'a str) -> Self {
        Self { parent: None, step: Step::Key(key) }
    }

    /// A field within it.
    #[must_use]
    pub const fn key<'b>(&'b self, key: &'b str) -> Field<'b> {
        Field { parent: Some(self), step: Step::Key(key) }
    }

    /// An element of it, counted from 0.
    #[must_use]
    pub const fn at(&self, index: usize) -> Field<'_> {
        Field { parent: Some(self), step: Step::At(index) }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => match self.parent {
                Some(parent) if !matches!(parent.step, Step::Root) => write!(f, ".{key}"),
                _ => f.write_str(key),
            },
            Step::At(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_in_javascript() {
        let notifications = Field::new("notifications");
        let third = notifications.at(2);
        assert_eq!(third.key("message").key("ttl").to_string(), "notifications[2].message.ttl");
        assert_eq!(Field::ROOT.to_string(), "");
        assert_eq!(Field::ROOT.key("user").to_string(), "user");
    }
}
