#!/bin/sh
# Once at every start, before Airflow: nothing here does harm when it was done before.
set -eu
airflow db migrate
airflow pools import /opt/pivo/deploy/pools.json
pivo init
