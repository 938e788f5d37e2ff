//! PayPal's signatures and certificates: which keys are taken, which chains are trusted, and that no changed message is
//! accepted. The certificates are made by `paypal/make.sh`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use webhook_signatures::paypal::secret_of_chain;
use webhook_signatures::{
    Covers, Refusal, Request, Scheme, Secret, SecretError, Setup, SignedData,
};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

const PRIVATE: &[u8] = include_bytes!("paypal/private-key.pem");
const PUBLIC: &str = include_str!("paypal/public-key.pem");
const SHORT: &str = include_str!("paypal/short-key.pem");
const CHAIN: &str = include_str!("paypal/paypal-chain.pem");
const SANDBOX_CHAIN: &str = include_str!("paypal/sandbox-chain.pem");
const STRANGER_CHAIN: &str = include_str!("paypal/stranger-chain.pem");
const SELF_SIGNED: &str = include_str!("paypal/self-signed.pem");
const ROOT: &str = include_str!("paypal/root.pem");
const OTHER_ROOT: &str = include_str!("paypal/other-root.pem");

/// January 2027: the certificates are valid.
const NOW: i64 = 1_800_000_000;
/// The year 2128: they are no longer.
const TOO_LATE: i64 = 5_000_000_000;
/// November 2023: they are not yet.
const TOO_EARLY: i64 = 1_700_000_000;
const WEBHOOK_ID: &str = "8PT597110X687430LKGECATA";
const BODY: &[u8] = b"{\"id\":\"WH-1\"}";

/// The headers of a message as PayPal signs it: the CRC-32 of the body stands in the signed text in decimal.
fn headers(webhook_id: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (id, time) = (
        "b2384410-f8d2-11e4-8bf3-77339302725b",
        "2027-01-15T08:00:00Z",
    );
    let checksum = crc32fast::hash(BODY);
    let signed = format!("{id}|{time}|{webhook_id}|{checksum}");
    let der = PrivatePkcs8KeyDer::from_pem_slice(PRIVATE).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    vec![
        ("PAYPAL-TRANSMISSION-ID", id.into()),
        ("PAYPAL-TRANSMISSION-TIME", time.into()),
        ("PAYPAL-TRANSMISSION-SIG", BASE64.encode(signature).into()),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA".into()),
        (
            "PAYPAL-CERT-URL",
            "https://api.paypal.com/v1/notifications/certs/CERT-1".into(),
        ),
    ]
}

fn judge(
    secret: &Secret,
    headers: &[(&'static str, Vec<u8>)],
    body: &[u8],
) -> Result<SignedData, Refusal> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_slice()))
        .collect();
    let request = Request {
        headers: &headers,
        body,
    };
    let setup = Setup::new(Scheme::Paypal).with_webhook_id(WEBHOOK_ID);
    setup.verify(std::slice::from_ref(secret), &request, NOW)
}

#[test]
fn a_message_is_genuine_by_the_key_the_certificate_or_the_chain() {
    let headers = headers(WEBHOOK_ID);
    let key = Secret::parse(Scheme::Paypal, PUBLIC).unwrap();
    let certificate = Secret::parse(Scheme::Paypal, CHAIN).unwrap();
    let chain = secret_of_chain(CHAIN, ROOT, NOW).unwrap();
    let sandbox = secret_of_chain(SANDBOX_CHAIN, &format!("{OTHER_ROOT}{ROOT}"), NOW).unwrap();
    for secret in [key, certificate, chain, sandbox] {
        let signed = judge(&secret, &headers, BODY).unwrap();
        assert_eq!(signed.covers, Covers::Checksum);
        assert_eq!(signed.timestamp, None);
        assert_eq!(
            judge(&secret, &headers, b"{}"),
            Err(Refusal::NoMatchingSignature)
        );
        assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
    }
}

