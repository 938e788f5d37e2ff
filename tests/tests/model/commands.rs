//! The random commands. Accounts and transactions are chosen by number among those that exist; times and amounts by
//! their distance from the interesting values, so that edge cases are frequent.

use ledger::{AccountClass, Metadata};
use money::Rounding;
use proptest::prelude::*;

use crate::requests::Sent;
use crate::words::{Bounds, Change};

/// The next event.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    Batch {
        commands: Vec<Command>,
        locks: bool,
        crashes: bool,
    },
    /// Two batches of two writers, decided at the same time.
    Race(Vec<Command>, Vec<Command>),
    /// Requests that clients send at once to one of the lanes.
    Requests {
        sent: Vec<Sent>,
        lane: usize,
        crashes: bool,
    },
    /// The clock moves on by this number of microseconds.
    Tick(i64),
    Restart,
    Look,
}

/// A step, before its accounts and transactions are chosen.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Open(AccountClass, Bounds, Odd),
    Post(Draft),
    Fulfil(Target, Option<Vec<Share>>, Manner, Said),
    Void(Target, Said),
    Expire(Target),
    Reverse(Target, Extent, Said),
    Exchange(Trade),
    Change(Who, Change),
    /// The end of the period lies up to this time ago.
    ClosePeriod(i64),
}

/// The currency of an account, and whether something unusual is tried: a code that is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Odd {
    pub(crate) currency: &'static str,
    pub(crate) taken: Option<usize>,
}

/// An account, by number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// Among the accounts that take postings.
    Open(usize),
    /// Among all accounts.
    Any(usize),
    Nobody,
}

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) lines: Vec<Line>,
    /// `Some(None)`: pending without expiry; `Some(Some(n))`: pending for n microseconds.
    pub(crate) pending: Option<Option<i64>>,
    pub(crate) wishes: Vec<(Place, Wish)>,
    pub(crate) said: Said,
}

/// The account of a condition.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// The account that a posting debits or credits.
    Debited(usize),
    Credited(usize),
    /// Any account.
    Any(Who),
}

/// A posting: the debited and the credited account, among others of the same currency; and the amount.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) debit: Who,
    pub(crate) credit: Who,
    pub(crate) amount: i64,
    /// True if the credited account may be any account, even the debited one.
    pub(crate) stranger: bool,
    /// True if the currency differs from that of the debited account.
    pub(crate) foreign: bool,
}

/// An exchange: the account that gives, the one that gets in another currency, and the liquidity accounts.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    /// From, sold to, to, bought from.
    pub(crate) accounts: [Who; 4],
    /// The one of them that may be any account, whatever its currency is.
    pub(crate) stranger: Option<usize>,
    pub(crate) amount: i64,
    /// True if the amount is that of the bought leg.
    pub(crate) is_bought: bool,
    pub(crate) rate: &'static str,
    pub(crate) rounding: Rounding,
    pub(crate) wishes: Vec<(Place, Wish)>,
    pub(crate) said: Said,
}

/// The demand on an account, by its distance from the present value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    Version(i64),
    Available(i64),
}

/// A transaction, by number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Among the transactions to which the step applies.
    Fitting(usize),
    /// Among all transactions.
    Any(usize),
    Nobody,
}

/// The way in which a pending transaction is fulfilled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// True if the rest is released.
    pub(crate) last: bool,
    /// True if the amount may be more than the hold.
    pub(crate) exceed: bool,
}

/// A part of a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) posting: usize,
    /// True if the posting may be one that does not exist, or that is named already.
    pub(crate) odd: bool,
    pub(crate) much: Much,
}

