//! A synthetic world: users with latent tastes, items with genres, popularity with a long tail.
//!
//! ```text
//! genres, decades, age bands, countries   random directions in the space of tastes
//! item    direction = its genres + its decade + noise; popularity 1 / (rank + 10)
//! user    taste = two genres + age band + country + noise; 20 interactions and more, log-normally
//! which   drawn by popularity, taken with probability sigmoid(6 cos(taste, item) - 2)
//! rating  round(3.4 + 1.6 cos(taste, item) + quality + generosity + noise), 1 to 5
//! ```
//!
//! So popularity is a strong baseline, taste beats it, and features tell something of both sides.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, StandardNormal};
use rayon::prelude::*;

use super::file::File;
use super::read::{Source, read_files};
use super::{Dataset, ReadError};

const GENRES: [&str; 12] = [
    "Action",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Horror",
    "Musical",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "Western",
];
const DECADES: [&str; 6] = ["1960s", "1970s", "1980s", "1990s", "2000s", "2010s"];
const AGES: [&str; 6] = ["under 18", "18-24", "25-34", "35-44", "45-54", "55+"];
const COUNTRIES: [&str; 8] = ["BR", "DE", "FR", "GB", "IN", "JP", "NG", "US"];

/// Dimension of the space of tastes.
const DIM: usize = 8;
/// Interactions that every user has, where there are twice as many items.
const MIN_INTERACTIONS: usize = 20;

/// How large a world, and which one: the same values give the same files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Mean number of interactions of a user; 20 at least, half of the items at most.
    pub interactions: usize,
    /// No ratings: a row means that the user took the item.
    pub implicit: bool,
    /// Seed of all that is drawn.
    pub seed: u64,
}

impl Default for World {
    fn default() -> Self {
        Self { users: 1000, items: 800, interactions: 80, implicit: false, seed: 1 }
    }
}

type Vector = [f64; DIM];

struct Item {
    title: String,
    genres: Vec<&'static str>,
    decade: &'static str,
    direction: Vector,
    quality: f64,
}

struct User {
    age: &'static str,
    country: &'static str,
    taste: Vector,
    generosity: f64,
}

/// The directions that names stand for.
struct Directions {
    genres: Vec<Vector>,
    decades: Vec<Vector>,
    ages: Vec<Vector>,
    countries: Vec<Vector>,
}

struct Rating {
    item: usize,
    stars: u8,
    time: u64,
}

/// The three files as text.
struct Texts {
    ratings: String,
    items: String,
    users: String,
}

