//! Sets of players.

/// A set of players, each a number in 0…n-1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coalition {
    n_players: usize,
    words: Vec<u64>,
}

impl Coalition {
    /// Nobody, of this many players.
    #[must_use]
    pub fn empty(n_players: usize) -> Self {
        Self { n_players, words: vec![0; n_players.div_ceil(64)] }
    }

    /// These players, of `n_players`. A number outside the range is left out, and a repeated one counts once.
    #[must_use]
    pub fn of(n_players: usize, players: &[usize]) -> Self {
        let mut coalition = Self::empty(n_players);
        players.iter().for_each(|player| coalition.insert(*player));
        coalition
    }

    /// How many players the game has.
    #[must_use]
    pub const fn n_players(&self) -> usize {
        self.n_players
    }

    /// Whether this player takes part.
    #[must_use]
    pub fn contains(&self, player: usize) -> bool {
        self.words.get(player / 64).is_some_and(|word| word >> (player % 64) & 1 == 1)
    }

    /// How many players take part.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nobody takes part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Who takes part, in increasing order.
    pub fn players(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.n_players).filter(|player| self.contains(*player))
    }

    /// Adds a player; one outside the range is left out.
    pub fn insert(&mut self, player: usize) {
        if player < self.n_players {
            self.words[player / 64] |= 1 << (player % 64);
        }
    }
}
