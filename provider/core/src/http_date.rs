use crate::unix_time::UnixTime;

/// Reads an IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), the one form of
/// HTTP dates that may still be sent. The day's name is not compared with the date: it adds nothing.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let (day_name, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (time, zone) = (words.next()?, words.next()?);
    if !DAY_NAMES.contains(&day_name) || zone != "GMT" || words.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, year) = (digits(day, 2)?, digits(year, 4)?);
    if year < EPOCH_YEAR || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let days =
        days_before_year(year) - days_before_year(EPOCH_YEAR) + days_before_month(year, month) + day - 1;
    Some(UnixTime::from_secs(days * SECS_PER_DAY + secs_of_day(time)?))
}

fn secs_of_day(time: &str) -> Option<u64> {
    let mut parts = time.split(':');
    let (hour, minute, second) =
        (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    // 60 is a leap second.
    let valid = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    valid.then_some(hour * 3_600 + minute * 60 + second)
}

fn digits(text: &str, len: usize) -> Option<u64> {
    let all_digits = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: usize) -> u64 {
    let leap_day = month == FEBRUARY && is_leap(year);
    DAYS_IN_MONTH[month] + u64::from(leap_day)
}

fn days_before_month(year: u64, month: usize) -> u64 {
    (0..month).map(|month| days_in_month(year, month)).sum()
}

/// Days from the (proleptic Gregorian) year 1 to the first day of `year`.
fn days_before_year(year: u64) -> u64 {
    let years = year - 1;
    years * 365 + years / 4 - years / 100 + years / 400
}

const EPOCH_YEAR: u64 = 1970;
const SECS_PER_DAY: u64 = 86_400;
const FEBRUARY: usize = 1;
const DAYS_IN_MONTH: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAY_NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let dates = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), // RFC 9110's own example
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ];
        for (text, secs) in dates {
            assert_eq!(parse(text), Some(UnixTime::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "Sunday, 06-Nov-94 08:49:37 GMT", // the obsolete forms
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Thu, 29 Feb 2023 00:00:00 GMT",
            "Mon, 00 Jan 2024 00:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
