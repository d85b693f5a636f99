#!/bin/sh
# Makes a database for each service that keeps its data in PostgreSQL; the server runs it when its volume is new.
set -eu
for name in cart_service order_service paying_service shipping_service; do
    createdb --username="$POSTGRES_USER" "$name"
done
