//! The `site` section: what the console shows of the site.

use super::host_name::host_name;
use super::keys::keys;
use super::kinds::*;
use crate::product::Cloud;
use crate::words::words;
use crate::yaml::At;

keys! {
    /// The `site` section.
    section SiteSection, compared {
        /// The site code.
        code: Option<At<String>> = text(), required("code: PRI");
        /// The product: `configmgr-2007`, `configmgr-2012` or `configmgr-current-branch`. It decides which keys the file may have.
        product: Option<At<String>> = text(), required("product: configmgr-2007");
        /// The security mode, `native` or `mixed`. Mixed with Internet clients is refused.
        mode: At<Mode> = at(word(Mode::ALL, Mode::name)), default("native"), choice;
        /// Site Properties > Ports: every service that is ticked.
        client_ports: ClientPorts = explained("client-ports", section::<ClientPorts>()), optional("the product's"), setting;
        /// Whether some clients still use the default number. `false` makes it optional while another is active.
        default_port_clients: bool = boolean(), default("true"), setting;
        /// Numbers that were in use before a change, as under `client_ports`. They must be closed again.
        retired_client_ports: ClientPorts = explained("client-ports", section::<ClientPorts>()), optional("none"), setting;
        /// Software Update Point Component > Internet-based.
        software_update_ports: PortPair = explained("software-update-ports", section::<PortPair>()), optional("the product's"), setting;
        /// How update metadata reach the Internet-based software update point: `direct` over the network, `export-import`
        /// when they are carried.
        update_sync: UpdateSync = word(UpdateSync::ALL, UpdateSync::name), default("direct"), choice;
        /// The version of the product, as in `2603`: some flows came with one.
        version: Option<At<u16>> = at(number::<u16>(1000, 9999)), optional("not said: what depends on it is optional"), setting;
        /// SQL Server of the site: one static port.
        sql_port: Option<At<u16>> = port(), optional("the product's"), setting;
        /// SQL Server Service Broker, between the databases of two sites.
        service_broker_port: Option<At<u16>> = port(), optional("the product's"), setting;
        /// Client notification, by which the console reaches clients at once.
        client_notification_port: Option<At<u16>> = port(), optional("the product's"), setting;
        /// Where clients hand each other express updates on a distribution point.
        express_updates_port: Option<At<u16>> = port(), optional("the product's"), setting;
        /// The cloud management gateway (CMG).
        cmg: Option<Cmg> = section::<Cmg>(), optional("none"), setting;
        /// Microsoft's cloud: `public`, or `us-government`.
        cloud: Cloud = word(Cloud::ALL, Cloud::name), default("public"), choice;
        /// Whether the site is attached to a tenant of Intune.
        tenant_attach: bool = boolean(), default("false"), setting;
        /// How the service connection point works: `online`, or `offline` when its data are carried.
        service_connection: ServiceConnection = word(ServiceConnection::ALL, ServiceConnection::name), default("online"), choice;
        /// Whether clients check revocation lists. Servers that ask clients for certificates need the lists whatever stands
        /// here.
        crl_check: bool = boolean(), default("true");
        /// Where the lists are; plain HTTP. `crl_hosts` says whether those that the certificates name are fetched too.
        crl_urls: Vec<At<String>> = list(text()), optional("none");
        /// The hosts from which lists and OCSP answers are fetched: `named`, those that this file names; `certificates`,
        /// those that certificates name too, within limits; `none`. See
        /// [Hosts that only certificates name](#hosts-that-only-certificates-name).
        crl_hosts: CrlHosts = word(CrlHosts::ALL, CrlHosts::name), default("certificates");
        /// The versions of TLS that clients speak: `tls1.0` to `tls1.3`; by default those of Windows XP to 7. Each server is
        /// offered the newest of them, with the cipher suites of that time. One that refuses brings a warning
        /// (`modern-tls-only`). With `tls1.3`, or an empty list, no server is asked.
        clients_speak: Vec<TlsVersion> = list(word(TlsVersion::ALL, TlsVersion::name)), default("[tls1.0, tls1.2]");
    }
}

keys! {
    /// Client request ports by service; empty where the file says nothing.
    section ClientPorts, compared {
        /// HTTP: one number or two.
        http: Vec<At<u16>> = some_ports(), optional("the product's; of retired ports none");
        /// HTTPS: one number or two.
        https: Vec<At<u16>> = some_ports(), optional("the product's; of retired ports none");
    }
}

keys! {
    /// A software update point's pair of ports.
    section PortPair, compared {
        /// The port number.
        http: Option<At<u16>> = port(), optional("the site's, else the product's");
        /// The SSL port number.
        https: Option<At<u16>> = port(), optional("the site's, else the product's");
    }
}

keys! {
    /// A cloud management gateway.
    section Cmg, compared {
        /// Its service name, as clients and its connection point ask for it.
        name: Option<At<String>> = host_name(), required("name: contoso-cmg.westeurope.cloudapp.azure.com");
        /// How many virtual machines it has. One is reached at 443, several at a port each.
        instances: u16 = number::<u16>(1, 16), default("1");
        /// Whether it serves content.
        content: bool = boolean(), default("true");
    }
}

fn some_ports() -> Kind<Vec<At<u16>>> {
    filled(
        "missing-key",
        "leave the key out for the default",
        list(port()),
    )
}

words! {
    /// The security mode of a site.
    Mode {
        /// Clients use HTTPS with certificates.
        Native = "native",
        /// Clients use HTTP.
        Mixed = "mixed",
    }
}

words! {
    /// How update metadata reach the Internet-based software update point.
    UpdateSync {
        /// Over the network.
        Direct = "direct",
        /// By files that are carried.
        ExportImport = "export-import",
    }
}

words! {
    /// How the service connection point works.
    ServiceConnection {
        /// It speaks to the cloud itself.
        Online = "online",
        /// What it would fetch and send is carried.
        Offline = "offline",
    }
}

words! {
    /// The hosts from which revocation lists are fetched.
    CrlHosts {
        /// Those that the site file names.
        Named = "named",
        /// Those that certificates name too, within limits.
        Certificates = "certificates",
        /// None: no list is fetched.
        None = "none",
    }
}

words! {
    /// A version of TLS.
    TlsVersion {
        /// 1.0, the newest of Windows XP to Vista.
        Tls10 = "tls1.0",
        /// 1.1.
        Tls11 = "tls1.1",
        /// 1.2, the newest of Windows 7 and 8.
        Tls12 = "tls1.2",
        /// 1.3.
        Tls13 = "tls1.3",
    }
}
