//! The way through a log: samples.

use std::num::NonZeroU64;

use crate::replay::walk::{Samples, Span};

/// The pieces of every stretch, as (origin, from, to).
fn stretches(spans: &[(char, u64, u64)], count: u64) -> Vec<Vec<(char, u64, u64)>> {
    let span =
        |(origin, from, to): &(char, u64, u64)| Span { origin: *origin, from: *from, to: *to };
    let spans = spans.iter().map(span).collect();
    let count = NonZeroU64::new(count).unwrap();
    let mut samples = Samples { spans, count, number: 0 };
    let mut all = Vec::new();
    while samples.number < count.get() {
        let pieces = samples.stretch().into_iter();
        all.push(pieces.map(|span| (span.origin, span.from, span.to)).collect());
        samples.number += 1;
    }
    all
}

#[test]
fn sample_is_even_and_goes_across_the_ends_of_origins() {
    assert_eq!(stretches(&[('a', 0, 10)], 3), [[('a', 0, 3)], [('a', 3, 6)], [('a', 6, 10)]]);
    assert_eq!(
        stretches(&[('a', 100, 103), ('b', 0, 5)], 2),
        [vec![('a', 100, 103), ('b', 0, 1)], vec![('b', 1, 5)]]
    );
    let huge = u64::MAX >> 24;
    let last = stretches(&[('a', 0, huge)], 7).pop().unwrap();
    assert_eq!(last.last().unwrap().2, huge);
}

#[test]
fn every_record_lies_in_exactly_one_stretch() {
    for count in 1..40 {
        let spans = [('a', 5, 30), ('b', 0, 1), ('c', 7, 23)];
        let pieces: Vec<_> = stretches(&spans, count).concat();
        let lengths: u64 = pieces.iter().map(|(_, from, to)| to - from).sum();
        assert_eq!(lengths, 42, "{count}");
        for pair in pieces.windows(2) {
            let joined = pair[0].0 != pair[1].0 || pair[0].2 == pair[1].1;
            assert!(joined, "{count}: {pair:?}");
        }
    }
}
