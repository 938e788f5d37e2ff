//! Public keys and certificates of PayPal.

use std::time::Duration;

use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, RawPublicKeyEntity, anchor_from_trusted_cert};

use crate::{Secret, SecretError};

/// The names in PayPal's certificates for webhooks, in live operation and in its sandbox.
const NAMES: [&str; 2] = [
    "messageverificationcerts.paypal.com",
    "messageverificationcerts.sandbox.paypal.com",
];
/// Greatest number of certificates in one chain. PayPal sends two or three.
const MAX_CERTIFICATES: usize = 10;

/// Least length of a public key in DER form, in bytes: a modulus of 2048 bits is 256 of them.
const MIN_KEY_BYTES: usize = 256;

/// A public RSA key of 2048 bits or more.
#[derive(Clone)]
pub(crate) enum RsaKey {
    Certificate(CertificateDer<'static>),
    Public(SubjectPublicKeyInfoDer<'static>),
}

impl RsaKey {
    /// A key in PEM form, or that of the first certificate in PEM form. The chain is not checked.
    pub(crate) fn parse(text: &str) -> Result<Self, SecretError> {
        let first = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).next();
        let key = match first {
            Some(Ok((SectionKind::Certificate, der))) => {
                let der = CertificateDer::from(der);
                let _readable = EndEntityCert::try_from(&der)
                    .ok()
                    .ok_or(SecretError::NotCertificate)?;
                Self::Certificate(der)
            }
            Some(Ok((SectionKind::PublicKey, der))) => {
                let der = SubjectPublicKeyInfoDer::from(der);
                let _readable = RawPublicKeyEntity::try_from(&der)
                    .ok()
                    .ok_or(SecretError::NotCertificate)?;
                Self::Public(der)
            }
            Some(_) | None => return Err(SecretError::NotCertificate),
        };
        // A key of another kind is told by how it refuses a signature.
        match key.check(b"", b"") {
            Err(webpki::Error::InvalidSignatureForPublicKey) if key.length() > MIN_KEY_BYTES => {
                Ok(key)
            }
            Ok(()) | Err(_) => Err(SecretError::NotCertificate),
        }
    }

    /// The length of the key in DER form, in bytes.
    fn length(&self) -> usize {
        match self {
            Self::Certificate(der) => EndEntityCert::try_from(der)
                .map_or(0, |certificate| certificate.subject_public_key_info().len()),
            Self::Public(der) => der.len(),
        }
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check(message, signature).is_ok()
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), webpki::Error> {
        let algorithm = webpki::ring::RSA_PKCS1_2048_8192_SHA256;
        match self {
            Self::Certificate(der) => {
                EndEntityCert::try_from(der)?.verify_signature(algorithm, message, signature)
            }
            Self::Public(der) => {
                RawPublicKeyEntity::try_from(der)?.verify_signature(algorithm, message, signature)
            }
        }
    }
}

/// The secret that a chain of certificates gives, if it is trusted: the first certificate is one of PayPal's for
/// webhooks, is valid at this time (Unix seconds), and leads through the others to one of the roots. All texts are in
/// PEM form. The chain comes from where [`certificate_url`](super::certificate_url) says; the roots are those that the
/// receiver trusts.
///
/// # Errors
///
/// [`SecretError::NotCertificate`], [`SecretError::UntrustedCertificate`] or [`SecretError::CertificateOfAnother`].
pub fn secret_of_chain(chain: &str, roots: &str, now_unix: i64) -> Result<Secret, SecretError> {
    let chain = certificates(chain)?;
    let roots = certificates(roots)?;
    let untrusted = SecretError::UntrustedCertificate;
    let (first, others) = chain.split_first().ok_or(SecretError::NotCertificate)?;
    let now = u64::try_from(now_unix).ok().ok_or(untrusted)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let anchors: Vec<_> = roots
        .iter()
        .filter_map(|root| anchor_from_trusted_cert(root).ok())
        .collect();

    let certificate = EndEntityCert::try_from(first)
        .ok()
        .ok_or(SecretError::NotCertificate)?;
    let _path = certificate
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            others,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        )
        .ok()
        .ok_or(untrusted)?;
    let is_named = NAMES
        .iter()
        .filter_map(|name| ServerName::try_from(*name).ok())
        .any(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok());
    if !is_named {
        return Err(SecretError::CertificateOfAnother);
    }
    Ok(Secret::of_rsa(RsaKey::Certificate(first.clone())))
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, SecretError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes())
        .take(MAX_CERTIFICATES)
        .collect();
    read.ok()
        .filter(|read| !read.is_empty())
        .ok_or(SecretError::NotCertificate)
}
