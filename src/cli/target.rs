//! TARGET as it is typed: `service@environment`, or a service that has only one environment.

use super::exit::Exit;
use super::out;
use crate::control::planner;
use crate::control::world::World;
use crate::model::catalog::Catalog;
use crate::model::name::Target;
use crate::model::selection::Selection;
use crate::model::text::Text;

/// What is looked at: what an expression selects, or everything where none was typed.
///
/// # Errors
/// Exit 10 for what could select nothing.
pub fn looked_at(typed: Option<&str>) -> Result<Looked, Exit> {
    typed.map(Selection::looked_at).transpose().map(Looked).map_err(|error| {
        out::words(&format!("gonogo: {error}; or a service, or @environment"));
        Exit::Target
    })
}

/// An expression by which somebody looks; none: at everything.
pub struct Looked(Option<Selection>);

impl Looked {
    /// Whether a target is looked at.
    pub fn at(&self, catalog: &Catalog, target: &Target) -> bool {
        self.0.as_ref().is_none_or(|selection| catalog.selects(selection, target))
    }

    /// Whether everything is.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }
}

/// Finds the one target that was meant.
///
/// # Errors
/// Exit 10, having said which ones are near or possible.
pub fn find(world: &World, typed: &str) -> Result<Target, Exit> {
    if typed.contains('/') {
        out::words(&format!("gonogo: `{}`: cells are reserved; expected service@environment", Text::clean_within(typed, 80)));
        return Err(Exit::Target);
    }
    if let Ok(target) = typed.parse::<Target>() {
        if world.target(&target).is_some() {
            return Ok(target);
        }
        let near = planner::nearest(world, &target)
            .map_or_else(|| "`gonogo status` lists them".to_owned(), |near| format!("did you mean {near}?"));
        out::words(&format!("gonogo: no target `{target}` is configured; {near}"));
        return Err(Exit::Target);
    }
    let of_service: Vec<_> = world.targets.keys().filter(|target| target.service.as_str() == typed).collect();
    match of_service.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let near = world.targets.keys().map(|known| (strsim::damerau_levenshtein(typed, known.service.as_str()), known)).min();
            let near = near
                .filter(|(distance, _)| *distance <= 3)
                .map_or_else(|| "expected service@environment".to_owned(), |(_, near)| format!("did you mean {near}?"));
            out::words(&format!("gonogo: no target `{}` is configured; {near}", Text::clean_within(typed, 80)));
            Err(Exit::Target)
        }
        several => {
            let names: Vec<_> = several.iter().map(ToString::to_string).collect();
            out::words(&format!("gonogo: `{typed}` is ambiguous: {}", names.join(", ")));
            Err(Exit::Target)
        }
    }
}
