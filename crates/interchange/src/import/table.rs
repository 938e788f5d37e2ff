//! Rows of comma-separated values, exactly by RFC 4180. A text that breaks a rule is refused with its line and column,
//! and never repaired, because a repaired quote can move money.
//!
//! A semicolon or a tabulator may stand instead of the comma: the heading shows the separator. A line ends with CR LF
//! or with LF alone. Columns are counted in characters, from 1.

use std::borrow::Cow;

/// One row.
pub(super) struct Record<'t> {
    /// The line on which the row begins.
    pub(super) line: u64,
    pub(super) cells: Vec<Cow<'t, str>>,
}

/// A mistake in the syntax. Nothing after it can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) problem: &'static str,
}

pub(super) struct Table<'t> {
    rest: &'t str,
    separator: char,
    line: u64,
    column: u64,
}

const SEPARATORS: [char; 3] = [',', ';', '\t'];

impl<'t> Table<'t> {
    /// A table with the separator of its first line.
    ///
    /// # Errors
    /// [`Flaw`] if that line has several kinds of separators.
    pub(super) fn of(text: &'t str) -> Result<Self, Flaw> {
        let heading = text.split(['\n', '\r']).next().unwrap_or_default();
        let mut found = SEPARATORS
            .into_iter()
            .filter(|mark| heading.contains(*mark));
        let separator = found.next().unwrap_or(',');
        if found.next().is_some() {
            return Err(Flaw {
                line: 1,
                column: 1,
                problem: "the heading has several of comma, semicolon and tabulator: it takes one",
            });
        }
        Ok(Self {
            rest: text,
            separator,
            line: 1,
            column: 1,
        })
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Record<'t>, Flaw>> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            let cell = if self.rest.starts_with('"') {
                self.quoted()
            } else {
                self.plain()
            };
            match cell {
                Ok(cell) => cells.push(cell),
                Err(flaw) => return Some(Err(flaw)),
            }
            if !self.take(self.separator) {
                break;
            }
        }
        // A cell ends at a separator, at a line end or at the end of the text.
        self.take('\r');
        self.take('\n');
        Some(Ok(Record { line, cells }))
    }

    /// A cell without quotes.
    fn plain(&mut self) -> Result<Cow<'t, str>, Flaw> {
        let ends = |c: char| c == self.separator || matches!(c, '\n' | '\r' | '"' | '\0');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let cell = self.skip(end);
        match self.rest.chars().next() {
            Some('"') => Err(self.flaw(
                "a quote within a cell that does not begin with one: quote the whole cell, and double each quote in it",
            )),
            Some('\r') if !self.rest.starts_with("\r\n") => Err(self.flaw(LONE_CR)),
            Some('\0') => Err(self.flaw(NUL)),
            Some(_) | None => Ok(Cow::Borrowed(cell)),
        }
    }

    /// A cell within quotes; quotes inside it are doubled.
    fn quoted(&mut self) -> Result<Cow<'t, str>, Flaw> {
        let opened = self.flaw("a quote that is not closed before the end of the file");
        self.take('"');
        let mut cell = Cow::Borrowed("");
        loop {
            let Some(end) = self.rest.find(['"', '\0']) else {
                return Err(opened);
            };
            let part = self.skip(end);
            if cell.is_empty() {
                cell = Cow::Borrowed(part);
            } else {
                cell.to_mut().push_str(part);
            }
            if self.rest.starts_with('\0') {
                return Err(self.flaw(NUL));
            }
            self.take('"');
            if !self.take('"') {
                break;
            }
            cell.to_mut().push('"');
        }
        match self.rest.chars().next() {
            None | Some('\n') => Ok(cell),
            Some('\r') if self.rest.starts_with("\r\n") => Ok(cell),
            Some('\r') => Err(self.flaw(LONE_CR)),
            Some(c) if c == self.separator => Ok(cell),
            Some(_) => Err(self.flaw(
                "text after a closing quote: a quote in a cell is doubled, and nothing follows the last",
            )),
        }
    }

    fn flaw(&self, problem: &'static str) -> Flaw {
        Flaw {
            line: self.line,
            column: self.column,
            problem,
        }
    }

    /// Passes this character, if it is the next one.
    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.rest.starts_with(wanted);
        if is_next {
            self.skip(wanted.len_utf8());
        }
        is_next
    }

    /// Passes `bytes` bytes and returns them.
    fn skip(&mut self, bytes: usize) -> &'t str {
        let (part, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for c in part.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.rest = rest;
        part
    }
}

const LONE_CR: &str = "a carriage return without a line feed: end lines with LF or CR LF";
const NUL: &str = "the character U+0000";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, Flaw> {
        let mut table = Table::of(text)?;
        let mut rows = Vec::new();
        while let Some(record) = table.next() {
            let cells = record?.cells.into_iter().map(Cow::into_owned);
            rows.push(cells.collect());
        }
        Ok(rows)
    }

    #[test]
    fn what_the_standard_allows_is_read_as_it_says() {
        for (text, expected) in [
            ("a,b\r\nc,d\r\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a,b\nc,d", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a;b\nc;d,e", vec![vec!["a", "b"], vec!["c", "d,e"]]),
            ("a\tb\n\"c\td\"\t", vec![vec!["a", "b"], vec!["c\td", ""]]),
            (
                "\"a\",\"b\"\n\"c\"\"d\",\"\"\"\"",
                vec![vec!["a", "b"], vec!["c\"d", "\""]],
            ),
            (
                "a,b\n\"\",\"x\ny\r\nz\"\n",
                vec![vec!["a", "b"], vec!["", "x\ny\r\nz"]],
            ),
            ("a,b\n , é\n", vec![vec!["a", "b"], vec![" ", " é"]]),
            ("a\n\nb", vec![vec!["a"], vec![""], vec!["b"]]),
            ("a,b,\n,,", vec![vec!["a", "b", ""], vec!["", "", ""]]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_it_does_not_allow_is_refused_by_line_and_column() {
        for (text, line, column, word) in [
            ("a,b\n\"1\"0.00,c", 2, 4, "after a closing"),
            ("a,b\n\"1\" ,c", 2, 4, "after a closing"),
            ("a,b\nc,1\"0\"", 2, 4, "within a cell"),
            ("a,b\n \"c\",d", 2, 2, "within a cell"),
            ("a,b\nc,\"d\ne,f\n", 2, 3, "not closed"),
            ("a,b\n\"x\ny\",\"d\"\"\n", 3, 4, "not closed"),
            ("a,b\rc,d", 1, 4, "carriage return"),
            ("a,b\n\"c\"\rd", 2, 4, "carriage return"),
            ("a,b\r\r\n", 1, 4, "carriage return"),
            ("a,b\nc\0,d", 2, 2, "U+0000"),
            ("a,b\n\"é\0\",d", 2, 3, "U+0000"),
            ("a,b;c\n", 1, 1, "several of"),
        ] {
            let flaw = read(text).unwrap_err();
            assert_eq!((flaw.line, flaw.column), (line, column), "{text:?}");
            assert!(flaw.problem.contains(word), "{text:?}: {}", flaw.problem);
        }
    }
}
