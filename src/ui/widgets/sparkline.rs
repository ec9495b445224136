//! A course of values as one line of text: blocks, or plain characters where the theme has no others; a gap is what is not known.

use crate::config::theme::Charts;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PLAIN: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Points between 0 and 1 as a line of `room` cells, the newest at its right end; what is over 1 is drawn as 1.
pub fn sparkline(points: &[Option<f64>], room: usize, charts: Charts) -> String {
    if room == 0 || points.is_empty() {
        return String::new();
    }
    let ramp = match charts {
        Charts::Braille | Charts::Block => BLOCKS,
        Charts::Ascii => PLAIN,
    };
    (1..=room)
        .map(|column| {
            let point = points.get((column * points.len() / room).saturating_sub(1)).copied().flatten();
            point.map_or(' ', |left| {
                let step = (0..8_u8).rev().find(|step| left * 8.0 > f64::from(*step)).unwrap_or(0);
                ramp.get(usize::from(step)).copied().unwrap_or(' ')
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stands_at_the_right_and_a_gap_stays_a_gap() {
        let points = [Some(0.0), None, Some(0.5), Some(1.0)];
        assert_eq!(sparkline(&points, 4, Charts::Block), "▁ ▄█");
        assert_eq!(sparkline(&points, 4, Charts::Ascii), "_ -#");
        assert_eq!(sparkline(&points, 2, Charts::Ascii), " #");
        assert_eq!(sparkline(&[], 3, Charts::Ascii), "");
    }
}
