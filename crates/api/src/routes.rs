//! Every URL.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig, get, patch, post, resource};
use actix_web::{HttpRequest, HttpResponse};

use crate::problem::Problem;
use crate::request::answer;
use crate::{
    accounts, assets, openapi, payments, periods, system, totals, transactions, transfers, webhooks,
};

/// Every URL and what serves it.
pub fn all(app: &mut ServiceConfig) {
    app.service(
        reads_and_posts("/v1/assets")
            .route(post().to(assets::register))
            .route(get().to(assets::list)),
    )
    .service(reads("/v1/assets/{code}").route(get().to(assets::read_one)))
    .service(
        reads_and_posts("/v1/accounts")
            .route(post().to(accounts::open))
            .route(get().to(accounts::list)),
    )
    .service(
        reads_and_patches("/v1/accounts/{id}")
            .route(get().to(accounts::read_one))
            .route(patch().to(accounts::changes::patch)),
    )
    .service(posts("/v1/accounts/{id}/freeze").route(post().to(accounts::changes::freeze)))
    .service(posts("/v1/accounts/{id}/unfreeze").route(post().to(accounts::changes::unfreeze)))
    .service(posts("/v1/accounts/{id}/close").route(post().to(accounts::changes::close)))
    .service(reads("/v1/accounts/{id}/balances").route(get().to(accounts::balances)))
    .service(reads("/v1/accounts/{id}/pending").route(get().to(accounts::pending::list)))
    .service(reads("/v1/accounts/{id}/entries").route(get().to(accounts::entries)))
    .service(reads("/v1/accounts/{id}/balance").route(get().to(accounts::times::balance)))
    .service(reads("/v1/accounts/{id}/statement").route(get().to(accounts::times::statement)))
    .service(reads("/v1/balances").route(get().to(totals::balances)))
    .service(reads("/v1/trial-balance").route(get().to(totals::trial_balance)))
    .service(
        reads_and_posts("/v1/transactions")
            .route(post().to(transactions::create))
            .route(get().to(transactions::search::list)),
    )
    // Before the ids: it is none.
    .service(posts("/v1/transactions/bulk").route(post().to(transactions::bulk)))
    .service(
        reads_and_patches("/v1/transactions/{id}")
            .route(get().to(transactions::read_one))
            .route(patch().to(transactions::metadata::patch)),
    )
    .service(posts("/v1/transactions/{id}/post").route(post().to(transactions::settle)))
    .service(posts("/v1/transactions/{id}/void").route(post().to(transactions::void)))
    .service(posts("/v1/transactions/{id}/reverse").route(post().to(transactions::reverse)))
    .service(posts("/v1/exchanges").route(post().to(transactions::exchanges::create)))
    .service(reads("/v1/exchanges/{id}").route(get().to(transactions::exchanges::read_one)))
    .service(reads("/v1/periods").route(get().to(periods::read)))
    .service(posts("/v1/periods/close").route(post().to(periods::close)))
    .service(posts("/v1/transfers").route(post().to(transfers::create)))
    .service(
        reads_and_posts("/v1/payments")
            .route(post().to(payments::create))
            .route(get().to(payments::list)),
    )
    .service(reads("/v1/payments/{id}").route(get().to(payments::read_one)))
    .service(posts("/v1/payments/{id}/confirm").route(post().to(payments::confirm)))
    .service(posts("/webhooks/{provider}").route(post().to(webhooks::receive)))
    .service(reads("/").route(get().to(system::root)))
    .service(reads("/livez").route(get().to(system::livez)))
    .service(reads("/readyz").route(get().to(system::readyz)))
    .service(reads("/version").route(get().to(system::version)))
    .service(reads("/metrics").route(get().to(system::metrics)))
    .service(reads("/openapi.json").route(get().to(system::openapi_json)))
    .service(openapi::browser())
    // Whatever is not a GET comes past the service above.
    .service(reads("/docs/{page:.*}"))
    .service(web::redirect("/docs", "/docs/"))
    .default_service(web::to(system::not_found));
}

/// What is read can be asked for its head as well: [`crate::request::identify`] makes a GET of it.
fn reads(path: &str) -> actix_web::Resource {
    takes(path, "GET, HEAD, OPTIONS")
}

fn posts(path: &str) -> actix_web::Resource {
    takes(path, "POST, OPTIONS")
}

fn reads_and_posts(path: &str) -> actix_web::Resource {
    takes(path, "GET, HEAD, POST, OPTIONS")
}

fn reads_and_patches(path: &str) -> actix_web::Resource {
    takes(path, "GET, HEAD, PATCH, OPTIONS")
}

fn takes(path: &str, methods: &'static str) -> actix_web::Resource {
    resource(path).default_service(web::to(move |request| other_method(request, methods)))
}

/// Says which methods a resource takes: to whoever asks, and to whoever tries another one.
async fn other_method(request: HttpRequest, methods: &'static str) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return system::options(methods);
    }
    answer(&request, async {
        Err(Problem::method_not_allowed(methods))
    })
    .await
}
