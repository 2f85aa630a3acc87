# syntax=docker/dockerfile:1
# The images of a deployment. Airflow and Spark (and HDFS) come from one base: the same Python, the same Java, the same
# PIVO, set up by the steps that also set up a checkout.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates curl git openjdk-17-jre-headless openssh-client procps tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 50000 pivo \
    && useradd --uid 50000 --gid pivo --create-home pivo \
    && useradd --uid 50001 --user-group --create-home hdfs \
    && install --directory --owner=pivo --group=pivo /opt/pivo /var/lib/pivo /var/lib/pivo/staging \
        /var/lib/pivo/index /var/lib/pivo/home /var/lib/airflow /var/lib/spark \
    && install --directory --owner=hdfs --group=hdfs /var/lib/hdfs \
    && ln --symbolic "$(dirname "$(dirname "$(readlink --canonicalize "$(command -v java)")")")" /opt/java
USER pivo
WORKDIR /opt/pivo
# What is installed changes less often than what is written here: a layer of its own.
COPY --chown=pivo:pivo requirements.txt requirements-bootstrap.txt pyproject.toml README.md LICENSE ./
COPY --chown=pivo:pivo include include
RUN python include/pivo/stack/bootstrap.py
COPY --chown=pivo:pivo dags dags
COPY --chown=pivo:pivo plugins plugins
COPY --chown=pivo:pivo spark_jobs spark_jobs
COPY --chown=pivo:pivo deploy deploy
ENV PATH=/opt/pivo/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    JAVA_HOME=/opt/java \
    PYTHONPATH=/opt/pivo/include \
    PYTHONUNBUFFERED=1 \
    PIVO_ROOT=/opt/pivo \
    PIVO_HOME=/var/lib/pivo/home \
    PIVO_INDEX=/var/lib/pivo/index/pivo.db \
    PIVO_STAGING=/var/lib/pivo/staging
ENTRYPOINT ["/usr/bin/tini", "--"]

FROM base AS airflow
ENV AIRFLOW_HOME=/var/lib/airflow \
    SPARK_CONF_DIR=/opt/pivo/deploy/spark
EXPOSE 8080 8974
CMD ["airflow", "api-server"]

FROM base AS spark
ENV SPARK_CONF_DIR=/opt/pivo/deploy/spark
EXPOSE 7077 7078 8080 8081
CMD ["spark-class", "org.apache.spark.deploy.master.Master"]

# HDFS's superuser is whoever starts the NameNode: not one of the users that PIVO works as.
FROM base AS hdfs
USER hdfs
ENV CLASSPATH=/opt/pivo/deploy/hdfs:/opt/pivo/.venv/share/pivo/jars/hdfs/*
EXPOSE 8020 9870 9864 9866 9867
CMD ["sh", "deploy/hdfs/namenode.sh"]
