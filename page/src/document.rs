//! The frame of a page, and what stands in it.

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::plot::{PlotError, Screen, Tint};

const STYLE: &str = include_str!("document.css");

/// A whole page: `title` is its heading, too.
pub fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(dark_plots())) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    page.into_string()
}

/// A plot for each kind of screen, of which one is shown. `label` is what it says to those who do not see it.
///
/// # Errors
/// Those of `draw`.
pub fn figure(
    label: &str,
    caption: &str,
    draw: impl Fn(Screen) -> Result<String, PlotError>,
) -> Result<Markup, PlotError> {
    let [wide, narrow] = Screen::ALL.map(draw);
    let (wide, narrow) = (wide?, narrow?);
    Ok(html! {
        figure {
            div.plot.wide role="img" aria-label=(label) { (PreEscaped(wide)) }
            div.plot.narrow role="img" aria-label=(label) { (PreEscaped(narrow)) }
            figcaption { (caption) }
        }
    })
}

/// A table that scrolls in its own box, by keyboard too, under a caption that does not.
pub fn table(caption: &str, content: Markup) -> Markup {
    html! {
        figure {
            figcaption { (caption) }
            div.scroll role="region" aria-label=(caption) tabindex="0" { table { (content) } }
        }
    }
}

/// A number with thin spaces between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Rules that turn the plots' colours into those for a dark page.
fn dark_plots() -> String {
    let hex = |(red, green, blue): (u8, u8, u8)| format!("#{red:02X}{green:02X}{blue:02X}");
    let mut rules = "@media (prefers-color-scheme: dark) {\n".to_owned();
    for Tint { light, dark } in Tint::ALL {
        let (light, dark) = (hex(light), hex(dark));
        // Writing to a string cannot fail.
        let _ = writeln!(
            rules,
            ".plot [fill=\"{light}\"] {{ fill: {dark} }} .plot [stroke=\"{light}\"] {{ stroke: {dark} }}"
        );
    }
    rules + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((grouped(0), grouped(999)), ("0".to_owned(), "999".to_owned()));
    }
}
