//! Evaluations as a page: plots, tables, and what was compared, in one file of HTML without scripts.

use maud::{Markup, html};
use tinderbox_page::plot::{Axis, Curve, Datum, Look, PlotError, Point, curves, points};
use tinderbox_page::{document, figure, grouped, table};

use super::groups;
use super::{
    EXPOSURE, Estimate, METRICS, Metric, Report, difference, estimate, exposed, overall, share, signed, size,
};
use crate::data::Dataset;
use crate::evaluate::{Outcome, Protocol};
use crate::metrics::SHOTS;
use crate::run::TOOL;

/// What an evaluation was run on.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What to call the data set.
    pub name: String,
    /// Its users.
    pub users: usize,
    /// Its items.
    pub items: usize,
    /// Its interactions.
    pub interactions: usize,
}

impl Subject {
    /// The data set under `name`.
    pub fn new(name: String, dataset: &Dataset) -> Self {
        Self {
            name,
            users: dataset.users.len(),
            items: dataset.items.len(),
            interactions: dataset.interactions.iter().map(Vec::len).sum(),
        }
    }
}

impl Report<'_> {
    /// One HTML page that needs nothing else: no script, no font, no picture from anywhere. It suits light and dark
    /// screens from 360 pixels of width. The same report makes the same bytes; there is no user, path or date in it,
    /// and whatever comes from data is escaped.
    ///
    /// # Errors
    /// [`PlotError`], in theory: plots are drawn into memory.
    pub fn page(&self, subject: &Subject) -> Result<String, PlotError> {
        let title = format!("Tinderbox on {}", subject.name);
        let (_, accuracy) = METRICS[0];
        let body = html! {
            (self.finding(accuracy))
            (self.facts(subject))
            section {
                h2 { "Accuracy after k interactions" }
                (self.accuracy_over_k(accuracy)?)
                (self.differences(accuracy))
            }
            section {
                h2 { "Accuracy against size" }
                (self.accuracy_over_size(accuracy)?)
            }
            section {
                h2 { "What the lists show of the catalogue" }
                (self.accuracy_over_popularity(accuracy)?)
                (self.exposures())
            }
            section {
                h2 { "For whom, and for what" }
                (self.groups_of_users_and_items(METRICS[0]))
            }
            section {
                h2 { "All figures" }
                (self.figures(METRICS[0]))
                details {
                    summary { "Other metrics" }
                    @for metric in &METRICS[1..] { (self.figures(*metric)) }
                }
                (self.choices())
            }
            (self.notes())
        };
        Ok(document(&title, &body))
    }

    /// The best learner and the best baseline in the mean over k.
    fn finding(&self, metric: Metric) -> Markup {
        let mean = |outcome: &Outcome| overall(outcome, metric).mean;
        let best = |is_baseline: bool| {
            let those = self.outcomes.iter().filter(|outcome| outcome.is_baseline == is_baseline);
            those.max_by(|a, b| mean(a).total_cmp(&mean(b)))
        };
        let words = |outcome: &Outcome| {
            html! { strong { (outcome.name) } " with " (share(mean(outcome))) " at " (size(outcome.bytes)) }
        };
        html! {
            p.lead {
                @match (best(false), best(true)) {
                    (Some(learner), Some(baseline)) => {
                        "In the mean over k, the best learner is " (words(learner))
                        "; the best baseline is " (words(baseline)) "."
                    }
                    (Some(one), None) | (None, Some(one)) => {
                        "In the mean over k, the best method is " (words(one)) "."
                    }
                    (None, None) => { "Nothing was compared." }
                }
            }
        }
    }

    fn facts(&self, subject: &Subject) -> Markup {
        let plan = self.plan;
        let test_users = self.outcomes.first().map_or(0, |outcome| outcome.users.len());
        let facts = [
            ("Data set", subject.name.clone()),
            ("Users", grouped(subject.users)),
            ("Items", grouped(subject.items)),
            ("Interactions", grouped(subject.interactions)),
            ("Protocol", plan.protocol.name().to_owned()),
            ("Folds", format!("{} of 10", plan.folds)),
            ("Test users", grouped(test_users)),
            ("Seeds", format!("split {}, learners {}", plan.seed, plan.config.seed)),
        ];
        html! {
            dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
            p.quiet { (protocol(plan.protocol)) }
        }
    }

    /// How each method is drawn.
    fn looks(&self) -> Vec<Look> {
        let mut learners = 0..;
        let looks = self.outcomes.iter().map(|outcome| match outcome.is_baseline {
            true => Look::Muted,
            false => Look::Vivid(learners.next().unwrap_or_default()),
        });
        looks.collect()
    }

    fn accuracy_over_k(&self, metric: Metric) -> Result<Markup, PlotError> {
        let curve = |(outcome, look)| Curve {
            name: name(outcome),
            look,
            data: (0..SHOTS.len()).map(|at| datum(at as f64, estimate(outcome, metric, at))).collect(),
        };
        let drawn: Vec<Curve<'_>> = self.outcomes.iter().zip(self.looks()).map(curve).collect();
        let ends = drawn.iter().flat_map(|curve| curve.data.iter().flat_map(reach));
        let x = Axis::places("k, interactions of the new user", &SHOTS.map(|shots| shots.to_string()));
        let y = Axis::around("NDCG@10", ends, share);
        figure(
            &format!("Curves of NDCG@10 over k for {}; the figures are in a table below.", self.names()),
            "Mean over the test users; bars are one standard error. Baselines are grey.",
            |screen| curves(&drawn, &x, &y, screen),
        )
    }

    fn accuracy_over_size(&self, metric: Metric) -> Result<Markup, PlotError> {
        let x = |outcome: &Outcome| (outcome.bytes.max(1) as f64).log10();
        let drawn = self.scatter(metric, x);
        let axis = Axis::powers("what a device has to hold", drawn.iter().map(|point| point.at.x), |bytes| {
            size(bytes.round() as usize).replace(".0 ", " ")
        });
        let y = Axis::around("NDCG@10, mean over k", drawn.iter().flat_map(|point| reach(&point.at)), share);
        figure(
            &format!(
                "Points of NDCG@10 against size for {}; the figures are in a table below.",
                self.names()
            ),
            "Up and to the left is better. A learner's whole file, ids and titles included; a baseline's arrays alone.",
            |screen| points(&drawn, &axis, &y, screen),
        )
    }

    fn accuracy_over_popularity(&self, metric: Metric) -> Result<Markup, PlotError> {
        let drawn = self.scatter(metric, |outcome| exposed(outcome, |exposure| exposure.popularity));
        let x = Axis::around("popularity of what is listed", drawn.iter().map(|point| point.at.x), share);
        let y = Axis::around("NDCG@10, mean over k", drawn.iter().flat_map(|point| reach(&point.at)), share);
        figure(
            &format!(
                "Points of NDCG@10 against popularity for {}; the figures are in the next table.",
                self.names()
            ),
            "Popularity is the share of the training users who like an item, mean over the first ten of all lists. Up \
             and to the left: accurate without leaning on what is popular anyway.",
            |screen| points(&drawn, &x, &y, screen),
        )
    }

    fn scatter(&self, metric: Metric, x: impl Fn(&Outcome) -> f64) -> Vec<Point<'_>> {
        let point = |(outcome, look)| Point {
            name: name(outcome),
            look,
            at: datum(x(outcome), overall(outcome, metric)),
        };
        self.outcomes.iter().zip(self.looks()).map(point).collect()
    }

    fn names(&self) -> String {
        self.outcomes.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// Each method at each k.
    fn figures(&self, (name, metric): (&str, Metric)) -> Markup {
        let columns = SHOTS.len() + 1;
        let estimates = |outcome: &Outcome| -> Vec<Estimate> {
            let of_shots = (0..SHOTS.len()).map(|at| estimate(outcome, metric, at));
            of_shots.chain([overall(outcome, metric)]).collect()
        };
        let rows: Vec<(&Outcome, Vec<Estimate>)> =
            self.outcomes.iter().map(|outcome| (outcome, estimates(outcome))).collect();
        let best =
            |column: usize| rows.iter().map(|(_, row)| row[column].mean).fold(f64::NEG_INFINITY, f64::max);
        let best: Vec<f64> = (0..columns).map(best).collect();
        let caption = format!("{}, ± standard error; the best of each column is marked", name.to_uppercase());
        table(
            &caption,
            html! {
                thead { tr {
                    th scope="col" { "method" }
                    @for shots in SHOTS { th scope="col" { "k = " (shots) } }
                    th scope="col" { "mean" }
                    th scope="col" { "size" }
                } }
                tbody { @for (outcome, row) in &rows {
                    tr.learner[!outcome.is_baseline] {
                        th scope="row" { (outcome.name) }
                        @for (estimate, best) in row.iter().zip(&best) {
                            td.best[estimate.mean == *best] { (share(estimate.mean)) small { "± " (share(estimate.error)) } }
                        }
                        td { (size(outcome.bytes)) }
                    }
                } }
            },
        )
    }

    /// The measures of all lists together.
    fn exposures(&self) -> Markup {
        let caption = "The first ten of all lists, mean over k: share of the items that are in any, Gini coefficient of \
                       how often (0: all items equally), popularity";
        table(
            caption,
            html! {
                thead { tr { th scope="col" { "method" } @for (name, _) in EXPOSURE { th scope="col" { (name.trim_end_matches("@10")) } } } }
                tbody { @for outcome in self.outcomes {
                    tr.learner[!outcome.is_baseline] {
                        th scope="row" { (outcome.name) }
                        @for (_, measure) in EXPOSURE { td { (share(exposed(outcome, measure))) } }
                    }
                } }
            },
        )
    }

    /// Users with little and with much feedback, popular and rare items.
    fn groups_of_users_and_items(&self, (name, metric): (&str, Metric)) -> Markup {
        let Some(first) = self.outcomes.first() else { return html! {} };
        let caption = "Thirds of the test users by their number of interactions; what users like, in three parts of the \
                       catalogue by popularity with a third of all likes each; mean over k";
        table(
            caption,
            html! {
                thead { tr {
                    th scope="col" { "method" }
                    @for [what, group] in groups::columns(first, name) {
                        th scope="col" { (group.replace('-', "–")) small { (what) } }
                    }
                } }
                tbody { @for outcome in self.outcomes {
                    tr.learner[!outcome.is_baseline] {
                        th scope="row" { (outcome.name) }
                        @for value in groups::row(outcome, metric) { td { (share(value)) } }
                    }
                } }
            },
        )
    }

    /// Each learner against the best baseline at each k.
    fn differences(&self, metric: Metric) -> Markup {
        let Some(best) = self.best_baselines(metric) else { return html! {} };
        let learners: Vec<&Outcome> = self.outcomes.iter().filter(|outcome| !outcome.is_baseline).collect();
        if learners.is_empty() {
            return html! {};
        }
        let caption = "Learner minus the best baseline at each k, paired over users, ± standard error; differences \
                       of more than two standard errors are marked";
        table(
            caption,
            html! {
                thead { tr {
                    th scope="col" { "learner" }
                    @for (shots, best) in SHOTS.iter().zip(&best) {
                        th scope="col" { "k = " (shots) small { (best.name) } }
                    }
                } }
                tbody { @for outcome in learners {
                    tr.learner {
                        th scope="row" { (outcome.name) }
                        @for (at, best) in best.iter().enumerate() {
                            @let difference = difference(outcome, best, metric, at);
                            td.best[difference.is_clear()] {
                                (signed(difference.mean).replace('-', "−"))
                                small { "± " (share(difference.error)) }
                            }
                        }
                    }
                } }
            },
        )
    }

    /// What validation chose, where there was a choice.
    fn choices(&self) -> Markup {
        let chosen =
            self.outcomes.iter().filter(|outcome| outcome.choices.iter().any(|choice| !choice.is_empty()));
        html! {
            details {
                summary { "What validation chose, fold by fold" }
                @for outcome in chosen {
                    p { (outcome.name) }
                    ol.choices { @for choice in &outcome.choices { li { (choice) } } }
                }
            }
        }
    }

    fn notes(&self) -> Markup {
        html! {
            footer {
                p {
                    "NDCG@10 is 1 when the ten items at the head of a list are ones that the user likes, and 0 when none "
                    "is; hits further down count less. Standard errors are those of the mean over test users: they do "
                    "not cover the luck of the training seed. Differences are paired, user by user, so that they are "
                    "known better than the figures themselves."
                }
                p { "Made by " (TOOL) "." }
            }
        }
    }
}

