//! Huffman coding of strings (RFC 7541 5.2, appendix B).
//!
//! Decoding looks at 12 bits a step. Letters and digits have codes of 5 to 7 bits, so a step mostly yields two octets,
//! and for the hex digits of a device token always. Longer codes are found by the code's canonical order.

use super::HpackError;
use super::huffman_table::{CODE_BITS_MAX, CODE_BITS_MIN, CODES, EOS};

/// How many octets `plain` takes when it is Huffman-coded.
pub(super) fn encoded_len(plain: &[u8]) -> usize {
    let bits: usize = plain.iter().map(|&octet| usize::from(CODES[usize::from(octet)].1)).sum();
    bits.div_ceil(8)
}

/// Appends `plain`, Huffman-coded and padded with ones, to `out`.
pub(super) fn encode(plain: &[u8], out: &mut Vec<u8>) {
    // At most 31 bits wait here, and the longest code has 30: they fit.
    let mut waiting: u64 = 0;
    let mut waiting_bits: u32 = 0;
    for &octet in plain {
        let (code, bits) = CODES[usize::from(octet)];
        waiting = waiting << bits | u64::from(code);
        waiting_bits += u32::from(bits);
        if waiting_bits >= 32 {
            waiting_bits -= 32;
            out.extend_from_slice(&((waiting >> waiting_bits) as u32).to_be_bytes());
        }
    }
    let padding_bits = waiting_bits.wrapping_neg() % 8;
    let padded = waiting << padding_bits | ((1 << padding_bits) - 1);
    let octets = (waiting_bits + padding_bits) / 8;
    out.extend_from_slice(&(padded as u32).to_be_bytes()[4 - octets as usize..]);
}

/// Appends the octets that `coded` stands for to `out`.
///
/// Fails with [`HpackError::HuffmanEos`] or [`HpackError::HuffmanPadding`]; `out` then holds what came before.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    let start = out.len();
    // Room for the most octets there can be, and for the second octet that a step writes beside a single one.
    out.resize(start + coded.len() * 8 / CODE_BITS_MIN as usize + 1, 0);
    let mut written = start;
    let mut bits = Bits { window: 0, available: 0, rest: coded };

    let result = loop {
        bits.refill();
        // A step takes at most STEP_BITS: this many stay within the string.
        let steps = bits.available / STEP_BITS;
        let mut short_codes = || {
            let step = bits.step();
            out[written] = step.octets[0];
            out[written + 1] = step.octets[1];
            written += usize::from(step.count);
            step.count != 0
        };
        if steps > 0 && (0..steps).all(|_| short_codes()) {
            continue;
        }
        bits.refill();
        match decode_one(&bits) {
            Ok(Some((octet, code_bits))) => {
                out[written] = octet;
                written += 1;
                bits.skip(code_bits);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    out.truncate(written);
    result
}

/// Decodes a single code at the front of `bits`: a long one, or one of the last. `None` at the end of the string.
#[cold]
fn decode_one(bits: &Bits<'_>) -> Result<Option<(u8, u32)>, HpackError> {
    for code_bits in CODE_BITS_MIN..=CODE_BITS_MAX.min(bits.available) {
        let code = (bits.window >> (u64::BITS - code_bits)) as u32;
        let level = &LEVELS[code_bits as usize];
        // A code below the level's first one was found on an earlier level.
        let place = code.wrapping_sub(level.first_code);
        if place < level.count {
            let symbol = SYMBOLS[(level.first_place + place) as usize];
            let octet = u8::try_from(symbol).map_err(|_| HpackError::HuffmanEos)?;
            return Ok(Some((octet, code_bits)));
        }
    }
    // What is left begins no code that fits: it must be padding.
    let padding_is_ones = bits.window.leading_ones() >= bits.available;
    if bits.available < 8 && padding_is_ones { Ok(None) } else { Err(HpackError::HuffmanPadding) }
}

/// The bits of a string that are still to be decoded.
struct Bits<'a> {
    /// The next bits, from the top.
    window: u64,
    /// How many bits of `window` count. Those below are zero, or what `rest` begins with.
    available: u32,
    /// The octets that do not count in `window` yet.
    rest: &'a [u8],
}

impl Bits<'_> {
    /// Brings `available` to at least 56, or to all there is.
    #[inline]
    fn refill(&mut self) {
        if let Some(&chunk) = self.rest.first_chunk::<8>() {
            // Whole octets only. The part of one that comes along is written again, the same, by the next refill.
            self.window |= u64::from_be_bytes(chunk) >> self.available;
            let octets = (63 - self.available) / 8;
            self.available += 8 * octets;
            self.rest = &self.rest[octets as usize..];
            return;
        }
        while self.available <= 56
            && let Some((&octet, rest)) = self.rest.split_first()
        {
            self.window |= u64::from(octet) << (56 - self.available);
            self.available += 8;
            self.rest = rest;
        }
    }

    /// Takes what one look at the table decodes: nothing, if a long code comes next.
    #[inline]
    fn step(&mut self) -> Step {
        let step = STEPS[(self.window >> (u64::BITS - STEP_BITS)) as usize];
        self.skip(u32::from(step.bits));
        step
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.available -= bits;
    }
}

