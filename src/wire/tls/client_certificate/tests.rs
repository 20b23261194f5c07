//! Files made by openssl: every format that is read, and what is said of those that are not.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::wire::asn1::{INTEGER, OCTET_STRING, SEQUENCE, element, field};
use crate::wire::trust::certificate::sample::{openssl, openssl_leaf, openssl_root};

const SECRET: &str = "S3cret-of-the-site";
const NAME: &str = "client01.corp.example";

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// A folder with `leaf.pem`, its key `leaf.key`, and the root that signed it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    openssl_root(folder.path(), "Site Root", 2_048, "sha256");
    openssl_leaf(folder.path(), NAME, 2_048, "sha256");
    folder
}

/// `leaf.pem`, another file with its key, and the root, in one file.
fn join(folder: &Path, key: &str) -> PathBuf {
    let part = |file: &str| fs::read_to_string(folder.join(file)).expect("a file");
    let file = folder.join(format!("{key}.pem"));
    // The key first and the root before the leaf: order must not matter.
    fs::write(&file, part(key) + &part("root.pem") + &part("leaf.pem")).expect("written");
    file
}

fn opened(file: &Path, password: Option<&Password>) -> ClientCertificate {
    let bytes = fs::read(file).expect("a file");
    let loaded = read(&bytes, password, &provider())
        .unwrap_or_else(|fault| panic!("{} {}", file.display(), fault.says()));
    assert_eq!(loaded.facts.common_names, [NAME]);
    // The root stays at home.
    assert_eq!(loaded.key.cert.len(), 1);
    loaded
}

