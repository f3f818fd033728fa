//! Whom the client trusts.

use crate::failure::Failure;
use futures_rustls::TlsConnector;
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use url::{Host, Url};

/// The environment variable that names a PEM file of further certificates to trust, as OpenSSL has it.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Makes a connector that trusts Mozilla's roots, and those in the file that `SSL_CERT_FILE` names.
pub(super) fn connector() -> Result<TlsConnector, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = std::env::var_os(CERTIFICATES) {
        let certificates = CertificateDer::pem_file_iter(&file).map_err(wrong)?;
        for certificate in certificates {
            roots.add(certificate.map_err(wrong)?).map_err(wrong)?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().map_err(wrong)?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Tls(io::Error::other(error))
}

/// Returns the name that a server's certificate must be for.
pub(super) fn server_name(url: &Url) -> Result<ServerName<'static>, Failure> {
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(ServerName::IpAddress(ip.into())),
        Some(Host::Ipv6(ip)) => Ok(ServerName::IpAddress(ip.into())),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(wrong),
        None => Err(Failure::Tls(io::Error::other("the address has no host"))),
    }
}
