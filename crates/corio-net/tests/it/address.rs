use corio_net::{Address, resolve};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Looks an address up on a loop of its own.
fn look_up(address: impl Into<Address>) -> std::io::Result<Vec<SocketAddr>> {
    corio_executor::run(resolve(address)).unwrap()
}

#[test]
fn numbers_are_not_looked_up() {
    let v4: SocketAddr = "127.0.0.1:80".parse().unwrap();
    let v6: SocketAddr = "[::1]:80".parse().unwrap();
    for address in [
        Address::from(v4),
        "127.0.0.1:80".into(),
        String::from("127.0.0.1:80").into(),
        (&String::from("127.0.0.1:80")).into(),
        ("127.0.0.1", 80).into(),
        (String::from("127.0.0.1"), 80).into(),
        (Ipv4Addr::LOCALHOST, 80).into(),
        (IpAddr::V4(Ipv4Addr::LOCALHOST), 80).into(),
    ] {
        assert_eq!(address.to_string(), "127.0.0.1:80");
        assert_eq!(look_up(address).unwrap(), [v4]);
    }
    for address in [Address::from(v6), "[::1]:80".into(), ("::1", 80).into(), (Ipv6Addr::LOCALHOST, 80).into()] {
        assert_eq!(look_up(address).unwrap(), [v6]);
    }
    assert_eq!(look_up(vec![v4, v6]).unwrap(), [v4, v6]);
    assert_eq!(look_up(&[v6][..]).unwrap(), [v6]);
}

#[test]
fn a_name_is_looked_up_in_the_pool() {
    let found = look_up("localhost:81").unwrap();
    assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 81), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn an_unknown_name_is_an_error_that_names_it() {
    let error = look_up(("no-such-host.invalid", 80)).unwrap_err();
    assert!(error.to_string().starts_with("cannot look up `no-such-host.invalid`: "), "{error}");
}

#[test]
fn nonsense_is_an_error_when_it_is_used() {
    for text in ["", "localhost", "localhost:", "localhost:http", ":80", "localhost:65536"] {
        let error = look_up(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert!(error.to_string().contains("a host, a colon and a port"), "{error}");
    }
}
