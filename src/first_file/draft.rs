//! Takes the answers one by one.

use std::net::IpAddr;

use ipnet::IpNet;

use super::answers::{Answers, Lists, Server, zone_with};
use super::question::Question;
use super::server::{self, Reached};
use super::{networks, text};
use crate::config;
use crate::diagnostic::{Problem, Severity};
use crate::product::{self, Catalogue, End, Role};
use crate::site::{CLIENT_FACING, Site};

/// How many letters and digits a site code has.
const CODE_LENGTH: usize = 3;

/// The answers so far.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    code: Option<String>,
    catalogue: Option<Catalogue>,
    intranet: Vec<IpNet>,
    perimeter: Vec<IpNet>,
    site_server: Option<Server>,
    inside: Vec<Server>,
    facing: Vec<Server>,
    lists: Lists,
}

impl Draft {
    /// Takes the answer to a question; questions are answered in their order.
    ///
    /// # Errors
    /// Why it cannot be, and what would be right. The draft is then as it was.
    pub fn take(&mut self, question: Question, line: &str) -> Result<(), String> {
        let mut next = self.clone();
        match question {
            Question::Code => next.code = Some(code(line)?),
            Question::Product => next.catalogue = Some(product(line)?),
            Question::Intranet => next.intranet = networks::read(line)?,
            Question::Perimeter => next.perimeter = networks::read(line)?,
            Question::SiteServer => next.site_server = Some(next.site_server(line)?),
            Question::Server => next.inside.push(next.server(line)?),
            Question::InternetServer => next.facing.push(next.internet_server(line)?),
            Question::CrlUrl => next.lists = next.list(line)?,
        }
        next.reviewed()?;
        *self = next;
        Ok(())
    }

    /// The questions without which there is no file, of those that have no answer.
    pub fn missing(&self) -> Vec<Question> {
        let is_open = |question: &Question| match question {
            Question::Code => self.code.is_none(),
            Question::Product => self.catalogue.is_none(),
            Question::Intranet => self.intranet.is_empty(),
            Question::SiteServer => self.site_server.is_none(),
            _ => false,
        };
        Question::ALL.iter().copied().filter(is_open).collect()
    }

    /// All answers; `None` while one is missing.
    pub fn answers(&self) -> Option<Answers> {
        Some(Answers {
            code: self.code.clone()?,
            catalogue: self.catalogue.clone()?,
            intranet: (!self.intranet.is_empty()).then(|| self.intranet.clone())?,
            perimeter: self.perimeter.clone(),
            site_server: self.site_server.clone()?,
            inside: self.inside.clone(),
            facing: self.facing.clone(),
            lists: self.lists.clone(),
        })
    }

    fn site_server(&self, line: &str) -> Result<Server, String> {
        let mut server = server::read(line, Reached::Inside, &self.roles(Reached::Inside))?;
        self.stands_somewhere(&server)?;
        server.roles.insert(0, Role::SiteServer);
        Ok(server)
    }

    fn server(&self, line: &str) -> Result<Server, String> {
        let server = server::read(line, Reached::Inside, &self.roles(Reached::Inside))?;
        self.fits(server)
    }

    fn internet_server(&self, line: &str) -> Result<Server, String> {
        let roles = self.roles(Reached::FromInternet);
        let server = server::read(line, Reached::FromInternet, &roles)?;
        if let (Some(public), Some(own)) = (server.public, server.own)
            && public != own
            && let Some(zone) = self.zone_with(public)
        {
            return Err(format!(
                "the first address is the public one, and {public} lies in the {zone}; write the \
                 public address first, then its own"
            ));
        }
        self.fits(server)
    }

    /// A server beside the site server.
    fn fits(&self, server: Server) -> Result<Server, String> {
        if server.roles.is_empty() {
            return Err("no role; end with what the server does, as in MP DP".to_string());
        }
        let all = self
            .site_server
            .iter()
            .chain(&self.inside)
            .chain(&self.facing);
        let names = |it: &Server| [Some(it.name.clone()), it.name_inside.clone()];
        let own: Vec<String> = names(&server).into_iter().flatten().collect();
        let mut taken = all.flat_map(names).flatten();
        if let Some(name) = taken.find(|name| own.contains(name)) {
            return Err(format!(
                "`{name}` was named before; a server with several roles stands in one line"
            ));
        }
        self.stands_somewhere(&server)?;
        Ok(server)
    }

