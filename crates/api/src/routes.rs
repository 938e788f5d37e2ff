//! Every URL.

use actix_web::web::{self, ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse};

use crate::problem::Problem;
use crate::request::answer;
use crate::{accounts, openapi, payments, system, transfers, webhooks};

/// Every URL and what serves it.
pub fn all(app: &mut ServiceConfig) {
    app.service(
        reads_and_posts("/v1/accounts")
            .route(post().to(accounts::open))
            .route(get().to(accounts::list)),
    )
    .service(reads("/v1/accounts/{id}").route(get().to(accounts::read_one)))
    .service(reads("/v1/accounts/{id}/balances").route(get().to(accounts::balances)))
    .service(reads("/v1/accounts/{id}/entries").route(get().to(accounts::entries)))
    .service(posts("/v1/transfers").route(post().to(transfers::create)))
    .service(
        reads_and_posts("/v1/payments")
            .route(post().to(payments::create))
            .route(get().to(payments::list)),
    )
    .service(reads("/v1/payments/{id}").route(get().to(payments::read_one)))
    .service(posts("/v1/payments/{id}/confirm").route(post().to(payments::confirm)))
    .service(posts("/webhooks/{provider}").route(post().to(webhooks::receive)))
    .service(reads("/livez").route(get().to(system::livez)))
    .service(reads("/readyz").route(get().to(system::readyz)))
    .service(reads("/version").route(get().to(system::version)))
    .service(reads("/metrics").route(get().to(system::metrics)))
    .service(reads("/openapi.json").route(get().to(system::openapi_json)))
    .service(openapi::browser())
    .service(web::redirect("/docs", "/docs/"))
    .default_service(web::to(system::not_found));
}

fn reads(path: &str) -> actix_web::Resource {
    resource(path).default_service(web::to(|request| wrong_method(request, "GET")))
}

fn posts(path: &str) -> actix_web::Resource {
    resource(path).default_service(web::to(|request| wrong_method(request, "POST")))
}

fn reads_and_posts(path: &str) -> actix_web::Resource {
    resource(path).default_service(web::to(|request| wrong_method(request, "GET, POST")))
}

async fn wrong_method(request: HttpRequest, allow: &'static str) -> HttpResponse {
    answer(&request, async { Err(Problem::method_not_allowed(allow)) }).await
}