/// The part that is reversed.
#[derive(Debug, Clone)]
pub(crate) enum Extent {
    Of(Option<Vec<Share>>),
    /// An amount of one leg of an exchange, or of a transaction that is not an exchange.
    OfLeg {
        is_bought: bool,
        much: Much,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Much {
    Some(i64),
    /// All that remains, plus this amount.
    Remaining(i64),
}

/// External id and effective time of a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// `Some(None)`: a new external id; `Some(Some(n))`: one that is taken.
    pub(crate) name: Option<Option<usize>>,
    /// How long ago it happened.
    pub(crate) ago: i64,
    pub(crate) metadata: Option<Metadata>,
}

impl Said {
    /// The transaction happens now, without an external id.
    pub(crate) const NOTHING: Self = Self {
        name: None,
        ago: 0,
        metadata: None,
    };
}

/// At first, accounts are opened.
pub(crate) fn first() -> BoxedStrategy<Next> {
    let opened = prop::collection::vec(open(), 1..4);
    batch(opened.boxed())
}

pub(crate) fn next() -> BoxedStrategy<Next> {
    let several = prop_oneof![
        5 => prop::collection::vec(command(), 1),
        2 => prop::collection::vec(command(), 2..5),
    ];
    let racing = prop::collection::vec(command(), 1..3);
    prop_oneof![
        24 => batch(several.boxed()),
        3 => (racing.clone(), racing).prop_map(|(first, second)| Next::Race(first, second)),
        4 => (1..4_i64).prop_map(Next::Tick),
        1 => Just(Next::Restart),
        2 => Just(Next::Look),
    ]
    .boxed()
}

fn batch(commands: BoxedStrategy<Vec<Command>>) -> BoxedStrategy<Next> {
    let fate = (any::<bool>(), prop::bool::weighted(0.06));
    (commands, fate)
        .prop_map(|(commands, (locks, crashes))| Next::Batch {
            commands,
            locks,
            crashes,
        })
        .boxed()
}

fn command() -> BoxedStrategy<Command> {
    prop_oneof![
        40 => action(),
        4 => target().prop_map(Command::Expire),
        10 => other(),
    ]
    .boxed()
}

/// A command that a client may request.
pub(crate) fn request() -> BoxedStrategy<Command> {
    prop_oneof![4 => action(), 1 => other()].boxed()
}

/// A command that is not a movement.
fn other() -> BoxedStrategy<Command> {
    prop_oneof![
        1 => open(),
        7 => (anybody(), change()).prop_map(|(who, change)| Command::Change(who, change)),
        2 => (-1..3_i64).prop_map(Command::ClosePeriod),
    ]
    .boxed()
}

/// A command that is a movement.
pub(crate) fn action() -> BoxedStrategy<Command> {
    let parts = || prop::option::weighted(0.7, shares());
    prop_oneof![
        20 => draft().prop_map(Command::Post),
        8 => (target(), parts(), manner(false), said())
            .prop_map(|(of, parts, manner, said)| Command::Fulfil(of, parts, manner, said)),
        7 => (target(), beyond(), manner(true), said())
            .prop_map(|(of, parts, manner, said)| Command::Fulfil(of, Some(parts), manner, said)),
        4 => (target(), said()).prop_map(|(of, said)| Command::Void(of, said)),
        8 => (target(), prop_oneof![2 => parts().prop_map(Extent::Of), 1 => leg()], said())
            .prop_map(|(of, extent, said)| Command::Reverse(of, extent, said)),
        6 => trade().prop_map(Command::Exchange),
    ]
    .boxed()
}

pub(crate) fn open() -> BoxedStrategy<Command> {
    let taken = prop::option::weighted(0.1, any::<usize>());
    let currency = prop_oneof![
        12 => Just("EUR"),
        4 => Just("USD"),
        4 => Just("HRK"),
        1 => Just("BHD"),
    ];
    let class = prop::sample::select(&AccountClass::ALL[..]);
    (class, bounds(), (currency, taken))
        .prop_map(|(class, bounds, (currency, taken))| {
            Command::Open(class, bounds, Odd { currency, taken })
        })
        .boxed()
}

fn bounds() -> BoxedStrategy<Bounds> {
    let floor = prop::option::weighted(0.35, prop_oneof![2 => Just(0), 1 => -15..15_i64]);
    let ceiling = prop::option::weighted(0.3, 0..50_i64);
    let line = prop::option::weighted(0.3, prop_oneof![9 => 0..15_i64, 1 => Just(-1)]);
    (floor, ceiling, line)
        .prop_map(|(floor, ceiling, line)| Bounds {
            floor,
            ceiling,
            line,
        })
        .boxed()
}

fn change() -> BoxedStrategy<Change> {
    prop_oneof![
        3 => Just(Change::Freeze),
        4 => Just(Change::Unfreeze),
        3 => Just(Change::Close),
        4 => bounds().prop_map(Change::Limits),
        1 => metadata().prop_map(Change::Metadata),
    ]
    .boxed()
}

fn draft() -> BoxedStrategy<Draft> {
    let lines = prop_oneof![
        90 => prop::collection::vec(line(), 1..5),
        2 => Just(Vec::new()),
        1 => prop::collection::vec(line(), 100..103),
    ];
    let life = prop::option::weighted(0.8, prop_oneof![9 => 1..6_i64, 1 => -1..1_i64]);
    (lines, prop::option::of(life), wishes(), said())
        .prop_map(|(lines, pending, wishes, said)| Draft {
            lines,
            pending,
            wishes,
            said,
        })
        .boxed()
}

fn wishes() -> BoxedStrategy<Vec<(Place, Wish)>> {
    let wish = prop_oneof![
        prop_oneof![4 => Just(0), 1 => -1..2_i64].prop_map(Wish::Version),
        (-8..9_i64).prop_map(Wish::Available),
    ];
    let place = prop_oneof![
        5 => any::<usize>().prop_map(Place::Debited),
        5 => any::<usize>().prop_map(Place::Credited),
        1 => who().prop_map(Place::Any),
    ];
    prop_oneof![
        3 => Just(Vec::new()),
        2 => prop::collection::vec((place, wish), 1..3),
    ]
    .boxed()
}

fn trade() -> BoxedStrategy<Trade> {
    const RATES: [&str; 7] = [
        "0.5",
        "0.8",
        "2.5",
        "3.7",
        "0.004",
        "999999999999999999",
        "0.000000000000000001",
    ];
    let rate = prop_oneof![
        20 => prop::sample::select(&RATES[..4]),
        1 => prop::sample::select(&RATES[4..]),
    ];
    let amount = prop_oneof![30 => 1..14_i64, 1 => (i64::MAX - 20)..=i64::MAX];
    let rounding = prop_oneof![
        1 => Just(Rounding::HalfEven),
        1 => prop::sample::select(&Rounding::ALL[..]),
    ];
    let terms = (amount, any::<bool>(), rate, rounding);
    let stranger = prop::option::weighted(0.2, 0..4_usize);
    (
        prop::array::uniform4(who()),
        stranger,
        terms,
        wishes(),
        said(),
    )
        .prop_map(|(accounts, stranger, terms, wishes, said)| {
            let (amount, is_bought, rate, rounding) = terms;
            Trade {
                accounts,
                stranger,
                amount,
                is_bought,
                rate,
                rounding,
                wishes,
                said,
            }
        })
        .boxed()
}

fn line() -> BoxedStrategy<Line> {
    let amount = prop_oneof![40 => 1..14_i64, 1 => (i64::MAX - 20)..=i64::MAX];
    let odd = (prop::bool::weighted(0.05), prop::bool::weighted(0.01));
    (who(), who(), amount, odd)
        .prop_map(|(debit, credit, amount, (stranger, foreign))| Line {
            debit,
            credit,
            amount,
            stranger,
            foreign,
        })
        .boxed()
}

fn who() -> BoxedStrategy<Who> {
    prop_oneof![
        120 => any::<usize>().prop_map(Who::Open),
        10 => any::<usize>().prop_map(Who::Any),
        1 => Just(Who::Nobody),
    ]
    .boxed()
}

fn anybody() -> BoxedStrategy<Who> {
    prop_oneof![
        3 => who(),
        4 => any::<usize>().prop_map(Who::Any),
    ]
    .boxed()
}

fn target() -> BoxedStrategy<Target> {
    prop_oneof![
        20 => any::<usize>().prop_map(Target::Fitting),
        5 => any::<usize>().prop_map(Target::Any),
        1 => Just(Target::Nobody),
    ]
    .boxed()
}

fn manner(exceed: bool) -> BoxedStrategy<Manner> {
    any::<bool>()
        .prop_map(move |last| Manner { last, exceed })
        .boxed()
}

/// Parts of a transaction. Some are more than is held.
fn beyond() -> BoxedStrategy<Vec<Share>> {
    let much = prop_oneof![
        1 => (-2..1_i64).prop_map(Much::Remaining),
        4 => (1..30_i64).prop_map(Much::Remaining),
    ];
    let posting = (any::<usize>(), prop::bool::weighted(0.03));
    let share = (posting, much).prop_map(|((posting, odd), much)| Share { posting, odd, much });
    prop::collection::vec(share, 1..3).boxed()
}

fn leg() -> BoxedStrategy<Extent> {
    (any::<bool>(), much())
        .prop_map(|(is_bought, much)| Extent::OfLeg { is_bought, much })
        .boxed()
}

fn much() -> BoxedStrategy<Much> {
    prop_oneof![
        3 => (1..8_i64).prop_map(Much::Some),
        2 => (-2..2_i64).prop_map(Much::Remaining),
    ]
    .boxed()
}

fn shares() -> BoxedStrategy<Vec<Share>> {
    let much = much();
    let posting = (any::<usize>(), prop::bool::weighted(0.08));
    let share = (posting, much).prop_map(|((posting, odd), much)| Share { posting, odd, much });
    prop_oneof![
        1 => Just(Vec::new()),
        15 => prop::collection::vec(share, 1..4),
    ]
    .boxed()
}

fn said() -> BoxedStrategy<Said> {
    let taken = prop::option::weighted(0.4, any::<usize>());
    let name = prop::option::weighted(0.3, taken);
    let much_later = -300_000_001..-299_999_998_i64;
    let ago = prop_oneof![20 => Just(0), 12 => 1..5_i64, 4 => -2..0_i64, 1 => much_later];
    (name, ago, metadata())
        .prop_map(|(name, ago, metadata)| Said {
            name,
            ago,
            metadata,
        })
        .boxed()
}

fn metadata() -> BoxedStrategy<Option<Metadata>> {
    let some = Metadata::from_json(r#"{"order":"17"}"#).expect("a flat object");
    prop::option::weighted(0.1, Just(some)).boxed()
}