fn name(outcome: &Outcome) -> &str {
    &outcome.name
}

fn datum(x: f64, estimate: Estimate) -> Datum {
    Datum { x, y: estimate.mean, error: estimate.error }
}

/// Both ends of an error bar.
fn reach(datum: &Datum) -> [f64; 2] {
    [datum.y - datum.error, datum.y + datum.error]
}

/// The protocol for people who do not know its name.
fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::P1 => {
            "Users that training did not see. Each one's feedback is shuffled and cut in half: methods see the first k \
             interactions of one half, rank the whole catalogue without those, and are judged on what the user likes in \
             the other half."
        }
        Protocol::P1t => {
            "Users that training did not see. Each one's feedback is cut in half by time: methods see the first k \
             interactions of the earlier half, rank the whole catalogue without those, and are judged on what the user \
             likes in the later half."
        }
        Protocol::P3 => {
            "Items that training did not see: a tenth of them keep nothing but their features. Methods see k \
             interactions of a user that training did not see either, rank those items alone, and are judged on what \
             the user likes among them."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Plan;
    use crate::metrics::Metrics;
    use crate::train::Config;

    fn outcome(name: &str, is_baseline: bool, level: f64) -> Outcome {
        let metrics = |user: usize, at: usize| Metrics {
            ndcg_10: level + 0.01 * at as f64 + 0.001 * user as f64,
            ..Metrics::default()
        };
        Outcome {
            name: name.to_owned(),
            is_baseline,
            choices: vec!["dim 32".to_owned()],
            bytes: (level * 1e6) as usize,
            interactions: vec![30; 20],
            found: Vec::new(),
            exposure: Default::default(),
            users: (0..20).map(|user| std::array::from_fn(|at| metrics(user, at))).collect(),
        }
    }

    fn page(names: &[(&str, bool)]) -> String {
        let outcomes = names
            .iter()
            .zip(1..)
            .map(|(&(name, is_baseline), at)| outcome(name, is_baseline, 0.1 * f64::from(at)));
        let outcomes: Vec<Outcome> = outcomes.collect();
        let plan = Plan {
            protocol: Protocol::P1,
            folds: 2,
            methods: Vec::new(),
            config: Config::default(),
            dim: None,
            seed: 1,
        };
        let subject =
            Subject { name: "a <b> & \"c\"".to_owned(), users: 1_234_567, items: 90, interactions: 4_000 };
        Report::new(&plan, &outcomes).page(&subject).unwrap()
    }

    #[test]
    fn every_method_is_in_every_plot_and_table() {
        let page = page(&[("maml", false), ("ease", true), ("user-knn", true)]);
        assert_eq!(page.matches("<svg").count(), 6);
        for name in ["maml", "ease", "user-knn"] {
            assert_eq!(page.matches(&format!(">\n{name}\n</text>")).count(), 6, "{name} in the plots");
            assert_eq!(
                page.matches(&format!("<th scope=\"row\">{name}</th>")).count(),
                METRICS.len() + 2 + usize::from(name == "maml")
            );
        }
    }

    #[test]
    fn whatever_comes_from_data_is_escaped() {
        let page = page(&[("x<script>&'\"", true)]);
        assert!(!page.contains("<script") && !page.contains("<b>"));
        assert!(page.contains("x&lt;script&gt;&amp;") && page.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page =
            page(&[("maml", false), ("ease", true)]).replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http", "src=", "href=", "url(", "@import", "<script", "<link", "//"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn the_same_report_makes_the_same_bytes() {
        let methods = [("maml", false), ("ease", true)];
        assert_eq!(page(&methods), page(&methods));
    }

    #[test]
    fn every_colour_of_a_plot_has_one_for_the_dark() {
        let page = page(&[("a", false), ("b", false), ("c", false), ("d", false), ("e", false), ("f", true)]);
        let colours =
            page.split("fill=\"#").chain(page.split("stroke=\"#")).skip(1).filter_map(|rest| rest.get(..6));
        for colour in colours.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            assert!(page.contains(&format!(".plot [fill=\"#{colour}\"]")), "{colour}");
        }
    }

    #[test]
    fn a_page_of_nothing_and_one_without_baselines_can_be_written() {
        assert!(page(&[]).contains("Nothing was compared."));
        assert!(page(&[("maml", false)]).contains("the best method is"));
    }
}
