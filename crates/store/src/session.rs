//! The beginning of a PostgreSQL session: its settings, and how they are sent.
//!
//! The settings of a session are sent in its start-up message (`options`). So they belong to the session from the
//! first statement to the last, and nothing is left behind for the next user of the connection. A pooler may
//! refuse this message or drop its `options`. Then the settings are set one by one; a pooler in session mode
//! resets them.

use std::fmt::Write as _;
use std::time::Duration;

use diesel::Connection as _;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::connection::{Purpose, one_line};
use crate::{Error, Tuning, Unsuitable, standing};

/// The name and the value of a setting of a session.
pub(crate) type Setting = (&'static str, String);

/// Query plans that read more than necessary, except for a read of the whole book.
const UNWANTED: [&str; 6] = [
    "enable_seqscan",
    "enable_bitmapscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_material",
    "enable_memoize",
];

/// The settings of a session.
pub(crate) fn settings(purpose: Purpose, tuning: &Tuning) -> Vec<Setting> {
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let mut settings = vec![
        // A lock that is not free within this time is answered as "busy".
        ("lock_timeout", millis(tuning.longest_lock())),
        ("statement_timeout", millis(tuning.answer_within)),
        ("client_min_messages", "warning".to_owned()),
        ("jit", "off".to_owned()),
    ];
    // The lane finds rows by their keys and in no other way, and frequent questions must not cost more because other
    // data has grown. A statement is prepared once, often while its tables are small. So only plans that stay right
    // as the tables grow may be chosen.
    settings.extend(UNWANTED.map(|plan| (plan, "off".to_owned())));
    settings.push(("plan_cache_mode", "force_generic_plan".to_owned()));
    if purpose == Purpose::Write {
        let idle = ("idle_in_transaction_session_timeout", "10s".to_owned());
        settings.push(idle);
    }
    settings
}

diesel::define_sql_function! {
    /// The present value of a setting, as shown.
    fn current_setting(name: Text) -> Text;
}
diesel::define_sql_function! {
    /// Sets a setting, and returns its new value.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// Begins a session with these settings.
pub(crate) fn begin(
    uri: &str,
    settings: &[Setting],
    tuning: &Tuning,
) -> Result<diesel::PgConnection, Error> {
    let bounded = bounded(uri, tuning);
    let mut connection = match establish(&told(&bounded, settings)) {
        Err(Error::Unavailable(cause)) if cause.contains("unsupported startup parameter") => {
            establish(&bounded)?
        }
        established => established?,
    };
    if !is_told(&mut connection, settings)? {
        // There is a pooler in between. The settings can be set one by one only if each session has a session of the
        // database to itself.
        let mut another = establish(&bounded)?;
        let mut bare = establish(&bounded)?;
        if let Some(mode) = standing::pooler(&mut another, &mut bare)? {
            return Err(Error::Refused(Unsuitable::Pooler(mode).to_string()));
        }
        for (name, value) in settings {
            let _as_it_is_now: String =
                diesel::select(set_config(*name, value, false)).get_result(&mut connection)?;
        }
    }
    Ok(connection)
}

/// Begins a session without settings.
pub(crate) fn bare(uri: &str, tuning: &Tuning) -> Result<diesel::PgConnection, Error> {
    establish(&bounded(uri, tuning))
}

fn establish(address: &str) -> Result<diesel::PgConnection, Error> {
    diesel::PgConnection::establish(address)
        .map_err(|error| Error::Unavailable(one_line(&error.to_string())))
}

/// A setting to which only Florin gives this value, so it shows whether the settings have arrived.
const TELLING: &str = "plan_cache_mode";

/// Whether the settings have arrived.
fn is_told(connection: &mut diesel::PgConnection, settings: &[Setting]) -> Result<bool, Error> {
    let telling = settings.iter().find(|(name, _)| *name == TELLING);
    let Some((name, wanted)) = telling else {
        return Ok(settings.is_empty());
    };
    let shown: String = diesel::select(current_setting(*name)).get_result(connection)?;
    Ok(shown == *wanted)
}

/// The address with limits on the time to wait for a silent server, unless the address sets them itself.
fn bounded(uri: &str, tuning: &Tuning) -> String {
    let patience = tuning.answer_within.as_millis().to_string();
    let bounds: [(&str, &str); 5] = [
        ("connect_timeout", "5"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", &patience),
    ];
    let mut bounded = uri.to_owned();
    for (name, value) in bounds {
        if parameter(uri, name).is_none() {
            append(&mut bounded, name, value);
        }
    }
    bounded
}

/// The address with the settings in `options`, after the options of the address itself, or else those of the
/// environment.
fn told(uri: &str, settings: &[Setting]) -> String {
    let own = parameter(uri, "options").map(str::to_owned);
    let own = own.or_else(|| std::env::var("PGOPTIONS").ok().map(|text| encoded(&text)));
    let mut options = own.unwrap_or_default();
    for (name, value) in settings {
        // %20 is a space, %3D an equals sign.
        let _infallible = write!(options, "%20-c%20{name}%3D{value}");
    }
    let mut told = match uri.split_once('?') {
        None => uri.to_owned(),
        Some((address, query)) => {
            let others = query.split('&').filter(|pair| !is_named(pair, "options"));
            let others: Vec<&str> = others.filter(|pair| !pair.is_empty()).collect();
            match others.as_slice() {
                [] => address.to_owned(),
                others => format!("{address}?{}", others.join("&")),
            }
        }
    };
    append(&mut told, "options", &options);
    told
}

fn append(uri: &mut String, name: &str, value: &str) {
    uri.push(if uri.contains('?') { '&' } else { '?' });
    uri.push_str(name);
    uri.push('=');
    uri.push_str(value);
}

/// The value of a parameter of the address, still encoded.
fn parameter<'u>(uri: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = uri.split_once('?')?;
    let pair = query.split('&').find(|pair| is_named(pair, name))?;
    pair.split_once('=').map(|(_, value)| value)
}

fn is_named(pair: &str, name: &str) -> bool {
    pair.split_once('=').is_some_and(|(is, _)| is == name)
}

/// A text, encoded for an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_added_where_the_address_has_none() {
        let tuning = Tuning {
            answer_within: Duration::from_secs(7),
            ..Tuning::default()
        };
        assert_eq!(
            bounded(
                "postgres://db/x?connect_timeout=1&tcp_user_timeout=9",
                &tuning
            ),
            "postgres://db/x?connect_timeout=1&tcp_user_timeout=9\
             &keepalives_idle=5&keepalives_interval=2&keepalives_count=3"
        );
        assert!(bounded("postgres://db/x", &tuning).contains("x?connect_timeout=5&"));
        assert!(bounded("postgres://db/x", &tuning).ends_with("&tcp_user_timeout=7000"));
    }

    #[test]
    fn settings_follow_the_options_that_the_address_has() {
        let settings = [("jit", "off".to_owned()), ("lock_timeout", "5s".to_owned())];
        assert_eq!(
            told(
                "postgres://db/x?options=-c%20search_path%3Dbooks&sslmode=prefer",
                &settings
            ),
            "postgres://db/x?sslmode=prefer&options=-c%20search_path%3Dbooks\
             %20-c%20jit%3Doff%20-c%20lock_timeout%3D5s"
        );
        assert_eq!(
            told("postgres://db/x?options=-c%20a%3Db", &settings[..1]),
            "postgres://db/x?options=-c%20a%3Db%20-c%20jit%3Doff"
        );
        assert_eq!(encoded("-c a=ä"), "-c%20a%3D%C3%A4");
    }
}
