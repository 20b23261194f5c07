//! Chains made by rcgen, and by openssl where they must be older than rcgen makes them.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa};

use super::*;
use crate::wire::trust::certificate::{Digest, End, sample};

const NAME: &str = "ibs01.example.com";

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

fn trust(root: &sample::Issuer) -> Trust {
    Trust::of(&[root.der().clone()], &[])
}

/// What is wrong with a certificate by the named root.
fn faults(params: &CertificateParams) -> Vec<Fault> {
    let root = sample::root("Site Root");
    let leaf = sample::signed(params, &root);
    check(&[leaf], NAME, &trust(&root), now()).faults
}

fn server() -> CertificateParams {
    sample::server(&[NAME])
}

#[test]
fn a_good_chain_has_no_fault() {
    let root = sample::root("Site Root");
    let middle = sample::intermediate(&root, "Issuing 1");
    let leaf = sample::leaf(&middle, &[NAME]);
    let checked = check(&[leaf, middle.der().clone()], NAME, &trust(&root), now());
    assert_eq!(checked.faults, []);
    assert_eq!(checked.verifier, None);
    assert_eq!(checked.name, NameFound::Alternative);
    assert_eq!(checked.chain.len(), 2);
    // From 2026-06-01 to 2036-01-01.
    assert_eq!(checked.days_left, Some(3_501));
}

#[test]
fn a_name_may_end_with_a_dot_and_an_address_is_a_name() {
    let root = sample::root("Site Root");
    let leaf = sample::leaf(&root, &[NAME, "192.0.2.10"]);
    for asked in ["ibs01.example.com.", "IBS01.EXAMPLE.COM", "192.0.2.10"] {
        let checked = check(std::slice::from_ref(&leaf), asked, &trust(&root), now());
        assert_eq!(checked.faults, [], "{asked}");
    }
    let checked = check(&[leaf], "192.0.2.11", &trust(&root), now());
    assert_eq!(checked.faults, [Fault::Name]);
}

#[test]
fn another_name_is_a_fault() {
    assert_eq!(
        faults(&sample::server(&["other.example.com"])),
        [Fault::Name]
    );
}

#[test]
fn a_common_name_counts_only_without_alternative_names() {
    let mut only_common = server();
    only_common.subject_alt_names.clear();
    assert_eq!(faults(&only_common), [Fault::CommonNameOnly]);
    let mut both = sample::server(&["other.example.com"]);
    both.distinguished_name = rcgen::DistinguishedName::new();
    both.distinguished_name
        .push(rcgen::DnType::CommonName, NAME);
    assert_eq!(faults(&both), [Fault::Name]);
}

#[test]
fn names_joined_in_one_entry_are_told_from_wrong_ones() {
    let mut params = sample::server(&[]);
    let joined = format!("{NAME}&ibs01.corp.example");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, joined);
    assert_eq!(faults(&params), [Fault::NamesJoined]);
}

#[test]
fn a_certificate_has_its_time() {
    let mut expired = server();
    expired.not_after = rcgen::date_time_ymd(2026, 5, 31);
    let subject = format!("CN={NAME}");
    let since = "2026-05-31T00:00:00Z".parse().expect("a time");
    assert_eq!(faults(&expired), [Fault::Expired { subject, since }]);
    let mut early = server();
    early.not_before = rcgen::date_time_ymd(2026, 6, 2);
    let subject = format!("CN={NAME}");
    let from = "2026-06-02T00:00:00Z".parse().expect("a time");
    assert_eq!(faults(&early), [Fault::NotYetValid { subject, from }]);
}

