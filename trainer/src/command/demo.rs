//! `trainer demo`.

use std::future::ready;
use std::io::{Write, stdout};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use clap::Args;
use tokio::net::TcpListener;

use super::model::read_model;

/// Show what a model file recommends, on a page in the browser
///
/// The page ranks by itself: it gets the engine as WebAssembly and the model file, and then works without this command,
/// even offline. Nobody but this machine is listened to. Ctrl-C ends it.
#[derive(Args)]
#[command(
    after_help = "Example:\n  trainer demo movies.tbx --credit 'MovieLens 100K, GroupLens: not for commercial use'"
)]
pub(crate) struct Demo {
    /// The model file
    file: PathBuf,

    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8731)]
    port: u16,

    /// A line for the foot of the page: where the data is from, and its licence
    #[arg(long, value_name = "TEXT", default_value = "")]
    credit: String,
}

/// A file of the page: its path and what is in it.
macro_rules! page {
    ($($path:literal)*) => { &[$(($path, include_bytes!(concat!("../../../bindings/wasm", $path)))),*] };
}

/// The package and the page as they stand in `bindings/wasm`, under the paths that they have there.
const PAGE: &[(&str, &[u8])] = page! {
    "/demo/answers.js"
    "/demo/app.js"
    "/demo/icon.svg"
    "/demo/index.html"
    "/demo/manifest.webmanifest"
    "/demo/recommender.js"
    "/demo/style.css"
    "/demo/sw.js"
    "/demo/view.js"
    "/demo/words.js"
    "/js/engine.js"
    "/js/words.js"
    "/js/index.js"
    "/js/load.js"
    "/js/memory.js"
    "/js/model.js"
    "/js/session.js"
    "/js/tinderbox-simd128.wasm"
    "/js/tinderbox.wasm"
};

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        let file = read_model(&self.file)?;
        let context = || self.file.display().to_string();
        file.model().with_context(context)?.verify().with_context(context)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(self.serve(Bytes::copy_from_slice(file.bytes())))
    }

    async fn serve(self, model: Bytes) -> Result<()> {
        let port = self.port;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("port {port}: another is chosen by --port, a free one by --port 0"))?;
        let address = listener.local_addr()?;
        let credit = Bytes::from(self.credit);
        let site = Arc::new(Site { model, credit });
        let answer = move |method: Method, uri: Uri| ready(site.answer(&method, uri.path()));
        writeln!(stdout(), "http://{address}/")?;
        Ok(axum::serve(listener, Router::new().fallback(answer)).await?)
    }
}

/// What is served beside [`PAGE`].
struct Site {
    model: Bytes,
    credit: Bytes,
}

type Answer = Response<Body>;

impl Site {
    fn answer(&self, method: &Method, path: &str) -> Answer {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let known =
            |path| PAGE.iter().find(|(known, _)| *known == path).map(|(_, bytes)| Bytes::from_static(bytes));
        match path {
            "/" | "/demo" => with_headers(empty(StatusCode::FOUND), [(header::LOCATION, "/demo/")]),
            "/demo/" => found("/demo/index.html", known("/demo/index.html").unwrap_or_default()),
            "/demo/model.tbx" => found(path, self.model.clone()),
            "/demo/credit.txt" => found(path, self.credit.clone()),
            path => known(path).map_or_else(|| empty(StatusCode::NOT_FOUND), |bytes| found(path, bytes)),
        }
    }
}

fn found(path: &str, bytes: Bytes) -> Answer {
    let headers = [
        (header::CONTENT_TYPE, media_type(path)),
        // Another model may be served on this port next.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An isolated page has a clock that tells microseconds.
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    ];
    with_headers(Response::new(Body::from(bytes)), headers)
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

fn with_headers<const COUNT: usize>(
    mut answer: Answer,
    headers: [(HeaderName, &'static str); COUNT],
) -> Answer {
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    answer.headers_mut().extend(headers);
    answer
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
