//! The table of `docs/certificates.md`: each row is made, and judged here, by rustls' verifier and by OpenSSL.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, SanType,
    date_time_ymd,
};

use super::case::{Case, NAME};
use crate::wire::trust::Fetched;
use crate::wire::trust::certificate::sample::{self, Issuer};

const PAGE: &str = include_str!("../../../../../docs/certificates.md");

fn root() -> Issuer {
    sample::root("Site Root")
}

/// A leaf by the root itself.
fn leaf(change: impl Fn(&mut CertificateParams)) -> Case {
    let root = root();
    let mut params = sample::server(&[NAME]);
    change(&mut params);
    Case::new(vec![sample::signed(&params, &root)], root.der().clone())
}

/// A plain leaf by an intermediate that is changed.
fn intermediate(change: impl Fn(&mut CertificateParams)) -> Case {
    let root = root();
    let mut params = sample::authority("Issuing 1");
    change(&mut params);
    let middle = Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let sent = vec![sample::leaf(&middle, &[NAME]), middle.der().clone()];
    Case::new(sent, root.der().clone())
}

/// A plain leaf by a root that is changed.
fn by_root(change: impl Fn(&mut CertificateParams)) -> Case {
    let mut params = sample::authority("Site Root");
    change(&mut params);
    let root = Issuer::self_signed(params, sample::key()).expect("a root");
    Case::new(vec![sample::leaf(&root, &[NAME])], root.der().clone())
}

fn critical(params: &mut CertificateParams, identifier: &[u64], content: &[u8]) {
    let mut extension = CustomExtension::from_oid_content(identifier, content.to_vec());
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

fn extended_usage(params: &mut CertificateParams, purpose: ExtendedKeyUsagePurpose) {
    params.extended_key_usages = vec![purpose];
}

fn directory(organisation: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    name
}

/// An intermediate that may issue for one organisation, and a leaf of another or the same.
fn in_organisation(permitted: &str, of_leaf: &str) -> Case {
    let root = root();
    let mut params = sample::authority("Issuing 1");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DirectoryName(directory(permitted))],
        excluded_subtrees: Vec::new(),
    });
    let middle = Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let mut params = sample::server(&[NAME]);
    params.distinguished_name = directory(of_leaf);
    let sent = vec![sample::signed(&params, &middle), middle.der().clone()];
    Case::new(sent, root.der().clone())
}

fn in_domain(domain: &str) -> Case {
    intermediate(|params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_string())],
            excluded_subtrees: Vec::new(),
        });
    })
}

fn self_signed(authority: bool, named: bool) -> Case {
    let mut params = sample::server(&[NAME]);
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let own = params
        .self_signed(&sample::key())
        .expect("signed")
        .der()
        .clone();
    let root = match named {
        true => own.clone(),
        false => root().der().clone(),
    };
    Case::new(vec![own], root)
}

fn below(count: usize) -> Case {
    let root = root();
    let mut sent = Vec::new();
    let mut last = sample::intermediate(&root, "Issuing 1");
    sent.insert(0, last.der().clone());
    for number in 2..=count {
        last = sample::intermediate(&last, &format!("Issuing {number}"));
        sent.insert(0, last.der().clone());
    }
    sent.insert(0, sample::leaf(&last, &[NAME]));
    Case::new(sent, root.der().clone())
}

/// An authority renewed its key: its old key signed its new certificate.
fn renewed_key(constraints: BasicConstraints) -> Case {
    let root = root();
    let mut params = sample::authority("Issuing 1");
    params.is_ca = IsCa::Ca(constraints);
    let old = Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let mut params = sample::authority("Issuing 1");
    // Without it OpenSSL takes the new certificate for one that signed itself.
    params.use_authority_key_identifier_extension = true;
    let new = Issuer::signed_by(params, sample::key(), &old).expect("an intermediate");
    let sent = vec![
        sample::leaf(&new, &[NAME]),
        new.der().clone(),
        old.der().clone(),
    ];
    Case::new(sent, root.der().clone())
}

fn missing(fetched: bool) -> Case {
    let root = root();
    let middle = sample::intermediate(&root, "Issuing 1");
    let url = "http://pki.example.com/i.crt";
    let mut params = sample::server(&[NAME]);
    sample::access(&mut params, &[url]);
    let mut case = Case::new(vec![sample::signed(&params, &middle)], root.der().clone());
    if fetched {
        let url = url.to_string();
        let der = middle.der().clone();
        case.fetched = vec![Fetched { url, der }];
    }
    case
}

/// A leaf for another name or with another key, by the root itself.
fn leaf_for(name: &str, change: impl Fn(&mut CertificateParams)) -> Case {
    let name = name.to_string();
    Case {
        name,
        ..leaf(change)
    }
}

