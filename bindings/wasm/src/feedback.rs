//! Feedback becomes an interaction in `js/model.js`: the engine's words for it would bring 20 KB of code along that
//! prints floats. Here they are compared.

use tinderbox::FeedbackError;

const WORDS: &str = include_str!("../js/feedback.js");

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
