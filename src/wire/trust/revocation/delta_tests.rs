//! Delta lists and their base lists, both made by `openssl ca`.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::certified::{Certified, certified};
use super::list::ListFacts;
use super::list_value::{Worth, of_delta, of_list};
use crate::observation::{DeltaFault, ListFault};
use crate::wire::trust::certificate::Roots;
use crate::wire::trust::certificate::sample::{self, openssl};

/// The serial number of the certificate that is looked at, as `openssl ca` writes it.
const SERIAL: &str = "4711";

/// An authority of openssl, and a certificate by it.
struct Bed {
    folder: tempfile::TempDir,
    all: Vec<Certified>,
}

/// What stands in a list.
struct Made<'a> {
    number: u32,
    /// Why the certificate is in it, if it is.
    reason: Option<&'a str>,
    /// Lines of its section of extensions.
    extensions: &'a str,
    dates: &'a str,
}

const PLAIN: Made<'_> = Made {
    number: 7,
    reason: None,
    extensions: "",
    dates: "-crldays 30",
};

/// What changed since list 7.
const DELTA: Made<'_> = Made {
    number: 8,
    extensions: "2.5.29.27 = critical,ASN1:INTEGER:7",
    ..PLAIN
};

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        sample::openssl_root(here, "Old Root", 2_048, "sha256");
        for text in [
            "req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=web -out leaf.csr"
                .to_string(),
            format!(
                "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 0x{SERIAL} -days \
                 300 -out leaf.pem"
            ),
        ] {
            openssl(here, &text);
        }
        let read = |file| CertificateDer::from_pem_file(here.join(file)).expect("a certificate");
        let roots = Roots::new(&[read("root.pem")], &[]);
        let all = certified(&[read("leaf.pem").to_vec()], &roots);
        assert_eq!(all.len(), 1);
        Self { folder, all }
    }

    fn list(&self, made: &Made<'_>) -> Vec<u8> {
        list(self.folder.path(), made)
    }

    /// What lists of changes are held against.
    fn base(&self, made: &Made<'_>) -> ListFacts {
        let worth = of_list(&self.list(made), &[0], &self.all, Timestamp::now());
        assert_eq!(worth.fault, None, "{:?}", worth.words);
        worth.base.expect("the authority's list").facts
    }

    fn delta(&self, made: &Made<'_>, base: &ListFacts) -> Worth {
        let list = self.list(made);
        of_delta(&list, &[0], &[base], &self.all, Timestamp::now())
    }
}

/// A list by the authority whose `root.pem` and `root.key` are in a folder.
fn list(folder: &Path, made: &Made<'_>) -> Vec<u8> {
    let entry = made.reason.map_or(String::new(), |reason| {
        format!("R\t360101000000Z\t260101000000Z,{reason}\t{SERIAL}\tunknown\t/CN=web\n")
    });
    let settings = format!(
        "[ca]\ndefault_ca = site\n[site]\ndatabase = index.txt\ncrlnumber = number\ncertificate = \
         root.pem\nprivate_key = root.key\ndefault_md = sha256\n[list]\nauthorityKeyIdentifier = \
         keyid\n{}\n",
        made.extensions
    );
    for (file, text) in [
        ("index.txt", entry),
        ("number", format!("{:02X}\n", made.number)),
        ("ca.cnf", settings),
    ] {
        fs::write(folder.join(file), text).expect("written");
    }
    let text = format!(
        "ca -config ca.cnf -gencrl {} -crlexts list -out list.pem",
        made.dates
    );
    openssl(folder, &text);
    openssl(folder, "crl -in list.pem -outform DER -out list.der");
    fs::read(folder.join("list.der")).expect("a list")
}

#[test]
fn a_certificate_that_only_the_delta_list_revokes_is_revoked() {
    let bed = Bed::new();
    let base = bed.base(&PLAIN);
    let revokes = Made {
        reason: Some("keyCompromise"),
        ..DELTA
    };
    let worth = bed.delta(&revokes, &base);
    assert_eq!((worth.fault, worth.revoked), (None, vec![0]));
    assert!(
        worth.words[0].contains("key-compromise"),
        "{:?}",
        worth.words
    );
    let silent = bed.delta(&DELTA, &base);
    assert_eq!((silent.fault, silent.words), (None, Vec::new()));
    assert!(silent.revoked.is_empty() && silent.restored.is_empty());
}

