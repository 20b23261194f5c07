//! Which streams may carry credentials.
//!
//! TLS of the past keeps no secret, so its stream is not among them. What sends credentials asks for this trait, and
//! does not compile with that stream.

/// A stream that credentials may be sent over.
pub(crate) trait Entrusted {}

impl Entrusted for tokio::net::TcpStream {}

#[cfg(any(test, feature = "fuzzing"))]
impl Entrusted for tokio::io::DuplexStream {}

#[cfg(any(test, feature = "fuzzing"))]
impl<R, W> Entrusted for tokio::io::Join<R, W> {}

#[cfg(test)]
mod tests {
    use super::Entrusted;
    use crate::wire::tls::old::OldStream;

    /// Has one method for every type, and a second one for those that are entrusted: calls for the latter do not compile.
    trait NotEntrusted<A> {
        fn holds() -> bool {
            true
        }
    }

    struct Second;

    impl<T: ?Sized> NotEntrusted<()> for T {}
    impl<T: ?Sized + Entrusted> NotEntrusted<Second> for T {}

    #[test]
    fn a_stream_over_tls_of_the_past_may_carry_no_credentials() {
        assert!(<OldStream<tokio::net::TcpStream> as NotEntrusted<_>>::holds());
    }
}
