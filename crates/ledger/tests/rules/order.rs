//! The order of the refusals: each rule is broken alone, then together with the next one in the order, and the
//! earlier one must be named. The document that lists them is compared with the code.

use crate::given::{Books, EARLIER, LATER, NOW, WITHOUT_KUNA, ahead, hrk, posting, units, usd};
use ledger::{
    Account, AccountClass, AccountCode, AccountId, AccountName, AccountStatus, AssetName,
    ChangeError, Condition, Demand, Limits, LimitsError, NewAccount, NewAsset, NewTransaction,
    OpenError, Pending, PeriodError, Posting, Refusal, RegisterError, TransactionId, close,
    close_period, freeze, open, order, post, register,
};
use money::{AssetError, Currency};
use store::Timestamp;

mod later;

pub(crate) type Order = [(&'static str, &'static str)];
/// The code of a rule, and a change that breaks this rule and no other one.
pub(crate) type Breaks<W> = (&'static str, fn(&mut W));

/// Proves that `ask` refuses in the order of `order`. `apart` lists pairs of rules that no request can break at
/// the same time.
pub(crate) fn prove<W>(
    order: &Order,
    world: fn() -> W,
    rules: &[Breaks<W>],
    apart: &[(&str, &str)],
    ask: fn(W) -> Option<&'static str>,
) {
    let codes: Vec<&str> = order.iter().map(|(code, _)| *code).collect();
    let broken: Vec<&str> = rules.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, broken, "each rule is broken, in their order");
    assert_eq!(ask(world()), None, "nothing is broken");
    for (code, breaks) in rules {
        let mut broken = world();
        breaks(&mut broken);
        assert_eq!(ask(broken), Some(*code));
    }
    for pair in rules.windows(2) {
        let ((code, breaks), (next, breaks_too)) = (pair[0], pair[1]);
        if apart.contains(&(code, next)) {
            continue;
        }
        let mut broken = world();
        breaks(&mut broken);
        breaks_too(&mut broken);
        assert_eq!(ask(broken), Some(code), "{code} comes before {next}");
    }
}

/// Books with some accounts, and a request about them.
struct World<R> {
    books: Books,
    asked: R,
    from: AccountId,
    to: AccountId,
    others: (AccountId, AccountId),
    posted: TransactionId,
}

fn world<R>(ask: impl FnOnce(&mut Books, TransactionId, &[AccountId; 4]) -> R) -> World<R> {
    let mut books = Books::empty();
    let [from, to, other, last] = [(); 4].map(|()| books.wallet(Limits::NONE));
    let posted = books.post(vec![posting(from, to, 10), posting(other, last, 10)]);
    let mut named = books.transaction(vec![posting(from, to, 1)]);
    named.external_id = Some("taken".to_owned());
    post(&mut books.shelf, named).unwrap();
    close_period(&mut books.shelf, Timestamp::from_micros(900), NOW).unwrap();
    let asked = ask(&mut books, posted, &[from, to, other, last]);
    World {
        books,
        asked,
        from,
        to,
        others: (other, last),
        posted,
    }
}

impl<R> World<R> {
    fn change(&mut self, id: AccountId, change: impl FnOnce(&mut Account)) {
        let mut account = self.books.shelf.account(&id).unwrap().clone();
        change(&mut account);
        self.books.shelf.put_remembered(account);
    }

    fn freeze(&mut self) {
        freeze(&mut self.books.shelf, self.from).unwrap();
    }

    /// Closes the account in a way that no rule would allow.
    fn close(&mut self) {
        self.change(self.to, |account| account.status = AccountStatus::Closed);
    }

    fn exhaust(&mut self) {
        self.change(self.to, |account| account.version = i64::MAX);
    }
}

