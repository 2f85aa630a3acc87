#!/bin/sh
# Runs a command with Spark's configuration and its shared secret, which Spark reads from its configuration only:
# neither from an environment variable that others see nor from the command line.
set -eu
umask 077
conf=$(mktemp -d)
cp /opt/pivo/deploy/spark/*.conf /opt/pivo/deploy/spark/*.properties "$conf"
printf 'spark.authenticate.secret %s\n' "$(cat "${SPARK_SECRET_FILE:-/run/secrets/spark_secret}")" >>"$conf/spark-defaults.conf"
export SPARK_CONF_DIR="$conf"
exec "$@"
