#!/bin/sh
# Makes a database for each service that keeps its data in MySQL; the server runs it when its volume is new.
set -eu
for name in registered_customer vip_customer customer_router; do
    mysql -uroot -p"$MYSQL_ROOT_PASSWORD" -e "
        CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb4;
        GRANT ALL ON $name.* TO '$MYSQL_USER'@'%';"
done
