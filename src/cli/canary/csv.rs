//! A strict reader of comma-separated values, RFC 4180: every field knows its line and column, and nothing is guessed.

/// A place in a file, both from 1; a column is one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A field and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it begins.
    pub place: Place,
    /// What is in it, quotes taken off.
    pub text: String,
}

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub expected: String,
}

impl Wrong {
    /// Something wrong at a place.
    pub fn new(place: Place, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { place, what: what.into(), expected: expected.into() }
    }
}

/// Reads record after record; after something wrong it ends, because nobody knows where the next record begins.
#[derive(Debug)]
pub struct Records<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Records<'a> {
    /// The records of a text. A byte order mark before it is not part of the first field.
    pub fn of(text: &'a str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), place: Place { line: 1, column: 1 } }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(c)
    }

    fn next_is(&self, c: char) -> bool {
        self.rest.starts_with(c)
    }

    /// Takes the end of a line; the end of the file is one too.
    fn line_ends(&mut self) -> bool {
        if self.rest.is_empty() {
            return true;
        }
        if self.rest.starts_with("\r\n") {
            self.take();
        }
        let ends = self.next_is('\n');
        if ends {
            self.take();
        }
        ends
    }

    fn field(&mut self) -> Result<Field, Wrong> {
        let place = self.place;
        let mut text = String::new();
        if !self.next_is('"') {
            while let Some(c) = self.rest.chars().next() {
                match c {
                    ',' | '\n' => break,
                    '\r' if self.rest.starts_with("\r\n") => break,
                    '"' => {
                        return Err(Wrong::new(
                            self.place,
                            "a quote inside a field",
                            "the whole field in quotes, and each quote in it twice",
                        ));
                    }
                    '\r' => return Err(Wrong::new(self.place, "a carriage return that ends no line", "lines that end in LF or CR LF")),
                    _ => text.extend(self.take()),
                }
            }
            return Ok(Field { place, text });
        }
        self.take();
        loop {
            match self.take() {
                None => return Err(Wrong::new(place, "the quote is never closed", "a quote at the end of the field")),
                Some('"') if self.next_is('"') => text.extend(self.take()),
                Some('"') => break,
                Some(c) => text.push(c),
            }
        }
        Ok(Field { place, text })
    }

    fn record(&mut self) -> Result<Vec<Field>, Wrong> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if self.next_is(',') {
                self.take();
            } else if self.line_ends() {
                return Ok(fields);
            } else {
                return Err(Wrong::new(self.place, "text after a closed quote", "a comma or the end of the line"));
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Vec<Field>, Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, Wrong> {
        Records::of(text).map(|record| record.map(|fields| fields.into_iter().map(|field| field.text).collect())).collect()
    }

    #[test]
    fn plain_quoted_and_empty_fields_with_either_end_of_line() {
        let text = "\u{feff}a,b,c\r\n1,\"x,\"\"y\"\"\nz\",\n,,";
        assert_eq!(read(text).unwrap(), [vec!["a", "b", "c"], vec!["1", "x,\"y\"\nz", ""], vec!["", "", ""]]);
        assert_eq!(read("").unwrap(), Vec::<Vec<String>>::new());
        assert_eq!(read("a\n\nb\n").unwrap(), [vec!["a"], vec![""], vec!["b"]]);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, line, column, what) in [
            ("a,b\"c", 1, 4, "a quote inside a field"),
            ("ä,\"b\nc", 1, 3, "the quote is never closed"),
            ("a\n\"b\"c,d", 2, 4, "text after a closed quote"),
            ("a\rb", 1, 2, "a carriage return that ends no line"),
        ] {
            let wrong = read(text).unwrap_err();
            assert_eq!((wrong.place, wrong.what.as_str()), (Place { line, column }, what));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_quoted_is_read_back(fields in proptest::collection::vec(".{0,12}", 1..4)) {
            let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            proptest::prop_assert_eq!(read(&quoted.join(",")).unwrap(), vec![fields]);
        }

        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(text in "[a,\"\r\n]{0,20}") {
            let _ = read(&text);
        }
    }
}
