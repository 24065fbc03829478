//! `trainer demo`.

use std::io::{Write, stdout};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use tinderbox::ModelFile;
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

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
        let file = ModelFile::read(&self.file)?;
        let context = || self.file.display().to_string();
        file.model().with_context(context)?.verify().with_context(context)?;
        let server = self.listen()?;
        writeln!(stdout(), "http://{}/", server.server_addr())?;
        for request in server.incoming_requests() {
            let response = answer(&request, file.bytes(), &self.credit);
            // Whoever asked may be gone already; the next one is served all the same.
            let _ = request.respond(response);
        }
        Ok(())
    }

    fn listen(&self) -> Result<Server> {
        let port = self.port;
        Server::http((Ipv4Addr::LOCALHOST, port)).map_err(|reason| {
            anyhow!("port {port}: {reason}: another is chosen by --port, a free one by --port 0")
        })
    }
}

type Answer = Response<std::io::Cursor<Vec<u8>>>;

fn answer(request: &Request, model: &[u8], credit: &str) -> Answer {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return empty(405);
    }
    let path = request.url().split(['?', '#']).next().unwrap_or_default();
    let known = |path| PAGE.iter().find(|(known, _)| *known == path).map(|(_, bytes)| *bytes);
    match path {
        "/" | "/demo" => empty(302).with_header(header("Location", "/demo/")),
        "/demo/" => found("/demo/index.html", known("/demo/index.html").unwrap_or_default()),
        "/demo/model.tbx" => found(path, model),
        "/demo/credit.txt" => found(path, credit.as_bytes()),
        path => known(path).map_or_else(|| empty(404), |bytes| found(path, bytes)),
    }
}

fn found(path: &str, bytes: &[u8]) -> Answer {
    let mut response = Response::from_data(bytes).with_chunked_threshold(usize::MAX); // the length is known
    for (name, value) in [
        ("Content-Type", media_type(path)),
        // Another model may be served on this port next.
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        // An isolated page has a clock that tells microseconds.
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Embedder-Policy", "require-corp"),
    ] {
        response.add_header(header(name, value));
    }
    response
}

fn empty(status: u16) -> Answer {
    Response::from_data(Vec::new()).with_status_code(StatusCode(status))
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

fn header(name: &'static str, value: &'static str) -> Header {
    Header::from_bytes(name, value).expect("names and values above are ASCII without line breaks")
}
