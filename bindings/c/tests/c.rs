//! The library as it is shipped, called from C99 and from C++17, answers what the engine answers in Rust.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../../../engine/tests/common/mod.rs"]
#[allow(dead_code, reason = "the engine's tests use more of it")]
mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tinderbox::{
    Feedback, Filter, Interaction, Model, ModelFile, NewItems, Ranked, Rater, Reason, Rule, Session,
    adapt_item, embed_item,
};
use tinderbox_format::{Contents, Features, Level};

const DIRECTORY: &str = env!("CARGO_MANIFEST_DIR");

/// Standard, warnings, and what calls the compiler.
const LANGUAGES: [(&str, &str, &str); 2] = [("CC", "cc", "-std=c99"), ("CXX", "c++", "-std=c++17")];
const WARNINGS: [&str; 6] = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"];

/// Directory of the static library without std, in the profile in which it is shipped.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shipped");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "tinderbox-c", "--no-default-features", "--profile", "small"]);
        run(cargo.arg("--target-dir").arg(&target).current_dir(DIRECTORY));
        target.join("small")
    })
}

/// Compiles a source and links it with the static library.
fn compile(source: &str, (variable, compiler, standard): (&str, &str, &str), name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = Command::new(std::env::var_os(variable).unwrap_or(compiler.into()));
    command.arg(standard).args(WARNINGS).arg("-O1").arg("-I").arg(Path::new(DIRECTORY).join("include"));
    let language = if standard.starts_with("-std=c++") { "c++" } else { "c" };
    command.args(["-x", language]).arg(Path::new(DIRECTORY).join(source)).args(["-x", "none"]);
    run(command.arg(library().join("libtinderbox_c.a")).arg("-o").arg(&program));
    program
}

/// What a command prints; it must succeed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out
}

/// A model of one item and one feedback level, without titles or features.
fn of_one_level(liked: bool) -> Vec<u8> {
    let dim = 16;
    let mut row = vec![0; dim];
    row[0] = 127;
    Contents {
        rule: Rule::Prototypical { scale: 1.0, shrinkage: 1.0 },
        dim,
        prior: &vec![0.1; dim],
        step_sizes: &[],
        gram: None,
        preconditioner: None,
        levels: &[Level { value: 1.0, target: 1.0, weight: 1.0, liked, plain: true }],
        rows: &row,
        scales: &[1.0 / 127.0],
        sketch: None,
        ids: &["only".to_owned()],
        titles: None,
        categories: &[],
        item_features: Features { names: &[], embeddings: &[] },
        new_item_base: None,
        user_features: Features { names: &[], embeddings: &[] },
        onboarding: &[],
        card: "{}",
    }
    .to_bytes()
    .unwrap()
}

const TOP: usize = 7;
const CAPACITY: usize = 20;

/// What `tests/c/calls.c` prints, by the engine.
fn expected(model: Model<'_>) -> String {
    let mut said = String::new();
    describe(&model, &mut said);
    let scratch = &mut vec![0.0; Session::scratch_len(&model, CAPACITY)];
    let mut session = Session::new(model, scratch).unwrap();
    rank(&model, &mut session, &mut said);
    let mut rows = vec![0; 2 * model.dim()];
    let scales = new_items(&model, &mut rows);
    writeln!(
        said,
        "new {:08x} {} {:08x} {}",
        scales[0].to_bits(),
        rows[0],
        scales[1].to_bits(),
        rows[model.dim()]
    )
    .unwrap();
    session.add_items(NewItems { rows: &rows, scales: &scales }).unwrap();
    session.adapt(&[Interaction::at(&model, model.items() as u32 + 1, Feedback::Like).unwrap()]).unwrap();
    let mut out = [Ranked::default(); TOP];
    list("with new items", session.rank(&Filter::default(), &mut out).unwrap(), &mut said);
    said
}

