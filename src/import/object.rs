//! An object of the SMS Provider, whatever file it came from.

use std::fmt;

use crate::diagnostic::{cut, is_dangerous, visible};

/// The most objects of one export.
const MOST_OBJECTS: usize = 50_000;
/// The most bytes of a text that are kept.
const LONGEST_TEXT: usize = 300;
/// The most properties of an object; a distribution point has some sixty.
const MOST_PROPERTIES: usize = 2_000;
/// The most items of a list.
const MOST_ITEMS: usize = 2_000;
/// The most different things that are told as not known, of one export.
const MOST_UNKNOWN: usize = 200;

/// What one file holds.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// The name of the file, in a form that may be shown.
    pub(super) name: String,
    pub(super) objects: Vec<Object>,
    /// What stands there and is not known, each once.
    pub(super) unknown: Vec<String>,
    /// What the user should look at.
    pub(super) warnings: Vec<String>,
    /// Whether it is the control file of a site, which is of 2007 or earlier.
    pub(super) is_control_file: bool,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) class: Class,
    /// Its members that are text or numbers, with their names in small letters.
    members: Vec<(String, String)>,
    /// Its embedded properties.
    pub(super) properties: Vec<Property>,
    /// Its embedded lists, with their names as they were written.
    pub(super) lists: Vec<(String, Vec<String>)>,
    /// Whether no public sample of this form is known.
    pub(super) is_untested: bool,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A role of a server.
    Role,
    /// The settings of a component.
    Component,
    /// The settings of the site.
    SiteDefinition,
    /// The site as it is listed.
    Site,
    /// A server in the role list of a rule generator.
    Listed,
}

/// An embedded property: a number and two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: Option<i64>,
    pub(super) value1: String,
    pub(super) value2: String,
}

impl Export {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: visible(&cut(name, LONGEST_TEXT)),
            ..Self::default()
        }
    }

    /// Adds an object.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn add(&mut self, object: Object) -> Result<(), String> {
        if self.objects.len() >= MOST_OBJECTS {
            return Err(format!(
                "it holds more than {MOST_OBJECTS} objects, and no site has so many: export one \
                 site"
            ));
        }
        self.objects.push(object);
        Ok(())
    }

    /// Notes something that is not known.
    pub(super) fn unknown(&mut self, what: &str) {
        let what = short(what);
        if self.unknown.len() < MOST_UNKNOWN && !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }
}

impl Object {
    pub(super) fn new(class: Class) -> Self {
        Self {
            class,
            members: Vec::new(),
            properties: Vec::new(),
            lists: Vec::new(),
            is_untested: false,
        }
    }

    pub(super) fn put(&mut self, name: &str, text: &str) {
        self.members.push((name.to_ascii_lowercase(), short(text)));
    }

    pub(super) fn put_list<'a>(&mut self, name: &str, items: impl Iterator<Item = &'a str>) {
        let items = items.take(MOST_ITEMS).map(short).collect();
        self.lists.push((short(name), items));
    }

    /// Adds a property.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn add(&mut self, property: Property) -> Result<(), String> {
        if self.properties.len() >= MOST_PROPERTIES {
            return Err(format!(
                "an object has more than {MOST_PROPERTIES} properties, and none of a site has"
            ));
        }
        self.properties.push(property);
        Ok(())
    }

    /// A member that says something, whatever the capitals of its name.
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        let mut all = self.members.iter();
        let found = all.find(|(known, text)| known.eq_ignore_ascii_case(name) && !text.is_empty());
        found.map(|(_, text)| text.as_str())
    }

    /// The items of a list, whatever its capitals.
    pub(super) fn list(&self, name: &str) -> &[String] {
        let mut all = self.lists.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, items)| items)
    }

    /// A property, whatever its capitals.
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        let mut all = self.properties.iter();
        all.find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// The number of a property.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.property(name)?.value
    }

    /// What a comment calls it.
    pub(super) fn title(&self) -> String {
        let more = match self.class {
            Class::Role => self.member("RoleName"),
            Class::Component => self.member("ItemName").or(self.member("ComponentName")),
            Class::SiteDefinition | Class::Site | Class::Listed => None,
        };
        match more {
            Some(more) => format!("{} \"{more}\"", self.class),
            None => self.class.to_string(),
        }
    }
}

impl Property {
    pub(super) fn new(name: &str, value: Option<i64>, value1: &str, value2: &str) -> Self {
        Self {
            name: short(name),
            value,
            value1: short(value1),
            value2: short(value2),
        }
    }

    /// Its texts that say something.
    pub(super) fn text(&self) -> Option<&str> {
        let mut both = [&self.value1, &self.value2].into_iter();
        both.find(|it| !it.is_empty()).map(String::as_str)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Role => "SMS_SCI_SysResUse",
            Self::Component => "SMS_SCI_Component",
            Self::SiteDefinition => "SMS_SCI_SiteDefinition",
            Self::Site => "SMS_Site",
            Self::Listed => "SystemAndRoleList",
        })
    }
}

/// Text of an export as it is kept: in one line, not without end, and of characters that YAML takes. What cannot be shown
/// becomes a sign that no name may have.
pub(super) fn short(text: &str) -> String {
    let is_odd = |c: char| is_dangerous(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
    cut(text.trim(), LONGEST_TEXT).replace(is_odd, "\u{fffd}")
}
