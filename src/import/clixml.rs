//! The XML that `Export-Clixml` writes, as the same values that JSON has. [MS-PSRP] 2.2.5 has its grammar.
//!
//! A reference to an earlier object is not followed: followed without end, a small file could ask for any memory. No
//! entity but the five of XML is known, and a document type is refused.

use std::collections::HashMap;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use super::object::short;

/// How deep elements may stand in each other. A role with its properties goes down to eight.
const DEEPEST: usize = 64;

/// The member that carries the class of an object.
pub(super) const CLASS: &str = "__CLASS";

/// The values of a text.
///
/// # Errors
/// What is wrong with it.
pub(super) fn tree(text: &str) -> Result<Value, String> {
    let mut tree = Tree {
        reader: Reader::from_str(text),
        classes: HashMap::new(),
        depth: 0,
    };
    tree.reader.config_mut().expand_empty_elements = true;
    let root = loop {
        match tree.next()? {
            Next::Start(start) => break start,
            Next::Text(_) | Next::End => {}
        }
    };
    match root.local_name().into_inner() {
        "Objs" => Ok(Value::Array(tree.list()?)),
        name => Err(format!(
            "it is XML with the root element `{}`, and `Export-Clixml` writes `Objs`",
            short(name)
        )),
    }
}

/// What comes next, what says nothing left out.
enum Next {
    Start(BytesStart<'static>),
    End,
    Text(String),
}

struct Tree<'a> {
    reader: Reader<&'a [u8]>,
    /// The class that the number of a list of types stands for.
    classes: HashMap<String, Option<String>>,
    depth: usize,
}

impl Tree<'_> {
    fn next(&mut self) -> Result<Next, String> {
        loop {
            let event = self.reader.read_event();
            return match event.map_err(|_| self.wrong("it is no XML that can be read"))? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err(self.wrong(&format!(
                            "its elements stand in each other more than {DEEPEST} deep"
                        )));
                    }
                    Ok(Next::Start(start.into_owned()))
                }
                Event::End(_) => {
                    self.depth -= 1;
                    Ok(Next::End)
                }
                Event::Text(text) => Ok(Next::Text(text.xml10_content().into_owned())),
                Event::CData(text) => Ok(Next::Text(text.xml10_content().into_owned())),
                Event::GeneralRef(reference) => self.referred(&reference).map(Next::Text),
                Event::DocType(_) => {
                    Err(self.wrong("it has a document type, and `Export-Clixml` writes none"))
                }
                Event::Eof => Err(
                    "it is XML that ends in the middle: it was cut off; export it again"
                        .to_string(),
                ),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
        }
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what} (byte {})", self.reader.error_position())
    }

    /// The text that a reference stands for.
    fn referred(&self, reference: &BytesRef<'_>) -> Result<String, String> {
        let known = resolve_predefined_entity(reference).map(str::to_string);
        let character = || reference.resolve_char_ref().ok().flatten();
        let text = known.or_else(|| character().map(String::from));
        text.ok_or_else(|| {
            self.wrong(&format!(
                "it has the entity `{}`, and `Export-Clixml` writes none of its own",
                short(reference)
            ))
        })
    }

    /// The text of an element to its end.
    fn text(&mut self) -> Result<String, String> {
        let mut all = String::new();
        loop {
            match self.next()? {
                Next::Start(_) => self.skip()?,
                Next::Text(text) => all += &text,
                Next::End => return Ok(unescaped(&all)),
            }
        }
    }

    /// Leaves out what stands in an element.
    fn skip(&mut self) -> Result<(), String> {
        let around = self.depth - 1;
        while self.depth > around {
            self.next()?;
        }
        Ok(())
    }

    /// The values of the children of an element.
    fn list(&mut self) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        loop {
            match self.next()? {
                Next::Start(start) => all.push(self.value(&start)?),
                Next::Text(_) => {}
                Next::End => return Ok(all),
            }
        }
    }

    /// The same, of children that have names.
    fn members(&mut self) -> Result<Map<String, Value>, String> {
        let mut all = Map::new();
        loop {
            match self.next()? {
                Next::Start(start) => {
                    let name = self.attribute(&start, "N")?.unwrap_or_default();
                    let value = self.value(&start)?;
                    all.insert(name, value);
                }
                Next::Text(_) => {}
                Next::End => return Ok(all),
            }
        }
    }

    fn attribute(&self, start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
        let wrong = || self.wrong("an element has attributes that cannot be read");
        let Some(found) = start.try_get_attribute(name).map_err(|_| wrong())? else {
            return Ok(None);
        };
        let value = found.normalized_value(XmlVersion::Implicit1_0);
        value
            .map(|text| Some(unescaped(&text)))
            .map_err(|_| wrong())
    }

    fn value(&mut self, start: &BytesStart<'_>) -> Result<Value, String> {
        match start.local_name().into_inner() {
            "Obj" => self.object(),
            "Nil" | "Ref" => self.skip().map(|()| Value::Null),
            "B" => Ok(Value::Bool(self.text()? == "true")),
            "By" | "SB" | "I16" | "U16" | "I32" | "U32" | "I64" | "U64" => {
                let text = self.text()?;
                let number = text.trim().parse::<i64>();
                Ok(number.map_or(Value::String(text), Value::from))
            }
            _ => Ok(Value::String(self.text()?)),
        }
    }

    /// An object: what it holds as a list, or its members with its class among them.
    fn object(&mut self) -> Result<Value, String> {
        let mut class = None;
        let mut members = Map::new();
        let mut value = None;
        loop {
            let start = match self.next()? {
                Next::Start(start) => start,
                Next::Text(_) => continue,
                Next::End => break,
            };
            match start.local_name().into_inner() {
                "TN" => {
                    let number = self.attribute(&start, "RefId")?.unwrap_or_default();
                    class = self.first_class()?;
                    self.classes.insert(number, class.clone());
                }
                "TNRef" => {
                    let number = self.attribute(&start, "RefId")?.unwrap_or_default();
                    class = self.classes.get(&number).cloned().flatten();
                    self.skip()?;
                }
                "Props" | "MS" => members.extend(self.members()?),
                "LST" | "IE" | "STK" | "QUE" => value = Some(Value::Array(self.list()?)),
                "DCT" => members.extend(self.dictionary()?),
                "ToString" => self.skip()?,
                _ => {
                    let other = self.value(&start)?;
                    value.get_or_insert(other);
                }
            }
        }
        if let Some(value) = value {
            return Ok(value);
        }
        if let Some(class) = class {
            members.entry(CLASS).or_insert(Value::String(class));
        }
        Ok(Value::Object(members))
    }

    /// The class among the types of an object: the last part of `...CimInstance#root/sms/site_PRI/SMS_SCI_SysResUse`.
    fn first_class(&mut self) -> Result<Option<String>, String> {
        let types = self.list()?;
        let names = types.iter().filter_map(Value::as_str);
        let mut last = names.filter_map(|name| name.rsplit(['/', '\\', '#']).next());
        Ok(last
            .find(|name| name.to_ascii_uppercase().starts_with("SMS_"))
            .map(str::to_string))
    }

    fn dictionary(&mut self) -> Result<Map<String, Value>, String> {
        let mut all = Map::new();
        loop {
            match self.next()? {
                Next::Start(_) => {
                    let mut entry = self.members()?;
                    let value = entry.remove("Value").unwrap_or_default();
                    if let Some(Value::String(key)) = entry.remove("Key") {
                        all.insert(key, value);
                    }
                }
                Next::Text(_) => {}
                Next::End => return Ok(all),
            }
        }
    }
}

