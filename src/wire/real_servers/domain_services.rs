//! What a domain controller offers, by other makers: MIT's key distribution centre, OpenLDAP.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Server, connect, written};
use crate::wire::{Fault, windows::kerberos, windows::ldap};

const LIMIT: Duration = Duration::from_secs(5);

/// A key distribution centre of these realms.
fn key_distribution_centre(realms: &[&str]) -> Server {
    Server::start("env", |at, here| {
        let client = format!("[libdefaults]\n default_realm = {}\n", realms[0]);
        let mut text = format!(
            "[kdcdefaults]\n kdc_listen = {at}\n kdc_tcp_listen = {at}\n\
             [logging]\n kdc = FILE:{}/seen\n[realms]\n",
            here.display()
        );
        for realm in realms {
            let files = here.join(realm).display().to_string();
            text += &format!(
                " {realm} = {{\n  database_name = {files}\n  key_stash_file = {files}.stash\n }}\n"
            );
        }
        fs::write(here.join("kdc.conf"), text).expect("written");
        fs::write(here.join("krb5.conf"), client).expect("written");
        for realm in realms {
            let made = Command::new("kdb5_util")
                .envs(settings(here))
                .args(["-r", realm, "-P", "master-word", "create", "-s"])
                .output()
                .expect("kdb5_util is needed; scripts/test installs it");
            assert!(made.status.success(), "{made:?}");
        }
        let named = realms.iter().flat_map(|realm| ["-r", realm]);
        let settings = settings(here).map(|(name, value)| format!("{name}={value}"));
        let program = ["krb5kdc", "-n"]
            .into_iter()
            .chain(named)
            .map(str::to_string);
        settings.into_iter().chain(program).collect()
    })
}

/// Where its programs find their files.
fn settings(here: &Path) -> [(&'static str, String); 2] {
    let path = |name: &str| here.join(name).display().to_string();
    [
        ("KRB5_CONFIG", path("krb5.conf")),
        ("KRB5_KDC_PROFILE", path("kdc.conf")),
    ]
}

#[tokio::test]
async fn a_centre_of_one_realm_refuses_and_names_no_realm_but_ours() {
    let centre = key_distribution_centre(&["ONE.EXAMPLE"]);
    let mut stream = connect(centre.at).await.expect("it listens");
    let said = kerberos::exchange(&mut stream, LIMIT).await;
    let Ok(kerberos::Spoken::Error { code, realm }) = said else {
        panic!("{said:?}: {}", centre.file("seen"))
    };
    assert!([6, 68].contains(&code), "error {code}");
    assert_eq!(realm, None);
}

#[tokio::test]
async fn a_centre_of_two_realms_has_no_word_for_a_third_and_is_recognised_all_the_same() {
    let centre = key_distribution_centre(&["ONE.EXAMPLE", "TWO.EXAMPLE"]);
    let mut stream = connect(centre.at).await.expect("it listens");
    let said = kerberos::exchange(&mut stream, LIMIT).await;
    assert!(matches!(said, Err(Fault::HungUp | Fault::Mute)), "{said:?}");
    let mut stream = connect(centre.at).await.expect("it listens");
    let said = kerberos::extensions(&mut stream, LIMIT).await;
    let realm = Some("ONE.EXAMPLE".to_string());
    assert_eq!(said, Ok(kerberos::Spoken::Error { code: 61, realm }));
}

#[tokio::test]
async fn openldap_logs_a_search_and_an_unbind_and_no_lost_connection() {
    let directory = Server::start("slapd", |at, here| {
        let folder = here.display();
        let text = format!("pidfile {folder}/pid\nargsfile {folder}/args\n");
        let arguments = [
            "-h",
            &format!("ldap://{at}"),
            "-f",
            &written(folder, &text),
            "-d",
            "256",
        ];
        arguments.map(str::to_string).to_vec()
    });
    let mut stream = connect(directory.at).await.expect("it listens");
    let said = ldap::exchange(&mut stream, LIMIT).await.expect("LDAP");
    assert_eq!(said.result, Some(0));
    let own = stream.local_addr().expect("an address").to_string();
    drop(stream);
    let of_ours = |log: &str| -> Vec<String> {
        let accepted = log
            .lines()
            .find(|line| line.contains(&format!("IP={own} ")));
        let number = accepted.and_then(|line| line.split("conn=").nth(1)?.split(' ').next());
        let number = format!("conn={} ", number.unwrap_or_default());
        let lines = log.lines().filter(|line| line.contains(&number));
        lines.map(str::to_string).collect()
    };
    let deadline = std::time::Instant::now() + LIMIT;
    let lines = loop {
        let lines = of_ours(&directory.file("output"));
        let ended = lines.iter().any(|line| line.contains("closed"));
        if ended || std::time::Instant::now() > deadline {
            break lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(
        lines.iter().any(|line| line.contains("UNBIND")),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("connection lost")),
        "{lines:?}"
    );
}
