//! The format of catalogues: its name, its lists, and examples of what stands under its keys.

/// Its name.
pub(super) const SCHEMA: &str = "portproof.catalogue/1";

/// The lists of entries with ids and sources.
pub(super) const LISTS: [&str; 8] = [
    "services",
    "unplanned",
    "rules",
    "passes",
    "fingerprints",
    "client_errors",
    "client_order",
    "topics",
];

/// What may stand under a key.
pub(super) fn example(key: &str) -> &'static str {
    match key {
        "schema" => SCHEMA,
        "product" => "configmgr-2007",
        "site" => "[mode]",
        "systems" => "[rpc_ports]",
        "ports" => "ports: { smb: { default: 445 } }",
        "watchlist" => "watchlist: [smb]",
        "rules" => "rules: []",
        "id" => "client-mp-https",
        "is" => "\"signs people and devices in\"",
        "hosts" => "[{ name: login.microsoftonline.com }]",
        "from" | "to" | "role" => "management-point",
        "transport" => "tcp",
        "port" => "smb",
        "protocol" => "https",
        "need" => "required",
        "confidence" => "documented",
        "verb" => "GET",
        "path" => "\"/SMS_MP/.sms_aut?MPLIST\"",
        "answers" => "[{ status: 200, means: exists }]",
        "status" => "200",
        "means" => "exists",
        "after" => "silence",
        "shows" => "\"0x80072EE2 (12002)\"",
        "editions" => "[{ source: PORTS25, says: \"the port is needed\" }]",
        "says" => "\"the connection timed out\"",
        "file" => "ccmexec.log",
        "of" => "client-https",
        "stage" => "open",
        "at" => "firewall",
        "do" => "\"Permit {added}.\"",
        "who" => "\"clients in a workgroup\"",
        "name" => "CCMHTTPSPORT",
        "gives" => "https-port",
        "does" => "\"fetches its policy\"",
        "settings" => "client-http",
        "steps" => "[\"Open the console.\"]",
        _ => "a text",
    }
}
