//! The words of a verdict.

use crate::words::words;

words! {
    /// What an observation means for a need.
    Verdict {
        /// As it must be.
        Ok = "ok",
        /// A firewall stops what must pass.
        Blocked = "blocked",
        /// The network passes, nobody serves.
        Down = "down",
        /// Something answers, but not what a client needs.
        Wrong = "wrong",
        /// Open, though it must be closed.
        Exposed = "exposed",
        /// No proof either way.
        Unknown = "unknown",
    }
}

words! {
    /// How much a verdict matters.
    Level {
        /// Never changes the exit status.
        Note = "note",
        /// Changes it with `--strict`.
        Warning = "warning",
        /// Changes it.
        Error = "error",
    }
}

words! {
    /// Who has to act.
    Owner {
        /// The firewall team.
        Firewall = "firewall",
        /// The server team.
        Server = "server",
        /// The server team looks first; what it does not find is the firewall team's.
        ServerThenFirewall = "server-then-firewall",
        /// Whoever issues certificates.
        Certificate = "certificate",
        /// Whoever runs DNS.
        Dns = "dns",
        /// Whoever runs the proxy.
        Proxy = "proxy",
        /// Whoever runs portproof.
        Prober = "prober",
    }
}

words! {
    /// Why a verdict is what it is; what is said of each is in `causes.yaml`.
    Cause {
        /// The service spoke as a client needs it.
        Answered = "answered",
        /// A listener of this program proved that it was reached.
        ListenerAnswered = "listener-answered",
        /// The listener of another system, or of another port, was reached.
        WrongListener = "wrong-listener",
        /// An optional flow that is not open.
        NotOpen = "not-open",
        /// An optional flow where something else answers.
        OtherService = "other-service",
        /// Closed, and proof that this host could have knocked.
        KeptClosed = "kept-closed",
        /// Open, forbidden by the new site file, and still used by clients with the old number.
        ClosingLater = "closing-later",
        /// Closed, with only a sign of life from beyond the firewall.
        HostUnproved = "host-unproved",
        /// A proxy bridges TLS where the site file says that it tunnels, or the other way round.
        PublishedOtherwise = "published-otherwise",
        /// The certificate ends soon.
        ExpiresSoon = "expires-soon",
        /// Some source ports pass, others do not.
        Intermittent = "intermittent",
        /// Open, but a device answered in the host's place.
        AnsweredByMiddlebox = "answered-by-middlebox",
        /// A datagram that nothing came back for.
        UdpSilent = "udp-silent",
        /// Silence on a living host.
        NoAnswer = "no-answer",
        /// Silence, and nothing of that host ever answered.
        HostSilent = "host-silent",
        /// Silence at one address of a host that answers at another.
        AddressSilent = "address-silent",
        /// Nothing of a whole zone answers, and a hop on the way there does.
        NothingPasses = "nothing-passes",
        /// Silence, and yet the request arrived.
        AnswerLost = "answer-lost",
        /// A reset by host or device; nothing tells which.
        Reset = "reset",
        /// A reset by a device on the way.
        ResetByDevice = "reset-by-device",
        /// A filter said no.
        AdminProhibited = "admin-prohibited",
        /// ICMP port unreachable.
        PortUnreachable = "port-unreachable",
        /// ICMP host unreachable.
        HostUnreachable = "host-unreachable",
        /// ICMP network unreachable.
        NetUnreachable = "net-unreachable",
        /// Another ICMP code.
        Rejected = "rejected",
        /// The host itself said that nobody listens.
        NobodyListens = "nobody-listens",
        /// The last router cannot find the host.
        HostDead = "host-dead",
        /// The name does not exist.
        NoSuchName = "no-such-name",
        /// The connection opens, and all data are lost on the way.
        DataDropped = "data-dropped",
        /// The connection opens, and packets of full size are lost on the way.
        Mtu = "mtu",
        /// Accepts and says nothing.
        Mute = "mute",
        /// Accepts and closes.
        HungUp = "hung-up",
        /// Closes in the middle of the TLS handshake.
        HungUpInHandshake = "hung-up-in-handshake",
        /// Another protocol than the one needed.
        OtherProtocol = "other-protocol",
        /// The endpoint mapper answers, and the ports that it names do not.
        RpcHalfOpen = "rpc-half-open",
        /// The endpoint mapper names ports outside the ranges of the site file.
        RpcOutsideRange = "rpc-outside-range",
        /// Nobody told which dynamic ports are in use.
        RpcNotLearnt = "rpc-not-learnt",
        /// Not TLS.
        NotTls = "not-tls",
        /// A TLS alert.
        TlsAlert = "tls-alert",
        /// Not HTTP.
        NotHttp = "not-http",
        /// Interim HTTP statuses only, and no final one.
        HttpInterimOnly = "http-interim-only",
        /// An HTTP status from 500 on.
        HttpServerError = "http-server-error",
        /// A web server without the role that has to be there.
        WrongRole = "wrong-role",
        /// The role's paths send elsewhere.
        Redirected = "redirected",
        /// Nothing proves the role, and nothing disproves it.
        RoleUnproved = "role-unproved",
        /// The site has other names for its management points than the site file.
        AdvertisedName = "advertised-name" | "mplist-differs",
        /// The list of a management point is that of another site.
        AdvertisedSite = "advertised-site",
        /// The site is of another product or version than the site file says.
        AdvertisedProduct = "advertised-product",
        /// DNS says another port than the site file for a management point.
        AdvertisedPort = "advertised-port",
        /// Clients speak HTTP to a management point where the site file says HTTPS, or the other way round.
        AdvertisedHttps = "advertised-https",
        /// The client certificate was shown and refused.
        ClientCertificateRefused = "client-certificate-refused",
        /// A verb that clients use is refused.
        VerbBlocked = "verb-blocked",
        /// Requests with a header that clients send are refused.
        HeaderBlocked = "header-blocked",
        /// Answers come as HTTP/1.0.
        HttpDowngraded = "http-downgraded",
        /// Parts of pages cannot be asked for.
        RangeLost = "range-lost",
        /// Nothing tells whether verbs or headers are filtered.
        VerbsNotCompared = "verbs-not-compared",
        /// The proxy on the way out does not allow it.
        ProxyRefused = "proxy-refused",
        /// The proxy on the way out wants to know who asks, or does not like the answer.
        ProxyLogin = "proxy-login",
        /// The proxy on the way out is out of reach, or none.
        ProxyUnreachable = "proxy-unreachable",
        /// The proxy on the way out closes the connection in place of an answer.
        ProxyHungUp = "proxy-hung-up",
        /// The proxy on the way out says nothing in time.
        ProxySilent = "proxy-silent",
        /// The proxy on the way out says that it did not reach the server.
        UnreachedByProxy = "unreached-by-proxy",
        /// A tunnel through the proxy opened, and nothing was said inside.
        OnlyTunnel = "only-tunnel",
        /// The certificate is for other names.
        CertificateName = "certificate-name",
        /// The certificate has ended.
        CertificateExpired = "certificate-expired",
        /// The root that the certificate leads to has ended.
        RootExpired = "root-expired",
        /// The server does not send an intermediate certificate.
        IntermediateMissing = "intermediate-missing",
        /// Whether Windows clients take the certificate cannot be computed here, or is not known.
        CertificateUndecided = "certificate-undecided",
        /// The certificate has not begun.
        CertificateNotYetValid = "certificate-not-yet-valid",
        /// The certificate leads to no trusted root.
        CertificateUntrusted = "certificate-untrusted",
        /// The certificate is not for servers.
        CertificatePurpose = "certificate-purpose",
        /// Any other fault of the certificate.
        CertificateInvalid = "certificate-invalid",
        /// The server sends more certificates than clients read.
        CertificateTooLarge = "certificate-too-large",
        /// Windows takes the certificate, modern libraries do not.
        CertificateWeak = "certificate-weak",
        /// The revocation list names the certificate.
        CertificateRevoked = "certificate-revoked",
        /// A device puts its own certificate in the service's place.
        Intercepted = "intercepted",
        /// It refuses the TLS that clients of the site speak.
        ModernTlsOnly = "modern-tls-only",
        /// A file server that speaks SMB 1 and nothing later.
        Smb1Only = "smb1-only",
        /// It shakes hands only without a name.
        TlsOnlyWithoutSni = "tls-only-without-sni",
        /// The certificate names its revocation list by LDAP only.
        CrlLdapOnly = "crl-ldap-only",
        /// The certificate names its revocation list by HTTPS only.
        CrlHttps = "crl-https",
        /// The revocation list is out of date.
        CrlExpired = "crl-expired",
        /// The revocation list has not begun.
        CrlNotYetValid = "crl-not-yet-valid",
        /// No revocation list, or not the authority's.
        CrlInvalid = "crl-invalid",
        /// The revocation list is too large.
        CrlTooLarge = "crl-too-large",
        /// The server of the revocation list sends elsewhere.
        CrlRedirected = "crl-redirected",
        /// The server answers without the revocation list.
        CrlMissing = "crl-missing",
        /// No delta list of the authority that goes with its base list.
        CrlDeltaInvalid = "crl-delta-invalid",
        /// The delta list is out of date.
        CrlDeltaExpired = "crl-delta-expired",
        /// The server answers without the delta list.
        CrlDeltaMissing = "crl-delta-missing",
        /// Open, and must be closed.
        Open = "open",
        /// The firewalls let it through; nobody listens.
        ClosedButReachable = "closed-but-reachable",
        /// TLS too old to check.
        TlsTooOld = "tls-too-old",
        /// Not tried by this version.
        NotTried = "not-tried",
        /// The run was interrupted.
        Interrupted = "interrupted",
        /// The file of the agent there does not allow it.
        NotAllowed = "not-allowed",
        /// The agent there was lost.
        AgentLost = "agent-lost",
        /// Silence that is not proof.
        NotProved = "not-proved",
        /// Only another system may start this flow.
        InStead = "in-stead",
        /// Only one of the two ends can speak inside IPsec.
        IpsecRequired = "ipsec-required",
        /// Closed, with nothing to show that this host could have knocked.
        NoControl = "no-control",
        /// A control that answered went silent.
        CutOff = "cut-off",
        /// Nothing at all answered.
        NothingAnswered = "nothing-answered",
        /// Nothing at all answered over one family of addresses, and over the other something did.
        FamilyUnanswered = "family-unanswered",
        /// No name or address for this zone.
        NoAddressHere = "no-address-here",
        /// The resolver did not answer.
        ResolverSilent = "resolver-silent",
        /// The resolver refuses to serve this host.
        ResolverRefused = "resolver-refused",
        /// The resolver could not find out, or is not there.
        ResolverFailed = "resolver-failed",
        /// No route from this host.
        NoRoute = "no-route",
        /// This host's own router does not answer it.
        GatewaySilent = "gateway-silent",
        /// No descriptors, ports, threads or memory left.
        NoDescriptors = "no-descriptors",
        /// This host's own policy refused the connection.
        RefusedHere = "refused-here",
        /// This host's clock is another than that of servers which agree with each other.
        ClockOff = "clock-off",
        /// This host's clock and a server's differ, and nothing tells which is right.
        ClocksDiffer = "clocks-differ",
        /// One server's clock differs from this host's and from those of others.
        ServerClock = "server-clock",
        /// DNS says another address than the file.
        DnsDiffers = "dns-differs",
        /// DNS does not know or does not answer for a name whose address the file gives.
        DnsNoAnswer = "dns-no-answer",
        /// For a while nothing answered that did before or after.
        Gap = "gap",
        /// Connections fail in company and open alone.
        RateLimited = "rate-limited",
        /// A service took longer for its first answer than a step may take.
        SlowAnswer = "slow-answer",
        /// An address family without a route was left out.
        FamilySkipped = "family-skipped",
        /// A host of a revocation list was not asked.
        ListNotFetched = "list-not-fetched",
        /// An exception ends within two weeks.
        ExceptionEndsSoon = "exception-ends-soon",
        /// An exception has lapsed.
        ExceptionLapsed = "exception-lapsed",
        /// An exception for a flow that is as it must be.
        ExceptionNotNeeded = "exception-not-needed",
        /// Several certificates of one issuer at one place.
        CertificatesDiffer = "certificates-differ",
        /// Reports of different site files, joined all the same.
        MixedFiles = "mixed-files",
        /// Reports whose times lie far apart.
        FarApart = "far-apart",
        /// A report that was given twice.
        GivenTwice = "given-twice",
        /// A report of a vantage of which a later one was given.
        EarlierReport = "earlier-report",
        /// Ports that an earlier run swept.
        SweptEarlier = "swept-earlier",
    }
}
