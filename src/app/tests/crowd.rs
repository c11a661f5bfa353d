//! Who is counted together, and how many connections a process takes.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Crowd, Limits, open_files};

fn crowd(uncounted: &[&str]) -> std::sync::Arc<Crowd> {
    let uncounted = uncounted.iter().map(|network| network.parse().unwrap()).collect();
    Crowd::new(&Limits { total: 8, per_client: 2, uncounted })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_client_has_its_share_until_it_leaves() {
    let crowd = crowd(&[]);
    let first = crowd.enter(ip("192.0.2.1")).unwrap();
    let second = crowd.enter(ip("::ffff:192.0.2.1")).unwrap();
    assert!(crowd.enter(ip("192.0.2.1")).is_none());
    let other = crowd.enter(ip("192.0.2.2")).unwrap();
    drop(first);
    let third = crowd.enter(ip("192.0.2.1")).unwrap();
    assert!(crowd.enter(ip("192.0.2.1")).is_none());
    drop((second, third, other));
    assert_eq!(crowd.clients(), 0);
}

#[test]
fn a_network_of_ipv6_addresses_is_one_client() {
    let crowd = crowd(&[]);
    let _places =
        (crowd.enter(ip("2001:db8::1")).unwrap(), crowd.enter(ip("2001:db8::2")).unwrap());
    assert!(crowd.enter(ip("2001:db8::3")).is_none());
    assert!(crowd.enter(ip("2001:db8:0:1::1")).is_some());
}

#[test]
fn proxies_are_not_counted() {
    let crowd = crowd(&["127.0.0.0/8", "2001:db8::/32"]);
    let peers = ["127.0.0.1", "::ffff:127.0.0.1", "2001:db8::1"];
    let places: Vec<_> = (0..9).flat_map(|_| peers).map(|peer| crowd.enter(ip(peer))).collect();
    assert!(places.iter().all(Option::is_some));
    assert_eq!(crowd.clients(), 0);
}

#[test]
fn connections_leave_files_for_the_rest() {
    for (files, total, per_client) in [
        (None, 8_192, 256),
        (Some(1_000_000), 8_192, 256),
        (Some(1_024), 768, 256),
        (Some(512), 256, 128),
        (Some(256), 64, 32),
        (Some(0), 64, 32),
    ] {
        let limits = Limits::under(files, &[]);
        assert_eq!((limits.total, limits.per_client), (total, per_client), "{files:?}");
    }
}

#[test]
fn trusted_proxies_and_this_machine_stand_for_many() {
    let proxy: IpNet = "10.0.0.0/8".parse().unwrap();
    let uncounted = Limits::of_process(&[proxy]).uncounted;
    let is_uncounted = |peer: &str| uncounted.iter().any(|network| network.contains(&ip(peer)));
    for peer in ["10.1.2.3", "127.0.0.1", "127.9.9.9", "::1"] {
        assert!(is_uncounted(peer), "{peer}");
    }
    for peer in ["192.0.2.1", "::2"] {
        assert!(!is_uncounted(peer), "{peer}");
    }
}

#[test]
fn soft_limit_of_open_files_is_read() {
    let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             63704                63704                processes \n\
                 Max open files            256                  524288               files     \n";
    assert_eq!(open_files(table), Some(256));
    assert_eq!(
        open_files("Max open files            unlimited            unlimited   files"),
        None
    );
    assert_eq!(open_files(""), None);
}
