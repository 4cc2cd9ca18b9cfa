use std::{fmt, iter};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A language and what narrows it down, such as `de`, `de-CH`, `zh-Hans-CN` (RFC 5646), written as usual: language in lower case, script
/// in title case, region in upper case.
///
/// Apple's own forms are read as well: `de_CH`, and `en_US@rg=gbzzzz` without what follows the `@`.
///
/// ```
/// use apns_provider_server_core::ids::Locale;
///
/// let locale = Locale::parse("ZH_hans_cn")?;
/// assert_eq!(locale.as_str(), "zh-Hans-CN");
/// assert_eq!(locale.fallbacks().collect::<Vec<_>>(), ["zh-Hans-CN", "zh-Hans", "zh"]);
/// # Ok::<(), apns_provider_server_core::ids::InvalidLocale>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Locale(Box<str>);

/// The text is no locale.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "it is no locale; write a language and what narrows it down, such as `de`, `de-CH` or `zh-Hans-CN`, in at most 35 bytes"
)]
pub struct InvalidLocale;

impl Locale {
    /// The longest, in bytes: what RFC 5646 section 4.4.1 wants everyone to have room for.
    pub const BYTES_MAX: usize = 35;

    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, InvalidLocale> {
        let text = text.split_once('@').map_or(text, |(before, _)| before);
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidLocale);
        }
        let mut written = String::with_capacity(text.len());
        for (at, part) in text.split(['-', '_']).enumerate() {
            let is_alphabetic = part.bytes().all(|byte| byte.is_ascii_alphabetic());
            let fits = match at {
                0 => (2..=8).contains(&part.len()) && is_alphabetic,
                _ => (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            };
            if !fits {
                return Err(InvalidLocale);
            }
            if at > 0 {
                written.push('-');
            }
            match part.len() {
                2 if at > 0 => written.push_str(&part.to_ascii_uppercase()),
                4 if at > 0 && is_alphabetic => {
                    written.push_str(&part[..1].to_ascii_uppercase());
                    written.push_str(&part[1..].to_ascii_lowercase());
                }
                _ => written.push_str(&part.to_ascii_lowercase()),
            }
        }
        Ok(Self(written.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What to look for, one after the other: the locale itself, and then ever less of it, down to the language.
    pub fn fallbacks(&self) -> impl Iterator<Item = &str> {
        iter::successors(Some(&*self.0), |text| text.rsplit_once('-').map(|(before, _)| before))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0.into()
    }
}

impl TryFrom<String> for Locale {
    type Error = InvalidLocale;

    fn try_from(text: String) -> Result<Self, InvalidLocale> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_locale_is_one_locale() {
        for (text, written) in [
            ("de", "de"),
            ("DE_ch", "de-CH"),
            ("zh-Hant_TW", "zh-Hant-TW"),
            ("en_US@rg=gbzzzz", "en-US"),
            ("es-419", "es-419"),
            ("sl-rozaj-1994", "sl-rozaj-1994"),
        ] {
            assert_eq!(Locale::parse(text).unwrap().as_str(), written, "{text}");
        }
    }

    #[test]
    fn what_is_no_locale_is_refused() {
        for text in [
            "",
            "d",
            "-",
            "de-",
            "de--CH",
            "de CH",
            "de-ÄÖ",
            "@x",
            "deutsch-österreichisch",
            &"a-".repeat(20),
        ] {
            assert_eq!(Locale::parse(text), Err(InvalidLocale), "{text}");
        }
    }
}
