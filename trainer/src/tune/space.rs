//! What is searched: one table.

use std::fmt;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::learner::Kind;
use crate::train::{Config, Regression};

/// One field of [`Config`], and where its values come from.
pub struct Parameter {
    /// The name in tables and help.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What may be drawn.
    pub values: Values,
    /// What a configuration has.
    pub get: fn(&Config) -> f64,
    set: fn(&mut Config, f64),
}

/// Where values are drawn from, all alike.
pub enum Values {
    /// Any learner.
    Learners,
    /// One of these.
    OneOf(&'static [f64]),
    /// Log-uniform between the two, at two digits.
    Between(f64, f64),
}

/// The search space: around what worked on all data so far, wide enough for data that is unlike it.
pub const SPACE: [Parameter; 12] = [
    Parameter {
        name: "learner",
        about: "the adaptation rule",
        values: Values::Learners,
        get: |config| config.learner as usize as f64,
        set: |config, value| config.learner = Kind::ALL[value as usize % Kind::ALL.len()],
    },
    Parameter {
        name: "dim",
        about: "length of an embedding",
        values: Values::OneOf(&[16.0, 32.0, 48.0, 64.0, 96.0, 128.0]),
        get: |config| config.dim as f64,
        set: |config, value| config.dim = value as usize,
    },
    Parameter {
        name: "steps",
        about: "inner steps (maml)",
        values: Values::OneOf(&[2.0, 4.0, 8.0, 12.0]),
        get: |config| config.steps as f64,
        set: |config, value| config.steps = value as usize,
    },
    Parameter {
        name: "rate",
        about: "size of the outer steps",
        values: Values::Between(1e-3, 1e-2),
        get: |config| f64::from(config.learning_rate),
        set: |config, value| config.learning_rate = value as f32,
    },
    Parameter {
        name: "teacher",
        about: "weight of the teacher's predictions",
        values: Values::Between(0.3, 10.0),
        get: |config| config.teacher_weight,
        set: |config, value| config.teacher_weight = value,
    },
    Parameter {
        name: "sharpness",
        about: "times the teacher's logits",
        values: Values::Between(0.5, 4.0),
        get: |config| f64::from(config.teacher_sharpness),
        set: |config, value| config.teacher_sharpness = value as f32,
    },
    Parameter {
        name: "nearest",
        about: "the teacher: 1 regresses items on their nearest alone, 0 on all",
        values: Values::OneOf(&[0.0, 1.0]),
        get: |config| f64::from(u8::from(config.regression == Regression::Near)),
        set: |config, value| {
            config.regression = if value > 0.0 { Regression::Near } else { Regression::Full };
        },
    },
    Parameter {
        name: "mixed",
        about: "mixtures of users beside each user, which the teacher judges",
        values: Values::OneOf(&[0.0, 1.0, 3.0]),
        get: |config| config.mixed as f64,
        set: |config, value| config.mixed = value as usize,
    },
    Parameter {
        name: "batch",
        about: "episodes of an outer step",
        values: Values::OneOf(&[16.0, 32.0, 64.0, 128.0]),
        get: |config| config.batch as f64,
        set: |config, value| config.batch = value as usize,
    },
    Parameter {
        name: "start",
        about: "where rows start: 1 from the teacher, 0 from a factorisation, as follows",
        values: Values::OneOf(&[0.0, 1.0]),
        get: |config| f64::from(u8::from(config.start.from_teacher)),
        set: |config, value| config.start.from_teacher = value > 0.0,
    },
    Parameter {
        name: "unobserved",
        about: "of the factorisation: weight of what users did not rate",
        values: Values::Between(0.01, 1.0),
        get: |config| f64::from(config.start.unobserved),
        set: |config, value| config.start.unobserved = value as f32,
    },
    Parameter {
        name: "regularisation",
        about: "of the factorisation",
        values: Values::Between(1e-3, 1e-1),
        get: |config| f64::from(config.start.regularisation),
        set: |config, value| config.start.regularisation = value as f32,
    },
];

impl Parameter {
    /// The value of `config` for people.
    pub fn show(&self, config: &Config) -> String {
        match self.values {
            Values::Learners => config.learner.name().to_owned(),
            // As f32, in which some fields are kept: 0.003 and not 0.003000000026.
            Values::OneOf(_) | Values::Between(..) => ((self.get)(config) as f32).to_string(),
        }
    }
}

/// Configuration `trial` of the search with this seed: `base` with every field of [`SPACE`] drawn anew. The same
/// whatever was drawn before.
pub(super) fn draw(base: &Config, seed: u64, trial: usize) -> Config {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(trial as u64);
    let mut config = base.clone();
    for parameter in &SPACE {
        (parameter.set)(&mut config, parameter.values.draw(&mut rng));
    }
    config
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learners => write!(f, "{}", Kind::ALL.map(Kind::name).join(", ")),
            Self::OneOf(values) => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                write!(f, "{}", values.join(", "))
            }
            Self::Between(low, high) => write!(f, "{low} to {high}"),
        }
    }
}

impl Values {
    fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Learners => rng.random_range(0..Kind::ALL.len()) as f64,
            Self::OneOf(values) => values[rng.random_range(0..values.len())],
            Self::Between(low, high) => two_digits(rng.random_range(low.ln()..=high.ln()).exp()),
        }
    }
}

/// `value`, positive, with two significant digits.
fn two_digits(value: f64) -> f64 {
    let digits = 1 - value.log10().floor() as i32;
    let scale = 10_f64.powi(digits.abs());
    if digits >= 0 { (value * scale).round() / scale } else { (value / scale).round() * scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draw_is_within_the_space_and_differs_from_the_others() {
        let base = Config::default();
        let drawn: Vec<Config> = (1..200).map(|trial| draw(&base, 7, trial)).collect();
        for parameter in &SPACE {
            let values = drawn.iter().map(parameter.get);
            let ok = |value: f64| match parameter.values {
                Values::Learners => value < Kind::ALL.len() as f64,
                Values::OneOf(values) => values.contains(&value),
                Values::Between(low, high) => (low * 0.999..=high * 1.001).contains(&value),
            };
            assert!(values.clone().all(ok), "{}", parameter.name);
            let first = (parameter.get)(&drawn[0]);
            assert!(values.into_iter().any(|value| value != first), "{} never changes", parameter.name);
        }
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_draw_depends_on_seed_and_trial_alone() {
        let base = Config::default();
        assert_eq!(draw(&base, 7, 3), draw(&base, 7, 3));
        assert_ne!(draw(&base, 7, 3), draw(&base, 8, 3));
    }

    #[test]
    fn values_have_two_digits() {
        assert_eq!((two_digits(0.001_849), two_digits(9.96), two_digits(123.4)), (0.0018, 10.0, 120.0));
    }
}
