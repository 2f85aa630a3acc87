#!/bin/sh
# The NameNode; a volume without an image of the file system is formatted first, one that has an image never is.
set -eu
namenode="java -Xmx${HDFS_NAMENODE_HEAP:-1g} -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError org.apache.hadoop.hdfs.server.namenode.NameNode"
if ! ls /var/lib/hdfs/name/current/fsimage_*[0-9] >/dev/null 2>&1; then
    $namenode -format -nonInteractive
fi
exec $namenode
