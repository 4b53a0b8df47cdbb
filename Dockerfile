# The set-up is the one of a developer's machine: nothing exists only in production.
# A tag may become another image. To pin one: --build-arg PYTHON_IMAGE=python@sha256:... (docs/install.md).
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/toolsync
COPY . .
RUN python bin/bootstrap.py && rm -rf var

FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/toolsync --create-home --shell /usr/sbin/nologin toolsync \
 && chmod 700 /var/lib/toolsync
COPY --from=build /srv/toolsync /srv/toolsync
WORKDIR /srv/toolsync
ENV PATH=/srv/toolsync/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TOOLSYNC_VAR=/var/lib/toolsync
USER toolsync
VOLUME /var/lib/toolsync
EXPOSE 8000
# Threads, so that a long upload or download doesn't keep others waiting; /dev/shm, because a heartbeat file on a slow disk
# makes gunicorn believe that a worker hangs.
CMD ["gunicorn", "toolsync_site.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--threads=8", "--timeout=120", "--worker-tmp-dir=/dev/shm"]
