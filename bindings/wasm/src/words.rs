//! Refusals become words in `js/words.js`: in the module they would be a sixth of its bytes. Here they are compared
//! with the engine's.

use crate::refusal::{Refusal, Why};
use tinderbox::{EmbedError, FeedbackError, OpenError, RankError, SessionError};

const WORDS: &str = include_str!("../js/words.js");
const DAMAGED: &str = "the file is damaged: fetch or export it again";
const FAULTY: &str = "the tool that wrote the file is at fault: export it again with a current one";

#[test]
fn the_package_refuses_feedback_in_the_words_of_the_engine() {
    for error in [FeedbackError::UnknownId, FeedbackError::NoLikes, FeedbackError::NoDislikes] {
        assert!(WORDS.contains(&format!("\"{error}\"")), "{error}");
    }
    let error = FeedbackError::OffScale { found: 1.0, lowest: 2.0, highest: 3.0 };
    let words =
        error.to_string().replace('1', "${found}").replace('2', "${lowest}").replace('3', "${highest}");
    assert!(WORDS.contains(&format!("`{words}`")), "{error}");
}

/// The line of `js/words.js` for a reason must be the error's words, with the values' names in place of the values, and
/// the refusal's numbers those values.
fn check(error: &dyn core::fmt::Display, refusal: Refusal, place: &[(&str, &str)]) -> Why {
    let why = refusal.why;
    let line = WORDS.lines().find(|line| line.contains(&format!("/* {why:?} */"))).unwrap();
    let mut words = error.to_string().replace(DAMAGED, "${DAMAGED}").replace(FAULTY, "${FAULTY}");
    for (value, name) in place {
        words = words.replace(value, name);
    }
    assert!(line.contains(&words), "{line}\n{words}");
    for (number, name) in refusal.numbers.into_iter().zip(["a", "b", "c"]) {
        let names = [format!("${{{name}}}"), format!("${{hex({name})}}")];
        let told =
            place.iter().find(|(_, name)| line.contains(name) && names.iter().any(|known| known == name));
        let Some((told, _)) = told else { continue };
        assert!(
            [number.to_string(), format!("{number:08x}")].iter().any(|shown| shown == told),
            "{line}: {name}"
        );
    }
    why
}

#[test]
fn the_package_refuses_in_the_words_of_the_engine() {
    const SECTION: &str = "<section>";
    const EXPECTED: &str = "<expected>";
    let places = [("771", "${a}"), ("772", "${b}"), ("773", "${c}"), (SECTION, "${s}"), (EXPECTED, "${t}")];
    let mut seen = std::vec::Vec::new();
    {
        use OpenError as E;
        for error in [
            E::Magic,
            E::Version { found: 772, expected: 771 },
            E::Version { found: 771, expected: 772 },
            E::Length { found: 771, expected: 772 },
            E::HeaderChecksum { found: 0x771, expected: 0x772 },
            E::Limit { field: SECTION, expected: EXPECTED, found: 771 },
            E::Reserved,
            E::SectionOrder { found: 771, previous: 772 },
            E::UnknownSection { found: 771 },
            E::MissingSection { section: SECTION },
            E::UnexpectedSection { section: SECTION },
            E::SectionOffset { section: SECTION, found: 771, expected: 772 },
            E::SectionLength { section: SECTION, found: 771, expected: 772 },
            E::Padding { offset: 771 },
            E::Value { section: SECTION, index: 771, expected: EXPECTED },
        ] {
            let place = match error {
                E::Version { found: 772, .. } => [("772", "${a}"), ("771", "${b}")].to_vec(),
                E::HeaderChecksum { .. } => [("00000771", "${hex(a)}"), ("00000772", "${hex(b)}")].to_vec(),
                _ => places.to_vec(),
            };
            seen.push(check(&error, error.into(), &place));
        }
    }
    for error in [
        SessionError::UnknownItem { found: 771, items: 772 },
        SessionError::UnknownFeature { found: 771, features: 772 },
    ] {
        seen.push(check(&error, error.into(), &places));
    }
    for error in [
        RankError::NotAscending { found: 771, position: 772 },
        RankError::UnknownItem { found: 771, items: 772 },
        RankError::UnknownCategory { found: 771, categories: 772 },
    ] {
        seen.push(check(&error, error.into(), &places));
    }
    for error in [
        EmbedError::UnknownFeature { found: 771, features: 772 },
        EmbedError::NoDirection,
        EmbedError::RaterLength { rater: 771, found: 772, expected: 773 },
        EmbedError::RaterWithoutDirection { rater: 771 },
    ] {
        seen.push(check(&error, error.into(), &places));
    }
    // The place in the file is the number that the module gives.
    let listed = WORDS.lines().filter_map(|line| line.trim().strip_prefix("/* ")?.split_once(" */"));
    for (number, (name, _)) in listed.enumerate() {
        let why = seen.iter().find(|why| format!("{why:?}") == name);
        let known = why.map_or(Why::Package as usize, |why| *why as usize);
        assert_eq!(known, number, "{name}");
    }
}
