//! HTTPS: certificates are checked, and those of `SSL_CERT_FILE` are trusted.

use crate::program::{end, folder, program};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::PrivateKeyDer;
use futures_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

/// Serves a page with two links over TLS, on a certificate for `localhost`; returns its port and the certificate.
fn secure_site() -> (u16, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certified.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            thread::spawn(move || answer(&mut BufReader::new(StreamOwned::new(connection, stream.unwrap()))));
        }
    });
    (port, certified.cert.pem())
}

fn answer<S: std::io::Read + Write>(stream: &mut BufReader<S>) {
    let mut line = String::new();
    while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
        if line == "\r\n" {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n";
            let sent = stream.get_mut().write_all(format!("{head}<a href=x><a href=y/z>").as_bytes());
            if sent.is_err() {
                return;
            }
        }
        line.clear();
    }
}

#[test]
fn a_certificate_that_is_trusted() {
    let (port, certificate) = secure_site();
    let file = folder(&[("root.pem", &certificate)]).join("root.pem");
    let address = format!("https://localhost:{port}/");
    let run = end(program(&[&address, "--depth", "1"]).env("SSL_CERT_FILE", file).spawn().unwrap());
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stderr.contains("pages         3\n"), "{run:?}");
    assert!(run.rows().contains(&(&*address, &*format!("{address}y/z"))));
}

#[test]
fn certificates_that_are_not() {
    let (port, certificate) = secure_site();
    let stranger = end(program(&[&format!("https://localhost:{port}/")]).env_remove("SSL_CERT_FILE").spawn().unwrap());
    assert_eq!(stranger.status, Some(1));
    assert!(stranger.stderr.contains("  tls: 1\n"), "{stranger:?}");

    let file = folder(&[("root.pem", &certificate)]).join("root.pem");
    let address = format!("https://127.0.0.1:{port}/");
    let other_name = end(program(&[&address]).env("SSL_CERT_FILE", &file).spawn().unwrap());
    assert_eq!(other_name.status, Some(1));
    assert!(other_name.stderr.contains("  tls: 1\n"), "{other_name:?}");

    let no_file = end(program(&[&address]).env("SSL_CERT_FILE", file.with_extension("none")).spawn().unwrap());
    assert!(no_file.stderr.contains("  tls: 1\n"), "{no_file:?}");
}
