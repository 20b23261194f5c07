//! The protocols of Windows servers: RPC, SMB, SQL Server, directories and Kerberos.

pub(crate) mod kerberos;
pub(crate) mod ldap;
pub(crate) mod rpc;
pub(crate) mod smb;
pub(crate) mod sql_browser;
pub(crate) mod tds;
