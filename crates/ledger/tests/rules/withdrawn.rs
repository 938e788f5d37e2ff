//! A currency that ISO 4217 has withdrawn: transactions of its time are recorded as in any currency, and after its
//! end balances are only emptied.

use ledger::{
    AccountClass, AccountId, Amounts, Heading, Kind, Leg, Limits, NewExchange, NewFulfilment,
    NewReversal, NewTransaction, Pending, Posting, Quote, Rate, RateSource, Refusal, TransactionId,
    exchange, fulfil, post, reverse, withdrawn,
};
use money::{Currency, Rounding};
use store::Timestamp;

use crate::given::{Books, WITHOUT_KUNA, amount, eur, hrk, posting, units};

/// The last moment at which the kuna existed.
const WITH_KUNA: Timestamp = Timestamp::from_micros(WITHOUT_KUNA.micros() - 1);

/// Books of 2023: a bank with 100.00 kuna that are owed to Ann, an empty wallet, and liquidity accounts.
struct Kuna {
    books: Books,
    bank: AccountId,
    ann: AccountId,
    bob: AccountId,
    liquidity: AccountId,
    euro: AccountId,
    euro_liquidity: AccountId,
    funded: TransactionId,
}

fn kuna() -> Kuna {
    let mut books = Books::empty();
    let mut account = |class, currency| books.account(class, Limits::NONE, currency);
    let bank = account(AccountClass::Asset, hrk());
    let [ann, bob, liquidity] = [(); 3].map(|()| account(AccountClass::Liability, hrk()));
    let [euro, euro_liquidity] = [(); 2].map(|()| account(AccountClass::Liability, eur()));
    let funded = books.id();
    let mut kuna = Kuna {
        books,
        bank,
        ann,
        bob,
        liquidity,
        euro,
        euro_liquidity,
        funded,
    };
    let mut new = kuna.asked(vec![kuna_posting(bank, ann, 10_000)], WITH_KUNA);
    new.id = funded;
    post(&mut kuna.books.shelf, new).unwrap();
    kuna
}

fn kuna_posting(debit: AccountId, credit: AccountId, minor_units: i64) -> Posting {
    Posting {
        currency: hrk(),
        ..posting(debit, credit, minor_units)
    }
}

impl Kuna {
    fn asked(&mut self, postings: Vec<Posting>, effective_at: Timestamp) -> NewTransaction {
        NewTransaction {
            effective_at,
            recorded_at: WITHOUT_KUNA,
            ..self.books.transaction(postings)
        }
    }

    /// Posts after the end of the kuna; returns the code of the rule that forbids it.
    fn after(&mut self, postings: Vec<Posting>) -> Option<&'static str> {
        let new = self.asked(postings, WITHOUT_KUNA);
        let refused = post(&mut self.books.shelf, new).err();
        refused.map(|error| error.code())
    }

    fn heading(&mut self, effective_at: Timestamp) -> Heading {
        Heading {
            effective_at,
            recorded_at: WITHOUT_KUNA,
            ..self.books.heading(WITHOUT_KUNA)
        }
    }

    fn exchange(&mut self, legs: [AccountId; 4], sold: i64) -> Result<(), Refusal> {
        let [from, sold_to, to, bought_from] = legs;
        let mut heading = self.heading(WITHOUT_KUNA);
        heading.kind = Kind::Exchange;
        let quote = Quote {
            rate: Rate::parse("0.5").unwrap(),
            rounding: Rounding::HalfEven,
            source: RateSource::trusted("the law"),
            quoted_at: WITH_KUNA,
        };
        let new = NewExchange {
            heading,
            from,
            to,
            sold_to,
            bought_from,
            amount: amount(sold),
            given: Leg::Sold,
            quote,
            conditions: Vec::new(),
        };
        exchange(&mut self.books.shelf, new).map(|_posted| ())
    }

    fn posted(&self, id: AccountId) -> i64 {
        self.books.shelf.account(&id).unwrap().posted().get()
    }
}

const REFUSED: Option<&str> = Some("currency_withdrawn");

