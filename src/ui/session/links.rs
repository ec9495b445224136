//! How a session hands a target off to other tools: the list of links, for the measure and the time that are looked at.

use chrono::DateTime;

use crate::control::chart::Point;
use crate::control::handoff;
use crate::control::world::World;
use crate::model::time::Moment;

use super::super::hyperlink::Hyperlink;
use super::super::input::Chord;
use super::super::scene::Scene;
use super::super::screen::Screen;
use super::super::screens::links::{LinksDialog, Reply};
use super::super::words::Zone;
use super::{Act, Over, Said, Session};

/// How far back a link looks where no chart says it, in milliseconds.
const USUAL: i64 = 3_600_000;

impl Session {
    /// Opens the list of links of the marked target.
    pub(super) fn open_links(&mut self, world: &World, now: &Moment) {
        let Some(target) = self.subject(world, now) else { return };
        let lens = self.lens.on(&target);
        let view = world.target(&target);
        let signal = view.and_then(|view| lens.signal(view));
        let points: Vec<Point> =
            view.zip(signal).and_then(|(view, signal)| view.chart(&signal.name)).map(|chart| chart.points().collect()).unwrap_or_default();
        let now_ms = now.wall.timestamp_millis();
        let (from, to) = match (points.first(), points.last()) {
            (Some(first), Some(last)) if self.screen == Screen::Rollout && first.at_ms < last.at_ms => {
                let window = lens.window(first.at_ms, last.at_ms);
                (window.from, window.to)
            }
            _ => (now_ms - USUAL, now_ms),
        };
        let ways = handoff::ways(world, &target, signal, (from, to));
        if ways.is_empty() {
            let why = "no link leads from here: [[link]] in gonogo.toml names Grafana, logs or traces";
            self.said = Some(Said::Refusal(why.to_owned()));
            return;
        }
        let zone = Zone::named(&world.catalog.room.timezone);
        let time = |ms| DateTime::from_timestamp_millis(ms).map(|at| zone.time(&at)).unwrap_or_default();
        let measure = signal.map(|signal| format!(", {}", signal.name)).unwrap_or_default();
        let heading = format!("links of {target}{measure}, {} to {}", time(from), time(to));
        self.open(Over::Links(Box::new(LinksDialog::new(heading, ways))));
    }

    /// Gives a key to the list of links.
    pub(super) fn links_key(&mut self, mut dialog: Box<LinksDialog>, chord: Chord) -> Vec<Act> {
        self.said = None;
        match dialog.on(chord) {
            Reply::Left => return Vec::new(),
            Reply::Open => {}
            Reply::Refused(why) => self.said = Some(Said::Refusal(why)),
            Reply::Copy(name, url) => {
                self.said = Some(Said::News(format!("the address at {name} is on the clipboard")));
                self.over = Over::Links(dialog);
                return vec![Act::Copy(url)];
            }
        }
        self.over = Over::Links(dialog);
        Vec::new()
    }

    /// Where places of the frame that was drawn last lead.
    pub fn hyperlinks(&self) -> Vec<Hyperlink> {
        self.hyperlinks.borrow().clone()
    }

    /// Draws the list of links and keeps where it leads.
    pub(super) fn draw_links(
        &self,
        scene: &Scene<'_>,
        dialog: &LinksDialog,
        buffer: &mut ratatui::buffer::Buffer,
        body: ratatui::layout::Rect,
    ) {
        *self.hyperlinks.borrow_mut() = dialog.draw(scene, buffer, body);
    }
}
