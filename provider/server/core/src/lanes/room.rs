//! How many pushes of each lane may be in the engine at once.

use super::Lane;

/// Shares out the engine's room among the lanes. Of 100 places:
///
/// | | at most | so that there are kept free |
/// |---|---|---|
/// | campaigns | 60 | |
/// | campaigns and normal | 85 | 15 for urgent ones, whatever else is under way; and 25 for normal ones beside campaigns |
/// | urgent | 90 | 10 for the others, however many codes are sent |
/// | urgent and normal | 95 | 5 for campaigns, which are slow then, and not stopped |
///
/// A place that is kept free costs nothing but memory: what limits a campaign is APNs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    places: usize,
}

impl Room {
    /// Room for so many pushes in all.
    pub const fn new(places: usize) -> Self {
        Self { places }
    }

    /// How many more pushes of this lane may go out, while so many of each lane are under way, the most urgent first.
    pub fn left(self, lane: Lane, used: [usize; Lane::ALL.len()]) -> usize {
        let [urgent, normal, campaign] = used;
        let percent = |percent: usize| (self.places * percent).div_ceil(100);
        let limits: &[(usize, usize)] = match lane {
            Lane::Urgent => &[
                (percent(90), urgent),
                (percent(95), urgent + normal),
                (self.places, urgent + normal + campaign),
            ],
            Lane::Normal => &[
                (percent(85), normal + campaign),
                (percent(95), urgent + normal),
                (self.places, urgent + normal + campaign),
            ],
            Lane::Campaign => &[
                (percent(60), campaign),
                (percent(85), normal + campaign),
                (self.places, urgent + normal + campaign),
            ],
        };
        limits.iter().map(|(most, used)| most.saturating_sub(*used)).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room::new(1000);

    #[test]
    fn c77_a_campaign_leaves_room_for_what_is_urgent() {
        let mut used = [0; 3];
        used[2] = ROOM.left(Lane::Campaign, used);
        assert_eq!(used[2], 600);
        used[1] = ROOM.left(Lane::Normal, used);
        assert_eq!(used[1], 250);
        assert_eq!(ROOM.left(Lane::Urgent, used), 150);
    }

    #[test]
    fn what_is_urgent_leaves_room_for_the_rest() {
        let mut used = [0; 3];
        used[0] = ROOM.left(Lane::Urgent, used);
        used[1] = ROOM.left(Lane::Normal, used);
        assert_eq!((used[0], used[1], ROOM.left(Lane::Campaign, used)), (900, 50, 50));
    }

    #[test]
    fn however_little_room_there_is_every_lane_can_send() {
        for lane in Lane::ALL {
            assert_eq!(Room::new(1).left(lane, [0; 3]), 1);
        }
    }

    proptest! {
        #[test]
        fn there_is_never_more_than_there_is_room(
            places in 0..10_000_usize, turns in proptest::collection::vec((0..3_usize, 0..500_usize), 0..200),
        ) {
            let room = Room::new(places);
            let mut used = [0; 3];
            for (at, wanted) in turns {
                used[at] += room.left(Lane::ALL[at], used).min(wanted);
            }
            prop_assert!(used.iter().sum::<usize>() <= places);
            // A lane never takes the last place that is kept for another, as far as there is a place for each.
            if places >= 100 {
                prop_assert!(used[2] <= places * 60 / 100 + 1 && used[0] <= places * 90 / 100 + 1);
            }
        }
    }
}
