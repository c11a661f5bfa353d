//! Reading the log for the index, on a thread of its own that goes as all others do.
//!
//! A read keeps what is in the WAL from being moved and begun anew. Whoever keeps the index stands back where cores are short,
//! and would hold such a read for as long as it waits for its turn.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::super::super::read_only::Alone;
use super::super::super::sqlite::misused;
use super::super::pages::Reading;

type Question = Box<dyn FnOnce(&mut Option<Reading>) + Send>;

/// Asks the thread that reads. It has ended when this is gone, and with it its hold on the log.
#[derive(Debug)]
pub(super) struct LogReader {
    /// None once there are no more.
    questions: Option<mpsc::Sender<Question>>,
    thread: Option<JoinHandle<()>>,
    log: PathBuf,
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has ended, too.
            drop(thread.join());
        }
    }
}

impl LogReader {
    /// Starts the thread. It goes as the one does that starts it.
    pub(super) fn start(log: PathBuf) -> Self {
        let (questions, asked) = mpsc::channel::<Question>();
        let work = move || {
            let mut reading = None;
            for question in asked {
                question(&mut reading);
            }
        };
        // Without it every question fails, and says so.
        let thread = std::thread::Builder::new().name("audit-index-log".to_owned()).spawn(work);
        Self { questions: Some(questions), thread: thread.ok(), log }
    }

    /// Asks for one number; none where there is none.
    pub(super) fn number(&self, sql: &'static str) -> Result<Option<i64>, rusqlite::Error> {
        self.ask(move |log| log.connection.query_row(sql, [], |row| row.get(0)))
    }

    /// Asks something, and waits for the answer. After a failure the next question begins with a fresh connection.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reading) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, rusqlite::Error> {
        let (answer, answered) = mpsc::channel();
        let log = self.log.clone();
        let question: Question = Box::new(move |kept| {
            let answered = kept.take().map_or_else(|| Reading::open(&log, Alone::No), Ok);
            let asked = answered.and_then(|mut reading| {
                let answer = question(&mut reading)?;
                *kept = Some(reading);
                Ok(answer)
            });
            drop(answer.send(asked));
        });
        let gone = || misused("nobody reads the log for the index".to_owned());
        let asked = self.questions.as_ref().and_then(|asks| asks.send(question).ok());
        asked.ok_or_else(gone)?;
        answered.recv().map_err(|_| gone())?
    }
}
