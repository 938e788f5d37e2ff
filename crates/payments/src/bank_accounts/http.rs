//! `/v1/bank_accounts`.

use bank_files::Bic;
use bank_files::pain001::{Creditor, CreditorAccount, Field};
use edge::strict_json::{Body, BrokenRule, FieldError, Slot, guarded, nullable, object, prose};
use edge::{Call, Problem, Reader as _, Response, Routes, Shared, code};
use text::{Iban, Identifier};

use super::{BankAccountId, CloseBankAccount, CreateBankAccount, rows, show};
use crate::problems::sentence;
use crate::reading::nothing;
use crate::{answers, shapes};

/// The name of a holder, before it is written for a bank.
type Holder = Identifier<70>;

/// Every route of bank accounts.
pub(super) fn routes(r: &mut Routes) {
    r.tag("bank accounts", "Where payouts of a bank-file provider go");
    r.post(
        "/v1/bank_accounts",
        "createBankAccount",
        "Makes a bank account, which payouts can name as their destination.",
        create,
    )
    .more("An account is never changed: close a wrong one, and make another one.")
    .body(|known| wanted().describe(known))
    .gives::<show::BankAccount>(201, "The bank account")
    .refuses(422, "A field is wrong", &[]);
    r.post(
        "/v1/bank_accounts/{id}/close",
        "closeBankAccount",
        "Closes a bank account, for ever: it gets no further payout.",
        close,
    )
    .more("A payout that was made before goes on.")
    .segment("id", shapes::BankAccountId::SHAPE, "bac_…")
    .body(|known| nothing().describe(known))
    .gives::<show::BankAccount>(200, "The bank account, which gets no further payout")
    .refuses(404, "No such bank account", &[])
    .refuses(422, "A field is wrong", &[]);
    r.get(
        "/v1/bank_accounts/{id}",
        "getBankAccount",
        "Reads one bank account.",
        |state, call| answers::one(state, call, rows::account, show::account),
    )
    .segment("id", shapes::BankAccountId::SHAPE, "bac_…")
    .gives::<show::BankAccount>(200, "The bank account")
    .refuses(404, "No such bank account", &[]);
    r.get(
        "/v1/bank_accounts",
        "listBankAccounts",
        "Lists bank accounts, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                rows::accounts,
                show::account,
                BankAccountId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::BankAccount>("A page of bank accounts");
}

async fn create(state: Shared, call: Call) -> Result<Response, Problem> {
    let mut submission = state.submission(call)?;
    let command = submission.read_by(&wanted())?;
    let done = state.submit(submission, command, show::created, show::show_nothing);
    done.await
}

async fn close(state: Shared, call: Call) -> Result<Response, Problem> {
    let id = call.named::<BankAccountId>("id", code::NOT_FOUND);
    let mut submission = state.submission(call)?;
    let id = id?;
    submission.read_by(&nothing())?;
    let command = CloseBankAccount { id };
    let done = state.submit(submission, command, show::closed, show::show_refusal);
    done.await
}

/// Reads the body that makes a bank account. What a file for a bank could not have is refused here.
fn wanted() -> impl Body<Out = CreateBankAccount> {
    object("NewBankAccount", "Makes a bank account.", |fields| {
        let holder = prose::<Holder>(shapes::HolderName::SHAPE).says(
            "The name of the holder: at most 70 characters, as every bank takes them. Umlauts and accents are written without them.",
        );
        let holder = fields.required("holder", holder);
        let iban =
            |text: String| Iban::parse(&text).map_err(|rule| BrokenRule::new(rule.code(), &rule));
        let iban = guarded(iban, shapes::IbanText::SHAPE)
            .says("The number of the account: an IBAN, with or without blanks.");
        let iban = fields.required("iban", iban);
        let bic = |text: String| {
            Bic::parse(&text).map_err(|rule| BrokenRule::new("bic_malformed", &rule))
        };
        let bic = guarded(bic, shapes::BicText::SHAPE)
            .says("The BIC of the bank. It may be left out in SEPA.");
        let bic = fields.optional("bic", nullable(bic));
        Slot::together((holder, iban, bic)).check(|(holder, iban, bic)| {
            let command = CreateBankAccount {
                holder: holder.into(),
                iban,
                bic: bic.flatten(),
            };
            payable(command).map_err(|wrong| vec![wrong])
        })
    })
}

/// Checks that a transfer to this account can be written for a bank.
fn payable(command: CreateBankAccount) -> Result<CreateBankAccount, FieldError> {
    let creditor = Creditor {
        name: command.holder.clone(),
        account: CreditorAccount::Iban(command.iban.clone()),
        bic: command.bic.clone(),
    };
    let Err(refusal) = creditor.check() else {
        return Ok(command);
    };
    let field = match refusal.field() {
        Some(Field::Name) => "holder",
        Some(Field::MessageId | Field::EndToEndId | Field::Account | Field::Text) | None => "iban",
    };
    let detail = sentence(&refusal.about_one());
    Err(FieldError::here("not_for_banks", detail).below(field))
}