fn ed25519() -> rcgen::KeyPair {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key")
}

fn leaf_on_ed25519() -> Case {
    let root = root();
    let leaf = sample::server(&[NAME]).signed_by(&ed25519(), &root);
    let leaf = leaf.expect("signed").der().clone();
    Case::new(vec![leaf], root.der().clone())
}

fn authority_on_ed25519() -> Case {
    let root = Issuer::self_signed(sample::authority("Site Root"), ed25519()).expect("a root");
    Case::new(vec![sample::leaf(&root, &[NAME])], root.der().clone())
}

/// An RSA root and a leaf with another key, by openssl.
fn leaf_with_key(key: &str) -> Case {
    let folder = tempfile::tempdir().expect("a folder");
    let root = sample::openssl_root_by(folder.path(), "Old Root", RSA);
    let words = format!("-sha256 {WITH_NAME}");
    let leaf = sample::openssl_leaf_with(folder.path(), NAME, key, &words);
    Case::of_today(vec![leaf], root)
}

fn unreadable(params: &mut CertificateParams, identifier: &[u64]) {
    let content = b"rubbish".to_vec();
    let extension = CustomExtension::from_oid_content(identifier, content);
    params.custom_extensions.push(extension);
}

/// A leaf for every host of a domain, by an intermediate that may not issue for one of them.
fn every_host_but(host: &str) -> Case {
    let root = root();
    let mut params = sample::authority("Issuing 1");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: Vec::new(),
        excluded_subtrees: vec![GeneralSubtree::DnsName(host.to_string())],
    });
    let middle = Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let mut params = sample::server(&["*.example.com"]);
    params.distinguished_name = directory("Corp");
    let sent = vec![sample::signed(&params, &middle), middle.der().clone()];
    Case::new(sent, root.der().clone())
}

/// A root and a leaf by openssl, with the words that say how each is made.
fn openssl(root: &str, bits: usize, leaf: &str) -> Case {
    let folder = tempfile::tempdir().expect("a folder");
    let root = sample::openssl_root_by(folder.path(), "Old Root", root);
    let leaf = sample::openssl_leaf_by(folder.path(), NAME, bits, leaf);
    Case::of_today(vec![leaf], root)
}

const RSA: &str = "-newkey rsa:2048 -sha256";
const WITH_NAME: &str = "-extfile leaf.cnf -extensions server";

