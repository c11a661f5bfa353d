//! Facts about what all doors share.

use http::{HeaderMap, HeaderValue};

use super::client::client_address;

fn check(peer: &str, lines: &[&str], expected: &str) {
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    let found = client_address(peer.parse().unwrap(), &headers, &trusted);
    assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
}

#[test]
fn untrusted_peer_is_the_client_whatever_it_claims() {
    for lines in [&["127.0.0.1"][..], &["a"], &[""], &["10.0.0.1", "10.0.0.2"]] {
        check("192.0.2.1", lines, "192.0.2.1");
        check("::ffff:192.0.2.1", lines, "192.0.2.1");
    }
}

#[test]
fn trusted_hops_are_skipped_from_the_right_across_lines() {
    check("10.0.0.1", &[], "10.0.0.1");
    check("::ffff:10.0.0.1", &["192.0.2.9"], "192.0.2.9");
    check("10.0.0.1", &["127.0.0.1, 192.0.2.9"], "192.0.2.9");
    check("10.0.0.1", &["127.0.0.1", "192.0.2.9,10.0.0.2", "fd00::1"], "192.0.2.9");
    check("10.0.0.1", &["a, 192.0.2.9"], "192.0.2.9");
    check("10.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7");
    check("10.0.0.1", &["192.0.2.9, ::ffff:10.0.0.2"], "192.0.2.9");
    check("10.0.0.1", &["::ffff:192.0.2.9"], "192.0.2.9");
    check("10.0.0.1", &["192.0.2.9:4711"], "192.0.2.9");
    check("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
    check("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
    check("10.0.0.1", &[&vec!["10.0.0.2"; 1000].join(", ")], "10.0.0.2");
}

#[test]
fn first_hop_that_cannot_be_read_makes_the_client_unknown() {
    for hop in
        ["", "a", "[fe80::1%eth0]:1", "fe80::1%1", "unknown", "192.0.2.256", "010.0.0.1", "é"]
    {
        check("10.0.0.1", &["192.0.2.9", hop], "unknown");
        check("10.0.0.1", &[&format!("192.0.2.9, {hop}, 10.0.0.2")], "unknown");
    }
}
