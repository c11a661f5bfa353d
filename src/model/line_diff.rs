//! Two texts, line by line: what stays, what goes, what comes.

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is in both texts.
    Stays,
    /// It is in the first text only.
    Goes,
    /// It is in the second text only.
    Comes,
}

impl Mark {
    /// The sign before the line, as in a patch.
    pub fn sign(self) -> char {
        match self {
            Self::Stays => ' ',
            Self::Goes => '-',
            Self::Comes => '+',
        }
    }
}

/// A line of either text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What becomes of it.
    pub mark: Mark,
    /// Its text, without the end of the line.
    pub text: String,
}

/// `- permit(`
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.mark.sign(), self.text)
    }
}

/// Pairs of lines that are compared; beyond, all between the common beginning and end goes and comes.
const COMPARED: usize = 4_000_000;

/// All lines of both texts in one order that reads as the change from `before` to `after`.
pub fn between(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let head = common(old.iter(), new.iter());
    let (old, new) = (old.split_at(head), new.split_at(head));
    let tail = common(old.1.iter().rev(), new.1.iter().rev());
    let (old_core, end) = old.1.split_at(old.1.len() - tail);
    let (new_core, _) = new.1.split_at(new.1.len() - tail);
    let mut lines = all(Mark::Stays, old.0);
    lines.extend(core(old_core, new_core));
    lines.extend(all(Mark::Stays, end));
    lines
}

fn common<'a>(
    old: impl Iterator<Item = &'a &'a str>,
    new: impl Iterator<Item = &'a &'a str>,
) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).count()
}

fn all(mark: Mark, lines: &[&str]) -> Vec<Line> {
    lines.iter().map(|text| Line { mark, text: (*text).to_owned() }).collect()
}

/// By the longest common subsequence, where that is not too much to look for.
fn core(old: &[&str], new: &[&str]) -> Vec<Line> {
    if old.len().saturating_mul(new.len()) > COMPARED {
        return [all(Mark::Goes, old), all(Mark::Comes, new)].concat();
    }
    let table = Lengths::of(old, new);
    let (mut at, mut lines) = ((0, 0), Vec::new());
    loop {
        let (left, right) = (old.get(at.0), new.get(at.1));
        let (mark, text) = match (left, right) {
            (Some(left), Some(right)) if left == right => (Mark::Stays, left),
            (Some(left), Some(_)) if table.without_old(at) >= table.without_new(at) => {
                (Mark::Goes, left)
            }
            (Some(left), None) => (Mark::Goes, left),
            (_, Some(right)) => (Mark::Comes, right),
            (None, None) => return lines,
        };
        at.0 += usize::from(mark != Mark::Comes);
        at.1 += usize::from(mark != Mark::Goes);
        lines.push(Line { mark, text: (*text).to_owned() });
    }
}

/// How many lines two ends of the texts have in common, for each pair of ends.
struct Lengths {
    width: usize,
    cells: Vec<u32>,
}

impl Lengths {
    fn of(old: &[&str], new: &[&str]) -> Self {
        let width = new.len() + 1;
        let mut table = Self { width, cells: vec![0; width * (old.len() + 1)] };
        for (row, left) in old.iter().enumerate().rev() {
            for (column, right) in new.iter().enumerate().rev() {
                let length = if left == right {
                    table.get(row + 1, column + 1) + 1
                } else {
                    table.get(row + 1, column).max(table.get(row, column + 1))
                };
                if let Some(cell) = table.cells.get_mut(row * width + column) {
                    *cell = length;
                }
            }
        }
        table
    }

    fn get(&self, row: usize, column: usize) -> u32 {
        self.cells.get(row * self.width + column).copied().unwrap_or(0)
    }

    fn without_old(&self, (row, column): (usize, usize)) -> u32 {
        self.get(row + 1, column)
    }

    fn without_new(&self, (row, column): (usize, usize)) -> u32 {
        self.get(row, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Line, Mark, between};

    fn side(lines: &[Line], gone: Mark) -> Vec<&str> {
        lines.iter().filter(|line| line.mark != gone).map(|line| line.text.as_str()).collect()
    }

    #[track_caller]
    fn check(before: &str, after: &str, expected: &str) {
        let signs: String = between(before, after).iter().map(|line| line.mark.sign()).collect();
        assert_eq!(signs, expected, "{before:?} -> {after:?}");
    }

    #[test]
    fn lines_that_stay_are_found_around_those_that_change() {
        check("", "", "");
        check("a", "a", " ");
        check("a\nb\nc", "a\nx\nc", " -+ ");
        check("a\nb", "b\na", "- +");
        check("", "a\nb", "++");
        check("a\nb", "", "--");
        check("a\nb\nc\nd", "b\nd\ne", "- - +");
    }

    #[test]
    fn very_long_texts_go_and_come_whole() {
        let text = |word: &str| format!("same\n{}same", format!("{word}\n").repeat(3_000));
        let lines = between(&text("a"), &text("b"));
        assert_eq!(lines.len(), 6_002);
        assert_eq!((lines[0].mark, lines[6_001].mark), (Mark::Stays, Mark::Stays));
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_out_of_it(before in "[ab\n]{0,40}", after in "[ab\n]{0,40}") {
            let lines = between(&before, &after);
            prop_assert_eq!(side(&lines, Mark::Comes), before.lines().collect::<Vec<_>>());
            prop_assert_eq!(side(&lines, Mark::Goes), after.lines().collect::<Vec<_>>());
        }
    }
}