#[test]
fn a_transaction_is_refused_by_the_first_broken_rule() {
    type Asked = World<NewTransaction>;
    fn more(world: &mut Asked, debit: AccountId, credit: AccountId, minor_units: i64) {
        let more = posting(debit, credit, minor_units);
        world.asked.postings.push(more);
    }
    fn demand(world: &mut Asked, account: AccountId, demand: Demand) {
        world.asked.conditions.push(Condition { account, demand });
    }
    let rules: &[Breaks<Asked>] = &[
        ("external_id_taken", |w| {
            w.asked.external_id = Some("taken".to_owned())
        }),
        ("no_postings", |w| w.asked.postings.clear()),
        ("too_many_postings", |w| {
            for _ in 0..100 {
                more(w, w.from, w.to, 1);
            }
        }),
        ("same_account", |w| more(w, w.to, w.to, 1)),
        ("condition_elsewhere", |w| {
            demand(w, w.others.0, Demand::AtVersion(1))
        }),
        ("expires_too_soon", |w| {
            let expires_at = Some(NOW);
            w.asked.pending = Some(Pending { expires_at });
        }),
        ("effective_in_the_future", |w| {
            w.asked.effective_at = ahead(1)
        }),
        ("account_not_found", |w| {
            more(w, w.from, AccountId::from_bytes([9; 16]), 1)
        }),
        ("currency_mismatch", |w| {
            let dollars = w.books.account(AccountClass::Asset, Limits::NONE, usd());
            more(w, w.from, dollars, 1);
        }),
        ("account_frozen", World::freeze),
        ("account_closed", World::close),
        ("period_closed", |w| w.asked.effective_at = EARLIER),
        ("version_mismatch", |w| {
            demand(w, w.from, Demand::AtVersion(1))
        }),
        ("balance_overflow", |w| {
            let full = w.books.wallet(Limits::NONE);
            w.books.post(vec![posting(w.others.1, full, i64::MAX - 20)]);
            more(w, w.from, full, i64::MAX / 2);
        }),
        ("currency_withdrawn", |w| {
            let mut kuna = || {
                w.books
                    .account(AccountClass::Liability, Limits::NONE, hrk())
            };
            let (debit, credit) = (kuna(), kuna());
            let currency = hrk();
            w.asked.postings.push(Posting {
                currency,
                ..posting(debit, credit, 1)
            });
            (w.asked.effective_at, w.asked.recorded_at) = (WITHOUT_KUNA, WITHOUT_KUNA);
        }),
        ("insufficient_funds", |w| {
            let poor = w.books.wallet(Limits::NO_OVERDRAFT);
            more(w, poor, w.to, 1);
        }),
        ("ceiling_exceeded", |w| {
            let limits = Limits::new(None, Some(units(5)), None).unwrap();
            let small = w.books.wallet(limits);
            more(w, w.from, small, 6);
        }),
        ("condition_failed", |w| {
            demand(w, w.to, Demand::AvailableAtLeast(units(1_000_000)))
        }),
    ];
    let apart = [("no_postings", "too_many_postings")];
    prove(
        order::POST,
        || {
            world(|books, _, [from, to, ..]| {
                let mut asked = books.transaction(vec![posting(*from, *to, 1)]);
                asked.conditions = vec![Condition {
                    account: *to,
                    demand: Demand::AvailableAtLeast(units(12)),
                }];
                asked
            })
        },
        rules,
        &apart,
        |mut w| {
            post(&mut w.books.shelf, w.asked)
                .err()
                .map(|error| error.code())
        },
    );
}

#[test]
fn five_minutes_ahead_are_allowed_and_no_more() {
    let mut books = Books::empty();
    let (from, to) = (books.wallet(Limits::NONE), books.wallet(Limits::NONE));
    let mut effective = |at| {
        let mut asked = books.transaction(vec![posting(from, to, 1)]);
        asked.effective_at = at;
        post(&mut books.shelf, asked).map(|posted| posted.effective_at)
    };
    assert_eq!(effective(ahead(0)), Ok(ahead(0)));
    let latest = ahead(0);
    let refused = Refusal::EffectiveInTheFuture { latest };
    assert_eq!(effective(ahead(1)), Err(refused));
    assert_eq!(effective(Timestamp::LATEST), Err(refused));
}

