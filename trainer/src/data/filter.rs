//! Leaving out items and users with little feedback.

use serde::{Deserialize, Serialize};

use super::{Dataset, Features, Interaction};

/// What [`Dataset::filter`] left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filtered {
    /// Items, new ones included.
    pub items: usize,
    /// Users.
    pub users: usize,
    /// Interactions.
    pub interactions: usize,
}

impl Dataset {
    /// Keeps the items with at least `min_item` interactions, then the users with at least `min_user` on
    /// those. Items are not counted again afterwards: what a dropped user rated stays. Order is kept, items
    /// are numbered anew. New items, which have no interaction, stay only with `min_item` 0.
    pub fn filter(&self, min_item: usize, min_user: usize) -> (Self, Filtered) {
        let mut count = vec![0_usize; self.items.len()];
        for interaction in self.interactions.iter().flatten() {
            count[interaction.item as usize] += 1;
        }
        let items: Vec<usize> = (0..self.items.len()).filter(|&item| count[item] >= min_item).collect();
        let mut renumbered = vec![None; self.items.len()];
        for (number, &item) in items.iter().enumerate() {
            renumbered[item] = Some(number as u32);
        }
        let kept = |interactions: &Vec<Interaction>| -> Vec<Interaction> {
            let renumber = |&i: &Interaction| Some(Interaction { item: renumbered[i.item as usize]?, ..i });
            interactions.iter().filter_map(renumber).collect()
        };
        let (users, interactions): (Vec<usize>, Vec<_>) = (0..)
            .zip(self.interactions.iter().map(kept))
            .filter(|(_, interactions)| !interactions.is_empty() && interactions.len() >= min_user)
            .unzip();
        let filtered = Self {
            users: users.iter().map(|&user| self.users[user].clone()).collect(),
            items: items.iter().map(|&item| self.items[item].clone()).collect(),
            titles: items.iter().map(|&item| self.titles[item].clone()).collect(),
            item_features: self.item_features.rows(&items),
            user_features: self.user_features.rows(&users),
            levels: self.levels.clone(),
            interactions,
        };
        let left_out = Filtered {
            items: self.items.len() - filtered.items.len(),
            users: self.users.len() - filtered.users.len(),
            interactions: self.len() - filtered.len(),
        };
        (filtered, left_out)
    }

    /// Keeps the users with at most `max_user` interactions, and every item.
    pub fn with_users_up_to(&self, max_user: usize) -> Self {
        let users: Vec<usize> =
            (0..self.users.len()).filter(|&user| self.interactions[user].len() <= max_user).collect();
        Self {
            users: users.iter().map(|&user| self.users[user].clone()).collect(),
            user_features: self.user_features.rows(&users),
            interactions: users.iter().map(|&user| self.interactions[user].clone()).collect(),
            ..self.clone()
        }
    }

    /// The same without any feedback on `items`: they become new items, of which only the features are known.
    pub fn without_feedback_on(&self, items: &[u32]) -> Self {
        let mut is_known = vec![true; self.items.len()];
        items.iter().for_each(|&item| is_known[item as usize] = false);
        let mut rest = self.clone();
        for interactions in &mut rest.interactions {
            interactions.retain(|interaction| is_known[interaction.item as usize]);
        }
        rest
    }

    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.interactions.iter().map(Vec::len).sum()
    }

    /// Whether there is no interaction.
    pub fn is_empty(&self) -> bool {
        self.interactions.iter().all(Vec::is_empty)
    }
}

impl Features {
    /// The same features, of some rows.
    fn rows(&self, rows: &[usize]) -> Self {
        Self { names: self.names.clone(), of: rows.iter().map(|&row| self.of[row].clone()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Levels;

    /// Three users, four items (the last is new); item 1 has one interaction.
    fn dataset() -> Dataset {
        let on = |items: &[u32]| items.iter().map(|&item| Interaction { item, level: 0, time: 0 }).collect();
        let features = |rows: u32| Features {
            names: (0..rows).map(|row| format!("row:{row}")).collect(),
            of: (0..rows).map(|row| vec![row]).collect(),
        };
        Dataset {
            users: ["a", "b", "c"].map(String::from).to_vec(),
            items: ["w", "x", "y", "z"].map(String::from).to_vec(),
            titles: vec![None, None, Some("Y".into()), None],
            interactions: vec![on(&[0, 1, 2]), on(&[0, 2]), on(&[2])],
            levels: Levels::implicit(),
            item_features: features(4),
            user_features: features(3),
        }
    }

    #[test]
    fn items_are_counted_first_and_users_on_what_is_left() {
        let (filtered, left_out) = dataset().filter(2, 2);
        assert_eq!(
            (filtered.users.clone(), filtered.items.clone()),
            (vec!["a".into(), "b".into()], vec!["w".into(), "y".into()])
        );
        assert_eq!(filtered.interactions[0].iter().map(|i| i.item).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(filtered.titles, [None, Some("Y".to_owned())]);
        assert_eq!(filtered.item_features.of, [[0], [2]]);
        assert_eq!(filtered.user_features.of, [[0], [1]]);
        assert_eq!(left_out, Filtered { items: 2, users: 1, interactions: 2 });
    }

    #[test]
    fn users_with_more_feedback_than_asked_for_are_left_out() {
        let few = dataset().with_users_up_to(2);
        assert_eq!(few.users, ["b", "c"]);
        assert_eq!(few.user_features.of, [[1], [2]]);
        assert_eq!((few.interactions, few.items.len()), (dataset().interactions[1..].to_vec(), 4));
        assert_eq!(dataset().with_users_up_to(3), dataset());
    }

    #[test]
    fn nothing_is_left_out_where_nothing_is_asked_for() {
        assert_eq!(dataset().filter(0, 0), (dataset(), Filtered::default()));
    }
}
