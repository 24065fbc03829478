//! Fetching MovieLens-100K, which may be used but not shipped with this project.
//!
//! Two ways lead to the same three files. RecBole's wheel carries them, and `pip` knows where wheels are.
//! GroupLens' own archive is converted: the ratings are the same, byte for byte.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::features::year_of_title;
use super::movielens::GENRES;

/// Under which conditions the data set may be used, in short; its README has them in full.
pub const TERMS: &str = "\
MovieLens-100K is by the GroupLens Research Project, University of Minnesota. It may be used for research, on
these conditions: do not state or imply an endorsement by the University of Minnesota or GroupLens; acknowledge
the data set in publications; do not redistribute it without separate permission; do not use it for commercial
or revenue-bearing purposes without permission from GroupLens. It comes without any warranty.
Cite: F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context.
ACM Transactions on Interactive Intelligent Systems 5(4), 19. https://doi.org/10.1145/2827872";

const WHEEL: &str = "recbole==1.2.1";
const WHEEL_PREFIX: &str = "recbole/dataset_example/ml-100k/ml-100k";
/// The files, in the order in which they appear in the directory: the ratings, by which the data set is
/// recognised, come last.
const ENDINGS: [&str; 3] = ["item", "user", "inter"];

/// SHA-256 of the file of ratings without its header, which is GroupLens' `u.data`.
const RATINGS_SHA256: &str = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490";
/// Rows below the header, as [`ENDINGS`].
const ROWS: [usize; 3] = [1682, 943, 100_000];
/// No file is larger; what claims to be is not the data set.
const MAX_BYTES: u64 = 16 << 20;

/// The file headers, as [`ENDINGS`].
const HEADERS: [&str; 3] = [
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n",
    "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n",
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n",
];

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where the three files are.
    pub directory: PathBuf,
    /// Where they came from.
    pub origin: Origin,
}

/// Where the files came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They were there.
    Present,
    /// RecBole's wheel.
    Wheel,
    /// GroupLens' archive.
    Archive,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match self.origin {
            Origin::Present => "already there, checked, nothing done",
            Origin::Wheel => "taken out of RecBole's wheel and checked",
            Origin::Archive => "converted from GroupLens' archive and checked",
        };
        writeln!(f, "{}: MovieLens-100K, {done}", self.directory.display())?;
        write!(f, "{TERMS}")
    }
}

/// Why the data set could not be fetched. Nothing half-written is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No pip, or it found no wheel.
    #[error(
        "pip could not download {WHEEL}: {0}; download ml-100k.zip from \
             https://grouplens.org/datasets/movielens/100k/ and name it with --from"
    )]
    Pip(String),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not an archive, or a damaged one.
    #[error("{}: {source}; --from takes GroupLens' ml-100k.zip or RecBole's wheel", path.display())]
    Zip {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: zip::result::ZipError,
    },
    /// Not the data set that is known by its size and hash.
    #[error("{what}: expected {expected}, found {found}; download it again")]
    Mismatch {
        /// What was checked.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// Leaves `ml-100k.inter`, `ml-100k.item` and `ml-100k.user` in `directory/ml-100k`, checked by their row
/// counts and the hash of the ratings. Without `from`, `pip` downloads the wheel that holds them (2 MB); with
/// it, they come from that wheel or from GroupLens' `ml-100k.zip`. Files that are there and right are left
/// alone.
pub fn fetch_ml_100k(directory: &Path, from: Option<&Path>) -> Result<Fetched, FetchError> {
    let target = directory.join("ml-100k");
    if is_present(&target) {
        return Ok(Fetched { directory: target, origin: Origin::Present });
    }
    fs::create_dir_all(directory).map_err(|source| failed(directory, source))?;
    // A sibling, so that the files can be moved by renaming.
    let temporary = tempfile::tempdir_in(directory).map_err(|source| failed(directory, source))?;
    let downloaded;
    let archive = match from {
        Some(path) => path,
        None => {
            downloaded = download(temporary.path())?;
            &downloaded
        }
    };
    let (texts, origin) = unpack(archive)?;
    check(&texts)?;
    install(&texts, temporary.path(), &target)?;
    Ok(Fetched { directory: target, origin })
}

/// The three files, as [`ENDINGS`].
type Texts = [String; 3];

fn file_name(ending: &str) -> String {
    format!("ml-100k.{ending}")
}

fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::Io { path: path.to_owned(), source }
}