    fn stands_somewhere(&self, server: &Server) -> Result<(), String> {
        let Some(own) = server.own.filter(|own| self.zone_with(*own).is_none()) else {
            return Ok(());
        };
        let all = self.perimeter.iter().chain(&self.intranet);
        let all: Vec<String> = all.map(ToString::to_string).collect();
        Err(format!(
            "the own address {own} lies in none of the networks that were named: {}",
            all.join(", ")
        ))
    }

    fn zone_with(&self, address: IpAddr) -> Option<&'static str> {
        zone_with(address, &self.perimeter, &self.intranet)
    }

    /// The roles that a server may have: of the product, and without keys that nobody is asked for.
    fn roles(&self, reached: Reached) -> Vec<Role> {
        let rules = self.catalogue.iter().flat_map(|it| &it.rules);
        let ends: Vec<End> = rules
            .flat_map(|rule| rule.from.iter().chain(&rule.to))
            .copied()
            .collect();
        let is_of_product = |role: &Role| ends.contains(&End::Role(*role));
        let is_asked_for = |role: &Role| match reached {
            // A proxy publishes systems, and there is one site server.
            Reached::Inside => ![Role::SiteServer, Role::WebProxy].contains(role),
            Reached::FromInternet => {
                CLIENT_FACING.contains(role) || *role == Role::CrlDistributionPoint
            }
        };
        let all = Role::ALL.iter().copied();
        all.filter(is_of_product).filter(is_asked_for).collect()
    }

    fn list(&self, line: &str) -> Result<Lists, String> {
        let url = line.trim();
        match (&self.lists, url.eq_ignore_ascii_case("none")) {
            (Lists::Unknown, true) => Ok(Lists::Unchecked),
            (Lists::Unknown, false) => Ok(Lists::At(vec![url.to_string()])),
            (Lists::At(all), false) if all.iter().any(|it| it == url) => {
                Err(format!("`{url}` was named before"))
            }
            (Lists::At(all), false) => Ok(Lists::At([&all[..], &[url.to_string()]].concat())),
            (Lists::At(_) | Lists::Unchecked, _) => {
                Err("`none` stands alone: clients check lists, or they do not".to_string())
            }
        }
    }

    /// Tries the file that the answers make. Until the site server is known there is none.
    fn reviewed(&self) -> Result<(), String> {
        let both = self
            .intranet
            .iter()
            .find(|net| self.perimeter.contains(net));
        if let Some(net) = both {
            return Err(format!(
                "`{net}` is of the intranet already; each network lies in one zone"
            ));
        }
        let Some(answers) = self.answers() else {
            return Ok(());
        };
        let (config, mut problems) = config::read(text::text(&answers).as_bytes());
        if let Some(config) = &config {
            Site::new(config, &answers.catalogue, &mut problems);
        }
        let mut errors = problems.into_iter();
        match errors.find(|problem| problem.severity == Severity::Error) {
            None => Ok(()),
            Some(Problem { message, hint, .. }) => {
                let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
                Err(format!("{message}{hint}"))
            }
        }
    }
}

fn code(line: &str) -> Result<String, String> {
    let code = line.trim().to_ascii_uppercase();
    let is_code = code.len() == CODE_LENGTH && code.chars().all(|c| c.is_ascii_alphanumeric());
    match is_code {
        true => Ok(code),
        false => Err(format!(
            "a site code has {CODE_LENGTH} letters or digits, as in PRI"
        )),
    }
}

/// A product, by its name or its number in the question.
fn product(line: &str) -> Result<Catalogue, String> {
    let word = line.trim().to_ascii_lowercase();
    let numbered = word
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1));
    let named = numbered.and_then(|index| product::all().nth(index));
    let bytes = product::find(named.unwrap_or(&word));
    let catalogue = bytes.and_then(|bytes| Catalogue::parse(bytes).ok());
    catalogue.ok_or_else(|| {
        let known: Vec<&str> = product::all().collect();
        format!(
            "`{word}` is no product that portproof has the rules of: {}",
            known.join(", ")
        )
    })
}
