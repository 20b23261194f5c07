//! What is asked, in this order: networks come before servers, because these stand in them.

use crate::product;
use crate::words::words;

words! {
    /// A question. Its word is the option that answers it.
    Question {
        /// The site code.
        Code = "code",
        /// The product.
        Product = "product",
        /// The networks of the intranet.
        Intranet = "intranet",
        /// The networks of the perimeter.
        Perimeter = "perimeter",
        /// The site server.
        SiteServer = "site-server",
        /// Further servers for the inside.
        Server = "server",
        /// Servers that clients on the Internet reach.
        InternetServer = "internet-server",
        /// The revocation lists.
        CrlUrl = "crl-url",
    }
}

impl Question {
    /// Whether there is no file without an answer.
    pub fn is_needed(self) -> bool {
        match self {
            Self::Code | Self::Product | Self::Intranet | Self::SiteServer => true,
            Self::Perimeter | Self::Server | Self::InternetServer | Self::CrlUrl => false,
        }
    }

    /// Whether it is asked until there is no further answer.
    pub fn has_several(self) -> bool {
        match self {
            Self::Server | Self::InternetServer | Self::CrlUrl => true,
            Self::Code | Self::Product | Self::Intranet | Self::Perimeter | Self::SiteServer => {
                false
            }
        }
    }

    /// An answer that could be given.
    pub fn example(self) -> &'static str {
        match self {
            Self::Code => "PRI",
            Self::Product => "configmgr-2007",
            Self::Intranet => "10.0.0.0/8, 172.16.0.0/12",
            Self::Perimeter => "192.0.2.0/24",
            Self::SiteServer => "cm01.corp.example.com 10.0.0.5 SQL MP DP SUP",
            Self::Server => "dc01.corp.example.com 10.0.0.2 DC",
            Self::InternetServer => {
                "ibs01.example.com ibs01.corp.example.com 203.0.113.10 192.0.2.10 MP DP SUP FSP"
            }
            Self::CrlUrl => "http://pki.example.com/ca.crl",
        }
    }

    /// The question itself.
    pub fn text(self) -> String {
        match self {
            Self::Code => "Which site code does the console show?".to_string(),
            Self::Product => format!("Which product is it? One of:\n{}", products()),
            Self::Intranet => "Which networks has the intranet?".to_string(),
            Self::Perimeter => "Which networks has the perimeter, between the Internet and the \
                                intranet?\nAn empty line: there is no perimeter."
                .to_string(),
            Self::SiteServer => "Which is the site server? Its full name, its address, and the \
                                 roles that it has\nbeside site-server. MP, DP, SUP, FSP, SQL \
                                 (site database) and DC (domain\ncontroller) are taken, and the \
                                 whole names of all roles."
                .to_string(),
            Self::Server => "Which other servers are there that clients on the Internet do not \
                             reach? A\ndatabase server, domain controllers and so on, one a \
                             line. An empty line: no more."
                .to_string(),
            Self::InternetServer => "Which servers do clients on the Internet reach? One a line: \
                                     its name in the\nInternet, its name inside where that is \
                                     another, its public address, its own\naddress, its roles. An \
                                     empty line: no more."
                .to_string(),
            Self::CrlUrl => "Where are the revocation lists of the certificates? A certificate \
                             has this under\nCRL Distribution Points. One a line; `none`: clients \
                             do not check them. An empty\nline: no more, or not known yet."
                .to_string(),
        }
    }
}

/// The products, each with the number that stands for it.
fn products() -> String {
    let all = product::all().zip(1..);
    let lines = all.map(|(name, number)| format!("  {number}  {name}"));
    lines.collect::<Vec<_>>().join("\n")
}