#[test]
fn a_change_of_an_account_is_refused_by_the_first_broken_rule() {
    let rules: &[Breaks<World<AccountId>>] = &[
        ("account_not_found", |w| {
            w.asked = AccountId::from_bytes([9; 16])
        }),
        ("wrong_status", |w| {
            w.change(w.asked, |account| account.status = AccountStatus::Closed)
        }),
        ("has_pending", |w| {
            w.books.pend(vec![posting(w.from, w.asked, 1)], None);
        }),
        ("has_balance", |w| {
            w.books.post(vec![posting(w.from, w.asked, 1)]);
        }),
    ];
    // Rules about the account come before rules about its new status.
    let apart = [
        ("account_not_found", "wrong_status"),
        ("wrong_status", "has_pending"),
    ];
    let fresh = || world(|books, _, _| books.wallet(Limits::NONE));
    prove(ChangeError::ORDER, fresh, rules, &apart, |mut w| {
        close(&mut w.books.shelf, w.asked)
            .err()
            .map(|error| error.code())
    });
    let mut w = fresh();
    w.books.pend(vec![posting(w.from, w.asked, 1)], None);
    w.change(w.asked, |account| account.status = AccountStatus::Closed);
    let refused = close(&mut w.books.shelf, w.asked).unwrap_err();
    assert_eq!(refused.code(), "wrong_status");
}

#[test]
fn limits_and_periods_are_refused_by_the_first_broken_rule() {
    let limits = |ceiling, line| {
        let refused = Limits::new(Some(units(0)), Some(units(ceiling)), Some(units(line)));
        refused.err().map(|error| error.code())
    };
    assert_eq!(limits(0, 0), None);
    assert_eq!(limits(-5, 5), None);
    assert_eq!(limits(0, -1), Some("negative_credit_line"));
    assert_eq!(limits(-6, 5), Some("ceiling_below_floor"));
    assert_eq!(limits(-6, -1), Some("negative_credit_line"));

    let mut books = Books::empty();
    close_period(&mut books.shelf, LATER, LATER).unwrap();
    let mut refused = |before, now| {
        let refused = close_period(&mut books.shelf, before, now);
        refused.err().map(|error| error.code())
    };
    assert_eq!(refused(LATER, LATER), Some("closed"));
    assert_eq!(refused(EARLIER, LATER), Some("closed"));
    // With a clock that went back, a moment can be in the future and closed already.
    assert_eq!(refused(LATER, NOW), Some("in_the_future"));
}

/// A request to open an account, in books where the asset `TAKEN` has six places and the code `taken` is used.
fn opening() -> (Books, NewAccount) {
    let mut books = Books::empty();
    let taken = NewAsset::new("TAKEN", 6, None).unwrap();
    let currency = taken.currency();
    register(&mut books.shelf, taken, NOW).unwrap();
    let new = NewAccount {
        code: AccountCode::trusted("taken"),
        name: AccountName::trusted(""),
        currency,
        class: AccountClass::Liability,
        limits: Limits::NONE,
        metadata: None,
    };
    let id = AccountId::from_bytes(books.ids.next(NOW));
    open(&mut books.shelf, id, new.clone(), NOW).unwrap();
    let code = AccountCode::trusted("free");
    (books, NewAccount { code, ..new })
}

#[test]
fn an_account_is_refused_by_the_first_broken_rule() {
    let rules: &[Breaks<(Books, NewAccount)>] = &[
        ("code_taken", |w| w.1.code = AccountCode::trusted("taken")),
        ("asset_not_registered", |w| {
            w.1.currency = Currency::custom("TAKEN", 8).unwrap()
        }),
    ];
    prove(OpenError::ORDER, opening, rules, &[], |(mut books, new)| {
        let id = AccountId::from_bytes(books.ids.next(NOW));
        let opened = open(&mut books.shelf, id, new, NOW);
        opened.err().map(|error| error.code())
    });
    // With the right code and exponent it succeeds, and a currency of ISO 4217 need not be registered.
    let (mut books, asked) = opening();
    let mut ask = |code: &str, currency| {
        let id = AccountId::from_bytes(books.ids.next(NOW));
        let code = AccountCode::trusted(code);
        let new = NewAccount {
            code,
            currency,
            ..asked.clone()
        };
        open(&mut books.shelf, id, new, NOW).map(|account| account.currency)
    };
    let other = Currency::custom("OTHER", 6).unwrap();
    let refused = OpenError::AssetNotRegistered { currency: other };
    assert_eq!(ask("a", other), Err(refused));
    assert_eq!(ask("b", usd()), Ok(usd()));
}

