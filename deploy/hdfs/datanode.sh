#!/bin/sh
# A DataNode, known by the name of its container.
set -eu
exec java "-Xmx${HDFS_DATANODE_HEAP:-512m}" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    org.apache.hadoop.hdfs.server.datanode.DataNode -D "dfs.datanode.hostname=$(hostname)"
