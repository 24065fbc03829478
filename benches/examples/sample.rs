//! Writes a made model file, for measuring from other languages: `sample ITEMS DIM FILE [sketched]`.

use std::process::ExitCode;
use tinderbox_benches::{RULES, Sample};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match write(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sample: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(arguments: &[String]) -> Result<(), String> {
    let (make, arguments): (fn(_, _, _) -> _, _) = match arguments {
        [rest @ .., last] if last == "sketched" => (Sample::sketched, rest),
        all => (Sample::made, all),
    };
    let [items, dim, path] = arguments else {
        return Err("usage: sample ITEMS DIM FILE [sketched]".to_owned());
    };
    let number = |text: &String| text.parse().map_err(|error| format!("{text}: {error}"));
    let sample = make(RULES[0], number(items)?, number(dim)?);
    std::fs::write(path, sample.bytes()).map_err(|error| format!("{path}: {error}"))
}
