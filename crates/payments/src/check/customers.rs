//! P4: each payment has its customer and its payment method, each payment method and each payout has its customer, and
//! the texts by which payments, customers, refunds and payouts are found are those of their metadata.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use ledger::Metadata;
use store::find::Lock;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, payments, tick};
use crate::customers::{
    Customer, CustomerId, CustomerRow, SavedMethod, SavedMethodId, SavedMethodRow, customers_by_id,
    methods_by_id,
};
use crate::payouts::rows::{PayoutRow, payouts_by_id};
use crate::payouts::{Payout, PayoutId};
use crate::refunds::RefundId;
use crate::refunds::read::refunds_by_id;
use crate::schema::{customer, metadata_text, operation, payment_method, payout};
use crate::tables::{OperationRow, PaymentById, PaymentRow};
use crate::texts::{self, Described, MetadataTextRow, TextByKey};
use crate::{Operation, OperationId, OperationKind, Payment, PaymentId};

/// P4.
///
/// # Errors
/// [`CheckError`] names the first violation.
pub fn payments_have_their_customers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0;
    let mut all = payments(tenant);
    loop {
        let page = all.page(connection)?.into_iter().map(PaymentRow::read);
        let page: Vec<Payment> = page.collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        each_has_its_customer(connection, tenant, &page)?;
        let own = page.iter();
        let own = own.map(|row| (row.id.bytes(), row.id.to_string(), row.metadata.as_ref()));
        each_is_found(connection, tenant, Described::Payment, own)?;
        page.iter().for_each(|_| tick(&mut examined, progress));
    }
    let mut all = customers(tenant);
    loop {
        let page = all.page(connection)?.into_iter().map(CustomerRow::read);
        let page: Vec<Customer> = page.collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        let own = page.iter();
        let own = own.map(|row| (row.id.bytes(), row.id.to_string(), row.metadata.as_ref()));
        each_is_found(connection, tenant, Described::Customer, own)?;
        page.iter().for_each(|_| tick(&mut examined, progress));
    }
    let mut all = refunds(tenant);
    loop {
        let page = all.page(connection)?.into_iter().map(OperationRow::read);
        let page: Vec<Operation> = page.collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        let own = page.iter();
        let named = |row: &Operation| RefundId::of(row.id).to_string();
        let own = own.map(|row| (row.id.bytes(), named(row), row.metadata.as_ref()));
        each_is_found(connection, tenant, Described::Refund, own)?;
        page.iter().for_each(|_| tick(&mut examined, progress));
    }
    let mut all = payouts(tenant);
    loop {
        let page = all.page(connection)?.into_iter().map(PayoutRow::read);
        let page: Vec<Payout> = page.collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        let own = page.iter();
        let own = own.map(|row| (row.id.bytes(), row.id.to_string(), row.metadata.as_ref()));
        each_is_found(connection, tenant, Described::Payout, own)?;
        page.iter().for_each(|_| tick(&mut examined, progress));
    }
    let mut all = methods(tenant);
    loop {
        let page = all.page(connection)?;
        if page.is_empty() {
            break;
        }
        let ids = page.iter().map(|row| row.customer_id).collect();
        let known = known_customers(connection, tenant, ids)?;
        if let Some(row) = page.iter().find(|row| !known.contains(&row.customer_id)) {
            let detail = format!("its customer {} does not exist", row.customer_id);
            return Err(CheckError::broken(row.id, detail));
        }
        page.iter().for_each(|_| tick(&mut examined, progress));
    }
    each_payee_is_known(connection, tenant, &mut examined, progress)?;
    each_text_has_its_subject(connection, tenant, &mut examined, progress)?;
    Ok(examined)
}

fn known_customers(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: Vec<CustomerId>,
) -> Result<HashSet<CustomerId>, Error> {
    let known = customers_by_id(connection, tenant, ids)?.into_iter();
    Ok(known.map(|customer| customer.id).collect())
}

/// Checks that the customers whom payouts pay exist.
fn each_payee_is_known(
    connection: &mut AnyConnection,
    tenant: TenantId,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    let mut all = Pages::new(tenant, payees_after);
    loop {
        let page: Vec<(PayoutId, Option<CustomerId>)> = all.page(connection)?;
        if page.is_empty() {
            return Ok(());
        }
        let ids = page.iter().filter_map(|(_, customer)| *customer).collect();
        let known = known_customers(connection, tenant, ids)?;
        for (payout, customer) in page {
            if let Some(id) = customer.filter(|id| !known.contains(id)) {
                let detail = format!("its customer {id} does not exist");
                return Err(CheckError::broken(payout, detail));
            }
            tick(examined, progress);
        }
    }
}