fn describe(model: &Model<'_>, said: &mut String) {
    let rule = match model.rule() {
        Rule::Maml { .. } => 1,
        Rule::Prototypical { .. } => 2,
        Rule::Matching { .. } => 3,
    };
    let (levels, categories) = (model.levels(), model.categories());
    writeln!(
        said,
        "shape {:016x} {} {} {} {} {} {} {rule} {}",
        model.content_id(),
        model.items(),
        model.dim(),
        levels.len(),
        categories.len(),
        model.item_features().len(),
        model.user_features().len(),
        model.steps()
    )
    .unwrap();
    for level in 0..levels.len() {
        writeln!(said, "level {:08x} {}", levels.value(level).to_bits(), u32::from(levels.liked(level)))
            .unwrap();
    }
    writeln!(said, "card {}", model.card().unwrap()).unwrap();
    let onboarding: String = model.onboarding().iter().map(|item| format!(" {item}")).collect();
    writeln!(said, "onboarding{onboarding}\nid {}\ntitle {}", model.id(3).unwrap(), model.title(3).unwrap())
        .unwrap();
    for category in 0..categories.len() {
        let contains = u32::from(categories.contains(category, 3));
        writeln!(said, "category {}\ncontains {contains}", categories.name(category).unwrap()).unwrap();
    }
    writeln!(said, "item feature {}", model.item_features().name(1).unwrap()).unwrap();
    writeln!(said, "user feature {}", model.user_features().name(1).unwrap()).unwrap();
}

fn list(name: &str, list: &[Ranked], said: &mut String) {
    let list: String =
        list.iter().map(|ranked| format!(" {}:{:08x}", ranked.item, ranked.score.to_bits())).collect();
    writeln!(said, "{name}{list}").unwrap();
}

fn rank(model: &Model<'_>, session: &mut Session<'_>, said: &mut String) {
    let mut out = [Ranked::default(); TOP];
    list("prior", session.rank(&Filter::default(), &mut out).unwrap(), said);
    session.set_features(&[1]).unwrap();
    let feedback = [(3, Feedback::Like), (0, Feedback::Dislike), (8, Feedback::Rating(2.0))];
    let support = feedback.map(|(item, feedback)| Interaction::at(model, item, feedback).unwrap());
    session.adapt(&support).unwrap();
    list("adapted", session.rank(&Filter::default(), &mut out).unwrap(), said);
    writeln!(said, "user {} {:08x}", session.user().len(), session.user()[0].to_bits()).unwrap();
    writeln!(said, "score {:08x}", session.score(4).unwrap().to_bits()).unwrap();
    let mut reasons = [Reason::default(); TOP];
    let reasons = session.explain(4, &mut reasons).unwrap();
    let reasons: Vec<Ranked> =
        reasons.iter().map(|reason| Ranked { item: reason.item, score: reason.effect }).collect();
    list("explain", &reasons, said);
    list("similar", session.similar(4, &Filter::default(), &mut out).unwrap(), said);
    let filter =
        Filter { allow: Some(&[0, 2, 6, 9, 12, 30]), deny: &[1, 5], categories: &[0, 2], keep_support: true };
    list("filtered", session.rank(&filter, &mut out).unwrap(), said);
    let mut scratch = vec![0.0; Session::diverse_scratch_len(model, TOP)];
    let diverse = session.rank_diverse(&Filter::default(), 0.5, 5, &mut scratch, &mut out).unwrap();
    list("diverse", diverse, said);
}

fn new_items(model: &Model<'_>, rows: &mut [i8]) -> [f32; 2] {
    let (first, second) = rows.split_at_mut(model.dim());
    let users = [5, 6].map(|item| {
        let mut scratch = vec![0.0; Session::scratch_len(model, CAPACITY)];
        let mut session = Session::new(*model, &mut scratch).unwrap();
        session.adapt(&[Interaction::at(model, item, Feedback::Like).unwrap()]).unwrap();
        session.user().to_vec()
    });
    let raters = [Rater { user: &users[0], level: 4 }, Rater { user: &users[1], level: 0 }];
    let embedded = embed_item(model, &[0], first).unwrap();
    [embedded, adapt_item(model, &[0], &raters, &mut vec![0.0; 3 * model.dim()], second).unwrap()]
}

