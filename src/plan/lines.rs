//! JSON with a line for each entry: large documents stay small, and tools for lines can read and compare them.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// How deep lists and objects get lines of their own: the document, its lists and its tables.
const BY_LINES: usize = 2;

/// Writes what stands deeper than lists and tables of the document on one line.
#[derive(Default)]
pub(super) struct Lines {
    depth: usize,
    /// Whether what was opened last has something in it.
    filled: bool,
}

impl Lines {
    fn open<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled && self.depth < BY_LINES {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }

    fn next<W: Write + ?Sized>(&self, out: &mut W, first: bool) -> io::Result<()> {
        match (self.depth <= BY_LINES, first) {
            (true, true) => self.line(out),
            (true, false) => {
                out.write_all(b",")?;
                self.line(out)
            }
            (false, true) => Ok(()),
            (false, false) => out.write_all(b", "),
        }
    }

    fn line<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;
    use serde_json::{Serializer, Value, json};

    use super::*;

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut out, Lines::default());
        value.serialize(&mut serializer).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_entry_of_a_list_or_table_has_a_line() {
        let value = json!({"a": 1, "list": [{"b": [1, 2], "c": {}}, {"d": "x"}], "none": []});
        let lines = [
            "{",
            r#"  "a": 1,"#,
            r#"  "list": ["#,
            r#"    {"b": [1, 2], "c": {}},"#,
            r#"    {"d": "x"}"#,
            "  ],",
            r#"  "none": []"#,
            "}",
        ];
        assert_eq!(written(&value), lines.join("\n"));
        assert_eq!(
            serde_json::from_str::<Value>(&written(&value)).expect("JSON"),
            value
        );
    }
}