impl World {
    /// Writes `ratings.csv`, `items.csv` and `users.csv` into `directory`, which is made if need be; files
    /// of these names are replaced.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let texts = self.texts();
        for (name, text) in
            [("ratings.csv", texts.ratings), ("items.csv", texts.items), ("users.csv", texts.users)]
        {
            let partial = directory.join(format!("{name}.partial"));
            fs::write(&partial, text)?;
            fs::rename(&partial, directory.join(name))?;
        }
        Ok(())
    }

    /// The data set that [`read`](super::read()) makes of the files.
    ///
    /// # Errors
    /// A world without users has no ratings to read.
    pub fn dataset(&self) -> Result<Dataset, ReadError> {
        let texts = self.texts();
        let ratings = File::of_text("ratings.csv", texts.ratings);
        let items = File::of_text("items.csv", texts.items);
        let users = File::of_text("users.csv", texts.users);
        read_files(&ratings, Some(&items), Some(&users), &Source::default()).map(|(dataset, _)| dataset)
    }

    fn texts(&self) -> Texts {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut directions = |names: &[&str]| names.iter().map(|_| unit(noise(&mut rng))).collect();
        let directions = Directions {
            genres: directions(&GENRES),
            decades: directions(&DECADES),
            ages: directions(&AGES),
            countries: directions(&COUNTRIES),
        };
        let items: Vec<Item> = (0..self.items).map(|number| item(number, &directions, &mut rng)).collect();
        let popularity = cumulative_popularity(self.items, &mut rng);
        // A stream of random numbers for each user: the threads leave no trace.
        let users: Vec<(User, Vec<Rating>)> = (0..self.users)
            .into_par_iter()
            .map(|number| {
                let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
                rng.set_stream(number as u64 + 1);
                let user = user(&directions, &mut rng);
                let history = self.history(&user, &items, &popularity, &mut rng);
                (user, history)
            })
            .collect();
        self.format(&items, &users)
    }

    fn history(&self, user: &User, items: &[Item], popularity: &[f64], rng: &mut ChaCha8Rng) -> Vec<Rating> {
        const TRIES: usize = 50; // a draw; whoever likes nothing popular has fewer interactions
        let count = self.count(rng);
        let mut time = rng.random_range(1_500_000_000..1_600_000_000_u64);
        let (mut taken, mut history) = (HashSet::new(), Vec::with_capacity(count));
        for _ in 0..TRIES * count {
            if history.len() == count {
                break;
            }
            let draw = rng.random::<f64>() * popularity[items.len() - 1];
            let number = popularity.partition_point(|&sum| sum <= draw).min(items.len() - 1);
            let item = &items[number];
            let affinity = dot(&user.taste, &item.direction);
            let probability = 1.0 / (1.0 + (2.0 - 6.0 * affinity).exp());
            if rng.random::<f64>() >= probability || !taken.insert(number) {
                continue;
            }
            let noise: f64 = StandardNormal.sample(rng);
            let stars = 3.4 + 1.6 * affinity + item.quality + user.generosity + 0.6 * noise;
            time += rng.random_range(30..100_000);
            history.push(Rating { item: number, stars: stars.round().clamp(1.0, 5.0) as u8, time });
        }
        history
    }

    /// How many interactions a user has: log-normal above the least.
    fn count(&self, rng: &mut ChaCha8Rng) -> usize {
        const SPREAD: f64 = 1.0;
        let mean = self.interactions.saturating_sub(MIN_INTERACTIONS).max(1) as f64;
        let above =
            LogNormal::new(mean.ln() - SPREAD * SPREAD / 2.0, SPREAD).map_or(0.0, |law| law.sample(rng));
        (MIN_INTERACTIONS + above as usize).min(self.items / 2)
    }

    fn format(&self, items: &[Item], users: &[(User, Vec<Rating>)]) -> Texts {
        let mut texts = Texts {
            ratings: if self.implicit { "user,item,timestamp\n" } else { "user,item,rating,timestamp\n" }
                .to_owned(),
            items: "item,title,genre,decade\n".to_owned(),
            users: "user,age,country\n".to_owned(),
        };
        // Writing into a string cannot fail.
        for (number, item) in items.iter().enumerate() {
            let genres = item.genres.join("|");
            let _ = writeln!(texts.items, "i{number:06},{},{genres},{}", item.title, item.decade);
        }
        for (number, (user, history)) in users.iter().enumerate() {
            let _ = writeln!(texts.users, "u{number:06},{},{}", user.age, user.country);
            for Rating { item, stars, time } in history {
                let _ = match self.implicit {
                    true => writeln!(texts.ratings, "u{number:06},i{item:06},{time}"),
                    false => writeln!(texts.ratings, "u{number:06},i{item:06},{stars},{time}"),
                };
            }
        }
        texts
    }
}

fn item(number: usize, directions: &Directions, rng: &mut ChaCha8Rng) -> Item {
    let count = rng.random_range(1..=3);
    let mut genres: Vec<usize> = (0..count).map(|_| rng.random_range(0..GENRES.len())).collect();
    genres.sort_unstable();
    genres.dedup();
    let decade = rng.random_range(0..DECADES.len());
    let mut direction = scaled(&noise(rng), 0.25);
    genres.iter().for_each(|&genre| add(&mut direction, 1.0, &directions.genres[genre]));
    add(&mut direction, 0.4, &directions.decades[decade]);
    let quality: f64 = StandardNormal.sample(rng);
    Item {
        title: format!("{} no. {} ({})", GENRES[genres[0]], number + 1, DECADES[decade]),
        genres: genres.iter().map(|&genre| GENRES[genre]).collect(),
        decade: DECADES[decade],
        direction: unit(direction),
        quality: 0.4 * quality,
    }
}

fn user(directions: &Directions, rng: &mut ChaCha8Rng) -> User {
    let age = rng.random_range(0..AGES.len());
    let country = rng.random_range(0..COUNTRIES.len());
    let mut taste = scaled(&noise(rng), 0.2);
    for weight in [1.0, 0.7] {
        if let Some(genre) = directions.genres.choose(rng) {
            add(&mut taste, weight, genre);
        }
    }
    add(&mut taste, 0.5, &directions.ages[age]);
    add(&mut taste, 0.3, &directions.countries[country]);
    let generosity: f64 = StandardNormal.sample(rng);
    User { age: AGES[age], country: COUNTRIES[country], taste: unit(taste), generosity: 0.4 * generosity }
}

