//! The names that a site has for its roles, and what each is in a site file.

use crate::product::Role;

/// What a name of a role stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A role of the site file.
    Role(Role),
    /// No role: every server has it.
    Nothing,
    /// A role that is known by its name, and that no rule of portproof is about.
    WithoutRules,
}

/// Of the SMS Provider (`RoleName`) and of the control file.
const OF_THE_PROVIDER: &[(&str, Meaning)] = &[
    ("SMS Site Server", Meaning::Role(Role::SiteServer)),
    ("SMS SQL Server", Meaning::Role(Role::SiteDatabase)),
    ("SMS Provider", Meaning::Role(Role::SmsProvider)),
    ("SMS Site System", Meaning::Nothing),
    ("SMS Component Server", Meaning::Nothing),
    ("SMS Notification Server", Meaning::Nothing),
    ("SMS Management Point", Meaning::Role(Role::ManagementPoint)),
    (
        "SMS Distribution Point",
        Meaning::Role(Role::DistributionPoint),
    ),
    (
        "SMS Fallback Status Point",
        Meaning::Role(Role::FallbackStatusPoint),
    ),
    (
        "SMS Software Update Point",
        Meaning::Role(Role::SoftwareUpdatePoint),
    ),
    (
        "SMS State Migration Point",
        Meaning::Role(Role::StateMigrationPoint),
    ),
    (
        "SMS SRS Reporting Point",
        Meaning::Role(Role::ReportingServicesPoint),
    ),
    (
        "SMS Endpoint Protection Point",
        Meaning::Role(Role::EndpointProtectionPoint),
    ),
    (
        "SMS Dmp Connector",
        Meaning::Role(Role::ServiceConnectionPoint),
    ),
    (
        "SMS Cloud Proxy Connector",
        Meaning::Role(Role::CmgConnectionPoint),
    ),
    (
        "Data Warehouse Service Point",
        Meaning::Role(Role::DataWarehouseServicePoint),
    ),
    (
        "SMS PXE Service Point",
        Meaning::Role(Role::PxeServicePoint),
    ),
    (
        "SMS Server Locator Point",
        Meaning::Role(Role::ServerLocatorPoint),
    ),
    ("SMS Reporting Point", Meaning::Role(Role::ReportingPoint)),
    (
        "SMS System Health Validator",
        Meaning::Role(Role::SystemHealthValidator),
    ),
    ("SMS Certificate Registration Point", Meaning::WithoutRules),
    ("SMS Multicast Service Point", Meaning::WithoutRules),
    ("SMS AMT Service Point", Meaning::WithoutRules),
    ("AI Update Service Point", Meaning::WithoutRules),
    ("SMS Enrollment Server", Meaning::WithoutRules),
    ("SMS Enrollment Web Site", Meaning::WithoutRules),
    ("SMS Device Management Point", Meaning::WithoutRules),
];

/// Of the role list of the public rule generator.
const OF_THE_LIST: &[(&str, Meaning)] = &[
    ("SiteServer", Meaning::Role(Role::SiteServer)),
    ("PrimarySite", Meaning::Nothing),
    ("SecondarySite", Meaning::Nothing),
    ("CentralAdministrationSite", Meaning::Nothing),
    ("SQLServerRole", Meaning::Role(Role::SiteDatabase)),
    ("PRISQLServerRole", Meaning::Nothing),
    ("SECSQLServerRole", Meaning::Nothing),
    ("CASSQLServerRole", Meaning::Nothing),
    ("SUPSQLServerRole", Meaning::Role(Role::WsusDatabase)),
    ("SMSProvider", Meaning::Role(Role::SmsProvider)),
    ("ManagementPoint", Meaning::Role(Role::ManagementPoint)),
    ("DistributionPoint", Meaning::Role(Role::DistributionPoint)),
    ("DistributionPointPXE", Meaning::Nothing),
    ("PullDistributionPoint", Meaning::Nothing),
    ("PullDistributionPointSource", Meaning::Nothing),
    (
        "SoftwareUpdatePoint",
        Meaning::Role(Role::SoftwareUpdatePoint),
    ),
    ("PrimarySoftwareUpdatePoint", Meaning::Nothing),
    ("SecondarySoftwareUpdatePoint", Meaning::Nothing),
    ("CentralSoftwareUpdatePoint", Meaning::Nothing),
    (
        "FallbackStatusPoint",
        Meaning::Role(Role::FallbackStatusPoint),
    ),
    (
        "StateMigrationPoint",
        Meaning::Role(Role::StateMigrationPoint),
    ),
    (
        "ReportingServicePoint",
        Meaning::Role(Role::ReportingServicesPoint),
    ),
    (
        "EndpointProtectionPoint",
        Meaning::Role(Role::EndpointProtectionPoint),
    ),
    (
        "ServiceConnectionPoint",
        Meaning::Role(Role::ServiceConnectionPoint),
    ),
    (
        "CMGConnectionPoint",
        Meaning::Role(Role::CmgConnectionPoint),
    ),
    (
        "DataWarehouseServicePoint",
        Meaning::Role(Role::DataWarehouseServicePoint),
    ),
];

/// What a role of the SMS Provider is, whatever its capitals.
pub(super) fn of_the_provider(name: &str) -> Option<Meaning> {
    find(OF_THE_PROVIDER, name)
}

/// What a role of the generator's list is, whatever its capitals.
pub(super) fn of_the_list(name: &str) -> Option<Meaning> {
    find(OF_THE_LIST, name)
}

fn find(all: &[(&str, Meaning)], name: &str) -> Option<Meaning> {
    let mut all = all.iter();
    let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    found.map(|(_, meaning)| *meaning)
}