fn payees_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&(PayoutId, Option<CustomerId>)>,
) -> Result<Vec<(PayoutId, Option<CustomerId>)>, Error> {
    let first = PayoutId::from_bytes([0; 16]);
    Ok(payout::table
        .filter(payout::tenant_id.eq(tenant))
        .filter(payout::id.gt(after.map_or(first, |row| row.0)))
        .order(payout::id)
        .limit(PAGE)
        .select((payout::id, payout::customer_id))
        .load(connection)?)
}

fn each_has_its_customer(
    connection: &mut AnyConnection,
    tenant: TenantId,
    page: &[Payment],
) -> Result<(), CheckError> {
    let ids = page.iter().filter_map(|payment| payment.customer);
    let known = known_customers(connection, tenant, ids.collect())?;
    let ids = page.iter().filter_map(|payment| payment.saved_method);
    let saved = methods_by_id(connection, tenant, ids.collect())?.into_iter();
    let saved: HashMap<SavedMethodId, SavedMethod> = saved.map(|row| (row.id, row)).collect();
    for payment in page {
        if let Some(id) = payment.customer.filter(|id| !known.contains(id)) {
            let detail = format!("its customer {id} does not exist");
            return Err(CheckError::broken(payment.id, detail));
        }
        let Some(id) = payment.saved_method else {
            continue;
        };
        let method = saved.get(&id);
        if method.map(|method| method.customer) != payment.customer {
            let detail = format!("its customer does not have the payment method {id}");
            return Err(CheckError::broken(payment.id, detail));
        }
        if method.map(|method| &method.token) != payment.payment_method.as_ref() {
            let detail = format!("its token is not that of the payment method {id}");
            return Err(CheckError::broken(payment.id, detail));
        }
    }
    Ok(())
}

/// Checks that each text of the metadata of these things is there.
fn each_is_found<'a>(
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: Described,
    page: impl Iterator<Item = ([u8; 16], String, Option<&'a Metadata>)>,
) -> Result<(), CheckError> {
    let mut named: BTreeMap<[u8; 16], String> = BTreeMap::new();
    let mut wanted: Vec<TextByKey> = Vec::new();
    for (subject, name, metadata) in page {
        for (key, value) in texts::entries(metadata) {
            wanted.push(TextByKey {
                kind: kind.number(),
                key,
                value,
                subject: subject.to_vec(),
            });
        }
        named.insert(subject, name);
    }
    let found = TextByKey::find(connection, Lock::Nothing, tenant, &wanted)?;
    let found: HashSet<(String, String, Vec<u8>)> = found
        .into_iter()
        .map(|row| (row.key, row.value, row.subject))
        .collect();
    for text in wanted {
        let (key, subject) = (text.key.clone(), text.subject.clone());
        if !found.contains(&(text.key, text.value, text.subject)) {
            let subject = <[u8; 16]>::try_from(subject).unwrap_or_default();
            let name = named.remove(&subject).unwrap_or_default();
            let detail = format!("it is not found by its metadata {key:?}");
            return Err(CheckError::broken(name, detail));
        }
    }
    Ok(())
}

/// Checks that each text is one of the metadata of its subject.
fn each_text_has_its_subject(
    connection: &mut AnyConnection,
    tenant: TenantId,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    for kind in Described::ALL {
        let mut all = Pages::new(tenant, move |connection, tenant, after| {
            texts_after(connection, tenant, kind, after)
        });
        loop {
            let page: Vec<MetadataTextRow> = all.page(connection)?;
            if page.is_empty() {
                break;
            }
            let ids = page
                .iter()
                .filter_map(|row| row.subject.as_slice().try_into().ok());
            let ids: HashSet<[u8; 16]> = ids.collect();
            let told = metadata_of(connection, tenant, kind, ids)?;
            for row in page {
                let own = told.get(&row.subject);
                if own.and_then(|own| own.get(&row.key)) != Some(&row.value) {
                    let id = row.subject.as_slice().try_into().unwrap_or_default();
                    let name = match kind {
                        Described::Payment => PaymentId::from_bytes(id).to_string(),
                        Described::Customer => CustomerId::from_bytes(id).to_string(),
                        Described::Refund => RefundId::from_bytes(id).to_string(),
                        Described::Payout => PayoutId::from_bytes(id).to_string(),
                    };
                    let detail = format!(
                        "it is found by the metadata {:?}, which it does not have",
                        row.key
                    );
                    return Err(CheckError::broken(name, detail));
                }
                tick(examined, progress);
            }
        }
    }
    Ok(())
}

