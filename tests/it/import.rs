//! `portproof import` as a user runs it. The exports are ours, made from the documented grammar: no real one is public.

use std::fs;

use serde_json::{Value, json};

use crate::support::files::{Bed, printed, said};

/// A role of a server, with its properties: name, number, text.
struct Role(
    &'static str,
    &'static str,
    Vec<(&'static str, i64, &'static str)>,
);

/// A current-branch site with a server for Internet clients, and with a gateway in the cloud.
fn roles() -> Vec<Role> {
    let cm01 = "CM01.corp.example.com";
    let ibs01 = "ibs01.CORP.example.com";
    vec![
        Role(
            "SMS Site System",
            cm01,
            vec![("Server Remote Name", 0, cm01)],
        ),
        Role("SMS Site Server", cm01, vec![]),
        Role(
            "sms sql server",
            cm01,
            vec![("SQL Server Service Logon Account", 0, "CORP\\sql")],
        ),
        Role("SMS Provider", cm01, vec![]),
        Role("SMS Dmp Connector", cm01, vec![]),
        Role(
            "SMS Management Point",
            cm01,
            vec![("SslState", 0, ""), ("MPIntranetFacing", 1, "")],
        ),
        Role(
            "SMS SITE SYSTEM",
            ibs01,
            vec![
                ("Server Remote Name", 0, "ibs01.corp.example.com"),
                ("Server Remote Public Name", 0, "ibs01.example.com"),
                ("FDMOperation", 1, ""),
            ],
        ),
        Role(
            "SMS Management Point",
            ibs01,
            vec![("SslState", 63, ""), ("MPInternetFacing", 1, "")],
        ),
        Role(
            "SMS Distribution Point",
            ibs01,
            vec![("SslState", 63, ""), ("AllowInternetClients", 1, "")],
        ),
        Role(
            "SMS Software Update Point",
            ibs01,
            vec![
                ("WSUSIISPort", 8630, ""),
                ("WSUSIISSSLPort", 8631, ""),
                ("SSLWSUS", 1, ""),
                ("IsINF", 1, ""),
            ],
        ),
        Role(
            "SMS Fallback Status Point",
            ibs01,
            vec![("FSPInternetFacing", 1, "")],
        ),
        Role(
            "SMS Cloud Proxy Connector",
            "ccp01.corp.example.com",
            vec![],
        ),
        Role("SMS Enrollment Server", "ccp01.corp.example.com", vec![]),
        Role("SMS Invented Point", "ccp01.corp.example.com", vec![]),
    ]
}

fn properties(all: &[(&str, i64, &str)]) -> Value {
    let all = all.iter().map(|(name, value, text)| {
        json!({ "PropertyName": name, "Value": value, "Value1": text, "Value2": "" })
    });
    all.collect()
}

fn role(Role(name, host, of): &Role) -> Value {
    json!({
        "RoleName": name, "NetworkOSPath": format!("\\\\{host}"), "SiteCode": "PRI", "NALType": "Windows NT Server",
        "NALPath": format!("[\"Display=\\\\{host}\\\"]MSWNET:[\"SMS_SITE=PRI\"]\\\\{host}\\"),
        "Props": properties(of), "PropLists": []
    })
}

fn component(name: &str, of: &[(&str, i64, &str)]) -> Value {
    json!({
        "ItemName": name, "ComponentName": name.split('|').next(), "ItemType": "Component", "FileType": 2, "Flag": 6,
        "SiteCode": "PRI", "Props": properties(of)
    })
}

fn components() -> Vec<Value> {
    vec![
        component(
            "SMS_MP_CONTROL_MANAGER|SMS Management Point",
            &[
                ("IISPortsList", 0, "80,8080"),
                ("IISSSLPortsList", 0, "443"),
            ],
        ),
        component(
            "SMS_SITE_COMPONENT_MANAGER|SMS Site Server",
            &[("IISPortsList", 0, "80,8080"), ("IISSSLState", 1_248, "")],
        ),
        json!({ "ItemName": "SMS_MP_CONTROL_MANAGER|SMS Management Point", "Flag": 1, "FileType": 1, "SiteCode": "PRI",
                "Props": properties(&[("IISPortsList", 0, "81")]) }),
    ]
}

