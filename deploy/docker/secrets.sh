#!/bin/sh
# secrets.sh: makes the secrets of this installation in /run/smsq and /run/postgres, each once.
# What is there already stays: without its keys an installation cannot read its messages.
set -eu
umask 077
folder=${SMSQ_SECRETS:-/run/smsq}

random_hex() {
    od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'
}

# make NAME TEXT writes one secret, whole or not at all.
make() {
    [ ! -s "$folder/$1" ] || return 0
    printf '%s' "$2" >"$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
    echo "Made $1."
}

make keys.lookup "$(random_hex 32)"
make keys.seal "1:$(random_hex 32)"
make simulator.account_sid "AC$(random_hex 16)"
make simulator.auth_token "$(random_hex 16)"
for role in producer worker status scheduler admin; do
    make "password.$role" "$(random_hex 16)"
    make "database.url.$role" \
        "postgresql://smsq_$role:$(cat "$folder/password.$role")@postgres/smsq"
done
make owner.password "$(random_hex 16)"
make owner.url "postgresql://postgres:$(cat "$folder/owner.password")@postgres/smsq"

# PostgreSQL's container runs as another user; only it and "secrets" have this folder.
install -m 0444 "$folder/owner.password" "${POSTGRES_SECRETS:-/run/postgres}/password"
