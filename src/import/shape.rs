//! Finds the objects among the values of a file: by the name of their class, else by the members that only it has.

use serde_json::{Map, Value};

use super::clixml::CLASS;
use super::object::{Class, Export, Object, Property};

/// What a file has to hold, for whoever named another one.
pub(super) const WHAT_IS_READ: &str = "it reads JSON of ConvertTo-Json or the AdminService, the XML of Export-Clixml, and \
    the site control file of 2007, each with objects of SMS_SCI_SysResUse, SMS_SCI_Component, SMS_SCI_SiteDefinition or \
    SMS_Site (docs/import.md has a command for each)";

/// Members of PowerShell's own and of rule files, in which no objects stand.
const LEFT_OUT: [&str; 7] = [
    "CimClass",
    "CimInstanceProperties",
    "CimSystemProperties",
    "RuleDefinition",
    "ServiceDefinition",
    "Scope",
    "Qualifiers",
];

/// Finds all objects.
///
/// # Errors
/// When there are none, too many, or their properties were left out when they were exported.
pub(super) fn find(root: &Value, export: &mut Export) -> Result<(), String> {
    look(root, export)?;
    match export.objects.is_empty() {
        true => Err(format!(
            "it holds no object that portproof knows: {WHAT_IS_READ}"
        )),
        false => Ok(()),
    }
}

/// Readers bound how deep values go, and so how deep this goes.
fn look(value: &Value, export: &mut Export) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| look(item, export)),
        Value::Object(members) => {
            if members.contains_key("@odata.nextLink") {
                export.warnings.push(
                    "it is one page of several (`@odata.nextLink`): save the others too, and \
                     name all files"
                        .to_string(),
                );
            }
            if let Some(class) = class_of(members) {
                let object = object(class, members)?;
                return export.add(object);
            }
            if let Some(name) = named(members) {
                export.unknown(&format!("the class {name}"));
                return Ok(());
            }
            let mut within = members
                .iter()
                .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            within.try_for_each(|(_, value)| look(value, export))
        }
        _ => Ok(()),
    }
}

/// The name of the class that an object carries.
fn named(members: &Map<String, Value>) -> Option<&str> {
    let within = members
        .get("CimSystemProperties")
        .or_else(|| members.get("CimClass")?.get("CimSystemProperties"));
    let of_cim = within.and_then(|it| it.get("ClassName"));
    let own = [CLASS, "OverridingObjectClass", "ObjectClass"]
        .into_iter()
        .find_map(|name| members.get(name));
    let name = own.or(of_cim)?.as_str()?;
    name.to_ascii_uppercase()
        .starts_with("SMS_")
        .then_some(name)
}

fn class_of(members: &Map<String, Value>) -> Option<Class> {
    let has = |name: &str| {
        let mut names = members.keys();
        names.any(|it| it.eq_ignore_ascii_case(name))
    };
    let known = named(members).map(str::to_ascii_lowercase);
    match known.as_deref() {
        Some("sms_sci_sysresuse") => return Some(Class::Role),
        Some("sms_sci_component") => return Some(Class::Component),
        Some("sms_sci_sitedefinition") => return Some(Class::SiteDefinition),
        Some("sms_site") => return Some(Class::Site),
        // The class of the cmdlets' own wrapping says nothing of what is wrapped.
        Some(_) if !has("RoleName") => return None,
        _ => {}
    }
    if has("RoleName") && (has("NetworkOSPath") || has("NALPath")) {
        Some(Class::Role)
    } else if has("FullQualifiedDomainName") && has("RoleList") {
        Some(Class::Listed)
    } else if has("SiteCode") && has("ServerName") && (has("BuildNumber") || has("Version")) {
        Some(Class::Site)
    } else if !has("Props") {
        None
    } else if has("ComponentName") || has("ItemName") && has("Flag") {
        Some(Class::Component)
    } else if has("ParentSiteCode") {
        Some(Class::SiteDefinition)
    } else {
        None
    }
}