#[test]
fn the_purpose_is_read() {
    let mut params = server();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(faults(&params), [Fault::Purpose]);
    params.extended_key_usages = Vec::new();
    assert_eq!(faults(&params), [Fault::PurposeUnlimited]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    assert_eq!(faults(&params), [Fault::PurposeAny]);
}

#[test]
fn a_self_signed_leaf_and_an_authority_as_a_leaf_are_told() {
    let key = sample::key();
    let alone = server().self_signed(&key).expect("signed");
    let checked = check(
        &[alone.der().clone()],
        NAME,
        &trust(&sample::root("Site Root")),
        now(),
    );
    assert_eq!(checked.faults, [Fault::SelfSigned]);
    let mut authority = server();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_eq!(faults(&authority), [Fault::LeafIsAuthority]);
    assert_eq!(Fault::LeafIsAuthority.weight(), Weight::Note);
}

#[test]
fn a_missing_intermediate_an_unknown_root_and_a_forged_issuer_are_told_apart() {
    let root = sample::root("Site Root");
    let middle = sample::intermediate(&root, "Issuing 1");
    let leaf = sample::leaf(&middle, &[NAME]);
    let alone = std::slice::from_ref(&leaf);
    let issuer = "CN=Issuing 1".to_string();
    assert_eq!(
        check(alone, NAME, &trust(&root), now()).faults,
        [Fault::NoIssuer {
            issuer,
            is_named: false
        }]
    );
    let whole = [leaf.clone(), middle.der().clone(), root.der().clone()];
    let subject = "CN=Site Root".to_string();
    assert_eq!(
        check(&whole, NAME, &trust(&sample::root("Another")), now()).faults,
        [Fault::UnknownRoot { subject }]
    );
    let impostor = sample::root("Issuing 1");
    let issuer = "CN=Issuing 1".to_string();
    assert_eq!(
        check(alone, NAME, &trust(&impostor), now()).faults,
        [Fault::Forged { issuer }]
    );
}

#[test]
fn an_intermediate_that_has_ended_is_named() {
    let root = sample::root("Site Root");
    let mut params = sample::authority("Issuing 1");
    params.not_after = rcgen::date_time_ymd(2026, 5, 1);
    let middle = sample::Issuer::signed_by(params, sample::key(), &root).expect("an intermediate");
    let leaf = sample::leaf(&middle, &[NAME]);
    let chain = [leaf, middle.der().clone()];
    let since = "2026-05-01T00:00:00Z".parse().expect("a time");
    let subject = "CN=Issuing 1".to_string();
    assert_eq!(
        check(&chain, NAME, &trust(&root), now()).faults,
        [Fault::Expired { subject, since }]
    );
}

#[test]
fn a_root_that_has_ended_is_named_though_the_verifier_passes_over_it() {
    let mut params = sample::authority("Site Root");
    params.not_after = rcgen::date_time_ymd(2026, 5, 1);
    let root = sample::Issuer::self_signed(params, sample::key()).expect("a root");
    let checked = check(&[sample::leaf(&root, &[NAME])], NAME, &trust(&root), now());
    let since = "2026-05-01T00:00:00Z".parse().expect("a time");
    let subject = "CN=Site Root".to_string();
    assert_eq!(checked.faults, [Fault::RootExpired { subject, since }]);
    assert_eq!(checked.verifier, None);
}

#[test]
fn a_chain_out_of_order_is_a_note() {
    let root = sample::root("Site Root");
    let middle = sample::intermediate(&root, "Issuing 1");
    let leaf = sample::leaf(&middle, &[NAME]);
    let chain = [leaf, root.der().clone(), middle.der().clone()];
    let checked = check(&chain, NAME, &trust(&root), now());
    assert_eq!(checked.faults, [Fault::Disordered]);
    assert_eq!(checked.verifier, None);
}

#[test]
fn all_faults_come_at_once_the_worst_first() {
    let mut params = sample::server(&["other.example.com"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_after = rcgen::date_time_ymd(2026, 5, 31);
    let leaf = sample::signed(&params, &sample::root("Another"));
    let checked = check(&[leaf], NAME, &trust(&sample::root("Site Root")), now());
    let subject = "CN=other.example.com".to_string();
    let since = "2026-05-31T00:00:00Z".parse().expect("a time");
    let issuer = "CN=Another".to_string();
    assert_eq!(
        checked.faults,
        [
            Fault::NoIssuer {
                issuer,
                is_named: false
            },
            Fault::Name,
            Fault::Expired { subject, since },
            Fault::Purpose,
        ]
    );
    assert!(checked.verifier.is_some());
}

#[test]
fn a_critical_extension_that_nobody_knows_is_named() {
    let root = sample::root("Site Root");
    let mut params = server();
    // A critical extension that nobody knows.
    let mut strange = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    strange.set_criticality(true);
    params.custom_extensions = vec![strange];
    let found = check(
        &[sample::signed(&params, &root)],
        NAME,
        &trust(&root),
        now(),
    )
    .faults;
    let subject = format!("CN={NAME}");
    let extension = "1.2.3.4".to_string();
    assert_eq!(found, [Fault::CriticalExtension { subject, extension }]);
}

#[test]
fn nothing_and_rubbish_are_unreadable() {
    let trust = trust(&sample::root("Site Root"));
    let rubbish = [CertificateDer::from(vec![0x30, 3, 1, 2, 3])];
    for chain in [&[][..], &rubbish] {
        let checked = check(chain, NAME, &trust, now());
        assert_eq!(checked.faults, [Fault::Unreadable]);
        assert!(checked.verifier.is_some());
    }
}

#[test]
fn short_keys_and_old_digests_are_weak_and_the_way_is_still_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = sample::openssl_root(folder.path(), "Old Root", 2_048, "sha1");
    let trust = Trust::of(&[root], &[]);
    let leaf = sample::openssl_leaf(folder.path(), NAME, 1_024, "sha1");
    let now = read(&leaf).and_then(|facts| facts.not_before);
    let checked = check(&[leaf], NAME, &trust, now.expect("a begin"));
    let subject = format!("CN={NAME}");
    assert_eq!(
        checked.faults,
        [
            Fault::WeakKey {
                subject: subject.clone(),
                bits: 1_024
            },
            Fault::WeakSignature {
                subject,
                digest: Digest::Sha1
            },
        ]
    );
    assert!(matches!(checked.path.end, End::Root { .. }));
    assert!(
        checked.verifier.is_some(),
        "a modern verifier refuses SHA-1"
    );
}

#[test]
fn a_key_below_1024_bits_is_refused_and_md5_is_weak_and_undecided() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = sample::openssl_root(folder.path(), "Old Root", 2_048, "sha256");
    let trust = Trust::of(&[root], &[]);
    let leaf = sample::openssl_leaf(folder.path(), NAME, 768, "md5");
    let now = read(&leaf).and_then(|facts| facts.not_before);
    let subject = format!("CN={NAME}");
    let issuer = "CN=Old Root".to_string();
    assert_eq!(
        check(&[leaf], NAME, &trust, now.expect("a begin")).faults,
        [
            Fault::KeyRefused {
                subject: subject.clone(),
                bits: 768
            },
            Fault::Undecided { issuer },
            Fault::WeakSignature {
                subject,
                digest: Digest::Md("MD5")
            },
        ]
    );
}

#[test]
fn the_weights_go_with_the_order() {
    let root = sample::root("Site Root");
    let chain = [sample::leaf(&root, &["other.example"])];
    let faults = check(&chain, NAME, &Trust::of(&[], &[]), now()).faults;
    assert!(faults.is_sorted_by_key(Fault::weight));
    assert!(Fault::Doubted < Fault::CommonNameOnly);
    assert!(Fault::PurposeAny < Fault::PurposeUnlimited);
}

proptest::proptest! {
    #[test]
    fn any_chain_is_checked_without_panic(chain: Vec<Vec<u8>>, name: String) {
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let _ = check(&chain, &name, &trust(&sample::root("Site Root")), now());
    }

    #[test]
    fn a_damaged_chain_is_checked_without_panic(at: proptest::sample::Index, with: u8) {
        let root = sample::root("Site Root");
        let mut leaf = sample::leaf(&root, &[NAME]).to_vec();
        let at = at.index(leaf.len());
        leaf[at] ^= with;
        let chain = [CertificateDer::from(leaf), root.der().clone()];
        let checked = check(&chain, NAME, &trust(&root), now());
        // Every byte is signed, or is the signature: what is still taken is the same certificate.
        let taken = checked.faults.first().is_none_or(|worst| worst.weight() > Weight::Undecided);
        proptest::prop_assert!(with == 0 || (checked.verifier.is_some() && !taken));
    }
}