/// What the next [`STEP_BITS`] bits begin with: one or two whole codes, or (`count` is 0) a part of a longer one.
#[derive(Clone, Copy)]
struct Step {
    octets: [u8; 2],
    count: u8,
    /// The bits of the `count` codes together.
    bits: u8,
}

/// How many bits a step looks at. With 12, two codes of 6 bits fit, and the table (16 KiB) leaves half of a level 1 cache
/// to others.
const STEP_BITS: u32 = 12;

static STEPS: [Step; 1 << STEP_BITS] = steps();

/// Fills in each single code, then over it each pair that fits.
const fn steps() -> [Step; 1 << STEP_BITS] {
    let mut steps = [Step { octets: [0; 2], count: 0, bits: 0 }; 1 << STEP_BITS];
    let mut first = 0;
    while first < EOS {
        let (first_code, first_bits) = CODES[first];
        if first_bits as u32 <= STEP_BITS {
            let step = Step { octets: [first as u8, 0], count: 1, bits: first_bits };
            fill(&mut steps, first_code, step);
            let mut second = 0;
            while second < EOS {
                let (second_code, second_bits) = CODES[second];
                if first_bits as u32 + second_bits as u32 <= STEP_BITS {
                    let octets = [first as u8, second as u8];
                    let step = Step { octets, count: 2, bits: first_bits + second_bits };
                    fill(&mut steps, first_code << second_bits | second_code, step);
                }
                second += 1;
            }
        }
        first += 1;
    }
    steps
}

/// Writes `step` wherever the bits begin with `prefix`, which is `step.bits` long.
const fn fill(steps: &mut [Step], prefix: u32, step: Step) {
    let free_bits = STEP_BITS - step.bits as u32;
    let mut place = (prefix << free_bits) as usize;
    let end = ((prefix + 1) << free_bits) as usize;
    while place < end {
        steps[place] = step;
        place += 1;
    }
}

/// The codes of one length. The code is canonical: these are consecutive numbers, in the order of their symbols.
#[derive(Clone, Copy)]
struct Level {
    first_code: u32,
    count: u32,
    /// Where the symbols of this level begin in [`SYMBOLS`].
    first_place: u32,
}

static LEVELS: [Level; CODE_BITS_MAX as usize + 1] = levels_and_symbols().0;
static SYMBOLS: [u16; CODES.len()] = levels_and_symbols().1;