fn cases() -> Vec<(&'static str, Case)> {
    let with = |digest: &str| format!("{digest} {WITH_NAME}");
    vec![
        (
            "a leaf by an intermediate by the root",
            intermediate(|_| {}),
        ),
        (
            "the leaf signed itself, `tls.roots` names it",
            self_signed(false, true),
        ),
        (
            "the same, and it is an authority's (CA:TRUE)",
            self_signed(true, true),
        ),
        (
            "the leaf signed itself, nobody names it",
            self_signed(false, false),
        ),
        (
            "an authority's certificate (CA:TRUE) as leaf",
            leaf(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        ),
        (
            "a leaf of version 1, by its common name",
            openssl(RSA, 2_048, "-sha256"),
        ),
        (
            "the name in the common name only",
            leaf(|params| params.subject_alt_names.clear()),
        ),
        (
            "the same, beside the address of a mailbox",
            leaf(|params| {
                let mailbox = "admin@example.com".try_into().expect("ASCII");
                params.subject_alt_names = vec![SanType::Rfc822Name(mailbox)];
            }),
        ),
        (
            "alternative names that cannot be read",
            leaf(|params| {
                params.subject_alt_names.clear();
                unreadable(params, &[2, 5, 29, 17]);
            }),
        ),
        (
            "a name whose `*` stands for a part of a label",
            leaf(|params| {
                let pattern = "ib*.example.com".try_into().expect("ASCII");
                params.subject_alt_names = vec![SanType::DnsName(pattern)];
            }),
        ),
        (
            "an address in an entry for addresses",
            leaf_for("192.0.2.10", |params| {
                *params = sample::server(&["192.0.2.10"]);
                params.distinguished_name = directory("Corp");
            }),
        ),
        (
            "an address in an entry for DNS names",
            leaf_for("192.0.2.10", |params| {
                let address = "192.0.2.10".try_into().expect("ASCII");
                params.subject_alt_names = vec![SanType::DnsName(address)];
            }),
        ),
        (
            "another name",
            leaf(|params| *params = sample::server(&["other.example.com"])),
        ),
        (
            "SHA-1 by the site's own root",
            openssl("-newkey rsa:2048 -sha1", 2_048, &with("-sha1")),
        ),
        (
            "MD5 by the site's own root",
            openssl(RSA, 2_048, &with("-md5")),
        ),
        (
            "an RSA key of 1,024 bits",
            openssl(RSA, 1_024, &with("-sha256")),
        ),
        (
            "a root with an RSA key of 1,024 bits",
            openssl("-newkey rsa:1024 -sha256", 2_048, &with("-sha256")),
        ),
        (
            "an RSA key of 768 bits",
            openssl(RSA, 768, &with("-sha256")),
        ),
        (
            "a leaf with a key on P-384",
            leaf_with_key("ec -pkeyopt ec_paramgen_curve:secp384r1"),
        ),
        (
            "a leaf with a key on P-521",
            leaf_with_key("ec -pkeyopt ec_paramgen_curve:secp521r1"),
        ),
        (
            "a leaf with a key on P-192",
            leaf_with_key("ec -pkeyopt ec_paramgen_curve:prime192v1"),
        ),
        ("a leaf with an Ed25519 key", leaf_on_ed25519()),
        ("an authority with an Ed25519 key", authority_on_ed25519()),
        (
            "a root with a key on P-521",
            openssl(
                "-newkey ec -pkeyopt ec_paramgen_curve:secp521r1 -sha512",
                2_048,
                &with("-sha512"),
            ),
        ),
        (
            "RSASSA-PSS with a salt as long as the digest",
            openssl(
                RSA,
                2_048,
                &with("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"),
            ),
        ),
        (
            "RSASSA-PSS with another salt",
            openssl(
                RSA,
                2_048,
                &with("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20"),
            ),
        ),
        (
            "policy constraints, critical, on an intermediate",
            intermediate(|params| critical(params, &[2, 5, 29, 36], b"\x30\x03\x80\x01\x05")),
        ),
        (
            "inhibit any policy, critical, on an intermediate",
            intermediate(|params| critical(params, &[2, 5, 29, 54], b"\x02\x01\x05")),
        ),
        (
            "Application Policies of AD CS, critical, with server authentication",
            leaf(|params| {
                critical(
                    params,
                    &[1, 3, 6, 1, 4, 1, 311, 21, 10],
                    b"\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
                )
            }),
        ),
        (
            "Application Policies of AD CS for clients only",
            leaf(|params| {
                let content = b"\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02".to_vec();
                let policies =
                    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 311, 21, 10], content);
                params.custom_extensions.push(policies);
            }),
        ),
        (
            "an extension that nobody knows, critical",
            leaf(|params| critical(params, &[1, 2, 3, 4], b"\x05\x00")),
        ),
        (
            "distribution points, critical",
            leaf(|params| {
                critical(
                    params,
                    &[2, 5, 29, 31],
                    b"\x30\x10\x30\x0e\xa0\x0c\xa0\x0a\x86\x08http://d",
                )
            }),
        ),
        (
            "authority information access, critical",
            leaf(|params| {
                critical(
                    params,
                    &[1, 3, 6, 1, 5, 5, 7, 1, 1],
                    b"\x30\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x08http://o",
                )
            }),
        ),
        ("8 intermediates", below(8)),
        (
            "an authority under its old and its new key",
            renewed_key(BasicConstraints::Unconstrained),
        ),
        (
            "the same, and its path length allows no authority below",
            renewed_key(BasicConstraints::Constrained(0)),
        ),
        (
            "directory names of the leaf's organisation permitted",
            in_organisation("Corp", "Corp"),
        ),
        (
            "directory names of another organisation permitted",
            in_organisation("Other", "Corp"),
        ),
        (
            "DNS names of the leaf's domain permitted",
            in_domain("example.com"),
        ),
        (
            "DNS names of another domain permitted",
            in_domain("example.net"),
        ),
        (
            "a `*` for a domain, of which one host is excluded",
            every_host_but("other.example.com"),
        ),
        (
            "an issuer without keyCertSign in its key usage",
            intermediate(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        ),
        (
            "a root without keyCertSign in its key usage",
            by_root(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        ),
        (
            "an issuer without key usage",
            intermediate(|params| params.key_usages.clear()),
        ),
        (
            "an issuer that is no authority",
            intermediate(|params| params.is_ca = IsCa::ExplicitNoCa),
        ),
        (
            "an issuer without basic constraints",
            intermediate(|params| params.is_ca = IsCa::NoCa),
        ),
        (
            "a root without basic constraints",
            by_root(|params| params.is_ca = IsCa::NoCa),
        ),
        (
            "more authorities than a path length allows",
            intermediate_below_zero(),
        ),
        (
            "the root has ended",
            by_root(|params| params.not_after = date_time_ymd(2026, 5, 1)),
        ),
        (
            "an intermediate has ended",
            intermediate(|params| params.not_after = date_time_ymd(2026, 5, 1)),
        ),
        (
            "the leaf has ended",
            leaf(|params| params.not_after = date_time_ymd(2026, 5, 1)),
        ),
        (
            "the leaf has not begun",
            leaf(|params| params.not_before = date_time_ymd(2026, 7, 1)),
        ),
        (
            "no extended key usage",
            leaf(|params| params.extended_key_usages.clear()),
        ),
        (
            "extended key usage: any, and no more",
            leaf(|params| extended_usage(params, ExtendedKeyUsagePurpose::Any)),
        ),
        (
            "an extended key usage that cannot be read",
            leaf(|params| {
                params.extended_key_usages.clear();
                unreadable(params, &[2, 5, 29, 37]);
            }),
        ),
        (
            "extended key usage: client authentication only",
            leaf(|params| extended_usage(params, ExtendedKeyUsagePurpose::ClientAuth)),
        ),
        (
            "extended key usage: Microsoft's strong ciphers (SGC)",
            leaf(|params| {
                extended_usage(
                    params,
                    ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 3]),
                )
            }),
        ),
        (
            "an intermediate for other purposes only",
            intermediate(|params| extended_usage(params, ExtendedKeyUsagePurpose::EmailProtection)),
        ),
        (
            "a root for other purposes only",
            by_root(|params| extended_usage(params, ExtendedKeyUsagePurpose::EmailProtection)),
        ),
        (
            "a leaf's key usage without what TLS needs",
            leaf(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        ),
        (
            "an authority key identifier of another key than the issuer's",
            leaf(|params| {
                let content = b"\x30\x06\x80\x04\x01\x02\x03\x04".to_vec();
                let other = CustomExtension::from_oid_content(&[2, 5, 29, 35], content);
                params.custom_extensions.push(other);
            }),
        ),
        ("an intermediate is missing", missing(false)),
        ("an intermediate is missing, and was fetched", missing(true)),
        ("an unknown root", unknown_root()),
        (
            "the same name as the root's, by another key",
            Case {
                roots: vec![root().der().clone()],
                ..leaf(|_| {})
            },
        ),
        ("the chain out of order", disordered()),
    ]
}

