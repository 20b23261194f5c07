//! The closed words of catalogue and site file.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use crate::words::{self, words};

words! {
    /// What a system does in the site.
    Role {
        /// Runs the site.
        SiteServer = "site-server",
        /// Holds the site database.
        SiteDatabase = "site-database",
        /// Holds a replica of the site database.
        SiteDatabaseReplica = "site-database-replica",
        /// Gives consoles access to the database.
        SmsProvider = "sms-provider",
        /// Hands policy to clients and takes their data.
        ManagementPoint = "management-point",
        /// Holds packages.
        DistributionPoint = "distribution-point",
        /// A distribution point on a client.
        BranchDistributionPoint = "branch-distribution-point",
        /// Takes the distress signals of clients.
        FallbackStatusPoint = "fallback-status-point",
        /// Serves software updates.
        SoftwareUpdatePoint = "software-update-point",
        /// Tells clients their site.
        ServerLocatorPoint = "server-locator-point",
        /// Shows reports.
        ReportingPoint = "reporting-point",
        /// Starts computers over the network.
        PxeServicePoint = "pxe-service-point",
        /// Keeps user state during installation.
        StateMigrationPoint = "state-migration-point",
        /// Judges client health.
        SystemHealthValidator = "system-health-validator",
        /// Active Directory.
        DomainController = "domain-controller",
        /// Answers names.
        Dns = "dns",
        /// Publishes revocation lists.
        CrlDistributionPoint = "crl-distribution-point",
        /// Publishes systems to another zone.
        WebProxy = "web-proxy",
        /// An administrator's console.
        Console = "console",
        /// The site server of the parent site.
        ParentSiteServer = "parent-site-server",
        /// The site server of a child site.
        ChildSiteServer = "child-site-server",
        /// The update point of the parent site.
        ParentSoftwareUpdatePoint = "parent-software-update-point",
        /// Connects the site to Microsoft's cloud.
        ServiceConnectionPoint = "service-connection-point",
        /// Connects the site to its cloud management gateway.
        CmgConnectionPoint = "cmg-connection-point",
        /// Shows reports of SQL Server Reporting Services.
        ReportingServicesPoint = "reporting-services-point",
        /// Keeps history for reports.
        DataWarehouseServicePoint = "data-warehouse-service-point",
        /// Fetches what Endpoint Protection needs.
        EndpointProtectionPoint = "endpoint-protection-point",
        /// Holds the content library of the site server on another host.
        ContentLibrary = "content-library",
        /// Holds the sources of packages on another host.
        ContentSource = "content-source",
        /// Holds the database of WSUS on another host.
        WsusDatabase = "wsus-database",
        /// Holds the database of a parent or child site.
        OtherSiteDatabase = "other-site-database",
        /// Takes over when the site server fails.
        PassiveSiteServer = "passive-site-server",
    }
}

words! {
    /// What the site reaches that is no system of its file: a service of somebody else.
    Service {
        /// The cloud management gateway (CMG) of this site.
        Cmg = "cmg",
        /// Storage of the CMG.
        AzureStorage = "azure-storage",
        /// Keys of the CMG.
        AzureKeyVault = "azure-key-vault",
        /// Where Azure is managed.
        AzureManagement = "azure-management",
        /// Microsoft Entra ID, which signs people and devices in.
        Entra = "entra",
        /// Who validates tokens of Microsoft Entra ID.
        EntraTokens = "entra-tokens",
        /// Microsoft Graph.
        EntraGraph = "entra-graph",
        /// What the console loads to sign people in.
        EntraConsole = "entra-console",
        /// Updates and servicing of Configuration Manager itself.
        ConfigmgrCloud = "configmgr-cloud",
        /// The cloud side of tenant attach.
        TenantAttach = "tenant-attach",
        /// Microsoft Update.
        MicrosoftUpdate = "microsoft-update",
        /// Delivery Optimization.
        DeliveryOptimization = "delivery-optimization",
    }
}

impl Service {
    /// Whether everybody's systems trust who issues its certificates. That of a gateway may be the site's own.
    pub fn is_trusted_by_all(self) -> bool {
        self != Self::Cmg
    }
}

words! {
    /// One of Microsoft's clouds: each has names of its own.
    Cloud {
        /// The public one.
        Public = "public",
        /// That of the government of the United States.
        UsGovernment = "us-government",
    }
}

impl Role {
    /// What administrators call the most frequent ones.
    pub const ABBREVIATIONS: &'static [(&'static str, Self)] = &[
        ("MP", Self::ManagementPoint),
        ("DP", Self::DistributionPoint),
        ("SUP", Self::SoftwareUpdatePoint),
        ("FSP", Self::FallbackStatusPoint),
        ("DC", Self::DomainController),
        ("SQL", Self::SiteDatabase),
    ];

    /// What its name or abbreviation stands for, in capitals or small letters.
    pub fn written(word: &str) -> Option<Self> {
        let names = Self::ALL.iter().map(|role| (role.name(), *role));
        let mut all = names.chain(Self::ABBREVIATIONS.iter().copied());
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(word));
        found.map(|(_, role)| role)
    }
}