/// Running sums of the items' popularity.
fn cumulative_popularity(items: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut weights: Vec<f64> = (0..items).map(|rank| 1.0 / (rank as f64 + 10.0)).collect();
    weights.shuffle(rng);
    let mut sum = 0.0;
    for weight in &mut weights {
        sum += *weight;
        *weight = sum;
    }
    weights
}

fn noise(rng: &mut ChaCha8Rng) -> Vector {
    std::array::from_fn(|_| StandardNormal.sample(rng))
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(vector: &mut Vector, factor: f64, other: &Vector) {
    vector.iter_mut().zip(other).for_each(|(value, other)| *value += factor * other);
}

fn scaled(vector: &Vector, factor: f64) -> Vector {
    vector.map(|value| factor * value)
}

fn unit(vector: Vector) -> Vector {
    scaled(&vector, 1.0 / dot(&vector, &vector).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Interaction, find, read};

    #[test]
    fn what_is_written_is_read_back_as_the_data_set() {
        for implicit in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let world = World { users: 60, items: 90, implicit, ..World::default() };
            world.write(directory.path()).unwrap();
            let (dataset, reading) = read(&find(directory.path()).unwrap()).unwrap();
            assert_eq!(dataset, world.dataset().unwrap());
            assert_eq!((reading.users, reading.items, reading.duplicates), (60, 90, 0));
            assert_eq!(reading.like_at.is_none(), implicit);
            assert!(reading.item_features > 12 && reading.user_features > 8, "{reading}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let world = World { users: 30, ..World::default() };
        assert_eq!(world.texts().ratings, world.texts().ratings);
        assert_ne!(world.texts().ratings, World { seed: 2, ..world }.texts().ratings);
    }

    #[test]
    fn activity_is_as_asked_for_and_never_below_twenty() {
        let dataset = World::default().dataset().unwrap();
        let mean = dataset.len() as f64 / 1000.0;
        assert!((70.0..90.0).contains(&mean), "{mean}");
        assert!(dataset.interactions.iter().all(|history| history.len() >= 20));
    }

    #[test]
    fn popularity_is_skewed_and_ratings_spread() {
        let dataset = World::default().dataset().unwrap();
        let mut count = vec![0; dataset.items.len()];
        dataset.interactions.iter().flatten().for_each(|i| count[i.item as usize] += 1);
        count.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
        let top: usize = count.iter().take(80).sum();
        assert!((0.25..0.6).contains(&(top as f64 / dataset.len() as f64)));
        assert_eq!(dataset.levels.values, [1.0, 2.0, 3.0, 4.0, 5.0]);
        let likes = dataset.interactions.iter().flatten().filter(|i| dataset.levels.liked(i.level)).count();
        assert!((0.3..0.8).contains(&(likes as f64 / dataset.len() as f64)));
    }

    /// Users who share two likes with each other share more of the rest than chance would have it.
    #[test]
    fn one_like_tells_of_the_others() {
        let dataset = World::default().dataset().unwrap();
        let liked = |interactions: &[Interaction]| -> HashSet<u32> {
            interactions.iter().filter(|i| dataset.levels.liked(i.level)).map(|i| i.item).collect()
        };
        let likes: Vec<_> = dataset.interactions.iter().map(|interactions| liked(interactions)).collect();
        let genres = |item: u32| &dataset.item_features.of[item as usize];
        let overlap = |a: &HashSet<u32>, b: &HashSet<u32>| {
            let pairs = a.iter().flat_map(|&x| b.iter().map(move |&y| (x, y))).filter(|(x, y)| x != y);
            let (same, all) = pairs.fold((0, 0), |(same, all), (x, y)| {
                (same + usize::from(genres(x).iter().any(|f| genres(y).contains(f))), all + 1)
            });
            same as f64 / f64::from(all.max(1))
        };
        let within: f64 = likes.iter().take(200).map(|likes| overlap(likes, likes)).sum();
        let between: f64 = likes.windows(2).take(200).map(|pair| overlap(&pair[0], &pair[1])).sum();
        assert!(within > 1.15 * between, "{within} {between}");
    }
}