/// Text as it was before `Export-Clixml` wrote some UTF-16 units as `_x000D_`.
fn unescaped(text: &str) -> String {
    const LONG: usize = "_x000D_".len();
    if !text.contains("_x") {
        return text.to_string();
    }
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let written = rest
            .get(..LONG)
            .and_then(|it| it.strip_prefix("_x")?.strip_suffix('_'));
        let digits = written.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                units.push(unit);
                rest = &rest[LONG..];
            }
            None => {
                units.extend_from_slice(first.encode_utf16(&mut [0; 2]));
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The values of what stands in the root element.
    fn read(inner: &str) -> Result<Value, String> {
        tree(&format!(
            "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">{inner}</Objs>"
        ))
    }

    #[test]
    fn objects_lists_and_words_become_the_values_of_json() {
        let read = read(
            "<Obj RefId=\"0\"><TN RefId=\"0\"><T>Microsoft.Management.Infrastructure.CimInstance#root/sms/site_PRI/SMS_SCI_SysResUse</T>\
             <T>System.Object</T></TN><ToString>x</ToString><Props><S N=\"RoleName\">a &amp; b_x000D_&#65;</S><U32 N=\"SslState\">1</U32>\
             <B N=\"IsX\">true</B><Nil N=\"None\"/><Obj N=\"Props\" RefId=\"1\"><TN RefId=\"1\"><T>System.Array</T></TN>\
             <LST><S>one</S><Obj RefId=\"2\"><TNRef RefId=\"0\"/><MS><I32 N=\"Value\">-5</I32></MS></Obj></LST></Obj></Props></Obj>\
             <Obj RefId=\"3\"><DCT><En><S N=\"Key\">k</S><S N=\"Value\">v</S></En></DCT></Obj><Ref RefId=\"0\"/>",
        );
        let expected = json!([
            { "RoleName": "a & b\rA", "SslState": 1, "IsX": true, "None": null,
              "Props": ["one", { "Value": -5, "__CLASS": "SMS_SCI_SysResUse" }],
              "__CLASS": "SMS_SCI_SysResUse" },
            { "k": "v" },
            null
        ]);
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_no_export_has_is_refused_in_words() {
        for (text, says) in [
            (
                "<!DOCTYPE Objs [<!ENTITY a \"b\">]><Objs><S>&a;</S></Objs>",
                "document type",
            ),
            ("<Objs><S>&a;</S></Objs>", "the entity `a`"),
            (
                "<Objs><Obj><Props><S N=\"&a;\">x</S></Props></Obj></Objs>",
                "attributes that cannot be read",
            ),
            ("<html></html>", "the root element `html`"),
            ("<Objs><S>a", "ends in the middle"),
            ("<Objs><S>a</B></Objs>", "no XML that can be read"),
            ("<", "no XML"),
            ("<!-- -->", "ends in the middle"),
        ] {
            let said = tree(text).expect_err(text);
            assert!(said.contains(says), "{text}: {said}");
        }
        let deep = "<Obj><LST>".repeat(50_000);
        assert!(read(&deep).expect_err("deep").contains("more than 64 deep"));
    }

    #[test]
    fn units_written_as_numbers_are_text_again() {
        for (written, text) in [
            ("a_x000A_b", "a\nb"),
            ("_x005F_x", "_x"),
            ("_xD83D__xDE00_", "\u{1f600}"),
            ("_xD83D_", "\u{fffd}"),
            ("_xZZZZ_ _x00", "_xZZZZ_ _x00"),
            ("Größe_x0", "Größe_x0"),
        ] {
            assert_eq!(unescaped(written), text);
        }
    }
}