#[test]
fn a_delta_list_takes_a_hold_back() {
    let bed = Bed::new();
    let held = Made {
        reason: Some("certificateHold"),
        ..PLAIN
    };
    let base = bed.base(&held);
    let removes = Made {
        reason: Some("removeFromCRL"),
        ..DELTA
    };
    let worth = bed.delta(&removes, &base);
    assert_eq!((worth.fault, worth.restored), (None, vec![0]));
    assert!(
        worth.words[0].contains("takes the revocation"),
        "{:?}",
        worth.words
    );
    // One that is of no use takes nothing back.
    let late = Made {
        dates: "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z",
        ..removes
    };
    let worth = bed.delta(&late, &base);
    let expired = Some(ListFault::Delta(DeltaFault::Expired));
    assert_eq!((worth.fault, worth.restored), (expired, Vec::new()));
}

#[test]
fn a_delta_list_that_is_out_of_date_still_revokes() {
    let bed = Bed::new();
    let base = bed.base(&PLAIN);
    let late = Made {
        reason: Some("superseded"),
        dates: "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z",
        ..DELTA
    };
    let worth = bed.delta(&late, &base);
    let expired = Some(ListFault::Delta(DeltaFault::Expired));
    assert_eq!((worth.fault, worth.revoked), (expired, vec![0]));
}

#[test]
fn a_delta_list_goes_with_its_own_base_list_only() {
    let bed = Bed::new();
    let base = bed.base(&PLAIN);
    let invalid = Some(ListFault::Delta(DeltaFault::Invalid));
    for (extensions, said) in [
        (
            "2.5.29.27 = critical,ASN1:INTEGER:9",
            "since list 9, and the base list that is served is the older list 7",
        ),
        ("", "complete list"),
        (
            "2.5.29.27 = critical,ASN1:INTEGER:7\nissuingDistributionPoint = \
             critical,@point\n[point]\nonlyuser = TRUE",
            "other certificates than its base list",
        ),
    ] {
        let worth = bed.delta(
            &Made {
                number: 10,
                extensions,
                ..DELTA
            },
            &base,
        );
        assert_eq!(worth.fault, invalid, "{extensions}: {:?}", worth.words);
        assert!(
            worth.words.iter().any(|words| words.contains(said)),
            "{:?}",
            worth.words
        );
    }
    // Of the same name, by another key.
    let other = Bed::new();
    let revokes = Made {
        reason: Some("keyCompromise"),
        ..DELTA
    };
    let forged = of_delta(
        &other.list(&revokes),
        &[0],
        &[&base],
        &bed.all,
        Timestamp::now(),
    );
    assert!(forged.revoked.is_empty(), "{:?}", forged.words);
    assert!(!forged.words.is_empty());
}

#[test]
fn a_delta_list_that_is_older_than_its_base_list_adds_nothing() {
    let bed = Bed::new();
    let base = bed.base(&Made { number: 9, ..PLAIN });
    let held = Made {
        reason: Some("certificateHold"),
        ..DELTA
    };
    let worth = bed.delta(&held, &base);
    assert_eq!((worth.fault, worth.revoked), (None, Vec::new()));
    assert!(
        worth
            .words
            .iter()
            .any(|words| words.contains("adds nothing")),
        "{:?}",
        worth.words
    );
}

#[test]
fn a_delta_list_of_another_distribution_point_than_its_base_list_is_said_and_taken() {
    let bed = Bed::new();
    let base = bed.base(&PLAIN);
    let extensions = "2.5.29.27 = critical,ASN1:INTEGER:7\nissuingDistributionPoint = \
        critical,@point\n[point]\nfullname = URI:http://pki.example.com/ca+.crl";
    let worth = bed.delta(
        &Made {
            extensions,
            ..DELTA
        },
        &base,
    );
    assert_eq!(worth.fault, None);
    assert!(worth.words[0].contains("not known"), "{:?}", worth.words);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_weighed_without_panic(bytes: Vec<u8>) {
        let root = sample::root("Site Root");
        let leaf = sample::leaf(&root, &["a.example"]).to_vec();
        let all = certified(&[leaf], &Roots::new(&[root.der().clone()], &[]));
        let worth = of_delta(&bytes, &[0], &[], &all, Timestamp::now());
        proptest::prop_assert!(worth.restored.is_empty());
    }
}
