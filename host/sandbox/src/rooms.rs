//! The rooms of a sandbox: one for each class of plugins, the second made when somebody needs it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Ticking;
use crate::failure::Error;
use crate::limits::{Class, Limits};
use crate::room::{Furniture, Room};

/// A room for each class.
pub(crate) struct Rooms {
    compiled: Arc<Room>,
    /// Its pool reserves hundreds of gibibytes of address space, and most hosts have no interpreter.
    interpreter: Mutex<Option<Arc<Room>>>,
    interpreter_limits: Limits,
    furniture: Furniture,
}

impl Rooms {
    /// Makes the room of compiled plugins around its engine.
    pub(crate) fn new(
        ticking: Ticking,
        [limits, interpreter_limits]: [Limits; 2],
        furniture: Furniture,
    ) -> Result<Self, Error> {
        let compiled = Arc::new(Room::new(ticking, limits, furniture.clone())?);
        Ok(Self { compiled, interpreter: Mutex::default(), interpreter_limits, furniture })
    }

    /// The room that is always there.
    pub(crate) fn compiled(&self) -> &Room {
        &self.compiled
    }

    /// The room of a class.
    pub(crate) fn of(&self, class: Class) -> Result<Arc<Room>, Error> {
        if class == Class::Compiled {
            return Ok(self.compiled.clone());
        }
        // Held while the room is made: a second one would reserve its pool beside it.
        let mut interpreter = self.interpreter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = &*interpreter {
            return Ok(room.clone());
        }
        let limits = self.interpreter_limits.clone();
        let ticking = Ticking::new(&limits)?;
        let room = Room::new(ticking, limits, self.furniture.clone())?;
        Ok(interpreter.insert(Arc::new(room)).clone())
    }

    /// The processes that plugins of every class run in.
    pub(crate) fn processes(&self) -> Vec<u32> {
        // While that room is made there are none of it, and nobody waits here until it is.
        let interpreter = self.interpreter.try_lock().ok().and_then(|room| room.clone());
        [Some(self.compiled.clone()), interpreter].into_iter().flatten().flat_map(|room| room.processes()).collect()
    }

    /// What plugins of a class may use.
    pub(crate) fn limits(&self, class: Class) -> &Limits {
        match class {
            Class::Compiled => self.compiled.limits(),
            Class::Interpreter => &self.interpreter_limits,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, PoisonError};

    use super::Rooms;
    use crate::cell::Wall;
    use crate::compiler::Compiler;
    use crate::engine::Ticking;
    use crate::limits::{Class, Limits};
    use crate::room::Furniture;
    use crate::stats::Counters;

    #[test]
    fn the_room_of_interpreters_is_made_once_and_when_it_is_needed() {
        let ticking = Ticking::new(&Limits::default()).unwrap();
        let limits = [Limits::default(), Limits::interpreter()];
        let furniture = Furniture {
            cache: None,
            compiler: Compiler::InProcess,
            wall: Wall::Sandbox,
            counters: Arc::new(Counters::default()),
        };
        let rooms = Rooms::new(ticking, limits, furniture).unwrap();
        rooms.of(Class::Compiled).unwrap();
        assert!(rooms.interpreter.lock().unwrap_or_else(PoisonError::into_inner).is_none());
        let room = rooms.of(Class::Interpreter).unwrap();
        assert!(Arc::ptr_eq(&room, &rooms.of(Class::Interpreter).unwrap()));
    }
}
