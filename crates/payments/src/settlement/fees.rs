//! The fee of a matched line is compared with the agreed price.

use engine::Book;

use super::ReportLine;
use super::exception::{ExceptionKind, Fees};
use super::shelf::{Difference, open_exception};
use crate::prices::{PriceShelf, wrong_fee};

/// Opens an exception about a line that was matched if its fee is not the agreed one. The line stays matched, and its
/// money is posted already.
pub(super) fn compare(book: &mut Book, provider: &str, line: &ReportLine, id: &str) {
    let prices = book.shelf::<PriceShelf>().prices();
    let Some(wrong) = wrong_fee(prices, provider, line) else {
        return;
    };
    let at = Difference {
        provider,
        currency: line.currency.code(),
        amount: wrong.reported.saturating_sub(wrong.expected),
        day: line.day,
        fees: Some(Fees {
            expected: wrong.expected,
            reported: wrong.reported,
        }),
    };
    let detail = format!(
        "the fee is {}, and by version {} of the prices it is {}",
        wrong.reported, wrong.version, wrong.expected
    );
    open_exception(book, ExceptionKind::Fee, id, &at, detail);
}
