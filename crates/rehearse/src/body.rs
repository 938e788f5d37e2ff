//! Bodies that arrive in pieces, or not whole.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Number of pieces of a slow body.
const PIECES: usize = 8;
/// The pause before each piece after the first.
const PAUSE: Duration = Duration::from_millis(25);

/// The end of a cut body, which closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
pub(crate) struct CutOnPurpose;

/// A body that is sent piece by piece. It announces the length of the whole.
#[derive(Debug)]
pub(crate) struct Pieces {
    left: Bytes,
    length: u64,
    piece: usize,
    pause: Option<Pin<Box<Sleep>>>,
    /// The number of bytes after which the connection is closed.
    cut_after: Option<usize>,
}

impl Pieces {
    /// The whole body, slowly.
    pub(crate) fn slow(body: Bytes) -> Self {
        Self::of(body, None)
    }

    /// The first half of the body, and no more.
    pub(crate) fn cut(body: Bytes) -> Self {
        let half = body.len() / 2;
        Self::of(body, Some(half))
    }

    fn of(left: Bytes, cut_after: Option<usize>) -> Self {
        Self {
            length: u64::try_from(left.len()).unwrap_or(u64::MAX),
            piece: left.len().div_ceil(PIECES).max(1),
            left,
            pause: None,
            cut_after,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = CutOnPurpose;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOnPurpose>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
        }
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if self.cut_after == Some(0) {
            return Poll::Ready(Some(Err(CutOnPurpose)));
        }
        let most = self.cut_after.unwrap_or(usize::MAX);
        let size = self.piece.min(self.left.len()).min(most);
        self.cut_after = self.cut_after.map(|left| left.saturating_sub(size));
        let piece = self.left.split_to(size);
        // A pause lets the pieces go out on their own, and the first half go out before the cut.
        self.pause = Some(Box::pin(sleep(PAUSE)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
