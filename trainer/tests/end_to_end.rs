//! The command line from logs to recommendations, as a script would call it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A directory for one test's files.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A small synthetic world.
    fn world(&self) -> String {
        let world = self.path("world");
        succeed(&["synth", "--users", "120", "--items", "90", "--interactions", "30", "--out", &world]);
        world
    }

    /// A model file fitted on that world in a few epochs.
    fn model(&self) -> String {
        let (world, run, file) = (self.world(), self.path("run"), self.path("model.tbx"));
        succeed(&[
            "fit",
            "--data",
            &world,
            "--learner",
            "maml",
            "--dim",
            "16",
            "--epochs",
            "6",
            "--out",
            &run,
        ]);
        succeed(&["export", &run, "--out", &file]);
        file
    }
}

fn trainer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).args(arguments).output().unwrap()
}

/// What the call prints; fails the test if the call fails.
fn succeed(arguments: &[&str]) -> String {
    let output = trainer(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Fails the test unless the call ends with this exit code and says these words on standard error.
fn refuse(arguments: &[&str], code: i32, words: &[&str]) {
    let output = trainer(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{arguments:?} should say {word:?}: {error}");
    }
}

/// MovieLens 100K, which the repository does not hold.
fn ml_100k() -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ml-100k");
    assert!(
        directory.join("ml-100k.inter").exists(),
        "this test needs MovieLens 100K in ml-100k/ beside Cargo.toml: run `./ci.sh data`"
    );
    directory.to_str().unwrap().to_owned()
}

#[test]
fn progress_for_programs_is_json_on_standard_error() {
    let place = Place::new();
    let (world, run) = (place.world(), place.path("run"));
    let fit = ["fit", "--data", &world, "--learner", "prototypical", "--epochs", "2", "--out", &run];
    let output = trainer(&[&["--progress", "json"], fit.as_slice()].concat());
    assert!(output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    let lines = error.lines().filter(|line| line.starts_with("{\"stage\":"));
    let told: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[0]["stage"], "teacher");
    let epochs: Vec<&Value> = told.iter().filter(|line| line["stage"] == "prototypical").collect();
    assert_eq!(epochs.iter().map(|line| line["epoch"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(epochs.iter().all(|line| line["epochs"] == 2 && line["loss"].as_f64().is_some()));
    assert!(epochs.iter().any(|line| line["validation"].as_f64().is_some()));
    let quiet = trainer(&fit);
    assert!(!String::from_utf8(quiet.stderr).unwrap().contains("epoch"), "no terminal, no progress");
}

#[test]
fn the_file_depends_neither_on_threads_nor_on_the_order_of_rows() {
    let place = Place::new();
    let world = PathBuf::from(place.world());
    let ratings = fs::read_to_string(world.join("ratings.csv")).unwrap();
    let (header, rows) = ratings.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    let [user, item, rating, time] = rows[0].split(',').collect::<Vec<_>>().try_into().unwrap();
    let again = format!("{user},{item},{},{time}", if rating == "1" { "5" } else { "1" });
    rows.push(&again); // at the same time, and of another opinion
    let original = place.file("original.csv", format!("{header}\n{}\n", rows.join("\n")));
    rows.reverse();
    let middle = rows.len() / 3;
    rows.rotate_left(middle);
    let shuffled = place.file("shuffled.csv", format!("{header}\n{}\n", rows.join("\n")));
    let items = world.join("items.csv").to_str().unwrap().to_owned();
    for learner in ["maml", "prototypical", "matching"] {
        let file = |name: &str, ratings: &str, threads: &str| {
            let (run, file) = (place.path(&format!("{name}-run")), place.path(name));
            succeed(&[
                "fit",
                "--ratings",
                ratings,
                "--items",
                &items,
                "--learner",
                learner,
                "--dim",
                "16",
                "--epochs",
                "6",
                "--seed",
                "7",
                "--threads",
                threads,
                "--out",
                &run,
            ]);
            succeed(&["export", &run, "--out", &file]);
            fs::read(file).unwrap()
        };
        let one = file("one.tbx", &original, "1");
        assert_eq!(one, file("two.tbx", &original, "2"), "{learner}: two threads");
        assert_eq!(one, file("shuffled.tbx", &shuffled, "1"), "{learner}: shuffled rows");
    }
}

#[test]
fn a_new_user_gets_a_list_with_reasons() {
    let place = Place::new();
    let file = place.model();
    let list = succeed(&[
        "recommend",
        &file,
        "--like",
        "i000001",
        "--dislike",
        "i000002",
        "--rate",
        "i000003=5",
        "--top",
        "5",
    ]);
    assert_eq!(list.lines().count(), 5);
    assert!(list.contains("because you"), "{list}");
    let items: Vec<&str> = list.lines().filter_map(|line| line.split("  (because").next()).collect();
    for id in ["i000001", "i000002", "i000003"] {
        assert!(
            !items.iter().any(|item| item.ends_with(&format!("[{id}]"))),
            "{id} is in the support: {list}"
        );
    }
}

#[test]
fn many_users_get_lists_in_the_order_of_the_file() {
    let place = Place::new();
    let file = place.model();
    let support = place.file(
        "support.tsv",
        "who\titem\trating\nzoe\ti000005\t1\nabe\ti000007\t1\nzoe\ti000009\t4\nabe\tnone\t3\nzoe\ti000005\t5\n",
    );
    let lists = |support: &str, column: &str| {
        trainer(&["recommend", &file, "--users", support, "--user-column", column, "--top", "3"])
    };
    let output = lists(&support, "who");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows[0], ["user", "rank", "item", "score"]);
    let users_and_ranks: Vec<(&str, &str)> = rows[1..].iter().map(|row| (row[0], row[1])).collect();
    assert_eq!(
        users_and_ranks,
        [("zoe", "1"), ("zoe", "2"), ("zoe", "3"), ("abe", "1"), ("abe", "2"), ("abe", "3")]
    );
    assert!(rows[1..].iter().all(|row| row[3].parse::<f32>().is_ok() && row[2] != "i000005"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1 rows on 1 items") && said.contains("the last one counts"), "{said}");
    let once =
        place.file("once.tsv", "user\titem\trating\nzoe\ti000005\t5\nzoe\ti000009\t4\nabe\ti000007\t1\n");
    assert_eq!(lists(&once, "user").stdout, text.as_bytes());
}

#[test]
fn inspect_shows_the_file_and_notices_damage() {
    let place = Place::new();
    let file = place.model();
    let described: Value = serde_json::from_str(&succeed(&["inspect", &file, "--verify", "--json"])).unwrap();
    assert_eq!(described["rule"], "maml");
    assert_eq!(described["dim"], 16);
    assert_eq!(described["levels"].as_array().unwrap().len(), 5);
    assert!(described["card"]["data"]["users"].as_u64().unwrap() == 120);
    let onboarding: HashSet<u64> =
        described["onboarding"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()).collect();
    assert_eq!(onboarding.len(), 20);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    refuse(&["inspect", &place.file("damaged.tbx", &bytes), "--verify"], 1, &["damaged.tbx"]);
    refuse(&["inspect", &place.file("short.tbx", &bytes[..middle])], 1, &["short.tbx"]);
    refuse(&["inspect", &place.file("text.tbx", "hello")], 1, &["text.tbx"]);
}

#[test]
fn a_run_in_place_of_a_model_file_and_the_reverse_are_refused_with_the_way_out() {
    let place = Place::new();
    let (file, run, out) = (place.model(), place.path("run"), place.path("out.tbx"));
    for command in ["inspect", "recommend", "demo"] {
        refuse(&[command, &run], 1, &["is a directory", &format!("`trainer export {run} --out model.tbx`")]);
    }
    refuse(
        &["export", &file, "--out", &out],
        1,
        &["model.tbx", "the directory that `trainer fit --out` made"],
    );
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn a_search_that_was_interrupted_leaves_the_run_of_one_that_was_not() {
    let place = Place::new();
    let world = place.world();
    let tune = |trials: &str, seed: &str, out: &str| {
        let arguments =
            ["tune", "--data", &world, "--epochs", "6", "--trials", trials, "--seed", seed, "--out", out];
        arguments.map(str::to_owned)
    };
    let call = |arguments: [String; 11]| succeed(&arguments.each_ref().map(String::as_str));
    let (once, twice) = (place.path("once"), place.path("twice"));
    let table = call(tune("5", "3", &once));
    assert!(
        table.contains("5 trials") && table.contains("0 (auto)") && table.contains("trainer export"),
        "{table}"
    );
    let fits = |line: &str| line.chars().count() <= 80 || line.starts_with("wrote ");
    assert!(table.lines().all(fits), "{table}");
    call(tune("2", "3", &twice));
    // The last line as an interrupted write leaves it.
    let journal = Path::new(&twice).join("search.jsonl");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 20]).unwrap();
    call(tune("5", "3", &twice));
    let file = |run: &str| {
        let file = format!("{run}.tbx");
        succeed(&["export", run, "--out", &file]);
        fs::read(file).unwrap()
    };
    assert_eq!(file(&once), file(&twice));
    let described: Value =
        serde_json::from_str(&succeed(&["inspect", &format!("{once}.tbx"), "--json"])).unwrap();
    assert_eq!(described["onboarding"].as_array().unwrap().len(), 20);
    refuse(&tune("5", "4", &once).each_ref().map(String::as_str), 1, &["another seed", "another directory"]);
}

#[test]
fn the_report_is_one_page_with_every_method_and_replaces_an_older_one() {
    let place = Place::new();
    let (world, page) = (place.world(), place.file("report.html", "older"));
    let methods = "maml,popularity,user-knn";
    succeed(&[
        "evaluate",
        "--data",
        &world,
        "--folds",
        "1",
        "--epochs",
        "3",
        "--methods",
        methods,
        "--report",
        &page,
    ]);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!DOCTYPE html><html lang=\"en\">") && text.contains("Tinderbox on world"));
    assert!(methods.split(',').all(|method| text.contains(method)));
    assert!(!text.contains(place.0.path().to_str().unwrap()), "a path of this machine");
}

#[test]
fn wrong_usage_ends_with_two() {
    for arguments in [
        &["fit"][..],
        &["fit", "--ratings", "r.csv", "--out", "run", "--learner", "svd"],
        &["fit", "--ratings", "r.csv", "--out", "run", "--dim", "33"],
        &["recommend", "m.tbx", "--rate", "50"],
        &["recommend", "m.tbx", "--rate", "50=NaN"],
        &["evaluate", "--data", "d", "--folds", "11"],
        &["evaluate", "--data", "d", "--methods", "svd"],
        &["tune", "--data", "d", "--out", "run", "--trials", "0"],
        &["fetch", "netflix"],
        &["bake"],
    ] {
        refuse(arguments, 2, &["--help"]);
    }
}

#[test]
fn bad_data_ends_with_one_and_leaves_nothing_behind() {
    let place = Place::new();
    let run = place.path("run");
    for (text, words) in [
        ("", &["empty"][..]),
        ("user,item,rating\n", &["no rows"]),
        ("user,item,rating\na,b,4\na,c,9\n", &["line 3", "9", "--scale"]),
        ("user,item,rating\na,b,nan\n", &["line 2", "nan"]),
        ("user,item,rating\na,b\n", &["line 2", "cells"]),
        ("person,thing\na,b\n", &["person", "--user-column"]),
        ("user,item\n\"a,b\n", &["line 2", "quote"]),
    ] {
        let ratings = place.file("ratings.csv", text);
        refuse(&["fit", "--ratings", &ratings, "--out", &run], 1, &[&["ratings.csv"], words].concat());
        assert!(!Path::new(&run).exists(), "{text:?} left a run behind");
    }
    refuse(&["fit", "--ratings", &place.path("none.csv"), "--out", &run], 1, &["none.csv"]);
    let ratings = place.file("dislikes.csv", "user,item,rating\na,x,1\nb,x,2\nb,y,1\n");
    refuse(&["fit", "--ratings", &ratings, "--out", &run], 1, &["no rating counts as a like"]);
    assert!(!Path::new(&run).exists());
    refuse(&["export", &place.path("no-run"), "--out", &place.path("m.tbx")], 1, &["no-run"]);
    let liked = place.file("likes.csv", "user,item\na,x\na,y\nb,x\nb,y\n");
    refuse(&["fit", "--ratings", &liked, "--out", &ratings], 1, &["dislikes.csv", "exists"]);
    let (page, folder) = (place.path("none/page.html"), place.path("."));
    refuse(&["evaluate", "--ratings", &liked, "--report", &page], 1, &["page.html", "No such file"]);
    refuse(&["evaluate", "--ratings", &liked, "--json", &folder], 1, &["is a directory"]);
    for protocol in ["p1", "p2", "p3", "onboarding"] {
        let ratings = place.file("few.csv", "user,item,rating\na,x,1\nb,x,2\nb,y,5\n");
        refuse(&["evaluate", "--ratings", &ratings, "--protocol", protocol], 1, &["ten folds need ten"]);
    }
    let timeless: String = (0..12).map(|user| format!("{user},x,5\n{user},y,5\n{user},z,1\n")).collect();
    let timeless = place.file("timeless.csv", format!("user,item,rating\n{timeless}"));
    let question =
        ["evaluate", "--ratings", &timeless, "--min-user", "2", "--min-item", "1", "--protocol", "p1t"];
    refuse(&question, 1, &["--timestamp-column"]);
    refuse(&["fit", "--ratings", &timeless, "--time-order", "--out", &run], 1, &["--timestamp-column"]);
    let disliked: String = (0..12).map(|user| format!("{user},x,1\n{user},y,2\n")).collect();
    let disliked = place.file("disliked.csv", format!("user,item,rating\n{disliked}"));
    let question = ["evaluate", "--ratings", &disliked, "--min-user", "2", "--min-item", "1"];
    refuse(&question, 1, &["no rating counts as a like"]);
    for protocol in ["p2", "onboarding"] {
        let question = ["evaluate", "--ratings", &ratings, "--protocol", protocol];
        refuse(&[&question[..], &["--groups"]].concat(), 1, &[protocol, "--groups"]);
        refuse(&[&question[..], &["--metric", "mrr@10"]].concat(), 1, &[protocol, "--metric"]);
    }
    let file = place.model();
    refuse(&["recommend", &file, "--like", "nothing"], 1, &["nothing"]);
    refuse(&["recommend", &file, "--rate", "i000001=11"], 1, &["11", "from 1 to 5"]);
    refuse(&["recommend", &file, "--category", "x"], 1, &["known"]);
    let support = place.file("support.csv", "user,item,rating\nu,i000001,11\n");
    refuse(&["recommend", &file, "--users", &support], 1, &["line 2", "11"]);
}

#[test]
fn implicit_feedback_is_learned_and_served() {
    let place = Place::new();
    let (world, run, file) = (place.path("world"), place.path("run"), place.path("model.tbx"));
    succeed(&[
        "synth",
        "--implicit",
        "--users",
        "120",
        "--items",
        "90",
        "--interactions",
        "30",
        "--out",
        &world,
    ]);
    succeed(&["fit", "--data", &world, "--dim", "16", "--epochs", "6", "--out", &run]);
    succeed(&["export", &run, "--out", &file]);
    assert_eq!(succeed(&["recommend", &file, "--like", "i000001", "--top", "4"]).lines().count(), 4);
    refuse(&["recommend", &file, "--dislike", "i000001"], 1, &["bare dislike"]);
}

#[test]
fn an_evaluation_shows_lists_groups_and_what_dislikes_add() {
    let place = Place::new();
    let (world, json) = (place.world(), place.path("report.json"));
    let methods = "maml,maml:likes-only,popularity";
    let tables = succeed(&[
        "evaluate",
        "--data",
        &world,
        "--folds",
        "1",
        "--min-user",
        "4",
        "--epochs",
        "6",
        "--methods",
        methods,
        "--groups",
        "--json",
        &json,
    ]);
    for words in ["change minus no change", "coverage@10", "thirds of the test users"] {
        assert!(tables.contains(words), "{words}: {tables}");
    }
    assert!(tables.lines().all(|line| line.chars().count() <= 100), "{tables}");
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let (maml, popularity) = (&report["methods"][0], &report["methods"][2]);
    let first = |method: &Value, measure: &str| method[measure][0]["mean"].as_f64().unwrap();
    assert!(first(maml, "coverage@10") > first(popularity, "coverage@10"));
    assert!(first(maml, "popularity@10") < first(popularity, "popularity@10"));
    let groups = maml["groups"]["interactions"].as_array().unwrap().iter();
    let users: u64 = groups.map(|group| group["users"].as_u64().unwrap()).sum();
    assert_eq!(users, report["test users"].as_u64().unwrap());
}

#[test]
fn an_evaluation_of_onboarding_compares_lists_of_items() {
    let place = Place::new();
    let (world, json) = (place.world(), place.path("report.json"));
    let onboarding = |more: &[&str]| {
        let common =
            ["evaluate", "--data", &world, "--protocol", "onboarding", "--folds", "2", "--min-user", "4"];
        [&common[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let arguments = onboarding(&["--epochs", "6", "--json", &json]);
    let table = succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let policies = report[0]["policies"].as_array().unwrap();
    let answers = |policy: usize, at: usize| policies[policy]["at"][at]["answers"].as_f64().unwrap();
    let ndcg = |policy: usize, at: usize| policies[policy]["at"][at]["ndcg@10"]["mean"].as_f64().unwrap();
    assert_eq!(policies[0]["policy"], "nothing");
    assert_eq!((answers(0, 2), ndcg(0, 0)), (0.0, ndcg(0, 2)));
    for policy in 1..policies.len() {
        assert!(answers(policy, 0) < answers(policy, 1) && answers(policy, 1) < answers(policy, 2));
    }
    let arguments = onboarding(&["--methods", "ease"]);
    refuse(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1, &["ease", "learner"]);
}

#[test]
fn on_movielens_the_learner_beats_popularity_and_ease_at_every_k() {
    let place = Place::new();
    let json = place.path("report.json");
    succeed(&[
        "evaluate",
        "--data",
        &ml_100k(),
        "--folds",
        "3",
        "--methods",
        "maml,popularity,ease",
        "--json",
        &json,
    ]);
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let means = |method: usize| -> Vec<f64> {
        let at_each = report["methods"][method]["ndcg@10"].as_array().unwrap();
        at_each.iter().map(|at| at["mean"].as_f64().unwrap()).collect()
    };
    let (maml, popularity, ease) = (means(0), means(1), means(2));
    for at in 0..5 {
        assert!(maml[at] > popularity[at] && maml[at] > ease[at], "{maml:?} {popularity:?} {ease:?}");
    }
}

#[test]
fn int8_rows_change_the_ranking_quality_on_movielens_by_less_than_two_thousandths() {
    let place = Place::new();
    let json = place.path("report.json");
    succeed(&[
        "evaluate",
        "--data",
        &ml_100k(),
        "--folds",
        "3",
        "--methods",
        "maml,maml:f32",
        "--json",
        &json,
    ]);
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    // The mean over k: at one k, three folds are too few users for the third digit.
    let mean = |method: usize| {
        let at_each = report["methods"][method]["ndcg@10"].as_array().unwrap();
        at_each.iter().map(|at| at["mean"].as_f64().unwrap()).sum::<f64>() / 5.0
    };
    assert!((mean(0) - mean(1)).abs() < 0.002, "{} and {}", mean(0), mean(1));
    assert!(report["methods"][0]["bytes"].as_u64().unwrap() < 200_000);
}
