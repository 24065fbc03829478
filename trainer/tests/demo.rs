//! `trainer demo` as a browser meets it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../format/golden/v2-maml.tbx");
const WORKER: &str = include_str!("../../bindings/wasm/demo/sw.js");

/// The command at work, on a port of its own; ended when dropped.
struct Demo {
    child: Child,
    address: String,
}

impl Demo {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trainer"))
            .args(["demo", MODEL, "--port", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// The head, in lower case, and the body of the answer.
    fn ask(&self, method: &str, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head.to_lowercase(), answer[end + 4..].to_vec())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn every_file_that_the_page_keeps_for_offline_is_served_with_its_type() {
    let demo = Demo::start(&[]);
    let listed = WORKER.split_once("const SHELL = [").unwrap().1.split_once("];").unwrap().0;
    let paths: Vec<&str> = listed.split('"').skip(1).step_by(2).collect();
    assert!(paths.len() > 10);
    for path in paths {
        let path = match path.strip_prefix("../") {
            Some(outside) => format!("/{outside}"),
            None => format!("/demo/{}", path.trim_start_matches("./")),
        };
        let (head, body) = demo.ask("GET", &path);
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        let extension = Path::new(&path).extension().map_or("html", |extension| extension.to_str().unwrap());
        let expected = match extension {
            "html" => "text/html",
            "css" => "text/css",
            "js" => "text/javascript",
            "svg" => "image/svg+xml",
            "wasm" => "application/wasm",
            "webmanifest" => "application/manifest+json",
            other => panic!("a type for {other}"),
        };
        assert!(head.contains(&format!("content-type: {expected}")), "{path}: {head}");
        assert!(!body.is_empty(), "{path}");
    }
}

#[test]
fn the_model_and_the_credit_are_those_of_the_command_line() {
    let demo = Demo::start(&["--credit", "made up, for tests: ©"]);
    assert_eq!(demo.ask("GET", "/demo/model.tbx").1, std::fs::read(MODEL).unwrap());
    assert_eq!(demo.ask("GET", "/demo/credit.txt?again").1, "made up, for tests: ©".as_bytes());
    assert!(demo.ask("HEAD", "/demo/model.tbx").1.is_empty());
}

#[test]
fn the_root_leads_to_the_page_and_other_paths_nowhere() {
    let demo = Demo::start(&[]);
    assert!(demo.ask("GET", "/").0.contains("location: /demo/"));
    for path in ["/demo/nothing", "/../Cargo.toml", "/js/../../../Cargo.toml", "//etc/passwd"] {
        assert!(demo.ask("GET", path).0.starts_with("http/1.1 404"), "{path}");
    }
    assert!(demo.ask("POST", "/demo/").0.starts_with("http/1.1 405"));
}

#[test]
fn only_this_machine_is_listened_to() {
    assert!(Demo::start(&[]).address.starts_with("127.0.0.1:"));
}

#[test]
fn a_file_that_is_no_model_is_refused_before_anything_is_served() {
    let output = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["demo", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--port", "0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a model file"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let demo = Demo::start(&[]);
    let (_, port) = demo.address.rsplit_once(':').unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_trainer")).args(["demo", MODEL, "--port", port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--port"));
}

/// A browser opens several connections at once and keeps them: none may wait for another.
#[test]
fn many_connections_are_served_while_all_stay_open() {
    let demo = Demo::start(&[]);
    for _ in 0..20 {
        let mut streams: Vec<TcpStream> =
            (0..16).map(|_| TcpStream::connect(&demo.address).unwrap()).collect();
        for stream in streams.iter_mut().rev() {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            write!(stream, "GET /demo/app.js HTTP/1.1\r\nHost: {}\r\n\r\n", demo.address).unwrap();
            let mut start = [0; 12];
            stream.read_exact(&mut start).unwrap();
            assert_eq!(&start, b"HTTP/1.1 200");
        }
    }
}