fn is_present(target: &Path) -> bool {
    let text = |ending| fs::read_to_string(target.join(file_name(ending)));
    match (text(ENDINGS[0]), text(ENDINGS[1]), text(ENDINGS[2])) {
        (Ok(items), Ok(users), Ok(ratings)) => check(&[items, users, ratings]).is_ok(),
        _ => false,
    }
}

/// Downloads the wheel by whichever pip there is.
fn download(directory: &Path) -> Result<PathBuf, FetchError> {
    const PIPS: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];
    let mut reasons = Vec::new();
    for pip in PIPS {
        let mut command = Command::new(pip[0]);
        command.args(&pip[1..]).args(["download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        command.args(["--no-cache-dir", "--only-binary=:all:", WHEEL, "--dest"]).arg(directory);
        match command.output() {
            Ok(output) if output.status.success() => return wheel_in(directory),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                reasons
                    .push(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned());
            }
            Err(error) => reasons.push(format!("{}: {error}", pip[0])),
        }
    }
    reasons.dedup();
    Err(FetchError::Pip(reasons.join("; ")))
}

fn wheel_in(directory: &Path) -> Result<PathBuf, FetchError> {
    let files = fs::read_dir(directory).map_err(|source| failed(directory, source))?;
    files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .ok_or_else(|| FetchError::Pip("it left no wheel".to_owned()))
}

fn unpack(path: &Path) -> Result<(Texts, Origin), FetchError> {
    let file = fs::File::open(path).map_err(|source| failed(path, source))?;
    let bad = |source| FetchError::Zip { path: path.to_owned(), source };
    let mut archive = ZipArchive::new(file).map_err(bad)?;
    let mut entry = |name: &str| -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        let entry = archive.by_name(name).map_err(bad)?;
        entry.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|source| failed(path, source))?;
        Ok(bytes)
    };
    if let Ok(ratings) = entry("ml-100k/u.data") {
        let (items, users) = (entry("ml-100k/u.item")?, entry("ml-100k/u.user")?);
        return Ok((convert(&latin_1(&items), &latin_1(&users), &latin_1(&ratings)), Origin::Archive));
    }
    let mut texts = Texts::default();
    for (text, ending) in texts.iter_mut().zip(ENDINGS) {
        *text = String::from_utf8_lossy(&entry(&format!("{WHEEL_PREFIX}.{ending}"))?).into_owned();
    }
    Ok((texts, Origin::Wheel))
}

