//! The store on a real SQLite file. PostgreSQL is exercised by the end-to-end tests.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use store::{DatabaseUrl, Error, Store, bulk};

store::bulk_insert! {
    /// A tenant; every database has this table.
    pub struct TenantRow in tenant {
        /// The tenant's number.
        tenant_id: i32,
        /// The tenant's name.
        name: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_update! {
    /// A rename of a tenant, with the name that was read.
    pub struct Renamed in tenant {
        find { tenant_id: i32 = tenant_id, seen: String = name }
        set { next: String = name }
    }
}

fn tenant(tenant_id: i32) -> TenantRow {
    TenantRow {
        tenant_id,
        name: format!("tenant {tenant_id}"),
        created_at: 0,
    }
}

fn renamed(tenant_id: i32, seen: &str) -> Renamed {
    Renamed {
        tenant_id,
        seen: seen.to_owned(),
        next: "renamed".to_owned(),
    }
}

#[test]
fn a_batch_is_written_wholly_or_not_at_all_and_a_stale_row_is_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("florin.db"));
    let store = Store::open(&url).unwrap();
    let mut writer = store.writer().unwrap();

    store::begin_write(&mut writer).unwrap();
    bulk::write(&mut writer, &[tenant(1), tenant(2)]).unwrap();
    store::commit(&mut writer).unwrap();

    store::begin_write(&mut writer).unwrap();
    let again = bulk::write(&mut writer, &[tenant(3), tenant(1)]);
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    store::rollback(&mut writer).unwrap();

    store::begin_write(&mut writer).unwrap();
    let stale = bulk::write(
        &mut writer,
        &[renamed(1, "tenant 1"), renamed(2, "another name")],
    );
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    store::rollback(&mut writer).unwrap();

    store::begin_write(&mut writer).unwrap();
    bulk::write(&mut writer, &[renamed(1, "tenant 1")]).unwrap();
    // If tenant 3 existed, or tenant 2 were renamed, this would be a conflict.
    bulk::write(&mut writer, &[tenant(3)]).unwrap();
    store::rollback(&mut writer).unwrap();
}

#[test]
fn migrations_are_applied_once_by_any_number_of_starts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("deep/er/florin.db"));
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || Store::open(&url).map(|_store| ()))
        })
        .collect();
    for start in starts {
        start.join().unwrap().unwrap();
    }
}

#[test]
fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("florin.db"))).unwrap();
    let written = store.read(|reader| bulk::write(reader, &[tenant(1)]));
    assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
}

#[test]
fn what_only_looks_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("florin.db");
    let url = DatabaseUrl::Sqlite(path.clone());
    assert!(Store::open_existing(&url, store::Tuning::default()).is_err());
    assert!(!path.exists());
}
