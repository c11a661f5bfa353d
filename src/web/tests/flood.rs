//! Who is turned away, and what is kept of it.

use std::time::Duration;

use super::super::flood::{Flood, Limit, Source, Summary};
use crate::model::record::ClientAddress;
use crate::model::time::Timestamp;

fn address(ip: &str) -> ClientAddress {
    ClientAddress::Known(ip.parse().unwrap())
}

fn exhaust(flood: &Flood, source: &Source, now: Timestamp) {
    for _ in 0..3 {
        assert!(!flood.turns_away(source.clone(), address("192.0.2.1"), now));
        flood.charge(source.clone(), now);
    }
}

#[test]
fn a_source_without_tokens_waits_until_they_come_back() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let (source, now) = (Source::Address(address("192.0.2.1")), Timestamp::from_seconds(1_000));
    exhaust(&flood, &source, now);
    assert!(flood.turns_away(source.clone(), address("192.0.2.1"), now));
    assert!(!flood.turns_away(Source::Address(address("192.0.2.2")), address("192.0.2.2"), now));
    assert!(!flood.turns_away(source, address("192.0.2.1"), now.plus(Duration::from_millis(100))));
}

#[test]
fn somebody_signed_in_does_not_pay_for_their_neighbours() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let now = Timestamp::from_seconds(1_000);
    exhaust(&flood, &Source::Address(address("192.0.2.1")), now);
    let session = Source::Session("s-1".parse().unwrap());
    assert!(!flood.turns_away(session, address("192.0.2.1"), now));
}

#[test]
fn a_network_of_ipv6_addresses_is_one_source() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let now = Timestamp::from_seconds(1_000);
    exhaust(&flood, &Source::Address(address("2001:db8::1")), now);
    let neighbour = address("2001:db8::ffff:1");
    assert!(flood.turns_away(Source::Address(neighbour), neighbour, now));
    let stranger = address("2001:db8:0:1::1");
    assert!(!flood.turns_away(Source::Address(stranger), stranger, now));
}

#[test]
fn requests_turned_away_are_summed_up_once() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let (source, now) = (Source::Address(address("192.0.2.1")), Timestamp::from_seconds(1_000));
    exhaust(&flood, &source, now);
    for _ in 0..5 {
        assert!(flood.turns_away(source.clone(), address("192.0.2.1"), now));
    }
    let expected = Summary { source, client: address("192.0.2.1"), count: 5 };
    assert_eq!(flood.take_summaries(), [expected]);
    assert!(flood.take_summaries().is_empty());
}

#[test]
fn summaries_put_back_are_added_to_what_came_since() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let (source, now) = (Source::Address(address("192.0.2.1")), Timestamp::from_seconds(1_000));
    exhaust(&flood, &source, now);
    assert!(flood.turns_away(source.clone(), address("192.0.2.1"), now));
    let taken = flood.take_summaries();
    assert!(flood.turns_away(source.clone(), address("192.0.2.1"), now));
    flood.put_back(taken);
    let expected = Summary { source, client: address("192.0.2.1"), count: 2 };
    assert_eq!(flood.take_summaries(), [expected]);
}

#[test]
fn a_clock_set_back_locks_nobody_out() {
    let flood = Flood::new(Limit { per_second: 10, burst: 3 });
    let source = Source::Address(address("192.0.2.1"));
    exhaust(&flood, &source, Timestamp::from_seconds(10_000));
    let earlier = Timestamp::from_seconds(1_000);
    let later = earlier.plus(Duration::from_millis(100));
    assert!(!flood.turns_away(source, address("192.0.2.1"), later));
}

#[test]
fn strangers_without_number_take_bounded_memory() {
    let flood = Flood::new(Limit { per_second: 1, burst: 1 });
    let now = Timestamp::from_seconds(1_000);
    for number in 0..20_000_u32 {
        let client = ClientAddress::Known(std::net::Ipv4Addr::from(number).into());
        flood.charge(Source::Address(client), now);
        flood.turns_away(Source::Address(client), client, now);
    }
    assert!(flood.take_summaries().len() <= 10_001);
}
