//! The code of assets.

edge::codes! {
    ASSET_EXISTS: "asset_exists" 409 INVALID_REQUEST NEVER KEPT "There is such an asset already";
}
