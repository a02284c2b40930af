//! A running server, asked through the library's client.

use accredit::{Client, ClientOptions, Filter, Insights, LineAnswer, Method};
use accredit_model::{Action, ActionId, ActionType, Attribution, Command, Entry, Refusal, Stats, Version};

use super::{Answer, DeadLetter, Node, Page, Refused, Source, dead_letters, nodes};
use crate::Error;

/// A server.
pub(crate) struct Remote {
    client: Client,
}

impl Remote {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        Ok(Self { client: Client::new(url, ClientOptions::default())? })
    }
}

impl Source for Remote {
    fn place(&self) -> String {
        self.client.url().to_owned()
    }

    fn action(&self, id: ActionId) -> Result<Action, Error> {
        Ok(self.client.action(id)?)
    }

    fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        Ok(self.client.chain(id)?)
    }

    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        Ok(self.client.attribution(id, version)?)
    }

    fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        Ok(self.client.what_if(id, method)?)
    }

    fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        Ok(self.client.attributions(id)?)
    }

    fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        let accredit::Page { actions, next_cursor } = self.client.list(filter, limit, cursor)?;
        Ok(Page { actions, next_cursor })
    }

    fn tree(&self, id: ActionId) -> Result<Vec<Node>, Error> {
        Ok(nodes(self.client.tree(id)?))
    }

    fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        Ok(dead_letters(self.client.dead_letters()?))
    }

    fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error> {
        Ok(self.client.replay_dead_letters(sink)?)
    }

    fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        Ok(self.client.insights(action_type)?)
    }

    fn stats(&self) -> Result<Stats, Error> {
        Ok(self.client.stats()?)
    }

    /// What cannot even be read is refused here; the server sees the rest.
    fn apply(&self, commands: Vec<Result<Command, Refusal>>) -> Result<Vec<Answer>, Error> {
        let mut readable = Vec::with_capacity(commands.len());
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(match command {
                Ok(command) => {
                    readable.push(command);
                    None
                }
                Err(Refusal { reason, detail }) => {
                    Some(Answer::Refused(Refused { reason: reason.code().to_owned(), detail }))
                }
            });
        }
        let mut sent = self.client.send(readable)?.into_iter().map(|answer| match answer {
            LineAnswer::Stored { repeat } => Answer::Stored { repeat },
            LineAnswer::Refused { reason, detail } => Answer::Refused(Refused { reason, detail }),
        });
        let answers = answers.into_iter().filter_map(|answer| answer.or_else(|| sent.next()));
        Ok(answers.collect())
    }
}
