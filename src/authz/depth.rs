//! How deep a policy is, before anything parses it.
//!
//! What reads or evaluates a syntax tree takes stack for each of its levels. So the levels are counted beforehand, from
//! the words alone and without recursion; the count is never less than what the tree will have.

use super::tokens::{Token, tokens};

/// How deep a text is, whatever it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// The most brackets and `if`s that are open at once.
    pub(super) nesting: usize,
    /// Where that is: the byte of the innermost.
    pub(super) offset: usize,
    /// Levels of the syntax tree: brackets in brackets, and links of chains, since `a || b || c` is a tree that leans to
    /// the left.
    pub(super) height: usize,
}

/// The depth of a text.
pub(super) fn depth(text: &str) -> Depth {
    let mut walk = Walk::default();
    let mut found = Depth { nesting: 0, offset: 0, height: 0 };
    let mut before = (0, Token::Mark(' '));
    for (offset, token) in tokens(text) {
        // The second half of `||`, `==` and their like.
        let doubled = before.0 + 1 == offset
            && matches!(before.1, Token::Mark('|' | '&' | '=' | '<' | '>' | '!'));
        if !(doubled && matches!(token, Token::Mark('|' | '&' | '='))) {
            walk.over(token, before.1);
        }
        if walk.nesting > found.nesting {
            found = Depth { nesting: walk.nesting, offset, ..found };
        }
        before = (offset, token);
    }
    Depth { height: walk.height(), ..found }
}

/// What stands between two brackets, so far.
#[derive(Debug, Default)]
struct Group {
    /// Links of chains: `||`, `&&`, `+`, `-`, `*`.
    links: usize,
    ifs: usize,
    /// What is asked of the value at hand, one after the other: `.name`, `[…]`, `(…)`, `!`.
    run: usize,
    longest_run: usize,
    /// The level of a comparison, which Cedar does not chain, and that of the brackets themselves.
    own: usize,
    tallest: usize,
}

impl Group {
    fn height(&self) -> usize {
        self.own + self.links + self.ifs + self.longest_run + self.tallest
    }

    fn step(&mut self) {
        self.run += 1;
        self.longest_run = self.longest_run.max(self.run);
    }
}

/// What a dot stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dots {
    /// One attribute of a value.
    OfValue,
    /// One more attribute that `has` asks for.
    OfPath,
}

/// Where reading has come to.
#[derive(Debug)]
struct Walk {
    open: Vec<Group>,
    nesting: usize,
    dots: Dots,
}

impl Default for Walk {
    fn default() -> Self {
        Self { open: vec![Group::default()], nesting: 0, dots: Dots::OfValue }
    }
}

impl Walk {
    fn over(&mut self, token: Token<'_>, before: Token<'_>) {
        self.dots = match token {
            Token::Word("has") => Dots::OfPath,
            Token::Mark('.') | Token::Word(_) => self.dots,
            Token::Text(_) | Token::Mark(_) => Dots::OfValue,
        };
        match token {
            Token::Mark(bracket @ ('(' | '[' | '{')) => self.open(bracket, before),
            Token::Mark(')' | ']' | '}') => self.close(),
            Token::Mark('|' | '&' | '+' | '*' | '-') => self.inner(|group| {
                group.links += 1;
                group.run = 0;
            }),
            Token::Word("if") => {
                self.inner(|group| group.ifs += 1);
                self.nesting += 1;
            }
            // `x has a.b.c` is short for `x has a && x.a has b && x.a.b has c`.
            Token::Mark('.') if self.dots == Dots::OfPath => self.inner(|group| {
                group.links += 1;
                group.step();
            }),
            Token::Mark('.' | '!') => self.inner(Group::step),
            Token::Mark('<' | '>' | '=') | Token::Word("in" | "has" | "like" | "is") => {
                self.inner(|group| {
                    group.own = group.own.max(2);
                    group.run = 0;
                });
            }
            Token::Mark(',') | Token::Word("then" | "else") => self.inner(|group| group.run = 0),
            Token::Word(_) | Token::Text(_) | Token::Mark(_) => {}
        }
    }

    fn inner(&mut self, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.open.last_mut() {
            change(group);
        }
    }

    /// Brackets that only group are no level of the tree.
    fn open(&mut self, bracket: char, before: Token<'_>) {
        let groups = bracket == '(' && !matches!(before, Token::Word(_));
        if !groups {
            self.inner(Group::step);
        }
        self.open.push(Group::default());
        self.nesting += 1;
    }

    /// A bracket that nothing opened is the parser's to complain about.
    fn close(&mut self) {
        if self.open.len() > 1
            && let Some(closed) = self.open.pop()
        {
            self.nesting = self.nesting.saturating_sub(1 + closed.ifs);
            let height = closed.height();
            self.inner(|group| group.tallest = group.tallest.max(height));
        }
    }

    fn height(&self) -> usize {
        1 + self.open.iter().map(Group::height).sum::<usize>()
    }
}