words! {
    /// What the site needs of a flow.
    Need {
        /// Must pass.
        Required = "required",
        /// May pass.
        Optional = "optional",
        /// Must not pass.
        Forbidden = "forbidden",
    }
}

words! {
    /// The transport of a flow.
    Transport {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// Encapsulated packets of IPsec, an IP protocol of its own (RFC 4303), without ports.
        Esp = "esp",
    }
}

impl Transport {
    /// Whether it tells services apart by ports.
    pub fn has_ports(self) -> bool {
        self != Self::Esp
    }
}

words! {
    /// What is spoken on a flow: what it takes to call an open port right.
    Protocol {
        /// Anything: an open port is all that is asked.
        Tcp = "tcp",
        /// Any datagram service.
        Udp = "udp",
        /// TLS.
        Tls = "tls",
        /// HTTP/1.1.
        Http = "http",
        /// HTTP/1.1 over TLS.
        Https = "https",
        /// Remote procedure calls: the endpoint mapper and its dynamic ports.
        Rpc = "rpc",
        /// Server message block.
        Smb = "smb",
        /// SQL Server's tabular data stream.
        Tds = "tds",
        /// LDAP.
        Ldap = "ldap",
        /// DNS.
        Dns = "dns",
        /// Kerberos.
        Kerberos = "kerberos",
        /// NATS, which carries the messages of portproof's agents.
        Nats = "nats",
        /// What IPsec hides.
        Esp = "esp",
    }
}

impl Protocol {
    /// The words that a user's own flow may carry.
    pub const USER: &'static [Self] = &[
        Self::Tcp,
        Self::Tls,
        Self::Http,
        Self::Https,
        Self::Rpc,
        Self::Smb,
        Self::Tds,
        Self::Ldap,
        Self::Dns,
        Self::Nats,
    ];
}

words! {
    /// The verbs of HTTP that the roles of a site are spoken to with.
    Verb {
        /// Reads.
        Get = "GET",
        /// Reads the head of what GET would give.
        Head = "HEAD",
        /// Hands something over.
        Post = "POST",
        /// POST of a management point's clients.
        CcmPost = "CCM_POST",
        /// Upload by the Background Intelligent Transfer Service.
        BitsPost = "BITS_POST",
        /// Lists what a folder holds (WebDAV, RFC 4918 section 9.1).
        Propfind = "PROPFIND",
    }
}

words! {
    /// How sure a rule is.
    Confidence {
        /// Documented for the product.
        Documented = "documented",
        /// Documented for later versions, or seen in public code.
        LaterVersion = "later-version",
        /// Follows from documented facts.
        Derived = "derived",
        /// Expected, not confirmed: never more than optional, never a citation.
        Unconfirmed = "unconfirmed",
    }
}

words! {
    /// The key of the site file that sets a port.
    Setting {
        /// `client_ports.http`.
        ClientHttp = "client-http",
        /// `client_ports.https`.
        ClientHttps = "client-https",
        /// `retired_client_ports.http`.
        RetiredHttp = "retired-http",
        /// `retired_client_ports.https`.
        RetiredHttps = "retired-https",
        /// `software_update_ports.http`.
        SoftwareUpdateHttp = "software-update-http",
        /// `software_update_ports.https`.
        SoftwareUpdateHttps = "software-update-https",
        /// `rpc_ports`.
        RpcDynamic = "rpc-dynamic",
        /// `crl_urls`.
        Crl = "crl",
        /// `sql_port`.
        Sql = "sql",
        /// `service_broker_port`.
        ServiceBroker = "service-broker",
        /// `client_notification_port`.
        ClientNotification = "client-notification",
        /// `express_updates_port`.
        ExpressUpdates = "express-updates",
        /// `multicast_ports`.
        Multicast = "multicast",
        /// `cmg.instances`: a channel for each.
        CmgChannels = "cmg-channels",
        /// Every port of the watchlist.
        Watchlist = "watchlist",
    }
}

