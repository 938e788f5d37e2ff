//! A server that reads the body of each POST and answers 200: the floor under a receiver of webhooks, for
//! `tests/performance webhooks`. It has as many threads as the machine has processors, as Florin has.

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

async fn taken(body: Bytes) -> HttpResponse {
    let text = format!(r#"{{"bytes":{}}}"#, body.len());
    HttpResponse::Ok()
        .content_type("application/json")
        .body(text)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let server = HttpServer::new(|| App::new().default_service(web::post().to(taken)));
    let server = server.workers(threads).bind(("127.0.0.1", 0))?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    server.run().await
}
