//! Currencies that ISO 4217 has withdrawn: their codes, decimal places and ends.
//!
//! The table belongs to this crate, so that books with a withdrawn currency stay readable whatever a newer
//! `iso_currency` lists. Codes and months are those of ISO 4217, list three (historic denominations), as its
//! maintenance agency published it on 2026-01-01. Decimal places are those of list one while the code was in
//! it. List three gives a month and no minor unit. Therefore:
//!
//! - a day is the first on which the successor had taken over, if that day is known (the euro on 1 January 2026
//!   in Bulgaria). Otherwise it is the first of the month after the one in the list, so that nothing is refused
//!   that may have been right;
//! - a code whose minor unit is not certain, or that had none, is in [`WITHOUT_MINOR_UNIT`]: it is neither a
//!   currency here nor allowed as a custom asset.

use std::fmt;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    const fn new(year: u16, month: u8, day: u8) -> Day {
        Day { year, month, day }
    }

    /// Number of days after 1 January 1970.
    ///
    /// The year is counted from March, so that the leap day is its last day: Howard Hinnant, "chrono-compatible
    /// low-level date algorithms", `days_from_civil`.
    #[must_use]
    pub fn since_1970(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let is_before_march = self.month < 3;
        let year = i64::from(self.year).saturating_sub(i64::from(is_before_march));
        let from_march = if is_before_march {
            month.saturating_add(9)
        } else {
            month.saturating_sub(3)
        };
        // Five months from March on have 153 days.
        let of_year = from_march
            .saturating_mul(153)
            .saturating_add(2)
            .div_euclid(5)
            .saturating_add(day)
            .saturating_sub(1);
        let leap_days = year
            .div_euclid(4)
            .saturating_sub(year.div_euclid(100))
            .saturating_add(year.div_euclid(400));
        year.saturating_mul(365)
            .saturating_add(leap_days)
            .saturating_add(of_year)
            .saturating_sub(719_468)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A currency that ISO 4217 has withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WithdrawnCurrency {
    pub(super) code: &'static str,
    pub(super) exponent: u8,
    /// The first day on which the currency no longer existed.
    pub(super) since: Day,
}

const fn row(code: &'static str, exponent: u8, since: (u16, u8, u8)) -> WithdrawnCurrency {
    WithdrawnCurrency {
        code,
        exponent,
        since: Day::new(since.0, since.1, since.2),
    }
}

/// The withdrawn currencies, in the order of their codes.
pub(super) const WITHDRAWN: [WithdrawnCurrency; 52] = [
    row("ADP", 0, (2003, 8, 1)),
    row("AFA", 2, (2003, 2, 1)),
    row("ANG", 2, (2025, 3, 31)),
    row("ATS", 2, (2002, 3, 1)),
    row("AYM", 2, (2005, 11, 1)),
    row("AZM", 2, (2006, 1, 1)),
    row("BEF", 0, (2002, 3, 1)),
    row("BGL", 2, (2003, 12, 1)),
    row("BGN", 2, (2026, 1, 1)),
    row("BYB", 0, (2001, 2, 1)),
    row("BYR", 0, (2017, 1, 1)),
    row("CSD", 2, (2006, 11, 1)),
    row("CUC", 2, (2021, 7, 1)),
    row("CYP", 2, (2008, 1, 1)),
    row("DEM", 2, (2002, 3, 1)),
    row("EEK", 2, (2011, 1, 1)),
    row("ESP", 0, (2002, 3, 1)),
    row("FIM", 2, (2002, 3, 1)),
    row("FRF", 2, (2002, 3, 1)),
    row("GHC", 2, (2008, 1, 1)),
    row("GRD", 0, (2002, 3, 1)),
    row("GWP", 2, (1997, 6, 1)),
    row("HRK", 2, (2023, 1, 1)),
    row("IEP", 2, (2002, 3, 1)),
    row("ITL", 0, (2002, 3, 1)),
    row("LTL", 2, (2015, 1, 1)),
    row("LUF", 0, (2002, 3, 1)),
    row("LVL", 2, (2014, 1, 1)),
    row("MGF", 0, (2005, 1, 1)),
    row("MRO", 2, (2018, 1, 1)),
    row("MTL", 2, (2008, 1, 1)),
    row("MZM", 2, (2006, 7, 1)),
    row("NLG", 2, (2002, 3, 1)),
    row("PTE", 0, (2002, 3, 1)),
    row("RUR", 2, (2004, 2, 1)),
    row("SDD", 2, (2007, 8, 1)),
    row("SIT", 2, (2007, 1, 1)),
    row("SKK", 2, (2009, 1, 1)),
    row("SLL", 2, (2024, 1, 1)),
    row("SRG", 2, (2004, 1, 1)),
    row("STD", 2, (2018, 1, 1)),
    row("TMM", 2, (2009, 2, 1)),
    row("TPE", 0, (2002, 12, 1)),
    row("TRL", 0, (2006, 1, 1)),
    row("USS", 2, (2014, 4, 1)),
    row("VEB", 2, (2008, 1, 1)),
    row("VEF", 2, (2018, 8, 20)),
    row("YUM", 2, (2003, 8, 1)),
    row("ZMK", 2, (2013, 1, 1)),
    row("ZWD", 2, (2008, 9, 1)),
    row("ZWL", 2, (2024, 9, 1)),
    row("ZWR", 2, (2009, 7, 1)),
];

/// Withdrawn codes whose minor unit is not certain or that never had one, in order. Old documents still use them,
/// so none of them may ever be a custom asset.
pub(super) const WITHOUT_MINOR_UNIT: [&str; 77] = [
    "ALK", "AOK", "AON", "AOR", "ARA", "ARP", "ARY", "BAD", "BEC", "BEL", "BGJ", "BGK", "BOP",
    "BRB", "BRC", "BRE", "BRN", "BRR", "BUK", "CHC", "CSJ", "CSK", "DDM", "ECS", "ECV", "ESA",
    "ESB", "GEK", "GHP", "GNE", "GNS", "GQE", "GWE", "HRD", "ILP", "ILR", "ISJ", "LAJ", "LSM",
    "LTT", "LUC", "LUL", "LVR", "MLF", "MTP", "MVQ", "MXP", "MZE", "NIC", "PEH", "PEI", "PES",
    "PLZ", "RHD", "ROK", "ROL", "SDP", "SUR", "TJR", "UAK", "UGS", "UGW", "UYN", "UYP", "VNC",
    "XEU", "XFO", "XFU", "XRE", "YDD", "YUD", "YUN", "ZAL", "ZRN", "ZRZ", "ZWC", "ZWN",
];

/// The withdrawn currency with this code.
pub(super) fn find(code: &str) -> Option<&'static WithdrawnCurrency> {
    let found = WITHDRAWN.binary_search_by(|row| row.code.cmp(code));
    found.ok().and_then(|at| WITHDRAWN.get(at))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::{AssetError, Currency, CurrencyError};

    /// Every withdrawn currency as it must stay for ever: code, decimal places, first day without it.
    const ALL: &str = "ADP 0 2003-08-01 · AFA 2 2003-02-01 · ANG 2 2025-03-31 · ATS 2 2002-03-01 · \
        AYM 2 2005-11-01 · AZM 2 2006-01-01 · BEF 0 2002-03-01 · BGL 2 2003-12-01 · \
        BGN 2 2026-01-01 · BYB 0 2001-02-01 · BYR 0 2017-01-01 · CSD 2 2006-11-01 · \
        CUC 2 2021-07-01 · CYP 2 2008-01-01 · DEM 2 2002-03-01 · EEK 2 2011-01-01 · \
        ESP 0 2002-03-01 · FIM 2 2002-03-01 · FRF 2 2002-03-01 · GHC 2 2008-01-01 · \
        GRD 0 2002-03-01 · GWP 2 1997-06-01 · HRK 2 2023-01-01 · IEP 2 2002-03-01 · \
        ITL 0 2002-03-01 · LTL 2 2015-01-01 · LUF 0 2002-03-01 · LVL 2 2014-01-01 · \
        MGF 0 2005-01-01 · MRO 2 2018-01-01 · MTL 2 2008-01-01 · MZM 2 2006-07-01 · \
        NLG 2 2002-03-01 · PTE 0 2002-03-01 · RUR 2 2004-02-01 · SDD 2 2007-08-01 · \
        SIT 2 2007-01-01 · SKK 2 2009-01-01 · SLL 2 2024-01-01 · SRG 2 2004-01-01 · \
        STD 2 2018-01-01 · TMM 2 2009-02-01 · TPE 0 2002-12-01 · TRL 0 2006-01-01 · \
        USS 2 2014-04-01 · VEB 2 2008-01-01 · VEF 2 2018-08-20 · YUM 2 2003-08-01 · \
        ZMK 2 2013-01-01 · ZWD 2 2008-09-01 · ZWL 2 2024-09-01 · ZWR 2 2009-07-01";

    #[test]
    fn every_withdrawn_currency_is_read_with_its_exponent_and_its_end() {
        let told = ALL.split(" · ");
        for (told, row) in told.clone().zip(&WITHDRAWN) {
            let currency = Currency::from_code(row.code).unwrap();
            let since = currency.withdrawn_since().unwrap();
            let found = format!("{currency} {} {since}", currency.exponent());
            assert_eq!(found, told);
            assert!(!currency.is_custom());
            assert_eq!(Currency::from_stored(&currency.stored()), Ok(currency));
            let asset = Currency::custom(row.code, currency.exponent());
            assert_eq!(asset, Err(AssetError::TakenByIso), "{currency}");
        }
        assert_eq!(told.count(), WITHDRAWN.len());
        assert!(WITHDRAWN.is_sorted_by(|one, other| one.code < other.code));
    }

    #[test]
    fn a_withdrawn_code_without_a_certain_minor_unit_is_neither_a_currency_nor_an_asset() {
        assert!(WITHOUT_MINOR_UNIT.is_sorted());
        for code in WITHOUT_MINOR_UNIT {
            assert_eq!(find(code), None, "{code}");
            let currency = Currency::from_code(code);
            assert_eq!(currency, Err(CurrencyError::NoMinorUnit), "{code}");
            assert_eq!(Currency::custom(code, 2), Err(AssetError::TakenByIso));
        }
    }

    #[test]
    fn what_the_library_still_lists_of_them_it_lists_alike() {
        for row in WITHDRAWN {
            let listed = iso_currency::Currency::from_code(row.code);
            let exponent = listed.and_then(iso_currency::Currency::exponent);
            let is_alike = exponent.is_none_or(|exponent| exponent == u16::from(row.exponent));
            assert!(is_alike, "{}", row.code);
        }
        // All currencies that the library counts as superseded are in the table, except the bolívar, which ISO 4217
        // lists under both of its codes.
        for code in ["BGN", "CUC", "HRK", "SLL", "ZWL"] {
            assert!(find(code).is_some(), "{code}");
        }
        for code in ["EUR", "VES", "VED", "XCG", "SLE", "ZWG", "TRY", "RON"] {
            assert_eq!(find(code), None, "{code}");
        }
    }

    #[test]
    fn a_day_is_counted_from_1970() {
        for (day, expected) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2023, 1, 1), 19_358),
            ((2026, 1, 1), 20_454),
            ((1900, 3, 1), -25_508),
        ] {
            let day = Day::new(day.0, day.1, day.2);
            assert_eq!(day.since_1970(), expected, "{day}");
        }
    }
}
