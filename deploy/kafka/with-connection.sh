#!/bin/sh
# Runs a command with the Connection pivo_kafka as PIVO's settings have it, with what secrets/kafka_properties says of
# TLS and logins: Airflow's own Kafka trigger reads nothing else. It is made here, so no file of Compose holds it.
set -eu
AIRFLOW_CONN_PIVO_KAFKA=$(python -c 'import json, sys
from pivo.settings import Settings
from pivo.stack.airflow import kafka_connection
sys.stdout.write(json.dumps(kafka_connection(Settings.load())))')
export AIRFLOW_CONN_PIVO_KAFKA
exec "$@"
