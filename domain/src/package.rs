//! Packages: several inclusions sold as one line at one price.
//!
//! A package's price contains all fees and taxes. Each ticket in it contributes a whole number of minor units to that
//! price, its share: so the orders that a package leads to add up to what was paid, and a refund of one ticket is
//! exactly its share.

use serde::{Deserialize, Serialize};

use crate::limits::{INCLUSIONS_MAX, LINE_QUANTITY_MAX, PACKAGE_PRICE_MINOR_MAX, UNIT_PRICE_MINOR_MAX};
use crate::{EventId, Refusal, TicketTypeId};

/// So many tickets of one type in each package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Of which event.
    pub event_id: EventId,
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many tickets; at least one.
    pub quantity: u32,
    /// What each of these tickets contributes to the package's price.
    pub unit_share_minor: i64,
}

/// What an inclusion weighs where the shares are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// What one ticket costs by itself.
    pub unit_total_minor: i64,
    /// How many tickets.
    pub quantity: u32,
}

/// Checks what needs no look at the events.
///
/// Errors: the field at fault.
pub fn check_inclusions(price_minor: i64, inclusions: &[Inclusion]) -> Result<(), Refusal> {
    let invalid = |field| Err(Refusal::InvalidField { field });
    if !(0..=PACKAGE_PRICE_MINOR_MAX).contains(&price_minor) {
        return invalid("price");
    }
    if !(1..=INCLUSIONS_MAX).contains(&inclusions.len()) {
        return invalid("inclusions");
    }
    for (index, inclusion) in inclusions.iter().enumerate() {
        let twice = |other: &Inclusion| {
            (other.event_id, other.ticket_type_id) == (inclusion.event_id, inclusion.ticket_type_id)
        };
        let fits = (1..=LINE_QUANTITY_MAX).contains(&inclusion.quantity)
            && (0..=UNIT_PRICE_MINOR_MAX).contains(&inclusion.unit_share_minor);
        if !fits || inclusions[..index].iter().any(twice) {
            return invalid("inclusions");
        }
    }
    let sum = inclusions.iter().try_fold(0_i64, |sum, inclusion| {
        let share = inclusion
            .unit_share_minor
            .checked_mul(i64::from(inclusion.quantity))?;
        sum.checked_add(share)
    });
    if sum != Some(price_minor) {
        return invalid("inclusions");
    }
    Ok(())
}

/// The share of one ticket of each inclusion, in proportion to what the tickets cost by themselves. What cannot be
/// divided goes to the first, as far as its tickets can share it evenly, and to the others otherwise.
///
/// `None`: there is no such division into whole minor units, such as of an odd price between two equal tickets.
pub fn shares(price_minor: i64, weights: &[Weight]) -> Option<Vec<i64>> {
    let first_quantity = i64::from(weights.first()?.quantity);
    let is_free = weights.iter().all(|weight| weight.unit_total_minor == 0);
    let unit_weight = |weight: &Weight| {
        if is_free {
            1
        } else {
            i128::from(weight.unit_total_minor)
        }
    };
    let whole: i128 = weights
        .iter()
        .map(|weight| unit_weight(weight) * i128::from(weight.quantity))
        .sum();
    if whole <= 0 || price_minor < 0 || first_quantity == 0 {
        return None;
    }
    let mut shares = weights
        .iter()
        .map(|weight| i64::try_from(i128::from(price_minor) * unit_weight(weight) / whole).ok())
        .collect::<Option<Vec<i64>>>()?;
    let mut rest = price_minor;
    for (share, weight) in shares.iter().zip(weights) {
        rest = rest.checked_sub(share.checked_mul(i64::from(weight.quantity))?)?;
    }
    let others = cheapest_of_residue(&weights[1..], first_quantity, rest.rem_euclid(first_quantity))?;
    for other in others {
        shares[other + 1] += 1;
        rest -= i64::from(weights[other + 1].quantity);
    }
    shares[0] += rest / first_quantity;
    (shares[0] >= 0).then_some(shares)
}