#[test]
fn an_asset_is_registered_once() {
    let rules: &[Breaks<(Books, NewAsset)>] = &[("code_taken", |w| {
        w.1 = NewAsset::new("TAKEN", 6, None).unwrap();
    })];
    let world = || (opening().0, NewAsset::new("FREE", 6, None).unwrap());
    prove(
        RegisterError::ORDER,
        world,
        rules,
        &[],
        |(mut books, new)| {
            let registered = register(&mut books.shelf, new, NOW);
            registered.err().map(|error| error.code())
        },
    );
    let mut books = opening().0;
    let by = Currency::custom("TAKEN", 6).unwrap();
    for exponent in [0, 6, 18] {
        let again = NewAsset::new("TAKEN", exponent, Some(AssetName::trusted("again"))).unwrap();
        let refused = register(&mut books.shelf, again, LATER);
        assert_eq!(refused, Err(RegisterError::CodeTaken { by }));
    }
    let kept = books.shelf.asset("TAKEN").unwrap();
    assert_eq!(
        (kept.currency, &*kept.name, kept.created_at),
        (by, "TAKEN", NOW)
    );
}

fn page() -> String {
    let parts: [(&str, &str, &Order); 12] = [
        (
            "A custom asset",
            "`ledger::NewAsset::new`",
            AssetError::ORDER,
        ),
        (
            "Registering an asset",
            "`ledger::register`",
            RegisterError::ORDER,
        ),
        ("Opening an account", "`ledger::open`", OpenError::ORDER),
        (
            "Limits of an account",
            "`ledger::Limits::new`",
            LimitsError::ORDER,
        ),
        (
            "Changing an account",
            "`ledger::freeze`, `unfreeze`, `close`, `set_limits`, `set_metadata`",
            ChangeError::ORDER,
        ),
        ("Posting, or promising", "`ledger::post`", order::POST),
        ("Posting what is pending", "`ledger::fulfil`", order::FULFIL),
        (
            "Voiding what is pending, or letting it expire",
            "`ledger::void`, `ledger::expire`",
            order::RELEASE,
        ),
        ("Reversing", "`ledger::reverse`", order::REVERSE),
        (
            "Exchanging currencies",
            "`ledger::exchange`",
            order::EXCHANGE,
        ),
        (
            "Setting the metadata of a transaction later",
            "`ledger::describe`",
            order::DESCRIBE,
        ),
        (
            "Closing a period",
            "`ledger::close_period`",
            PeriodError::ORDER,
        ),
    ];
    let mut page = String::from(
        "# The ledger's refusals\n\n\
         Each operation looks at its rules in one order and names the first that is broken. The order is the \
         same everywhere: whether it exists already, what it looks like, what it names, currencies, states, \
         periods, versions, overflow, limits, conditions. A refused operation changes nothing.\n\n\
         This page is compared with the code, and the order is proved: `crates/ledger/tests/rules/order.rs` breaks \
         each rule alone, and together with the next one.\n",
    );
    for (title, functions, order) in parts {
        page.push_str(&format!(
            "\n## {title}\n\n{functions}\n\n| | code | rule |\n|---|---|---|\n"
        ));
        for (number, (code, rule)) in (1..).zip(order) {
            page.push_str(&format!("| {number} | `{code}` | {rule} |\n"));
        }
    }
    page
}

#[test]
fn the_page_of_refusals_says_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ledger-errors.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let expected = page();
    assert!(
        written == expected,
        "docs/ledger-errors.md should be:\n{expected}"
    );
}
