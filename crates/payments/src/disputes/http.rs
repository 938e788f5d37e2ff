//! `/v1/disputes`.

use edge::Routes;

use super::{DisputeId, rows, show};
use crate::answers;
use crate::shapes;

/// Every route of disputes.
pub(crate) fn routes(r: &mut Routes) {
    r.tag(
        "disputes",
        "Captured money that the payer's bank claims back",
    );
    r.get(
        "/v1/disputes/{id}",
        "getDispute",
        "Reads one dispute.",
        |state, call| answers::one(state, call, rows::dispute, show::dispute),
    )
    .segment("id", shapes::DisputeId::SHAPE, "dp_…")
    .gives::<show::Dispute>(200, "The dispute")
    .refuses(404, "No such dispute", &[]);
    r.get(
        "/v1/disputes",
        "listDisputes",
        "Lists disputes, newest first.",
        |state, call| {
            answers::list(
                state,
                call,
                rows::disputes,
                show::dispute,
                DisputeId::from_bytes,
                |row| row.id.bytes(),
            )
        },
    )
    .page()
    .gives_page::<show::Dispute>("A page of disputes");
}