fn definition() -> Value {
    json!({
        "__CLASS": "SMS_SCI_SiteDefinition", "SiteCode": "PRI", "ParentSiteCode": "",
        "Props": properties(&[
            ("SQlServicePort", 14_330, ""), ("SSBPort", 4_022, ""), ("Full Version", 0, "5.00.9128.1000"),
        ])
    })
}

/// The site as three files of JSON.
fn bed() -> Bed {
    let bed = Bed::new();
    fs::remove_file(bed.path("probes.yaml")).expect("removed");
    let roles: Vec<Value> = roles().iter().map(role).collect();
    for (name, value) in [
        (
            "roles.json",
            json!({ "@odata.context": "x", "value": roles }),
        ),
        ("components.json", components().into()),
        ("site.json", definition()),
    ] {
        fs::write(bed.path(name), value.to_string()).expect("written");
    }
    bed
}

const FILES: [&str; 3] = ["roles.json", "components.json", "site.json"];

/// Values as `Export-Clixml` writes them, without the line ends.
fn clixml(values: &[Value]) -> String {
    fn escaped(text: &str) -> String {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('"', "&quot;")
    }
    fn element(value: &Value, name: Option<&str>) -> String {
        let name = name.map_or(String::new(), |it| format!(" N=\"{}\"", escaped(it)));
        match value {
            Value::Null => format!("<Nil{name} />"),
            Value::Bool(value) => format!("<B{name}>{value}</B>"),
            Value::Number(value) => format!("<U32{name}>{value}</U32>"),
            Value::String(text) => format!("<S{name}>{}</S>", escaped(text)),
            Value::Array(items) => {
                let items: String = items.iter().map(|it| element(it, None)).collect();
                format!(
                    "<Obj{name} RefId=\"7\"><TN RefId=\"1\"><T>System.Array</T></TN><LST>{items}</LST></Obj>"
                )
            }
            Value::Object(members) => {
                let members: String = members
                    .iter()
                    .map(|(name, value)| element(value, Some(name)))
                    .collect();
                format!(
                    "<Obj{name} RefId=\"8\"><ToString>x</ToString><Props>{members}</Props></Obj>"
                )
            }
        }
    }
    let all: String = values.iter().map(|it| element(it, None)).collect();
    format!(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">{all}</Objs>"
    )
}

