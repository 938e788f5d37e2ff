//! Rules for all texts from outside: bodies, queries, headers, imports, the command line.
//!
//! Two kinds of text are stored. A [`Text`] is prose: a name, a description, a value of metadata. An
//! [`Identifier`] names something in one word: a reference, a code, an idempotency key. Both have a length limit
//! in characters (Unicode scalar values). Neither may have U+0000 in it, which one of the databases cannot store.
//!
//! Neither may be a card number, so that card numbers are never stored, logged or sent back. Prose must not have a
//! card number anywhere in it ([`contains_card_number`]). An identifier must not be a card number as a whole
//! ([`is_card_number`]): a reference often consists of several numbers, and a reference that only resembles a card
//! number must be accepted. An identifier with white space in it is prose, and is checked as prose.
//!
//! An [`Iban`] is an international bank account number that was checked and is kept in its electronic form.
//!
//! # What it never does
//!
//! There is no I/O, no database, no trimming and no other change of a text: an accepted text is kept as it was given.
//! The one exception is an [`Iban`], whose blanks and hyphens are taken out.
//!
//! # Invariants
//!
//! - A text is refused for one reason, the first in the order of [`TextError`].
//! - A check reads a text once, and allocates nothing if it has fewer than 14 digits.
//! - A text that was accepted and stored stays readable: [`Text::trusted`] checks nothing.
//!
//! ```
//! use text::{Identifier, Text, TextError};
//!
//! type Description = Text<500>;
//! type Reference = Identifier<255>;
//! assert!(Description::parse("for the bread").is_ok());
//! assert_eq!(Description::parse("card 4242 4242 4242 4242"), Err(TextError::CardNumber));
//! assert!(Reference::parse("w-1795936088-1-15-554584798").is_ok());
//! assert_eq!(Reference::parse("4242.4242.4242.4242"), Err(TextError::CardNumber));
//! ```

mod account_number;
mod digits;
mod guarded;
mod iban;
mod national;
mod networks;
mod scan;

pub use account_number::{Iban, IbanError};
pub use guarded::{Identifier, Text, TextError, Token, identifier, printable, prose, token};
pub use iban::is_iban;
pub use scan::{contains_card_number, is_card_number};