#[test]
fn only_a_trusted_chain_with_the_name_of_paypal_is_taken() {
    let refused = |chain, roots, now| secret_of_chain(chain, roots, now).err();
    let untrusted = Some(SecretError::UntrustedCertificate);
    assert_eq!(refused(CHAIN, ROOT, NOW), None);
    assert_eq!(refused(CHAIN, OTHER_ROOT, NOW), untrusted);
    assert_eq!(refused(CHAIN, ROOT, TOO_LATE), untrusted);
    assert_eq!(refused(CHAIN, ROOT, TOO_EARLY), untrusted);
    assert_eq!(refused(CHAIN, ROOT, -1), untrusted);
    assert_eq!(refused(SELF_SIGNED, ROOT, NOW), untrusted);
    // Without the certificate in the middle nothing leads to the root.
    let end = CHAIN.find("-----END CERTIFICATE-----\n").unwrap() + 26;
    assert_eq!(refused(&CHAIN[..end], ROOT, NOW), untrusted);
    assert_eq!(
        refused(STRANGER_CHAIN, ROOT, NOW),
        Some(SecretError::CertificateOfAnother)
    );
    for (chain, roots) in [("", ROOT), (CHAIN, ""), (PUBLIC, ROOT), ("x", "y")] {
        let expected = Some(SecretError::NotCertificate);
        assert_eq!(refused(chain, roots, NOW), expected);
    }
}

#[test]
fn only_a_long_public_rsa_key_is_taken() {
    let refused = |text: &str| Secret::parse(Scheme::Paypal, text).err();
    assert_eq!(refused(PUBLIC), None);
    assert_eq!(refused(""), Some(SecretError::Empty));
    let private = str::from_utf8(PRIVATE).unwrap();
    // A root has a key of another kind: elliptic curves.
    for text in [
        SHORT,
        ROOT,
        private,
        "whsec_x",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ] {
        assert_eq!(refused(text), Some(SecretError::NotCertificate), "{text}");
    }
}

#[test]
fn no_single_turned_bit_is_accepted() {
    let genuine = headers(WEBHOOK_ID);
    let secret = Secret::parse(Scheme::Paypal, PUBLIC).unwrap();
    assert!(judge(&secret, &genuine, BODY).is_ok());
    // The name of the certificate at PayPal is not signed: it only tells which key to fetch.
    let name = "https://api.paypal.com/v1/notifications/certs/".len();
    for at in 0..genuine.len() {
        let length = if at == 4 { name } else { genuine[at].1.len() };
        for bit in 0..length * 8 {
            let mut turned = genuine.clone();
            turned[at].1[bit / 8] ^= 1 << (bit % 8);
            let (name, value) = &turned[at];
            assert!(
                judge(&secret, &turned, BODY).is_err(),
                "{name}: {}",
                String::from_utf8_lossy(value)
            );
        }
    }
    for bit in 0..BODY.len() * 8 {
        let mut turned = BODY.to_vec();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(judge(&secret, &genuine, &turned).is_err());
    }
}

#[test]
fn an_event_for_another_webhook_or_of_the_simulator_is_refused() {
    let secret = Secret::parse(Scheme::Paypal, PUBLIC).unwrap();
    for other in ["WEBHOOK_ID", "0EH40505U7160970P"] {
        assert_eq!(
            judge(&secret, &headers(other), BODY),
            Err(Refusal::NoMatchingSignature)
        );
    }
    // A part with a bar could take the place of two.
    let mut shifted = headers(WEBHOOK_ID);
    shifted[1].1.extend(b"|x");
    assert_eq!(
        judge(&secret, &shifted, BODY),
        Err(Refusal::MalformedHeader {
            name: "PAYPAL-TRANSMISSION-TIME".into()
        })
    );
    let mut without = headers(WEBHOOK_ID);
    let _url = without.pop();
    assert_eq!(
        judge(&secret, &without, BODY),
        Err(Refusal::MissingHeader {
            name: "PAYPAL-CERT-URL".into()
        })
    );
}
