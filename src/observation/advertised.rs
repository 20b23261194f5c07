//! What a site says of itself to whoever asks, and where that contradicts the site file. A management point has a list of
//! those of its site, and DNS may have them, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

/// A management point, as a list of management points has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListedPoint {
    /// Its name. In 2007 it is the short one of Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in DNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// The code of its site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_code: Option<String>,
    /// The build number of its software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// How clients speak to it (`SSLState`): 0 over HTTP, 31 and 63 over HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_state: Option<u32>,
}

impl ListedPoint {
    /// Its name with a domain. A short one says nothing of where clients find the server.
    pub fn full_name(&self) -> Option<&str> {
        let mut names = [&self.fqdn, &self.name].into_iter().flatten();
        names
            .find(|name| name.contains('.'))
            .map(|name| name.as_str())
    }
}

/// Where DNS says that clients find a management point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPoint {
    /// The name of the host.
    pub target: String,
    /// The port.
    pub port: u16,
}

/// One thing in which a site contradicts the file that describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differs {
    /// What.
    pub what: Advertised,
    /// What the site says, in words.
    pub site: String,
    /// What the site file says, in words.
    pub file: String,
}

words! {
    /// What a site says of itself. What the others follow from comes first.
    Advertised {
        /// Its site code.
        SiteCode = "site-code",
        /// Its product and version.
        Product = "product",
        /// Whether clients speak HTTPS to it.
        Https = "https",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::RoleFound;

    #[test]
    fn what_an_earlier_version_wrote_of_a_role_is_read() {
        let earlier = r#"{"role": "management-point", "proof": "proved", "words": "", "other_names": ["a.b"]}"#;
        let found: RoleFound = serde_json::from_str(earlier).expect("a role");
        assert_eq!((found.listed, found.differs), (vec![], vec![]));
        assert_eq!(found.other_names, ["a.b"]);
    }

    #[test]
    fn only_a_name_with_a_domain_says_where_clients_find_it() {
        let of = |name: Option<&str>, fqdn: Option<&str>| {
            let point = ListedPoint {
                name: name.map(str::to_string),
                fqdn: fqdn.map(str::to_string),
                ..ListedPoint::default()
            };
            point.full_name().map(str::to_string)
        };
        let full = Some("ibs01.example.com".to_string());
        assert_eq!(of(Some("IBS01"), Some("ibs01.example.com")), full);
        assert_eq!(of(Some("ibs01.example.com"), Some("IBS01")), full);
        assert_eq!(of(Some("IBS01"), None), None);
    }
}
