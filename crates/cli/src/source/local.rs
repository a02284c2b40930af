//! A store file, opened in this process.

use accredit::{Applied, Config, Engine, Filter, Insights, Method, Recorded};
use accredit_model::{Action, ActionId, ActionType, Attribution, Command, Entry, Experience, Refusal, Stats, Version};

use super::{Answer, DeadLetter, Node, Page, Refused, Source, dead_letters, nodes};
use crate::Error;

/// An engine of our own.
pub(crate) struct Local {
    engine: Engine,
    place: String,
}

impl Local {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        let place = config.store.display().to_string();
        Ok(Self { engine: Engine::open(config)?, place })
    }
}

impl Source for Local {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn action(&self, id: ActionId) -> Result<Action, Error> {
        Ok(self.engine.action(id)?)
    }

    fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        Ok(self.engine.chain(id)?)
    }

    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        Ok(self.engine.attribution(id, version)?)
    }

    fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        Ok(self.engine.what_if(id, method)?)
    }

    fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        Ok(self.engine.attributions(id)?)
    }

    fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        let accredit::Page { actions, next_cursor } = self.engine.list(filter, limit, cursor)?;
        Ok(Page { actions, next_cursor })
    }

    fn tree(&self, id: ActionId) -> Result<Vec<Node>, Error> {
        Ok(nodes(self.engine.tree(id)?))
    }

    fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        Ok(dead_letters(self.engine.dead_letters()?))
    }

    fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error> {
        Ok(self.engine.replay_dead_letters(sink)?)
    }

    fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        Ok(self.engine.insights(action_type)?)
    }

    fn stats(&self) -> Result<Stats, Error> {
        Ok(self.engine.stats()?)
    }

    fn apply(&self, commands: Vec<Result<Command, Refusal>>) -> Result<Vec<Answer>, Error> {
        self.engine.apply(commands).into_iter().map(answer).collect()
    }

    fn engine(&self, _task: &str) -> Result<&Engine, Error> {
        Ok(&self.engine)
    }

    fn experience(&self, id: ActionId, version: Option<Version>) -> Result<Experience, Error> {
        Ok(self.engine.experience(id, version)?)
    }
}

/// A refusal is the command's own; anything else that fails stops the import.
fn answer(applied: Applied) -> Result<Answer, Error> {
    let refused = |refusal: Refusal| Refused { reason: refusal.reason.code().to_owned(), detail: refusal.detail };
    Ok(match applied {
        Applied::Begun(begun) => Answer::Stored { repeat: begun.repeat },
        Applied::Entry(Recorded::Stored { repeat, .. }) => Answer::Stored { repeat },
        Applied::Entry(Recorded::Refused(refusal)) => Answer::Refused(refused(refusal)),
        Applied::Attributed(attribution) => Answer::Stored { repeat: attribution.repeat },
        Applied::Alive | Applied::Accepted => Answer::Stored { repeat: false },
        Applied::Failed(accredit::Error::Refused(refusal)) => Answer::Refused(refused(refusal)),
        Applied::Failed(error) if crate::Exit::from(error.kind()) == crate::Exit::Conflict => {
            Answer::Refused(Refused { reason: error.code().to_owned(), detail: error.to_string() })
        }
        Applied::Failed(error) => return Err(error.into()),
    })
}
