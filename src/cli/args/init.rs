//! What `portproof init` takes: an option for each question.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::first_file::Question;
use crate::product;

/// `portproof init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof init                  ask everything, and write probes.yaml
  portproof init site.yaml --code PRI --product configmgr-2007 \\
    --intranet 10.0.0.0/8 --perimeter 192.0.2.0/24 \\
    --site-server \"cm01.corp.example.com 10.0.0.5 SQL MP DP SUP\" \\
    --internet-server \"ibs01.example.com 203.0.113.10 192.0.2.10 MP DP SUP FSP\" \\
    --crl-url http://pki.example.com/ca.crl
                                  ask nothing
On a terminal portproof asks what no option answers. Elsewhere it asks nothing, and names the options that are missing.
Roles may be abbreviated: MP, DP, SUP, FSP, SQL (site database), DC (domain controller).")]
pub(in crate::cli) struct Init {
    /// The file to write; `-` is standard output.
    #[arg(default_value = "probes.yaml")]
    pub(in crate::cli) file: PathBuf,
    /// Replace the file if it is there already.
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// The site code.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The product.
    #[arg(long, value_name = "PRODUCT", value_parser = PossibleValuesParser::new(product::all()))]
    product: Option<String>,
    /// The networks of the intranet, with commas between.
    #[arg(long, value_name = "NETWORKS")]
    intranet: Option<String>,
    /// The networks of the perimeter, between the Internet and the intranet.
    #[arg(long, value_name = "NETWORKS")]
    perimeter: Option<String>,
    /// The site server: its full name, its address, and its further roles, in one text.
    #[arg(long, value_name = "SERVER")]
    site_server: Option<String>,
    /// Another server that Internet clients do not reach: its full name, its address, its roles. The option may be given
    /// several times.
    #[arg(long, value_name = "SERVER")]
    server: Vec<String>,
    /// A server that Internet clients reach: its name in the Internet, its public address, its own address, its roles. Its
    /// name inside follows the first one where that is another. The option may be given several times.
    #[arg(long, value_name = "SERVER")]
    internet_server: Vec<String>,
    /// Where a revocation list of the certificates is; `none`: clients do not check them. The option may be given several
    /// times.
    #[arg(long, value_name = "URL")]
    crl_url: Vec<String>,
}

impl Init {
    /// What options answer to a question.
    pub(in crate::cli) fn answers(&self, question: Question) -> &[String] {
        match question {
            Question::Code => self.code.as_slice(),
            Question::Product => self.product.as_slice(),
            Question::Intranet => self.intranet.as_slice(),
            Question::Perimeter => self.perimeter.as_slice(),
            Question::SiteServer => self.site_server.as_slice(),
            Question::Server => &self.server,
            Question::InternetServer => &self.internet_server,
            Question::CrlUrl => &self.crl_url,
        }
    }
}
