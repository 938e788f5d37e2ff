//! The parser's lower half: strings, integers and the three words.

use super::Value;
use super::parser::Parser;
use super::refusal::{Fault, Rule};

impl Parser<'_> {
    /// Reads a string after its opening quote, including the closing quote.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let mut text = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
            let plain = rest.iter().position(special).unwrap_or(rest.len());
            let end = self.at + plain;
            // The search stops at an ASCII character, so both ends are between characters.
            text.push_str(self.text.get(self.at..end).unwrap_or_default());
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                Some(0) => return Err(Fault::new(Rule::NulCharacter)),
                _ => return Err(self.malformed()),
            }
        }
    }

    /// Reads an escape after its backslash.
    fn escaped(&mut self) -> Result<char, Fault> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.escaped_code_point();
            }
            _ => return Err(self.malformed()),
        };
        self.at += 1;
        Ok(character)
    }

    fn escaped_code_point(&mut self) -> Result<char, Fault> {
        let unit = self.four_digits()?;
        let code_point = match unit {
            0 => return Err(Fault::new(Rule::NulCharacter)),
            0xd800..=0xdbff => {
                let lone = || Fault::new(Rule::LoneSurrogate);
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(lone());
                }
                let low = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(lone());
                }
                0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => unit,
        };
        char::from_u32(code_point).ok_or(Fault::new(Rule::LoneSurrogate))
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.malformed());
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    pub(super) fn integer(&mut self) -> Result<i64, Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        } else if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.malformed());
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        let fraction = self.take(b'.');
        if fraction {
            self.digits()?;
        }
        let exponent = self.take(b'e') || self.take(b'E');
        if exponent {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        if fraction || exponent {
            return Err(Fault::new(Rule::FractionOrExponent));
        }
        if written == "-0" {
            return Err(Fault::new(Rule::NegativeZero));
        }
        written.parse().or(Err(Fault::new(Rule::IntegerOutOfRange)))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.malformed())
        } else {
            Ok(())
        }
    }

    pub(super) fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }
}