fn refused(file: &Path, password: Option<&Password>) -> String {
    let bytes = fs::read(file).expect("a file");
    let fault = read(&bytes, password, &provider()).expect_err("unusable");
    let text = format!("{}; {}", fault.says(), fault.hint());
    for shown in [&text, &format!("{fault:?}"), &format!("{password:?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    text
}

#[test]
fn plain_keys_of_every_format_are_read() {
    let folder = folder();
    let here = folder.path();
    openssl(here, "pkcs8 -topk8 -nocrypt -in leaf.key -out pkcs8.key");
    openssl(here, "rsa -in leaf.key -traditional -out pkcs1.key");
    for key in ["pkcs8.key", "pkcs1.key"] {
        opened(&join(here, key), None);
    }
    openssl(
        here,
        "ecparam -name prime256v1 -genkey -noout -out sec1.key",
    );
    openssl(
        here,
        &format!("req -x509 -key sec1.key -subj /CN={NAME} -days 30 -out leaf.pem"),
    );
    let text = fs::read_to_string(here.join("sec1.key")).expect("a key");
    assert!(text.contains("BEGIN EC PRIVATE KEY"));
    opened(&join(here, "sec1.key"), None);
}

#[test]
fn encrypted_keys_open_with_the_password() {
    let folder = folder();
    let here = folder.path();
    let password = Password::new(SECRET);
    for cipher in ["aes256", "aes128", "des3"] {
        openssl(
            here,
            &format!(
                "pkcs8 -topk8 -v2 {cipher} -passout pass:{SECRET} -in leaf.key -out {cipher}.key"
            ),
        );
        opened(&join(here, &format!("{cipher}.key")), Some(&password));
    }
    openssl(
        here,
        &format!("pkcs8 -topk8 -scrypt -passout pass:{SECRET} -in leaf.key -out scrypt.key"),
    );
    opened(&join(here, "scrypt.key"), Some(&password));
}

#[test]
fn pfx_files_old_and_new_open() {
    let folder = folder();
    let here = folder.path();
    let password = Password::new(SECRET);
    let export = format!(
        "pkcs12 -export -in leaf.pem -inkey leaf.key -certfile root.pem -passout pass:{SECRET}"
    );
    for (file, how) in [
        ("modern.pfx", ""),
        ("legacy.pfx", "-legacy"),
        (
            "tripledes.pfx",
            "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        ),
        ("named.pfx", "-name client"),
    ] {
        openssl(here, &format!("{export} {how} -out {file}"));
        opened(&here.join(file), Some(&password));
    }
}

#[test]
fn a_pfx_file_without_a_password_opens_without_one() {
    let folder = folder();
    let here = folder.path();
    openssl(
        here,
        "pkcs12 -export -in leaf.pem -inkey leaf.key -passout pass: -out open.pfx",
    );
    opened(&here.join("open.pfx"), None);
}

#[test]
fn intermediates_follow_the_leaf_in_order() {
    use crate::wire::trust::certificate::sample;
    let root = sample::root("Site Root");
    let upper = sample::intermediate(&root, "Issuing 1");
    let lower = sample::intermediate(&upper, "Issuing 2");
    let key = sample::key();
    let leaf = sample::server(&[NAME])
        .signed_by(&key, &lower)
        .expect("signed");
    let heap = [
        upper.pem(),
        root.pem(),
        key.serialize_pem(),
        lower.pem(),
        leaf.pem(),
    ]
    .concat();
    let loaded = read(heap.as_bytes(), None, &provider()).expect("usable");
    let expected = [leaf.der(), lower.der(), upper.der()];
    assert!(loaded.key.cert.iter().eq(expected));
}

#[test]
fn a_wrong_or_missing_password_is_told_and_never_shown() {
    let folder = folder();
    let here = folder.path();
    openssl(
        here,
        &format!("pkcs8 -topk8 -v2 aes256 -passout pass:{SECRET} -in leaf.key -out locked.key"),
    );
    openssl(
        here,
        &format!(
            "pkcs12 -export -in leaf.pem -inkey leaf.key -passout pass:{SECRET} -out locked.pfx"
        ),
    );
    openssl(
        here,
        &format!(
            "pkcs12 -export -nomac -in leaf.pem -inkey leaf.key -passout pass:{SECRET} -out \
             nomac.pfx"
        ),
    );
    opened(&here.join("nomac.pfx"), Some(&Password::new(SECRET)));
    // Of so many wrong passwords one or two get the padding right by chance.
    for number in 0..400 {
        let wrong = Password::new(format!("{SECRET} {number}"));
        let said = refused(&here.join("nomac.pfx"), Some(&wrong));
        assert!(said.contains("does not open with the password"), "{said}");
    }
    let wrong = Password::new(format!("not {SECRET}"));
    for file in [
        join(here, "locked.key"),
        here.join("locked.pfx"),
        here.join("nomac.pfx"),
    ] {
        let said = refused(&file, Some(&wrong));
        assert!(said.contains("does not open with the password"), "{said}");
        let said = refused(&file, None);
        assert!(said.contains("no password is given"), "{said}");
    }
}

#[test]
fn password_and_key_stand_in_no_text() {
    let folder = folder();
    let here = folder.path();
    openssl(
        here,
        &format!(
            "pkcs12 -export -in leaf.pem -inkey leaf.key -passout pass:{SECRET} -out client.pfx"
        ),
    );
    let password = Password::new(SECRET);
    let loaded = opened(&here.join("client.pfx"), Some(&password));
    let shown = [
        format!("{loaded:?}"),
        format!("{password:?}"),
        format!("{:?}", loaded.key),
    ];
    let key = PrivateKeyDer::from_pem_file(here.join("leaf.key")).expect("a key");
    // Any eight bytes of the private exponent, as Debug would print them.
    let part = &key.secret_der()[key.secret_der().len() / 2..][..8];
    let part = format!("{part:?}");
    for text in &shown {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(part.trim_matches(['[', ']'])), "{text}");
    }
    assert!(shown[0].contains(NAME));
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_what_would_be_right() {
    let folder = folder();
    let here = folder.path();
    let file = |name: &str, bytes: &[u8]| {
        let path = here.join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    openssl(
        here,
        "genrsa -traditional -aes128 -passout pass:1234 -out legacy.key 2048",
    );
    openssl(here, "genrsa -out stranger.key 2048");
    openssl(here, "genrsa -out short.key 1024");
    let certificate = fs::read(here.join("leaf.pem")).expect("a file");
    let key = fs::read(here.join("leaf.key")).expect("a file");
    for (path, says, hint) in [
        (
            file("text", b"hello"),
            "neither PEM nor PFX",
            "name a PFX file",
        ),
        (file("empty", b""), "neither PEM nor PFX", "name a PFX file"),
        (
            file("cut.pfx", &[0x30, 0x82, 1, 2]),
            "cannot be read as",
            "export the certificate again",
        ),
        (
            join(here, "legacy.key"),
            "OpenSSL's old way",
            "openssl pkcs8 -topk8",
        ),
        (
            file("keyless.pem", &certificate),
            "has no private key",
            "with its private key",
        ),
        (
            file("bare.pem", &key),
            "has no certificate",
            "name a PFX file",
        ),
        (
            join(here, "stranger.key"),
            "belongs to its private key",
            "of the same client",
        ),
        (join(here, "short.key"), "key that cannot be used", "2,048"),
    ] {
        let said = refused(&path, None);
        assert!(said.contains(says) && said.contains(hint), "{said}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let provider = provider();
        let password = Password::new("x");
        let _ = read(&bytes, Some(&password), &provider);
        let der = [&[0x30][..], &bytes].concat();
        let _ = read(&der, None, &provider);
        let pem = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", &bytes[..], b"-----END ENCRYPTED \
            PRIVATE KEY-----"].concat();
        let _ = read(&pem, Some(&password), &provider);
    }
}

/// What a file says of its encryption: PBES2 with AES-256-CBC, and how the key is derived.
fn pbes2(derivation: &[u8], numbers: &[&[u8]]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers
        .iter()
        .flat_map(|number| element(INTEGER, number))
        .collect();
    // PBKDF2 takes SHA-1 where no digest is named, and SHA-1 is not read.
    let digest = element(IDENTIFIER, b"\x2a\x86\x48\x86\xf7\x0d\x02\x09");
    let digest = match derivation == PBKDF2 {
        true => element(SEQUENCE, &[digest, vec![5, 0]].concat()),
        false => Vec::new(),
    };
    let parameters = [element(OCTET_STRING, b"saltsalt"), numbers, digest].concat();
    let derived = [
        element(IDENTIFIER, derivation),
        element(SEQUENCE, &parameters),
    ];
    let cipher = [
        element(IDENTIFIER, b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"),
        element(OCTET_STRING, &[0; 16]),
    ];
    let both = [derived, cipher].map(|part| element(SEQUENCE, &part.concat()));
    let scheme = element(IDENTIFIER, b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d");
    let whole = [scheme, element(SEQUENCE, &both.concat())];
    element(SEQUENCE, &whole.concat())
}

const IDENTIFIER: u8 = 0x06;
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";

#[test]
fn a_key_that_takes_endless_work_or_none_at_all_is_not_opened() {
    let billions: &[u8] = &[0x7f, 0xff, 0xff, 0xff];
    for encryption in [
        pbes2(PBKDF2, &[billions]),
        pbes2(SCRYPT, &[&[0x40, 0, 0, 0], &[8], &[1]]),
        pbes2(SCRYPT, &[&[0x40, 0], &[8], &[0x7f, 0xff]]),
        pbes2(SCRYPT, &[&[0], &[8], &[1]]),
    ] {
        let der = element(
            SEQUENCE,
            &[encryption, element(OCTET_STRING, &[0; 16])].concat(),
        );
        let label = "ENCRYPTED PRIVATE KEY";
        let pem = pkcs8::der::pem::encode_string(label, pkcs8::der::pem::LineEnding::LF, &der);
        let pem = pem.expect("PEM");
        let read = read(pem.as_bytes(), Some(&Password::new(SECRET)), &provider());
        let Err(Fault::Damaged(words)) = read else {
            panic!("{read:?}")
        };
        assert_eq!(words, "opening its key would take too long");
    }
}

#[test]
fn a_pfx_file_whose_scrypt_costs_nothing_is_refused() {
    let data = element(IDENTIFIER, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
    let encrypted = element(IDENTIFIER, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06");
    let inner = [
        data.clone(),
        pbes2(SCRYPT, &[&[0], &[8], &[1]]),
        element(0x80, &[0; 304]),
    ];
    let content = [element(INTEGER, &[0]), element(SEQUENCE, &inner.concat())];
    let content = element(field(0), &element(SEQUENCE, &content.concat()));
    let safe = element(SEQUENCE, &[encrypted, content].concat());
    let safes = element(OCTET_STRING, &element(SEQUENCE, &safe));
    let outer = element(SEQUENCE, &[data, element(field(0), &safes)].concat());
    let pfx = element(SEQUENCE, &[element(INTEGER, &[3]), outer].concat());
    let read = read(&pfx, Some(&Password::new(SECRET)), &provider());
    assert!(matches!(read, Err(Fault::Damaged(words)) if words == "its key is derived by scrypt"));
}

#[test]
fn what_is_said_of_damaged_sections_quotes_nothing_of_the_file() {
    for (text, words) in [
        (
            format!("-----BEGIN {SECRET}\n"),
            "a section has no proper beginning",
        ),
        (
            format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n"),
            "a section has no end",
        ),
        (
            format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"),
            "a section is not in Base64",
        ),
    ] {
        let read = read(text.as_bytes(), None, &provider());
        assert!(
            matches!(&read, Err(Fault::Damaged(said)) if said == words),
            "{read:?}"
        );
    }
}
