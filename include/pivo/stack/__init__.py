"""The embedded stack: the real HDFS, Kafka, Spark, Airflow and a small forge, as processes on loopback.

bootstrap.py   the first thing `make` runs: virtual environment, packages, jars (standard library only)
jars.py        the trust store and the jars; java.py finds a Java
part.py        what a part is; process.py starts, recognises and stops its process
hdfs.py kafka.py spark.py airflow.py forge.py   the parts themselves; parts.py puts them together
checks.py      what must hold before anything starts; supervisor.py brings all up, tells how it is, takes it down
"""