type Texts = HashMap<Vec<u8>, BTreeMap<String, String>>;

/// The metadata of the things with these ids.
fn metadata_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: Described,
    ids: HashSet<[u8; 16]>,
) -> Result<Texts, Error> {
    let mut told = HashMap::new();
    match kind {
        Described::Payment => {
            let ids = ids.into_iter().map(PaymentId::from_bytes);
            let ids: Vec<PaymentById> = ids.map(|id| PaymentById { id }).collect();
            for row in PaymentById::find(connection, Lock::Nothing, tenant, &ids)? {
                let row = row.read()?;
                told.insert(
                    row.id.bytes().to_vec(),
                    texts::entries(row.metadata.as_ref()),
                );
            }
        }
        Described::Customer => {
            let ids = ids.into_iter().map(CustomerId::from_bytes).collect();
            for row in customers_by_id(connection, tenant, ids)? {
                told.insert(
                    row.id.bytes().to_vec(),
                    texts::entries(row.metadata.as_ref()),
                );
            }
        }
        Described::Refund => {
            for row in refunds_by_id(connection, tenant, ids.into_iter())? {
                told.insert(
                    row.id.bytes().to_vec(),
                    texts::entries(row.metadata.as_ref()),
                );
            }
        }
        Described::Payout => {
            for row in payouts_by_id(connection, tenant, ids.into_iter())? {
                told.insert(
                    row.id.bytes().to_vec(),
                    texts::entries(row.metadata.as_ref()),
                );
            }
        }
    }
    Ok(told)
}

fn texts_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: Described,
    after: Option<&MetadataTextRow>,
) -> Result<Vec<MetadataTextRow>, Error> {
    let mut query = metadata_text::table
        .filter(metadata_text::tenant_id.eq(tenant))
        .filter(metadata_text::kind.eq(kind.number()))
        .order((
            metadata_text::key,
            metadata_text::value,
            metadata_text::subject,
        ))
        .limit(PAGE)
        .into_boxed();
    if let Some(last) = after {
        let same_value = metadata_text::value
            .eq(last.value.clone())
            .and(metadata_text::subject.gt(last.subject.clone()));
        let later_value = metadata_text::value.gt(last.value.clone()).or(same_value);
        let same_key = metadata_text::key.eq(last.key.clone()).and(later_value);
        query = query.filter(metadata_text::key.gt(last.key.clone()).or(same_key));
    }
    Ok(query.load(connection)?)
}

/// All customers, in id order.
pub(super) fn customers(tenant: TenantId) -> Pages<CustomerRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&CustomerRow>| {
        let first = CustomerId::from_bytes([0; 16]);
        Ok(customer::table
            .filter(customer::tenant_id.eq(tenant))
            .filter(customer::id.gt(after.map_or(first, |row| row.id)))
            .order(customer::id)
            .limit(PAGE)
            .load(connection)?)
    })
}

/// All refunds, in id order.
fn refunds(tenant: TenantId) -> Pages<OperationRow> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&OperationRow>| {
            let first = OperationId::from_bytes([0; 16]);
            Ok(operation::table
                .filter(operation::tenant_id.eq(tenant))
                .filter(operation::kind.eq(OperationKind::Refund.name()))
                .filter(operation::id.gt(after.map_or(first, |row| row.id)))
                .order(operation::id)
                .limit(PAGE)
                .load(connection)?)
        },
    )
}

/// All payouts, in id order.
fn payouts(tenant: TenantId) -> Pages<PayoutRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&PayoutRow>| {
        let first = PayoutId::from_bytes([0; 16]);
        Ok(payout::table
            .filter(payout::tenant_id.eq(tenant))
            .filter(payout::id.gt(after.map_or(first, |row| row.id)))
            .order(payout::id)
            .limit(PAGE)
            .load(connection)?)
    })
}

/// All payment methods, in id order.
pub(super) fn methods(tenant: TenantId) -> Pages<SavedMethodRow> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&SavedMethodRow>| {
            let first = SavedMethodId::from_bytes([0; 16]);
            Ok(payment_method::table
                .filter(payment_method::tenant_id.eq(tenant))
                .filter(payment_method::id.gt(after.map_or(first, |row| row.id)))
                .order(payment_method::id)
                .limit(PAGE)
                .load(connection)?)
        },
    )
}
