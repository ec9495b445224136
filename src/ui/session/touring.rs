//! How a session goes through the tour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::frame::{self, Dress};
use super::super::input::Chord;
use super::super::scene::Scene;
use super::super::tour::{Reply, Sight, Tour};
use super::{Over, Said, Session};

impl Session {
    /// With the tour.
    #[must_use]
    pub fn touring(mut self) -> Self {
        self.tour = Some(Tour::default());
        self
    }

    /// Draws the frame, and the tour at its foot; the body that is left.
    pub(super) fn framed(&self, scene: &Scene<'_>, dress: &Dress, buffer: &mut Buffer, area: Rect) -> Rect {
        let body = frame::draw(scene, dress, buffer, area);
        self.tour.map_or(body, |tour| tour.draw(scene, buffer, body))
    }

    /// Gives a key that means nothing else to the tour; whether it was one of it.
    pub(super) fn tour_key(&mut self, chord: Chord) -> bool {
        let Some(mut tour) = self.tour else { return false };
        match tour.on(chord) {
            Reply::Other => return false,
            Reply::Taken => self.tour = Some(tour),
            Reply::Over => self.end_tour(),
        }
        true
    }

    /// Looks whether a step of the tour has been done.
    pub(super) fn tour_sees(&mut self) {
        let Some(mut tour) = self.tour else { return };
        let lens = self.lens();
        let sight = Sight {
            screen: self.screen,
            charting: lens.is_open() || lens.cross().is_some(),
            plan: matches!(self.over, Over::Plan(_)),
            help: matches!(self.over, Over::Help),
        };
        let over = tour.saw(sight);
        self.tour = Some(tour);
        if over {
            self.end_tour();
        }
    }

    fn end_tour(&mut self) {
        self.tour = None;
        self.said = Some(Said::News("the tour is over; `gonogo demo --tour` shows it again".to_owned()));
    }
}
