//! Assets: what accounts may hold besides the currencies of ISO 4217.

pub(crate) mod codes;
pub(crate) mod http;
pub mod show;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decided, set};
use ledger::{Asset, NewAsset};

use crate::Refusal;
use crate::shelf::{Books, ask_for_asset};

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Registers a custom asset.
#[derive(Debug, Clone)]
pub struct RegisterAsset(pub NewAsset);

impl Command for RegisterAsset {
    type Done = Asset;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            ask_for_asset(needs, self.0.currency());
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decided<Asset>, Refusal> {
        let now = book.now();
        let asset = ledger::register(book.shelf_mut::<Books>().0, self.0.clone(), now);
        let asset = asset.map_err(Refusal::Register)?;
        record(book, &asset);
        Ok(Decided::now(asset))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "asset.register",
            kind: "asset",
            id: self.0.currency().stored().into_owned(),
        }
    }
}

/// Records a registration. The subject says code and exponent.
pub(crate) fn record(book: &mut Book, asset: &Asset) {
    let subject = ("asset", &*asset.currency.stored());
    let delta = [set("name", &asset.name)];
    book.record(&AuditEvent::done("asset.registered", subject, &delta));
}