fn latin_1(bytes: &[u8]) -> String {
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

/// GroupLens' files as RecBole's: titles without year, genres by name.
fn convert(items: &str, users: &str, ratings: &str) -> Texts {
    let items = items.lines().map(convert_item).collect::<String>();
    let users = users.lines().map(|line| line.replace('|', "\t") + "\n").collect::<String>();
    [HEADERS[0].to_owned() + &items, HEADERS[1].to_owned() + &users, HEADERS[2].to_owned() + ratings]
}

/// `id|title (year)|release date|…|flags` as `id title year genres`. The year is the title's; a title
/// without one leaves that of the release date.
fn convert_item(line: &str) -> String {
    let cells: Vec<&str> = line.split('|').collect();
    let [id, title, date, _, _, flags @ ..] = cells.as_slice() else { return format!("{line}\n") };
    let year = year_of_title(title).map(|year| year.to_string());
    let bare = if year.is_some() {
        title.rsplit_once('(').map_or(*title, |(bare, _)| bare.trim_end())
    } else {
        title
    };
    let year = year.unwrap_or_else(|| date.rsplit('-').next().unwrap_or_default().to_owned());
    let genres: Vec<&str> =
        GENRES.iter().zip(flags).filter(|(_, flag)| flag.trim() == "1").map(|(genre, _)| *genre).collect();
    format!("{id}\t{bare}\t{year}\t{}\n", genres.join(" "))
}

/// The headers, the number of rows, and the hash of the ratings.
fn check(texts: &Texts) -> Result<(), FetchError> {
    const WHAT: [&str; 3] = ["rows of items", "rows of users", "rows of ratings"];
    for (((text, header), expected), what) in texts.iter().zip(HEADERS).zip(ROWS).zip(WHAT) {
        let found = text.strip_prefix(header).map_or(0, |rows| rows.lines().count());
        if found != expected {
            return Err(FetchError::Mismatch {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
    }
    let found = sha256(&texts[2][HEADERS[2].len()..]);
    if found != RATINGS_SHA256 {
        return Err(FetchError::Mismatch {
            what: "SHA-256 of the ratings",
            expected: RATINGS_SHA256.to_owned(),
            found,
        });
    }
    Ok(())
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the files beside the target and renames them into it, the ratings last: a directory without them
/// is no data set.
fn install(texts: &Texts, temporary: &Path, target: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(target).map_err(|source| failed(target, source))?;
    for (text, ending) in texts.iter().zip(ENDINGS) {
        let path = temporary.join(file_name(ending));
        fs::write(&path, text).map_err(|source| failed(&path, source))?;
    }
    for ending in ENDINGS {
        let path = target.join(file_name(ending));
        fs::rename(temporary.join(file_name(ending)), &path).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::write::SimpleFileOptions;

    fn archive(directory: &Path, files: &[(&str, &[u8])]) -> PathBuf {
        let path = directory.join("archive.zip");
        let mut writer = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[test]
    fn items_are_converted_to_recboles_form() {
        let flags = |genres: &[usize]| {
            (0..19).map(|g| if genres.contains(&g) { "|1" } else { "|0" }).collect::<String>()
        };
        let line = format!("543|Misérables, Les (1995)|01-Jan-1995||http://x{}", flags(&[8, 12]));
        assert_eq!(convert_item(&line), "543\tMisérables, Les\t1995\tDrama Musical\n");
        let line = format!("11|Seven (Se7en) (1995)|01-Jan-1995||http://x{}", flags(&[6]));
        assert_eq!(convert_item(&line), "11\tSeven (Se7en)\t1995\tCrime\n");
        let line = format!("1412|Land Before Time III (V)|01-Jan-1995||http://x{}", flags(&[3]));
        assert_eq!(convert_item(&line), "1412\tLand Before Time III (V)\t1995\tAnimation\n");
        assert_eq!(
            convert_item(&format!("267|unknown||||{}", &flags(&[0])[1..])),
            "267\tunknown\t\tunknown\n"
        );
    }

    #[test]
    fn another_data_set_is_refused_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 3] = [
            ("ml-100k/u.data", b"1\t1\t5\t1\n"),
            ("ml-100k/u.item", b"1|A (1990)|\n"),
            ("ml-100k/u.user", b"1|2\n"),
        ];
        let path = archive(directory.path(), &files);
        let out = directory.path().join("out");
        let error = fetch_ml_100k(&out, Some(&path)).unwrap_err();
        assert!(error.to_string().starts_with("rows of items: expected 1682, found 1"), "{error}");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_archive_of_the_data_set_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = archive(directory.path(), &[("readme", b"x")]);
        assert!(matches!(fetch_ml_100k(directory.path(), Some(&path)), Err(FetchError::Zip { .. })));
        fs::write(&path, "no archive").unwrap();
        assert!(matches!(fetch_ml_100k(directory.path(), Some(&path)), Err(FetchError::Zip { .. })));
        assert!(matches!(
            fetch_ml_100k(directory.path(), Some(Path::new("/nowhere"))),
            Err(FetchError::Io { .. })
        ));
    }

    #[test]
    fn wrong_ratings_are_noticed_by_their_hash() {
        let rows = |count: usize, row: &str| row.repeat(count);
        let texts = [
            HEADERS[0].to_owned() + &rows(ROWS[0], "1\tA\t1990\tDrama\n"),
            HEADERS[1].to_owned() + &rows(ROWS[1], "1\t2\tF\tother\t0\n"),
            HEADERS[2].to_owned() + &rows(ROWS[2], "1\t1\t5\t1\n"),
        ];
        assert!(check(&texts).unwrap_err().to_string().starts_with("SHA-256"));
    }
}
