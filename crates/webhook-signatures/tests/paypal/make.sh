#!/bin/sh
# Makes the keys and certificates of this folder anew, with OpenSSL 3. Certificates are valid for a hundred years
# from then on.
set -eu
cd "$(dirname "$0")"

openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private-key.pem
openssl pkey -in private-key.pem -pubout -out public-key.pem
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 | openssl pkey -pubout -out short-key.pem

temporary=$(mktemp -d)
trap 'rm -r "$temporary"' EXIT

for name in root other-root intermediate; do
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$temporary/$name.key"
done
for name in root other-root; do
    openssl req -x509 -key "$temporary/$name.key" -subj "/CN=Test $name" -days 36500 -out $name.pem
done
openssl req -new -key "$temporary/intermediate.key" -subj "/CN=Test intermediate" |
    openssl x509 -req -CA root.pem -CAkey "$temporary/root.key" \
        -days 36500 \
        -extfile /dev/fd/3 -out "$temporary/intermediate.pem" 3<<EXT
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
EXT

leaf() {
    openssl req -new -key private-key.pem -subj "/CN=$2" |
        openssl x509 -req -CA "$temporary/intermediate.pem" -CAkey "$temporary/intermediate.key" \
            -days 36500 \
            -extfile /dev/fd/3 -out "$temporary/$1.pem" 3<<EXT
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:$2
EXT
    cat "$temporary/$1.pem" "$temporary/intermediate.pem" >"$1-chain.pem"
}
leaf paypal messageverificationcerts.paypal.com
leaf sandbox messageverificationcerts.sandbox.paypal.com
leaf stranger messageverificationcerts.paypal.com.evil.example

# Right name, and nobody who vouches for it.
openssl req -x509 -key private-key.pem -subj "/CN=messageverificationcerts.paypal.com" \
    -addext "subjectAltName=DNS:messageverificationcerts.paypal.com" \
    -days 36500 -out self-signed.pem