/// Answers each question of a file about this site.
fn answered(text: &str) -> String {
    let mut zone = "intranet";
    let lines = text.lines().map(|line| {
        match line {
            "  ibs01:" | "  ibs02:" => zone = "perimeter",
            line if line.starts_with("  ") && !line.starts_with("   ") => zone = "intranet",
            _ => {}
        }
        if let Some(lists) = line.strip_prefix("  # crl_urls:") {
            return format!("  crl_urls:{lists}");
        }
        let key = line.trim().split(':').next().unwrap_or_default();
        let answer = match key {
            "zone" => format!("\"{zone}\""),
            "perimeter" => "\"192.0.2.0/24\"".to_string(),
            "intranet" => "\"10.0.0.0/8\"".to_string(),
            "name" => "\"contoso.example.net\"".to_string(),
            "mode" => "native".to_string(),
            "serves" | "clients" => "\"internet\"".to_string(),
            _ => return line.to_string(),
        };
        line.replacen("\"?\"", &answer, 1)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The site file that an import printed.
fn imported(bed: &Bed, files: &[&str]) -> (String, String) {
    let ended = bed.run(&[&["import", "-o", "-"], files].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    (printed(&ended), said(&ended))
}

#[test]
fn a_current_branch_site_becomes_a_file_that_asks_and_then_has_a_plan() {
    let bed = bed();
    let ended = bed.run(&[&["import"], &FILES[..]].concat());
    assert_eq!(
        (ended.status.code(), printed(&ended).as_str()),
        (Some(0), "")
    );
    let says = said(&ended);
    for part in [
        "probes.yaml is written, with 6 questions",
        "left out: roles that portproof does not know: SMS Invented Point",
        "left out: roles that portproof has no rules for: SMS Enrollment Server",
        "settings that are not in force (FileType is not 2): 1",
        "properties that no line is made of: SQL Server Service Logon Account",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
    let text = bed.text("probes.yaml");
    for line in [
        "  code: PRI                        # roles.json, SMS_SCI_SysResUse, SiteCode",
        "  product: configmgr-current-branch # ",
        "  version: 2403                    # site.json, SMS_SCI_SiteDefinition, Full Version",
        "    http: [80, 8080]               # components.json, SMS_SCI_Component \"SMS_MP_CONTROL_MANAGER|SMS Management Point\", IISPortsList",
        "    https: 443                     # components.json",
        "  sql_port: 14330                  # site.json, SMS_SCI_SiteDefinition, SQlServicePort",
        "  service_broker_port: 4022        # site.json",
        "  crl_check: true                  # components.json, SMS_SCI_Component \"SMS_SITE_COMPONENT_MANAGER|SMS Site Server\", IISSSLState is 1248",
        "    names: { internet: ibs01.example.com, default: ibs01.corp.example.com } # roles.json",
        "    roles: [management-point, distribution-point, software-update-point, fallback-status-point] # roles.json, SMS_SCI_SysResUse, RoleName",
        "    serves: [internet]             # roles.json, SMS_SCI_SysResUse \"SMS Management Point\", MPInternetFacing is 1",
        "    serves: [intranet]             # roles.json",
        "    client_connections: https      # roles.json",
        "    client_connections: enhanced-http # roles.json",
        "      https: 8631                  # roles.json, SMS_SCI_SysResUse \"SMS Software Update Point\", WSUSIISSSLPort",
        "    initiated_by_site_server: true # roles.json",
        "    name: \"?\" ",
        "# - roles that portproof does not know: SMS Invented Point\n",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}\n{text}");
    }
    let asked = bed.run(&["plan", "probes.yaml"]);
    assert_eq!(
        (asked.status.code(), printed(&asked).as_str()),
        (Some(2), "")
    );
    let says = said(&asked);
    for part in [
        "question[unanswered]: what is `zone` of system `ibs01`?",
        "write one of `internet`, `perimeter`, `intranet` in the place of the `?`. The zone where it stands.",
        "what is `networks` of zone `perimeter`?",
        "what is `site.cmg.name`?",
        "\n6 questions are open in probes.yaml; no packet was sent.",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
    assert!(!says.contains("error"), "{says}");
    fs::write(bed.path("probes.yaml"), answered(&text)).expect("written");
    let plan = bed.run(&["plan", "--verbose", "probes.yaml"]);
    assert_eq!(
        (plan.status.code(), said(&plan).as_str()),
        (Some(0), ""),
        "{}",
        bed.text("probes.yaml")
    );
    for id in [
        "internet>ibs01:443/tcp",
        "internet>ibs01:8631/tcp",
        "cm01>ibs01:445/tcp",
        "ibs01>cm01:14330/tcp",
        "intranet>cm01:8080/tcp",
    ] {
        assert!(printed(&plan).contains(id), "{id}\n{}", printed(&plan));
    }
}

#[test]
fn every_form_of_an_export_makes_the_same_file() {
    let bed = bed();
    let (text, _) = imported(&bed, &FILES);
    let mut all: Vec<Value> = roles().iter().map(role).collect();
    all.extend(components());
    all.push(definition());
    let utf_16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let json = Value::from(all.clone()).to_string();
    // Sources differ in the names of the files, and nothing else may.
    let bare = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let lines = lines.map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
        lines.map(str::to_string).collect::<Vec<_>>()
    };
    for (name, bytes) in [
        ("list.json", json.clone().into_bytes()),
        ("marked.json", format!("\u{feff}{json}").into_bytes()),
        ("wide.json", utf_16(&json)),
        (
            "counted.json",
            json!({ "value": all, "Count": 18 })
                .to_string()
                .into_bytes(),
        ),
        (
            "nested.json",
            json!({ "roles": all, "note": "x" })
                .to_string()
                .into_bytes(),
        ),
        ("objects.xml", clixml(&all).into_bytes()),
        ("wide.xml", utf_16(&clixml(&all))),
    ] {
        fs::write(bed.path(name), bytes).expect("written");
        assert_eq!(bare(&imported(&bed, &[name]).0), bare(&text), "{name}");
    }
}

#[test]
fn properties_of_the_cmdlets_own_form_are_read_and_marked() {
    let bed = bed();
    let value = json!([{
        "RoleName": "SMS Management Point", "NetworkOSPath": "\\\\mp01.example.com", "SiteCode": "PRI",
        "EmbeddedProperties": { "MPInternetFacing": { "PropertyName": "MPInternetFacing", "Value": 1 } }
    }]);
    fs::write(bed.path("cmdlet.json"), value.to_string()).expect("written");
    let (text, _) = imported(&bed, &["cmdlet.json"]);
    let line = "    serves: [internet]             # cmdlet.json, SMS_SCI_SysResUse \"SMS Management Point\", MPInternetFacing is 1 (untested: no public sample)\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("  product: \"?\""), "{text}");
}

/// A role of the control file, as the SDK shows it.
fn block(name: &str, properties: &[(&str, i64, &str)]) -> String {
    let host = "IBS02";
    let mut text = format!(
        "BEGIN_SYSTEM_RESOURCE_USE\r\n    RESOURCE<Windows NT Server><[\"Display=\\\\{host}\\\"]MSWNET:[\"SMS_SITE=OLD\"]\\\\{host}\\>\r\n    ROLE<{name}>\r\n"
    );
    for (name, value, value1) in properties {
        text += &format!("    PROPERTY <{name}><{value1}><><{value}>\r\n");
    }
    text + "END_SYSTEM_RESOURCE_USE\r\n"
}

fn control_file() -> String {
    let name = ("Server Remote Name", 0, "ibs02.corp.example.com");
    let public = ("Server Remote Public Name", 0, "ibs02.example.com");
    let mut text = block("SMS Site System", &[name, public]);
    text += &block("SMS Management Point", &[]);
    text += &block("SMS Fallback Status Point", &[("FSPInternetFacing", 1, "")]);
    text += &block("SMS SQL Server", &[]).replace("IBS02", "CM02");
    text += &block("SMS Site Server", &[]).replace("IBS02", "CM02");
    text += "BEGIN_COMPONENT\r\n    <SMS_MP_CONTROL_MANAGER>\r\n    <6>\r\n    PROPERTY <IISSSLPortsList><REG_SZ><8443><0>\r\nEND_COMPONENT\r\n\
             BEGIN_COMPONENT\r\n    <SMS_SITE_COMPONENT_MANAGER>\r\n    PROPERTY <IISSSLState><><><31>\r\nEND_COMPONENT\r\n\
             BEGIN_CLIENT_COMPONENT\r\nEND_CLIENT_COMPONENT\r\n";
    text
}

#[test]
fn a_control_file_of_2007_becomes_a_file_that_asks_and_then_has_a_plan() {
    let bed = bed();
    // An accented letter in the code page of Windows.
    let mut bytes = control_file().into_bytes();
    bytes.extend(b"BEGIN_CLIENT_COMPONENT\r\n<B\xfcro>\r\nEND_CLIENT_COMPONENT\r\n");
    fs::write(bed.path("sitectrl.ct0"), bytes).expect("written");
    let (text, says) = imported(&bed, &["sitectrl.ct0"]);
    for line in [
        "  code: OLD ",
        "  product: configmgr-2007          # sitectrl.ct0, the site control file",
        "  mode: native ",
        "    https: 8443                    # sitectrl.ct0, SMS_SCI_Component \"SMS_MP_CONTROL_MANAGER\", IISSSLPortsList (untested: no public sample)",
        "  crl_check: false ",
        "    names: { internet: ibs02.example.com, default: ibs02.corp.example.com } # sitectrl.ct0",
        "    names: { default: cm02 } ",
        "    serves: [internet] ",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}\n{text}");
    }
    assert!(
        says.contains("not known to portproof, in sitectrl.ct0: a block BEGIN_CLIENT_COMPONENT"),
        "{says}"
    );
    fs::write(bed.path("old.yaml"), answered(&text)).expect("written");
    let plan = bed.run(&["plan", "--verbose", "old.yaml"]);
    assert_eq!((plan.status.code(), said(&plan).as_str()), (Some(0), ""));
    for id in [
        "internet>ibs02:8443/tcp",
        "cm02>ibs02:445/tcp",
        "ibs02>cm02:1433/tcp",
    ] {
        assert!(printed(&plan).contains(id), "{id}");
    }
}

#[test]
fn exports_that_contradict_each_other_are_a_question_with_both_sources() {
    let bed = bed();
    let other = component(
        "SMS_MP_CONTROL_MANAGER|SMS Management Point",
        &[("IISSSLPortsList", 0, "8443")],
    );
    fs::write(bed.path("older.json"), other.to_string()).expect("written");
    let (text, says) = imported(&bed, &[&FILES[..], &["older.json"]].concat());
    let both = "443 by components.json, SMS_SCI_Component \"SMS_MP_CONTROL_MANAGER|SMS Management Point\", IISSSLPortsList; \
                8443 by older.json, SMS_SCI_Component \"SMS_MP_CONTROL_MANAGER|SMS Management Point\", IISSSLPortsList";
    assert!(
        text.contains(&format!("    https: \"?\"                     # {both}\n")),
        "{text}"
    );
    let warning = format!("warning: `https` of the clients' ports is said differently: {both}\n");
    assert!(says.contains(&warning), "{says}");
}

#[test]
fn an_export_of_several_sites_asks_which_one_is_meant() {
    let bed = bed();
    let mut other = role(&roles()[1]);
    other["SiteCode"] = "SEC".into();
    fs::write(bed.path("other.json"), other.to_string()).expect("written");
    let files = ["import", "-o", "-", "roles.json", "other.json"];
    let ended = bed.run(&files);
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        said(&ended).contains(
            "of the sites PRI, SEC, and a site file is about one: say which one with --site CODE"
        ),
        "{}",
        said(&ended)
    );
    let ended = bed.run(&[&files[..], &["--site", "pri"]].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(
        said(&ended).contains("left out: objects of other sites: 1 of SEC"),
        "{}",
        said(&ended)
    );
    let ended = bed.run(&[&files[..], &["--site", "XYZ"]].concat());
    assert!(
        said(&ended).contains("no export has objects of the site XYZ; they have those of PRI, SEC"),
        "{}",
        said(&ended)
    );
}

#[test]
fn the_role_list_of_the_rule_generator_gives_roles_and_addresses() {
    let bed = bed();
    let list = json!({ "FirewallRuleDefinition": {
        "SystemAndRoleList": [
            { "FullQualifiedDomainName": "cm01.example.com", "IPAddress": "10.0.0.5,2001:db8::5", "SiteCode": "P01",
              "ParentSiteCode": "P01", "Description": "", "RoleList": ["PrimarySite", "SiteServer", "SQLServerRole"] },
            { "FullQualifiedDomainName": "mp01.example.com", "IPAddress": "", "SiteCode": "P01", "ParentSiteCode": "P01",
              "RoleList": ["ManagementPoint", "SomethingElse"] }
        ],
        "RuleDefinition": [{ "RuleName": "x", "Source": "SiteServer", "Services": ["HTTPS"] }], "ServiceDefinition": []
    }});
    fs::write(bed.path("list.json"), list.to_string()).expect("written");
    let (text, says) = imported(
        &bed,
        &["list.json", "--product", "configmgr-current-branch"],
    );
    for line in [
        "    addresses: { default: [10.0.0.5, \"2001:db8::5\"] } # list.json, SystemAndRoleList, IPAddress",
        "    roles: [site-server, site-database] # list.json, SystemAndRoleList, RoleList",
        "    client_connections: \"?\" ",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}\n{text}");
    }
    assert!(
        says.contains("roles that portproof does not know: SomethingElse"),
        "{says}"
    );
}