impl Setting {
    /// The key of the site file.
    pub fn key(self) -> &'static str {
        match self {
            Self::ClientHttp => "client_ports.http",
            Self::ClientHttps => "client_ports.https",
            Self::RetiredHttp => "retired_client_ports.http",
            Self::RetiredHttps => "retired_client_ports.https",
            Self::SoftwareUpdateHttp => "software_update_ports.http",
            Self::SoftwareUpdateHttps => "software_update_ports.https",
            Self::RpcDynamic => "rpc_ports",
            Self::Crl => "crl_urls",
            Self::Sql => "sql_port",
            Self::ServiceBroker => "service_broker_port",
            Self::ClientNotification => "client_notification_port",
            Self::ExpressUpdates => "express_updates_port",
            Self::Multicast => "multicast_ports",
            Self::CmgChannels => "cmg.instances",
            Self::Watchlist => "",
        }
    }

    /// Whether it is a client request port in use, or a number of an update point.
    pub fn is_of_clients(self) -> bool {
        matches!(
            self,
            Self::ClientHttp
                | Self::ClientHttps
                | Self::SoftwareUpdateHttp
                | Self::SoftwareUpdateHttps
        )
    }
}

words! {
    /// When a rule holds.
    Condition {
        /// The site is in native mode.
        NativeMode = "native-mode",
        /// The site is in mixed mode.
        MixedMode = "mixed-mode",
        /// Clients check revocation lists.
        CrlCheck = "crl-check",
        /// Update metadata come over the network.
        SyncDirect = "sync-direct",
        /// Update metadata are carried.
        SyncExportImport = "sync-export-import",
        /// The source may start connections to the site server.
        SourceStartsConnections = "source-starts-connections",
        /// Only the site server starts connections to the source.
        SourceDoesNotStartConnections = "source-does-not-start-connections",
        /// The source's management point uses this database.
        UsesThisDatabase = "uses-this-database",
        /// The source's management point uses another database.
        UsesAnotherDatabase = "uses-another-database",
        /// The site database connects to the replica.
        ReplicationPush = "replication-push",
        /// The replica connects to the site database.
        ReplicationPull = "replication-pull",
        /// The source is a proxy that ends TLS before a management or distribution point.
        SourceBridges = "source-bridges",
        /// The source is a member of its domain.
        SourceIsDomainMember = "source-is-domain-member",
        /// A site server is in the destination's forest.
        SiteServerInDestinationForest = "site-server-in-destination-forest",
        /// Both ends are in one forest.
        SameForest = "same-forest",
        /// Both ends are in one zone.
        SameZone = "same-zone",
        /// The ends are in different zones.
        BetweenZones = "between-zones",
        /// The source is a proxy that publishes the destination.
        PublishedBySource = "published-by-source",
        /// The destination is a proxy that publishes a management or distribution point.
        PublishesManagementOrDistributionPoint = "publishes-management-or-distribution-point",
        /// The destination is a proxy that publishes a software update point.
        PublishesSoftwareUpdatePoint = "publishes-software-update-point",
        /// The destination is a proxy that publishes a fallback status point.
        PublishesFallbackStatusPoint = "publishes-fallback-status-point",
        /// The site server is in the destination's zone.
        SiteServerInDestinationZone = "site-server-in-destination-zone",
        /// A web proxy is in the source's zone.
        WebProxyInSourceZone = "web-proxy-in-source-zone",
        /// The destination serves no Internet clients.
        DestinationDoesNotServeInternet = "destination-does-not-serve-internet",
        /// The two ends speak to each other inside IPsec.
        IpsecBetween = "ipsec-between",
        /// Nothing in the source's zone starts connections toward the destination's zone.
        SourceZoneIsPassive = "source-zone-is-passive",
        /// Clients speak HTTPS with certificates to the destination.
        DestinationIsHttps = "destination-is-https",
        /// Clients speak plain HTTP to the destination, with or without enhanced HTTP.
        DestinationIsHttp = "destination-is-http",
        /// Clients speak enhanced HTTP to the destination.
        DestinationIsEnhancedHttp = "destination-is-enhanced-http",
        /// Clients speak HTTPS with certificates to the source.
        SourceIsHttps = "source-is-https",
        /// The source fetches its content from the destination.
        PullsFromDestination = "pulls-from-destination",
        /// The destination sends images by multicast.
        DestinationSendsMulticast = "destination-sends-multicast",
        /// The source sends images by multicast.
        SourceSendsMulticast = "source-sends-multicast",
        /// The destination is a Connected Cache.
        DestinationIsCache = "destination-is-cache",
        /// The source is a Connected Cache.
        SourceIsCache = "source-is-cache",
        /// The site has a CMG.
        HasCmg = "has-cmg",
        /// Its CMG has one instance.
        CmgHasOneInstance = "cmg-has-one-instance",
        /// Its CMG has more than one.
        CmgHasSeveralInstances = "cmg-has-several-instances",
        /// Its CMG serves content.
        CmgHasContent = "cmg-has-content",
        /// The site is attached to a tenant.
        TenantAttached = "tenant-attached",
        /// The service connection point is in online mode.
        ServiceConnectionOnline = "service-connection-online",
        /// No other site stands above.
        TopOfHierarchy = "top-of-hierarchy",
        /// The site's version is 2603 or later.
        Version2603 = "version-2603",
    }
}