#[test]
fn c_and_cpp_get_what_rust_gets_and_every_misuse_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let [without, disliked] = ["implicit.tbx", "disliked.tbx"].map(|name| directory.path().join(name));
    std::fs::write(&without, of_one_level(true)).unwrap();
    std::fs::write(&disliked, of_one_level(false)).unwrap();
    for language in LANGUAGES {
        let program = compile("tests/c/calls.c", language, &format!("calls{}", language.2));
        for (number, rule) in common::RULES.into_iter().enumerate() {
            let path = directory.path().join(format!("{number}.tbx"));
            std::fs::write(&path, common::bytes(rule, 700, 48, 1.0, false)).unwrap();
            let expected = expected(ModelFile::read(&path).unwrap().model().unwrap());
            let found = run(Command::new(&program).arg(&path).arg(&without).arg(&disliked));
            assert_eq!(found, expected, "{} {rule:?}", language.2);
        }
    }
}

#[test]
fn the_cpp_wrapper_refuses_what_does_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let [file, without] = ["model.tbx", "implicit.tbx"].map(|name| directory.path().join(name));
    std::fs::write(&file, common::bytes(common::RULES[0], 300, 32, 1.0, false)).unwrap();
    std::fs::write(&without, of_one_level(true)).unwrap();
    run(Command::new(compile("tests/c/wrapper.cpp", LANGUAGES[1], "wrapper")).arg(file).arg(without));
}

#[test]
fn c_and_cpp_give_the_golden_answers() {
    let directory = Path::new(DIRECTORY).join("../../engine/golden");
    let requests = std::fs::read_to_string(directory.join("requests.txt")).unwrap();
    let answers = requests.lines().filter(|line| line.starts_with('=')).count();
    for language in LANGUAGES {
        let program = compile("tests/c/golden.c", language, &format!("golden{}", language.2));
        let found = run(Command::new(&program).arg(&directory));
        println!("{}: {found}", language.2);
        assert!(found.starts_with(&format!("{answers} answers, bits equal; 0 different")), "{found}");
    }
}

#[test]
fn the_examples_recommend_what_rust_recommends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.tbx");
    std::fs::write(&path, common::bytes(common::RULES[0], 300, 32, 1.0, false)).unwrap();
    let file = ModelFile::read(&path).unwrap();
    let model = file.model().unwrap();
    let mut scratch = vec![0.0; Session::scratch_len(&model, 2)];
    let mut session = Session::new(model, &mut scratch).unwrap();
    let support = [("id-7", Feedback::Like), ("id-9", Feedback::Dislike)];
    session.adapt(&support.map(|(id, feedback)| Interaction::of(&model, id, feedback).unwrap())).unwrap();
    let mut out = [Ranked::default(); 10];
    let mut expected = String::new();
    for ranked in session.rank(&Filter::default(), &mut out).unwrap() {
        writeln!(expected, "{:6.3} {}", ranked.score, model.title(ranked.item as usize).unwrap()).unwrap();
    }
    for (source, language) in
        [("examples/recommend.c", LANGUAGES[0]), ("examples/recommend.cpp", LANGUAGES[1])]
    {
        let program = compile(source, language, &format!("recommend{}", language.2));
        let found = run(Command::new(&program).arg(&path).args(["+id-7", "-id-9"]));
        let items: String = found
            .lines()
            .filter(|line| !line.starts_with("       "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(items, expected, "{source}");
        let refused = Command::new(&program).arg(&path).arg("+no such").output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("no item of the catalogue has this id"));
    }
}

#[test]
fn a_model_may_be_shared_between_threads() {
    fn is_sync<T: Sync + Send>() {}
    is_sync::<Model<'_>>();
}