#[test]
fn what_is_no_export_is_refused_with_what_would_be_one_and_no_file_is_left() {
    let bed = bed();
    let deep = "[".repeat(100_000);
    let shallow = r#"[{"RoleName":"SMS Provider","NetworkOSPath":"\\\\a.example","Props":["System.Management.ManagementBaseObject"]}]"#;
    let entity = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Objs><S>&b;</S></Objs>";
    for (text, says) in [
        ("", "x.json cannot be imported: it is empty"),
        (
            "{\"a\": 1",
            "JSON that ends in the middle (line 1, column 7)",
        ),
        ("{\"a\": x}", "no JSON that can be read (line 1, column 7)"),
        (&deep, "no JSON that can be read (line 1, column 128)"),
        (entity, "a document type"),
        ("<Objs><S>&a;</S></Objs>", "the entity `a`"),
        (
            "<html/>",
            "the root element `html`, and `Export-Clixml` writes `Objs`",
        ),
        ("[]", "holds no object that portproof knows"),
        (
            "RoleName,Host\n",
            "it is no export that portproof reads: it reads JSON of ConvertTo-Json",
        ),
        (shallow, "add -Depth 6"),
        (
            "BEGIN_COMPONENT\n",
            "line 1: the block `BEGIN_COMPONENT` has no `END_COMPONENT`",
        ),
        (
            r#"{"SiteCode":"PRI","ParentSiteCode":"","Props":[]}"#,
            "name no server with a role that portproof knows",
        ),
    ] {
        fs::write(bed.path("x.json"), text).expect("written");
        let ended = bed.run(&["import", "x.json"]);
        assert_eq!(ended.status.code(), Some(2), "{says}");
        assert!(said(&ended).contains(says), "{says}\n{}", said(&ended));
        assert!(!bed.path("probes.yaml").exists(), "{says}");
        assert!(bed.names(".portproof").is_empty());
    }
    for (arguments, says) in [
        (&["import"][..], "<FILE>"),
        (
            &["import", "nowhere.json"],
            "reading the export nowhere.json: ",
        ),
        (
            &["import", "."],
            "it is a folder, and only regular files are read",
        ),
        (
            &["import", "roles.json", "--site", "PRIM"],
            "3 letters or digits",
        ),
        (
            &["import", "roles.json", "--product", "sccm"],
            "configmgr-2007",
        ),
        (
            &["import", "roles.json", "--product", "configmgr-2007"],
            "the exports are of configmgr-current-branch: leave the option out",
        ),
    ] {
        let ended = bed.run(arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        assert!(said(&ended).contains(says), "{says}\n{}", said(&ended));
    }
}

#[test]
fn nothing_in_a_name_can_add_a_line_to_the_file_or_reach_the_terminal() {
    let bed = bed();
    let mean = "x\nsystems: { evil: {} }\r\n\u{2028}\u{1b}[31m\"'# \u{85}{{";
    let mut hostile: Vec<Value> = Vec::new();
    for (index, member) in ["RoleName", "NetworkOSPath", "SiteCode", "Extra"]
        .iter()
        .enumerate()
    {
        let mut role = role(&Role(
            "SMS Provider",
            "a.example.com",
            vec![("Server Remote Name", 0, mean), (mean, 1, mean)],
        ));
        role[member] = mean.into();
        role["NALPath"] = format!("\\\\{mean}{index}\\").into();
        hostile.push(role);
    }
    hostile.push(json!({ "__CLASS": format!("SMS_{mean}"), "Props": [] }));
    hostile.push(component(
        mean,
        &[("IISPortsList", 0, mean), ("IISSSLPortsList", 0, "1,2,3")],
    ));
    let name = "a\nb: c.json";
    fs::write(bed.path(name), Value::from(hostile).to_string()).expect("written");
    let (text, says) = imported(&bed, &[name]);
    for written in [&text, &says] {
        assert!(
            !written.contains('\u{1b}') && !written.contains('\u{2028}') && !written.contains('\r')
        );
        assert!(
            !written.contains("\nsystems: { evil") && !written.contains("\nb: c.json"),
            "{written}"
        );
    }
    let parsed: Value = serde_yaml::from_str(&text).expect("YAML");
    assert_eq!(
        parsed["systems"].as_object().expect("systems").len(),
        1,
        "{text}"
    );
}

#[test]
fn files_of_one_name_are_told_apart_by_their_folders() {
    let bed = bed();
    fs::create_dir(bed.path("old")).expect("made");
    fs::copy(bed.path("roles.json"), bed.path("old/roles.json")).expect("copied");
    fs::copy(bed.path("roles.json"), bed.path("old/other.json")).expect("copied");
    let (text, _) = imported(&bed, &["old/roles.json", "roles.json"]);
    assert!(text.contains("# old/roles.json, SMS_SCI"), "{text}");
    let (text, _) = imported(&bed, &["old/other.json", "roles.json"]);
    assert!(text.contains("# other.json, SMS_SCI"), "{text}");
}

#[test]
fn a_file_that_is_there_stays_without_overwrite() {
    let bed = bed();
    fs::write(bed.path("probes.yaml"), "mine").expect("written");
    let refused = bed.run(&["import", "roles.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said(&refused).contains("add --overwrite"),
        "{}",
        said(&refused)
    );
    assert_eq!(bed.text("probes.yaml"), "mine");
    let replaced = bed.run(&["import", "roles.json", "--overwrite"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", said(&replaced));
    assert!(bed.text("probes.yaml").contains("\nsystems:\n"));
}
