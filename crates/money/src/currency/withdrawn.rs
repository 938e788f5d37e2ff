//! Codes that ISO 4217 has taken back, and that `iso_currency` no longer lists.

/// ISO 4217, list three (historic denominations), in order. Old papers still use these codes, so that
/// they must never mean an asset of somebody's own.
pub(super) const WITHDRAWN: [&str; 124] = [
    "ADP", "AFA", "ALK", "ANG", "AOK", "AON", "AOR", "ARA", "ARP", "ARY", "ATS", "AYM", "AZM",
    "BAD", "BEC", "BEF", "BEL", "BGJ", "BGK", "BGL", "BOP", "BRB", "BRC", "BRE", "BRN", "BRR",
    "BUK", "BYB", "BYR", "CHC", "CSD", "CSJ", "CSK", "CYP", "DDM", "DEM", "ECS", "ECV", "EEK",
    "ESA", "ESB", "ESP", "FIM", "FRF", "GEK", "GHC", "GHP", "GNE", "GNS", "GQE", "GRD", "GWE",
    "GWP", "HRD", "IEP", "ILP", "ILR", "ISJ", "ITL", "LAJ", "LSM", "LTL", "LTT", "LUC", "LUF",
    "LUL", "LVL", "LVR", "MGF", "MLF", "MRO", "MTL", "MTP", "MVQ", "MXP", "MZE", "MZM", "NIC",
    "NLG", "PEH", "PEI", "PES", "PLZ", "PTE", "RHD", "ROK", "ROL", "RUR", "SDD", "SDP", "SIT",
    "SKK", "SRG", "STD", "SUR", "TJR", "TMM", "TPE", "TRL", "UAK", "UGS", "UGW", "USS", "UYN",
    "UYP", "VEB", "VEF", "VNC", "XEU", "XFO", "XFU", "XRE", "YDD", "YUD", "YUM", "YUN", "ZAL",
    "ZMK", "ZRN", "ZRZ", "ZWC", "ZWD", "ZWN", "ZWR",
];

#[cfg(test)]
mod tests {
    use super::WITHDRAWN;
    use crate::Currency;

    #[test]
    fn the_withdrawn_codes_are_in_order_and_no_longer_listed() {
        assert!(WITHDRAWN.is_sorted());
        for code in WITHDRAWN {
            assert!(Currency::from_code(code).is_err(), "{code}");
        }
    }
}
