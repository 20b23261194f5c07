//! SMB: a negotiation, and a second one on a new connection where the server hangs up at the sight of the old dialect.

use tokio::net::TcpStream;

use super::facts;
use crate::observation::{Observation, Spoken};
use crate::probe::try_once::again;
use crate::probe::{Prober, Question};
use crate::wire::Fault;
use crate::wire::windows::smb::{self, Opening, Signing};

pub(super) async fn negotiate(
    prober: &Prober,
    question: &Question,
    stream: &mut TcpStream,
    seen: &mut Observation,
) {
    let limit = prober.limits.timeout;
    let mut said = smb::exchange(stream, Opening::AnyDialect, limit).await;
    if matches!(said, Err(Fault::HungUp | Fault::HungUpMidway))
        && let Some(mut stream) = again(prober, question, seen.address).await
    {
        said = smb::exchange(&mut stream, Opening::OnlySmb2, limit).await;
    }
    facts::note(seen, said.map(of_smb));
}

fn of_smb(said: smb::Spoken) -> Spoken {
    let dialect = match said.dialect {
        None => "2 or later".to_string(),
        Some(dialect) => dialect.to_string(),
    };
    let signing = match said.signing {
        Signing::Off => "off",
        Signing::Enabled => "enabled",
        Signing::Required => "required",
    };
    Spoken::of(
        "smb",
        [("dialect", dialect), ("signing", signing.to_string())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::windows::smb::Dialect;

    #[test]
    fn a_server_that_chose_smb_1_is_told_from_one_that_chose_a_later_version_or_none() {
        let of = |dialect| {
            let signing = Signing::Enabled;
            of_smb(smb::Spoken { dialect, signing }).is_smb_1()
        };
        assert!(of(Some(Dialect::Smb1)));
        assert!(!of(Some(Dialect::Smb2(0x0202))) && !of(None));
    }
}