fn intermediate_below_zero() -> Case {
    let root = root();
    let mut params = sample::authority("Issuing 1");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let first = Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let second = sample::intermediate(&first, "Issuing 2");
    let sent = vec![
        sample::leaf(&second, &[NAME]),
        second.der().clone(),
        first.der().clone(),
    ];
    Case::new(sent, root.der().clone())
}

fn unknown_root() -> Case {
    let device = sample::root("Device");
    let sent = vec![sample::leaf(&device, &[NAME]), device.der().clone()];
    Case::new(sent, root().der().clone())
}

fn disordered() -> Case {
    let root = root();
    let first = sample::intermediate(&root, "Issuing 1");
    let second = sample::intermediate(&first, "Issuing 2");
    let sent = vec![
        sample::leaf(&second, &[NAME]),
        first.der().clone(),
        second.der().clone(),
    ];
    Case::new(sent, root.der().clone())
}

/// The cells of a row of the page: kind, Windows, here, rustls, OpenSSL, source.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, table) = PAGE.split_once("| kind | Windows |").expect("the table");
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn each_row_of_the_page_is_what_is_judged() {
    let (rows, cases) = (rows(), cases());
    let seen: Vec<String> = cases
        .iter()
        .map(|(kind, case)| {
            let (here, rustls) = case.here();
            format!("{kind} | {here} | {rustls} | {}", case.openssl())
        })
        .collect();
    let page: Vec<String> = rows
        .iter()
        .map(|row| format!("{} | {} | {} | {}", row[0], row[2], row[3], row[4]))
        .collect();
    assert_eq!(
        page,
        seen,
        "the page against what is seen:\n{}",
        seen.join("\n")
    );
}

#[test]
fn nothing_that_windows_takes_is_refused_and_nothing_that_it_refuses_is_ok() {
    for row in rows() {
        let [kind, windows, here, .., source] = row[..] else {
            panic!("{row:?}");
        };
        let fits = match windows.split(',').next().unwrap_or_default() {
            "takes" => here != "refused",
            "refuses" => here == "refused",
            "open" => here == "open",
            other => panic!("{other} is no word for what Windows does"),
        };
        assert!(fits, "{kind}: Windows {windows}, here {here}");
        assert!(!source.is_empty(), "{kind}");
    }
}
