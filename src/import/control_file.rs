//! The site control file of 2007, `sitectrl.ct0`. The SDK shows the grammar of one role; components are read by the same one.
//!
//! ```text
//! BEGIN_SYSTEM_RESOURCE_USE
//!     RESOURCE<Windows NT Server><["Display=\\CM01\"]MSWNET:["SMS_SITE=PRI"]\\CM01\>
//!     ROLE<SMS PXE Service Point>
//!     PROPERTY <Server Remote Name><cm01.example.com><><0>
//!     BEGIN_PROPERTY_LIST
//!         <BindExcept>
//!     END_PROPERTY_LIST
//! END_SYSTEM_RESOURCE_USE
//! ```
//!
//! Of a property the three parts are the first text, the second text and the number. A component's second part may be the
//! type of a registry value, and then the third is its text.

use super::object::{Class, Export, Object, Property};

/// How a block begins and ends.
const BEGIN: &str = "BEGIN_";
const END: &str = "END_";

/// Whether a text is such a file: a line of it begins a block.
pub(super) fn is_one(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().starts_with(BEGIN))
}

/// Reads the blocks that are known, and names the others.
///
/// # Errors
/// When a block has no end.
pub(super) fn read(text: &str, export: &mut Export) -> Result<(), String> {
    export.is_control_file = true;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.trim().strip_prefix(BEGIN) else {
            continue;
        };
        let class = match kind {
            "SYSTEM_RESOURCE_USE" => Class::Role,
            "COMPONENT" => Class::Component,
            "SITE_DEFINITION" => Class::SiteDefinition,
            other => {
                export.unknown(&format!("a block {BEGIN}{other}"));
                continue;
            }
        };
        let end = format!("{END}{kind}");
        let mut object = Object::new(class);
        object.is_untested = class != Class::Role;
        let block = lines.by_ref().map(|(_, line)| line.trim());
        let mut has_end = false;
        let mut list: Option<Vec<&str>> = None;
        for line in block {
            if line == end {
                has_end = true;
                break;
            }
            match (&mut list, line) {
                (_, "BEGIN_PROPERTY_LIST") => list = Some(Vec::new()),
                (Some(items), "END_PROPERTY_LIST") => {
                    let mut items = items.iter().copied();
                    let name = items.next().unwrap_or_default();
                    object.put_list(name, items);
                    list = None;
                }
                (Some(items), line) => items.extend(parts(line).first()),
                (None, line) => of_block(line, &mut object)?,
            }
        }
        if !has_end {
            return Err(format!(
                "line {}: the block `{BEGIN}{kind}` has no `{end}`: the file was cut off",
                number + 1
            ));
        }
        export.add(object)?;
    }
    Ok(())
}

/// A line of a block.
fn of_block(line: &str, object: &mut Object) -> Result<(), String> {
    let word = line.split('<').next().unwrap_or_default().trim();
    let parts = parts(line);
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    match word {
        "RESOURCE" => {
            object.put("NALType", part(0));
            object.put("NALPath", part(1));
        }
        "ROLE" => object.put("RoleName", part(0)),
        "PROPERTY" => object.add(property(&parts))?,
        // The first part of a component that has no word before it is its name.
        "" if object.class == Class::Component && object.member("ComponentName").is_none() => {
            object.put("ComponentName", part(0));
        }
        _ => {}
    }
    Ok(())
}

fn property(parts: &[&str]) -> Property {
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let (value1, value2) = match part(1).starts_with("REG_") {
        true => (part(2), ""),
        false => (part(1), part(2)),
    };
    Property::new(part(0), part(3).trim().parse().ok(), value1, value2)
}

/// The parts of a line, each between `<` and `>`. A path has no `<`, so `>` ends a part where `<` or the line's end follows.
fn parts(line: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('<') {
        let inner = &rest[start + 1..];
        let ends = inner.match_indices('>').find(|(at, _)| {
            let behind = inner[at + 1..].trim_start();
            behind.is_empty() || behind.starts_with('<')
        });
        let Some((end, _)) = ends else { break };
        all.push(inner[..end].trim());
        rest = &inner[end + 1..];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Result<Export, String> {
        let mut export = Export::new("sitectrl.ct0");
        read(text, &mut export).map(|()| export)
    }

    #[test]
    fn the_sample_of_the_sdk_is_read() {
        let export = read_as(
            "BEGIN_SYSTEM_RESOURCE_USE\r\n\
             \tRESOURCE<Windows NT Server><[\"Display=\\\\CM01\\\"]MSWNET:[\"SMS_SITE=ABC\"]\\\\CM01\\>\r\n\
             \tROLE<SMS PXE Service Point>\r\n\
             \tPROPERTY <IsActive><><><1>\r\n\
             \tPROPERTY <Server Remote Name><cm01.example><><0>\r\n\
             \tBEGIN_PROPERTY_LIST\r\n\t\t<BindExcept>\r\n\t\t<11:11:11:11:11:11>\r\n\tEND_PROPERTY_LIST\r\n\
             END_SYSTEM_RESOURCE_USE\r\n",
        )
        .expect("a control file");
        let role = &export.objects[0];
        assert_eq!(role.member("RoleName"), Some("SMS PXE Service Point"));
        assert_eq!(
            role.member("NALPath"),
            Some("[\"Display=\\\\CM01\\\"]MSWNET:[\"SMS_SITE=ABC\"]\\\\CM01\\")
        );
        assert_eq!(role.number("IsActive"), Some(1));
        let name = role.property("server remote name").expect("a property");
        assert_eq!(name.value1, "cm01.example");
        let list = (
            "BindExcept".to_string(),
            vec!["11:11:11:11:11:11".to_string()],
        );
        assert_eq!(role.lists, [list]);
    }

    #[test]
    fn components_have_a_name_and_settings_and_other_blocks_are_named() {
        let export = read_as(
            "BEGIN_COMPONENT\n<SMS_MP_CONTROL_MANAGER>\n<6>\n<CM01>\n\
             PROPERTY <IISPortsList><80,8080><><0>\n\
             PROPERTY <IISSSLPortsList><REG_SZ><443><0>\nEND_COMPONENT\n\
             BEGIN_CLIENT_COMPONENT\n<x>\nEND_CLIENT_COMPONENT\n",
        )
        .expect("a control file");
        let component = &export.objects[0];
        assert_eq!(
            component.member("ComponentName"),
            Some("SMS_MP_CONTROL_MANAGER")
        );
        let text = |name| component.property(name).map(|it| it.value1.as_str());
        assert_eq!(text("IISPortsList"), Some("80,8080"));
        assert_eq!(text("IISSSLPortsList"), Some("443"));
        assert!(component.is_untested);
        assert_eq!(export.unknown, ["a block BEGIN_CLIENT_COMPONENT"]);
    }

    #[test]
    fn a_block_without_end_is_named_with_its_line() {
        let said = read_as("\nBEGIN_COMPONENT\n<x>\n").expect_err("cut off");
        assert!(
            said.starts_with("line 2: the block `BEGIN_COMPONENT`"),
            "{said}"
        );
    }
}
