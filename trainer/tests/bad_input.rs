//! Bad input is refused with the file, the line, the value and the way out.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tinderbox_trainer::data::{ReadError, Source, read};

/// Reads `bytes` as the file of ratings called `name`.
fn read_ratings(name: &str, bytes: &[u8]) -> Result<(), ReadError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ratings = directory.path().join(name);
    fs::write(&ratings, bytes).expect("a file in it");
    read(&Source { ratings, ..Source::default() }).map(drop)
}

#[test]
fn bad_ratings_are_refused_with_line_and_value() {
    const CSV: &[(&[u8], &str)] = &[
        (b"", "ratings.csv: is empty"),
        (b"\n\r\n", "ratings.csv: is empty"),
        (b"\xef\xbb\xbf", "ratings.csv: is empty"),
        (b"user,item,rating\n", "ratings.csv: has a header and no rows"),
        (b"user,item,rating\na,x,NaN\n", "line 2: the rating \"NaN\" is not finite"),
        (b"user,item,rating\na,x,inf\n", "line 2: the rating \"inf\" is not finite"),
        (b"user,item,rating\na,x,1e99\n", "line 2: the rating \"1e99\" is not finite"),
        (b"user,item,rating\na,x,4\n\nb,x,good\n", "line 4: the rating \"good\" is not a number"),
        (b"user,item,rating\na,x,\n", "line 2: the rating \"\" is not a number"),
        (b"user,item,rating\na,x,\"4,5\"\n", "line 2: the rating \"4,5\" is not a number"),
        (
            b"user,item,rating\na,x,7\n",
            "line 2: the rating \"7\" is outside 0.5 to 5; set the scale with --scale",
        ),
        (b"user,item,rating\na,x,0\n", "line 2: the rating \"0\" is outside 0.5 to 5"),
        (b"user,item,rating\na,x\n", "line 2: 2 cells, expected 3"),
        (b"user,item,rating\na,x,4\na,y,4,4\n", "line 3: 4 cells, expected 3"),
        (b"user,item\n,x\n", "line 2: the user is empty"),
        (b"user,movieId\na,\n", "line 2: the movieId is empty"),
        (
            b"who,item\na,x\n",
            "no column \"user\"; found: who, item; add a header, or name the column with --user-column",
        ),
        (b"1,31,2.5\n1,32,4\n", "no column \"user\"; found: 1, 31, 2.5"),
        (b"user,item\na,\"x\nb,y\nc,z\n", "line 2: a quote opens here and nothing closes it"),
        (b"user,item\na,x\nb,\"y\"z\"\n", "line 3: text follows a closing quote: \"z\\\"\""),
        (b"user,item,timestamp\na,x,today\n", "line 2: the timestamp \"today\" is not a number"),
        (b"user,item,timestamp\na,x,nan\n", "line 2: the timestamp \"nan\" is not a number"),
        (b"\xff\xfeu\0s\0e\0r\0", "is UTF-16; save it as UTF-8"),
        (b"\xfe\xff\0u\0s\0e\0r", "is UTF-16; save it as UTF-8"),
        (b"u\0s\0e\0r\0,\0", "is UTF-16; save it as UTF-8"),
        (b"user,item\na,x\0\n", "is not text"),
        (b"\x1f\x8b\x08\x08user", "is not text (binary or compressed); unpack it"),
        (b"PK\x03\x04ratings.csv", "is not text (binary or compressed); unpack it"),
    ];
    for (bytes, expected) in CSV {
        let message = read_ratings("ratings.csv", bytes).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}

#[test]
fn every_format_names_the_line() {
    const FILES: &[(&str, &[u8], &str)] = &[
        ("u.data", b"1\t2\t3\t4\n1\t2\t9\t4\n", "u.data, line 2: the rating \"9\" is outside"),
        ("u.data", b"1\t2\t3\n", "u.data, line 1: 3 cells, expected 4"),
        ("ratings.dat", b"1::2::3::4\n1::2::3::4::5\n", "ratings.dat, line 2: 5 cells, expected 4"),
        ("a.inter", b"user_id:token\titem_id:token\n1\t2\t3\n", "a.inter, line 2: 3 cells, expected 2"),
        ("a.inter", b"user_id:token\trating:float\n1\t2\n", "no column \"item\"; found: user_id, rating"),
        ("a.tsv", b"user\titem\trating\n1\t2\tx\n", "a.tsv, line 2: the rating \"x\" is not a number"),
    ];
    for (name, bytes, expected) in FILES {
        let message = read_ratings(name, bytes).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}

#[test]
fn odd_but_sound_files_are_read() {
    const FILES: &[(&str, &[u8])] = &[
        ("ratings.csv", b"\xef\xbb\xbfuser,item,rating\r\na,\"x, y\",4\r\n"),
        ("ratings.csv", b"userId;movieId;rating;timestamp\n1;2;4.5;1.2e9"),
        ("ratings.csv", b"user,item\nMis\xe9rables,x\n"),
        ("ratings.csv", b"\"user\",\"item\"\n\"a \"\"b\"\"\",\"x\ny\"\n"),
        ("ratings", b"user\titem\n1\t2\n"),
        ("u.data", b"1\t\"2\t3\t4\n"),
    ];
    for (name, bytes) in FILES {
        read_ratings(name, bytes).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn long_ids_are_refused_and_shown_by_their_length() {
    let text = format!("user,item\n{},x\n", "a".repeat(5000));
    let message = read_ratings("ratings.csv", text.as_bytes()).unwrap_err().to_string();
    assert!(message.contains("line 2: the user has 5000 bytes, at most 4096 are taken"), "{message}");
    assert!(message.len() < 300);
}

#[test]
fn a_missing_file_and_a_directory_are_told_apart() {
    let message = |path: &Path| {
        read(&Source { ratings: path.to_owned(), ..Source::default() }).unwrap_err().to_string()
    };
    let directory = tempfile::tempdir().unwrap();
    assert!(message(directory.path()).contains("is a directory"));
    assert!(message(&directory.path().join("none.csv")).contains("none.csv: cannot be read: No such file"));
}

#[test]
fn bad_feature_files_are_refused_by_their_own_name() {
    const ITEMS: &[(&[u8], &str)] = &[
        (b"", "items.csv: is empty"),
        (b"title,genre\nA,B\n", "items.csv: no column \"item\"; found: title, genre"),
        (b"item,title\n,A\n", "items.csv, line 2: the item is empty"),
        (b"item,title\nx,A,B\n", "items.csv, line 2: 3 cells, expected 2"),
        (b"item,title\nx,\"A\n", "items.csv, line 2: a quote opens here"),
    ];
    for (bytes, expected) in ITEMS {
        let directory = tempfile::tempdir().unwrap();
        let (ratings, items) = (directory.path().join("ratings.csv"), directory.path().join("items.csv"));
        fs::write(&ratings, "user,item\na,x\n").unwrap();
        fs::write(&items, bytes).unwrap();
        let error = read(&Source { ratings, items: Some(items), ..Source::default() }).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error} lacks {expected:?}");
    }
}

/// Names that between them reach every layout.
const NAMES: [&str; 5] = ["ratings.csv", "u.data", "ratings.dat", "a.inter", "a.tsv"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_reading_panic(
        name in prop::sample::select(&NAMES),
        header in "(user_id:token\titem_id:token\trating:float\n|user,item,rating,timestamp\n|)",
        text in "([a-c0-5:.,;|\t\"é-]{0,12}(\r\n|\n|\r)){0,6}",
    ) {
        let _ = read_ratings(name, (header + &text).as_bytes());
    }

    #[test]
    fn no_bytes_make_reading_panic(
        name in prop::sample::select(&NAMES),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let _ = read_ratings(name, &bytes);
    }

    #[test]
    fn no_feature_file_makes_reading_panic(
        names in prop::sample::select(&[("u.data", "u.item"), ("u.data", "movies.dat"), ("a.inter", "a.item"), ("r.csv", "i.csv")]),
        text in "(item_id:token\tage:float\n|item,age,title\n|)([a-c0-5:.,;|\t\"é()-]{0,12}(\r\n|\n)){0,9}",
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (ratings, items) = (directory.path().join(names.0), directory.path().join(names.1));
        let rows: &[u8] = match names.0 {
            "u.data" => b"1\t2\t3\t4\n",
            "a.inter" => b"user_id:token\titem_id:token\n1\t2\n",
            _ => b"user,item\n1,2\n",
        };
        fs::write(&ratings, rows).unwrap();
        fs::write(&items, text).unwrap();
        let _ = read(&Source { ratings, items: Some(items), ..Source::default() });
    }
}
