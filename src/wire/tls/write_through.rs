//! Streams around another one that write as that one does.

/// `AsyncWrite` of a stream, by the one inside of it.
macro_rules! write_through {
    ($outer:ident, |$it:ident| $inner:expr) => {
        impl<S: tokio::io::AsyncRead + AsyncWrite + Unpin> AsyncWrite for $outer<S> {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $it = self.get_mut();
                let inner: &mut (dyn AsyncWrite + Unpin) = $inner;
                Pin::new(inner).poll_write(context, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $it = self.get_mut();
                let inner: &mut (dyn AsyncWrite + Unpin) = $inner;
                Pin::new(inner).poll_flush(context)
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                let $it = self.get_mut();
                let inner: &mut (dyn AsyncWrite + Unpin) = $inner;
                Pin::new(inner).poll_shutdown(context)
            }
        }
    };
}

pub(super) use write_through;
