//! What buyers are like, drawn from the seed.

use std::time::Duration;

use uuid::Uuid;

use super::random::Random;

/// What a buyer is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Buys in one call.
    Buys,
    /// Holds, thinks, checks out.
    Thinks(Duration),
    /// Holds and walks away; the hold comes back by itself.
    Abandons,
    /// Has a card that is declined.
    IsDeclined,
    /// Buys as often as it can, under other keys: the buyer limit must stop it.
    Bot,
}

/// One buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Buyer {
    /// Account.
    pub(crate) id: Uuid,
    /// What it is up to.
    pub(crate) behaviour: Behaviour,
    /// Index of the ticket type wanted.
    pub(crate) ticket_type: usize,
    /// How many.
    pub(crate) quantity: u32,
    /// For everything else that this buyer leaves to chance.
    pub(crate) random: Random,
}

/// Times that a bot tries.
pub(crate) const BOT_ATTEMPTS: u32 = 5;

/// Buyer number `index` of a seed.
pub(crate) fn buyer(seed: u64, index: u32, ticket_types: usize) -> Buyer {
    let mut random = Random::new(seed, u64::from(index));
    let behaviour = match random.below(100) {
        0..72 => Behaviour::Buys,
        72..84 => Behaviour::Thinks(Duration::from_millis(50 + random.below(700))),
        84..91 => Behaviour::Abandons,
        91..96 => Behaviour::IsDeclined,
        _ => Behaviour::Bot,
    };
    let types = u64::try_from(ticket_types).unwrap_or(1);
    Buyer {
        id: uuid::Builder::from_random_bytes(
            ((u128::from(random.next()) << 64) | u128::from(random.next())).to_be_bytes(),
        )
        .into_uuid(),
        behaviour,
        ticket_type: usize::try_from(random.below(types)).unwrap_or_default(),
        quantity: if random.below(3) == 0 { 1 } else { 2 },
        random,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_the_same_for_the_same_seed() {
        assert_eq!(buyer(1, 5, 3), buyer(1, 5, 3));
        assert_ne!(buyer(1, 5, 3).id, buyer(2, 5, 3).id);
        assert_ne!(buyer(1, 5, 3).id, buyer(1, 6, 3).id);
    }

    #[test]
    fn every_behaviour_occurs_and_most_just_buy() {
        let crowd: Vec<_> = (0..10_000).map(|index| buyer(3, index, 3)).collect();
        let count =
            |wanted: fn(&Behaviour) -> bool| crowd.iter().filter(|buyer| wanted(&buyer.behaviour)).count();
        assert!(count(|behaviour| *behaviour == Behaviour::Buys) > 6_500);
        assert!(count(|behaviour| matches!(behaviour, Behaviour::Thinks(_))) > 900);
        assert!(count(|behaviour| *behaviour == Behaviour::Abandons) > 500);
        assert!(count(|behaviour| *behaviour == Behaviour::IsDeclined) > 300);
        assert!(count(|behaviour| *behaviour == Behaviour::Bot) > 200);
        assert!(crowd.iter().all(|buyer| buyer.ticket_type < 3));
    }
}