/// The inclusions (with repeats) whose quantities have the least sum of this residue.
fn cheapest_of_residue(weights: &[Weight], modulus: i64, residue: i64) -> Option<Vec<usize>> {
    let modulus = usize::try_from(modulus).ok()?;
    let residue = usize::try_from(residue).ok()?;
    // Of each residue: the least sum, and the inclusion that was added last.
    let mut best: Vec<Option<(u64, Option<usize>)>> = vec![None; modulus];
    best[0] = Some((0, None));
    // As many rounds as there are residues: no least sum has more parts (each would repeat a residue).
    for _ in 0..modulus {
        for from in 0..modulus {
            let Some((sum, _)) = best[from] else { continue };
            for (index, weight) in weights.iter().enumerate() {
                let to = (from + weight.quantity as usize) % modulus;
                let longer = sum + u64::from(weight.quantity);
                if best[to].is_none_or(|(present, _)| longer < present) {
                    best[to] = Some((longer, Some(index)));
                }
            }
        }
    }
    let mut parts = vec![];
    let mut at = residue;
    while let (_, Some(index)) = best[at]? {
        parts.push(index);
        let back = weights[index].quantity as usize % modulus;
        at = (at + modulus - back) % modulus;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn weight((unit_total_minor, quantity): (i64, u32)) -> Weight {
        Weight {
            unit_total_minor,
            quantity,
        }
    }

    fn sum(shares: &[i64], weights: &[Weight]) -> i64 {
        let share = |(share, weight): (&i64, &Weight)| share * i64::from(weight.quantity);
        shares.iter().zip(weights).map(share).sum()
    }

    #[test]
    fn shares_follow_the_prices_and_the_rest_goes_to_the_first() {
        for (price, weights, expected) in [
            (9_000, vec![(5_000, 1), (5_000, 1)], Some(vec![4_500, 4_500])),
            (1_000, vec![(1, 1), (1, 1), (1, 1)], Some(vec![334, 333, 333])),
            (100, vec![(0, 1), (0, 3)], Some(vec![25, 25])),
            (0, vec![(10, 2), (20, 1)], Some(vec![0, 0])),
            // The first two tickets cannot share one unit: the other inclusion takes it.
            (7, vec![(1, 2), (1, 1)], Some(vec![2, 3])),
            (7, vec![(1, 2), (1, 3)], Some(vec![2, 1])),
            (7, vec![(1, 2)], None),
            (7, vec![(1, 2), (5, 4)], None),
            (1, vec![(1, 2), (1, 3)], None),
        ] {
            let weights: Vec<Weight> = weights.into_iter().map(weight).collect();
            assert_eq!(shares(price, &weights), expected, "{price} {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn shares_always_add_up_and_stay_near_the_proportion(
            price in 0..=UNIT_PRICE_MINOR_MAX,
            weights in prop::collection::vec((0..=UNIT_PRICE_MINOR_MAX, 1..=LINE_QUANTITY_MAX), 1..=INCLUSIONS_MAX),
        ) {
            let weights: Vec<Weight> = weights.into_iter().map(weight).collect();
            if let Some(shares) = shares(price, &weights) {
                prop_assert!(shares.iter().all(|share| *share >= 0));
                prop_assert_eq!(sum(&shares, &weights), price);
            }
        }

        #[test]
        fn a_package_with_a_single_ticket_first_can_always_be_divided(
            price in 0..=UNIT_PRICE_MINOR_MAX,
            first in 0..=UNIT_PRICE_MINOR_MAX,
            weights in prop::collection::vec((0..=UNIT_PRICE_MINOR_MAX, 1..=LINE_QUANTITY_MAX), 0..INCLUSIONS_MAX),
        ) {
            let weights: Vec<Weight> = std::iter::once((first, 1)).chain(weights).map(weight).collect();
            prop_assert!(shares(price, &weights).is_some());
        }
    }

    #[test]
    fn inclusions_are_bounded_different_and_add_up() {
        let inclusion = |id: u128, quantity, unit_share_minor| Inclusion {
            event_id: EventId(Uuid::from_u128(1)),
            ticket_type_id: TicketTypeId(Uuid::from_u128(id)),
            quantity,
            unit_share_minor,
        };
        let good = [inclusion(1, 2, 100), inclusion(2, 1, 50)];
        assert_eq!(check_inclusions(250, &good), Ok(()));
        let many: Vec<Inclusion> = (0..=INCLUSIONS_MAX)
            .map(|id| inclusion(id as u128, 1, 0))
            .collect();
        for (price, inclusions, field) in [
            (251, &good[..], "inclusions"),
            (-1, &good, "price"),
            (PACKAGE_PRICE_MINOR_MAX + 1, &good, "price"),
            (0, &[], "inclusions"),
            (0, &many, "inclusions"),
            (0, &[inclusion(1, 0, 0)], "inclusions"),
            (0, &[inclusion(1, LINE_QUANTITY_MAX + 1, 0)], "inclusions"),
            (0, &[inclusion(1, 1, 1), inclusion(2, 1, -1)], "inclusions"),
            (2, &[inclusion(1, 1, 1), inclusion(1, 1, 1)], "inclusions"),
        ] {
            let refusal = Err(Refusal::InvalidField { field });
            assert_eq!(
                check_inclusions(price, inclusions),
                refusal,
                "{price} {inclusions:?}"
            );
        }
    }
}
