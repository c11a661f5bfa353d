//! A stretch of a list that is too long for one page, and the way to the rest of it.

use super::link::Link;

/// Rows of a stretch: what people look through, and what keeps a page light.
pub const ROWS: usize = 50;

/// Which part of a list a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Which one, in words ("51 to 100 of 320").
    pub words: String,
    /// What stands before it.
    pub previous: Option<Link>,
    /// What stands behind it.
    pub next: Option<Link>,
}

impl Stretch {
    /// The rows of the page with this number, counted from 1, and which stretch that is; none when it is the whole list.
    /// `link` leads to the list without a number. A page behind the end is the last one.
    pub fn of<T>(all: Vec<T>, number: usize, link: &Link) -> (Vec<T>, Option<Self>) {
        Self::of_pieces(all, (ROWS, "page", number), link)
    }

    /// The same in pieces of another size, whose number stands in the address under another name.
    pub fn of_pieces<T>(
        all: Vec<T>,
        (size, name, number): (usize, &str, usize),
        link: &Link,
    ) -> (Vec<T>, Option<Self>) {
        let (count, pages) = (all.len(), all.len().div_ceil(size).max(1));
        let number = number.clamp(1, pages);
        let first = number.saturating_sub(1).saturating_mul(size);
        let rows: Vec<T> = all.into_iter().skip(first).take(size).collect();
        let page = |number: usize| link.clone().with_query(name, &number.to_string());
        let stretch = (pages > 1).then(|| Self {
            words: format!("{} to {} of {count}", first + 1, first + rows.len()),
            previous: (number > 1).then(|| page(number - 1)),
            next: (number < pages).then(|| page(number + 1)),
        });
        (rows, stretch)
    }
}