fn object(class: Class, members: &Map<String, Value>) -> Result<Object, String> {
    let mut object = Object::new(class);
    for (name, value) in members {
        match value {
            Value::String(text) => object.put(name, text),
            Value::Number(number) => object.put(name, &number.to_string()),
            Value::Bool(value) => object.put(name, if *value { "1" } else { "0" }),
            Value::Array(items) if class == Class::Listed => {
                object.put_list(name, items.iter().filter_map(Value::as_str));
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
    let member = |name: &str| {
        let mut all = members.iter();
        let found = all.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    };
    if let Some(given) = member("Props") {
        properties(given, &mut object)?;
    }
    if object.properties.is_empty()
        && let Some(given) = member("EmbeddedProperties")
    {
        properties(given, &mut object)?;
        object.is_untested = true;
    }
    for list in all(member("PropLists").unwrap_or(&Value::Null)) {
        let name = list.get("PropertyListName").and_then(Value::as_str);
        let items = list.get("Values").map(all).unwrap_or_default();
        let items = items.into_iter().filter_map(Value::as_str);
        object.put_list(name.unwrap_or_default(), items);
    }
    Ok(object)
}

/// The items of a list, or the one value that stands in its place: PowerShell writes a list of one as that one.
fn all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        // What the AdminService and some versions of PowerShell wrap a list in.
        Value::Object(members) => match members.get("value") {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => vec![value],
        },
        _ => vec![value],
    }
}

/// Properties as a list, or as members of one object that have their names.
fn properties(value: &Value, object: &mut Object) -> Result<(), String> {
    for item in all(value) {
        match item {
            Value::Object(members) if members.contains_key("PropertyName") => {
                object.add(property("", members))?;
            }
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(members) = value.as_object() {
                        object.add(property(name, members))?;
                    }
                }
            }
            Value::Null => {}
            _ => {
                return Err(
                    "its properties (`Props`) are text: the export did not go deep enough; add \
                     -Depth 6 to ConvertTo-Json or Export-Clixml"
                        .to_string(),
                );
            }
        }
    }
    Ok(())
}

/// A property; one that does not have its name itself has it from around.
fn property(around: &str, members: &Map<String, Value>) -> Property {
    let text = |name: &str| match members.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let value = match members.get("Value") {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Bool(value)) => Some(i64::from(*value)),
        _ => None,
    };
    let own = text("PropertyName");
    let name = if own.is_empty() { around } else { &own };
    Property::new(name, value, &text("Value1"), &text("Value2"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(value: &Value) -> Result<Export, String> {
        let mut export = Export::new("x.json");
        find(value, &mut export).map(|()| export)
    }

    #[test]
    fn objects_are_known_by_their_class_or_by_their_members() {
        let export = found(&json!({
            "@odata.context": "x",
            "value": [
                { "RoleName": "SMS Site System", "NetworkOSPath": "\\\\a" },
                { "__CLASS": "SMS_SCI_Component", "Props": [] },
                { "ItemName": "A|B", "Flag": 6, "Props": [] },
                { "SiteCode": "PRI", "ParentSiteCode": "", "Props": [] },
                { "CimSystemProperties": { "ClassName": "SMS_Site" } },
                { "CimClass": { "CimSystemProperties": { "ClassName": "sms_site" } } },
                { "CimSystemProperties": { "ClassName": "SMS_Package" } },
                { "FirewallRuleDefinition": {
                    "SystemAndRoleList": [{ "FullQualifiedDomainName": "a", "RoleList": ["SiteServer"] }],
                    "RuleDefinition": [{ "Source": "SiteServer" }] } },
                "text", 5, null
            ]
        }))
        .expect("objects");
        let classes: Vec<Class> = export.objects.iter().map(|it| it.class).collect();
        use Class::{Component, Listed, Role, Site, SiteDefinition};
        assert_eq!(
            classes,
            [
                Role,
                Component,
                Component,
                SiteDefinition,
                Site,
                Site,
                Listed
            ]
        );
        assert_eq!(export.unknown, ["the class SMS_Package"]);
        assert_eq!(
            export.objects[6].lists,
            [("RoleList".to_string(), vec!["SiteServer".to_string()])]
        );
    }

    #[test]
    fn properties_are_a_list_or_one_or_members_with_names() {
        let one = json!({ "PropertyName": "A", "Value": 443, "Value1": "x", "Value2": null });
        let role = |name: &str, properties: &Value| {
            let value = json!({ "RoleName": "r", "NALPath": "n", name: properties });
            found(&value).map(|export| export.objects[0].clone())
        };
        for (name, properties, is_untested) in [
            ("Props", json!([one]), false),
            ("Props", one.clone(), false),
            ("Props", json!({ "value": [one], "Count": 1 }), false),
            ("props", json!([one]), false),
            (
                "EmbeddedProperties",
                json!({ "A": { "Value": "443", "Value1": "x" } }),
                true,
            ),
            ("EmbeddedProperties", json!([one]), true),
        ] {
            let role = role(name, &properties).expect("a role");
            let found = role.property("a").expect("the property");
            assert_eq!(
                (found.value, found.value1.as_str()),
                (Some(443), "x"),
                "{properties}"
            );
            assert_eq!(role.is_untested, is_untested);
        }
        let shallow = role("Props", &json!(["System.Management.ManagementBaseObject"]));
        assert!(shallow.expect_err("text").contains("-Depth 6"));
    }

    #[test]
    fn a_file_without_objects_says_what_would_be_one() {
        for value in [
            json!([]),
            json!({ "a": [1, { "b": {} }] }),
            json!("SMS_Site"),
        ] {
            let said = found(&value).expect_err("nothing");
            assert!(said.contains("docs/import.md"), "{said}");
        }
        let page =
            json!({ "@odata.nextLink": "x", "value": [{ "RoleName": "r", "NALPath": "n" }] });
        assert_eq!(found(&page).expect("one").warnings.len(), 1);
    }
}
