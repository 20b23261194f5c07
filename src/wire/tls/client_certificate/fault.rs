//! What is wrong with the file of a client certificate, and what would be right.

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is neither PEM nor PFX.
    UnknownFormat,
    /// It is damaged, or of a kind that cannot be read; the words of the reader.
    Damaged(String),
    /// It is encrypted, and there is no password.
    NoPassword,
    /// The password does not open it.
    WrongPassword,
    /// The key is encrypted as OpenSSL did before PKCS #8.
    LegacyKey,
    /// It has no certificate.
    NoCertificate,
    /// It has no key.
    NoKey,
    /// Its key is of a kind or length that cannot be used.
    UnusableKey,
    /// No key belongs to any of its certificates.
    AnotherKey,
}

impl Fault {
    /// What is wrong, as the end of a sentence that begins with the file.
    pub(crate) fn says(&self) -> String {
        match self {
            Self::UnknownFormat => "is neither PEM nor PFX".to_string(),
            Self::Damaged(words) => format!("cannot be read as a client certificate: {words}"),
            Self::NoPassword => "is encrypted, and no password is given".to_string(),
            Self::WrongPassword => "does not open with the password that is given".to_string(),
            Self::LegacyKey => "has a key that is encrypted in OpenSSL's old way".to_string(),
            Self::NoCertificate => "has no certificate".to_string(),
            Self::NoKey => "has no private key".to_string(),
            Self::UnusableKey => "has a key that cannot be used".to_string(),
            Self::AnotherKey => "has no certificate that belongs to its private key".to_string(),
        }
    }

    /// What would be right.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::UnknownFormat | Self::NoCertificate => {
                "name a PFX file, or a PEM file with the certificate, its issuers and its private \
                 key"
            }
            Self::Damaged(_) => "export the certificate again, with its private key",
            Self::NoPassword => {
                "put the password into an environment variable or a file, and name that"
            }
            Self::WrongPassword => "look for blanks and line ends in the password",
            Self::LegacyKey => "write the key anew with `openssl pkcs8 -topk8`",
            Self::NoKey => "export the certificate with its private key, or append the key in PEM",
            Self::UnusableKey => {
                "use RSA of 2,048 to 8,192 bits, ECDSA on P-256 or P-384, or Ed25519"
            }
            Self::AnotherKey => "put the certificate and the key of the same client into the file",
        }
    }
}
