//! What the built-in themes promise: contrast, states that stay apart for every eye and in every depth of colour.

use ratatui::style::{Color, Modifier, Style};

use super::*;
use crate::ui::colours::{Depth, Rgb, rgb};
use crate::ui::limits::Limits;
use crate::ui::theme::Role;

/// The states that are told apart by colour.
const STATES: [Role; 4] = [Role::Abnormal, Role::Watched, Role::Waits, Role::Moving];

/// Light as it leaves a screen, of red, green and blue: the curve of IEC 61966-2-1 undone.
type Light = [f64; 3];

fn light((red, green, blue): Rgb) -> Light {
    [red, green, blue].map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// Relative luminance, as WCAG 2.2 defines it.
fn luminance([red, green, blue]: Light) -> f64 {
    0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
}

/// The contrast ratio of WCAG 2.2, from 1 to 21.
fn contrast(one: Light, other: Light) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// What an eye sees: the matrices of severity 1.0 of G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based Model for
/// Simulation of Color Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, over linear light.
const EYES: [(&str, [[f64; 3]; 3]); 4] = [
    ("all three", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    ("protanopia", [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]]),
    ("deuteranopia", [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]]),
    ("tritanopia", [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]]),
];

fn seen(eye: &[[f64; 3]; 3], of: Light) -> Light {
    eye.map(|row| row.iter().zip(of).map(|(weight, part)| weight * part).sum::<f64>().clamp(0.0, 1.0))
}

/// The ink of a role and the ground behind it, as they are shown.
fn shown(theme: &Theme, role: Role) -> (Light, Light) {
    let (ink, ground) = theme.ground().expect("a theme that promises contrast brings its ground");
    let (ink, ground) = (rgb(ink, (0, 0, 0)), rgb(ground, (0, 0, 0)));
    let style = theme.style(role);
    let (fore, back) = (style.fg.map_or(ink, |fore| rgb(fore, ink)), style.bg.map_or(ground, |back| rgb(back, ground)));
    let reversed = style.add_modifier.contains(Modifier::REVERSED);
    if reversed { (light(back), light(fore)) } else { (light(fore), light(back)) }
}

fn theme(name: &str, depth: Depth) -> Theme {
    Theme::builtin(name).unwrap().within(Limits { depth, unicode: true })
}

#[test]
fn light_and_high_contrast_have_the_contrast_that_wcag_asks_for() {
    for (name, text, rule) in [("light", 4.5, 3.0), ("high-contrast", 7.0, 7.0), ("colour-blind", 4.5, 3.0)] {
        for depth in [Depth::True, Depth::Indexed] {
            let theme = theme(name, depth);
            for role in Role::ALL {
                let (ink, ground) = shown(&theme, role);
                let least = if role == Role::Rule { rule } else { text };
                let has = contrast(ink, ground);
                assert!(has >= least, "{name}, {depth:?}: {role:?} has {has:.2}, needs {least}");
            }
        }
    }
}

#[test]
fn states_stay_apart_by_lightness_for_every_eye() {
    for depth in [Depth::True, Depth::Indexed] {
        let theme = theme("colour-blind", depth);
        for (eye, matrix) in EYES {
            let of = |role| seen(&matrix, shown(&theme, role).0);
            let ground = seen(&matrix, shown(&theme, Role::Plain).1);
            for (place, one) in STATES.into_iter().enumerate() {
                assert!(contrast(of(one), ground) >= 4.5, "{eye}, {depth:?}: {one:?} is not read");
                for other in STATES.into_iter().skip(place + 1) {
                    let apart = contrast(of(one), of(other));
                    assert!(apart >= 1.3, "{eye}, {depth:?}: {one:?} and {other:?} are {apart:.2} apart");
                    assert!(luminance(of(one)) > luminance(of(other)), "{eye}: {one:?} is lighter than {other:?}");
                }
            }
        }
    }
    // The default theme does not promise it, and this test would see that.
    let standard = STATES.map(|role| light(rgb(Theme::standard().style(role).fg.unwrap(), (0, 0, 0))));
    let apart = |eye: &[[f64; 3]; 3]| {
        (0..4).flat_map(|a| (0..a).map(move |b| (a, b))).any(|(a, b)| contrast(seen(eye, standard[a]), seen(eye, standard[b])) < 1.3)
    };
    assert!(EYES.iter().all(|(_, eye)| apart(eye)));
}

#[test]
fn every_theme_tells_the_four_states_apart_in_every_depth() {
    for name in Theme::names() {
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            let theme = theme(name, depth);
            let looks: std::collections::HashSet<Style> = STATES.map(|role| theme.style(role)).into();
            assert_eq!(looks.len(), 4, "{name}, {depth:?}");
            for role in Role::ALL {
                let Style { fg, bg, .. } = theme.style(role);
                for colour in [fg, bg].into_iter().flatten() {
                    let fits = match depth {
                        Depth::None => false,
                        Depth::Sixteen => matches!(colour, Color::Reset | Color::Indexed(0..16)),
                        Depth::Indexed => matches!(colour, Color::Reset | Color::Indexed(_)),
                        Depth::True => true,
                    };
                    assert!(fits, "{name}, {depth:?}: {role:?} is {colour:?}");
                }
            }
        }
    }
}

#[test]
fn a_theme_with_a_ground_leaves_no_cell_without_it() {
    for name in ["light", "high-contrast", "colour-blind"] {
        let theme = Theme::builtin(name).unwrap();
        let (ink, ground) = theme.ground().unwrap();
        for size in [(80, 24), (40, 10)] {
            let mut desk = at(fixture::world(), theme.clone(), size);
            for keys in ["j", "3", "s", "<esc>", "R", "<esc>", "?"] {
                desk.press(keys);
                let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
                desk.session.draw(&desk.world, &desk.now, &mut buffer);
                assert!(buffer.content.iter().all(|cell| cell.bg == ground && cell.fg != Color::Reset), "{name} after {keys}");
                assert!(buffer.content.iter().any(|cell| cell.fg == ink));
            }
        }
    }
}

#[test]
fn a_theme_that_is_chosen_stays_within_what_the_terminal_shows() {
    let mut desk = standard();
    let session = std::mem::replace(&mut desk.session, at(fixture::world(), Theme::standard(), (80, 24)).session);
    desk.session = session.within(Limits { depth: Depth::None, unicode: false });
    desk.press(": l i g h t <ret>");
    let theme = desk.session.theme();
    assert_eq!((theme.name.as_str(), theme.unicode, theme.ground()), ("light", false, None));
    assert!(Role::ALL.into_iter().all(|role| theme.style(role).fg.is_none()));
    assert!(desk.text().is_ascii());
}
