//! What a session asks the room to look at: the target on the glass, the run whose steps are shown, the log that is read.

use crate::control::world::World;
use crate::model::name::Target;

use super::super::screen::Screen;
use super::{Act, Session};

impl Session {
    /// Asks to look at what this screen is about, when that is something else than before.
    pub(super) fn look_closer(&mut self, world: &World, acts: &mut Vec<Act>) {
        let target = self.screen.has_target().then(|| self.target()).flatten();
        let run = target.as_ref().filter(|_| self.screen == Screen::Pipeline).and_then(|target| self.pipeline.run(world, target));
        let looks = (target.clone(), run.map(|run| run.id.clone()));
        if self.looked.as_ref() != Some(&looks) && (self.looked.is_some() || looks.0.is_some()) {
            acts.push(Act::Look { target: looks.0.clone(), run: looks.1.clone() });
            self.looked = Some(looks);
        }
        self.read_log(target.as_ref(), acts);
    }

    /// Asks for the log that this screen shows, and for no other.
    fn read_log(&mut self, target: Option<&Target>, acts: &mut Vec<Act>) {
        let wanted = target.filter(|_| self.screen == Screen::Pipeline).and_then(|target| self.pipeline.reads(target));
        if wanted == self.followed {
            return;
        }
        acts.extend(self.followed.take().map(|_| Act::Unfollow));
        acts.extend(wanted.clone().map(|(backend, log)| Act::FollowLog { backend, log }));
        self.followed = wanted;
    }
}
