//! A code of a client's log: by its number in any writing, or by its name.

use super::document::{CodeExplained, Known, PointsTo};
use super::{cited, when};
use crate::product::{Catalogue, Code, Confidence, Outcome};
use crate::verdict::Cause;

/// What a word names, as an administrator may hold it: `0x80072EE2`, `80072ee2`, `-2147012894`, `12002`, `403`, a name.
pub(super) fn named(word: &str) -> Option<Code> {
    /// HRESULTs from here on are failures.
    const FAILURE: u32 = 0x8000_0000;
    let hexadecimal = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let is_bare = word.len() == 8 && word.starts_with('8');
    let digits = hexadecimal.or(is_bare.then_some(word));
    if let Some(digits) = digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let number = u32::from_str_radix(digits, 16).ok()?;
        return match number {
            FAILURE.. => Some(Code::of_number(number)),
            _ => Code::of_win32(number),
        };
    }
    if word.starts_with('-') {
        let number: i32 = word.parse().ok()?;
        return Some(Code::of_number(number.cast_unsigned()));
    }
    match word.parse::<u32>() {
        Ok(number @ FAILURE..) => Some(Code::of_number(number)),
        Ok(number) => status(number).or_else(|| Code::of_win32(number)),
        Err(_) => Code::of_symbol(word),
    }
}

/// A number alone is a status only where statuses with it exist: it may be a port.
fn status(number: u32) -> Option<Code> {
    let status = u16::try_from(number).ok()?;
    let exists = matches!(status, 400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=511);
    exists.then(|| Code::of_status(status)).flatten()
}

/// What is known of a code.
pub(super) fn code(code: Code, catalogue: &Catalogue) -> CodeExplained {
    let meaning = code.meaning();
    let after = meaning.as_ref().map_or(&[][..], |it| &it.after);
    let numbers = code.numbers();
    let symbols = meaning
        .as_ref()
        .map_or_else(Vec::new, |it| it.symbols.clone());
    let logged = catalogue.client_errors.iter().filter(|error| {
        let shown = |name: &String| error.shows.split([' ', ',']).any(|part| part == name);
        numbers.iter().chain(&symbols).any(shown)
    });
    CodeExplained {
        code: code.to_string(),
        facility: code.facility(),
        means: meaning.as_ref().map(|it| it.says.clone()),
        known: meaning.as_ref().map(|it| Known {
            confidence: it.confidence,
            sure: sure(it.confidence).to_string(),
            source: cited(&it.source),
        }),
        points_to: after.iter().map(|it| points_to(*it)).collect(),
        client_logs: logged.map(crate::product::ClientError::words).collect(),
        numbers,
        symbols,
    }
}

/// How sure the meaning of a code is: it is no rule of the product.
fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Documented => "documented",
        Confidence::LaterVersion => "documented for later versions, or seen in published code",
        Confidence::Derived => "follows from what is documented",
        Confidence::Unconfirmed => "recollection that no document confirms",
    }
}

fn points_to(outcome: Outcome) -> PointsTo {
    PointsTo {
        when: when(outcome).to_string(),
        causes: causes(outcome).to_vec(),
    }
}

/// What a check calls it when it sees the same.
fn causes(outcome: Outcome) -> &'static [Cause] {
    match outcome {
        Outcome::Silence => &[
            Cause::NoAnswer,
            Cause::HostSilent,
            Cause::AddressSilent,
            Cause::NothingPasses,
            Cause::AnswerLost,
            Cause::DataDropped,
            Cause::Mtu,
            Cause::Mute,
        ],
        Outcome::Reset => &[
            Cause::NobodyListens,
            Cause::ResetByDevice,
            Cause::Reset,
            Cause::AdminProhibited,
        ],
        Outcome::NoSuchName => &[Cause::NoSuchName, Cause::DnsNoAnswer],
        Outcome::Aborted => &[
            Cause::HungUp,
            Cause::HungUpInHandshake,
            Cause::VerbBlocked,
            Cause::HeaderBlocked,
        ],
        Outcome::ClientCertificateWanted => &[Cause::ClientCertificateRefused],
        Outcome::CertificateName => &[Cause::CertificateName],
        Outcome::CertificateDate => &[
            Cause::CertificateExpired,
            Cause::RootExpired,
            Cause::CertificateNotYetValid,
        ],
        Outcome::CertificateUntrusted => &[
            Cause::CertificateUntrusted,
            Cause::IntermediateMissing,
            Cause::Intercepted,
        ],
        Outcome::RevocationUnreachable => &[
            Cause::CrlMissing,
            Cause::CrlExpired,
            Cause::CrlInvalid,
            Cause::CrlLdapOnly,
            Cause::CrlHttps,
            Cause::NoAnswer,
        ],
        Outcome::TlsFailed => &[
            Cause::TlsAlert,
            Cause::NotTls,
            Cause::ModernTlsOnly,
            Cause::CertificateRevoked,
            Cause::CertificatePurpose,
            Cause::CertificateInvalid,
        ],
        Outcome::HttpUnauthorized => &[Cause::VerbBlocked, Cause::WrongRole],
        Outcome::HttpForbidden => &[
            Cause::ClientCertificateRefused,
            Cause::VerbBlocked,
            Cause::HeaderBlocked,
        ],
        Outcome::HttpError => &[
            Cause::HttpServerError,
            Cause::WrongRole,
            Cause::Redirected,
            Cause::VerbBlocked,
            Cause::HeaderBlocked,
            Cause::RangeLost,
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::{CONFIGMGR_2007, all_codes, all_symbols};

    #[test]
    fn a_code_is_taken_in_every_writing() {
        let expected = Some(Code::of_number(0x8007_2ee2));
        for word in [
            "0x80072EE2",
            "0X80072ee2",
            "80072ee2",
            "-2147012894",
            "2147954402",
            "12002",
            "0x2EE2",
            "ERROR_WINHTTP_TIMEOUT",
        ] {
            assert_eq!(named(word), expected, "{word}");
        }
        assert_eq!(named("403"), Code::of_status(403));
        assert_eq!(named("0x87D00999"), Some(Code::of_number(0x87d0_0999)));
        for symbol in all_symbols() {
            assert!(named(symbol).is_some(), "{symbol}");
        }
        for code in all_codes() {
            for number in code.numbers() {
                assert_eq!(named(&number), Some(code), "{number}");
            }
        }
    }

    #[test]
    fn what_may_be_anything_else_is_no_code() {
        for word in [
            "",
            "0x",
            "0xg",
            "-",
            "--1",
            "443",
            "8443",
            "8530",
            "1433",
            "12345",
            "99999999999",
            "0x12345678",
            "-99999999999",
            "8000000g",
            "no-answer",
        ] {
            assert_eq!(named(word), None, "{word}");
        }
    }

    #[test]
    fn every_code_of_the_table_is_explained_as_sure_as_it_is() {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        for it in all_codes() {
            let explained = code(it, &catalogue);
            let known = explained.known.expect("of the table");
            assert!(known.source.is_some(), "{it}");
            assert!(explained.points_to.iter().all(|it| !it.causes.is_empty()));
        }
        let timeout = code(Code::of_number(0x8007_2ee2), &catalogue);
        assert!(timeout.client_logs[0].contains("0x80072EE2 (12002)"));
        let unknown = code(Code::of_number(0x87d0_0999), &catalogue);
        assert_eq!(unknown.means, None);
        assert_eq!(unknown.known, None);
        assert_eq!(unknown.points_to, []);
    }
}
