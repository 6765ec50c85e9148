#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make the role and the database of Lockgate, once, when the data folder of PostgreSQL is new.
# A superuser would pass by what keeps organisations apart, so Lockgate gets an ordinary role.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$LOCKGATE_PASSWORD" \
  --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
CREATE ROLE lockgate LOGIN PASSWORD :'password';
CREATE DATABASE lockgate OWNER lockgate ENCODING 'UTF8' TEMPLATE template0;
SQL