impl Condition {
    /// Whether it asks something of the system at the end of a flow.
    pub fn is_of_destination(self) -> bool {
        match self {
            Self::NativeMode
            | Self::MixedMode
            | Self::CrlCheck
            | Self::SyncDirect
            | Self::SyncExportImport
            | Self::SourceStartsConnections
            | Self::SourceDoesNotStartConnections
            | Self::SourceBridges
            | Self::SourceIsDomainMember
            | Self::WebProxyInSourceZone
            | Self::SourceIsHttps
            | Self::SourceSendsMulticast
            | Self::SourceIsCache
            | Self::HasCmg
            | Self::CmgHasOneInstance
            | Self::CmgHasSeveralInstances
            | Self::CmgHasContent
            | Self::TenantAttached
            | Self::ServiceConnectionOnline
            | Self::TopOfHierarchy
            | Self::Version2603 => false,
            Self::UsesThisDatabase
            | Self::UsesAnotherDatabase
            | Self::ReplicationPush
            | Self::ReplicationPull
            | Self::SiteServerInDestinationForest
            | Self::SameForest
            | Self::SameZone
            | Self::BetweenZones
            | Self::PublishedBySource
            | Self::PublishesManagementOrDistributionPoint
            | Self::PublishesSoftwareUpdatePoint
            | Self::PublishesFallbackStatusPoint
            | Self::SiteServerInDestinationZone
            | Self::DestinationDoesNotServeInternet
            | Self::IpsecBetween
            | Self::SourceZoneIsPassive
            | Self::DestinationIsHttps
            | Self::DestinationIsHttp
            | Self::DestinationIsEnhancedHttp
            | Self::PullsFromDestination
            | Self::DestinationSendsMulticast
            | Self::DestinationIsCache => true,
        }
    }
}

/// Who a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Systems with a role.
    Role(Role),
    /// Software update points that serve more than the Internet, or none.
    ActiveSoftwareUpdatePoint,
    /// Software update points that serve only the Internet.
    InternetSoftwareUpdatePoint,
    /// Every system.
    AnySystem,
    /// A service that is no system of the file.
    Service(Service),
    /// Clients in the Internet zone.
    InternetClients,
    /// Clients in the other client zones.
    IntranetClients,
    /// Clients anywhere.
    Clients,
    /// Anything in the Internet zone.
    Internet,
    /// Anything in a zone less trusted than the destination's, the Internet aside.
    LessTrustedZones,
    /// Anything in a zone more trusted than the destination's.
    MoreTrustedZones,
}

impl End {
    const OTHERS: &'static [(&'static str, Self)] = &[
        (
            "active-software-update-point",
            Self::ActiveSoftwareUpdatePoint,
        ),
        (
            "internet-software-update-point",
            Self::InternetSoftwareUpdatePoint,
        ),
        ("any-system", Self::AnySystem),
        ("internet-clients", Self::InternetClients),
        ("intranet-clients", Self::IntranetClients),
        ("clients", Self::Clients),
        ("internet", Self::Internet),
        ("less-trusted-zones", Self::LessTrustedZones),
        ("more-trusted-zones", Self::MoreTrustedZones),
    ];

    /// Every word with its meaning.
    fn words() -> impl Iterator<Item = (&'static str, Self)> {
        let roles = Role::ALL.iter();
        let roles = roles.map(|role| (role.name(), Self::Role(*role)));
        let services = Service::ALL.iter();
        let services = services.map(|service| (service.name(), Self::Service(*service)));
        roles.chain(services).chain(Self::OTHERS.iter().copied())
    }

    /// The word in a catalogue.
    pub fn name(self) -> &'static str {
        let found = Self::words().find(|(_, end)| *end == self);
        found.map_or("", |(word, _)| word)
    }

    /// What a word of a catalogue stands for.
    fn named(word: &str) -> Option<Self> {
        let found = Self::words().find(|(known, _)| *known == word);
        found.map(|(_, end)| end)
    }

    /// The service that it names.
    pub fn service(self) -> Option<Service> {
        match self {
            Self::Service(service) => Some(service),
            _ => None,
        }
    }

    /// Whether it names clients.
    pub fn is_clients(self) -> bool {
        matches!(
            self,
            Self::InternetClients | Self::IntranetClients | Self::Clients
        )
    }

    /// Whether it names systems, not clients, services or zones.
    pub fn is_system(self) -> bool {
        matches!(
            self,
            Self::Role(_)
                | Self::ActiveSoftwareUpdatePoint
                | Self::InternetSoftwareUpdatePoint
                | Self::AnySystem
        )
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        static WORDS: LazyLock<Vec<&'static str>> =
            LazyLock::new(|| End::words().map(|(word, _)| word).collect());
        words::read(from, "End", &WORDS, Self::named)
    }
}