#[test]
fn a_currency_ends_at_a_moment_and_others_never_do() {
    assert_eq!(withdrawn(hrk(), WITH_KUNA), None);
    let since = withdrawn(hrk(), WITHOUT_KUNA).unwrap();
    assert_eq!(since.to_string(), "2023-01-01");
    assert_eq!(withdrawn(eur(), Timestamp::from_micros(i64::MAX)), None);
    let asset = Currency::custom("KUNA", 2).unwrap();
    assert_eq!(withdrawn(asset, WITHOUT_KUNA), None);
}

#[test]
fn what_happened_before_the_end_is_entered_whenever_it_is_recorded() {
    let mut k = kuna();
    let (bank, ann, bob) = (k.bank, k.ann, k.bob);
    for (debit, credit) in [(bank, bob), (ann, bob), (bob, bank)] {
        let new = k.asked(vec![kuna_posting(debit, credit, 5)], WITH_KUNA);
        post(&mut k.books.shelf, new).unwrap();
    }
    // After the end: a payment in makes balances grow, and a payment from wallet to wallet empties one and fills
    // the other.
    assert_eq!(k.after(vec![kuna_posting(bank, bob, 5)]), REFUSED);
    assert_eq!(k.after(vec![kuna_posting(ann, bob, 5)]), REFUSED);
    let new = k.asked(vec![kuna_posting(ann, bob, 5)], WITHOUT_KUNA);
    let refused = post(&mut k.books.shelf, new).unwrap_err();
    let since = hrk().withdrawn_since().unwrap();
    let (posting, currency) = (0, hrk());
    let expected = Refusal::CurrencyWithdrawn {
        posting: Some(posting),
        currency,
        since,
    };
    assert_eq!(refused, expected);
}

#[test]
fn after_the_end_balances_are_paid_out_and_never_past_zero() {
    let mut k = kuna();
    let (bank, ann) = (k.bank, k.ann);
    assert_eq!(k.after(vec![kuna_posting(ann, bank, 10_001)]), REFUSED);
    assert_eq!(k.after(vec![kuna_posting(ann, bank, 4_000)]), None);
    // The money goes through an account in between, which is left as it was.
    let through = vec![
        kuna_posting(ann, k.liquidity, 6_000),
        kuna_posting(k.liquidity, bank, 6_000),
    ];
    assert_eq!(k.after(through), None);
    assert_eq!((k.posted(bank), k.posted(ann)), (0, 0));
    assert_eq!(k.after(vec![kuna_posting(ann, bank, 1)]), REFUSED);
    assert_eq!(k.after(vec![kuna_posting(bank, ann, 1)]), REFUSED);
}

#[test]
fn what_is_promised_counts_with_all_that_is_pending() {
    let mut k = kuna();
    let (bank, ann) = (k.bank, k.ann);
    let mut hold = |minor_units, effective_at| {
        let mut new = k.asked(vec![kuna_posting(ann, bank, minor_units)], effective_at);
        new.pending = Some(Pending { expires_at: None });
        let held = post(&mut k.books.shelf, new);
        held.map(|posted| posted.id).map_err(|error| error.code())
    };
    let held = hold(9_000, WITHOUT_KUNA).unwrap();
    assert_eq!(hold(1_001, WITHOUT_KUNA), Err("currency_withdrawn"));
    hold(1_000, WITHOUT_KUNA).unwrap();
    let fulfilment = NewFulfilment {
        heading: k.heading(WITHOUT_KUNA),
        pending: held,
        amounts: None,
        last: true,
        exceed: false,
        conditions: Vec::new(),
    };
    fulfil(&mut k.books.shelf, fulfilment).unwrap();
    assert_eq!(k.posted(ann), 1_000);
}