const fn levels_and_symbols() -> ([Level; CODE_BITS_MAX as usize + 1], [u16; CODES.len()]) {
    let mut levels = [Level { first_code: 0, count: 0, first_place: 0 }; CODE_BITS_MAX as usize + 1];
    let mut symbols = [0; CODES.len()];
    let mut place = 0;
    let mut bits = 0;
    while bits < levels.len() {
        levels[bits].first_place = place;
        let mut symbol = 0;
        while symbol < CODES.len() {
            let (code, code_bits) = CODES[symbol];
            if code_bits as usize == bits {
                if levels[bits].count == 0 {
                    levels[bits].first_code = code;
                }
                levels[bits].count += 1;
                symbols[place as usize] = symbol as u16;
                place += 1;
            }
            symbol += 1;
        }
        bits += 1;
    }
    (levels, symbols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(plain, &mut out);
        out
    }

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, HpackError> {
        let mut out = Vec::new();
        decode(coded, &mut out).map(|()| out)
    }

    /// The strings of RFC 7541 C.4 and C.6.
    #[test]
    fn examples_of_the_rfc() {
        for (plain, coded) in [
            (
                &b"www.example.com"[..],
                &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..],
            ),
            (b"no-cache", &[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]),
            (b"custom-key", &[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f]),
            (b"302", &[0x64, 0x02]),
            (b"gzip", &[0x9b, 0xd9, 0xab]),
            (b"", &[]),
        ] {
            assert_eq!(encoded(plain), coded);
            assert_eq!(encoded_len(plain), coded.len());
            assert_eq!(decoded(coded).unwrap(), plain);
        }
    }

    #[test]
    fn every_octet_comes_back_in_every_position() {
        for octet in 0..=u8::MAX {
            for before in 0..8 {
                for after in 0..8 {
                    let plain = [vec![b'0'; before], vec![octet], vec![b'x'; after]].concat();
                    assert_eq!(decoded(&encoded(&plain)).unwrap(), plain);
                }
            }
        }
    }

    #[test]
    fn eos_is_refused() {
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), Err(HpackError::HuffmanEos));
        // "0", then EOS, then more.
        assert_eq!(decoded(&[0x07, 0xff, 0xff, 0xff, 0xe0, 0x00]), Err(HpackError::HuffmanEos));
    }

    #[test]
    fn padding_of_seven_ones_passes_and_of_eight_does_not() {
        // "&" has 8 bits, "0" has 5.
        assert_eq!(decoded(&[0xf8]).unwrap(), b"&");
        assert_eq!(decoded(&[0xf8, 0xff]), Err(HpackError::HuffmanPadding));
        assert_eq!(decoded(&[0xff]), Err(HpackError::HuffmanPadding));
        // "?" has 10 bits and leaves 6; with "0" and "&" ("00000 11111000" and 3 bits) less.
        assert_eq!(decoded(&[0x07, 0xc7]).unwrap(), b"0&");
        // ":" and "0" and "a": 7 + 5 + 5 = 17 bits, 7 of padding.
        assert_eq!(decoded(&encoded(b":0a")).unwrap(), b":0a");
        assert_eq!(encoded(b":0a").len(), 3);
    }

    #[test]
    fn padding_with_a_zero_is_refused() {
        // "0" is 00000; the last three bits should be 111.
        for last in 0..7 {
            assert_eq!(decoded(&[last]), Err(HpackError::HuffmanPadding), "{last:03b}");
        }
        assert_eq!(decoded(&[7]).unwrap(), b"0");
    }

    #[test]
    fn what_is_appended_to_stays() {
        let mut out = b"before".to_vec();
        encode(b"302", &mut out);
        assert_eq!(out, b"before\x64\x02");
        let mut out = b"before".to_vec();
        decode(&[0x64, 0x02], &mut out).unwrap();
        assert_eq!(out, b"before302");
    }

    proptest! {
        #[test]
        fn any_octets_come_back(plain: Vec<u8>) {
            let coded = encoded(&plain);
            prop_assert_eq!(coded.len(), encoded_len(&plain));
            prop_assert_eq!(decoded(&coded).unwrap(), plain);
        }

        /// A string has one coding: what decodes is what encoding would have written.
        #[test]
        fn any_string_that_decodes_encodes_to_itself(coded: Vec<u8>) {
            if let Ok(plain) = decoded(&coded) {
                prop_assert_eq!(encoded(&plain), coded);
            }
        }
    }
}