#[test]
fn a_promise_from_before_the_end_is_kept_as_of_then_or_not_at_all() {
    let mut k = kuna();
    let mut new = k.asked(vec![kuna_posting(k.ann, k.bob, 70)], WITH_KUNA);
    new.pending = Some(Pending { expires_at: None });
    let pending = post(&mut k.books.shelf, new).unwrap().id;
    let mut fulfil = |effective_at| {
        let fulfilment = NewFulfilment {
            heading: k.heading(effective_at),
            pending,
            amounts: None,
            last: true,
            exceed: false,
            conditions: Vec::new(),
        };
        fulfil(&mut k.books.shelf, fulfilment).map(|_posted| ())
    };
    let (currency, since) = (hrk(), hrk().withdrawn_since().unwrap());
    let refused = Refusal::CurrencyWithdrawn {
        posting: None,
        currency,
        since,
    };
    assert_eq!(fulfil(WITHOUT_KUNA), Err(refused));
    assert_eq!(fulfil(WITH_KUNA), Ok(()));
}

#[test]
fn what_is_only_released_converts_nothing() {
    for last in [false, true] {
        let mut k = kuna();
        let euro = posting(k.euro_liquidity, k.euro, 5);
        let postings = vec![kuna_posting(k.ann, k.bob, 70), euro];
        let mut new = k.asked(postings, WITH_KUNA);
        new.pending = Some(Pending { expires_at: None });
        let pending = post(&mut k.books.shelf, new).unwrap().id;
        let fulfilment = NewFulfilment {
            heading: k.heading(WITHOUT_KUNA),
            pending,
            amounts: Some(vec![(0, amount(70))]),
            last,
            exceed: false,
            conditions: Vec::new(),
        };
        let refused = fulfil(&mut k.books.shelf, fulfilment).unwrap_err();
        assert_eq!(refused.code(), "currency_withdrawn", "last: {last}");
    }
}

#[test]
fn what_is_converted_may_be_collected_and_nothing_is_converted_into_it() {
    let mut k = kuna();
    let (ann, bob, euro) = (k.ann, k.bob, k.euro);
    let (liquidity, euro_liquidity) = (k.liquidity, k.euro_liquidity);
    k.exchange([ann, liquidity, euro, euro_liquidity], 7_000)
        .unwrap();
    assert_eq!((k.posted(ann), k.posted(liquidity)), (3_000, 7_000));
    // More than the balance would be a new debt in kuna.
    let refused = k.exchange([ann, liquidity, euro, euro_liquidity], 3_001);
    assert_eq!(refused.unwrap_err().code(), "currency_withdrawn");
    // Nobody may buy the kuna that were collected, although the accounts together would hold no more.
    let refused = k.exchange([euro, euro_liquidity, bob, liquidity], 100);
    assert_eq!(refused.unwrap_err().code(), "currency_withdrawn");
    // The same without an exchange: the kuna are collected and the euro are paid out.
    let paid = posting(euro_liquidity, euro, 1_500);
    let by_hand = vec![kuna_posting(ann, liquidity, 3_000), paid];
    assert_eq!(k.after(by_hand), None);
    let nothing = vec![kuna_posting(k.bank, bob, 1), paid];
    assert_eq!(k.after(nothing), REFUSED);
    // In the end the bank pays out all the kuna that it has.
    assert_eq!(k.after(vec![kuna_posting(liquidity, k.bank, 10_000)]), None);
    let left = [k.bank, ann, bob, liquidity].map(|id| k.posted(id));
    assert_eq!(left, [0; 4]);
}

#[test]
fn a_reversal_and_what_a_provider_has_taken_are_never_too_late() {
    let mut k = kuna();
    let (bank, ann, of) = (k.bank, k.ann, k.funded);
    assert_eq!(k.after(vec![kuna_posting(ann, bank, 10_000)]), None);
    let mut undo = || {
        let new = NewReversal {
            heading: k.heading(WITHOUT_KUNA),
            of,
            amounts: Amounts::Rest,
            conditions: Vec::new(),
        };
        reverse(&mut k.books.shelf, new).map(|_posted| ())
    };
    assert_eq!(undo(), Ok(()));
    assert!(matches!(undo(), Err(Refusal::Reversed)));
    let mut new = k.asked(vec![kuna_posting(bank, ann, 5)], WITHOUT_KUNA);
    new.kind = Kind::Capture;
    post(&mut k.books.shelf, new).unwrap();
    let balance = k.books.shelf.account(&ann).unwrap().posted();
    assert_eq!(balance, units(-9_995));
}
